//! 64 neighbouring positions of an array: a bit for each, and the values of those that are used.

use super::slice::Visit;
use super::value::Value;

/// Positions of a chunk.
pub(super) const CHUNK: u32 = 64;

/// See the module page.
///
/// Invariant: there are as many values as bits, in the order of the bits.
#[derive(Clone, Debug, Default)]
pub(super) struct Chunk {
    used: u64,
    values: Vec<Value>,
}

impl Chunk {
    /// How many positions are used.
    pub(super) const fn count(&self) -> u32 {
        self.used.count_ones()
    }

    const fn is_used(&self, at: u32) -> bool {
        self.used >> at & 1 == 1
    }

    /// How many used positions are before `at`.
    const fn rank(&self, at: u32) -> usize {
        (self.used & ((1 << at) - 1)).count_ones() as usize
    }

    /// The value at a position.
    #[inline]
    pub(super) fn get(&self, at: u32) -> Option<&Value> {
        self.is_used(at).then(|| &self.values[self.rank(at)])
    }

    /// Puts a value at a position and returns the one that was there.
    pub(super) fn set(&mut self, at: u32, value: Value) -> Option<Value> {
        let rank = self.rank(at);
        if self.is_used(at) {
            return Some(std::mem::replace(&mut self.values[rank], value));
        }
        if self.values.len() == self.values.capacity() {
            // By half: doubling would leave more of the memory unused, and a chunk is never large.
            let len = self.values.len();
            self.values.reserve_exact((len / 2).max(4).min(CHUNK as usize - len));
        }
        self.values.insert(rank, value);
        self.used |= 1 << at;
        None
    }

    /// Takes the value at a position.
    pub(super) fn remove(&mut self, at: u32) -> Option<Value> {
        if !self.is_used(at) {
            return None;
        }
        let value = self.values.remove(self.rank(at));
        self.used &= !(1 << at);
        if self.values.len() * 4 <= self.values.capacity() {
            self.values.shrink_to(self.values.len() + 4);
        }
        Some(value)
    }

    /// Shows the values from position `first` to `last`, from the end that the direction says.
    pub(super) fn visit<B>(&self, first: u32, last: u32, visit: &mut Visit<'_, B>) -> Option<B> {
        let below = self.used & (u64::MAX >> (CHUNK - 1 - last));
        let mut rest = below >> first << first;
        while rest != 0 {
            let at =
                if visit.backwards { 63 - rest.leading_zeros() } else { rest.trailing_zeros() };
            rest &= !(1 << at);
            if let Some(stop) = visit.show(at, &self.values[self.rank(at)]) {
                return Some(stop);
            }
        }
        None
    }

    /// The bytes that it occupies, without those of its texts.
    pub(super) fn allocated_bytes(&self) -> usize {
        use crate::size_class::allocation_bytes;
        let counts = 2 * size_of::<usize>();
        allocation_bytes(counts + size_of::<Self>())
            + allocation_bytes(self.values.capacity() * size_of::<Value>())
    }

    #[cfg(test)]
    pub(super) fn check(&self) -> u32 {
        assert_eq!(self.count() as usize, self.values.len());
        assert!(self.count() > 0, "empty chunks are dropped");
        self.count()
    }
}
