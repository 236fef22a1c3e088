//! Hashes as dump files have them: the listpack of a small one is copied as it is.

use std::sync::Arc;

use super::{Hash, Limits, PAIRED};
use crate::block::Malformed;
use crate::compact::{Compact, Form, View};
use crate::hash_table::HashTable;
use crate::listpack::{Listpack, check};

impl Hash {
    /// The fields and values by turns, if the hash is kept as a listpack.
    #[must_use]
    pub fn listpack(&self) -> Option<&Listpack> {
        match self.compact.view() {
            View::Listpack(listpack) => Some(listpack),
            View::Table(_) | View::Intset(_) => None,
        }
    }

    /// A hash of fields and values by turns, in the form that their number asks for.
    ///
    /// # Errors
    /// If there is none, one has no value, or two are the same.
    pub fn from_listpack(listpack: Listpack, limits: &Limits) -> Result<Self, Malformed> {
        if check::count_tuples(&listpack, 2)? <= limits.listpack_entries {
            check::distinct(&listpack, 2)?;
            return Ok(Self { compact: Compact::from(Form::Listpack(listpack)) });
        }
        let mut table = HashTable::new(limits.seed);
        let (mut name, mut text) = (itoa::Buffer::new(), itoa::Buffer::new());
        let mut items = listpack.iter();
        while let Some(field) = items.next() {
            let value = items.next().expect(PAIRED);
            if !table.insert(field.text(&mut name), Some(value.text(&mut text))) {
                return Err(Malformed);
            }
        }
        Ok(Self { compact: Compact::from(Form::Table(Arc::new(table))) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Collection;

    fn load(items: &[&str], listpack_entries: usize) -> Result<Hash, Malformed> {
        let limits = Limits { listpack_entries, listpack_value: 64, seed: 1 };
        Hash::from_listpack(items.iter().map(|item| item.as_bytes()).collect(), &limits)
    }

    #[test]
    fn sound_listpacks_become_hashes_of_either_form() {
        for (limit, encoding) in [(2, "listpack"), (1, "hashtable")] {
            let hash = load(&["a", "1", "7", "x"], limit).expect("two different fields");
            assert_eq!((hash.len(), hash.encoding()), (2, encoding));
            assert!(hash.get(b"7").is_some());
        }
    }

    #[test]
    fn others_are_refused() {
        for limit in [0, 9] {
            for items in [&[][..], &["a"], &["a", "1", "a", "2"], &["7", "1", "b", "2", "7", "1"]] {
                assert!(load(items, limit).is_err(), "{items:?}");
            }
        }
    }
}
