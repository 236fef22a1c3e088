//! Scripts that are not over at once: they are listed here, so that a client can end one. Of those
//! that take longer than `busy-reply-threshold` other clients are told.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering, fence};

use command::CommandError;
use parking_lot::Mutex;
use store::{HeldLong, WatchFlag};

use super::debugging::{Said, Waker};
use crate::blocking::Suspended;
use crate::engine::Engine;
use crate::transaction::Watched;

/// A script that is not over at once.
#[derive(Debug)]
pub(crate) struct Running {
    /// It takes so long that others are told.
    pub(super) is_overdue: AtomicBool,
    /// [`CLEAN`], [`WRITTEN`] or [`KILLED`]: one word, so that it cannot be both of the last two.
    fate: AtomicU8,
    /// It is a function, which another command ends.
    pub(crate) function: Option<RunningFunction>,
    /// It is being debugged, and may stand still.
    pub(super) waker: Option<Waker>,
}

/// It has changed nothing so far.
const CLEAN: u8 = 0;
/// It has changed the dataset, or is about to, so it can no longer be ended.
const WRITTEN: u8 = 1;
/// Somebody wants it to end.
const KILLED: u8 = 2;

impl Running {
    pub(super) fn new(
        has_written: bool,
        function: Option<RunningFunction>,
        waker: Option<Waker>,
    ) -> Self {
        let fate = AtomicU8::new(if has_written { WRITTEN } else { CLEAN });
        Self { is_overdue: AtomicBool::new(false), fate, function, waker }
    }

    /// From now on it cannot be ended; false if it is to end.
    pub(super) fn begin_write(&self) -> bool {
        self.fate.compare_exchange(CLEAN, WRITTEN, Ordering::AcqRel, Ordering::Acquire)
            != Err(KILLED)
    }

    /// The command that was to write has changed nothing, nor has any before it.
    pub(super) fn take_write_back(&self) {
        self.fate.store(CLEAN, Ordering::Release);
    }

    pub(super) fn is_killed(&self) -> bool {
        self.fate.load(Ordering::Acquire) == KILLED
    }

    /// Whether others are told of it.
    pub(super) fn is_overdue(&self) -> bool {
        self.is_overdue.load(Ordering::Acquire)
    }

    fn has_written(&self) -> bool {
        self.fate.load(Ordering::Acquire) == WRITTEN
    }

    /// Ends it; false if it has written.
    fn kill(&self) -> bool {
        let fate = self.fate.compare_exchange(CLEAN, KILLED, Ordering::AcqRel, Ordering::Acquire);
        if fate == Err(WRITTEN) {
            return false;
        }
        if let Some(said) = self.waker.as_ref().and_then(Waker::upgrade) {
            // If the channel is full it does not stand still, and finds out by itself.
            let _ = said.try_send(Said::Killed);
        }
        true
    }
}

/// A script's place among those that run. It ends when this is dropped, by a panic too.
pub(super) struct Listed<'e> {
    engine: &'e Engine,
    running: Arc<Running>,
}

impl<'e> Listed<'e> {
    pub(super) fn new(engine: &'e Engine, running: Running) -> Self {
        let running = Arc::new(running);
        engine.scripting.busy.list.lock().push(running.clone());
        Self { engine, running }
    }
}

impl Deref for Listed<'_> {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.running
    }
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        let mut list = self.engine.scripting.busy.list.lock();
        list.retain(|other| !Arc::ptr_eq(other, &self.running));
        drop(list);
        if self.is_overdue() {
            self.engine.store.end_long_hold();
        }
    }
}

/// What `FUNCTION STATS` says of a function that runs.
#[derive(Clone, Debug)]
pub(crate) struct RunningFunction {
    pub(crate) name: Vec<u8>,
    /// The command line that called it.
    pub(crate) command: Vec<Vec<u8>>,
    /// Monotonic time.
    pub(crate) started_ns: u64,
}

/// What a session has given up that stands in its keys' shards. Nobody looks at it any more, so
/// that finding it there does no harm.
#[derive(Debug)]
pub(crate) enum GivenUp {
    /// A watch, with its flag.
    Watch(Watched, Arc<WatchFlag>),
    /// A wait that has ended.
    Wait(Arc<Suspended>),
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Busy {
    list: Mutex<Vec<Arc<Running>>>,
    /// What was given up while a script held its keys' locks.
    given_up: Mutex<Vec<GivenUp>>,
    /// Whether there is any.
    has_given_up: AtomicBool,
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
        let list = self.list.lock();
        told(list.iter().find(|script| script.is_overdue()).is_some_and(|s| s.function.is_some()))
    }

    /// The function that has run for the longest time, for `FUNCTION STATS`.
    ///
    /// # Errors
    /// If a script takes long, and no function runs.
    pub(crate) fn function(&self) -> Result<Option<RunningFunction>, CommandError> {
        let list = self.list.lock();
        match list.iter().find_map(|script| script.function.as_ref()) {
            None if list.iter().any(|script| script.is_overdue()) => Err(told(false)),
            function => Ok(function.cloned()),
        }
    }

    /// `SCRIPT KILL`, or `FUNCTION KILL` for `functions`: all that can be ended are. Where Redis
    /// lets the client wait until the script is overdue, it ends at once.
    ///
    /// # Errors
    /// If there is none, or all have written.
    pub(crate) fn kill(&self, functions: bool) -> Result<(), CommandError> {
        let list = self.list.lock();
        let (mut ended, mut others, mut written) = (false, false, false);
        for script in list.iter() {
            if script.function.is_some() == functions && script.kill() {
                ended = true;
            } else if script.is_overdue() && script.has_written() {
                written = true;
            } else {
                others |= script.is_overdue();
            }
        }
        match (ended, others, written) {
            (true, _, _) => Ok(()),
            (false, true, _) => Err(told(!functions)),
            (false, false, true) => Err(UNKILLABLE),
            (false, false, false) => Err(NOT_BUSY),
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

    /// Has something taken back when the script is over that holds its locks for long: no event
    /// loop waits for that. No lock is held.
    #[cold]
    pub(crate) fn take_back_later(&self, given_up: GivenUp) {
        self.scripting.busy.given_up.lock().push(given_up);
        self.scripting.busy.has_given_up.store(true, Ordering::Release);
        // The script may be over by now, and may have looked before the line above.
        fence(Ordering::SeqCst);
        if !self.is_busy() {
            self.after_script();
        }
    }

    /// A script is over, and so are its locks: if it took long, takes back what could not be while
    /// it held them.
    #[inline]
    pub(crate) fn after_script(&self) {
        if self.scripting.busy.has_given_up.load(Ordering::Relaxed) {
            self.take_back_late();
        }
        self.forget_reads();
    }

    #[cold]
    fn take_back_late(&self) {
        let busy = &self.scripting.busy;
        busy.has_given_up.store(false, Ordering::Relaxed);
        let given_up = std::mem::take(&mut *busy.given_up.lock());
        for given_up in given_up {
            let taken_back = match &given_up {
                GivenUp::Watch(watched, flag) => self.store.unwatch(watched.db, &watched.key, flag),
                GivenUp::Wait(suspended) => self.leave_queues(suspended),
            };
            if taken_back == Err(HeldLong) {
                // Another such script holds them now.
                self.take_back_later(given_up);
            }
        }
    }
}
