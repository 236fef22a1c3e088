//! Randomness from the system: the only source of unpredictable numbers in the program.

use rustix::rand::{GetRandomFlags, getrandom};

/// Two fresh random words.
///
/// # Panics
/// When the system has no randomness: a key hash that attackers can predict is no choice.
pub fn fresh() -> [u64; 2] {
    [word(), word()]
}

fn word() -> u64 {
    let mut bytes = [0u8; 8];
    // Up to 256 bytes arrive whole and without interruption.
    let filled = getrandom(&mut bytes, GetRandomFlags::empty())
        .expect("the system gives random bytes to every process");
    assert_eq!(filled, bytes.len(), "small requests for random bytes are answered whole");
    u64::from_ne_bytes(bytes)
}

/// Forty random hexadecimal digits, the identity of one run of the server.
pub fn run_id() -> String {
    let [first, second] = fresh();
    let [third, _] = fresh();
    format!("{first:016x}{second:016x}{:08x}", third >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_differ_and_have_forty_digits() {
        let (one, other) = (run_id(), run_id());
        assert_ne!(one, other);
        assert_eq!(one.len(), 40);
        assert!(one.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}
