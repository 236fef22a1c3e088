//! Freeing what commands have removed: in the background, and known while it is under way to who
//! makes room.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use config::rows;
use store::effects::Garbage;

use crate::engine::Engine;

/// Entries of a flushed table that are freed in one step.
const DRAINED: usize = 4096;

impl Engine {
    /// Frees in the background.
    pub(crate) fn free(&self, garbage: Vec<Garbage>) {
        self.platform.background(self.freeing_task(garbage));
    }

    /// A task that frees `garbage` and counts what it freed. Until then the garbage counts as free
    /// where room is made.
    pub(crate) fn freeing_task(&self, garbage: Vec<Garbage>) -> Box<dyn FnOnce() + Send> {
        let is_limited = self.config.get(rows::MAXMEMORY) > 0;
        let bytes = |garbage: &Garbage| if is_limited { garbage.bytes_nearly() } else { 0 };
        let garbage: Vec<_> = garbage.into_iter().map(|it| (bytes(&it), it)).collect();
        let pending = Arc::clone(&self.eviction.pending);
        pending.fetch_add(garbage.iter().map(|(bytes, _)| bytes).sum(), Ordering::Relaxed);
        let freed = Arc::clone(&self.lazy_freed);
        Box::new(move || {
            for (bytes, garbage) in garbage {
                let objects = garbage.objects();
                free(garbage, bytes, &pending);
                freed.fetch_add(objects as u64, Ordering::Relaxed);
            }
        })
    }
}

/// Frees garbage that counts as so many bytes: a large table in steps.
fn free(garbage: Garbage, mut bytes: u64, pending: &AtomicU64) {
    if let Garbage::Table(mut table) = garbage {
        let (all, total) = (table.len() as u64, bytes);
        while !table.is_empty() {
            let drained = table.drain_some(DRAINED) as u64;
            let share = (u128::from(total) * u128::from(drained) / u128::from(all.max(1))) as u64;
            let share = share.min(bytes);
            pending.fetch_sub(share, Ordering::Release);
            bytes -= share;
        }
    } else {
        drop(garbage);
    }
    pending.fetch_sub(bytes, Ordering::Release);
}
