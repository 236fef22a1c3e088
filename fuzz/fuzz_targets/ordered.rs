//! The ordered index against a map: changes, removals by member and by rank, scans and bounds, with
//! clones held while it is written.
#![no_main]

use std::collections::BTreeMap;

use collections::ordered::Ordered;
use libfuzzer_sys::fuzz_target;

/// Few members and few scores meet each other more often.
type Model = BTreeMap<u16, i8>;

fn in_order(model: &Model) -> Vec<(i8, [u8; 2])> {
    let mut order: Vec<_> = model.iter().map(|(m, score)| (*score, m.to_be_bytes())).collect();
    order.sort_unstable();
    order
}

fn check(index: &Ordered, model: &Model) {
    let order = in_order(model);
    assert_eq!(index.len(), order.len());
    let forward = index.range(0..index.len()).map(|item| (item.score() as i8, item.member()));
    assert!(forward.eq(order.iter().map(|(score, member)| (*score, &member[..]))));
    let backward = index.range(0..index.len()).rev().map(|item| item.member());
    assert!(backward.eq(order.iter().rev().map(|(_, member)| &member[..])));
}

fuzz_target!(|input: (u64, Vec<(u8, u16, i8)>)| {
    let (seed, steps) = input;
    let (mut index, mut model) = (Ordered::new(seed), Model::new());
    let mut frozen: Option<(Ordered, Model)> = None;
    for (step, member, score) in steps {
        let name = member.to_be_bytes();
        match step % 9 {
            0..=1 => {
                let old = index.insert(&name, f64::from(score)).map(|old| old as i8);
                assert_eq!(old, model.insert(member, score));
            }
            2 => (0..u16::from(score.unsigned_abs())).for_each(|more| {
                let member = member.wrapping_add(more * 7);
                index.insert(&member.to_be_bytes(), f64::from(score));
                model.insert(member, score);
            }),
            3 => {
                let old = index.remove(&name).map(|old| old as i8);
                assert_eq!(old, model.remove(&member));
            }
            4 if !index.is_empty() => {
                let start = usize::from(member) % index.len();
                let end = (start + usize::from(score.unsigned_abs())).min(index.len());
                for (_, member) in &in_order(&model)[start..end] {
                    model.remove(&u16::from_be_bytes(*member));
                }
                drop(index.remove_range(start..end));
                check(&index, &model);
            }
            5 => {
                let below = model.values().filter(|other| **other < score).count();
                assert_eq!(index.partition_point(|item| item.score() < f64::from(score)), below);
                let rank = in_order(&model).iter().position(|(_, other)| *other == name);
                assert_eq!(index.rank(&name).map(|(rank, _)| rank), rank);
            }
            6 => {
                let (mut cursor, mut seen) = (0, 0);
                loop {
                    cursor = index.scan(cursor, |_| seen += 1);
                    if cursor == 0 {
                        break;
                    }
                }
                assert_eq!(seen, model.len());
            }
            7 => match frozen.replace((index.clone(), model.clone())) {
                Some((old, expected)) if score > 0 => {
                    check(&old, &expected);
                    (index, model) = (old, expected);
                }
                Some((old, expected)) => check(&old, &expected),
                None => {}
            },
            _ => check(&index, &model),
        }
    }
    check(&index, &model);
    if let Some((old, expected)) = frozen {
        drop(index);
        check(&old, &expected);
    }
});
