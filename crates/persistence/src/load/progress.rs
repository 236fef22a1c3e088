//! How far a load is, for whoever asks meanwhile.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of a load.
#[derive(Debug)]
pub struct Progress {
    total: u64,
    loaded: AtomicU64,
    keys: AtomicU64,
}

impl Progress {
    pub(super) const fn new(total: u64) -> Self {
        Self { total, loaded: AtomicU64::new(0), keys: AtomicU64::new(0) }
    }

    pub(super) fn add(&self, keys: u64, bytes: u64) {
        self.keys.fetch_add(keys, Ordering::Relaxed);
        self.loaded.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Length of the file in bytes.
    #[must_use]
    pub const fn total_bytes(&self) -> u64 {
        self.total
    }

    /// Bytes of it that are loaded.
    #[must_use]
    pub fn loaded_bytes(&self) -> u64 {
        self.loaded.load(Ordering::Relaxed)
    }

    /// Keys that are loaded.
    #[must_use]
    pub fn keys(&self) -> u64 {
        self.keys.load(Ordering::Relaxed)
    }
}
