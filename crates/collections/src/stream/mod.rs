//! The stream: an append-only log of entries, each a list of fields with values under an ascending
//! id, and the consumer groups that read it.
//!
//! # The idea
//!
//! Entries of one stream look alike and their ids are close together. So up to a hundred of them
//! are packed into a *block*, one buffer in which ids are relative to the first and field names are
//! written once. Blocks are ordered by their first id in a tree whose nodes are shared by
//! reference count.
//!
//! ```text
//!  Stream ──> { log, groups, producers }              one word; a clone shares everything
//!               │     │       └ who added what lately: see the module `producers`
//!               │     └ tree of names ──> Group { last id, entries read,
//!               │                                 PEL: tree of id -> consumer, time, count
//!               │                                 consumers: tree of number -> name, times, ids }
//!               ├ tail:  first id + block ◄── new entries
//!               └ tree of first id ──> block ┌──────────────────────────────┐
//!                                            │ names │ entry │ entry │ ...  │
//!                                            └──────────────────────────────┘
//! ```
//!
//! # Invariants
//!
//! - **Ids ascend** through a block and from block to block, and never exceed the last id.
//! - **No block is without an entry.** Deleting an entry makes it a tombstone; the last one of a
//!   block takes the block with it. `len` is the sum of the blocks' entries without tombstones.
//! - **Shared means frozen.** The tail, a sealed block, a node of a tree, a group: whatever
//!   somebody else holds too is copied before it is changed, alone. Adding an entry after a
//!   clone copies one block of a few kilobytes, once.
//! - **A pending entry has one record** and is in the set of exactly the consumer it names, or
//!   among the released ones if it names none.
//! - The first id is that of the first entry, 0-0 if there is none.
//!
//! # Trade-offs
//!
//! - A look-up reads a block from its start, half a block on average; in return an entry has no
//!   index and no back pointer: three bytes beyond its strings.
//! - Tombstones keep their bytes until their block is empty. Streams are trimmed from the front,
//!   where that is soon.
//! - An empty stream is a value: it remembers its last id and its groups.

mod block;
mod group;
mod id;
mod load;
mod log;
mod producers;
mod progress;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::Pieces;
use crate::entry::Collection;

use crate::tree::Tree;
use crate::unique::make_mut;
pub use block::{Entry, Fields, Stored};
pub use group::{Consumer, ConsumerId, Departed, Group, Pending};
pub use id::Id;
pub use load::BlockRef;
pub use log::{Log, Range, RangeBack, Removed};
pub use producers::{Producers, Retention, fingerprint};

/// How large a block may grow; 0 means as large as is sensible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a block (`stream-node-max-bytes`); a single entry may exceed it.
    pub block_bytes: usize,
    /// Entries of a block, tombstones included (`stream-node-max-entries`).
    pub block_entries: usize,
}

impl Default for Limits {
    /// The defaults of the parameters: 4096 bytes, 100 entries.
    fn default() -> Self {
        Self { block_bytes: 4096, block_entries: 100 }
    }
}

/// Why an entry cannot be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendError {
    /// The id is not above the greatest that there ever was.
    NotAboveLast,
    /// The entry has more than 1 GiB.
    TooLarge,
}

/// How far entries are removed from the front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrimTo {
    /// Until at most this many are left.
    Len(u64),
    /// Until the first id is at least this.
    Id(Id),
}

/// What happens to the pending records of an entry that is removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum References {
    /// They stay, and refer to an entry that is gone.
    #[default]
    Keep,
    /// They go with the entry, in all groups.
    Delete,
    /// The entry stays while it is pending in a group, or ahead of a group's last delivered id.
    Acknowledged,
}

/// How to trim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trim {
    /// How far.
    pub to: TrimTo,
    /// Whether to stop rather than to remove a part of a block.
    pub whole_blocks: bool,
    /// The most entries to remove, if there is a limit; it ends the trimming before a block that
    /// would exceed it.
    pub limit: Option<u64>,
    /// What happens to pending records.
    pub references: References,
}

/// What became of an entry that was to be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// There is no such entry.
    Missing,
    /// It is deleted.
    Deleted,
    /// It stays, since a group still needs it ([`References::Acknowledged`]).
    Referenced,
}

/// A stream; see the module page. One word; a clone is O(1) and frozen.
#[derive(Clone, Debug, Default)]
#[repr(transparent)]
pub struct Stream {
    inner: Arc<Inner>,
}

const _: () = assert!(size_of::<Stream>() == size_of::<usize>());

#[derive(Clone, Debug, Default)]
struct Inner {
    log: Log,
    groups: Tree<Arc<[u8]>, Arc<Group>>,
    /// None until the first producer names itself, or terms are set for those to come.
    producers: Option<Arc<Producers>>,
}

/// Entries.
impl Stream {
    /// An empty stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The entries.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.inner.log
    }

    /// Adds an entry of `fields`, pairs of name and value. Amortized O(1).
    ///
    /// # Errors
    /// If `id` is not above the last id, or the entry has more than 1 GiB; nothing has changed
    /// then.
    pub fn append<'a, F>(&mut self, id: Id, fields: F, limits: Limits) -> Result<(), AppendError>
    where
        F: Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
    {
        self.inner_mut().log.append(id, fields, limits)
    }

    /// Deletes an entry and leaves pending records as they are; false if there is none. O(log n).
    pub fn delete(&mut self, id: Id) -> bool {
        self.inner.log.contains(id) && self.inner_mut().log.delete(id)
    }

    /// Deletes an entry with regard to its pending records, which may have outlived it. O(groups ·
    /// log n).
    pub fn delete_with(&mut self, id: Id, references: References) -> Deletion {
        if references == References::Acknowledged && needs(&self.inner.groups, id) {
            return Deletion::Referenced;
        }
        if !self.inner.log.contains(id) {
            if references == References::Delete && !self.inner.groups.is_empty() {
                self.inner_mut().forget(id);
            }
            return Deletion::Missing;
        }
        let inner = self.inner_mut();
        if references == References::Delete {
            inner.forget(id);
        }
        inner.log.delete(id);
        Deletion::Deleted
    }

    /// Removes entries from the front, and returns how many, with what there is to free. O(blocks)
    /// of those removed, plus O(groups · log n) for each entry where pending records matter.
    pub fn trim(&mut self, trim: &Trim) -> (u64, Removed) {
        let done = match trim.to {
            TrimTo::Len(len) => self.log().len() <= len,
            TrimTo::Id(id) => self.log().is_empty() || self.log().first_id() >= id,
        };
        if done {
            return (0, Removed::default());
        }
        let Inner { log, groups, .. } = self.inner_mut();
        match trim.references {
            _ if groups.is_empty() => log.trim(trim, None),
            References::Keep => log.trim(trim, None),
            References::Delete => log.trim(
                trim,
                Some(&mut |id| {
                    forget(groups, id);
                    true
                }),
            ),
            References::Acknowledged => log.trim(trim, Some(&mut |id| !needs(groups, id))),
        }
    }

    /// Sets the last id, which must not be below that of any entry.
    pub fn set_last_id(&mut self, id: Id) {
        self.inner_mut().log.last_id = id;
    }

    /// Sets how many entries were ever added.
    pub fn set_entries_added(&mut self, count: u64) {
        self.inner_mut().log.entries_added = count;
    }

    /// Sets the greatest id that was ever deleted.
    pub fn set_max_deleted_id(&mut self, id: Id) {
        self.inner_mut().log.max_deleted_id = id;
    }
}

/// Groups.
impl Stream {
    /// The number of groups.
    #[must_use]
    pub fn groups_len(&self) -> usize {
        self.inner.groups.len()
    }

    /// The groups with their names, by name.
    pub fn groups(&self) -> impl Iterator<Item = (&[u8], &Group)> {
        self.inner.groups.iter().map(|(name, group)| (&**name, &**group))
    }

    /// The group `name`.
    #[must_use]
    pub fn group(&self, name: &[u8]) -> Option<&Group> {
        self.inner.groups.get(name).map(|group| &**group)
    }

    /// The group `name` for changing, beside the log.
    pub fn group_mut(&mut self, name: &[u8]) -> Option<(&Log, &mut Group)> {
        self.group(name)?;
        let Inner { log, groups, .. } = self.inner_mut();
        Some((log, make_mut(groups.get_mut(name)?)))
    }

    /// Creates a group; false if it exists.
    pub fn create_group(&mut self, name: &[u8], group: Group) -> bool {
        let new = self.group(name).is_none();
        if new {
            self.inner_mut().groups.insert(name.into(), Arc::new(group));
        }
        new
    }

    /// Removes a group, and returns it for whoever frees it.
    pub fn destroy_group(&mut self, name: &[u8]) -> Option<Arc<Group>> {
        self.group(name)?;
        self.inner_mut().groups.remove(name)
    }
}

/// Idempotent producers.
impl Stream {
    /// What is remembered of them; none if there never were any.
    #[must_use]
    pub fn producers(&self) -> Option<&Producers> {
        self.inner.producers.as_deref()
    }

    /// Sets what is remembered of them.
    pub fn set_producers(&mut self, producers: Producers) {
        self.inner_mut().producers = Some(Arc::new(producers));
    }

    /// What is remembered of them, for changing; on `terms` if there never were any.
    pub fn producers_mut(&mut self, terms: Retention) -> &mut Producers {
        let new = || Arc::new(Producers::new(terms));
        make_mut(self.inner_mut().producers.get_or_insert_with(new))
    }
}

impl Collection for Stream {
    const TYPE_NAME: &'static str = "stream";
    const IS_ORDERED: bool = true;
    const KEPT_WHEN_EMPTY: bool = true;

    fn is_empty(&self) -> bool {
        self.log().is_empty()
    }

    #[inline]
    fn elements(&self) -> usize {
        self.log().len() as usize
    }

    fn for_each(&self, visit: &mut dyn FnMut(&[&[u8]])) {
        for entry in self.log().range(Id::MIN, Id::MAX) {
            let id = entry.id.to_string();
            visit(&[id.as_bytes()]);
            entry.fields.for_each(|(name, value)| visit(&[name, value]));
        }
    }

    fn encoding(&self) -> &'static str {
        "stream"
    }

    fn allocated_bytes(&self) -> usize {
        let groups = self.inner.groups.iter().map(|(name, group)| {
            size_of_val(&**name) + size_of::<(Arc<[u8]>, Arc<Group>)>() + group.allocated_bytes()
        });
        let producers = self.producers().map_or(0, Producers::allocated_bytes);
        size_of::<Inner>() + self.log().allocated_bytes() + groups.sum::<usize>() + producers
    }
}

impl Pieces for Stream {
    /// Of many groups, only some are looked at.
    fn pieces(&self) -> usize {
        let groups = self.groups().take(16).map(|(_, group)| group.pieces());
        let producers = self.producers().map_or(0, Producers::pieces);
        1 + self.log().blocks() + self.groups_len() + groups.sum::<usize>() + producers
    }
}

impl Stream {
    fn inner_mut(&mut self) -> &mut Inner {
        make_mut(&mut self.inner)
    }
}

impl Inner {
    fn forget(&mut self, id: Id) {
        forget(&mut self.groups, id);
    }
}

/// Ends the pending state of an entry in all groups.
fn forget(groups: &mut Tree<Arc<[u8]>, Arc<Group>>, id: Id) {
    let holders = groups.iter().filter(|(_, group)| group.pending(id).is_some());
    let names: Vec<Arc<[u8]>> = holders.map(|(name, _)| Arc::clone(name)).collect();
    for name in names {
        let group = groups.get_mut(&*name).expect("it was just listed");
        make_mut(group).acknowledge(id);
    }
}

/// Whether a group has an entry pending or has yet to deliver it.
fn needs(groups: &Tree<Arc<[u8]>, Arc<Group>>, id: Id) -> bool {
    groups.iter().any(|(_, group)| group.last_id < id || group.pending(id).is_some())
}
