//! Looking up several names at once, so that the waits for memory overlap.

use super::HashTable;
use super::element::ElementRef;
use super::leaf::{Leaf, Mark};
use crate::prefetch::{LOOK_AHEAD_ELEMENTS_MIN, LOOK_AHEAD_MAX};

/// What is known of a name that is looked up ahead.
#[derive(Clone, Copy)]
struct Ahead<'a> {
    leaf: &'a Leaf,
    tag: u8,
    /// The first element of the leaf with that tag; without one, the name is not there.
    first: Option<usize>,
}

impl HashTable {
    /// Asks the processor for what looking up these names will read, each step for all of them, so
    /// that the waits overlap, if the table is large. Names beyond [`LOOK_AHEAD_MAX`] are left out.
    pub fn prefetch(&self, names: &[&[u8]]) {
        if self.len >= LOOK_AHEAD_ELEMENTS_MIN {
            self.look_ahead(names);
        }
    }

    /// Says of each of these names whether there is such an element, the waits for memory
    /// overlapping. There are at most [`LOOK_AHEAD_MAX`].
    ///
    /// # Panics
    /// If there are more.
    pub fn contains_each(&self, names: &[&[u8]], mut each: impl FnMut(usize, bool)) {
        assert!(names.len() <= LOOK_AHEAD_MAX, "{} names at once", names.len());
        if self.len < LOOK_AHEAD_ELEMENTS_MIN {
            let found = names.iter().map(|name| self.find(name).is_some());
            return found.enumerate().for_each(|(index, is_there)| each(index, is_there));
        }
        for (index, (name, ahead)) in names.iter().zip(self.look_ahead(names)).enumerate() {
            let Ahead { leaf, tag, first } = ahead.expect("each name is looked up ahead");
            // Another element with this tag is rare, and is found behind the first.
            let is_it = |element: ElementRef<'_>| element.name() == *name;
            let is_there = first
                .is_some_and(|first| is_it(leaf.get(first)) || leaf.find(tag, is_it).is_some());
            each(index, is_there);
        }
    }

    /// Asks for what looking up these names will read, and says what is known by then.
    fn look_ahead(&self, names: &[&[u8]]) -> [Option<Ahead<'_>>; LOOK_AHEAD_MAX] {
        let mut hashes = [0; LOOK_AHEAD_MAX];
        let hashes = &mut hashes[..names.len().min(LOOK_AHEAD_MAX)];
        // Apart from the rest: the fewer instructions lie between two waits, the more of them the
        // processor has under way at once.
        for (hash, name) in hashes.iter_mut().zip(names) {
            *hash = self.hash(name);
        }
        let mut found = [const { None }; LOOK_AHEAD_MAX];
        for (found, hash) in found.iter_mut().zip(&*hashes) {
            let leaf = self.leaf(self.leaf_of(*hash));
            leaf.prefetch();
            *found = Some(Ahead { leaf, tag: Mark::of(*hash).tag, first: None });
        }
        for ahead in found.iter_mut().flatten() {
            ahead.first = ahead.leaf.prefetch_word(ahead.tag);
        }
        for Ahead { leaf, first, .. } in found.iter().flatten() {
            first.iter().for_each(|&first| leaf.prefetch_element(first));
        }
        found
    }
}
