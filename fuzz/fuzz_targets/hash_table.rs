//! The hash table of hashes and sets against a map: insertions, new values, removals and clones,
//! with values of all forms.
#![no_main]

use std::collections::BTreeMap;

use collections::hash_table::HashTable;
use libfuzzer_sys::fuzz_target;
use stdx::rng::Rng;

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

fn contents(table: &HashTable) -> Model {
    table.iter().map(|element| (element.name().to_vec(), element.value().to_vec())).collect()
}

fuzz_target!(|input: (u64, Vec<(u8, u8, u16)>)| {
    let (seed, steps) = input;
    let (mut table, mut model, mut rng) = (HashTable::new(seed), Model::new(), Rng::seed(seed));
    let mut frozen = Vec::new();
    for (step, first, size) in steps {
        let value = vec![first; usize::from(size) % 600];
        match step % 6 {
            // A run of names, so that the table grows and shrinks in few steps.
            0..=1 => (0..size % 300).for_each(|number| {
                let name = [&[first][..], &number.to_le_bytes()].concat();
                let new = model.insert(name.clone(), value.clone()).is_none();
                assert_eq!(table.insert(&name, Some(&value)), new);
            }),
            2 => (0..size % 300).for_each(|number| {
                let name = [&[first][..], &number.to_le_bytes()].concat();
                assert_eq!(table.remove(&name), model.remove(&name).is_some());
            }),
            3 => {
                assert_eq!(table.insert(&value, Some(&value)), !model.contains_key(&value));
                model.insert(value.clone(), value);
            }
            4 => match table.sample(&mut rng) {
                Some(place) => {
                    assert!(model.remove(table.get(place).name()).is_some());
                    table.remove_at(place);
                }
                None => assert!(model.is_empty()),
            },
            _ => frozen.push((table.clone(), model.clone())),
        }
        assert_eq!(table.len(), model.len());
    }
    let (mut cursor, mut scanned) = (0, Model::new());
    loop {
        cursor = table.scan(cursor, |element| {
            scanned.insert(element.name().to_vec(), element.value().to_vec());
        });
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(scanned, model);
    frozen.push((table, model));
    for (table, model) in &frozen {
        assert_eq!(&contents(table), model);
    }
});
