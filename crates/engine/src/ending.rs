//! The end of the server: what happens between the wish and the exit.
//!
//! ```text
//!   SHUTDOWN ──────────────────────> pause everybody ─> end what is in progress ─> the last save
//!   SIGTERM ──> a wish ──> cron ──/                                                     │
//!               ^ SHUTDOWN ABORT takes it back                 failed: go on as before <┴> exit
//! ```
//!
//! Nobody is answered between the last save and the exit, so nothing is acknowledged that the file
//! lacks.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use config::rows;
use parking_lot::Mutex;

use crate::engine::Engine;
use crate::platform::{LogLevel, ShutdownRequest};
use crate::saving::{Cancelled, PATIENCE};

/// How long a command may be between the gate, where it is held back, and its locks.
const GRACE: Duration = Duration::from_millis(10);

/// A shutdown that is wished for or in progress.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    wish: Mutex<Option<ShutdownRequest>>,
    in_progress: AtomicBool,
}

impl Engine {
    /// Wishes for the end: the cron does it, unless somebody takes the wish back before.
    pub fn request_shutdown(&self, request: ShutdownRequest) {
        *self.ending.wish.lock() = Some(request);
    }

    /// Whether the end is wished for or in progress.
    #[must_use]
    pub fn is_shutting_down(&self) -> bool {
        self.ending.in_progress.load(Ordering::Acquire) || self.ending.wish.lock().is_some()
    }

    /// Takes the wish back; false if there was none.
    pub(crate) fn abort_shutdown(&self) -> bool {
        let aborted = self.ending.wish.lock().take().is_some();
        if aborted {
            self.platform.log(LogLevel::Notice, "Shutdown manually aborted.");
        }
        aborted
    }

    /// Ends the server if that is wished for.
    pub(crate) fn shutdown_cron(&self) {
        let Some(request) = *self.ending.wish.lock() else { return };
        if self.shut_down(request).is_err() {
            let text =
                "Errors trying to shut down the server. Check the logs for more information.";
            self.platform.log(LogLevel::Warning, text);
        }
        *self.ending.wish.lock() = None;
    }

    /// Saves what is to be saved and ends the process. No lock is held.
    ///
    /// # Errors
    /// If something could not be saved: then everything goes on as before. What there is to say has
    /// been logged.
    pub fn shut_down(&self, request: ShutdownRequest) -> Result<(), String> {
        if self.ending.in_progress.swap(true, Ordering::AcqRel) {
            return Err("the server is shutting down already".to_owned());
        }
        self.platform.log(LogLevel::Warning, "User requested shutdown...");
        let ended = self.save_at_end(request).and_then(|()| self.platform.shutdown(request));
        self.ending.in_progress.store(false, Ordering::Release);
        self.resume(self.pause.end_ending());
        ended
    }

    /// The last save, if one is due.
    fn save_at_end(&self, request: ShutdownRequest) -> Result<(), String> {
        let saves = request.save || (!request.no_save && !self.config.get(rows::SAVE).is_empty());
        if saves {
            self.pause.begin_ending();
            self.platform.sleep(GRACE);
        }
        if self.saving.cancel() == Cancelled::Running {
            self.warn("There is a child saving an .rdb. Killing it!");
        }
        if self.log_begins() {
            if !request.force {
                return Err(self.cannot_exit("Writing initial AOF, can't exit."));
            }
            self.warn("Writing initial AOF. Exit anyway.");
        }
        if self.cancel_rewrite() {
            self.warn("There is a child rewriting the AOF. Killing it!");
        }
        // Their temporary files are gone when they have ended.
        while self.saving.progress().is_some() {
            self.platform.sleep(PATIENCE);
        }
        self.wait_for_rewrite();
        if !saves {
            return Ok(());
        }
        self.notice("Saving the final RDB snapshot before exiting.");
        let mut saved = self.save_in_place();
        if saved.is_ok() && self.changes_since_save() > 0 {
            // A command was longer than its grace on its way to its locks, and has answered.
            saved = self.save_in_place();
        }
        match saved {
            Err(_) if !request.force => {
                Err(self.cannot_exit("Error trying to save the DB, can't exit."))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn cannot_exit(&self, reason: &str) -> String {
        self.warn(reason);
        reason.to_owned()
    }

    /// Removes the file that a save in progress writes, for an end that does not wait for it.
    pub fn remove_temporary_file(&self) {
        // There may be none.
        let _ = self.storage.remove(&self.temporary_file());
    }
}
