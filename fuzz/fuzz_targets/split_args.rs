//! Quoted words: cutting a line never fails on what was quoted, and gives it back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stdx::text::{quote, split_args};

fuzz_target!(|line: &[u8]| {
    assert_eq!(split_args(&quote(line)), Some(vec![line.to_vec()]));
    if let Some(words) = split_args(line) {
        let requoted: Vec<Vec<u8>> = words.iter().map(|word| quote(word)).collect();
        assert_eq!(split_args(&requoted.join(&b' ')), Some(words));
    }
});
