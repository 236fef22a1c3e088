//! Small bit sets: command flags, ACL categories, key flags. Names are those that `COMMAND INFO`
//! prints, in the order in which Redis prints them.

macro_rules! bit_set {
    ($(#[$doc:meta])* $name:ident : $repr:ty {
        $($(#[$flag_doc:meta])* $flag:ident = $bit:literal, $text:literal;)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name($repr);

        impl $name {
            /// The empty set.
            pub const NONE: Self = Self(0);
            $($(#[$flag_doc])* pub const $flag: Self = Self(1 << $bit);)*

            /// Both sets together.
            #[must_use]
            pub const fn union(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }

            /// Whether every member of `other` is in this set.
            #[must_use]
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// Whether the sets share a member.
            #[must_use]
            pub const fn intersects(self, other: Self) -> bool {
                self.0 & other.0 != 0
            }

            /// The names of the members, in printing order; members without a name are skipped.
            pub fn names(self) -> impl Iterator<Item = &'static str> {
                [$((Self::$flag, $text)),*]
                    .into_iter()
                    .filter(move |(flag, text)| self.contains(*flag) && !text.is_empty())
                    .map(|(_, text)| text)
            }

            /// The member called `name`, case-insensitively.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                [$((Self::$flag, $text)),*]
                    .into_iter()
                    .find(|(_, text)| !text.is_empty() && text.eq_ignore_ascii_case(name))
                    .map(|(flag, _)| flag)
            }
        }

        impl std::ops::BitOr for $name {
            type Output = Self;
            fn bitor(self, other: Self) -> Self {
                self.union(other)
            }
        }
    };
}

bit_set! {
    /// How a command behaves.
    Flags: u64 {
        /// May change the dataset.
        WRITE = 0, "write";
        /// Reads keys and changes nothing.
        READONLY = 1, "readonly";
        /// May grow memory: refused above `maxmemory`.
        DENYOOM = 2, "denyoom";
        /// Comes from a module.
        MODULE = 3, "module";
        /// Administrative.
        ADMIN = 4, "admin";
        /// Publish and subscribe.
        PUBSUB = 5, "pubsub";
        /// Not allowed in scripts.
        NOSCRIPT = 6, "noscript";
        /// May block the client.
        BLOCKING = 7, "blocking";
        /// Allowed while the dataset loads.
        LOADING = 8, "loading";
        /// Allowed on a replica with stale data.
        STALE = 9, "stale";
        /// Not shown to `MONITOR`.
        SKIP_MONITOR = 10, "skip_monitor";
        /// Not logged by the slow log.
        SKIP_SLOWLOG = 11, "skip_slowlog";
        /// Accepts a slot in the importing state.
        ASKING = 12, "asking";
        /// Constant or logarithmic time.
        FAST = 13, "fast";
        /// Allowed before authentication.
        NO_AUTH = 14, "no_auth";
        /// May replicate although it is no write; not shown.
        MAY_REPLICATE = 15, "";
        /// The keys depend on the arguments: not all can be told from the first key spec.
        MOVABLE_KEYS = 16, "movablekeys";
        /// Allowed while a script is busy.
        ALLOW_BUSY = 17, "allow_busy";
        /// Not allowed inside `MULTI`.
        NO_MULTI = 18, "no_multi";
        /// Not allowed while the dataset loads asynchronously.
        NO_ASYNC_LOADING = 19, "no_async_loading";
        /// Keys are optional: the absence of keys is no error.
        NO_MANDATORY_KEYS = 20, "no_mandatory_keys";
        /// Only sentinels have it.
        ONLY_SENTINEL = 21, "";
        /// Atomic over the whole keyspace: every shard is locked.
        WHOLE_KEYSPACE = 22, "";
        /// Never blocked by `CLIENT PAUSE`, nor queued by `MULTI`.
        IMMEDIATE = 23, "";
        /// Its arguments hold secrets: redacted in logs.
        SENSITIVE = 24, "";
        /// Removed with the key's memory in mind: allowed to run above `maxmemory` inside `MULTI`.
        FREES = 25, "";
        /// Walks the keyspace shard by shard: needs every lock inside `MULTI`, none outside.
        KEYSPACE_WALK = 26, "";
    }
}

bit_set! {
    /// ACL categories.
    Categories: u64 {
        /// Keys of any type.
        KEYSPACE = 0, "keyspace";
        /// Reads.
        READ = 1, "read";
        /// Writes.
        WRITE = 2, "write";
        /// Sets.
        SET = 3, "set";
        /// Sorted sets.
        SORTEDSET = 4, "sortedset";
        /// Lists.
        LIST = 5, "list";
        /// Hashes.
        HASH = 6, "hash";
        /// Strings.
        STRING = 7, "string";
        /// Arrays.
        ARRAY = 8, "array";
        /// Bitmaps.
        BITMAP = 9, "bitmap";
        /// HyperLogLogs.
        HYPERLOGLOG = 10, "hyperloglog";
        /// Geospatial indexes.
        GEO = 11, "geo";
        /// Streams.
        STREAM = 12, "stream";
        /// Publish and subscribe.
        PUBSUB = 13, "pubsub";
        /// Administration.
        ADMIN = 14, "admin";
        /// Constant or logarithmic time.
        FAST = 15, "fast";
        /// The others.
        SLOW = 16, "slow";
        /// May block.
        BLOCKING = 17, "blocking";
        /// Dangerous in the hands of an application.
        DANGEROUS = 18, "dangerous";
        /// The connection.
        CONNECTION = 19, "connection";
        /// Transactions.
        TRANSACTION = 20, "transaction";
        /// Scripts.
        SCRIPTING = 21, "scripting";
    }
}

bit_set! {
    /// What a command does with the keys of a key spec.
    KeyFlags: u32 {
        /// Reads and writes the value.
        RW = 0, "RW";
        /// Reads it only.
        RO = 1, "RO";
        /// Overwrites it.
        OW = 2, "OW";
        /// Removes it.
        RM = 3, "RM";
        /// Returns or copies the value's data.
        ACCESS = 4, "access";
        /// Updates the value's data.
        UPDATE = 5, "update";
        /// Adds data without a chance of changing what is there.
        INSERT = 6, "insert";
        /// Deletes some of the value's data.
        DELETE = 7, "delete";
        /// Not a key, but named like one (pub/sub channels).
        NOT_KEY = 8, "not_key";
        /// There may be keys that the spec does not tell.
        INCOMPLETE = 9, "incomplete";
        /// The flags depend on the arguments.
        VARIABLE_FLAGS = 10, "variable_flags";
    }
}

impl Flags {
    /// The ACL categories that these flags imply beside explicit ones: what runs a script that must
    /// not write is no command that reads.
    #[must_use]
    pub const fn implied_categories(self, explicit: Categories) -> Categories {
        let mut out = Categories::NONE;
        if self.contains(Self::WRITE) {
            out = out.union(Categories::WRITE);
        }
        if self.contains(Self::READONLY) && !explicit.contains(Categories::SCRIPTING) {
            out = out.union(Categories::READ);
        }
        if self.contains(Self::ADMIN) {
            out = out.union(Categories::ADMIN).union(Categories::DANGEROUS);
        }
        if self.contains(Self::PUBSUB) {
            out = out.union(Categories::PUBSUB);
        }
        if self.contains(Self::BLOCKING) {
            out = out.union(Categories::BLOCKING);
        }
        out.union(if self.contains(Self::FAST) { Categories::FAST } else { Categories::SLOW })
    }
}
