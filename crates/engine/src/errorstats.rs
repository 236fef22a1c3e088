//! Error replies by code (`INFO errorstats`), bounded: codes can come from scripts and modules.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use crate::engine::Engine;
use crate::platform::LogLevel;

/// Different codes that are counted, as in Redis. One more, and counting ends.
pub const CODES_MAX: usize = 128;
/// The code that says so.
const DISABLED: &str = "ERRORSTATS_DISABLED";

/// Error counts of one thread.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorStats {
    by_code: BTreeMap<Box<str>, u64>,
    /// There were too many codes: none is counted any more.
    is_off: bool,
}

impl ErrorStats {
    /// Counts an error reply with this code. If it is one code too many, counting ends, and the
    /// codes so far are returned.
    pub fn count(&mut self, code: &str) -> Option<Vec<Box<str>>> {
        if self.is_off {
            return None;
        }
        if let Some(count) = self.by_code.get_mut(code) {
            *count += 1;
        } else if self.by_code.len() < CODES_MAX {
            self.by_code.insert(code.into(), 1);
        } else {
            self.is_off = true;
            return Some(std::mem::take(&mut self.by_code).into_keys().collect());
        }
        None
    }

    /// Adds another thread's counts.
    pub fn merge(&mut self, other: &Self) {
        self.is_off |= other.is_off;
        for (code, count) in &other.by_code {
            *self.by_code.entry(code.clone()).or_default() += count;
        }
    }

    /// Codes and counts, by code; that counting has ended, if it has.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        let counts = self.by_code.iter().filter(|_| !self.is_off);
        let disabled = self.is_off.then_some((DISABLED, 1));
        counts.map(|(code, count)| (&**code, *count)).chain(disabled)
    }
}

impl Engine {
    /// Counts an error reply with this code for an event loop.
    pub(crate) fn count_error(&self, code: &str, thread: usize) {
        let stats = self.stats.thread(thread);
        stats.error_replies.add(1);
        let Some(codes) = stats.errors.lock().count(code) else { return };
        let text = format!(
            "Errorstats stopped adding new errors because the number of errors reached the limit \
             ({CODES_MAX})."
        );
        self.platform.log(LogLevel::Warning, &text);
        let text = format!("Current errors code list: {}", codes.join(", "));
        self.platform.log(LogLevel::Warning, &text);
        // Tools know by this number that they are gone.
        self.lazy_freed.fetch_add(codes.len() as u64, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_codes_is_bounded() {
        let mut stats = ErrorStats::default();
        let code = |i: usize| format!("CODE{i:03}");
        assert!((0..CODES_MAX).all(|i| stats.count(&code(i)).is_none()));
        assert_eq!(stats.count(&code(0)), None);
        assert_eq!(stats.iter().next(), Some(("CODE000", 2)));
        let known = stats.count("ONE_TOO_MANY").unwrap();
        assert!(known.iter().map(|code| &**code).eq((0..CODES_MAX).map(code)));
        assert_eq!(stats.count("ANOTHER"), None);
        let mut all = ErrorStats::default();
        all.count("ERR");
        all.merge(&stats);
        assert_eq!(all.iter().collect::<Vec<_>>(), [(DISABLED, 1)]);
    }
}
