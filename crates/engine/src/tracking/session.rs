//! What a session remembers of its tracking, and how it is turned on and off.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Tracker;
use crate::clients::ClientFlags;
use crate::engine::Engine;
use crate::session::Session;

/// What a prefix takes beside its text: where it lies and how long it is.
const PREFIX_BYTES: usize = size_of::<Box<[u8]>>();

/// Which reads are remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Caching {
    /// All.
    #[default]
    All,
    /// Those right behind `CLIENT CACHING YES`.
    OptIn,
    /// All but those right behind `CLIENT CACHING NO`.
    OptOut,
}

/// How a client wants to be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mode {
    /// Of changes below prefixes, and not of what it has read.
    pub(crate) broadcast: bool,
    pub(crate) caching: Caching,
    /// Not of its own changes.
    pub(crate) no_loop: bool,
    /// The client that is told in its place; 0 for itself.
    pub(crate) redirect: u64,
}

/// A session's tracking. It stays when tracking is turned off, so that keys read before count when
/// it is turned on again.
#[derive(Debug)]
pub(crate) struct TrackingSession {
    tracker: Arc<Tracker>,
    on: bool,
    mode: Mode,
    /// Of broadcast mode.
    prefixes: Vec<Box<[u8]>>,
    /// `CLIENT CACHING` was called for the next command.
    pub(crate) next: bool,
}

impl TrackingSession {
    /// How the client wants to be told, unless tracking is off.
    pub(crate) fn mode(&self) -> Option<&Mode> {
        self.on.then_some(&self.mode)
    }

    /// The prefixes of broadcast mode.
    pub(crate) fn prefixes(&self) -> &[Box<[u8]>] {
        &self.prefixes
    }

    /// Memory of the prefixes, in bytes: each is kept here and among those of everybody.
    fn prefix_bytes(&self) -> u64 {
        let bytes = |prefix: &[u8]| (2 * (PREFIX_BYTES + prefix.len())) as u64;
        self.prefixes.iter().map(|prefix| bytes(prefix)).sum()
    }

    /// The number under which its reads are remembered, if it is told itself of their changes.
    pub(crate) fn told_itself(&self) -> Option<store::tracked::Reader> {
        let itself = self.on && !self.mode.broadcast && self.mode.redirect == 0;
        itself.then_some(self.tracker.number)
    }

    /// The number under which a read by the next command is remembered, if it is.
    pub(crate) fn reader(&self) -> Option<store::tracked::Reader> {
        let wanted = match self.mode.caching {
            Caching::All => true,
            Caching::OptIn => self.next,
            Caching::OptOut => !self.next,
        };
        (self.on && !self.mode.broadcast && wanted).then_some(self.tracker.number)
    }
}

impl Engine {
    /// Turns a session's tracking on, or changes its mode; prefixes are added to those it has.
    pub(crate) fn track(&self, session: &mut Session, mode: Mode, prefixes: &[&[u8]]) {
        let handle = session.handle.clone();
        let tracking = session.tracking.get_or_insert_with(|| {
            Box::new(TrackingSession {
                tracker: self.trackers.register(&handle),
                on: false,
                mode: Mode::default(),
                prefixes: Vec::new(),
                next: false,
            })
        });
        let tracker = &tracking.tracker;
        tracker.no_loop.store(mode.no_loop, Ordering::Relaxed);
        tracker.redirect.store(mode.redirect, Ordering::Relaxed);
        for prefix in prefixes {
            if !tracking.prefixes.iter().any(|known| **known == **prefix) {
                tracking.prefixes.push((*prefix).into());
                self.trackers.broadcasts.write().listen(prefix, tracker);
            }
        }
        handle.set_flag(ClientFlags::BROADCAST, mode.broadcast);
        handle.set_flag(ClientFlags::TRACKING, true);
        handle.set_flag(ClientFlags::BROKEN_REDIRECT, false);
        handle.redirect.store(mode.redirect as i64, Ordering::Relaxed);
        handle.buffers.prefixes.store(tracking.prefix_bytes(), Ordering::Relaxed);
        let was_on = std::mem::replace(&mut tracking.on, true);
        tracking.mode = mode;
        tracking.next = false;
        if !was_on && self.trackers.on.fetch_add(1, Ordering::Relaxed) == 0 {
            self.interest_changed();
        }
    }

    /// Turns a session's tracking off. Where no lock is held, [`Engine::forget_reads`] follows.
    pub(crate) fn untrack(&self, session: &mut Session) {
        let handle = session.handle.clone();
        let Some(tracking) = session.tracking.as_deref_mut().filter(|t| t.on) else { return };
        tracking.on = false;
        tracking.next = false;
        for prefix in tracking.prefixes.drain(..) {
            self.trackers.broadcasts.write().leave(&prefix, &tracking.tracker);
        }
        for flag in [ClientFlags::TRACKING, ClientFlags::BROADCAST, ClientFlags::BROKEN_REDIRECT] {
            handle.set_flag(flag, false);
        }
        handle.redirect.store(-1, Ordering::Relaxed);
        handle.buffers.prefixes.store(0, Ordering::Relaxed);
        if self.trackers.on.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.interest_changed();
            self.trackers.stale.store(true, Ordering::Relaxed);
        }
    }

    /// Forgets a session that ends.
    pub(crate) fn end_tracking(&self, session: &mut Session) {
        self.untrack(session);
        self.forget_reads();
        if let Some(tracking) = session.tracking.take() {
            self.trackers.by_number.write().remove(&tracking.tracker.number);
        }
    }
}
