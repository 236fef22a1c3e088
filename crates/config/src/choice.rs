//! The parameters whose value is a word, as Rust enums.
//!
//! A word's number is what the live value stores, so reading one is an atomic load and a table
//! look-up. Two words may share a number (`oom-score-adj` knows `yes` and `relative`): the first
//! is the one that is shown.

/// The words of a parameter with their numbers, in the order in which errors list them.
pub type WordTable = &'static [(&'static str, i64)];

/// A Rust enum whose variants are the words of a parameter.
pub trait Choices: Copy + Send + Sync + 'static {
    /// The words and their numbers.
    const WORDS: WordTable;

    /// The variant of a number that [`Choices::WORDS`] has.
    fn from_number(number: i64) -> Self;
}

macro_rules! choices {
    ($($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $number:literal:
        $($word:literal)|+),+ $(,)? })+) => { $(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vmeta])* $variant = $number),+ }

        impl Choices for $name {
            const WORDS: WordTable = &[$($(($word, $number)),+),+];

            fn from_number(number: i64) -> Self {
                match number {
                    $($number => Self::$variant,)+
                    other => unreachable!("{other} is no number of {}", stringify!($name)),
                }
            }
        }
    )+ };
}

choices! {
    /// `maxmemory-policy`: which keys make room.
    MaxmemoryPolicy {
        /// Least recently used among the keys with an expiry.
        VolatileLru = 0: "volatile-lru",
        /// Least frequently used among the keys with an expiry.
        VolatileLfu = 1: "volatile-lfu",
        /// Any key with an expiry.
        VolatileRandom = 2: "volatile-random",
        /// The keys that expire soonest.
        VolatileTtl = 3: "volatile-ttl",
        /// Least recently modified among the keys with an expiry.
        VolatileLrm = 4: "volatile-lrm",
        /// Least recently used.
        AllkeysLru = 5: "allkeys-lru",
        /// Least frequently used.
        AllkeysLfu = 6: "allkeys-lfu",
        /// Any key.
        AllkeysRandom = 7: "allkeys-random",
        /// Least recently modified.
        AllkeysLrm = 8: "allkeys-lrm",
        /// None: writes fail.
        Noeviction = 9: "noeviction",
    }

    /// `loglevel`: the least important message that is still logged.
    LogLevel {
        /// Everything.
        Debug = 0: "debug",
        /// Details that are rarely needed.
        Verbose = 1: "verbose",
        /// What production wants to know.
        Notice = 2: "notice",
        /// Only what is critical.
        Warning = 3: "warning",
        /// Nothing at all.
        Nothing = 4: "nothing",
    }

    /// `supervised`: who started the process.
    Supervised {
        /// Upstart: the process stops itself with SIGSTOP when it is ready.
        Upstart = 0: "upstart",
        /// systemd: the process writes READY=1 to `NOTIFY_SOCKET`.
        Systemd = 1: "systemd",
        /// Whichever of them the environment names.
        Auto = 2: "auto",
        /// Nobody.
        No = 3: "no",
    }

    /// `syslog-facility`.
    SyslogFacility {
        /// The facility of user programs.
        User = 8: "user",
        /// Local facility 0.
        Local0 = 128: "local0",
        /// Local facility 1.
        Local1 = 136: "local1",
        /// Local facility 2.
        Local2 = 144: "local2",
        /// Local facility 3.
        Local3 = 152: "local3",
        /// Local facility 4.
        Local4 = 160: "local4",
        /// Local facility 5.
        Local5 = 168: "local5",
        /// Local facility 6.
        Local6 = 176: "local6",
        /// Local facility 7.
        Local7 = 184: "local7",
    }

    /// `appendfsync`: when the append-only file reaches the disk.
    AppendFsync {
        /// Once a second.
        Everysec = 0: "everysec",
        /// Before the reply.
        Always = 1: "always",
        /// When the operating system likes.
        No = 2: "no",
    }

    /// `repl-diskless-load`: whether a replica loads the stream of its primary directly.
    ReplDisklessLoad {
        /// By way of a file.
        Disabled = 0: "disabled",
        /// Directly, when the replica has no data.
        OnEmptyDb = 1: "on-empty-db",
        /// Directly, beside the old data.
        Swapdb = 2: "swapdb",
        /// Directly, after dropping the old data.
        FlushBeforeLoad = 3: "flushdb" | "flush-before-load",
    }

    /// `tls-auth-clients`: whether clients must show a certificate.
    TlsAuthClients {
        /// Never asked.
        No = 0: "no",
        /// Required.
        Yes = 1: "yes",
        /// Verified when shown.
        Optional = 2: "optional",
    }

    /// `tls-auth-clients-user`: which certificate field names the user.
    TlsAuthClientsUser {
        /// The common name.
        Cn = 1: "CN",
        /// None: clients authenticate themselves.
        Off = 0: "off",
    }

    /// `oom-score-adj`: whether the process tells the kernel how dear it is.
    OomScoreAdj {
        /// No.
        No = 0: "no",
        /// Relative to the score at start.
        Relative = 1: "yes" | "relative",
        /// As given.
        Absolute = 2: "absolute",
    }

    /// `acl-pubsub-default`: the channels of a new user.
    AclPubsubDefault {
        /// All of them.
        Allchannels = 1: "allchannels",
        /// None.
        Resetchannels = 0: "resetchannels",
    }

    /// `sanitize-dump-payload`: whose payloads are verified deeply.
    SanitizeDumpPayload {
        /// Nobody's.
        No = 0: "no",
        /// Everybody's.
        Yes = 1: "yes",
        /// Those of clients, but not of the primary or of files.
        Clients = 2: "clients",
    }

    /// `rdb-version-check`: files of formats that came later.
    RdbVersionCheck {
        /// Refused.
        Strict = 0: "strict",
        /// Tried.
        Relaxed = 1: "relaxed",
    }

    /// Who may use something dangerous.
    ProtectedAction {
        /// Nobody.
        No = 0: "no",
        /// Everybody.
        Yes = 1: "yes",
        /// Connections over loopback and unix sockets.
        Local = 2: "local",
    }

    /// `cluster-preferred-endpoint-type`: what redirections name.
    EndpointType {
        /// The address.
        Ip = 0: "ip",
        /// The announced hostname.
        Hostname = 1: "hostname",
        /// Nothing: the client keeps the endpoint it used.
        UnknownEndpoint = 2: "unknown-endpoint",
    }

    /// `propagation-error-behavior`: what a replica does when a propagated command fails.
    PropagationError {
        /// Goes on.
        Ignore = 0: "ignore",
        /// Stops the process.
        Panic = 1: "panic",
        /// Stops the process when it is a replica.
        PanicOnReplicas = 2: "panic-on-replicas",
    }

    /// `log-format`.
    LogFormat {
        /// Redis's own lines.
        Legacy = 0: "legacy",
        /// `key=value` pairs.
        Logfmt = 1: "logfmt",
    }

    /// `log-timestamp-format`.
    LogTimestampFormat {
        /// Day, month and year with milliseconds.
        Legacy = 0: "legacy",
        /// ISO 8601.
        Iso8601 = 1: "iso8601",
        /// Milliseconds since 1970.
        Milliseconds = 2: "milliseconds",
    }

    /// `search-on-timeout` and `search-on-oom`: what an interrupted query answers.
    QueryPolicy {
        /// What was found so far.
        Return = 0: "return",
        /// An error.
        Fail = 1: "fail",
    }

    /// `search-on-oom`: what a query does when memory is exhausted.
    QueryOomPolicy {
        /// Runs as if it were not.
        Ignore = 0: "ignore",
        /// Fails.
        Fail = 1: "fail",
        /// Answers what was found so far.
        Return = 2: "return",
    }

    /// `ts-encoding`: how chunks of samples are stored.
    ChunkEncoding {
        /// Compressed.
        Compressed = 0: "compressed",
        /// Plain.
        Uncompressed = 1: "uncompressed",
    }

    /// `ts-duplicate-policy`: what happens to a second sample at the same time.
    DuplicatePolicy {
        /// It is refused.
        Block = 0: "block",
        /// It is dropped.
        First = 1: "first",
        /// It replaces the first.
        Last = 2: "last",
        /// The smaller stays.
        Min = 3: "min",
        /// The larger stays.
        Max = 4: "max",
        /// They are added.
        Sum = 5: "sum",
    }
}

/// `cluster-slot-stats-enabled`: what is counted for each slot.
pub(crate) const SLOT_STATS: WordTable =
    &[("no", 0), ("yes", 7), ("cpu", 1), ("net", 2), ("mem", 4)];

/// `shutdown-on-sigint`, `shutdown-on-sigterm`: how a signal ends the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ShutdownFlags(i64);

impl ShutdownFlags {
    /// The words and their bits; no bit is `default`.
    pub const WORDS: WordTable =
        &[("default", 0), ("save", 2), ("nosave", 1), ("now", 4), ("force", 8)];

    pub(crate) fn from_bits(bits: i64) -> Self {
        Self(bits)
    }

    /// Skip the final snapshot even if save points exist.
    #[must_use]
    pub fn nosave(self) -> bool {
        self.0 & 1 != 0
    }

    /// Take a final snapshot even without save points.
    #[must_use]
    pub fn save(self) -> bool {
        self.0 & 2 != 0
    }

    /// Do not wait for replicas that lag behind.
    #[must_use]
    pub fn now(self) -> bool {
        self.0 & 4 != 0
    }

    /// Exit even when the final snapshot fails.
    #[must_use]
    pub fn force(self) -> bool {
        self.0 & 8 != 0
    }
}
