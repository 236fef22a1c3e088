//! Number text: what parses is printed in a form that parses to the same number.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stdx::{num, size};

fuzz_target!(|text: &[u8]| {
    if let Some(value) = num::parse_i64(text) {
        assert_eq!(value.to_string().as_bytes(), text);
        assert_eq!(num::decimal_len(value), text.len());
    }
    if let Some(value) = num::parse_u64(text) {
        assert_eq!(value.to_string().as_bytes(), text);
        assert_eq!(num::parse_u64_lenient(text), Some(value));
        assert_eq!(size::parse_size(text), Some(value));
    }
    if let Some(value) = num::parse_f64(text) {
        for write in [num::write_f64, num::write_f64_17g] {
            let mut printed = Vec::new();
            write(&mut printed, value);
            assert_eq!(num::parse_f64(&printed), Some(value));
        }
    }
    if let Some(value) = num::LongDouble::parse(text) {
        let mut printed = Vec::new();
        value.write(&mut printed);
        let reread = num::LongDouble::parse(&printed).expect("what is printed parses");
        let mut reprinted = Vec::new();
        reread.write(&mut reprinted);
        assert_eq!(printed, reprinted);
    }
});
