//! Streams as dump files have them: block by block, deleted entries included.

use super::block::{Block, Stored};
use super::{Id, Log, Stream};

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
    pub fn counts(self) -> (u32, u32) {
        (self.block.live(), self.block.total() - self.block.live())
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
    /// Begins a new block: the next entry is not packed together with those before.
    pub fn begin_block(&mut self) {
        self.inner_mut().log.seal_tail();
    }
}

#[cfg(test)]
mod tests {
    use super::super::Limits;
    use super::*;

    #[test]
    fn blocks_show_all_they_hold() {
        let mut stream = Stream::new();
        let fields = [(&b"f"[..], &b"1"[..]), (b"g", b"2")];
        let limits = Limits::default();
        for ms in 1..=5 {
            if ms == 4 {
                stream.begin_block();
            }
            let fields = &fields[..if ms == 2 { 1 } else { 2 }];
            stream.append(Id::new(ms, 7), fields.iter().copied(), limits).unwrap();
        }
        assert!(stream.delete(Id::new(1, 7)));
        let blocks: Vec<_> = stream.log().iter_blocks().collect();
        assert_eq!(blocks.iter().map(|b| b.base().ms).collect::<Vec<_>>(), [1, 4]);
        assert_eq!(blocks.iter().map(|b| b.counts()).collect::<Vec<_>>(), [(2, 1), (2, 0)]);
        assert!(blocks[0].names().eq([b"f", b"g"]));
        let shown: Vec<_> =
            blocks[0].entries().map(|e| (e.entry.id.ms, e.deleted, e.same_names)).collect();
        assert_eq!(shown, [(1, true, true), (2, false, false), (3, false, true)]);
    }
}
