//! The key table's interface (first version: a sorted vector behind it).

use crate::entry::{Entry, EntryRef, NewValue};

/// The top bits of a position name the shard and are ignored by the table.
pub const SHARD_BITS: u32 = 8;

/// Receives the entries of a snapshot.
pub trait BucketSink: Send {
    /// One entry of the dataset as it was when the snapshot began. Called once per entry.
    fn entry(&mut self, entry: EntryRef<'_>);
}

/// The keys of one shard and database, ordered by position.
#[derive(Debug, Default)]
pub struct KeyTable {
    items: Vec<(u64, Entry)>,
}

/// A found key.
#[derive(Debug)]
pub struct Slot<'t> {
    table: &'t mut KeyTable,
    at: usize,
}

impl KeyTable {
    /// An empty table; allocates nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { items: Vec::new() }
    }
    /// Number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }
    /// Whether there are no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
    /// Number of keys with a deadline.
    #[must_use]
    pub fn expiring(&self) -> usize {
        self.items.iter().filter(|i| i.1.deadline().is_some()).count()
    }
    /// Bytes of table structure (segments and directory), entries not included.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.items.capacity() * 16
    }
    /// The entry of `key`, whose position is `position`.
    #[must_use]
    pub fn find(&self, position: u64, key: &[u8]) -> Option<EntryRef<'_>> {
        self.items.iter().find(|i| i.0 == position && i.1.key() == key).map(|i| i.1.view())
    }
    /// The slot of `key`, for changing it.
    #[must_use]
    pub fn find_mut(&mut self, position: u64, key: &[u8]) -> Option<Slot<'_>> {
        let at = self.items.iter().position(|i| i.0 == position && i.1.key() == key)?;
        Some(Slot { table: self, at })
    }
    /// Adds an entry whose key is absent. `rehash` gives the position of any key.
    pub fn insert(
        &mut self,
        position: u64,
        entry: Entry,
        rehash: &impl Fn(&[u8]) -> u64,
    ) -> Slot<'_> {
        let _ = rehash;
        let at = self.items.partition_point(|i| i.0 < position);
        self.items.insert(at, (position, entry));
        Slot { table: self, at }
    }
    /// Removes `key`.
    pub fn remove(
        &mut self,
        position: u64,
        key: &[u8],
        rehash: &impl Fn(&[u8]) -> u64,
    ) -> Option<Entry> {
        self.find_mut(position, key).map(|slot| slot.remove(rehash))
    }
    /// Asks the processor for the cache line where the look-up of `position` begins.
    pub fn prefetch(&self, position: u64) {
        let _ = position;
    }
    /// Asks the processor for the entry that the look-up of `position` will probably compare.
    pub fn prefetch_entry(&self, position: u64) {
        let _ = position;
    }
    /// A random entry, each with about the same chance.
    #[must_use]
    pub fn sample(&self, random: u64) -> Option<EntryRef<'_>> {
        let len = self.items.len() as u64;
        (len > 0).then(|| self.items[(random % len) as usize].1.view())
    }
    /// Visits the entries of the logical bucket that contains `cursor` (a position without its shard
    /// bits) and returns where the next begins; `None` at the end.
    pub fn scan(&self, cursor: u64, mut visit: impl FnMut(EntryRef<'_>)) -> Option<u64> {
        const LOCAL: u64 = u64::MAX >> SHARD_BITS;
        let at = self.items.partition_point(|i| i.0 & LOCAL < cursor);
        let position = self.items.get(at)?.0;
        self.items[at..].iter().take_while(|i| i.0 == position).for_each(|i| visit(i.1.view()));
        let next = (position & LOCAL) + 1;
        (next <= LOCAL).then_some(next)
    }
    /// All entries, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = EntryRef<'_>> {
        self.items.iter().map(|i| i.1.view())
    }
    /// Leaves an empty table behind, in constant time.
    #[must_use]
    pub fn take(&mut self) -> Self {
        std::mem::take(self)
    }
    /// Frees about `n` entries and returns how many; 0 when the table is empty.
    pub fn drain_some(&mut self, n: usize) -> usize {
        let len = self.items.len();
        self.items.truncate(len.saturating_sub(n));
        len - self.items.len()
    }
    /// Whether some segment's earliest deadline is at least `slack` before `now`.
    #[must_use]
    pub fn has_due(&self, now: u64, slack: u64) -> bool {
        let due = |i: &(u64, Entry)| i.1.deadline().is_some_and(|d| d.saturating_add(slack) <= now);
        self.items.iter().any(due)
    }
    /// Removes due entries (deadline at most `now`); visits about `budget` entries and goes on
    /// there when called again. Returns whether segments remain to be visited.
    pub fn expire_due(
        &mut self,
        now: u64,
        slack: u64,
        budget: usize,
        rehash: &impl Fn(&[u8]) -> u64,
        mut removed: impl FnMut(Entry),
    ) -> bool {
        let _ = (slack, budget, rehash);
        let mut at = 0;
        while at < self.items.len() {
            if self.items[at].1.deadline().is_some_and(|d| d <= now) {
                removed(self.items.remove(at).1);
            } else {
                at += 1;
            }
        }
        false
    }
    /// Begins a snapshot: every entry present now goes to `sink` exactly once as it is now, before
    /// its first change or by [`KeyTable::snapshot_step`]. Epochs only rise.
    pub fn begin_snapshot(&mut self, epoch: u32, sink: Box<dyn BucketSink>) {
        let _ = (epoch, sink);
    }
    /// Ends the snapshot and hands the sink back.
    pub fn end_snapshot(&mut self) -> Option<Box<dyn BucketSink>> {
        None
    }
    /// The walker: delivers the logical bucket that contains `cursor`, if it was not yet, and
    /// returns where the next begins.
    pub fn snapshot_step(&mut self, cursor: u64) -> Option<u64> {
        self.scan(cursor, |_| {})
    }
}

impl<'t> Slot<'t> {
    /// The entry.
    #[must_use]
    pub fn entry(&self) -> EntryRef<'_> {
        self.table.items[self.at].1.view()
    }
    /// The entry, for as long as the table was borrowed.
    #[must_use]
    pub fn into_entry(self) -> EntryRef<'t> {
        self.table.items[self.at].1.view()
    }
    /// Sets the access clock. Does not count as a change for snapshots.
    pub fn set_clock(&mut self, clock: u32) {
        self.table.items[self.at].1.set_clock(clock);
    }
    /// As [`Entry::set_value`].
    pub fn set_value(&mut self, value: NewValue<'_>, deadline: Option<u64>) -> Option<Entry> {
        self.modify(|entry| entry.set_value(value, deadline))
    }
    /// As [`Entry::set_deadline`].
    pub fn set_deadline(&mut self, deadline: Option<u64>) {
        self.modify(|entry| entry.set_deadline(deadline));
    }
    /// Lets `change` work on the owned entry, whose key must stay the same.
    pub fn modify<R>(&mut self, change: impl FnOnce(&mut Entry) -> R) -> R {
        change(&mut self.table.items[self.at].1)
    }
    /// Puts `entry`, which has the same key, in the place of the present one, which is returned.
    pub fn replace(&mut self, entry: Entry) -> Entry {
        self.modify(|old| std::mem::replace(old, entry))
    }
    /// Takes the entry out of the table.
    pub fn remove(self, rehash: &impl Fn(&[u8]) -> u64) -> Entry {
        let _ = rehash;
        self.table.items.remove(self.at).1
    }
}
