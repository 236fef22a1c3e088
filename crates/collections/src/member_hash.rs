//! The hash of a member inside a collection.
//!
//! SipHash-1-3, keyed, because members come from clients and a guessable hash invites flooding. The
//! key is the process's: the program sets it once at its start from its entropy. Until then it is
//! zero, so that tests replay. All collections share it, which lets set operations hash a member
//! once.

use std::hash::Hasher;
use std::sync::OnceLock;

use siphasher::sip::SipHasher13;

static PROTOTYPE: OnceLock<SipHasher13> = OnceLock::new();

/// Sets the key, before the first collection is made: a member hashed under another key would not
/// be found again.
///
/// Returns whether this call set it; the first one, or the first hash, wins.
pub fn seed(key: [u64; 2]) -> bool {
    PROTOTYPE.set(SipHasher13::new_with_keys(key[0], key[1])).is_ok()
}

/// The hash of a member.
#[inline]
#[must_use]
pub fn member_hash(member: &[u8]) -> u64 {
    let mut hasher = *PROTOTYPE.get_or_init(|| SipHasher13::new_with_keys(0, 0));
    hasher.write(member);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_use_fixes_the_key() {
        let before = member_hash(b"member");
        assert!(!seed([1, 2]));
        assert_eq!(member_hash(b"member"), before);
        assert_ne!(member_hash(b"member"), member_hash(b"membes"));
    }
}
