//! Sorted sets as dump files have them: the listpack of a small one is copied as it is.

use super::packed::Packed;
use super::{Limits, SortedSet};
use crate::block::Malformed;
use crate::listpack::{Listpack, check};
use crate::word::{Form, Word};

impl SortedSet {
    /// The members and scores by turns, if the set is kept as a listpack.
    #[must_use]
    pub fn listpack(&self) -> Option<&Listpack> {
        match self.0.form() {
            Form::Small(packed) => Some(packed.listpack()),
            Form::Large(_) => None,
        }
    }

    /// A sorted set of members and scores by turns, in the form that their number asks for.
    ///
    /// # Errors
    /// If there is none, one has no score or one that is no number, two are the same, or they are
    /// not in order.
    pub fn from_listpack(listpack: Listpack, limits: Limits) -> Result<Self, Malformed> {
        let members = check::count_tuples(&listpack, 2)?;
        let packed = Packed::from_pairs(listpack)?;
        if members <= limits.entries_max {
            check::distinct(packed.listpack(), 2)?;
            return Ok(Self(Word::small(packed)));
        }
        let mut set = Self::default();
        let mut digits = itoa::Buffer::new();
        for element in packed.range(0..members) {
            if set.insert(element.member.text(&mut digits), element.score, limits).is_some() {
                return Err(Malformed);
            }
        }
        Ok(set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Collection;

    fn load(items: &[&str], entries_max: usize) -> Result<SortedSet, Malformed> {
        let limits = Limits { entries_max, member_bytes_max: 64, seed: 1 };
        SortedSet::from_listpack(items.iter().map(|item| item.as_bytes()).collect(), limits)
    }

    #[test]
    fn sound_listpacks_become_sorted_sets_of_either_form() {
        for (limit, encoding) in [(3, "listpack"), (2, "skiplist")] {
            let set = load(&["a", "-inf", "b", "1.5", "c", "1.5"], limit).expect("in order");
            assert_eq!((set.len(), set.encoding()), (3, encoding));
            assert_eq!(set.rank(b"c"), Some((2, 1.5)));
        }
    }

    #[test]
    fn others_are_refused() {
        let bad: [&[&str]; 7] = [
            &[],
            &["a"],
            &["a", "x"],
            &["a", "nan"],
            &["a", "1", "a", "2"],
            &["a", "2", "b", "1"],
            &["b", "1", "a", "1"],
        ];
        for limit in [0, 9] {
            bad.iter().for_each(|items| assert!(load(items, limit).is_err(), "{items:?}"));
        }
    }
}
