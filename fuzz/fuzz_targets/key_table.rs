//! The key table against a map: inserts, changes, removals, sweeps, scans and snapshots, with
//! positions as unevenly spread as the input wants them.
#![no_main]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use collections::entry::{Entry, EntryRef, NewValue, StringRef, ValueRef};
use collections::table::{BucketSink, Cause, KeyTable};
use libfuzzer_sys::fuzz_target;

type Model = BTreeMap<[u8; 2], Vec<u8>>;

/// Which bits of a good hash the positions have.
#[derive(Clone, Copy)]
struct Spread(u64);

impl Spread {
    fn position(self, key: &[u8]) -> u64 {
        let number = key.iter().fold(0u64, |sum, &byte| sum << 8 | u64::from(byte));
        let hash = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (hash ^ hash >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) & self.0
    }
}

struct Collect(Arc<Mutex<Vec<[u8; 2]>>>);

impl BucketSink for Collect {
    fn entry(&mut self, entry: EntryRef<'_>, _cause: Cause) {
        let key = entry.key().try_into().expect("keys have two bytes");
        self.0.lock().expect("no other thread").push(key);
    }
}

/// A snapshot in progress: what it must deliver and what it has.
struct Walk {
    expected: Vec<[u8; 2]>,
    delivered: Arc<Mutex<Vec<[u8; 2]>>>,
}

impl Walk {
    fn finish(self, table: &mut KeyTable) {
        while table.snapshot_step(7) {}
        let mut delivered = std::mem::take(&mut *self.delivered.lock().expect("no other thread"));
        delivered.sort_unstable();
        assert_eq!(delivered, self.expected);
    }
}

fn set(table: &mut KeyTable, model: &mut Model, spread: Spread, key: [u8; 2], size: u8) {
    let position = |key: &[u8]| spread.position(key);
    // Values of all forms: inline and shared; every second key expires when its time comes.
    let value = vec![size; usize::from(size) * 2];
    let deadline = (size % 2 == 1).then_some(u64::from(size));
    match table.find_mut(position(&key), &key) {
        Some(mut slot) => drop(slot.set_value(NewValue::Bytes(&value), deadline)),
        None => {
            let entry = Entry::new(&key, NewValue::Bytes(&value), deadline);
            table.insert(position(&key), entry, &position);
        }
    }
    model.insert(key, value);
}

fn scan_all(table: &KeyTable) -> Vec<[u8; 2]> {
    let (mut cursor, mut keys) = (Some(0), Vec::new());
    while let Some(at) = cursor {
        cursor = table.scan(at, |entry| keys.push(entry.key().try_into().expect("two bytes")));
        assert!(cursor.is_none_or(|next| next > at));
    }
    keys.sort_unstable();
    keys
}

fuzz_target!(|input: (u64, Vec<(u8, u8, u8, u8)>)| {
    let (mask, steps) = input;
    let spread = Spread(mask);
    let position = |key: &[u8]| spread.position(key);
    let (mut table, mut model, mut walk) = (KeyTable::new(), Model::new(), None::<Walk>);
    for (epoch, (step, a, b, size)) in (1u32..).zip(steps) {
        let key = [a, b];
        match step % 8 {
            0..=1 => set(&mut table, &mut model, spread, key, size),
            2 => (0..=size).for_each(|c| set(&mut table, &mut model, spread, [a, c], b)),
            3 => {
                let removed = table.remove(position(&key), &key, &position);
                assert_eq!(removed.is_some(), model.remove(&key).is_some());
            }
            4 => (0..=size).for_each(|c| {
                let removed = table.remove(position(&[a, c]), &[a, c], &position);
                assert_eq!(removed.is_some(), model.remove(&[a, c]).is_some());
            }),
            5 => {
                while table.expire_due(u64::from(size), 0, 64, &position, |_| {}) {}
                model.retain(|_, v| v.len() % 4 == 0 || v.len() / 2 > usize::from(size));
            }
            6 => match walk.take() {
                Some(walk) => walk.finish(&mut table),
                None => {
                    let delivered = Arc::default();
                    table.begin_snapshot(epoch, 0, Box::new(Collect(Arc::clone(&delivered))));
                    let expected = model.keys().copied().collect();
                    walk = Some(Walk { expected, delivered });
                }
            },
            _ => assert_eq!(scan_all(&table), model.keys().copied().collect::<Vec<_>>()),
        }
        let _more = table.snapshot_step(usize::from(b));
        assert_eq!(table.len(), model.len());
        assert!(table.sample(u64::from(a)).is_some() != model.is_empty());
    }
    if let Some(walk) = walk {
        walk.finish(&mut table);
    }
    for (key, value) in &model {
        let entry = table.find(position(key), key).expect("the model has it");
        match entry.value() {
            ValueRef::String(StringRef::Int(number)) => panic!("{number} was never set"),
            ValueRef::String(StringRef::Inline { bytes, .. }) => assert_eq!(bytes, value),
            ValueRef::String(StringRef::Shared { bytes, .. }) => {
                assert_eq!(bytes.as_slice(), value);
            }
            ValueRef::Object(object) => panic!("{object:?} was never set"),
        }
    }
});
