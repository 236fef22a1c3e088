//! The append-only file, as the engine sees it: who feeds it, who waits for it, what becomes of its
//! errors.
//!
//! Commands append to the log under their locks; one thread of the server calls
//! [`Engine::write_log`], which brings what has gathered to the disk. Nobody else waits for the
//! disk: an event loop that has executed commands asks [`Engine::replies_wait_for`], and if their
//! replies must not leave yet, keeps them until [`Message::LogAdvanced`] comes. Replies to reads
//! wait as well: what a client has seen must not be lost.
//!
//! Besides `appendfsync always`, replies wait when the disk is so far behind that the log would
//! fill the memory, or when a flush hangs for longer than two seconds.

mod claim;
mod figures;
mod files;
mod load;
mod rewrite;
mod state;
mod switch;
mod waits;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};

use command::CommandError;
use config::{AppendFsync, Config, Parameter, rows};
use parking_lot::Mutex;
use persistence::aof::{
    EffectLog, Failure, Fsync, Names, Rest, Surroundings, Writer, WriterSettings,
};
use persistence::{Mark, Storage};
use stdx::clock::Clock;

use crate::engine::Engine;
use crate::platform::{LogLevel, Message, Platform};

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
    /// Event loops that keep replies back.
    loops: Box<[AtomicBool]>,
    /// When the round of the writer began that is under way, monotonic nanoseconds; 0 if none is.
    round_ns: AtomicU64,
    /// Rounds that held others up.
    delayed: AtomicU64,
    /// Why writes are refused.
    refusal: Mutex<Option<String>>,
    refuses: AtomicBool,
    /// `DEBUG AOF-FLUSH-SLEEP`: microseconds.
    pub(crate) flush_sleep_us: AtomicU64,
    waits: waits::Waits,
    /// What keeps other servers out of the directory.
    claim: Mutex<Option<Box<dyn Mark>>>,
}

/// What the log needs of the engine's parts.
struct Around {
    config: Arc<Config>,
    platform: Arc<dyn Platform>,
    clock: Arc<dyn Clock>,
}

impl Surroundings for Around {
    fn wake_writer(&self) {
        self.platform.wake_log_writer();
    }

    fn timestamp(&self) -> Option<u64> {
        let wanted = self.config.get(rows::AOF_TIMESTAMP_ENABLED);
        wanted.then(|| self.clock.unix_us() / 1_000_000)
    }
}

impl Aof {
    pub(crate) fn new(
        config: &Arc<Config>,
        platform: &Arc<dyn Platform>,
        clock: &Arc<dyn Clock>,
        storage: &Arc<dyn Storage>,
        loops: usize,
    ) -> Self {
        let around =
            Around { config: config.clone(), platform: platform.clone(), clock: clock.clone() };
        let log = Arc::new(EffectLog::new(Box::new(around)));
        Self {
            writer: Mutex::new(Writer::new(storage.clone(), log.clone())),
            log,
            state: Mutex::default(),
            rewriting: Mutex::default(),
            holds: AtomicBool::new(false),
            behind: AtomicBool::new(false),
            loops: (0..loops).map(|_| AtomicBool::new(false)).collect(),
            round_ns: AtomicU64::new(0),
            delayed: AtomicU64::new(0),
            refusal: Mutex::default(),
            refuses: AtomicBool::new(false),
            flush_sleep_us: AtomicU64::new(0),
            waits: waits::Waits::default(),
            claim: Mutex::default(),
        }
    }

    /// Looks again whether replies wait for the log.
    pub(crate) fn parameters_changed(&self, config: &Config) {
        let is_open = store::consumers::CommandLog::is_open(&*self.log);
        let always = config.get(rows::APPENDFSYNC) == AppendFsync::Always;
        let holds = is_open && (always || self.behind.load(Ordering::Relaxed));
        self.holds.store(holds, Ordering::Release);
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

    /// The position that must be released before replies to what was executed until now may leave;
    /// none if they may leave at once. Asked after the commands were executed and before anything
    /// is sent.
    #[inline]
    #[must_use]
    pub fn replies_wait_for(&self) -> Option<u64> {
        if !self.aof.holds.load(Ordering::Relaxed) {
            return None;
        }
        let end = self.aof.log.end();
        (end > self.aof.log.released()).then_some(end)
    }

    /// Whether replies that waited for `position` may leave. If not, event loop `thread` gets a
    /// [`Message::LogAdvanced`] when it is worth asking again.
    #[must_use]
    pub fn replies_released(&self, position: u64, thread: usize) -> bool {
        let is_released =
            || position <= self.aof.log.released() || !self.aof.holds.load(Ordering::Acquire);
        if is_released() {
            return true;
        }
        if let Some(waiting) = self.aof.loops.get(thread) {
            waiting.store(true, Ordering::Relaxed);
        }
        // Either the writer sees the flag, or what it has published before is seen here.
        fence(Ordering::SeqCst);
        is_released()
    }

    /// One round of the log's writer, called by its own thread: writes what has gathered, flushes
    /// it if it is time, and tells whoever waits. Returns how long to rest.
    pub fn write_log(&self) -> Rest {
        let settings = self.writer_settings();
        let now_ns = self.clock.monotonic_ns();
        let mut writer = self.aof.writer.lock();
        self.aof.round_ns.store(now_ns.max(1), Ordering::Relaxed);
        let sleep_us = self.aof.flush_sleep_us.load(Ordering::Relaxed);
        if sleep_us > 0 {
            self.platform.sleep(std::time::Duration::from_micros(sleep_us));
        }
        let before = writer.failure().cloned();
        let rest = writer.round(settings, now_ns);
        let after = writer.failure().cloned();
        self.aof.round_ns.store(0, Ordering::Relaxed);
        drop(writer);
        // A rewrite may have mended it between two rounds.
        let is_mended = after.is_none() && self.aof.refuses.load(Ordering::Relaxed);
        if before != after || is_mended {
            self.note_failure(after, settings);
        }
        if self.aof.behind.swap(false, Ordering::Relaxed) {
            self.aof.parameters_changed(&self.config);
        }
        self.log_advanced();
        rest
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

    /// Writes and flushes what was logged so far. Nobody logs meanwhile: all locks are held.
    ///
    /// # Errors
    /// What failed.
    pub(crate) fn write_whole_log(&self) -> Result<(), Failure> {
        let finished = self.aof.writer.lock().finish();
        self.log_advanced();
        finished
    }

    /// Tells those who wait how far the log is.
    fn log_advanced(&self) {
        fence(Ordering::SeqCst);
        for (thread, waiting) in self.aof.loops.iter().enumerate() {
            if waiting.load(Ordering::Relaxed) && waiting.swap(false, Ordering::AcqRel) {
                self.platform.send(thread, Message::LogAdvanced);
            }
        }
        self.end_waits_for_log();
    }

    fn writer_settings(&self) -> WriterSettings {
        let fsync = match self.config.get(rows::APPENDFSYNC) {
            AppendFsync::Always => Fsync::Always,
            AppendFsync::Everysec => Fsync::EverySecond,
            AppendFsync::No => Fsync::Never,
        };
        let suspended = self.config.get(rows::NO_APPENDFSYNC_ON_REWRITE) && self.snapshot_runs();
        WriterSettings { fsync, suspended }
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
        if !self.aof.refuses.load(Ordering::Relaxed) {
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
        self.rewrite_cron(now_ns);
    }

    /// Applies a parameter that was set.
    ///
    /// # Errors
    /// Why it cannot be done; it is then set back.
    pub(crate) fn apply_change(&self, change: &config::Change) -> Result<(), String> {
        if change.id == rows::APPENDONLY.id() {
            if !self.config.get(rows::APPENDONLY) {
                self.switch_log_off();
            } else if !self.switch_log_on() {
                return Err("Unable to turn on AOF. Check server logs.".to_owned());
            }
        } else if change.id == rows::AOF_DISABLE_AUTO_GC.id() {
            self.remove_history();
        }
        self.platform.apply_config(change)
    }
}
