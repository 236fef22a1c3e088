//! The append-only file, as the engine sees it: who feeds it, who waits for it, what becomes of its
//! errors.
//!
//! Commands append to the log under their locks; the log's thread, or an event loop, brings what
//! has gathered to the disk (`commit`). An event loop that has executed commands asks
//! [`Engine::replies_wait_for`], and keeps their replies back if they must not leave yet. Replies
//! to reads wait as well: what a client has seen must not be lost.
//!
//! Besides `appendfsync always`, replies wait when the disk is so far behind that the log would
//! fill the memory, or when a flush hangs for longer than two seconds.

mod claim;
mod commit;
mod figures;
mod files;
mod load;
mod rewrite;
mod state;
mod switch;
mod waits;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use command::CommandError;
use config::{AppendFsync, Config, Parameter, rows};
use parking_lot::Mutex;
use persistence::aof::{EffectLog, Failure, Fsync, Names, Surroundings, Writer, WriterSettings};
use persistence::{Mark, Storage};
use stdx::clock::Clock;

use crate::engine::Engine;
use crate::platform::{LogLevel, Platform};

pub(crate) use figures::LogFigures;
pub use load::AofFailure;
use state::State;
pub(crate) use waits::NO_LOG;

/// A flush that hangs for so long holds up whoever logs more.
const FLUSH_PATIENCE_NS: u64 = 2_000_000_000;
/// Bytes that may wait to be written before replies wait for them.
const BEHIND_BYTES_MAX: u64 = 64 << 20;

/// The append-only file.
#[derive(Debug)]
pub struct Aof {
    pub(crate) log: Arc<EffectLog>,
    writer: Mutex<Writer>,
    state: Mutex<State>,
    /// Held by the thread of a rewrite: the next begins when one that was called off is gone.
    rewriting: Mutex<()>,
    /// Whether replies wait for the log at all.
    holds: AtomicBool,
    /// Whether they do because the disk is behind.
    behind: AtomicBool,
    commits: commit::Commits,
    /// When the round of the writer began that is under way, monotonic nanoseconds; 0 if none is.
    round_ns: AtomicU64,
    /// Rounds that held others up.
    delayed: AtomicU64,
    /// Why writes are refused.
    refusal: Mutex<Option<String>>,
    refuses: AtomicBool,
    /// `appendonly` was set while a dataset was being loaded.
    unsettled: AtomicBool,
    /// `DEBUG AOF-FLUSH-SLEEP`: microseconds.
    pub(crate) flush_sleep_us: AtomicU64,
    waits: waits::Waits,
    /// What keeps other servers out of the directory.
    claim: Mutex<Option<Box<dyn Mark>>>,
}

/// What the log needs of the engine's parts.
struct Around {
    platform: Arc<dyn Platform>,
    clock: Arc<dyn Clock>,
}

impl Surroundings for Around {
    fn wake_writer(&self) {
        self.platform.wake_log_writer();
    }

    fn unix_seconds(&self) -> u64 {
        self.clock.unix_us() / 1_000_000
    }
}

impl Aof {
    pub(crate) fn new(
        platform: &Arc<dyn Platform>,
        clock: &Arc<dyn Clock>,
        storage: &Arc<dyn Storage>,
        loops: usize,
    ) -> Self {
        let around = Around { platform: platform.clone(), clock: clock.clone() };
        let log = Arc::new(EffectLog::new(Box::new(around)));
        Self {
            writer: Mutex::new(Writer::new(storage.clone(), log.clone())),
            log,
            state: Mutex::default(),
            rewriting: Mutex::default(),
            holds: AtomicBool::new(false),
            behind: AtomicBool::new(false),
            commits: commit::Commits::new(loops),
            round_ns: AtomicU64::new(0),
            delayed: AtomicU64::new(0),
            refusal: Mutex::default(),
            refuses: AtomicBool::new(false),
            flush_sleep_us: AtomicU64::new(0),
            unsettled: AtomicBool::new(false),
            waits: waits::Waits::default(),
            claim: Mutex::default(),
        }
    }

    /// Whether the writer has failed, so that changes are refused.
    #[inline]
    pub(crate) fn has_failed(&self) -> bool {
        self.refuses.load(Ordering::Relaxed)
    }

    /// Looks again whether replies wait for the log.
    pub(crate) fn parameters_changed(&self, config: &Config) {
        let is_open = store::consumers::CommandLog::is_open(&*self.log);
        let always = config.get(rows::APPENDFSYNC) == AppendFsync::Always;
        let holds = is_open && (always || self.behind.load(Ordering::Relaxed));
        self.holds.store(holds, Ordering::Release);
        self.log.set_asked(is_open && always);
        self.log.set_tells_time(config.get(rows::AOF_TIMESTAMP_ENABLED));
        // Whoever is in its sleep was told so by the parameters of before.
        self.log.wake();
    }
}

impl Engine {
    /// Where the files of the log are, by the parameters.
    pub(crate) fn log_names(&self) -> Names {
        let text = |bytes: Arc<[u8]>| String::from_utf8_lossy(&bytes).into_owned();
        Names {
            directory: text(self.config.get(rows::APPENDDIRNAME)),
            stem: text(self.config.get(rows::APPENDFILENAME)),
        }
    }

    /// Writes and flushes the whole log: when the process ends.
    ///
    /// # Errors
    /// What failed.
    pub fn finish_log(&self) -> Result<(), String> {
        if !store::consumers::CommandLog::is_open(&*self.aof.log) {
            return Ok(());
        }
        self.platform.log(LogLevel::Notice, "Calling fsync() on the AOF file.");
        self.write_whole_log().map_err(|failure| failure.to_string())
    }

    /// A failure of the log's writer, or its end. Where every change must be durable before anybody
    /// hears of it, the server cannot go on; else it refuses changes until the disk works.
    fn note_failure(&self, failure: Option<Failure>, settings: WriterSettings) {
        let Some(failure) = failure else {
            self.platform.log(
                LogLevel::Warning,
                "AOF write error looks solved, The server can write again.",
            );
            *self.aof.refusal.lock() = None;
            self.aof.refuses.store(false, Ordering::Release);
            return;
        };
        self.platform.log(LogLevel::Warning, &failure.to_string());
        if settings.fsync == Fsync::Always {
            let what = match &failure {
                Failure::Sync(reason) => format!(
                    "Can't persist AOF for fsync error when the AOF fsync policy is 'always': \
                     {reason}. Exiting..."
                ),
                Failure::Write(_) | Failure::ShortWrite { .. } => {
                    "Can't recover from AOF write error when the AOF fsync policy is 'always'. \
                     Exiting..."
                        .to_owned()
                }
            };
            self.platform.log(LogLevel::Warning, &what);
            self.platform.abort();
        }
        *self.aof.refusal.lock() = Some(failure.reason());
        self.aof.refuses.store(true, Ordering::Release);
        if matches!(failure, Failure::Sync(_)) {
            self.rewrite_after_failure();
        }
    }

    /// Why changes are refused while the log cannot be written, if it cannot.
    #[inline]
    pub(crate) fn log_refusal(&self) -> Option<CommandError> {
        if !self.aof.has_failed() {
            return None;
        }
        let reason = self.aof.refusal.lock().clone()?;
        Some(CommandError::state(format!("MISCONF Errors writing to the AOF file: {reason}")))
    }

    /// Periodic work: notices a disk that is behind, and begins rewrites that are due.
    pub(crate) fn log_cron(&self) {
        let began = self.aof.round_ns.load(Ordering::Relaxed);
        let now_ns = self.clock.monotonic_ns();
        let hangs = began > 0 && now_ns.saturating_sub(began) > FLUSH_PATIENCE_NS;
        let waiting = self.aof.log.end().saturating_sub(self.aof.log.written());
        if (hangs || waiting > BEHIND_BYTES_MAX) && !self.aof.behind.swap(true, Ordering::Relaxed) {
            self.aof.delayed.fetch_add(1, Ordering::Relaxed);
            self.platform.log(
                LogLevel::Notice,
                "Asynchronous AOF fsync is taking too long (disk is busy?). Replies wait for the \
                 AOF file until it is written; this may slow down the server.",
            );
            self.aof.parameters_changed(&self.config);
        }
        if waiting > 0 && self.aof.log.is_asked() {
            // What nobody waits for, nobody asks for.
            self.aof.log.wake();
        }
        self.rewrite_cron(now_ns);
        if !self.is_loading() && !self.settle_log() {
            self.warn("The AOF that was asked for during a load cannot be turned on.");
            self.platform.abort();
        }
    }

    /// Applies a parameter that was set.
    ///
    /// # Errors
    /// Why it cannot be done; it is then set back.
    pub(crate) fn apply_change(
        &self,
        change: &config::Change,
        in_transaction: bool,
    ) -> Result<(), String> {
        if change.id == rows::APPENDONLY.id() {
            if self.is_loading() {
                // There is no whole dataset to begin a log with, and one that is replayed is to
                // be replayed to its end.
                self.aof.unsettled.store(true, Ordering::Release);
            } else if !self.config.get(rows::APPENDONLY) {
                self.switch_log_off();
            } else if !self.switch_log_on(in_transaction) {
                return Err("Unable to turn on AOF. Check server logs.".to_owned());
            }
        } else if change.id == rows::AOF_DISABLE_AUTO_GC.id() {
            self.remove_history();
        }
        self.platform.apply_config(change)
    }
}
