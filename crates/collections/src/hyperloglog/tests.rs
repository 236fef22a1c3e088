//! Sketches against models: exact counts, the dense form, and the bytes of a reference server.

use std::env;

use stdx::crc::crc64;
use stdx::rng::Rng;

use super::*;

const SPARSE_BYTES_MAX: u64 = 3000;

fn seeded(test: &str, default: u64) -> (Rng, u64) {
    let seed = env::var("FERRITE_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(default);
    println!("seed {seed}; replay: FERRITE_SEED={seed} cargo test -p collections {test}");
    (Rng::seed(seed), seed)
}

fn add_text(sketch: &mut Sketch, text: &str) -> bool {
    sketch.add(Element::of(text.as_bytes()), SPARSE_BYTES_MAX).unwrap()
}

fn registers(view: View<'_>) -> Registers {
    let mut registers = Registers::default();
    registers.merge(view).unwrap();
    registers
}

/// A value with this header byte and these opcodes; its cache is stale.
fn value(encoding: u8, opcodes: &[u8]) -> Vec<u8> {
    [b"HYLL", &[encoding][..], &[0; 10], &[0x80], opcodes].concat()
}

#[test]
fn bytes_and_counts_are_those_of_redis() {
    // Elements e0, e1, ... added one at a time to redis-server 7.0.15: how many, then the length
    // and the CRC64 of GET before the count is cached, and PFCOUNT.
    const RECORDED: &[(usize, usize, u64, u64)] = &[
        (1, 21, 0xf843_b6af_9452_1c0f, 1),
        (2, 24, 0x0185_439e_6def_15e2, 2),
        (5, 33, 0x62a7_14b2_d591_c3e4, 5),
        (10, 48, 0xbc19_7c51_6b87_16ce, 10),
        (50, 157, 0x9283_2b99_e603_d710, 50),
        (100, 285, 0x5227_6311_7539_547f, 100),
        (200, 513, 0x8c78_fcd8_5ce3_481f, 200),
        (500, 1068, 0x3e9e_33a7_5374_e633, 506),
        (1000, 1906, 0xa854_f24b_8c58_c53a, 1008),
        (1500, 2719, 0x4017_2e59_8f56_b226, 1509),
        (2000, 12304, 0x0930_a944_3fda_0ec6, 2000),
        (3000, 12304, 0x9324_cc18_dfda_c34d, 2979),
        (10000, 12304, 0x93bf_8894_4388_f3d8, 9973),
    ];
    let mut sketch = Sketch::new();
    let mut added = 0;
    for &(elements, len, crc, count) in RECORDED {
        for number in added..elements {
            add_text(&mut sketch, &format!("e{number}"));
        }
        added = elements;
        let bytes = sketch.view().bytes;
        assert_eq!((bytes.len(), crc64(0, bytes)), (len, crc), "{elements} elements");
        assert_eq!(sketch.view().count(), Ok(count), "{elements} elements");
        // The reference counted here, which left the number beside the stale bit.
        set_cached(sketch.bytes.make_mut(), count);
        assert_eq!(sketch.view().cached(), Some(count));
    }
}

#[test]
fn a_merge_writes_the_bytes_of_redis() {
    let sketch_of = |prefix: char| {
        let mut sketch = Sketch::new();
        for number in 0..300 {
            add_text(&mut sketch, &format!("{prefix}{number}"));
        }
        sketch
    };
    let (mut a, b) = (sketch_of('a'), sketch_of('b'));
    let mut union = registers(a.view());
    union.merge(b.view()).unwrap();
    a.merge(&union, false, SPARSE_BYTES_MAX).unwrap();
    let mut new = Sketch::new();
    new.merge(&union, false, SPARSE_BYTES_MAX).unwrap();
    for sketch in [a, new] {
        let bytes = sketch.view().bytes;
        assert_eq!((bytes.len(), crc64(0, bytes)), (1218, 0x1459_c8db_db87_2731));
        assert_eq!(sketch.view().count(), Ok(603));
    }
}

#[test]
fn both_forms_hold_the_same_registers() {
    let (mut rng, seed) = seeded("both_forms_hold_the_same_registers", 11);
    for round in 0..40 {
        let limit = [0, 18, 200, 3000, 100_000][rng.index(5)];
        // Few registers and few ranks make runs meet, many make them split.
        let spread = [8, 100, REGISTERS][rng.index(3)];
        let ranks = [2, 8, 33, 51][rng.index(4)];
        let start = rng.index(REGISTERS - spread + 1);
        let mut sketch = Sketch::new();
        let mut dense = Sketch::new();
        assert_eq!(dense.make_dense(), Ok(true));
        let mut dense = dense.view().bytes.to_vec();
        for step in 0..rng.index(4000) {
            let index = (start + rng.index(spread)) as u16;
            let element = Element { index, rank: 1 + rng.index(ranks) as u8 };
            let context = format!("seed {seed} round {round} step {step} {element:?}");
            let in_place = updated_in_place(sketch.view(), element, limit);
            let raised = sketch.add(element, limit).unwrap();
            assert_eq!(raised, raise_dense(&mut dense, element), "{context}");
            if let Some(bytes) = in_place {
                assert_eq!(sketch.view().bytes, bytes, "{context}");
            }
            let len = sketch.view().bytes.len() as u64;
            let is_dense = sketch.view().encoding() == Encoding::Dense;
            assert!(is_dense || len <= limit.max(18), "{context}: {len} bytes");
        }
        let view = View::new(&dense).unwrap();
        assert_eq!(registers(sketch.view()), registers(view), "seed {seed} round {round}");
        assert_eq!(sketch.view().count(), view.count());
        assert_eq!(registers(view).count(), view.count().unwrap());
        sketch.make_dense().unwrap();
        assert_eq!(sketch.view().bytes[HEADER_BYTES..], dense[HEADER_BYTES..]);
    }
}

/// The value after an update where it is, if it can be updated so.
fn updated_in_place(view: View<'_>, element: Element, limit: u64) -> Option<Vec<u8>> {
    let mut bytes = view.bytes.to_vec();
    if view.encoding() == Encoding::Dense {
        let would_raise = view.would_raise_dense(element);
        assert_eq!(raise_dense(&mut bytes, element), would_raise);
        return Some(bytes);
    }
    match view.sparse_update(element, limit).unwrap() {
        SparseUpdate::Nothing => Some(bytes),
        SparseUpdate::Copy => None,
        SparseUpdate::InPlace(update) => {
            assert!(update.value_len() >= bytes.len());
            bytes.resize(update.value_len(), 0);
            update.apply(&mut bytes);
            Some(bytes)
        }
    }
}

#[test]
fn merging_in_order_writes_what_single_updates_write() {
    let (mut rng, seed) = seeded("merging_in_order_writes_what_single_updates_write", 12);
    for round in 0..60 {
        let (spread, ranks) = ([10, 300, REGISTERS][rng.index(3)], [2, 5, 32][rng.index(3)]);
        let start = rng.index(REGISTERS - spread + 1);
        let [mut a, mut b] = [Sketch::new(), Sketch::new()];
        for sketch in [&mut a, &mut b] {
            for _ in 0..rng.index(500) {
                let index = (start + rng.index(spread)) as u16;
                let element = Element { index, rank: 1 + rng.index(ranks) as u8 };
                sketch.add(element, 100_000).unwrap();
            }
        }
        let mut union = registers(a.view());
        union.merge(b.view()).unwrap();
        let mut one_by_one = Sketch::copy_of(a.view());
        for (index, &rank) in union.values().iter().enumerate().filter(|(_, rank)| **rank > 0) {
            one_by_one.add(Element { index: index as u16, rank }, 100_000).unwrap();
        }
        a.merge(&union, false, 100_000).unwrap();
        let context = format!("seed {seed} round {round}");
        assert_eq!(a.view().opcodes(), one_by_one.view().opcodes(), "{context}");
        assert_eq!(registers(a.view()), union, "{context}");
        let mut dense = Sketch::new();
        dense.merge(&union, true, 100_000).unwrap();
        assert_eq!(dense.view().encoding(), Encoding::Dense);
        assert_eq!(registers(dense.view()), union, "{context}");
        let mut short = Sketch::copy_of(b.view());
        short.merge(&union, false, 20).unwrap();
        assert_eq!(registers(short.view()), union, "{context}");
    }
}

#[test]
fn estimates_are_within_the_error() {
    let (mut rng, seed) = seeded("estimates_are_within_the_error", 13);
    let mut sketch = Sketch::new();
    let mut exact = std::collections::HashSet::new();
    for step in 1..=200_000u64 {
        let element = rng.below(150_000);
        exact.insert(element);
        sketch.add(Element::of(&element.to_be_bytes()), SPARSE_BYTES_MAX).unwrap();
        if step.is_power_of_two() || step.is_multiple_of(50_000) {
            let (count, distinct) = (sketch.view().count().unwrap(), exact.len() as u64);
            // Five standard errors, and collisions among few.
            let tolerance = distinct * 4 / 100 + 1;
            assert!(count.abs_diff(distinct) <= tolerance, "seed {seed}: {count} of {distinct}");
        }
    }
}

#[test]
fn foreign_headers_are_no_sketches() {
    let sparse = value(1, &[0x7f, 0xff]);
    assert_eq!(View::new(&sparse).unwrap().count(), Ok(0));
    assert!(View::new(&sparse[..HEADER_BYTES - 1]).is_none());
    assert!(View::new(b"").is_none());
    assert!(View::new(&[&b"hyll"[..], &sparse[4..]].concat()).is_none());
    assert!(View::new(&value(2, &[0x7f, 0xff])).is_none());
    assert!(View::new(&value(0, &[0; dense::DENSE_BYTES])).is_some());
    for len in [0, dense::DENSE_BYTES - 1, dense::DENSE_BYTES + 1] {
        assert!(View::new(&value(0, &vec![0; len])).is_none(), "{len} bytes of registers");
    }
}

#[test]
fn runs_that_do_not_add_up_are_corrupted() {
    // Nothing, too few, one too many, a value beyond the end, an opcode without its second byte.
    for opcodes in [&[][..], &[0x3f], &[0x7f, 0xff, 0x00], &[0x7f, 0xff, 0x80], &[0x7f]] {
        let bytes = value(1, opcodes);
        let view = View::new(&bytes).unwrap();
        assert_eq!(view.count(), Err(Corrupted), "{opcodes:?}");
        assert_eq!(Registers::default().merge(view), Err(Corrupted), "{opcodes:?}");
        assert_eq!(Sketch::copy_of(view).make_dense(), Err(Corrupted), "{opcodes:?}");
        let last = Element { index: REGISTERS as u16 - 1, rank: 33 };
        assert_eq!(Sketch::copy_of(view).add(last, 3000), Err(Corrupted), "{opcodes:?}");
    }
    let bytes = value(1, &[0x3f]);
    let view = View::new(&bytes).unwrap();
    let update = |index| view.sparse_update(Element { index, rank: 1 }, 3000);
    assert!(matches!(update(64), Err(Corrupted)));
    assert!(matches!(update(63), Ok(SparseUpdate::InPlace(_))));
    assert_eq!(view.describe().unwrap(), "z:64");
}

#[test]
fn arbitrary_opcodes_neither_panic_nor_escape() {
    let (mut rng, seed) = seeded("arbitrary_opcodes_neither_panic_nor_escape", 14);
    for round in 0..2000 {
        let mut opcodes = vec![0; rng.index(200)];
        rng.fill(&mut opcodes);
        let bytes = value(1, &opcodes);
        let view = View::new(&bytes).unwrap();
        let mut merged = Registers::default();
        assert_eq!(view.count().is_ok(), merged.merge(view).is_ok(), "seed {seed} round {round}");
        let mut sketch = Sketch::copy_of(view);
        for _ in 0..50 {
            let mut element = [0; 8];
            rng.fill(&mut element);
            let _ = sketch.add(Element::of(&element), 1000);
        }
        let _ = sketch.merge(&Registers::default(), false, 1000);
    }
}

#[test]
fn a_rank_beyond_a_run_makes_the_sketch_dense() {
    let mut sketch = Sketch::new();
    assert_eq!(sketch.add(Element { index: 7, rank: 32 }, 3000), Ok(true));
    assert_eq!(sketch.view().describe().unwrap(), "z:7 v:32,1 Z:16376");
    assert_eq!(sketch.add(Element { index: 9, rank: 33 }, 3000), Ok(true));
    assert_eq!(sketch.view().encoding(), Encoding::Dense);
    assert_eq!(sketch.view().describe(), None);
    let registers = registers(sketch.view());
    assert_eq!((registers.values()[7], registers.values()[9]), (32, 33));
}

#[test]
fn neighbours_join_up_to_four() {
    let mut sketch = Sketch::new();
    for index in [100, 102, 101, 103, 104, 99] {
        sketch.add(Element { index, rank: 3 }, 3000).unwrap();
    }
    assert_eq!(sketch.view().describe().unwrap(), "Z:99 v:3,1 v:3,4 v:3,1 Z:16279");
    sketch.add(Element { index: 101, rank: 4 }, 3000).unwrap();
    assert_eq!(sketch.view().describe().unwrap(), "Z:99 v:3,2 v:4,1 v:3,3 Z:16279");
}

#[test]
fn the_cache_is_stale_after_a_change_only() {
    let mut sketch = Sketch::new();
    assert_eq!(sketch.view().cached(), None, "a new one is about to be changed");
    assert!(add_text(&mut sketch, "a"));
    assert_eq!(sketch.view().cached(), None);
    let count = sketch.view().count().unwrap();
    set_cached(sketch.bytes.make_mut(), count);
    assert!(!add_text(&mut sketch, "a"));
    assert_eq!(sketch.view().cached(), Some(1));
}

#[test]
fn the_self_test_passes() {
    assert_eq!(self_test(), Ok(()));
}
