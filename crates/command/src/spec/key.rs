//! Key specs: where in a command's arguments its keys are, so that locks, ACL, cluster slots and
//! clients know them before the command runs.

use resp::Args;

use super::flags::KeyFlags;
use crate::keys::FoundKey;

/// How far a command line reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The keys that its arguments name.
    Named,
    /// Further keys, whose names are made of data: it must be atomic over the whole keyspace.
    Anywhere,
}

/// Finds the keys of a command line that no spec can tell, and says whether there may be others.
pub type KeyFinder = fn(Args<'_>, &mut dyn FnMut(FoundKey)) -> Reach;

/// Where the keys of a spec begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// At a fixed argument (1 is the first after the name).
    Index(u16),
    /// After the argument equal to `word`, searched from argument `from` (negative: from the end,
    /// backwards).
    Keyword {
        /// The word, upper case.
        word: &'static str,
        /// Where the search starts.
        from: i16,
    },
    /// Nobody can tell without running the command.
    Unknown,
}

/// How the keys go on from the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Find {
    /// A range: `last` is relative to the beginning if >= 0, else to the last argument (-1 is the
    /// last); every `step`-th argument is a key; `limit` > 1 stops at that fraction of the rest.
    Range {
        /// Index of the last key.
        last: i16,
        /// Distance between keys.
        step: u16,
        /// 0 or 1: no limit; n: only the first 1/n of the remaining arguments.
        limit: u16,
    },
    /// An argument holds the number of keys.
    KeyNum {
        /// Index of the count, relative to the beginning.
        count: u16,
        /// Index of the first key, relative to the beginning.
        first: u16,
        /// Distance between keys.
        step: u16,
    },
    /// Nobody can tell without running the command.
    Unknown,
}

/// One key spec.
#[derive(Clone, Copy, Debug)]
pub struct KeySpec {
    /// What the command does with these keys.
    pub flags: KeyFlags,
    /// Where they begin.
    pub begin: Begin,
    /// How they go on.
    pub find: Find,
    /// A remark for the documentation.
    pub notes: Option<&'static str>,
}

impl KeySpec {
    /// Exactly one key, the first argument.
    #[must_use]
    pub const fn first(flags: KeyFlags) -> Self {
        Self::range(flags, 1, 0, 1)
    }

    /// Keys from argument `begin` to `last` (relative to `begin`; negative: from the end).
    #[must_use]
    pub const fn range(flags: KeyFlags, begin: u16, last: i16, step: u16) -> Self {
        let find = Find::Range { last, step, limit: 0 };
        Self { flags, begin: Begin::Index(begin), find, notes: None }
    }

    /// As many keys as the argument at `begin` says, right after it.
    #[must_use]
    pub const fn counted(flags: KeyFlags, begin: u16) -> Self {
        Self::counted_step(flags, begin, 1)
    }

    /// As [`KeySpec::counted`], with `step` arguments from one key to the next.
    #[must_use]
    pub const fn counted_step(flags: KeyFlags, begin: u16, step: u16) -> Self {
        let find = Find::KeyNum { count: 0, first: 1, step };
        Self { flags, begin: Begin::Index(begin), find, notes: None }
    }

    /// Keys of which only the running command knows.
    #[must_use]
    pub const fn unknown(flags: KeyFlags) -> Self {
        Self { flags, begin: Begin::Unknown, find: Find::Unknown, notes: None }
    }

    /// The argument that is the first key, if the command line has one.
    #[must_use]
    pub const fn first_key(&self) -> Option<usize> {
        match (self.begin, self.find) {
            (Begin::Index(begin), Find::Range { .. }) => Some(begin as usize),
            (Begin::Index(begin), Find::KeyNum { first, .. }) => {
                Some(begin as usize + first as usize)
            }
            _ => None,
        }
    }

    /// Adds a remark.
    #[must_use]
    pub const fn notes(mut self, notes: &'static str) -> Self {
        self.notes = Some(notes);
        self
    }
}
