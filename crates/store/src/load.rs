//! Filling the keyspace from a file.
//!
//! Nothing follows from it: no event, no log record, no access. Several threads load at once, each
//! a batch at a time. A batch is put in the order of positions, so that each shard is locked once
//! for all of its keys, and the places where they go are asked for before the first is looked at.

use collections::entry::Entry;

use crate::position::{Position, shard_of};
use crate::shard::{Shard, Store};

/// What happens to a key that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It is an error: no file holds a key twice.
    Refuse,
    /// What is loaded replaces it.
    Replace,
}

/// A key that was there already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duplicate {
    /// Its database.
    pub db: usize,
    /// The key.
    pub key: Box<[u8]>,
}

/// Keys on their way into the store.
#[derive(Debug, Default)]
pub struct Batch {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    position: Position,
    db: usize,
    entry: Entry,
}

impl Batch {
    /// Adds a key. `db` is the number of a database of `store`.
    pub fn push(&mut self, store: &Store, db: usize, entry: Entry) {
        assert!(db < store.databases(), "a key is loaded into a database that there is");
        self.rows.push(Row { position: store.position(entry.key()), db, entry });
    }

    /// Number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl Store {
    /// Inserts the keys of a batch, which is empty afterwards.
    ///
    /// # Errors
    /// If a key is there and must not be. Others of the batch may have been inserted by then.
    pub fn load(&self, batch: &mut Batch, existing: Existing) -> Result<(), Duplicate> {
        batch.rows.sort_unstable_by_key(|row| row.position);
        let mut rows = batch.rows.drain(..).peekable();
        // Rows come out of the batch by value, a group of one shard after the other.
        let mut group = Vec::new();
        while let Some(first) = rows.next() {
            let shard = shard_of(first.position);
            group.push(first);
            while let Some(row) = rows.next_if(|row| shard_of(row.position) == shard) {
                group.push(row);
            }
            self.load_group(shard, &mut group, existing)?;
        }
        Ok(())
    }

    fn load_group(
        &self,
        shard: usize,
        group: &mut Vec<Row>,
        existing: Existing,
    ) -> Result<(), Duplicate> {
        let mut shard = self.shards[shard].lock();
        for row in &*group {
            if let Some(hint) = shard.databases[row.db].bucket_hint(row.position) {
                hint.fetch();
            }
        }
        group.drain(..).try_for_each(|row| self.load_row(&mut shard, row, existing))
    }

    fn load_row(&self, shard: &mut Shard, row: Row, existing: Existing) -> Result<(), Duplicate> {
        let Row { position, db, entry } = row;
        let table = &mut shard.databases[db];
        match (table.find_mut(position, entry.key()), existing) {
            (None, _) => _ = table.insert(position, entry, &|key| self.position(key)),
            (Some(mut slot), Existing::Replace) => drop(slot.replace(entry)),
            (Some(_), Existing::Refuse) => return Err(Duplicate { db, key: entry.key().into() }),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use collections::entry::{NewValue, StringRef, ValueRef};

    use super::*;
    use crate::Held;

    fn batch(store: &Store, keys: std::ops::Range<u32>, value: i64) -> Batch {
        let mut batch = Batch::default();
        for key in keys {
            let key_name = format!("key:{key}");
            let entry = Entry::new(key_name.as_bytes(), NewValue::Int(value), None);
            batch.push(store, (key % 3) as usize, entry);
        }
        batch
    }

    fn value(store: &Store, key: u32) -> Option<i64> {
        let name = format!("key:{key}");
        let position = store.position(name.as_bytes());
        let held = Held::one(store, position);
        let shard = held.get(shard_of(position)).expect("it was just locked");
        match shard.table((key % 3) as usize).find(position, name.as_bytes())?.value() {
            ValueRef::String(StringRef::Int(number)) => Some(number),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn keys_arrive_and_are_refused_or_replaced() {
        let store = Store::new(3, [1, 2]);
        std::thread::scope(|scope| {
            for part in [0..3000, 3000..7000] {
                scope.spawn(|| store.load(&mut batch(&store, part, 1), Existing::Refuse));
            }
        });
        assert_eq!((0..3).map(|db| store.len(db)).sum::<usize>(), 7000);
        assert!((0..7000).all(|key| value(&store, key) == Some(1)));
        let twice = store.load(&mut batch(&store, 6999..7001, 2), Existing::Refuse);
        assert_eq!(twice, Err(Duplicate { db: 0, key: b"key:6999"[..].into() }));
        store.load(&mut batch(&store, 5000..8000, 3), Existing::Replace).expect("all may be there");
        let values = [4999, 5000, 7999, 8000].map(|key| value(&store, key));
        assert_eq!(values, [Some(1), Some(3), Some(3), None]);
    }
}
