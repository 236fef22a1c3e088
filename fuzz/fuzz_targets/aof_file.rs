//! The reader of append-only files: whatever the bytes, it ends, in pieces as at once; what it
//! calls whole is whole, and a file that is cut there has nothing wrong with it.
#![no_main]

use std::io::{self, Read};

use libfuzzer_sys::fuzz_target;
use persistence::aof::{End, Item, Reader};

/// Gives a few bytes at a time.
struct Pieces<'a> {
    rest: &'a [u8],
    piece: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.piece.min(self.rest.len()).min(buffer.len());
        let (now, rest) = self.rest.split_at(count);
        buffer[..count].copy_from_slice(now);
        self.rest = rest;
        Ok(count)
    }
}

/// What is in the file, how it ends, and where its whole part does.
fn read(source: impl Read) -> (Vec<String>, String, u64) {
    let mut reader = Reader::new(source, 0);
    let (mut items, mut whole) = (Vec::new(), 0);
    loop {
        match reader.next_item() {
            Ok(Item::Command(args)) => items.push(format!("{args:?}")),
            Ok(Item::Timestamp(time)) => items.push(format!("@{time}")),
            Err(End::Failed(error)) => panic!("memory cannot fail: {error}"),
            Err(end) => return (items, format!("{end:?}"), whole),
        }
        assert!(reader.offset() > whole, "an item takes bytes");
        whole = reader.offset();
    }
}

fuzz_target!(|input: (u8, &[u8])| {
    let (piece, bytes) = input;
    let at_once = read(bytes);
    let piece = usize::from(piece).max(1);
    assert_eq!(read(Pieces { rest: bytes, piece }), at_once);
    let (items, _, whole) = at_once;
    let whole = usize::try_from(whole).expect("the file is in memory");
    assert_eq!(read(&bytes[..whole]), (items, "Whole".to_owned(), whole as u64));
});
