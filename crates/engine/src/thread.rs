//! What an event-loop thread brings along when it executes commands: its clock readings, its random
//! numbers, the effects buffer that is reused from command to command.

use stdx::clock::Clock;
use stdx::rng::Rng;
use store::eviction::Pool;
use store::{Effects, UnixMs};

use crate::scripting::Local;

/// The state of one executing thread.
#[derive(Debug)]
pub struct ThreadContext {
    /// Number of the event loop; the index of its statistics.
    pub index: usize,
    /// Random numbers.
    pub rng: Rng,
    pub(crate) effects: Effects,
    /// What it executes was executed before: it replays a log.
    pub(crate) replays: bool,
    /// The interpreter of scripts.
    pub(crate) scripts: Option<Box<Local>>,
    pub(crate) times: Times,
    /// Keys that may make room.
    pub(crate) pool: Pool,
    /// There was no room when the command began that is being executed.
    pub(crate) lacks_memory: bool,
}

impl ThreadContext {
    /// The context of event loop `index`.
    #[must_use]
    pub fn new(index: usize, seed: u64) -> Self {
        Self {
            index,
            rng: Rng::seed(seed),
            effects: Effects::default(),
            replays: false,
            scripts: None,
            times: Times::default(),
            pool: Pool::default(),
            lacks_memory: false,
        }
    }

    /// Whether what was executed since the last question told clients of changes to what they may
    /// have cached. They hear of that before anybody sees the reply.
    #[inline]
    pub fn take_told(&mut self) -> bool {
        std::mem::take(&mut self.effects.told)
    }

    /// Whether a command has begun to change the dataset that was not brought to its end.
    #[must_use]
    pub const fn is_changing(&self) -> bool {
        self.effects.changing
    }

    /// The effects apart from the thread, so that both can be borrowed.
    pub(crate) fn take_effects_apart(&mut self) -> EffectsApart<'_> {
        let effects = std::mem::take(&mut self.effects);
        EffectsApart { thread: self, effects }
    }

    /// Reads the clocks. To be called before a connection's commands are executed; each command
    /// then costs one reading of the monotonic clock, its end being the next one's beginning.
    pub fn begin(&mut self, clock: &dyn Clock) {
        let base_ns = clock.monotonic_ns();
        self.times =
            Times { base_unix_us: clock.unix_us(), base_ns, tick_ns: base_ns, longest_ns: 0 };
    }

    /// Unix time in milliseconds of the command that is about to run.
    #[inline]
    #[must_use]
    pub fn now_ms(&self) -> UnixMs {
        self.now_us() / 1000
    }

    /// Unix time in microseconds of the command that is about to run.
    #[inline]
    #[must_use]
    pub fn now_us(&self) -> u64 {
        self.times.base_unix_us + (self.times.tick_ns - self.times.base_ns) / 1000
    }

    /// How long the connection's commands have taken since [`ThreadContext::begin`], in
    /// nanoseconds, but for the longest of them: that one may have waited for a lock.
    #[inline]
    #[must_use]
    pub fn busy_ns(&self) -> u64 {
        self.times.tick_ns - self.times.base_ns - self.times.longest_ns
    }

    /// Monotonic time of the end of the last command, in nanoseconds.
    #[inline]
    pub(crate) fn tick_ns(&self) -> u64 {
        self.times.tick_ns
    }

    /// Ends a command: its duration in nanoseconds.
    #[inline]
    pub(crate) fn lap(&mut self, clock: &dyn Clock) -> u64 {
        self.times.lap(clock)
    }
}

/// A thread and its effects, which return to it when this is dropped. A panic drops it too: whoever
/// catches that asks the thread whether something was being changed.
pub(crate) struct EffectsApart<'t> {
    pub(crate) thread: &'t mut ThreadContext,
    pub(crate) effects: Effects,
}

impl Drop for EffectsApart<'_> {
    fn drop(&mut self) {
        std::mem::swap(&mut self.thread.effects, &mut self.effects);
    }
}

/// A thread's readings of the clocks.
#[derive(Debug, Default)]
pub(crate) struct Times {
    /// Wall clock and monotonic clock, read together at the beginning of the batch.
    base_unix_us: u64,
    base_ns: u64,
    /// Monotonic time of the end of the last command.
    tick_ns: u64,
    /// The longest command since the beginning of the batch.
    longest_ns: u64,
}

impl Times {
    /// Ends a command: its duration in nanoseconds.
    #[inline]
    pub(crate) fn lap(&mut self, clock: &dyn Clock) -> u64 {
        let now = clock.monotonic_ns();
        let lap = now.saturating_sub(self.tick_ns);
        self.tick_ns = now.max(self.tick_ns);
        self.longest_ns = self.longest_ns.max(lap);
        lap
    }
}
