//! Patterns and their subscribers.
//!
//! Most patterns begin with some literal bytes (`orders:eu:*`). They are kept by that prefix, so a
//! message is compared only with the patterns whose prefix its channel begins with.

use hashbrown::HashMap;
use stdx::glob;

use super::topics::Listeners;
use crate::prefix_map::PrefixMap;

/// Patterns with the same prefix, by their text.
type Texts = HashMap<Box<[u8]>, Listeners>;

/// The patterns that have subscribers.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    by_prefix: PrefixMap<Texts>,
    len: usize,
}

impl Patterns {
    /// Number of patterns.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Calls `found` with each pattern that matches `channel` and its subscribers.
    pub(super) fn matching(&self, channel: &[u8], mut found: impl FnMut(&[u8], &Listeners)) {
        for (pattern, listeners) in self.by_prefix.matching(channel).flat_map(|(_, texts)| texts) {
            if glob::matches(pattern, channel, false) {
                found(pattern, listeners);
            }
        }
    }

    pub(super) fn add(&mut self, pattern: &[u8], thread: usize, client: u64) {
        let patterns = self.by_prefix.get_or_default(prefix(pattern));
        let listeners = patterns.entry(pattern.into()).or_insert_with(|| {
            self.len += 1;
            Listeners::default()
        });
        listeners.add(thread, client);
    }

    pub(super) fn remove(&mut self, pattern: &[u8], thread: usize, client: u64) {
        let prefix = prefix(pattern);
        let Some(patterns) = self.by_prefix.get_mut(prefix) else { return };
        let Some(listeners) = patterns.get_mut(pattern) else { return };
        listeners.remove(thread, client);
        if !listeners.is_empty() {
            return;
        }
        patterns.remove(pattern);
        if patterns.is_empty() {
            self.by_prefix.remove(prefix);
        }
        self.len -= 1;
    }
}

/// The bytes that every match begins with.
fn prefix(pattern: &[u8]) -> &[u8] {
    let special = |&byte: &u8| matches!(byte, b'*' | b'?' | b'[' | b'\\');
    &pattern[..pattern.iter().position(special).unwrap_or(pattern.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(patterns: &Patterns, channel: &[u8]) -> Vec<String> {
        let mut found = Vec::new();
        patterns.matching(channel, |text, listeners| {
            found.push(format!("{} {}", String::from_utf8_lossy(text), listeners.len()));
        });
        found.sort();
        found
    }

    #[test]
    fn patterns_are_found_by_their_prefix_and_then_compared() {
        let mut patterns = Patterns::default();
        for text in ["*", "news.*", "news.?", "news.ab", "n[ef]ws.*", r"news\.a*", "old.*", ""] {
            patterns.add(text.as_bytes(), 0, 1);
        }
        patterns.add(b"news.*", 1, 2);
        assert_eq!(patterns.len(), 8);
        assert_eq!(
            found(&patterns, b"news.ab"),
            ["* 1", "n[ef]ws.* 1", "news.* 2", "news.ab 1", r"news\.a* 1"]
        );
        assert_eq!(found(&patterns, b"new"), ["* 1"]);
        assert_eq!(found(&patterns, b""), [" 1"]);
        for (text, client) in [("*", 1), ("news.*", 1), ("news.*", 9), ("nobody*", 1)] {
            patterns.remove(text.as_bytes(), 0, client);
        }
        assert_eq!(found(&patterns, b"news.x"), ["n[ef]ws.* 1", "news.* 1", "news.? 1"]);
        assert_eq!(patterns.len(), 7);
        for text in ["news.?", "news.ab", "n[ef]ws.*", r"news\.a*", "old.*", ""] {
            patterns.remove(text.as_bytes(), 0, 1);
        }
        patterns.remove(b"news.*", 1, 2);
        assert!(patterns.is_empty() && patterns.by_prefix.is_empty());
    }
}
