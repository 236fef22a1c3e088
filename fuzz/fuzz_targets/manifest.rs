//! The manifest of append-only files: what can be read is written so that it reads the same, and
//! names that could lead out of the directory are none.
#![no_main]

use libfuzzer_sys::fuzz_target;
use persistence::aof::Manifest;

fuzz_target!(|text: &[u8]| {
    let Ok(mut manifest) = Manifest::parse(text) else { return };
    for file in manifest.live().chain(&manifest.history) {
        assert!(!file.name.is_empty() && !file.name.contains('/') && file.seq > 0);
    }
    let written = manifest.text();
    if written.is_empty() {
        // Remarks only: no server writes that.
        return;
    }
    let again = Manifest::parse(&written).expect("what is written can be read");
    assert_eq!(again.text(), written);
    // A rewrite goes on from there, with numbers that were not used before.
    let highest = manifest.incrs.last().map_or(0, |file| file.seq);
    if highest < u64::MAX {
        let name = manifest.new_incr("a");
        assert!(manifest.incrs.last().is_some_and(|file| file.seq > highest && file.name == name));
        let again = Manifest::parse(&manifest.text()).expect("what is written can be read");
        assert_eq!(again.incrs, manifest.incrs);
    }
});
