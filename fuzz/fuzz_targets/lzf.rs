//! LZF: any bytes may be offered for decompression; what was compressed comes back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stdx::lzf::{compress, decompress};

fuzz_target!(|input: (u32, &[u8])| {
    let (len, bytes) = input;
    // A stream that is accepted has the announced length, and is one way to write its output.
    if let Ok(output) = decompress(bytes, len as usize) {
        assert_eq!(output.len(), len as usize);
        let again = compress(&output, usize::MAX).expect("without a limit it always fits");
        assert_eq!(decompress(&again, output.len()), Ok(output));
    }
    let packed = compress(bytes, usize::MAX).expect("without a limit it always fits");
    assert_eq!(decompress(&packed, bytes.len()).as_deref(), Ok(bytes));
    // A stream cut short cannot have the whole length.
    if let Some((_, cut)) = packed.split_last() {
        assert!(decompress(cut, bytes.len()).is_err());
    }
});
