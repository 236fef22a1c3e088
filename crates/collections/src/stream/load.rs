//! Streams as dump files have them: block by block, deleted entries included.

use super::block::{Block, Stored};
use super::{AppendError, Id, Log, Stream};

/// A block of a log: entries that were packed together.
#[derive(Clone, Copy, Debug)]
pub struct BlockRef<'a> {
    base: Id,
    block: &'a Block,
}

impl<'a> BlockRef<'a> {
    /// The id of its first entry, which may be deleted.
    #[must_use]
    pub const fn base(self) -> Id {
        self.base
    }

    /// How many entries there are, and how many deleted ones beside.
    #[must_use]
    pub fn counts(self) -> (u64, u64) {
        (self.block.live(), self.block.total() as u64 - self.block.live())
    }

    /// The names of the fields that most entries have.
    pub fn names(self) -> impl ExactSizeIterator<Item = &'a [u8]> {
        self.block.names()
    }

    /// The entries in order, also those deleted.
    pub fn entries(self) -> impl Iterator<Item = Stored<'a>> {
        self.block.entries(self.base).stored()
    }
}

impl Log {
    /// The blocks in order.
    pub fn iter_blocks(&self) -> impl Iterator<Item = BlockRef<'_>> {
        let tail = self.tail.as_ref().map(|(base, block)| (base, block));
        self.sealed.iter().chain(tail).map(|(base, block)| BlockRef { base: *base, block })
    }
}

impl Stream {
    /// Adds an entry as [`Stream::append`] does, into a block whose field names are `names`: the
    /// last block, or a new one if that is full, or if `apart`. An entry with these names then
    /// takes no more than its values, whatever others are in the block.
    ///
    /// # Errors
    /// As [`Stream::append`].
    pub fn append_packed<'a, F>(
        &mut self,
        names: impl Iterator<Item = &'a [u8]> + Clone,
        apart: bool,
        id: Id,
        fields: F,
    ) -> Result<(), AppendError>
    where
        F: Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
    {
        self.inner_mut().log.append_packed(names, apart, id, fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_show_all_they_hold() {
        let mut stream = Stream::new();
        let fields = [(&b"f"[..], &b"1"[..]), (b"g", b"2")];
        let names = fields.iter().map(|(name, _)| *name);
        for ms in 1..=5 {
            let fields = &fields[..if ms == 2 || ms == 4 { 1 } else { 2 }];
            let apart = ms == 1 || ms == 4;
            stream
                .append_packed(names.clone(), apart, Id::new(ms, 7), fields.iter().copied())
                .unwrap();
        }
        let below = stream.append_packed(names, false, Id::new(5, 7), fields.into_iter());
        assert_eq!(below, Err(AppendError::NotAboveLast));
        assert!(stream.delete(Id::new(1, 7)));
        let blocks: Vec<_> = stream.log().iter_blocks().collect();
        assert_eq!(blocks.iter().map(|b| b.base().ms).collect::<Vec<_>>(), [1, 4]);
        assert_eq!(blocks.iter().map(|b| b.counts()).collect::<Vec<_>>(), [(2, 1), (2, 0)]);
        assert!(blocks[0].names().eq([b"f", b"g"]));
        let shown: Vec<_> =
            blocks[0].entries().map(|e| (e.entry.id.ms, e.deleted, e.same_names)).collect();
        assert_eq!(shown, [(1, true, true), (2, false, false), (3, false, true)]);
        let shown: Vec<_> = blocks[1].entries().map(|e| e.same_names).collect();
        assert_eq!(shown, [false, true], "a block's names need not be those of its first entry");
    }
}
