//! Intsets: untrusted bytes either are refused or are a set, which then behaves like one.
#![no_main]

use std::collections::BTreeSet;

use collections::intset::Intset;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], Vec<(bool, i64)>)| {
    let (bytes, steps) = input;
    let mut set = Intset::from_untrusted(bytes).unwrap_or_default();
    let mut model: BTreeSet<i64> = set.iter().collect();
    for (insert, value) in steps {
        if insert {
            assert_eq!(set.insert(value), model.insert(value));
        } else {
            assert_eq!(set.remove(value), model.remove(&value));
        }
        assert_eq!(set.contains(value), insert);
        assert_eq!(set.len(), model.len());
    }
    assert!(set.iter().eq(model));
    assert!(Intset::from_untrusted(set.as_bytes()).is_ok());
});
