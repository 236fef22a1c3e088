//! What a configuration parameter is: one [`Row`] says everything that is known about it.
//!
//! Rows are plain constants. `CONFIG GET`, `CONFIG SET`, `CONFIG REWRITE`, the file parser, the
//! command line and the generated sample file all read the same row, so a parameter is declared
//! once and cannot be half known.

use crate::choice::WordTable;

/// Largest value of the parameters that Redis keeps in a C `int`.
pub(crate) const INT_MAX: i64 = i32::MAX as i64;
/// Smallest value of the parameters that Redis keeps in a C `int`.
pub(crate) const INT_MIN: i64 = i32::MIN as i64;
/// Largest value of the parameters that Redis keeps in a C `unsigned int`.
pub(crate) const UINT_MAX: i64 = u32::MAX as i64;
/// Largest value of the memory parameters that Redis keeps in a signed 64-bit integer.
pub(crate) const BYTES_MAX: u64 = i64::MAX as u64;

/// The chapter of the sample file that a parameter belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// Listening sockets and connections.
    Network,
    /// Process, logging and databases.
    General,
    /// Encrypted connections.
    Tls,
    /// Event-loop threads and CPU pinning.
    Threads,
    /// Limits per client.
    Clients,
    /// Passwords, access lists and dangerous commands.
    Security,
    /// Memory limit and eviction.
    Memory,
    /// Background freeing.
    LazyFree,
    /// RDB snapshots.
    Snapshotting,
    /// The append-only file.
    Aof,
    /// Replication.
    Replication,
    /// Cluster mode.
    Cluster,
    /// Scripts and functions.
    Scripting,
    /// Slow log, latency monitor and latency tracking.
    Latency,
    /// Keyspace notifications.
    Events,
    /// When values change their encoding.
    Encodings,
    /// Defragmentation and the allocator.
    Defrag,
    /// Search indexes.
    Search,
    /// Time series.
    TimeSeries,
    /// Bloom and cuckoo filters, vector sets.
    Probabilistic,
    /// Knobs for tests and debugging.
    Debug,
}

impl Section {
    /// The heading in the sample file.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Network => "Network",
            Self::General => "General",
            Self::Tls => "TLS",
            Self::Threads => "Threads",
            Self::Clients => "Clients",
            Self::Security => "Security",
            Self::Memory => "Memory",
            Self::LazyFree => "Background freeing",
            Self::Snapshotting => "Snapshotting",
            Self::Aof => "Append-only file",
            Self::Replication => "Replication",
            Self::Cluster => "Cluster",
            Self::Scripting => "Scripting",
            Self::Latency => "Slow log and latency",
            Self::Events => "Keyspace notifications",
            Self::Encodings => "Encodings",
            Self::Defrag => "Active defragmentation",
            Self::Search => "Search",
            Self::TimeSeries => "Time series",
            Self::Probabilistic => "Probabilistic and vector types",
            Self::Debug => "Testing and debugging",
        }
    }
}

/// What a number counts, for the documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nothing that needs a name.
    None,
    /// Bytes.
    Bytes,
    /// Microseconds.
    Microseconds,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Minutes.
    Minutes,
    /// Times a second.
    Hertz,
    /// Hundredths.
    Percent,
}

impl Unit {
    /// The word that follows a number, empty for [`Unit::None`].
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Bytes => "bytes",
            Self::Microseconds => "microseconds",
            Self::Milliseconds => "milliseconds",
            Self::Seconds => "seconds",
            Self::Minutes => "minutes",
            Self::Hertz => "times a second",
            Self::Percent => "percent",
        }
    }
}

/// Who may change a parameter, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// `CONFIG SET` changes it.
    Mutable,
    /// Only the configuration file and the command line set it.
    Immutable,
    /// `CONFIG SET` changes it when `enable-protected-configs` allows.
    Protected,
}

/// Verifies a text value beyond its type; the error is the reason told to the user.
pub type TextCheck = fn(&[u8]) -> Result<(), &'static str>;
/// Verifies a number beyond its range; the error is the reason told to the user.
pub type NumberCheck = fn(i64) -> Result<(), &'static str>;

/// Parameters that hold more than one number or word. Each has its own grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// `save`: pairs of seconds and changes.
    SavePoints,
    /// `client-output-buffer-limit`: three limits for each class of clients.
    OutputLimits,
    /// `oom-score-adj-values`: three scores.
    OomScores,
    /// `bind`: addresses.
    Addresses,
    /// `replicaof`: host and port of the primary.
    Primary,
    /// `latency-tracking-info-percentiles`: percentiles.
    Percentiles,
}

/// Type, range and default.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// `yes` or `no`.
    Bool {
        /// Value without configuration.
        default: bool,
    },
    /// A whole number.
    Int {
        /// Value without configuration.
        default: i64,
        /// Smallest value.
        min: i64,
        /// Largest value.
        max: i64,
    },
    /// A whole number written in base eight.
    Octal {
        /// Value without configuration.
        default: i64,
        /// Largest value; the smallest is 0.
        max: i64,
    },
    /// A number of bytes, with an optional unit such as `mb`.
    Bytes {
        /// Value without configuration.
        default: u64,
        /// Smallest value.
        min: u64,
        /// Largest value.
        max: u64,
    },
    /// A number of bytes, or a percentage of `maxmemory`.
    BytesOrPercent {
        /// Value without configuration, in bytes.
        default: u64,
    },
    /// One word of a list.
    Choice {
        /// The words and their numbers.
        words: WordTable,
        /// Number of the default word.
        default: i64,
    },
    /// Any number of words of a list, each of which is a bit.
    Flags {
        /// The words and their bits.
        words: WordTable,
        /// Bits without configuration.
        default: i64,
    },
    /// `notify-keyspace-events`: one character for each class of events.
    Events,
    /// Any bytes.
    Text {
        /// Value without configuration.
        default: &'static str,
    },
    /// A value with a grammar of its own.
    List {
        /// Which one.
        list: List,
        /// Value without configuration, as `CONFIG GET` shows it.
        default: &'static str,
    },
}

/// One parameter.
#[derive(Debug)]
pub struct Row {
    /// The name of today.
    pub name: &'static str,
    /// Older or underscored names that `CONFIG GET` lists beside the name of today.
    pub aliases: &'static [&'static str],
    /// Names of other servers: understood everywhere, listed nowhere.
    pub foreign_names: &'static [&'static str],
    /// Chapter.
    pub section: Section,
    /// Type, range and default.
    pub kind: Kind,
    /// What a number counts.
    pub unit: Unit,
    /// One sentence for users.
    pub doc: &'static str,
    /// Who may change it.
    pub access: Access,
    /// Absent from `CONFIG GET` patterns and the sample file; answered when asked by name.
    pub hidden: bool,
    /// Absent from `CONFIG GET` patterns only. Tools set back what `CONFIG GET *` lists, so an
    /// immutable parameter that they do not expect must not be listed.
    pub unlisted: bool,
    /// Tunes internals: changing it needs care.
    pub debug: bool,
    /// `CONFIG SET` refuses it while a dataset is loading.
    pub frozen_while_loading: bool,
    /// Why `CONFIG SET` does not turn this switch on, though it turns it off.
    pub only_off: Option<&'static str>,
    /// A secret: never logged.
    pub sensitive: bool,
    /// Applied again even when set to the value it has: it names a file that may have changed.
    pub reapplied: bool,
    /// The server replaces the default when it starts: cores, working directory.
    pub resolved_at_start: bool,
    /// The feature behind it exists. When false the value is accepted, stored and reported only.
    pub implemented: bool,
    /// The feature does not exist, and a server that went on without it would not be what it was
    /// asked to be: open instead of guarded, a primary instead of a replica. A value other than
    /// the default is refused.
    pub indispensable: bool,
    /// Numbers outside of these two are brought to the nearer one.
    pub clamped: Option<(i64, i64)>,
    /// Verification of a text beyond its type.
    pub text_check: Option<TextCheck>,
    /// Verification of a number beyond its range.
    pub number_check: Option<NumberCheck>,
}

impl Row {
    /// A mutable, visible, implemented parameter without aliases.
    pub(crate) const fn new(name: &'static str, kind: Kind) -> Self {
        let unit = match kind {
            Kind::Bytes { .. } | Kind::BytesOrPercent { .. } => Unit::Bytes,
            _ => Unit::None,
        };
        Self {
            name,
            aliases: &[],
            foreign_names: &[],
            section: Section::General,
            kind,
            unit,
            doc: "",
            access: Access::Mutable,
            hidden: false,
            unlisted: false,
            debug: false,
            frozen_while_loading: false,
            only_off: None,
            sensitive: false,
            reapplied: false,
            resolved_at_start: false,
            implemented: true,
            indispensable: false,
            clamped: None,
            text_check: None,
            number_check: None,
        }
    }

    /// Every name, today's first.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        std::iter::once(self.name)
            .chain(self.aliases.iter().copied())
            .chain(self.foreign_names.iter().copied())
    }

    /// The names that a `CONFIG GET` pattern can match: none when the row is hidden.
    pub fn listed_names(&self) -> impl Iterator<Item = &'static str> + '_ {
        let listed = !self.hidden && !self.unlisted;
        std::iter::once(self.name).chain(self.aliases.iter().copied()).filter(move |_| listed)
    }

    /// Whether the directive takes any number of arguments.
    #[must_use]
    pub fn takes_many(&self) -> bool {
        matches!(self.kind, Kind::Flags { .. } | Kind::List { .. })
    }
}

/// The vocabulary of the tables: constructors and modifiers that work in constants.
impl Row {
    pub(crate) const fn aliases(mut self, names: &'static [&'static str]) -> Self {
        self.aliases = names;
        self
    }

    pub(crate) const fn foreign(mut self, names: &'static [&'static str]) -> Self {
        self.foreign_names = names;
        self
    }

    pub(crate) const fn section(mut self, section: Section) -> Self {
        self.section = section;
        self
    }

    pub(crate) const fn unit(mut self, unit: Unit) -> Self {
        self.unit = unit;
        self
    }

    pub(crate) const fn doc(mut self, doc: &'static str) -> Self {
        self.doc = doc;
        self
    }

    pub(crate) const fn immutable(mut self) -> Self {
        self.access = Access::Immutable;
        self
    }

    pub(crate) const fn protected(mut self) -> Self {
        self.access = Access::Protected;
        self
    }

    pub(crate) const fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    pub(crate) const fn unlisted(mut self) -> Self {
        self.unlisted = true;
        self
    }

    pub(crate) const fn debug(mut self) -> Self {
        self.debug = true;
        self
    }

    pub(crate) const fn frozen_while_loading(mut self) -> Self {
        self.frozen_while_loading = true;
        self
    }

    pub(crate) const fn only_off(mut self, reason: &'static str) -> Self {
        self.only_off = Some(reason);
        self
    }

    pub(crate) const fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    pub(crate) const fn reapplied(mut self) -> Self {
        self.reapplied = true;
        self
    }

    pub(crate) const fn resolved_at_start(mut self) -> Self {
        self.resolved_at_start = true;
        self
    }

    pub(crate) const fn planned(mut self) -> Self {
        self.implemented = false;
        self
    }

    pub(crate) const fn indispensable(mut self) -> Self {
        self.indispensable = true;
        self.planned()
    }

    pub(crate) const fn clamped(mut self, min: i64, max: i64) -> Self {
        self.clamped = Some((min, max));
        self
    }

    pub(crate) const fn text_check(mut self, check: TextCheck) -> Self {
        self.text_check = Some(check);
        self
    }

    pub(crate) const fn number_check(mut self, check: NumberCheck) -> Self {
        self.number_check = Some(check);
        self
    }
}

/// A `yes`/`no` parameter.
pub(crate) const fn boolean(name: &'static str, default: bool) -> Row {
    Row::new(name, Kind::Bool { default })
}

/// A whole number between `min` and `max`.
pub(crate) const fn int(name: &'static str, default: i64, min: i64, max: i64) -> Row {
    Row::new(name, Kind::Int { default, min, max })
}

/// A number of bytes between `min` and `max`.
pub(crate) const fn bytes(name: &'static str, default: u64, min: u64, max: u64) -> Row {
    Row::new(name, Kind::Bytes { default, min, max })
}

/// One word of `words`.
pub(crate) const fn choice(name: &'static str, words: WordTable, default: i64) -> Row {
    Row::new(name, Kind::Choice { words, default })
}

/// Any words of `words`.
pub(crate) const fn flags(name: &'static str, words: WordTable, default: i64) -> Row {
    Row::new(name, Kind::Flags { words, default })
}

/// Any bytes.
pub(crate) const fn text(name: &'static str, default: &'static str) -> Row {
    Row::new(name, Kind::Text { default })
}

/// A value with a grammar of its own.
pub(crate) const fn list(name: &'static str, list: List, default: &'static str) -> Row {
    Row::new(name, Kind::List { list, default })
}
