//! Tests of the key table against a standard map, with all invariants checked along the way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, RwLock};

use stdx::rng::Rng;

use super::*;
use crate::entry::{NewValue, StringRef, ValueRef};

/// How positions are spread in a test.
#[derive(Clone, Copy, Debug)]
enum Spread {
    /// As a keyed hash does.
    Even,
    /// Leading bits from few values, as keys of few cluster slots have.
    Slots,
    /// Hardly any bits: what must never happen, and must still be correct.
    Terrible,
}

const SPREADS: [Spread; 3] = [Spread::Even, Spread::Slots, Spread::Terrible];

fn mix(key: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for &byte in key {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    }
    hash = (hash ^ hash >> 31).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ hash >> 29
}

impl Spread {
    fn position(self, key: &[u8]) -> u64 {
        let hash = mix(key);
        match self {
            Self::Even => hash,
            Self::Slots => (hash % 3).wrapping_mul(0x0155_5555_5555_5555) & !0 << 50 | hash >> 14,
            Self::Terrible => (hash % 5) << 40,
        }
    }
}

fn key(number: u64) -> Vec<u8> {
    format!("key:{number}").into_bytes()
}

/// The seed of a random test: from the environment to replay, else the given one.
fn seed(test: &str, default: u64) -> u64 {
    let seed = std::env::var("FERRITE_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(default);
    println!("seed {seed}; replay: FERRITE_SEED={seed} cargo test -p collections {test}");
    seed
}

impl KeyTable {
    /// Checks every invariant of the module pages.
    fn check(&self, position: &impl Fn(&[u8]) -> u64) {
        let (mut index, mut keys, mut expiring, mut bytes, mut segments) = (0, 0, 0, 0, 0);
        while index < self.directory.len() {
            let end = self.directory.end(index);
            if let Some(segment) = self.directory.get(index) {
                assert_eq!(self.directory.range(index, segment.depth()), index..end);
                keys += segment.header().live as usize;
                expiring += self.check_segment(index, segment, position);
                bytes += segment.bytes();
                segments += 1;
            }
            index = end;
        }
        assert_eq!(
            (keys, expiring, segments),
            (self.len, self.expiring(), self.directory.segments())
        );
        assert!(self.memory_bytes() >= bytes + self.directory.len() * 8);
        assert!(self.sizes_are_right());
    }

    fn check_segment(
        &self,
        index: usize,
        segment: &Segment,
        position: &impl Fn(&[u8]) -> u64,
    ) -> usize {
        let range = self.directory.range(index, segment.depth());
        let (mut expiring, mut live) = (0, 0);
        let mut outside = vec![(0, 0); segment.buckets()];
        for place in segment.places() {
            let entry = segment.entry(place);
            let at = position(entry.key());
            assert!(range.contains(&self.directory.index(local(at))));
            let (home, line) = (segment.home(local(at)), place.line as usize);
            assert_eq!(segment.home_of(place), home);
            outside[home].0 += usize::from(line < segment.buckets() && line != home);
            outside[home].1 += usize::from(line >= segment.buckets());
            let found = segment.find(home, tag(at), entry.key());
            assert_eq!(found.map(|(place, _)| place), Some(place));
            if let Some(deadline) = entry.deadline() {
                expiring += 1;
                assert!(segment.header().earliest <= deadline && self.earliest <= deadline);
            }
            live += 1;
        }
        assert_eq!(live, segment.header().live);
        for (home, counts) in outside.into_iter().enumerate() {
            assert_eq!(segment.bucket(home).counts(), counts);
        }
        expiring
    }

    fn contents(&self) -> HashMap<Vec<u8>, (i64, Option<u64>)> {
        let number = |entry: EntryRef<'_>| match entry.value() {
            ValueRef::String(StringRef::Int(number)) => number,
            other => panic!("not a number: {other:?}"),
        };
        let all = self.iter().map(|e| (e.key().to_vec(), (number(e), e.deadline())));
        let map: HashMap<_, _> = all.collect();
        assert_eq!(map.len(), self.len(), "iteration meets every key once");
        map
    }
}

type Model = HashMap<Vec<u8>, (i64, Option<u64>)>;

/// One random change to table and model.
fn change(table: &mut KeyTable, model: &mut Model, spread: Spread, keys: u64, rng: &mut Rng) {
    let position = |key: &[u8]| spread.position(key);
    let key = key(rng.below(keys));
    let at = position(&key);
    let value = rng.next_u64() as i64;
    let deadline = rng.chance(1, 3).then(|| rng.below(10_000));
    match (rng.below(10), table.find_mut(at, &key)) {
        (0..=4, None) => {
            let entry = Entry::new(&key, NewValue::Int(value), deadline);
            let slot = table.insert(at, entry, &position);
            assert_eq!(slot.entry().key(), key);
            model.insert(key, (value, deadline));
        }
        (0..=1, Some(mut slot)) => {
            slot.set_value(NewValue::Int(value), deadline);
            model.insert(key, (value, deadline));
        }
        (2, Some(mut slot)) => {
            let old = slot.replace(Entry::new(&key, NewValue::Int(value), deadline));
            let model = model.insert(key, (value, deadline)).expect("the table has it");
            assert_eq!(old.deadline(), model.1);
        }
        (3..=4, Some(mut slot)) => {
            slot.set_deadline(deadline);
            slot.set_clock(value as u32);
            assert_eq!(slot.entry().clock(), value as u32 & 0xff_ffff);
            model.get_mut(&key).expect("the table has it").1 = deadline;
        }
        (_, Some(slot)) => {
            let removed = slot.remove(&position);
            assert_eq!(removed.key(), key);
            assert!(model.remove(&key).is_some());
        }
        (_, None) => {
            assert!(!model.contains_key(&key));
            assert!(table.remove(at, &key, &position).is_none());
        }
    }
}

/// Changes that make the table grow, then shrink, by turns.
fn drift(table: &mut KeyTable, model: &mut Model, spread: Spread, keys: u64, rng: &mut Rng) {
    let position = |key: &[u8]| spread.position(key);
    if rng.chance(1, 2) {
        for _ in 0..rng.below(keys) {
            let key = key(rng.below(keys));
            if model.insert(key.clone(), (1, None)).is_none() {
                let entry = Entry::new(&key, NewValue::Int(1), None);
                table.insert(position(&key), entry, &position);
            } else {
                let mut slot = table.find_mut(position(&key), &key).expect("the model has it");
                slot.set_value(NewValue::Int(1), None);
            }
        }
    } else {
        let gone: Vec<_> = model.keys().take(rng.index(model.len() + 1)).cloned().collect();
        for key in gone {
            assert!(table.remove(position(&key), &key, &position).is_some());
            model.remove(&key);
        }
    }
}

#[test]
fn agrees_with_a_map_under_random_changes() {
    for (round, spread) in SPREADS.into_iter().cycle().take(9).enumerate() {
        let seed = seed("agrees_with_a_map", 0x7ab1e + round as u64);
        let mut rng = Rng::seed(seed);
        let position = |key: &[u8]| spread.position(key);
        let keys = [30, 3000, 12_000][round / 3] / if round % 3 == 2 { 6 } else { 1 };
        let (mut table, mut model) = (KeyTable::new(), Model::new());
        for _ in 0..12 {
            for _ in 0..keys / 2 {
                change(&mut table, &mut model, spread, keys, &mut rng);
            }
            drift(&mut table, &mut model, spread, keys, &mut rng);
            let now = rng.below(3000);
            expire(&mut table, &mut model, now, &position);
            table.check(&position);
            assert_eq!(table.contents(), model, "{spread:?}");
            for number in 0..keys.min(500) {
                let key = key(number);
                let found = table.find(position(&key), &key).is_some();
                assert_eq!(found, model.contains_key(&key));
            }
        }
        let before = table.len();
        let mut taken = table.take();
        assert_eq!((table.len(), taken.len()), (0, before));
        while taken.drain_some(100) > 0 {
            taken.check(&position);
        }
        assert_eq!((taken.len(), taken.expiring(), taken.memory_bytes()), (0, 0, 0));
    }
}

fn expire(table: &mut KeyTable, model: &mut Model, now: u64, position: &impl Fn(&[u8]) -> u64) {
    let mut removed = Vec::new();
    while table.expire_due(now, 0, 200, position, |gone| match gone {
        Expired::Key(entry) => removed.push(entry),
        other => panic!("there are no hashes: {other:?}"),
    }) {}
    for entry in removed {
        let (_, deadline) = model.remove(entry.key()).expect("the model has it");
        assert!(deadline.expect("it had a deadline") <= now);
    }
    assert!(model.values().all(|(_, deadline)| deadline.is_none_or(|at| at > now)));
}

#[test]
fn emptying_gives_all_memory_back() {
    for spread in SPREADS {
        let position = |key: &[u8]| spread.position(key);
        let mut table = KeyTable::new();
        assert_eq!(table.memory_bytes(), 0);
        for number in 0..5000 {
            let entry = Entry::new(&key(number), NewValue::Int(0), None);
            table.insert(position(&key(number)), entry, &position);
        }
        let full = table.memory_bytes();
        for number in 0..5000 {
            if number == 4900 {
                let part = if matches!(spread, Spread::Terrible) { 4 } else { 8 };
                assert!(table.memory_bytes() < full / part, "{spread:?}");
            }
            let removed = table.remove(position(&key(number)), &key(number), &position);
            assert!(removed.is_some());
            if number % 500 == 0 {
                table.check(&position);
            }
        }
        assert_eq!((table.len(), table.memory_bytes()), (0, 0));
    }
}

#[test]
fn a_scan_meets_every_key_that_stays() {
    for (round, spread) in SPREADS.into_iter().cycle().take(60).enumerate() {
        let seed = seed("a_scan_meets", 0x5ca7 + round as u64);
        let mut rng = Rng::seed(seed);
        let position = |key: &[u8]| spread.position(key);
        let (mut table, mut model) = (KeyTable::new(), Model::new());
        // Numbers from a million on are the ones that stay.
        let stay = 1 + rng.below(if round % 3 == 2 { 50 } else { 2000 });
        for number in 0..stay {
            let key = key(1_000_000 + number);
            table.insert(position(&key), Entry::new(&key, NewValue::Int(0), None), &position);
        }
        let (mut cursor, mut seen, mut last) = (Some(0), HashMap::new(), 0);
        while let Some(at) = cursor {
            assert!(at >= last && at < 1 << 56);
            last = at;
            let next = table.scan(at, |entry| {
                let here = position(entry.key()) & (u64::MAX >> 8);
                assert!(here >= at || table.bucket_at(at).is_some());
                *seen.entry(entry.key().to_vec()).or_insert(0) += 1;
            });
            cursor = next;
            if rng.chance(1, 8) {
                for _ in 0..rng.below(300) {
                    change(&mut table, &mut model, spread, 4000, &mut rng);
                }
                if rng.chance(1, 6) {
                    let room = if round % 3 == 2 { 300 } else { 4000 };
                    drift(&mut table, &mut model, spread, room, &mut rng);
                }
            }
        }
        for number in 0..stay {
            assert!(seen.contains_key(&key(1_000_000 + number)), "{spread:?}");
        }
    }
}

#[test]
fn a_scan_of_a_quiet_table_meets_every_key_once_in_order() {
    let position = |key: &[u8]| Spread::Even.position(key);
    let mut table = KeyTable::new();
    for number in 0..3000 {
        let key = key(number);
        table.insert(position(&key), Entry::new(&key, NewValue::Int(0), None), &position);
        if number % 300 != 0 {
            continue;
        }
        let (mut cursor, mut seen) = (Some(0), 0);
        while let Some(at) = cursor {
            let mut positions = Vec::new();
            cursor = table.scan(at, |e| positions.push(position(e.key()) & (u64::MAX >> 8)));
            let end = cursor.unwrap_or(u64::MAX);
            assert!(positions.iter().all(|here| (at..end).contains(here)));
            seen += positions.len();
        }
        assert_eq!(seen, table.len());
    }
}

/// A table of so many keys at even positions.
fn evenly_filled(keys: u64) -> KeyTable {
    let position = |key: &[u8]| Spread::Even.position(key);
    let mut table = KeyTable::new();
    for number in 0..keys {
        let key = key(number);
        table.insert(position(&key), Entry::new(&key, NewValue::Int(0), None), &position);
    }
    table
}

/// How often each key was drawn.
type Draws = HashMap<Vec<u8>, u64>;

/// Each of so many keys was drawn about as often as the others, where up to `together` come at
/// once.
fn assert_without_favour(draws: &Draws, keys: u64, together: f64) {
    let each = draws.values().sum::<u64>() as f64 / keys as f64;
    let of = |number| draws.get(&key(number)).copied().unwrap_or(0) as f64;
    let chi: f64 = (0..keys).map(|n| (of(n) - each).powi(2) / each).sum();
    // Mean keys - 1, deviation sqrt(2 (keys - 1)) and more for keys that come together: six
    // deviations.
    let freedom = (keys - 1) as f64;
    let deviation = (2.0 * together * freedom).sqrt();
    assert!(chi <= freedom + 6.0 * deviation + 1e-9, "{keys} keys: {chi}");
}

#[test]
fn samples_are_uniform() {
    let mut rng = Rng::seed(seed("samples_are_uniform", 4));
    for keys in [1, 2, 50, 1000, 5000] {
        let (table, mut draws) = (evenly_filled(keys), Draws::new());
        for _ in 0..keys * 40 {
            let entry = table.sample(rng.next_u64()).expect("the table has keys");
            *draws.entry(entry.key().to_vec()).or_insert(0) += 1;
        }
        assert_without_favour(&draws, keys, 1.0);
    }
    assert!(KeyTable::new().sample(1).is_none());
}

#[test]
fn lines_are_sampled_without_favour() {
    let mut rng = Rng::seed(seed("lines_are_sampled_without_favour", 4));
    for keys in [1, 2, 50, 1000, 5000] {
        let (table, mut draws, mut seen) = (evenly_filled(keys), Draws::new(), 0);
        while seen < keys * 40 {
            let before = seen;
            table.sample_line(rng.next_u64(), |entry| {
                *draws.entry(entry.key().to_vec()).or_insert(0) += 1;
                seen += 1;
            });
            assert!(seen > before, "the table has keys");
        }
        // A line has eight keys at most.
        assert_without_favour(&draws, keys, 8.0);
    }
    KeyTable::new().sample_line(1, |_| unreachable!("the table is empty"));
}

#[test]
fn a_search_shows_the_keys_with_deadlines_and_forgets_old_bounds() {
    let position = |key: &[u8]| Spread::Even.position(key);
    let mut table = KeyTable::new();
    let timed = |number: u64| number % 500 == 7;
    for number in 0..20_000 {
        let (key, deadline) = (key(number), timed(number).then_some(1_000));
        table.insert(position(&key), Entry::new(&key, NewValue::Int(0), deadline), &position);
    }
    let search = |table: &mut KeyTable, found: &mut Vec<Vec<u8>>| {
        let (mut from, mut rounds) = (0, 0);
        loop {
            rounds += 1;
            match table.search_expiring(from, |entry| found.push(entry.key().to_vec())) {
                Search::Found => return true,
                Search::GoOn(position) => from = position,
                Search::End => return false,
            }
            assert!(rounds < 1_000, "a search ends");
        }
    };
    for left in (0..40).rev() {
        let mut found = Vec::new();
        assert!(search(&mut table, &mut found));
        let found = found.pop().expect("some were found");
        table.find_mut(position(&found), &found).expect("it is there").set_deadline(None);
        assert_eq!(table.expiring(), left);
    }
    assert!(!search(&mut table, &mut Vec::new()));
    assert_eq!(table.search_expiring(0, |_| unreachable!("none is left")), Search::End);
}

#[test]
fn a_position_finds_its_key() {
    let position = |key: &[u8]| Spread::Even.position(key);
    let mut table = KeyTable::new();
    for number in 0..3_000 {
        let key = key(number);
        table.insert(position(&key), Entry::new(&key, NewValue::Int(0), None), &position);
    }
    for number in 0..3_000 {
        let key = key(number);
        let slot = table.slot_at(position(&key), &position).expect("it is there");
        assert_eq!(slot.entry().key(), &*key);
        if number % 3 == 0 {
            assert_eq!(slot.remove(&position).key(), &*key);
            assert!(table.slot_at(position(&key), &position).is_none());
        }
    }
}

type Delivered = Vec<(Vec<u8>, i64, Option<u64>)>;

/// Collects what a snapshot delivers.
struct Collect(Arc<Mutex<Delivered>>);

impl BucketSink for Collect {
    fn entry(&mut self, entry: EntryRef<'_>, _cause: Cause) {
        let ValueRef::String(StringRef::Int(number)) = entry.value() else {
            panic!("not a number")
        };
        self.0.lock().unwrap().push((entry.key().to_vec(), number, entry.deadline()));
    }
}

#[test]
fn a_snapshot_is_the_table_at_the_moment_of_the_epoch() {
    for (round, spread) in SPREADS.into_iter().cycle().take(30).enumerate() {
        let seed = seed("a_snapshot_is", 0x5a47 + round as u64);
        let mut rng = Rng::seed(seed);
        let position = |key: &[u8]| spread.position(key);
        let keys = if round % 3 == 2 { 300 } else { 3000 };
        let (mut table, mut model) = (KeyTable::new(), Model::new());
        for epoch in 1..5 {
            drift(&mut table, &mut model, spread, keys, &mut rng);
            (0..500).for_each(|_| change(&mut table, &mut model, spread, keys, &mut rng));
            let expected = model.clone();
            let delivered = Arc::default();
            table.begin_snapshot(epoch, round as u32, Box::new(Collect(Arc::clone(&delivered))));
            let mut more = true;
            while more {
                assert_eq!(table.snapshot_origin(), Some(round as u32));
                for _ in 0..rng.below(20) {
                    change(&mut table, &mut model, spread, keys, &mut rng);
                }
                if rng.chance(1, 50) {
                    drift(&mut table, &mut model, spread, keys, &mut rng);
                    expire(&mut table, &mut model, rng.below(1000), &position);
                }
                more = table.snapshot_step(1 + rng.index(30));
                if rng.chance(1, 400) {
                    // What a flush takes out is walked to its end elsewhere.
                    let mut flushed = table.take();
                    model.clear();
                    while flushed.snapshot_step(1 + rng.index(30)) {}
                    more = false;
                }
            }
            assert!(table.end_snapshot().is_none(), "the walk's end is the snapshot's");
            (0..500).for_each(|_| change(&mut table, &mut model, spread, keys, &mut rng));
            let delivered = std::mem::take(&mut *delivered.lock().unwrap());
            let count = delivered.len();
            let delivered: Model = delivered.into_iter().map(|(k, n, d)| (k, (n, d))).collect();
            assert_eq!(count, delivered.len(), "every key comes once");
            assert!(delivered == expected, "{spread:?}: the snapshot is not the moment's table");
            table.check(&position);
        }
    }
}

#[test]
fn a_flushed_table_delivers_the_rest_while_it_is_freed() {
    let position = |key: &[u8]| Spread::Even.position(key);
    let mut table = KeyTable::new();
    for number in 0..3000 {
        let entry = Entry::new(&key(number), NewValue::Int(0), None);
        table.insert(position(&key(number)), entry, &position);
    }
    let delivered = Arc::default();
    table.begin_snapshot(1, 0, Box::new(Collect(Arc::clone(&delivered))));
    assert!(table.snapshot_step(1));
    let mut flushed = table.take();
    while flushed.drain_some(64) > 0 {}
    assert_eq!(delivered.lock().unwrap().len(), 3000);
    table.check(&position);
}

#[test]
fn a_sweep_visits_only_what_is_due() {
    let position = |key: &[u8]| Spread::Even.position(key);
    let mut table = KeyTable::new();
    for number in 0..10_000 {
        let key = key(number);
        let entry = Entry::new(&key, NewValue::Int(0), Some(1000 + number));
        table.insert(position(&key), entry, &position);
    }
    assert!(!table.has_due(999, 0) && table.has_due(1000, 0) && !table.has_due(1400, 500));
    let mut removed = 0;
    for now in (0..12_000u64).step_by(250) {
        let due = (now + 1).saturating_sub(1000).min(10_000);
        while table.expire_due(now, 250, 1000, &position, |_| removed += 1) {}
        assert!(removed <= due && removed + 250 + 250 >= due, "{removed} removed, {due} due");
        assert!(!table.has_due(now, 250));
    }
    assert_eq!((removed, table.len(), table.memory_bytes()), (10_000, 0, 0));
}

#[test]
fn readers_behind_a_lock_see_whole_entries() {
    let position = |key: &[u8]| Spread::Even.position(key);
    let mut rng = Rng::seed(seed("readers_behind_a_lock", 9));
    let table = RwLock::new(KeyTable::new());
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut model = Model::new();
            for _ in 0..20_000 {
                let mut table = table.write().unwrap();
                change(&mut table, &mut model, Spread::Even, 2000, &mut rng);
            }
            done.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        scope.spawn(|| {
            let mut cursor = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                let table = table.read().unwrap();
                table.bucket_hint(cursor).into_iter().for_each(Hint::fetch);
                table.entry_hint(cursor).into_iter().for_each(Hint::fetch);
                let next = table.scan(cursor, |e| assert!(e.key().starts_with(b"key:")));
                let sample = table.sample(cursor).map(EntryRef::key);
                assert!(sample.is_none_or(|k| table.find(position(k), k).is_some()));
                cursor = next.unwrap_or(0);
            }
        });
    });
}
