//! The hash of names and members inside one collection, keyed, because they come from clients and
//! a hash that can be guessed invites flooding.

use siphasher::sip::SipHasher13;

/// The hash of `bytes` under `seed`, a secret random number.
#[inline]
pub(crate) fn keyed_hash(seed: u64, bytes: &[u8]) -> u64 {
    // The second key need not be secret: the first one has all the entropy there is.
    SipHasher13::new_with_keys(seed, !seed.rotate_left(32)).hash(bytes)
}
