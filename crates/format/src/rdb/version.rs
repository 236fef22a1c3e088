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
    /// The highest that is read. Valkey 9 has 80, to keep out of the way of Redis's numbers.
    pub const READABLE_MAX: Self = Self(80);
}
