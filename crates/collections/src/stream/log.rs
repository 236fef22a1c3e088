//! The log of a stream: its entries in order of id, and the marks that tell where it has been.
//!
//! Entries are only ever added behind the last id, so there is one block that grows, the *tail*,
//! which is kept outside the tree: adding an entry touches no tree. A full tail is sealed (the room
//! for more is given back) and becomes the tree's last block. An empty block is dropped, so the
//! first and the last entry are found without a search.

use super::block::{Block, Entries, Entry};
use super::{AppendError, Id, Limits, Trim, TrimTo};
use crate::Pieces;
use crate::tree::Tree;

/// Blocks never grow beyond this many bytes and entries, whatever the limits say: a look-up reads
/// a block from its start.
const BLOCK_BYTES_MAX: usize = 1 << 20;
const BLOCK_ENTRIES_MAX: usize = 1 << 14;
/// An entry of more bytes than this is refused.
const ENTRY_BYTES_MAX: usize = 1 << 30;

/// Entries with their ids, in order; see the module page.
#[derive(Clone, Debug, Default)]
pub struct Log {
    pub(super) sealed: Tree<Id, Block>,
    pub(super) tail: Option<(Id, Block)>,
    /// Memory of the buffers of the sealed blocks.
    sealed_bytes: usize,
    len: u64,
    pub(super) entries_added: u64,
    first_id: Id,
    pub(super) last_id: Id,
    pub(super) max_deleted_id: Id,
}

/// What is known of the log.
impl Log {
    /// The number of entries.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The id of the first entry; 0-0 if there is none.
    #[must_use]
    pub fn first_id(&self) -> Id {
        self.first_id
    }

    /// The greatest id that an entry ever had: the next one is above it.
    #[must_use]
    pub fn last_id(&self) -> Id {
        self.last_id
    }

    /// The greatest id of an entry that was deleted by its id, not by trimming.
    #[must_use]
    pub fn max_deleted_id(&self) -> Id {
        self.max_deleted_id
    }

    /// How many entries were ever added.
    #[must_use]
    pub fn entries_added(&self) -> u64 {
        self.entries_added
    }

    /// The number of blocks.
    #[must_use]
    pub fn blocks(&self) -> usize {
        self.sealed.len() + usize::from(self.tail.is_some())
    }

    /// The memory of the blocks.
    #[must_use]
    pub fn allocated_bytes(&self) -> usize {
        let nodes = self.sealed.len() * size_of::<(Id, Block)>();
        let tail = self.tail.as_ref().map_or(0, |(_, block)| block.allocated_bytes());
        nodes + self.sealed_bytes + tail
    }

    /// Whether there is an entry `id`.
    #[must_use]
    pub fn contains(&self, id: Id) -> bool {
        self.block_at(id).is_some_and(|(base, block)| block.find(base, id).is_some())
    }

    /// The first entry of `start..=end`.
    #[must_use]
    pub fn first_in(&self, start: Id, end: Id) -> Option<Entry<'_>> {
        self.range(start, end).next()
    }

    /// The entries of `start..=end` in ascending order.
    #[must_use]
    pub fn range(&self, start: Id, end: Id) -> Range<'_> {
        let block = self.block_at(start).or_else(|| self.block_after(start));
        let entries = block.map(|(base, block)| (base, block.entries(base)));
        Range { log: self, start, end, entries }
    }

    /// The entries of `start..=end` in descending order.
    #[must_use]
    pub fn range_back(&self, start: Id, end: Id) -> RangeBack<'_> {
        let block = self.block_at(end);
        let mut range = RangeBack { log: self, start, base: Id::MIN, entries: Vec::new() };
        if let Some((base, block)) = block {
            range.load(base, block, end);
        }
        range
    }

    /// The block that has the entry `id` if any has it: the last one that begins at or before it.
    fn block_at(&self, id: Id) -> Option<(Id, &Block)> {
        if let Some((base, tail)) = &self.tail
            && *base <= id
        {
            return Some((*base, tail));
        }
        self.sealed.last_below(|base| *base <= id).map(|(base, block)| (*base, block))
    }

    /// The first block that begins after `id`.
    fn block_after(&self, id: Id) -> Option<(Id, &Block)> {
        let sealed = self.sealed.first_from(|base| *base <= id);
        let tail = self.tail.as_ref().map(|(base, block)| (base, block));
        sealed.or(tail.filter(|(base, _)| **base > id)).map(|(base, block)| (*base, block))
    }

    /// The last block that begins before `id`.
    fn block_before(&self, id: Id) -> Option<(Id, &Block)> {
        self.block_at(id.previous()?)
    }
}

/// Changes.
impl Log {
    /// Adds an entry.
    ///
    /// # Errors
    /// If `id` is not above the last id, or the entry has more than 1 GiB.
    pub(super) fn append<'a, F>(
        &mut self,
        id: Id,
        fields: F,
        limits: Limits,
    ) -> Result<(), AppendError>
    where
        F: Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
    {
        let bytes_max = bound(limits.block_bytes, BLOCK_BYTES_MAX);
        let entries_max = bound(limits.block_entries, BLOCK_ENTRIES_MAX);
        let make = |expected| Block::new(fields.clone(), expected);
        self.add(id, fields.clone(), (bytes_max, entries_max), make)
    }

    /// Adds an entry to the last block, if that stays within so many bytes and entries, or to one
    /// that `make` makes of it, given how long it will probably become.
    fn add<'a, F>(
        &mut self,
        id: Id,
        fields: F,
        (bytes_max, entries_max): (usize, usize),
        make: impl FnOnce(usize) -> Block,
    ) -> Result<(), AppendError>
    where
        F: Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
    {
        self.accepts(id, fields.clone())?;
        let fits = self.tail.as_mut().is_some_and(|(base, tail)| {
            tail.total() < entries_max && tail.push(*base, id, fields, bytes_max)
        });
        if !fits {
            // The next block will be about as long as this one.
            let expected = self.seal_tail();
            self.tail = Some((id, make(expected)));
        }
        self.added(id);
        Ok(())
    }

    /// Whether an entry may be added.
    fn accepts<'a, F>(&self, id: Id, fields: F) -> Result<(), AppendError>
    where
        F: Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
    {
        if id <= self.last_id {
            return Err(AppendError::NotAboveLast);
        }
        let size = Block::bytes_of_first(fields);
        if size.is_none_or(|size| size > ENTRY_BYTES_MAX) {
            return Err(AppendError::TooLarge);
        }
        Ok(())
    }

    /// Takes note of an entry that the tail has got.
    fn added(&mut self, id: Id) {
        if self.len == 0 {
            self.first_id = id;
        }
        self.len += 1;
        self.entries_added = self.entries_added.wrapping_add(1);
        self.last_id = id;
    }

    /// Adds an entry to the last block, or to a new one of field names `names` if that is full or
    /// `apart` asks for it.
    ///
    /// # Errors
    /// As [`Log::append`].
    pub(super) fn append_packed<'a, F>(
        &mut self,
        names: impl Iterator<Item = &'a [u8]> + Clone,
        apart: bool,
        id: Id,
        fields: F,
    ) -> Result<(), AppendError>
    where
        F: Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
    {
        let entries_max = if apart { 0 } else { BLOCK_ENTRIES_MAX };
        self.add(id, fields.clone(), (BLOCK_BYTES_MAX, entries_max), |expected| {
            let mut block = Block::named(names, 0, expected);
            block.push(id, id, fields.clone(), usize::MAX);
            block
        })
    }

    /// Moves the tail into the tree, and returns its length in bytes.
    fn seal_tail(&mut self) -> usize {
        let Some((base, mut block)) = self.tail.take() else { return 0 };
        let len = block.len();
        block.seal();
        self.sealed_bytes += block.allocated_bytes();
        self.sealed.insert(base, block);
        len
    }

    /// Deletes the entry `id`; false if there is none.
    pub(super) fn delete(&mut self, id: Id) -> bool {
        if !self.erase(id) {
            return false;
        }
        self.max_deleted_id = self.max_deleted_id.max(id);
        true
    }

    /// Takes the entry `id` out, without a mark.
    fn erase(&mut self, id: Id) -> bool {
        let Some((base, block)) = self.block_at(id) else { return false };
        let Some(offset) = block.find(base, id) else { return false };
        if block.live() == 1 {
            self.drop_block(base);
        } else {
            self.change(base, |block| block.delete(offset));
            self.len -= 1;
        }
        if id == self.first_id {
            self.find_first();
        }
        true
    }

    /// Changes the block that begins at `base`.
    fn change(&mut self, base: Id, change: impl FnOnce(&mut Block)) {
        if let Some((_, tail)) = self.tail.as_mut().filter(|(tail, _)| *tail == base) {
            return change(tail);
        }
        let block = self.sealed.get_mut(&base).expect("the caller found it");
        // A copy of a shared buffer may have another size.
        self.sealed_bytes -= block.allocated_bytes();
        change(block);
        self.sealed_bytes += block.allocated_bytes();
    }

    /// Removes a block with all its entries.
    fn drop_block(&mut self, base: Id) {
        let dropped = match &self.tail {
            Some((tail, _)) if *tail == base => self.tail.take().map(|(_, block)| block),
            _ => self.sealed.remove(&base).inspect(|block| {
                self.sealed_bytes -= block.allocated_bytes();
            }),
        };
        self.len -= dropped.expect("the caller found it").live();
    }

    fn find_first(&mut self) {
        self.first_id = self.first_in(Id::MIN, Id::MAX).map_or(Id::MIN, |entry| entry.id);
    }

    /// Removes entries from the front as `trim` says, and returns how many, with what there is to
    /// free. An entry of which `removable` says no stays, and those behind it are looked at.
    ///
    /// Without `removable` whole blocks go without a look at their entries, and all at once.
    pub(super) fn trim(
        &mut self,
        trim: &Trim,
        mut removable: Option<&mut dyn FnMut(Id) -> bool>,
    ) -> (u64, Removed) {
        let before = self.len;
        let removed = if removable.is_none() { self.cut(trim) } else { Removed::default() };
        let mut next = self.block_after(Id::MIN).map(|(base, _)| base);
        while let Some(base) = next
            && !self.is_trimmed(trim.to, base)
        {
            let (_, block) = self.block_at(base).expect("it begins there");
            next = self.block_after(base).map(|(base, _)| base);
            let live = block.live();
            let limit_met = trim.limit.is_some_and(|limit| before - self.len + live > limit);
            // The last block alone has no block behind it to tell where it ends.
            let whole = match trim.to {
                TrimTo::Len(len) => self.len - live >= len,
                TrimTo::Id(id) => {
                    next.is_some_and(|next| next <= id)
                        || block.entries(base).last().is_none_or(|(_, last)| last.id < id)
                }
            };
            if limit_met || !whole && trim.whole_blocks {
                break;
            }
            if whole && removable.is_none() {
                self.drop_block(base);
                continue;
            }
            self.trim_block(base, trim.to, &mut removable);
        }
        if self.len < before {
            self.find_first();
        }
        (before - self.len, removed)
    }

    /// Removes the sealed blocks that `trim` removes as a whole: one walk over what the tree knows
    /// of them, and one cut through the tree.
    fn cut(&mut self, trim: &Trim) -> Removed {
        let in_tail = self.tail.as_ref().map_or(0, |(_, tail)| tail.live());
        if trim.limit.is_none() && matches!(trim.to, TrimTo::Len(len) if len <= in_tail) {
            (self.len, self.sealed_bytes) = (in_tail, 0);
            return Removed(std::mem::take(&mut self.sealed));
        }
        // The block that the greatest id to remove may be in stays for a closer look.
        let last = match trim.to {
            TrimTo::Len(_) => Id::MAX,
            TrimTo::Id(end) => self.block_at(end).map_or(Id::MIN, |(base, _)| base),
        };
        let (mut live, mut bytes, mut kept) = (0, 0, Id::MAX);
        for (&base, block) in self.sealed.iter() {
            let gone = live + block.live();
            let too_far = match trim.to {
                TrimTo::Len(len) => self.len < len + gone,
                TrimTo::Id(_) => base >= last,
            };
            if too_far || trim.limit.is_some_and(|limit| gone > limit) {
                kept = base;
                break;
            }
            live = gone;
            bytes += block.allocated_bytes();
        }
        self.len -= live;
        self.sealed_bytes -= bytes;
        Removed(self.sealed.split_front(|base| *base < kept))
    }

    /// Whether nothing is to be removed from the block that begins at `base` or those behind it.
    fn is_trimmed(&self, to: TrimTo, base: Id) -> bool {
        match to {
            TrimTo::Len(len) => self.len <= len,
            TrimTo::Id(id) => base >= id,
        }
    }

    /// Removes entries from the front of one block, as long as there are too many.
    fn trim_block(
        &mut self,
        base: Id,
        to: TrimTo,
        removable: &mut Option<&mut dyn FnMut(Id) -> bool>,
    ) {
        let (_, block) = self.block_at(base).expect("the caller found it");
        let too_many = self.len;
        let mut doomed = Vec::new();
        for (offset, entry) in block.entries(base) {
            let done = match to {
                TrimTo::Len(len) => too_many - doomed.len() as u64 <= len,
                TrimTo::Id(id) => entry.id >= id,
            };
            if done {
                break;
            }
            if removable.as_mut().is_none_or(|removable| removable(entry.id)) {
                doomed.push(offset);
            }
        }
        if doomed.len() as u64 == block.live() {
            return self.drop_block(base);
        }
        if doomed.is_empty() {
            return;
        }
        self.change(base, |block| doomed.iter().for_each(|offset| block.delete(*offset)));
        self.len -= doomed.len() as u64;
    }
}

/// Blocks that a stream has lost: taking them out is quick, and freeing them can be left to
/// somebody with time.
#[derive(Debug, Default)]
pub struct Removed(Tree<Id, Block>);

impl Pieces for Removed {
    fn pieces(&self) -> usize {
        self.0.len()
    }
}

fn bound(limit: usize, hard: usize) -> usize {
    if limit == 0 { hard } else { limit.min(hard) }
}

/// Entries in ascending order of id.
#[derive(Clone, Debug)]
pub struct Range<'a> {
    log: &'a Log,
    start: Id,
    end: Id,
    /// The block that is being read and where it begins.
    entries: Option<(Id, Entries<'a>)>,
}

impl<'a> Iterator for Range<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        loop {
            let (base, entries) = self.entries.as_mut()?;
            match entries.next() {
                Some((_, entry)) if entry.id > self.end => self.entries = None,
                Some((_, entry)) if entry.id >= self.start => return Some(entry),
                Some(_) => {}
                None => {
                    let next = self.log.block_after(*base);
                    self.entries = next.map(|(base, block)| (base, block.entries(base)));
                }
            }
        }
    }
}

/// Entries in descending order of id. A block is read from its start, then given out from its end.
#[derive(Clone, Debug)]
pub struct RangeBack<'a> {
    log: &'a Log,
    start: Id,
    base: Id,
    /// Entries of the current block, the next one last.
    entries: Vec<Entry<'a>>,
}

impl<'a> RangeBack<'a> {
    /// Turns to the entries of a block up to `end`.
    fn load(&mut self, base: Id, block: &'a Block, end: Id) {
        self.base = base;
        let (start, entries) = (self.start, block.entries(base).map(|(_, entry)| entry));
        let wanted = entries.skip_while(|entry| entry.id < start).take_while(|e| e.id <= end);
        self.entries.clear();
        self.entries.extend(wanted);
    }
}

impl<'a> Iterator for RangeBack<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        loop {
            if let Some(entry) = self.entries.pop() {
                return Some(entry);
            }
            if self.base <= self.start {
                return None;
            }
            let (base, block) = self.log.block_before(self.base)?;
            self.load(base, block, Id::MAX);
        }
    }
}
