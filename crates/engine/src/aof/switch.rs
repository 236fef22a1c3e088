//! Switching the append-only file on and off, and ending it with the server.

use std::sync::atomic::Ordering;

use parking_lot::MutexGuard;

use super::state::Phase;
use crate::engine::Engine;

impl Engine {
    /// `CONFIG SET appendonly yes`: the log begins with a rewrite, behind the transaction that asks
    /// for it, if one does.
    pub(crate) fn switch_log_on(&self, in_transaction: bool) -> bool {
        let mut state = self.aof.state.lock();
        if state.phase != Phase::Off {
            return true;
        }
        state.phase = Phase::Begins;
        // One that is under way writes a base on which no log builds.
        let was_running = state.cancel_rewrite();
        let reason = match (self.save_runs(), in_transaction) {
            (true, _) => Some("but there is already another background operation"),
            (false, true) => Some("during a transaction"),
            (false, false) => None,
        };
        if let Some(reason) = reason {
            state.scheduled = true;
            drop(state);
            self.warn(&format!(
                "AOF was enabled {reason}. An AOF background was scheduled to start when possible."
            ));
            return true;
        }
        drop(state);
        if was_running {
            self.notice(
                "AOF was enabled but there is already an AOF rewriting in background. Stopping \
                 background AOF and starting a rewrite now.",
            );
        }
        let begun = self.begin_rewrite();
        if !begun {
            self.aof.state.lock().phase = Phase::Off;
        }
        begun
    }

    /// `CONFIG SET appendonly no`.
    pub(crate) fn switch_log_off(&self) {
        let mut state = self.aof.state.lock();
        state.phase = Phase::Off;
        state.scheduled = false;
        let was_running = state.cancel_rewrite();
        drop(state);
        if was_running {
            self.notice(&format!(
                "Killing running AOF rewrite child: {}",
                self.platform.process().pid
            ));
        }
        self.aof.log.close();
        self.refuse_waits_for_log();
    }

    /// Switches the log on or off if that was asked for while a dataset was being loaded. False if
    /// it cannot be switched on, which was logged.
    pub(crate) fn settle_log(&self) -> bool {
        if !self.aof.unsettled.swap(false, Ordering::AcqRel) {
            return true;
        }
        let is_off = self.aof.state.lock().phase == Phase::Off;
        match (self.has_log(), is_off) {
            (true, true) => self.switch_log_on(false),
            (false, false) => {
                self.switch_log_off();
                true
            }
            _ => true,
        }
    }

    /// Calls off the rewrite in progress; false if there is none.
    pub(crate) fn cancel_rewrite(&self) -> bool {
        let mut state = self.aof.state.lock();
        state.scheduled = false;
        state.cancel_rewrite()
    }

    /// Waits until the rewrite that was called off has put its files away.
    pub(crate) fn wait_for_rewrite(&self) {
        drop(self.aof.rewriting.lock());
    }

    /// Waits for the end of a rewrite, and has the next one begin after this: for a dataset that is
    /// taken away and loaded again, of which a base file would have a part only. No lock is held.
    pub(crate) fn no_rewrite(&self) -> MutexGuard<'_, ()> {
        self.aof.rewriting.lock()
    }
}
