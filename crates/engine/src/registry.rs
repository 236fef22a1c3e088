//! The one command table: every command and subcommand, found by name.
//!
//! Dispatch, `COMMAND *`, statistics and the generated documentation all read it. A command's
//! *index* here identifies it in statistics.

mod name;

use std::sync::OnceLock;

use command::keys::{find_keys, reach};
use command::spec::{Begin, Find, KeyFlags, KeySpec, Reach};
use command::{Command, Flags, Handler, Spec};
use hashbrown::HashTable;
use resp::Args;

use crate::admin::AdminHandler;
use crate::admin::scripting::ScriptHandler;
use crate::scripting::Prepare;

pub use name::Name;

/// What runs a command.
#[derive(Clone, Copy)]
pub(crate) enum Exec {
    /// Touches locked keys only.
    Data(Handler),
    /// Touches the session or the server.
    Admin(AdminHandler),
    /// `EXEC`: locks what its queue needs.
    Transaction,
    /// Needs the interpreter of scripts, and runs what it finds there.
    Script(Prepare),
}

impl std::fmt::Debug for Exec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Data(_) => "Data",
            Self::Admin(_) => "Admin",
            Self::Transaction => "Transaction",
            Self::Script(_) => "Script",
        })
    }
}

/// Which locks a command needs, decided once from its spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locks {
    /// None, or the walk takes them one by one.
    None,
    /// The shard of the key at this argument.
    One(usize),
    /// The shards of the keys that the specs name.
    Keys,
    /// Those, or all if the command line refers to keys that only the data name.
    Reach,
    /// All.
    All,
}

/// A command or subcommand in the table.
#[derive(Debug)]
pub struct Entry {
    /// Index in [`Registry::entries`].
    pub index: usize,
    /// Its specification.
    pub spec: &'static Spec,
    /// `get`, or `client|kill`.
    pub full_name: &'static str,
    /// What clients call a top-level command by: its name, unless `rename-command` says another,
    /// or nothing if that removed it.
    pub called: Name<'static>,
    /// What runs it.
    pub(crate) exec: Exec,
    /// Which locks it needs.
    pub locks: Locks,
    /// The argument that is its first key, if there is one.
    pub first_key: Option<usize>,
    /// Indexes of its subcommands; empty for all but containers.
    pub subcommands: Vec<usize>,
}

impl Entry {
    /// Whether the command has this flag.
    #[inline]
    #[must_use]
    pub const fn has(&self, flag: Flags) -> bool {
        self.spec.flags.contains(flag)
    }

    /// Whether a command line touches keys that its arguments do not name.
    #[must_use]
    pub fn reaches_anywhere(&self, args: Args<'_>) -> bool {
        self.locks == Locks::Reach && reach(self.spec, args) == Reach::Anywhere
    }

    /// Calls `found` with each key argument.
    pub fn keys<'a>(&self, args: Args<'a>, mut found: impl FnMut(&'a [u8])) {
        // A command line that does not match its specs is refused by the handler; the keys that
        // could be told are locked meanwhile.
        let _ = find_keys(self.spec, args, |key| {
            if let Some(arg) = args.get(key.index) {
                found(arg);
            }
        });
    }
}

/// All commands.
#[derive(Debug)]
pub struct Registry {
    /// Commands and subcommands; a container is followed by its subcommands.
    pub entries: Vec<Entry>,
    by_name: HashTable<usize>,
}

/// Why a command cannot be renamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenameError {
    /// No command has the old name.
    NoSuchCommand,
    /// A command has the new name.
    NameTaken,
}

impl RenameError {
    /// The reason, for the report about the directive.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::NoSuchCommand => "No such command in rename-command",
            Self::NameTaken => "Target command name already exists",
        }
    }
}

/// Why a command line names no command.
#[derive(Clone, Copy, Debug)]
pub enum Unknown {
    /// No such command.
    Command,
    /// The container has no such subcommand.
    Subcommand(&'static str),
}

impl Registry {
    /// The table of commands under their own names. Made once.
    pub fn get() -> &'static Self {
        static REGISTRY: OnceLock<Registry> = OnceLock::new();
        REGISTRY.get_or_init(Self::new)
    }

    /// A table of one's own, for [`Registry::rename`].
    #[must_use]
    #[expect(clippy::new_without_default, reason = "the whole command table is nobody's default")]
    pub fn new() -> Self {
        let mut registry = Self { entries: Vec::new(), by_name: HashTable::new() };
        for command in commands::all() {
            registry.add(command, |run| Exec::Data(*run));
        }
        for command in crate::admin::all() {
            registry.add(command, |run| Exec::Admin(*run));
        }
        for command in crate::admin::scripting::COMMANDS {
            registry.add(command, |run| match run {
                ScriptHandler::Admin(run) => Exec::Admin(*run),
                ScriptHandler::Interpreter(prepare) => Exec::Script(*prepare),
            });
        }
        let exec = &crate::admin::transactions::EXEC;
        registry.push(&exec.spec, exec.spec.name, Exec::Transaction);
        registry
    }

    /// From now on clients call the command `old` by the name `new`; if that is empty, they
    /// cannot call it at all. Everything else about it, the names in `COMMAND` and statistics
    /// included, stays.
    ///
    /// # Errors
    /// If there is no such command, or one that is called `new`.
    pub fn rename(&mut self, old: &[u8], new: &[u8]) -> Result<(), RenameError> {
        let index = self.find(old).ok_or(RenameError::NoSuchCommand)?.index;
        if !new.is_empty() && self.find(new).is_some() {
            return Err(RenameError::NameTaken);
        }
        let hash = Name::new(old).hash();
        if let Ok(known) = self.by_name.find_entry(hash, |&known| known == index) {
            known.remove();
        }
        // Leaked on purpose: the table lives as long as the process.
        self.entries[index].called = Name::new(new.to_owned().leak());
        if !new.is_empty() {
            self.add_name(index);
        }
        Ok(())
    }

    fn add<H>(&mut self, command: &'static Command<H>, exec: impl Fn(&H) -> Exec) {
        let container = self.push(&command.spec, command.spec.name, exec(&command.run));
        for sub in command.subcommands {
            let name = format!("{}|{}", command.spec.name, sub.spec.name);
            // Leaked on purpose: the table is made once and lives as long as the process.
            let index = self.push_unnamed(&sub.spec, name.leak(), exec(&sub.run));
            self.entries[container].subcommands.push(index);
        }
    }

    fn push(&mut self, spec: &'static Spec, name: &'static str, exec: Exec) -> usize {
        let index = self.push_unnamed(spec, name, exec);
        self.add_name(index);
        index
    }

    /// Lets the command be found by what it is called.
    fn add_name(&mut self, index: usize) {
        let key = |&i: &usize| self.entries[i].called.hash();
        self.by_name.insert_unique(key(&index), index, key);
    }

    fn push_unnamed(&mut self, spec: &'static Spec, name: &'static str, exec: Exec) -> usize {
        let index = self.entries.len();
        let (locks, subcommands) = (locks_of(spec), Vec::new());
        let keys = spec.keys.first().filter(|keys| !keys.flags.contains(KeyFlags::NOT_KEY));
        let first_key = keys.and_then(KeySpec::first_key);
        let (full_name, called) = (name, Name::new(name.as_bytes()));
        let entry = Entry { index, spec, full_name, called, exec, locks, first_key, subcommands };
        self.entries.push(entry);
        index
    }

    /// The top-level command called `name`, in any case.
    #[inline]
    #[must_use]
    pub fn find(&self, name: &[u8]) -> Option<&Entry> {
        let name = Name::new(name);
        let same = |&i: &usize| self.entries[i].called == name;
        self.by_name.find(name.hash(), same).map(|&index| &self.entries[index])
    }

    /// The command or subcommand that a command line names. A container alone is found as itself.
    ///
    /// # Errors
    /// If there is none.
    #[inline]
    pub fn resolve(&self, args: Args<'_>) -> Result<&Entry, Unknown> {
        let entry = self.find(args.name()).ok_or(Unknown::Command)?;
        if entry.subcommands.is_empty() {
            return Ok(entry);
        }
        let Some(name) = args.get(1) else { return Ok(entry) };
        let sub = self.subcommand(entry, name);
        sub.ok_or(Unknown::Subcommand(entry.full_name))
    }

    /// The subcommand of a container.
    #[must_use]
    pub fn subcommand(&self, container: &Entry, name: &[u8]) -> Option<&Entry> {
        let subs = container.subcommands.iter().map(|&index| &self.entries[index]);
        subs.into_iter().find(|sub| sub.spec.name.as_bytes().eq_ignore_ascii_case(name))
    }

    /// The command called `get` or `client|kill`, in any case.
    #[must_use]
    pub fn find_full(&self, name: &[u8]) -> Option<&Entry> {
        let Some(bar) = name.iter().position(|&b| b == b'|') else { return self.find(name) };
        self.subcommand(self.find(&name[..bar])?, &name[bar + 1..])
    }

    /// Top-level commands, in table order.
    pub fn top_level(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| !entry.full_name.contains('|'))
    }
}

fn locks_of(spec: &Spec) -> Locks {
    if spec.flags.contains(Flags::WHOLE_KEYSPACE) {
        return Locks::All;
    }
    if spec.more_keys.is_some() {
        return Locks::Reach;
    }
    match spec.keys {
        [] => Locks::None,
        // A channel of a shard routes like a key and is none.
        [only] if only.flags.contains(KeyFlags::NOT_KEY) => Locks::None,
        [only] => match (only.begin, only.find) {
            (Begin::Index(index), Find::Range { last: 0, .. }) => Locks::One(usize::from(index)),
            _ => Locks::Keys,
        },
        _ => Locks::Keys,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_found_in_any_case() {
        let registry = Registry::get();
        let mut seen = HashSet::new();
        for entry in &registry.entries {
            assert!(seen.insert(entry.full_name), "{} twice", entry.full_name);
            let upper = entry.full_name.to_ascii_uppercase();
            let found = registry.find_full(upper.as_bytes()).map(|e| e.index);
            assert_eq!(found, Some(entry.index), "{}", entry.full_name);
        }
        assert!(registry.find(b"nosuchcommand").is_none());
    }

    #[test]
    fn renamed_commands_are_found_by_their_new_name_only() {
        let mut registry = Registry::new();
        assert_eq!(registry.rename(b"nope", b"x"), Err(RenameError::NoSuchCommand));
        assert_eq!(registry.rename(b"get", b"SET"), Err(RenameError::NameTaken));
        registry.rename(b"GET", b"fetch").unwrap();
        assert!(registry.find(b"get").is_none());
        assert_eq!(registry.find(b"FETCH").unwrap().full_name, "get");
        registry.rename(b"fetch", b"get").unwrap();
        assert_eq!(registry.find(b"get").unwrap().full_name, "get");
        registry.rename(b"config", b"").unwrap();
        assert!(registry.find(b"config").is_none() && registry.find(b"").is_none());
    }

    #[test]
    fn specs_are_complete() {
        for entry in &Registry::get().entries {
            let spec = entry.spec;
            assert!(!spec.summary.is_empty(), "{} lacks a summary", entry.full_name);
            assert!(!spec.since.is_empty(), "{} lacks a version", entry.full_name);
            assert_ne!(spec.arity, 0, "{} lacks an arity", entry.full_name);
            if matches!(entry.exec, Exec::Data(_)) && entry.subcommands.is_empty() {
                let walks = entry.has(Flags::KEYSPACE_WALK) || entry.has(Flags::WHOLE_KEYSPACE);
                let helps = matches!(spec.name, "help" | "pfselftest");
                let keyed = !spec.keys.is_empty();
                assert!(keyed || walks || helps, "{} has no keys", entry.full_name);
            }
        }
    }
}
