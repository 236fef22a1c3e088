//! The hash table of hashes and sets against a map: insertions, new values, deadlines, expiry,
//! removals and clones, with values of all forms.
#![no_main]

use std::collections::{BTreeMap, BTreeSet};

use collections::hash_table::{ElementRef, HashTable};
use libfuzzer_sys::fuzz_target;
use stdx::rng::Rng;

/// Values and deadlines.
type Model = BTreeMap<Vec<u8>, (Vec<u8>, Option<u64>)>;

fn whole(element: ElementRef<'_>) -> (Vec<u8>, (Vec<u8>, Option<u64>)) {
    (element.name().to_vec(), (element.value().to_vec(), element.deadline()))
}

fn contents(table: &HashTable) -> Model {
    table.iter().map(whole).collect()
}

/// Removes what is due from both.
fn expire(table: &mut HashTable, model: &mut Model, now: u64, budget: usize) {
    let mut gone = BTreeSet::new();
    while table.earliest().is_some_and(|earliest| earliest <= now) {
        table.expire(now, budget, &mut |name| assert!(gone.insert(name.to_vec())));
    }
    model.retain(|name, (_, deadline)| deadline.is_none_or(|at| at > now) || !gone.remove(name));
    assert!(gone.is_empty(), "only what is due goes");
    assert!(model.values().all(|(_, deadline)| deadline.is_none_or(|at| at > now)));
}

fuzz_target!(|input: (u64, Vec<(u8, u8, u16)>)| {
    let (seed, steps) = input;
    let (mut table, mut model, mut rng) = (HashTable::new(seed), Model::new(), Rng::seed(seed));
    let mut frozen = Vec::new();
    for (step, first, size) in steps {
        let value = vec![first; usize::from(size) % 600];
        match step % 8 {
            // A run of names, so that the table grows and shrinks in few steps.
            0..=1 => (0..size % 300).for_each(|number| {
                let name = [&[first][..], &number.to_le_bytes()].concat();
                let new = model.insert(name.clone(), (value.clone(), None)).is_none();
                assert_eq!(table.insert(&name, Some(&value)), new);
            }),
            2 => (0..size % 300).for_each(|number| {
                let name = [&[first][..], &number.to_le_bytes()].concat();
                assert_eq!(table.remove(&name), model.remove(&name).is_some());
            }),
            3 => {
                assert_eq!(table.insert(&value, Some(&value)), !model.contains_key(&value));
                model.insert(value.clone(), (value, None));
            }
            5 => (0..size % 300).for_each(|number| {
                let name = [&[first][..], &number.to_le_bytes()].concat();
                let Some(place) = table.place_of(&name) else { return };
                let deadline = (number % 5 > 0).then_some(u64::from(number) % 64 + 1);
                match number % 2 {
                    0 => table.set_deadline(place, deadline),
                    _ => table.set_value(place, &value, deadline),
                }
                let entry = model.get_mut(&name).expect("the table has it");
                entry.1 = deadline;
                if number % 2 == 1 {
                    entry.0.clone_from(&value);
                }
            }),
            6 => expire(&mut table, &mut model, u64::from(first % 70), 1 + usize::from(size) % 99),
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
            scanned.extend([whole(element)]);
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
