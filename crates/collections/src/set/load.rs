//! Sets as dump files have them: the block of a small one is copied as it is.

use std::sync::Arc;

use super::{Limits, Set, UNTIMED, make_table};
use crate::block::Malformed;
use crate::compact::{Compact, Form, View};
use crate::hash_table::HashTable;
use crate::intset::Intset;
use crate::listpack::{Listpack, check};

/// How a set is kept.
#[derive(Clone, Copy, Debug)]
pub enum Kept<'a> {
    /// The bytes of an intset.
    Intset(&'a [u8]),
    /// The bytes of a listpack.
    Listpack(&'a [u8]),
    /// A table.
    Table,
}

impl Set {
    /// Shows the block that holds the members, if one does.
    pub fn kept<R>(&self, show: impl FnOnce(Kept<'_>) -> R) -> R {
        match self.compact.view() {
            View::Intset(intset) => show(Kept::Intset(intset.as_bytes())),
            View::Listpack(listpack) => show(Kept::Listpack(listpack.as_bytes())),
            View::Table(_) => show(Kept::Table),
            View::Timed(_) => unreachable!("{UNTIMED}"),
        }
    }

    /// A set of the members of an intset, in the form that their number asks for.
    ///
    /// # Errors
    /// If there is none.
    pub fn from_intset(intset: Intset, limits: &Limits) -> Result<Self, Malformed> {
        if intset.is_empty() {
            return Err(Malformed);
        }
        let is_large = intset.len() > limits.intset_entries;
        let mut form = Form::Intset(intset);
        if is_large {
            make_table(&mut form, limits.seed);
        }
        Ok(Self { compact: Compact::from(form) })
    }

    /// A set of the elements of a listpack, in the form that their number asks for.
    ///
    /// # Errors
    /// If there is none, or two are the same.
    pub fn from_listpack(listpack: Listpack, limits: &Limits) -> Result<Self, Malformed> {
        if check::count_tuples(&listpack, 1)? <= limits.listpack_entries {
            check::distinct(&listpack, 1)?;
            return Ok(Self { compact: Compact::from(Form::Listpack(listpack)) });
        }
        let mut table = HashTable::new(limits.seed);
        let mut digits = itoa::Buffer::new();
        if !listpack.iter().all(|member| table.insert(member.text(&mut digits), None)) {
            return Err(Malformed);
        }
        Ok(Self { compact: Compact::from(Form::Table(Arc::new(table))) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Collection;

    const fn limits(entries: usize) -> Limits {
        Limits { intset_entries: entries, listpack_entries: entries, listpack_value: 64, seed: 1 }
    }

    #[test]
    fn sound_blocks_become_sets_of_either_form() {
        for (limit, encodings) in [(2, ["intset", "listpack"]), (1, ["hashtable"; 2])] {
            let mut intset = Intset::default();
            assert!(intset.insert(5) && intset.insert(-7));
            let integers = Set::from_intset(intset, &limits(limit)).unwrap();
            let listpack = [&b"a"[..], b"5"].into_iter().collect();
            let texts = Set::from_listpack(listpack, &limits(limit)).unwrap();
            assert_eq!([integers.encoding(), texts.encoding()], encodings);
            assert!(integers.contains(b"-7") && texts.contains(b"5") && texts.len() == 2);
        }
    }

    #[test]
    fn others_are_refused() {
        for limit in [0, 9] {
            assert!(Set::from_intset(Intset::default(), &limits(limit)).is_err());
            for items in [&[][..], &["a", "a"], &["1", "b", "1"]] {
                let listpack = items.iter().map(|item| item.as_bytes()).collect();
                assert!(Set::from_listpack(listpack, &limits(limit)).is_err(), "{items:?}");
            }
        }
    }
}
