//! Versions of the RDB format.

/// A version. A reader refuses one that is above its own, so writers use the lowest that can hold
/// what there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u16);

impl Version {
    /// Redis 7.0: packed hashes, sorted sets and lists in listpacks; streams of the second form.
    pub const V10: Self = Self(10);
    /// Redis 7.2, Valkey 7.2 to 8.1: packed sets, and streams that know when a consumer was
    /// active.
    pub const V11: Self = Self(11);
    /// Redis 7.4 and 8.0: hashes with deadlines of fields.
    pub const V12: Self = Self(12);
    /// Redis 8.6: streams that know idempotent producers.
    pub const V13: Self = Self(13);
    /// The highest that Redis writes: that of 8.10.
    pub const REDIS_MAX: Self = Self(15);
    /// Valkey 9, which keeps out of the way of Redis's numbers.
    pub const VALKEY_9: Self = Self(80);
    /// The highest that is read.
    pub const READABLE_MAX: Self = Self::VALKEY_9;
}
