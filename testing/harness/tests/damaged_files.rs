//! RDB files that real servers wrote, cut and flipped at every byte: never taken for what they are
//! not, and never the end of the server that reads them.

use std::io::{Cursor, Read};

use format::rdb::Limits;
use persistence::Source;
use persistence::load::{Load, LoadError, Loaded, Options};
use store::load::Existing;
use store::{Access, Store};

const FILES: &[(&str, &[u8])] = &[
    ("redis-7.0", include_bytes!("../golden/rdb/redis-7.0.rdb")),
    ("redis-8-pre", include_bytes!("../golden/rdb/redis-8-pre.rdb")),
    ("valkey-8.1", include_bytes!("../golden/rdb/valkey-8.1.rdb")),
];

#[derive(Debug)]
struct Memory(Cursor<Vec<u8>>);

impl Read for Memory {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Source for Memory {
    fn len(&self) -> u64 {
        self.0.get_ref().len() as u64
    }
}

/// Loads into a store that has the keys of earlier loads, which are replaced.
fn load(store: &Store, file: &[u8], checks_crc: bool) -> Result<Loaded, LoadError> {
    let options = Options {
        now: 1_800_000_000_000,
        drops_expired: true,
        access: Access::default(),
        limits: Limits::defaults(7),
        checks_crc,
        existing: Existing::Replace,
        log: Box::new(|_| {}),
        before_key: None,
    };
    let load = Load::new(Box::new(Memory(Cursor::new(file.to_vec()))), options);
    load.work(store);
    load.finish()
}

#[test]
fn a_file_that_was_cut_anywhere_is_refused() {
    let store = Store::new(16, [1, 2]);
    for (name, file) in FILES {
        assert!(load(&store, file, true).is_ok(), "{name} is whole");
        for len in 0..file.len() {
            for checks_crc in [true, false] {
                assert!(load(&store, &file[..len], checks_crc).is_err(), "{name} cut to {len}");
            }
        }
    }
}

#[test]
fn a_file_with_any_bit_flipped_is_refused() {
    let store = Store::new(16, [1, 2]);
    for (name, file) in FILES {
        for bit in 0..file.len() * 8 {
            let mut damaged = file.to_vec();
            damaged[bit / 8] ^= 1 << (bit % 8);
            if (&b"REDIS0000"[..]..b"REDIS0005").contains(&&damaged[..9]) {
                // Of a version that had no checksum yet.
                continue;
            }
            let loaded = load(&store, &damaged, true);
            assert!(loaded.is_err(), "{name}, bit {} of byte {}", bit % 8, bit / 8);
        }
    }
}

/// Without the checksum nothing says that the file is damaged where it makes sense by chance. It
/// must be read to some end all the same.
#[test]
fn without_a_checksum_damage_may_be_taken_and_does_no_harm() {
    let store = Store::new(16, [1, 2]);
    let (mut taken, mut refused) = (0, 0);
    for (_, file) in FILES {
        for at in 0..file.len() {
            for value in [0, 1, 0x7F, 0x80, 0xC3, 0xFF, file[at].wrapping_add(1)] {
                let mut damaged = file.to_vec();
                damaged[at] = value;
                match load(&store, &damaged, false) {
                    Ok(_) => taken += 1,
                    Err(_) => refused += 1,
                }
            }
        }
    }
    assert!(taken > 100 && refused > 100, "{taken} taken, {refused} refused");
}
