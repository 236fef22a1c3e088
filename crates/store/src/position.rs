//! A key's *position*: the 64-bit number that orders the keyspace.
//!
//! The top 8 bits name the shard, the rest orders the shard's key table. It is a keyed hash,
//! because keys come from clients and a hash that can be guessed invites flooding: SipHash-1-3,
//! which Rust's own maps use against that too. A cluster mode, which does not exist yet, would put
//! the key's hash slot into the top 14 bits: a slot is then one range of one shard.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

/// Number of shards: the values of a position's top byte.
pub const SHARDS: usize = 256;

/// The position of a key; see the module's text.
pub type Position = u64;

/// Makes positions from keys.
#[derive(Clone, Copy, Debug)]
pub struct KeyHasher {
    prototype: SipHasher13,
}

impl KeyHasher {
    /// A hasher keyed by `seed`, 128 random bits chosen at start.
    #[must_use]
    pub fn new(seed: [u64; 2]) -> Self {
        Self { prototype: SipHasher13::new_with_keys(seed[0], seed[1]) }
    }

    /// The position of `key`.
    #[inline]
    #[must_use]
    pub fn position(&self, key: &[u8]) -> Position {
        let mut hasher = self.prototype;
        hasher.write(key);
        hasher.finish()
    }
}

/// The shard of a position.
#[inline]
#[must_use]
pub const fn shard_of(position: Position) -> usize {
    (position >> 56) as usize
}
