//! The bytes on their way out: appended at one end, sent from the other, copied as little as
//! possible.
//!
//! An [`Output`] is a queue of *chunks* and, behind them, the *tail* to which bytes are appended.
//! A tail that has grown to [`BLOCK_LEN`] moves into the queue as it is, so that growing never
//! copies what is already written and a huge reply needs no huge allocation. A large value that
//! others hold too becomes a chunk of its own and is never copied at all. Sending drops whole
//! chunks and remembers an offset into the first, so a slow reader costs nothing per write but
//! what it took.
//!
//! Chunks are numbered over the whole life of the connection; the tail has the number it will
//! have as a chunk. So a place ([`Mark`]) stays valid while the tail it was taken in moves on.

use std::collections::VecDeque;
use std::io::IoSlice;

/// A tail of this size is moved to the queue, in bytes.
const BLOCK_LEN: usize = 64 * 1024;
/// What a new tail has room for after one was moved to the queue, in bytes.
const NEXT_BLOCK_CAPACITY: usize = 16 * 1024;

/// A value that the output holds on to until it is sent.
pub type SharedBytes = Box<dyn AsRef<[u8]> + Send + Sync>;

/// A part of the output that no longer grows.
enum Chunk {
    Owned(Vec<u8>),
    Shared(SharedBytes),
}

impl Chunk {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Owned(bytes) => bytes,
            Self::Shared(bytes) => (**bytes).as_ref(),
        }
    }
}

/// A place in a reply, valid until the reply is sent beyond it or rolled back before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Mark {
    /// The number of the chunk.
    chunk: u64,
    /// The offset within it.
    offset: usize,
}

/// The output queue of one connection.
#[derive(Default)]
pub(crate) struct Output {
    /// What was written before the tail, oldest first.
    chunks: VecDeque<Chunk>,
    /// The number of the first chunk in the queue, or of the tail if the queue is empty.
    first_chunk: u64,
    /// Where writing goes on.
    tail: Vec<u8>,
    /// Bytes of the first chunk, or of the tail if the queue is empty, that are already sent.
    sent: usize,
    /// The sum of the lengths of all chunks in the queue.
    queued: usize,
}

impl Output {
    /// The buffer to append to.
    #[inline]
    pub(crate) fn tail(&mut self) -> &mut Vec<u8> {
        if self.tail.len() >= BLOCK_LEN {
            self.start_block(NEXT_BLOCK_CAPACITY);
        }
        &mut self.tail
    }

    /// Moves the tail to the queue and starts another with room for `capacity` bytes.
    #[cold]
    pub(crate) fn start_block(&mut self, capacity: usize) {
        let full = std::mem::replace(&mut self.tail, Vec::with_capacity(capacity));
        self.queued += full.len();
        self.chunks.push_back(Chunk::Owned(full));
    }

    /// Appends `value` without copying it.
    pub(crate) fn push_shared(&mut self, value: SharedBytes) {
        self.start_block(0);
        self.queued += (*value).as_ref().len();
        self.chunks.push_back(Chunk::Shared(value));
    }

    /// Appends all of `other`, which is empty afterwards. What is large is moved and not copied.
    pub(crate) fn append(&mut self, other: &mut Self) {
        debug_assert_eq!(other.sent, 0, "what is appended was not for sending");
        if !other.chunks.is_empty() {
            self.start_block(0);
            self.queued += std::mem::take(&mut other.queued);
            self.chunks.append(&mut other.chunks);
        }
        self.tail().extend_from_slice(&other.tail);
        other.clear();
    }

    /// The number of bytes to be sent.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.queued + self.tail.len() - self.sent
    }

    /// The memory that what is to be sent takes, in bytes. Shared values count with their length,
    /// and so does the tail: the room behind it is for what comes next.
    pub(crate) fn memory(&self) -> usize {
        self.queued + self.tail.len() + self.chunks.capacity() * size_of::<Chunk>()
    }

    /// The place where the next byte will be.
    pub(crate) fn mark(&self) -> Mark {
        Mark { chunk: self.first_chunk + self.chunks.len() as u64, offset: self.tail.len() }
    }

    /// The index in the queue of the block with `mark`; the queue's length means the tail.
    fn index_of(&self, mark: Mark) -> usize {
        mark.chunk
            .checked_sub(self.first_chunk)
            .and_then(|index| usize::try_from(index).ok())
            .filter(|&index| index > 0 || mark.offset >= self.sent)
            .expect("nothing is sent while a command writes its reply")
    }

    /// Inserts `bytes` at `mark`.
    pub(crate) fn insert(&mut self, mark: Mark, bytes: &[u8]) {
        let index = self.index_of(mark);
        let block = match self.chunks.get_mut(index) {
            None => &mut self.tail,
            Some(Chunk::Owned(block)) => {
                self.queued += bytes.len();
                block
            }
            Some(Chunk::Shared(_)) => unreachable!("marks are taken in tails only"),
        };
        block.splice(mark.offset..mark.offset, bytes.iter().copied());
    }

    /// Drops everything behind `mark`.
    pub(crate) fn rollback(&mut self, mark: Mark) {
        let index = self.index_of(mark);
        if index < self.chunks.len() {
            for chunk in self.chunks.drain(index + 1..) {
                self.queued -= chunk.bytes().len();
            }
            let Some(Chunk::Owned(block)) = self.chunks.pop_back() else {
                unreachable!("marks are taken in tails only")
            };
            self.queued -= block.len();
            self.tail = block;
        }
        self.tail.truncate(mark.offset);
    }

    /// The pieces to be sent, none of them empty.
    pub(crate) fn chunks(&self) -> Chunks<'_> {
        Chunks { chunks: self.chunks.iter(), tail: Some(&self.tail), sent: self.sent }
    }

    /// Drops the first `count` bytes.
    pub(crate) fn advance(&mut self, count: usize) {
        assert!(count <= self.len(), "no more can be sent than was there");
        self.sent += count;
        while let Some(first) = self.chunks.front() {
            let len = first.bytes().len();
            if self.sent < len {
                return;
            }
            self.sent -= len;
            self.queued -= len;
            self.chunks.pop_front();
            self.first_chunk += 1;
        }
        if self.sent == self.tail.len() {
            self.clear();
        }
    }

    /// Drops everything; keeps the tail's memory, within reason, for what comes next.
    pub(crate) fn clear(&mut self) {
        // Marks into what is dropped must not be taken for places in what is written next.
        self.first_chunk += self.chunks.len() as u64 + 1;
        self.chunks.clear();
        self.queued = 0;
        self.sent = 0;
        self.tail.clear();
        self.tail.shrink_to(BLOCK_LEN);
    }

    /// Gives back all memory that holds nothing to be sent.
    pub(crate) fn shrink(&mut self) {
        if self.len() == 0 {
            self.clear();
        }
        self.tail.shrink_to_fit();
        self.chunks.shrink_to_fit();
    }
}

/// The pieces of a reply that are to be sent, in order.
pub struct Chunks<'a> {
    chunks: std::collections::vec_deque::Iter<'a, Chunk>,
    tail: Option<&'a [u8]>,
    /// Bytes still to be skipped.
    sent: usize,
}

impl<'a> Iterator for Chunks<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            let bytes = match self.chunks.next() {
                Some(chunk) => chunk.bytes(),
                None => self.tail.take()?,
            };
            let rest = &bytes[std::mem::take(&mut self.sent)..];
            if !rest.is_empty() {
                return Some(rest);
            }
        }
    }
}

impl<'a> Chunks<'a> {
    /// Fills `slices` for one vectored write of up to `room` bytes; returns how many were filled.
    pub fn fill(self, slices: &mut [IoSlice<'a>], mut room: usize) -> usize {
        let mut filled = 0;
        for (slice, chunk) in slices.iter_mut().zip(self) {
            let chunk = &chunk[..chunk.len().min(room)];
            *slice = IoSlice::new(chunk);
            filled += 1;
            room -= chunk.len();
            if room == 0 {
                break;
            }
        }
        filled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collect(output: &Output) -> Vec<u8> {
        let bytes = output.chunks().fold(Vec::new(), |all, chunk| [&all, chunk].concat());
        assert_eq!(bytes.len(), output.len());
        bytes
    }

    #[test]
    fn what_is_appended_follows_and_is_moved_if_large() {
        for (own, other) in [(0, 10), (10, BLOCK_LEN + 1), (BLOCK_LEN + 1, 3), (5, 0)] {
            let mut output = Output::default();
            let mut appended = Output::default();
            output.tail().extend(std::iter::repeat_n(1, own));
            appended.tail().extend(std::iter::repeat_n(2, other));
            let shared: SharedBytes = Box::new(vec![3; 20_000]);
            let place = (*shared).as_ref().as_ptr();
            appended.push_shared(shared);
            appended.tail().push(4);
            let expected = [collect(&output), collect(&appended)].concat();
            output.append(&mut appended);
            assert!(collect(&output) == expected && appended.len() == 0);
            assert!(output.chunks().any(|chunk| chunk.as_ptr() == place));
            output.append(&mut appended);
            output.advance(expected.len());
            assert_eq!(output.len(), 0);
        }
    }

    #[test]
    fn blocks_leave_in_order_whatever_the_write_sizes() {
        for step in [1_000, BLOCK_LEN - 1, BLOCK_LEN, BLOCK_LEN + 1, 1_000_000] {
            let mut output = Output::default();
            let mut expected = Vec::new();
            for number in 0_u32..60_000 {
                output.tail().extend_from_slice(&number.to_le_bytes());
                expected.extend_from_slice(&number.to_le_bytes());
                if number == 30_000 {
                    output.push_shared(Box::new(vec![7; 20_000]));
                    expected.extend_from_slice(&[7; 20_000]);
                }
            }
            let mut sent = Vec::new();
            while output.len() > 0 {
                let mut slices = [IoSlice::new(&[]); 3];
                let filled = output.chunks().fill(&mut slices, step);
                let all: Vec<u8> =
                    slices[..filled].iter().flat_map(|slice| slice.to_vec()).collect();
                assert!(!all.is_empty() && all.len() <= step);
                sent.extend_from_slice(&all);
                output.advance(all.len());
            }
            assert!(sent == expected, "step {step}");
            assert!(output.chunks.is_empty() && output.tail.capacity() <= BLOCK_LEN * 2);
        }
    }

    #[test]
    fn places_survive_the_blocks_they_were_taken_in() {
        let mut output = Output::default();
        output.tail().extend_from_slice(b"ab");
        let early = output.mark();
        output.tail().extend_from_slice(&vec![b'x'; BLOCK_LEN]);
        output.tail().push(b'y');
        output.push_shared(Box::new(*b"shared"));
        let late = output.mark();
        output.tail().push(b'z');
        assert!(early < late);
        output.insert(late, b"2");
        output.insert(early, b"1");
        let x = "x".repeat(BLOCK_LEN);
        assert!(collect(&output) == format!("ab1{x}yshared2z").into_bytes());
        output.rollback(late);
        assert!(collect(&output) == format!("ab1{x}yshared").into_bytes());
        output.rollback(early);
        assert_eq!(collect(&output), b"ab");
        output.tail().push(b'c');
        assert_eq!(collect(&output), b"abc");
    }

    #[test]
    fn rollback_after_a_partial_write_keeps_what_was_not_sent() {
        let mut output = Output::default();
        output.tail().extend_from_slice(b"0123456789");
        output.advance(4);
        let mark = output.mark();
        output.tail().extend_from_slice(&vec![b'x'; BLOCK_LEN]);
        output.tail().push(b'y');
        output.rollback(mark);
        assert_eq!(collect(&output), b"456789");
        output.advance(6);
        assert_eq!(output.len(), 0);
    }

    #[test]
    #[should_panic(expected = "nothing is sent while a command writes its reply")]
    fn a_place_that_was_sent_is_no_place() {
        let mut output = Output::default();
        let mark = output.mark();
        output.tail().push(b'x');
        output.advance(1);
        output.tail().push(b'y');
        output.rollback(mark);
    }

    #[test]
    fn an_idle_output_gives_its_memory_back() {
        let mut output = Output::default();
        output.tail().extend_from_slice(&vec![b'x'; 3 * BLOCK_LEN]);
        output.tail().push(b'y');
        assert!(output.memory() > 3 * BLOCK_LEN);
        output.advance(output.len());
        assert!(output.memory() <= 2 * BLOCK_LEN);
        output.shrink();
        assert_eq!(output.memory(), 0);
    }
}
