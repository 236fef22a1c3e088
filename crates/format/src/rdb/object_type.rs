//! The numbers of the types of values.

use super::Version;

/// The first byte of a value: its type and how the body is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ObjectType {
    /// A string.
    String = 0,
    /// A list of strings, one by one (until Redis 3.0).
    List = 1,
    /// A set of strings.
    Set = 2,
    /// A sorted set with scores as text (until Redis 3.2).
    SortedSet = 3,
    /// A hash of strings.
    Hash = 4,
    /// A sorted set with binary scores.
    SortedSet2 = 5,
    /// A value of a module, in pieces that say what they are. It is stepped over, never decoded.
    Module = 7,
    /// A small hash as a zipmap (until Redis 2.4).
    HashZipmap = 9,
    /// A small list as a ziplist (until Redis 3.0).
    ListZiplist = 10,
    /// A small set of integers.
    SetIntset = 11,
    /// A small sorted set as a ziplist (until Redis 6.2).
    SortedSetZiplist = 12,
    /// A small hash as a ziplist (until Redis 6.2).
    HashZiplist = 13,
    /// A list of ziplists (until Redis 6.2).
    ListQuicklist = 14,
    /// A stream (5.0 to 6.2).
    StreamListpacks = 15,
    /// A small hash as a listpack.
    HashListpack = 16,
    /// A small sorted set as a listpack.
    SortedSetListpack = 17,
    /// A list of listpacks and large elements.
    ListQuicklist2 = 18,
    /// A stream that counts what was added and deleted (Redis 7.0).
    StreamListpacks2 = 19,
    /// A small set as a listpack (from Redis 7.2).
    SetListpack = 20,
    /// A stream whose consumers know when they were active (from Redis 7.2).
    StreamListpacks3 = 21,
    /// A hash with deadlines of fields (from Valkey 9.0). Candidates of Redis 7.4 used the number
    /// for something else.
    HashDeadlines = 22,
    /// A hash with deadlines of fields (from Redis 7.4).
    HashTimed = 24,
    /// A small one as a listpack (from Redis 7.4).
    HashTimedListpack = 25,
    /// A stream that knows idempotent producers (from Redis 8.6).
    StreamListpacks4 = 26,
    /// An array, in a form of our own.
    Array = 128,
}

impl ObjectType {
    const ALL: [Self; 25] = [
        Self::String,
        Self::List,
        Self::Set,
        Self::SortedSet,
        Self::Hash,
        Self::SortedSet2,
        Self::Module,
        Self::HashZipmap,
        Self::ListZiplist,
        Self::SetIntset,
        Self::SortedSetZiplist,
        Self::HashZiplist,
        Self::ListQuicklist,
        Self::StreamListpacks,
        Self::HashListpack,
        Self::SortedSetListpack,
        Self::ListQuicklist2,
        Self::StreamListpacks2,
        Self::SetListpack,
        Self::StreamListpacks3,
        Self::HashDeadlines,
        Self::HashTimed,
        Self::HashTimedListpack,
        Self::StreamListpacks4,
        Self::Array,
    ];

    /// By number.
    const TABLE: [Option<Self>; 256] = {
        let mut table = [None; 256];
        let mut at = 0;
        while at < Self::ALL.len() {
            table[Self::ALL[at] as usize] = Some(Self::ALL[at]);
            at += 1;
        }
        table
    };

    /// The type of a number in what a server of this version wrote. None for those to come.
    #[inline]
    #[must_use]
    pub fn from_number(number: u8, version: Version) -> Option<Self> {
        let kind = Self::TABLE[usize::from(number)]?;
        let known = kind != Self::HashDeadlines || version >= Version::VALKEY_9;
        known.then_some(kind)
    }
}
