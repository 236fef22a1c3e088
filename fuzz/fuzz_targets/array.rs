//! The array against a map: changes at near and far indices, ranges, rings, and clones that must
//! stay as they are.
#![no_main]

use std::collections::BTreeMap;

use collections::array::{Array, Digits, INDEX_MAX, Limits, Removed};
use libfuzzer_sys::fuzz_target;

type Model = BTreeMap<u64, Vec<u8>>;

fn contents(array: &Array, backwards: bool) -> Vec<(u64, Vec<u8>)> {
    let mut out = Vec::new();
    array.visit(0..=INDEX_MAX, backwards, |index, element| -> Option<()> {
        out.push((index, element.text(&mut Digits::default()).to_vec()));
        None
    });
    out
}

/// Indices in a few slices, and far away.
fn index(near: u16, far: u8) -> u64 {
    match far {
        0..=200 => u64::from(near),
        _ => (u64::from(near) << (u32::from(far) % 49)).min(INDEX_MAX),
    }
}

fuzz_target!(|input: (u8, u8, u8, Vec<(u8, u16, u8, Vec<u8>)>)| {
    let (bits, sparse_max, sparse_min, steps) = input;
    let sparse_min = u32::from(sparse_min.min(sparse_max));
    let limits = Limits { slice_size: 1 << (bits % 20), sparse_max: sparse_max.into(), sparse_min };
    let (mut array, mut model) = (Array::default(), Model::new());
    let mut frozen = Vec::new();
    for (step, near, far, text) in steps {
        let at = index(near, far);
        match step % 8 {
            0..=2 => {
                assert_eq!(array.set(at, &text, &limits), !model.contains_key(&at));
                model.insert(at, text);
            }
            3 => assert_eq!(array.remove(at, &limits), model.remove(&at).is_some()),
            4 => {
                let (first, last) = (at.min(u64::from(near)), at);
                let gone: Vec<u64> = model.range(first..=last).map(|(index, _)| *index).collect();
                gone.iter().for_each(|index| drop(model.remove(index)));
                let mut removed = Removed::default();
                let count = array.remove_range(first..=last, &limits, &mut removed);
                assert_eq!(count, gone.len() as u64);
            }
            5 => {
                // What a ring does is described in the model test; here it must keep its size.
                let size = u64::from(near) % 300 + 1;
                let (last, _removed) = array.ring(size, [&text[..]].into_iter(), &limits);
                assert!(last < size && array.len() <= size);
                model = contents(&array, false).into_iter().collect();
                assert_eq!(model.get(&last), Some(&text));
            }
            6 => array.seek(at),
            _ => frozen.push((array.clone(), model.clone())),
        }
        assert_eq!(array.count(), model.len() as u64);
        assert_eq!(array.last_index(), model.last_key_value().map(|(index, _)| *index));
    }
    frozen.push((array, model));
    for (array, model) in &frozen {
        assert!(contents(array, false).into_iter().eq(model.clone()));
        assert!(contents(array, true).into_iter().rev().eq(model.clone()));
    }
});
