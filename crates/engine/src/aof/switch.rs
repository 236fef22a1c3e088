//! Switching the append-only file on and off, and ending it with the server.

use super::state::Phase;
use crate::engine::Engine;

impl Engine {
    /// `CONFIG SET appendonly yes`: the log begins with a rewrite.
    pub(crate) fn switch_log_on(&self) -> bool {
        let mut state = self.aof.state.lock();
        if state.phase != Phase::Off {
            return true;
        }
        state.phase = Phase::Begins;
        if self.save_runs() {
            state.scheduled = true;
            drop(state);
            self.warn(
                "AOF was enabled but there is already another background operation. An AOF \
                 background was scheduled to start when possible.",
            );
            return true;
        }
        drop(state);
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
        let was_running = state.cancel_rewrite(self.clock.monotonic_ns());
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

    /// Ends the rewrite under way because the server ends. Its files are gone afterwards.
    ///
    /// # Errors
    /// If the log is only about to begin: without that rewrite, nothing of it is on the disk.
    /// `force` ends it all the same.
    pub(crate) fn end_rewrite(&self, force: bool) -> Result<(), String> {
        let mut state = self.aof.state.lock();
        state.scheduled = false;
        if state.rewrite.is_some() && state.phase == Phase::Begins {
            if !force {
                let text = "Writing initial AOF, can't exit";
                self.warn(text);
                return Err(text.to_owned());
            }
            self.warn("Writing initial AOF. Exit anyway.");
        }
        let was_running = state.cancel_rewrite(self.clock.monotonic_ns());
        drop(state);
        if was_running {
            self.warn("There is a child rewriting the AOF. Killing it!");
        }
        // Its temporary file is gone when its thread is.
        drop(self.aof.rewriting.lock());
        Ok(())
    }
}
