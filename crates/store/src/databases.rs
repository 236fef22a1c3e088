//! The key tables of a shard, one for each database.

use std::ops::{Index, IndexMut};

use collections::table::KeyTable;

/// One key table for each database. The first, which most use alone, lies here and not behind a
/// pointer: a look-up finds the way into it in the cache line of the shard's lock.
#[derive(Debug)]
#[repr(C)]
pub struct Databases {
    first: KeyTable,
    others: Box<[KeyTable]>,
}

impl Databases {
    /// So many empty tables; at least one.
    pub(crate) fn new(count: usize) -> Self {
        Self { first: KeyTable::new(), others: (1..count).map(|_| KeyTable::new()).collect() }
    }

    /// The tables in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &KeyTable> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// The tables in order, to change them.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut KeyTable> {
        std::iter::once(&mut self.first).chain(&mut self.others)
    }

    /// Exchanges two tables.
    pub(crate) fn swap(&mut self, a: usize, b: usize) {
        match (a.min(b), a.max(b)) {
            (_, 0) => {}
            (0, other) => std::mem::swap(&mut self.first, &mut self.others[other - 1]),
            (one, other) => self.others.swap(one - 1, other - 1),
        }
    }
}

impl Index<usize> for Databases {
    type Output = KeyTable;

    #[inline]
    fn index(&self, db: usize) -> &KeyTable {
        match db.checked_sub(1) {
            None => &self.first,
            Some(other) => &self.others[other],
        }
    }
}

impl IndexMut<usize> for Databases {
    #[inline]
    fn index_mut(&mut self, db: usize) -> &mut KeyTable {
        match db.checked_sub(1) {
            None => &mut self.first,
            Some(other) => &mut self.others[other],
        }
    }
}

#[cfg(test)]
mod tests {
    use collections::entry::{Entry, NewValue};

    use super::*;

    #[test]
    fn any_two_databases_may_be_exchanged() {
        const COUNT: usize = 4;
        for (a, b) in (0..COUNT).flat_map(|a| (0..COUNT).map(move |b| (a, b))) {
            let mut databases = Databases::new(COUNT);
            let mut expected: Vec<_> = (0..COUNT).collect();
            for (keys, table) in databases.iter_mut().enumerate() {
                for position in 0..keys as u64 {
                    let entry = Entry::new(&position.to_le_bytes(), NewValue::Int(0), None);
                    table.insert(position, entry, &|_| unreachable!("few keys need no growth"));
                }
            }
            databases.swap(a, b);
            expected.swap(a, b);
            assert!(databases.iter().map(KeyTable::len).eq(expected.iter().copied()));
            assert!((0..COUNT).map(|db| databases[db].len()).eq(expected), "{a} and {b}");
        }
    }
}
