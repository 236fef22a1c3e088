//! Scripts that take longer than `busy-reply-threshold`: they are listed here, so that other
//! clients can be told, and one of them can end it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use command::CommandError;
use parking_lot::Mutex;
use store::WatchFlag;

use super::debugging::{Said, Waker};
use crate::engine::Engine;
use crate::transaction::Watched;

/// A script that takes long.
#[derive(Debug)]
pub(crate) struct Overdue {
    /// Somebody wants it to end.
    pub(crate) killed: AtomicBool,
    /// It has changed the dataset, so it can no longer be ended.
    pub(crate) has_written: AtomicBool,
    /// It is a function, which another command ends.
    pub(crate) function: Option<RunningFunction>,
    /// It is being debugged, and may stand still.
    pub(super) waker: Option<Waker>,
}

impl Overdue {
    fn kill(&self) {
        self.killed.store(true, Ordering::Release);
        if let Some(said) = self.waker.as_ref().and_then(Waker::upgrade) {
            // If the channel is full it does not stand still, and finds out by itself.
            let _ = said.try_send(Said::Killed);
        }
    }
}

/// What `FUNCTION STATS` says of a function that takes long.
#[derive(Clone, Debug)]
pub(crate) struct RunningFunction {
    pub(crate) name: Vec<u8>,
    /// The command line that called it.
    pub(crate) command: Vec<Vec<u8>>,
    /// Monotonic time.
    pub(crate) started_ns: u64,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Busy {
    list: Mutex<Vec<Arc<Overdue>>>,
    /// Watches that were given up while a script held their keys' locks, with their flags.
    unwatched: Mutex<Vec<(Watched, Arc<WatchFlag>)>>,
    /// Whether there are any.
    has_unwatched: AtomicBool,
}

const NOT_BUSY: CommandError =
    CommandError::State(std::borrow::Cow::Borrowed(b"NOTBUSY No scripts in execution right now."));
const UNKILLABLE: CommandError = CommandError::State(std::borrow::Cow::Borrowed(
    b"UNKILLABLE Sorry the script already executed write commands against the dataset. You can \
      either wait the script termination or kill the server in a hard way using the SHUTDOWN \
      NOSAVE command.",
));

impl Busy {
    /// What other clients are told.
    #[cold]
    pub(crate) fn error(&self) -> CommandError {
        let is_function =
            self.list.lock().first().is_some_and(|overdue| overdue.function.is_some());
        told(is_function)
    }

    /// The function that has taken long for the longest time, for `FUNCTION STATS`.
    ///
    /// # Errors
    /// If only scripts take long.
    pub(crate) fn function(&self) -> Result<Option<RunningFunction>, CommandError> {
        let list = self.list.lock();
        match list.iter().find_map(|overdue| overdue.function.as_ref()) {
            None if !list.is_empty() => Err(told(false)),
            function => Ok(function.cloned()),
        }
    }

    pub(super) fn add(&self, overdue: Arc<Overdue>) {
        self.list.lock().push(overdue);
    }

    pub(super) fn remove(&self, overdue: &Arc<Overdue>) {
        self.list.lock().retain(|other| !Arc::ptr_eq(other, overdue));
    }

    /// Notes a watch that is to be taken back when the script is over. Nobody looks at its flag any
    /// more, so that raising it meanwhile does no harm.
    pub(crate) fn unwatch_later(&self, watched: Watched, flag: &Arc<WatchFlag>) {
        self.unwatched.lock().push((watched, flag.clone()));
        self.has_unwatched.store(true, Ordering::Release);
    }

    /// `SCRIPT KILL`, or `FUNCTION KILL` for `functions`: all that can be ended are.
    ///
    /// # Errors
    /// If there is none, or all have written.
    pub(crate) fn kill(&self, functions: bool) -> Result<(), CommandError> {
        let list = self.list.lock();
        if list.is_empty() {
            return Err(NOT_BUSY);
        }
        let has_written = |overdue: &Overdue| overdue.has_written.load(Ordering::Acquire);
        let (mut ended, mut others) = (false, false);
        for overdue in list.iter().filter(|overdue| !has_written(overdue)) {
            if overdue.function.is_some() == functions {
                overdue.kill();
                ended = true;
            } else {
                others = true;
            }
        }
        match (ended, others) {
            (true, _) => Ok(()),
            (false, true) => Err(told(!functions)),
            (false, false) => Err(UNKILLABLE),
        }
    }
}

/// What other clients are told while a function takes long, or a script.
fn told(is_function: bool) -> CommandError {
    let command = if is_function { "FUNCTION KILL" } else { "SCRIPT KILL" };
    CommandError::state(format!(
        "BUSY Redis is busy running a script. You can only call {command} or SHUTDOWN NOSAVE."
    ))
}

impl Engine {
    /// How long a script may take before others are told: nanoseconds; for ever if none.
    pub(super) fn busy_threshold_ns(&self) -> Option<u64> {
        let threshold_ms = self.config.get(config::rows::BUSY_REPLY_THRESHOLD).unsigned_abs();
        (threshold_ms > 0).then(|| threshold_ms.saturating_mul(1_000_000))
    }

    /// Whether a script takes so long that other clients are told.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.store.is_held_long()
    }

    /// A script is over, and so are its locks: if it took long, takes back the watches that could
    /// not be while it held them.
    #[inline]
    pub(crate) fn after_script(&self) {
        if self.scripting.busy.has_unwatched.load(Ordering::Relaxed) {
            self.unwatch_late();
        }
    }

    #[cold]
    fn unwatch_late(&self) {
        self.scripting.busy.has_unwatched.store(false, Ordering::Relaxed);
        let unwatched = std::mem::take(&mut *self.scripting.busy.unwatched.lock());
        for (watched, flag) in unwatched {
            if self.store.unwatch(watched.db, &watched.key, &flag).is_err() {
                // Another such script holds it now.
                self.scripting.busy.unwatch_later(watched, &flag);
            }
        }
    }
}
