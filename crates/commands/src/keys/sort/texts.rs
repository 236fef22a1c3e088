//! The elements of a sort as texts, one behind the other in a single buffer: two allocations
//! however many there are.

use collections::listpack::Item;

/// A sequence of byte strings.
#[derive(Debug, Default)]
pub(super) struct Texts {
    bytes: Vec<u8>,
    /// Where each one ends in `bytes`.
    ends: Vec<usize>,
}

impl Texts {
    /// Adds one.
    pub(super) fn push(&mut self, item: Item<'_>) {
        item.write_text(&mut self.bytes);
        self.ends.push(self.bytes.len());
    }

    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.ends.len()
    }

    /// The one with this number.
    #[inline]
    pub(super) fn get(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..self.ends[index]]
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|index| self.get(index))
    }
}

impl<'a> FromIterator<Item<'a>> for Texts {
    fn from_iter<I: IntoIterator<Item = Item<'a>>>(items: I) -> Self {
        let mut texts = Self::default();
        items.into_iter().for_each(|item| texts.push(item));
        texts
    }
}
