//! What a command says of itself: one constant that feeds dispatch, ACL, `COMMAND *`, the hints of
//! the command line client and the generated documentation.
//!
//! Everything is `const`, so a family's table is data in the binary and costs nothing at start.

mod arg;
mod flags;
mod key;

pub use arg::{Arg, ArgKind};
pub use flags::{Categories, Flags, KeyFlags};
pub use key::{Begin, Find, KeyFinder, KeySpec, Reach};

/// The group of a command as `COMMAND DOCS` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Strings.
    String,
    /// Bitmaps.
    Bitmap,
    /// Commands on keys of any type.
    Generic,
    /// Hashes.
    Hash,
    /// Lists.
    List,
    /// Sets.
    Set,
    /// Sorted sets.
    SortedSet,
    /// Streams.
    Stream,
    /// Arrays.
    Array,
    /// HyperLogLogs.
    HyperLogLog,
    /// Geospatial indexes.
    Geo,
    /// Publish and subscribe.
    PubSub,
    /// `MULTI` and friends.
    Transactions,
    /// Scripts and functions.
    Scripting,
    /// The connection itself.
    Connection,
    /// The server.
    Server,
    /// Cluster.
    Cluster,
    /// Sentinel.
    Sentinel,
}

impl Group {
    /// The word in `COMMAND DOCS`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Bitmap => "bitmap",
            Self::Generic => "generic",
            Self::Hash => "hash",
            Self::List => "list",
            Self::Set => "set",
            Self::SortedSet => "sorted-set",
            Self::Stream => "stream",
            Self::Array => "array",
            Self::HyperLogLog => "hyperloglog",
            Self::Geo => "geo",
            Self::PubSub => "pubsub",
            Self::Transactions => "transactions",
            Self::Scripting => "scripting",
            Self::Connection => "connection",
            Self::Server => "server",
            Self::Cluster => "cluster",
            Self::Sentinel => "sentinel",
        }
    }
}

/// That a command is deprecated: since when, and by what it is replaced (Markdown, as Redis
/// prints).
#[derive(Clone, Copy, Debug)]
pub struct Deprecated {
    /// First version in which it is deprecated.
    pub since: &'static str,
    /// What to use instead.
    pub replaced_by: &'static str,
}

/// The specification of one command or subcommand.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Lower-case name; of a subcommand the part after the container's name.
    pub name: &'static str,
    /// The group it is documented in.
    pub group: Group,
    /// One sentence.
    pub summary: &'static str,
    /// First Redis version that had it.
    pub since: &'static str,
    /// Time complexity, as documented.
    pub complexity: &'static str,
    /// Number of arguments including the name (and the subcommand); negative: at least that many.
    pub arity: i16,
    /// Behaviour flags.
    pub flags: Flags,
    /// ACL categories beyond those implied by the flags ([`Spec::categories`] adds them).
    pub explicit_categories: Categories,
    /// Where its keys are.
    pub keys: &'static [KeySpec],
    /// What its arguments say of keys that the specs cannot tell; called with the whole line.
    pub more_keys: Option<KeyFinder>,
    /// The argument that names an element of the key's value, or the first of several: what is
    /// worth looking up ahead.
    pub element: Option<u8>,
    /// Its arguments, for `COMMAND DOCS`.
    pub args: &'static [Arg],
    /// `(version, change)` pairs.
    pub history: &'static [(&'static str, &'static str)],
    /// Hints for clients and proxies (`nondeterministic_output`, `request_policy:...`).
    pub tips: &'static [&'static str],
    /// Set when the command is deprecated.
    pub deprecated: Option<Deprecated>,
    /// A command for the system itself and those who maintain it, not for clients.
    pub system: bool,
}

impl Spec {
    /// A command with no flags, keys, arguments or history yet; chain the setters below.
    #[must_use]
    pub const fn new(
        name: &'static str,
        group: Group,
        since: &'static str,
        arity: i16,
        complexity: &'static str,
        summary: &'static str,
    ) -> Self {
        Self {
            name,
            group,
            summary,
            since,
            complexity,
            arity,
            flags: Flags::NONE,
            explicit_categories: Categories::NONE,
            keys: &[],
            more_keys: None,
            element: None,
            args: &[],
            history: &[],
            tips: &[],
            deprecated: None,
            system: false,
        }
    }

    /// Sets the behaviour flags.
    #[must_use]
    pub const fn flags(mut self, flags: Flags) -> Self {
        self.flags = flags;
        self
    }

    /// Sets the explicit ACL categories (the data type or area; the rest follows from the flags).
    #[must_use]
    pub const fn acl(mut self, categories: Categories) -> Self {
        self.explicit_categories = categories;
        self
    }

    /// Sets the key specs.
    #[must_use]
    pub const fn keys(mut self, keys: &'static [KeySpec]) -> Self {
        self.keys = keys;
        self
    }

    /// Sets what finds the keys that the specs cannot tell.
    #[must_use]
    pub const fn more_keys(mut self, finder: KeyFinder) -> Self {
        self.more_keys = Some(finder);
        self
    }

    /// Sets the documented arguments.
    #[must_use]
    pub const fn args(mut self, args: &'static [Arg]) -> Self {
        self.args = args;
        self
    }

    /// Sets the history.
    #[must_use]
    pub const fn history(mut self, history: &'static [(&'static str, &'static str)]) -> Self {
        self.history = history;
        self
    }

    /// Sets the tips.
    #[must_use]
    pub const fn tips(mut self, tips: &'static [&'static str]) -> Self {
        self.tips = tips;
        self
    }

    /// Says which argument names an element of the key's value.
    #[must_use]
    pub const fn element(mut self, index: u8) -> Self {
        self.element = Some(index);
        self
    }

    /// Marks the command as one for the system itself.
    #[must_use]
    pub const fn system(mut self) -> Self {
        self.system = true;
        self
    }

    /// Marks the command deprecated.
    #[must_use]
    pub const fn deprecated(mut self, since: &'static str, replaced_by: &'static str) -> Self {
        self.deprecated = Some(Deprecated { since, replaced_by });
        self
    }

    /// All ACL categories: the explicit ones and those implied by the flags.
    #[must_use]
    pub const fn categories(&self) -> Categories {
        let explicit = self.explicit_categories;
        explicit.union(self.flags.implied_categories(explicit))
    }

    /// Whether `argc` arguments (name included) satisfy the arity.
    #[must_use]
    pub const fn accepts(&self, argc: usize) -> bool {
        if self.arity >= 0 {
            argc == self.arity as usize
        } else {
            argc >= self.arity.unsigned_abs() as usize
        }
    }
}

/// A command or subcommand: what it says of itself and what runs it.
///
/// `H` is the handler type: data commands and administrative commands differ in what they may
/// touch. A container (`CLIENT`, `CONFIG`) has subcommands; its own handler then only answers an
/// unknown or missing subcommand.
#[derive(Debug)]
pub struct Command<H: 'static> {
    /// The specification.
    pub spec: Spec,
    /// The code.
    pub run: H,
    /// Subcommands of a container, empty otherwise.
    pub subcommands: &'static [&'static Command<H>],
}

impl<H: 'static> Command<H> {
    /// A plain command.
    #[must_use]
    pub const fn new(spec: Spec, run: H) -> Self {
        Self { spec, run, subcommands: &[] }
    }

    /// A container command.
    #[must_use]
    pub const fn container(
        spec: Spec,
        run: H,
        subcommands: &'static [&'static Command<H>],
    ) -> Self {
        Self { spec, run, subcommands }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arity_counts_the_name() {
        let fixed = Spec::new("get", Group::String, "1.0.0", 2, "O(1)", "");
        assert!(fixed.accepts(2) && !fixed.accepts(1) && !fixed.accepts(3));
        let open = Spec::new("mget", Group::String, "1.0.0", -2, "O(N)", "");
        assert!(open.accepts(2) && open.accepts(9) && !open.accepts(1));
    }

    #[test]
    fn categories_follow_from_flags() {
        let spec = Spec::new("get", Group::String, "1.0.0", 2, "O(1)", "")
            .flags(Flags::READONLY.union(Flags::FAST))
            .acl(Categories::STRING);
        let names: Vec<_> = spec.categories().names().collect();
        assert_eq!(names, ["read", "string", "fast"]);
    }
}
