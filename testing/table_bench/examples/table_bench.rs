//! Measures the key table: bytes per key at many sizes, and time per operation against hashbrown.
//!
//! `cargo run --profile quick -p table_bench [all|sizes|times|expiry|members|fields|small] [keys]`
//!
//! Times are CPU nanoseconds of one thread, medians of several runs. Machines are noisy: read the
//! ratios.

use std::cell::Cell;
use std::hash::Hasher;
use std::hint::black_box;

use collections::entry::{Entry, NewValue};
use collections::hash::{self, Hash};
use collections::prefetch::Hint;
use collections::set::{self, Set};
use collections::table::KeyTable;
use siphasher::sip::SipHasher13;
use stdx::rng::Rng;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The position of a key, with the hash that the store uses.
fn position(key: &[u8]) -> u64 {
    let mut hasher = SipHasher13::new_with_keys(1, 2);
    hasher.write(key);
    hasher.finish()
}

fn key(number: u64) -> [u8; 11] {
    let mut key = *b"key:0000000";
    let mut rest = number;
    for digit in key[4..].iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    key
}

fn main() {
    let mut args = std::env::args().skip(1);
    let what = args.next().unwrap_or_else(|| "all".to_owned());
    let keys = args.next().and_then(|arg| arg.parse().ok()).unwrap_or(1_000_000);
    let wanted = |part: &str| what == part || what == "all";
    if wanted("sizes") {
        sizes();
    }
    if wanted("times") {
        times(keys);
    }
    if wanted("expiry") {
        expiry(keys);
    }
    match what.as_str() {
        "members" => members(keys),
        "fields" => fields(keys),
        "small" => small_hashes(keys),
        _ => {}
    }
}

fn times(keys: u64) {
    println!("{keys} keys, ns per operation      one table   256 tables    hashbrown");
    let [one, many] = [1, 256].map(|tables| times_of_tables(keys, tables));
    let other = times_of_hashbrown(keys);
    let rows = ["insert (growing)", "find hit", "find hit, prefetched", "find miss", "remove"];
    for (row, name) in rows.into_iter().enumerate() {
        let [one, many, other] = [one[row], many[row], other[row]];
        println!("{name:28} {one:12.1} {many:12.1} {other:12.1}");
    }
}

/// Table bytes per key while a table grows from 100 to 3 million keys.
fn sizes() {
    println!("bytes of table per key: mean, least, most while growing through the decade");
    let mut table = KeyTable::new();
    let (mut next, mut from) = (100u64, 100u64);
    let (mut sum, mut count, mut least, mut most) = (0.0f64, 0, f64::MAX, 0.0f64);
    let (rehashed, mut slowest) = (Cell::new(0u64), Vec::new());
    let rehash = |key: &[u8]| {
        rehashed.set(rehashed.get() + 1);
        position(key)
    };
    for number in 0..3_000_000u64 {
        let key = number.to_le_bytes();
        let (before, start) = (table.memory_bytes(), cpu_time());
        table.insert(position(&key), Entry::new(&key, NewValue::Int(0), None), &rehash);
        if table.memory_bytes() != before {
            slowest.push(cpu_time() - start);
        }
        if number + 1 == next {
            let each = table.memory_bytes() as f64 / next as f64;
            (sum, count) = (sum + each, count + 1);
            (least, most) = (least.min(each), most.max(each));
            // A hundredth more each time.
            next += (next / 100).max(1);
            if next >= from * 10 || next > 3_000_000 {
                println!(
                    "  {from:8}..{next:8}  {:6.2} {least:6.2} {most:6.2}",
                    sum / f64::from(count)
                );
                (sum, count, least, most, from) = (0.0, 0, f64::MAX, 0.0, next);
            }
        }
    }
    println!("rehashed per inserted key: {:.2}", rehashed.get() as f64 / table.len() as f64);
    let most = slowest.iter().copied().fold(0.0, f64::max) / 1000.0;
    println!("CPU µs of an insert that resizes: {:.1}, most {most:.1}", median(slowest) / 1000.0);
}

fn member(number: u64) -> Vec<u8> {
    format!("m{number:013}").into_bytes()
}

/// Resident bytes per member of a set, and time per operation. What a process has given back does
/// not leave its resident set at once: run this alone. So for fields and small hashes.
fn members(members: u64) {
    let limits = set::Limits { intset_entries: 0, listpack_entries: 0, listpack_value: 0, seed: 7 };
    let names: Vec<Vec<u8>> = (0..members).map(member).collect();
    let (mut set, before) = (Set::default(), resident());
    let add = nanoseconds(members, || {
        names.iter().for_each(|name| assert!(set.add(&limits, name)));
    });
    let bytes = (resident() - before) as f64 / members as f64;
    report("set member, 14 B", members, bytes, add, |name| set.contains(name));
}

/// As [`members`], for the fields of a hash.
fn fields(fields: u64) {
    let limits = hash::Limits { listpack_entries: 0, listpack_value: 0, seed: 7 };
    let names: Vec<Vec<u8>> = (0..fields).map(member).collect();
    let (mut hash, before) = (Hash::default(), resident());
    let add = nanoseconds(fields, || {
        names.iter().for_each(|name| assert!(hash.set(&limits, &name[1..], &name[1..])));
    });
    let bytes = (resident() - before) as f64 / fields as f64;
    let is_there = |name: &[u8]| hash.get(&name[1..], 0).is_some();
    report("hash field, 13 B + 13 B", fields, bytes, add, is_there);
}

/// Resident bytes of each of many small hashes with its entry, the key table not included.
fn small_hashes(count: u64) {
    let limits = hash::Limits { listpack_entries: 512, listpack_value: 64, seed: 7 };
    let (mut hashes, before) = (Vec::with_capacity(count as usize), resident());
    for number in 0..count {
        let mut hash = Hash::default();
        for field in 0..5 {
            hash.set(&limits, format!("field{field}").as_bytes(), &key(number)[..]);
        }
        hashes.push(Entry::new(&key(number), NewValue::Object(hash.into()), None));
    }
    let bytes = (resident() - before) as f64 / count as f64;
    println!("a small hash of five fields with its entry and a slot: {bytes:.1} bytes");
}

/// Prints a row of [`members`] or [`fields`].
fn report(what: &str, elements: u64, bytes: f64, add: f64, is_there: impl Fn(&[u8]) -> bool) {
    let order = shuffled(elements, 3);
    let find = |first: u64| {
        let names: Vec<_> = order.iter().map(|n| format!("m{:013}", n + first)).collect();
        nanoseconds(elements, || {
            let found = names.iter().filter(|name| is_there(name.as_bytes())).count();
            black_box(found);
        })
    };
    let (hit, miss) = (find(0), find(elements));
    println!(
        "{what:24} {elements:8}: {bytes:.1} bytes, add {add:.1} ns, hit {hit:.1}, miss {miss:.1}"
    );
}

/// The resident set of this process in bytes.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").expect("Linux has it");
    let pages = text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.expect("the second number is the resident set") * 4096
}

/// CPU time of this thread in nanoseconds: what others do on the machine hardly shows.
fn cpu_time() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

fn nanoseconds(operations: u64, work: impl FnOnce()) -> f64 {
    let start = cpu_time();
    work();
    (cpu_time() - start) / operations as f64
}

fn shuffled(keys: u64, seed: u64) -> Vec<u64> {
    let mut order: Vec<u64> = (0..keys).collect();
    Rng::seed(seed).shuffle(&mut order);
    order
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

fn times_of_tables(keys: u64, tables: usize) -> [f64; 5] {
    let mut shards: Vec<KeyTable> = (0..tables).map(|_| KeyTable::new()).collect();
    let shard = |position: u64| (position >> 56) as usize % tables;
    let (order, other) = (shuffled(keys, 1), shuffled(keys, 2));
    let insert = nanoseconds(keys, || {
        for &number in &order {
            let (key, value) = (key(number), [b'v'; 16]);
            let at = position(&key);
            let entry = Entry::new(&key, NewValue::Bytes(&value), None);
            shards[shard(at)].insert(at, entry, &position);
        }
    });
    let find = |from: u64| {
        nanoseconds(keys, || {
            for &number in &other {
                let key = key(number + from);
                let at = position(&key);
                black_box(shards[shard(at)].find(at, &key).map(|entry| entry.value()));
            }
        })
    };
    let hit = median((0..5).map(|_| find(0)).collect());
    let miss = median((0..5).map(|_| find(5_000_000)).collect());
    let batched = || {
        nanoseconds(keys, || {
            for batch in other.chunks(16) {
                let keys: Vec<_> = batch.iter().map(|&n| (key(n), position(&key(n)))).collect();
                for hint in [KeyTable::bucket_hint, KeyTable::entry_hint] {
                    let hints = keys.iter().filter_map(|(_, at)| hint(&shards[shard(*at)], *at));
                    hints.for_each(Hint::fetch);
                }
                for (key, at) in &keys {
                    black_box(shards[shard(*at)].find(*at, key).map(|entry| entry.value()));
                }
            }
        })
    };
    let batched = median((0..5).map(|_| batched()).collect());
    let remove = nanoseconds(keys, || {
        for &number in &other {
            let key = key(number);
            let at = position(&key);
            shards[shard(at)].remove(at, &key, &position);
        }
    });
    [insert, hit, batched, miss, remove]
}

/// The same with a hash table of pointers to the same entries, hashed alike.
fn times_of_hashbrown(keys: u64) -> [f64; 5] {
    let mut table = hashbrown::HashTable::<Entry>::new();
    let (order, other) = (shuffled(keys, 1), shuffled(keys, 2));
    let insert = nanoseconds(keys, || {
        for &number in &order {
            let (key, value) = (key(number), [b'v'; 16]);
            let entry = Entry::new(&key, NewValue::Bytes(&value), None);
            table.insert_unique(position(&key), entry, |entry| position(entry.key()));
        }
    });
    let find = |from: u64| {
        nanoseconds(keys, || {
            for &number in &other {
                let key = key(number + from);
                let found = table.find(position(&key), |entry| entry.key() == key);
                black_box(found.map(Entry::value));
            }
        })
    };
    let hit = median((0..5).map(|_| find(0)).collect());
    let miss = median((0..5).map(|_| find(5_000_000)).collect());
    let remove = nanoseconds(keys, || {
        for &number in &other {
            let key = key(number);
            let found = table.find_entry(position(&key), |entry| entry.key() == key);
            found.expect("every key is there").remove();
        }
    });
    [insert, hit, f64::NAN, miss, remove]
}

/// Reclaims keys whose deadlines are spread over ten seconds, in simulated time.
fn expiry(keys: u64) {
    let mut shards: Vec<KeyTable> = (0..256).map(|_| KeyTable::new()).collect();
    let mut rng = Rng::seed(3);
    for number in 0..keys {
        let key = key(number);
        let at = position(&key);
        let deadline = Some(rng.below(10_000));
        let entry = Entry::new(&key, NewValue::Bytes(&[b'v'; 16]), deadline);
        shards[(at >> 56) as usize].insert(at, entry, &position);
    }
    for slack in [250, 500, 750] {
        let mut removed = 0;
        let start = cpu_time();
        for now in (0..=11_000).step_by(100) {
            for table in &mut shards {
                while table.expire_due(now, slack, 1000, &position, |_| removed += 1) {}
            }
        }
        if removed > 0 {
            let each = (cpu_time() - start) / removed as f64;
            println!("expiry with {slack} ms of slack: {each:.1} ns per key ({removed} keys)");
        }
        for number in 0..if slack < 750 { keys } else { 0 } {
            let key = key(number);
            let at = position(&key);
            let deadline = Some(rng.below(10_000));
            let entry = Entry::new(&key, NewValue::Bytes(&[b'v'; 16]), deadline);
            shards[(at >> 56) as usize].insert(at, entry, &position);
        }
    }
}
