//! A script: its text, its digest, and what its first line says of it.

use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use sha1::{Digest, Sha1};

use crate::shebang::{self, ShebangError};

/// The SHA-1 digest of a script's text, as clients write it: forty hexadecimal digits, in lower
/// case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sha([u8; 40]);

impl Hash for Sha {
    /// Any part of a digest is as good as the whole.
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        let (first, _) = self.0.split_at(8);
        state.write_u64(u64::from_le_bytes(first.try_into().expect("eight bytes")));
    }
}

impl Sha {
    /// The digest of a text.
    #[must_use]
    pub fn of(text: &[u8]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut hex = [0; 40];
        for (pair, byte) in hex.chunks_exact_mut(2).zip(Sha1::digest(text)) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        Self(hex)
    }

    /// From forty digits in either case. Whether they are digits is not looked at: what is none is
    /// no script's digest.
    #[must_use]
    #[inline]
    pub fn parse(digits: &[u8]) -> Option<Self> {
        let digits: &[u8; 40] = digits.try_into().ok()?;
        Some(Self(digits.map(|digit| digit.to_ascii_lowercase())))
    }

    /// Forty hexadecimal digits, in lower case.
    #[must_use]
    pub const fn hex(&self) -> &[u8; 40] {
        &self.0
    }
}

/// What a script or a function promises, or asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u8);

impl Flags {
    /// It changes nothing.
    pub const NO_WRITES: Self = Self(1);
    /// It may run above `maxmemory`.
    pub const ALLOW_OOM: Self = Self(2);
    /// It may run on a replica whose data is stale.
    pub const ALLOW_STALE: Self = Self(4);
    /// It does not run in a cluster.
    pub const NO_CLUSTER: Self = Self(8);
    /// It may touch keys of several slots.
    pub const ALLOW_CROSS_SLOT_KEYS: Self = Self(16);
    /// It says nothing of itself: each of its commands is judged alone, as before there were flags.
    pub const COMPATIBLE: Self = Self(32);

    /// Flags and the words for them.
    pub const WORDS: [(Self, &'static str); 5] = [
        (Self::NO_WRITES, "no-writes"),
        (Self::ALLOW_OOM, "allow-oom"),
        (Self::ALLOW_STALE, "allow-stale"),
        (Self::NO_CLUSTER, "no-cluster"),
        (Self::ALLOW_CROSS_SLOT_KEYS, "allow-cross-slot-keys"),
    ];

    /// No promise at all.
    pub const NONE: Self = Self(0);

    /// The flag that `word` names.
    #[must_use]
    pub fn from_word(word: &[u8]) -> Option<Self> {
        let found = Self::WORDS.iter().find(|(_, name)| name.as_bytes() == word);
        found.map(|(flag, _)| *flag)
    }

    /// The flags that the first line of a script declares; none if it cannot be understood.
    #[must_use]
    pub fn declared_in(text: &[u8]) -> Option<Self> {
        shebang::parse(text).ok().map(|shebang| shebang.flags)
    }

    /// The words for the flags that are set.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        Self::WORDS.into_iter().filter(move |(flag, _)| self.has(*flag)).map(|(_, word)| word)
    }

    /// Both together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` is in it.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// A script that the server knows.
#[derive(Debug)]
pub struct Script {
    /// Its digest.
    pub sha: Sha,
    /// Its text, first line included.
    pub text: Box<[u8]>,
    /// Where the part that Lua reads begins.
    pub body: usize,
    /// What its first line says.
    pub flags: Flags,
    /// It has touched keys that it did not declare while others held them: from now on it runs
    /// under all locks from the start.
    pub reaches: AtomicBool,
    /// The server has forgotten it.
    pub(crate) forgotten: AtomicBool,
    /// When it was used last, in uses of the cache.
    pub(crate) used: AtomicU64,
}

impl Script {
    /// Reads the first line of a text.
    ///
    /// # Errors
    /// If it begins like a shebang and is none that we know.
    pub fn parse(text: &[u8], sha: Sha) -> Result<Self, ShebangError> {
        let shebang::Shebang { body, flags } = shebang::parse(text)?;
        Ok(Self {
            sha,
            text: text.into(),
            body,
            flags,
            reaches: AtomicBool::new(false),
            forgotten: AtomicBool::new(false),
            used: AtomicU64::new(u64::MAX),
        })
    }

    /// What Lua reads.
    #[must_use]
    pub fn source(&self) -> &[u8] {
        &self.text[self.body..]
    }

    /// Whether the server has forgotten it.
    #[must_use]
    #[inline]
    pub fn is_forgotten(&self) -> bool {
        self.forgotten.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_read_in_either_case_and_printed_in_lower() {
        let sha = Sha::of(b"return 1");
        assert_eq!(sha.hex(), b"e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
        assert_eq!(Sha::parse(b"E0E1F9FABFC9D4800C877A703B823AC0578FF8DB"), Some(sha));
        assert_eq!(Sha::parse(b"e0e1"), None);
        assert_ne!(Sha::parse(b"e\x10e1f9fabfc9d4800c877a703b823ac0578ff8db"), Some(sha));
    }
}
