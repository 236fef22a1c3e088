//! `maxmemory-clients`: what all clients together may take of the memory, and who goes if it is
//! more.
//!
//! With a limit, each event loop notes after a connection's turn what that client takes; the
//! difference to what was noted before goes into one sum. Who sees the sum above the limit closes
//! the largest clients until it is not. Without a limit nothing is noted: a turn asks one word
//! whether there is one.

use std::cmp::Reverse;
use std::sync::atomic::{AtomicU64, Ordering};

use config::rows;
use parking_lot::Mutex;

use crate::clients::{ClientFlags, ClientHandle};
use crate::engine::Engine;
use crate::platform::LogLevel;

/// The limit and what counts against it, in bytes.
#[derive(Debug, Default)]
pub(crate) struct ClientMemory {
    /// 0 for none.
    limit: AtomicU64,
    /// Of all connected clients, as noted.
    total: AtomicU64,
    /// Clients that were closed for it.
    evicted: AtomicU64,
    /// Held by the one who chooses.
    evicting: Mutex<()>,
}

impl ClientMemory {
    /// Clients that were closed because all together took too much.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted.load(Ordering::Relaxed)
    }

    /// `CONFIG RESETSTAT`.
    pub(crate) fn reset_stats(&self) {
        self.evicted.store(0, Ordering::Relaxed);
    }

    fn is_exceeded(&self) -> bool {
        let limit = self.limit.load(Ordering::Relaxed);
        limit > 0 && self.total.load(Ordering::Relaxed) > limit
    }

    /// Replaces what a client counts for. Each difference is added once, in whatever order two
    /// threads note the same client, so the sum is right when all have.
    fn note(&self, client: &ClientHandle, bytes: u64) {
        let before = client.noted_memory.swap(bytes, Ordering::Relaxed);
        self.total.fetch_add(bytes.wrapping_sub(before), Ordering::Relaxed);
    }

    /// A client is gone.
    pub(crate) fn forget(&self, client: &ClientHandle) {
        self.note(client, 0);
    }
}

impl Engine {
    /// Whether the memory of clients is limited: then [`Engine::note_client_memory`] is to be
    /// called after each turn of a connection.
    #[inline]
    pub fn limits_client_memory(&self) -> bool {
        self.client_memory.limit.load(Ordering::Relaxed) > 0
    }

    /// Notes what a client takes, and closes the largest clients if all take too much together.
    /// False if this one is to be closed.
    pub fn note_client_memory(&self, client: &ClientHandle) -> bool {
        if client.killed.load(Ordering::Acquire) {
            return false;
        }
        self.client_memory.note(client, client.memory());
        if self.client_memory.is_exceeded() {
            self.evict_clients();
        }
        !client.killed.load(Ordering::Acquire)
    }

    /// Reads the limit anew and counts what all clients take.
    pub(crate) fn limit_client_memory(&self) {
        let limit = self.config.get(rows::MAXMEMORY_CLIENTS);
        let limit = limit.resolve(self.config.get(rows::MAXMEMORY));
        self.client_memory.limit.store(limit, Ordering::Relaxed);
        if limit == 0 {
            return;
        }
        // Who is gone is not among them any more, and is not noted again.
        self.clients.each(|client| self.client_memory.note(client, client.memory()));
        if self.client_memory.is_exceeded() {
            self.evict_clients();
        }
    }

    /// Closes the largest clients, but none that is protected, until the others fit.
    #[cold]
    fn evict_clients(&self) {
        let _one_at_a_time = self.client_memory.evicting.lock();
        let mut candidates = self.clients.all();
        candidates.retain(|client| !client.flags().has(ClientFlags::NO_EVICT));
        candidates
            .sort_by_cached_key(|client| Reverse(client.noted_memory.load(Ordering::Relaxed)));
        for client in candidates {
            if !self.client_memory.is_exceeded() {
                return;
            }
            let line = format!("Evicting client: {}", self.describe(&client));
            self.platform.log(LogLevel::Notice, &line);
            self.kill(&client, false);
            self.client_memory.evicted.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::{Clients, Endpoint};

    #[test]
    fn the_sum_follows_what_each_client_takes() {
        let (memory, clients) = (ClientMemory::default(), Clients::default());
        let one = clients.connect(0, Endpoint::default(), 0);
        let two = clients.connect(0, Endpoint::default(), 0);
        memory.note(&one, 100);
        memory.note(&two, 50);
        memory.note(&one, 30);
        assert_eq!(memory.total.load(Ordering::Relaxed), 80);
        assert!(!memory.is_exceeded());
        memory.limit.store(80, Ordering::Relaxed);
        assert!(!memory.is_exceeded());
        memory.note(&two, 51);
        assert!(memory.is_exceeded());
        memory.forget(&one);
        memory.forget(&one);
        memory.forget(&two);
        assert_eq!(memory.total.load(Ordering::Relaxed), 0);
    }
}
