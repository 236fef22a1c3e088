//! The two checksums of the Redis formats: CRC-16/XMODEM places keys into cluster slots,
//! CRC-64 with the Jones polynomial guards RDB files and DUMP payloads.

use crc::{CRC_16_XMODEM, Crc, Table};
use crc_fast::{CrcAlgorithm, Digest};

/// A sliced table: sixteen bytes a step, at the price of 8 KiB of constants.
static CRC16: Crc<u16, Table<16>> = Crc::<u16, Table<16>>::new(&CRC_16_XMODEM);

/// The number of hash slots of a cluster.
pub const SLOT_COUNT: u16 = 16_384;

/// CRC-16/XMODEM of `bytes`.
pub fn crc16(bytes: &[u8]) -> u16 {
    CRC16.checksum(bytes)
}

/// The cluster slot of `key`, below [`SLOT_COUNT`].
///
/// When the key has a `{`, a later `}` and at least one byte between the first such pair, only
/// the bytes between them are hashed: that is how users put keys into the same slot.
pub fn key_slot(key: &[u8]) -> u16 {
    crc16(hash_tag(key)) % SLOT_COUNT
}

/// The part of `key` that decides its slot.
fn hash_tag(key: &[u8]) -> &[u8] {
    let Some(open) = memchr::memchr(b'{', key) else { return key };
    let rest = &key[open + 1..];
    match memchr::memchr(b'}', rest) {
        None | Some(0) => key,
        Some(close) => &rest[..close],
    }
}

/// The CRC-64 of the RDB format over several pieces: `crc64(crc64(0, a), b)` is the checksum of
/// `a` followed by `b`. Start with zero.
pub fn crc64(previous: u64, bytes: &[u8]) -> u64 {
    let mut digest = Digest::new_with_init_state(CrcAlgorithm::Crc64Redis, previous);
    digest.update(bytes);
    digest.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_check_values() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
        assert_eq!(crc64(0, b"123456789"), 0xe9c6_d914_c4b8_d9ca);
        assert_eq!(crc64(0, b""), 0);
    }

    #[test]
    fn crc64_continues_where_it_stopped() {
        let text = b"This is a test of the emergency broadcast system.";
        for cut in 0..=text.len() {
            let (head, tail) = text.split_at(cut);
            assert_eq!(crc64(crc64(0, head), tail), crc64(0, text), "cut at {cut}");
        }
    }

    #[test]
    fn only_the_first_closed_tag_counts() {
        assert_eq!(key_slot(b"{user1000}.following"), key_slot(b"user1000"));
        assert_eq!(key_slot(b"foo{bar}{zap}"), key_slot(b"bar"));
        assert_eq!(key_slot(b"foo{{bar}}zap"), key_slot(b"{bar"));
        for whole in [&b"foo{}{bar}"[..], b"foo{bar", b"foo}bar{", b"", b"{}"] {
            assert_eq!(key_slot(whole), crc16(whole) % SLOT_COUNT);
        }
    }

    #[test]
    fn slots_of_a_reference_server() {
        // CLUSTER KEYSLOT of Redis 7.
        assert_eq!(key_slot(b"foo"), 12182);
        assert_eq!(key_slot(b"bar"), 5061);
        assert_eq!(key_slot(b"somekey"), 11058);
        assert_eq!(key_slot(b"foo{hash_tag}"), 2515);
    }
}
