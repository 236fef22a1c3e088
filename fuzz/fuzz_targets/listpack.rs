//! Listpacks: untrusted bytes either are refused or can be read, searched and changed; and what is
//! made from elements is accepted and gives them back.
#![no_main]

use collections::listpack::{Item, Listpack, Needle, validate};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], Vec<(u8, u8, &[u8])>)| {
    let (bytes, steps) = input;
    let mut listpack = Listpack::from_untrusted(bytes).unwrap_or_default();
    for (step, place, text) in steps {
        let at = listpack.seek(i64::from(place as i8));
        match (step % 8, at) {
            (0, Some(at)) => listpack.insert_before(at, text),
            (1, Some(at)) => assert_eq!(Some(listpack.insert_after(at, text)), listpack.next(at)),
            (2, Some(at)) => listpack.replace(at, text),
            (3, Some(at)) => drop(listpack.remove(at)),
            (4, Some(at)) => drop(listpack.remove_many(at, text.len())),
            (5, at) => {
                if let Some(found) = listpack.find(at, Needle::new(text), usize::from(place % 3)) {
                    assert!(Needle::new(text).is(listpack.get(found)));
                }
            }
            (6, _) => listpack.push_front(text),
            _ => listpack.push_back(text),
        }
        assert_eq!(validate(listpack.as_bytes()), Ok(listpack.len()));
    }
    let forward: Vec<Item<'_>> = listpack.iter().collect();
    let mut backward: Vec<Item<'_>> = listpack.iter().rev().collect();
    backward.reverse();
    assert_eq!(forward, backward);
});
