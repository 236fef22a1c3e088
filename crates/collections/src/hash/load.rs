//! Hashes as dump files have them: the listpack of a small one is taken as it is.

use std::sync::Arc;

use super::timed::{STEP, TimedListpack};
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
            View::Table(_) | View::Timed(_) | View::Intset(_) => None,
        }
    }

    /// Names, values and deadlines (0 for none) by turns, if the hash is kept as such a listpack.
    #[must_use]
    pub fn timed_listpack(&self) -> Option<&Listpack> {
        match self.compact.view() {
            View::Timed(timed) => Some(timed.listpack()),
            View::Table(_) | View::Listpack(_) | View::Intset(_) => None,
        }
    }

    /// A hash of names, values and deadlines by turns, in the form that their number asks for.
    ///
    /// # Errors
    /// If there is none, one is not whole, or two have the same name.
    pub fn from_timed_listpack(listpack: Listpack, limits: &Limits) -> Result<Self, Malformed> {
        let count = check::count_tuples(&listpack, STEP)?;
        if count <= limits.listpack_entries && check::deadlines_ascend(&listpack, STEP)? {
            check::distinct(&listpack, STEP)?;
            let timed = Arc::new(TimedListpack::from(listpack));
            return Ok(Self { compact: Compact::from(Form::Timed(timed)) });
        }
        let (mut name, mut items, mut hash) = (Vec::new(), listpack.iter(), Self::default());
        hash.expect(limits, count);
        while let (Some(field), Some(value), Some(deadline)) =
            (items.next(), items.next(), items.next())
        {
            name.clear();
            field.write_text(&mut name);
            let deadline = deadline.as_int().and_then(|at| u64::try_from(at).ok());
            let deadline = deadline.ok_or(Malformed)?;
            if !hash.set(limits, &name, value) {
                return Err(Malformed);
            }
            // All of them make it one with deadlines, even if no field has one left.
            hash.set_deadline(&name, Some(deadline.max(1)));
            if deadline == 0 {
                hash.set_deadline(&name, None);
            }
        }
        Ok(hash)
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
            assert!(hash.get(b"7", 0).is_some());
        }
    }

    #[test]
    fn deadlines_come_back_in_either_form() {
        for (listpack_entries, encoding) in [(2, "listpackex"), (1, "hashtable")] {
            let limits = Limits { listpack_entries, listpack_value: 64, seed: 1 };
            let load = |items: &[&str]| {
                let listpack = items.iter().map(|item| item.as_bytes()).collect();
                Hash::from_timed_listpack(listpack, &limits)
            };
            let hash = load(&["a", "1", "70", "b", "2", "0"]).expect("two different fields");
            assert_eq!((hash.len(), hash.encoding()), (2, encoding));
            let deadlines = ["a", "b"].map(|name| hash.find(name.as_bytes()).unwrap().deadline);
            assert_eq!(deadlines, [Some(70), None]);
            for items in [&[][..], &["a", "1"], &["a", "1", "x"], &["a", "1", "5", "a", "2", "5"]] {
                assert!(load(items).is_err(), "{items:?}");
            }
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
