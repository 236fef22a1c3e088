//! The scripts that the server knows, by digest: shared by all threads.
//!
//! What `SCRIPT LOAD` brought stays until `SCRIPT FLUSH`. What `EVAL` brought on its way stays
//! while it is among the last [`EVALUATED_MAX`] used, so that clients which build texts anew for
//! each call do not fill the memory. Threads keep compiled scripts with a reference to the entry
//! here; a script that is forgotten says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hashbrown::HashMap;
use parking_lot::Mutex;

use crate::script::{Script, Sha};

/// So many scripts that only `EVAL` brought are kept.
pub const EVALUATED_MAX: usize = 500;

/// What brought a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `SCRIPT LOAD`.
    Loaded,
    /// `EVAL` and its kin.
    Evaluated,
}

#[derive(Debug)]
struct Known {
    script: Arc<Script>,
    origin: Origin,
}

type Map = HashMap<Sha, Known, foldhash::fast::RandomState>;

/// The scripts by digest.
#[derive(Debug, Default)]
pub struct ScriptCache {
    known: Mutex<Map>,
    /// Counts uses: what orders them.
    uses: AtomicU64,
    /// Counts flushes: threads begin with a new interpreter after one.
    flushes: AtomicU64,
    evicted: AtomicU64,
    /// Bytes of texts and of what is kept for each.
    bytes: AtomicU64,
}

/// What a script costs beside its text: about the size of its entries in the maps.
const OVERHEAD: usize = 160;

impl ScriptCache {
    /// The script with this digest; it counts as used.
    #[must_use]
    pub fn find(&self, sha: &Sha) -> Option<Arc<Script>> {
        let script = self.known.lock().get(sha).map(|known| known.script.clone())?;
        self.touch(&script);
        Some(script)
    }

    /// Whether a script with this digest is known.
    #[must_use]
    pub fn contains(&self, sha: &Sha) -> bool {
        self.known.lock().contains_key(sha)
    }

    /// Notes that a script is used.
    #[inline]
    pub fn touch(&self, script: &Script) {
        // A counter of its own for each use would travel between cores; the order of scripts that
        // are used in the same instant does not matter.
        let last = self.uses.load(Ordering::Relaxed);
        if script.used.load(Ordering::Relaxed) != last {
            script.used.store(self.uses.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
        }
    }

    /// Adds a script, or finds the one with the same text. One that `EVAL` brought stays for good
    /// once it is loaded.
    pub fn add(&self, script: Arc<Script>, origin: Origin) -> Arc<Script> {
        let mut known = self.known.lock();
        if let Some(same) = known.get_mut(&script.sha) {
            if origin == Origin::Loaded {
                same.origin = Origin::Loaded;
            }
            let script = same.script.clone();
            drop(known);
            self.touch(&script);
            return script;
        }
        if origin == Origin::Evaluated {
            self.make_room(&mut known);
        }
        self.touch(&script);
        self.bytes.fetch_add((script.text.len() + OVERHEAD) as u64, Ordering::Relaxed);
        known.insert(script.sha, Known { script: script.clone(), origin });
        script
    }

    /// Forgets the script that was not used for the longest time, if `EVAL` brought as many as may
    /// be.
    fn make_room(&self, known: &mut Map) {
        let evaluated = |known: &&Known| known.origin == Origin::Evaluated;
        if known.values().filter(evaluated).count() < EVALUATED_MAX {
            return;
        }
        let oldest = known.values().filter(evaluated);
        let oldest = oldest.min_by_key(|known| known.script.used.load(Ordering::Relaxed));
        if let Some(sha) = oldest.map(|known| known.script.sha) {
            self.evicted.fetch_add(1, Ordering::Relaxed);
            if let Some(gone) = known.remove(&sha) {
                gone.script.forgotten.store(true, Ordering::Relaxed);
                let bytes = (gone.script.text.len() + OVERHEAD) as u64;
                self.bytes.fetch_sub(bytes, Ordering::Relaxed);
            }
        }
    }

    /// `SCRIPT FLUSH`: forgets all. The scripts come back, to be freed elsewhere.
    pub fn flush(&self) -> Vec<Arc<Script>> {
        let gone = std::mem::take(&mut *self.known.lock());
        self.bytes.store(0, Ordering::Relaxed);
        self.flushes.fetch_add(1, Ordering::Relaxed);
        let gone = gone.into_values().map(|known| known.script);
        gone.inspect(|script| script.forgotten.store(true, Ordering::Relaxed)).collect()
    }

    /// Number of flushes so far.
    #[must_use]
    #[inline]
    pub fn flushes(&self) -> u64 {
        self.flushes.load(Ordering::Relaxed)
    }

    /// Number of scripts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.lock().len()
    }

    /// Whether no script is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of scripts that had to make room.
    #[must_use]
    pub fn evicted(&self) -> u64 {
        self.evicted.load(Ordering::Relaxed)
    }

    /// Forgets how many there were (`CONFIG RESETSTAT`).
    pub fn reset_evicted(&self) {
        self.evicted.store(0, Ordering::Relaxed);
    }

    /// Bytes of the texts and of what is kept for each.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(text: &str) -> Arc<Script> {
        Arc::new(Script::parse(text.as_bytes(), Sha::of(text.as_bytes())).unwrap())
    }

    #[test]
    fn the_script_unused_for_longest_makes_room_and_loaded_ones_stay() {
        let cache = ScriptCache::default();
        let first = cache.add(script("return 0"), Origin::Evaluated);
        let second = cache.add(script("return 1"), Origin::Evaluated);
        let loaded = cache.add(script("return 'x'"), Origin::Loaded);
        let promoted = cache.add(script("return 'y'"), Origin::Evaluated);
        cache.add(script("return 'y'"), Origin::Loaded);
        for number in 2..EVALUATED_MAX {
            cache.add(script(&format!("return {number}")), Origin::Evaluated);
        }
        assert_eq!((cache.len(), cache.evicted()), (EVALUATED_MAX + 2, 0));
        assert!(cache.find(&first.sha).is_some(), "and counts as used");
        cache.add(script("return 'one more'"), Origin::Evaluated);
        assert_eq!((cache.len(), cache.evicted()), (EVALUATED_MAX + 2, 1));
        assert!(second.is_forgotten() && !cache.contains(&second.sha));
        assert!(!first.is_forgotten() && !loaded.is_forgotten() && !promoted.is_forgotten());
        let before = cache.flushes();
        assert_eq!(cache.flush().len(), EVALUATED_MAX + 2);
        assert!(cache.is_empty() && cache.bytes() == 0 && first.is_forgotten());
        assert_eq!(cache.flushes(), before + 1);
    }
}
