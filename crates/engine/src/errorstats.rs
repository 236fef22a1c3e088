//! Error replies by code (`INFO errorstats`), bounded: codes can come from scripts and modules.

use std::collections::BTreeMap;

/// Different codes that are counted, as in Redis.
pub const CODES_MAX: usize = 128;

/// Error counts of one thread.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorStats {
    by_code: BTreeMap<Box<str>, u64>,
}

impl ErrorStats {
    /// Counts an error reply with this code.
    pub fn count(&mut self, code: &str) {
        if let Some(count) = self.by_code.get_mut(code) {
            *count += 1;
        } else if self.by_code.len() < CODES_MAX {
            self.by_code.insert(code.into(), 1);
        }
    }

    /// Adds another thread's counts.
    pub fn merge(&mut self, other: &Self) {
        for (code, count) in &other.by_code {
            *self.by_code.entry(code.clone()).or_default() += count;
        }
    }

    /// Codes and counts, by code.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.by_code.iter().map(|(code, count)| (&**code, *count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_codes_is_bounded() {
        let mut stats = ErrorStats::default();
        (0..1000).for_each(|i| stats.count(&format!("CODE{i}")));
        stats.count("CODE0");
        assert_eq!(stats.iter().count(), CODES_MAX);
        assert_eq!(stats.iter().find(|(code, _)| *code == "CODE0"), Some(("CODE0", 2)));
    }
}
