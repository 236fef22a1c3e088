//! Counters. Each event loop writes its own block with plain stores and `INFO` adds the blocks up,
//! so counting costs no locked instruction and no shared cache line.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_utils::CachePadded;
use parking_lot::Mutex;

use crate::errorstats::ErrorStats;
use crate::histogram::{Histogram, Snapshot};

/// A counter that one thread writes and any thread reads.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds `n`. Only the owning thread may call it; others would lose counts.
    #[inline]
    pub fn add(&self, n: u64) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
    }

    /// The value.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Sets it to zero (`CONFIG RESETSTAT`); a count made at the same moment may be lost.
    pub fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// Keeps the maximum.
    pub fn max(&self, n: u64) {
        if n > self.get() {
            self.0.store(n, Ordering::Relaxed);
        }
    }
}

/// What one command has cost.
#[derive(Debug, Default)]
pub struct CommandStats {
    /// Executions.
    pub calls: Counter,
    /// Nanoseconds in them.
    pub nanos: Counter,
    /// Refused before execution.
    pub rejected: Counter,
    /// Ended with an error.
    pub failed: Counter,
    /// Latencies, if tracked.
    pub latency: OnceLock<Box<Histogram>>,
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// The counters of one thread.
        #[derive(Debug)]
        pub struct ThreadStats {
            $($(#[$doc])* pub $name: Counter,)*
            /// By registry index.
            pub commands: Box<[CommandStats]>,
            /// Error replies by code.
            pub errors: Mutex<ErrorStats>,
        }

        impl ThreadStats {
            fn new(commands: usize) -> Self {
                Self {
                    $($name: Counter::default(),)*
                    commands: (0..commands).map(|_| CommandStats::default()).collect(),
                    errors: Mutex::new(ErrorStats::default()),
                }
            }

            /// `CONFIG RESETSTAT`.
            pub fn reset(&self) {
                $(self.$name.reset();)*
                for command in &self.commands {
                    command.calls.reset();
                    command.nanos.reset();
                    command.rejected.reset();
                    command.failed.reset();
                    if let Some(latency) = command.latency.get() {
                        latency.reset();
                    }
                }
                *self.errors.lock() = ErrorStats::default();
            }
        }
    };
}

counters! {
    /// Commands executed.
    executed,
    /// Error replies.
    error_replies,
    /// Successful look-ups.
    hits,
    /// Failed look-ups.
    misses,
    /// Keys removed because their time had come.
    expired,
    /// Those among them that nobody had asked for.
    expired_actively,
    /// Keys removed to make room.
    evicted,
    /// Fields of hashes removed because their time had come.
    expired_fields,
    /// Those among them that nobody had asked for.
    fields_expired_actively,
    /// Packed values from outside that were verified.
    sanitized,
    /// Changes to the dataset, ever.
    dirty,
    /// Connections accepted.
    accepted,
    /// Connections refused because of `maxclients`.
    rejected_connections,
    /// Bytes received.
    net_in,
    /// Bytes sent.
    net_out,
    /// Reads from sockets.
    reads,
    /// Writes to sockets.
    writes,
    /// Clients closed for too long a query buffer.
    query_limit_closed,
    /// Clients closed for too long an output buffer.
    output_limit_closed,
    /// Event-loop turns.
    turns,
    /// Nanoseconds in turns, waiting excluded.
    turn_nanos,
    /// Longest turn in nanoseconds.
    turn_nanos_max,
    /// Most commands executed in one turn.
    turn_commands_max,
    /// Longest time in nanoseconds for which a command held its locks.
    lock_nanos_max,
}

/// Who counts besides the event loops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aside {
    /// Background work: the periodic one, the sweep, the replay of a log, each with counters of
    /// its own.
    Background,
    /// Who stands in for a loop that is held up.
    StandIn,
    /// Scripts that are debugged, each under all locks.
    Debugger,
    /// Who evicts keys that commands have left over.
    Evictor,
}

impl Aside {
    const COUNT: usize = Self::Evictor as usize + 1;
}

/// The blocks of all threads: those of the event loops, then those [`Aside`].
#[derive(Debug)]
pub struct Stats {
    threads: Box<[CachePadded<ThreadStats>]>,
}

impl Stats {
    /// Blocks for `loops` event loops and for those aside, for `commands` commands.
    #[must_use]
    pub fn new(loops: usize, commands: usize) -> Self {
        let block = |_| CachePadded::new(ThreadStats::new(commands));
        Self { threads: (0..loops + Aside::COUNT).map(block).collect() }
    }

    /// Number of event loops.
    #[must_use]
    pub fn loops(&self) -> usize {
        self.threads.len() - Aside::COUNT
    }

    /// The block of event loop `index`, or of who counts aside ([`Stats::number`]).
    #[must_use]
    pub fn thread(&self, index: usize) -> &ThreadStats {
        &self.threads[index]
    }

    /// The block of background work.
    #[must_use]
    pub fn background(&self) -> &ThreadStats {
        &self.threads[self.number(Aside::Background)]
    }

    /// The number of the block of one who counts aside, as [`Stats::thread`] counts.
    #[must_use]
    pub fn number(&self, who: Aside) -> usize {
        self.loops() + who as usize
    }

    /// All blocks.
    pub fn all(&self) -> impl Iterator<Item = &ThreadStats> {
        self.threads.iter().map(|block| &**block)
    }

    /// The sum of one counter over the threads.
    pub fn sum(&self, counter: impl Fn(&ThreadStats) -> &Counter) -> u64 {
        self.all().map(|block| counter(block).get()).sum()
    }

    /// The maximum of one counter over the threads.
    pub fn max(&self, counter: impl Fn(&ThreadStats) -> &Counter) -> u64 {
        self.all().map(|block| counter(block).get()).max().unwrap_or(0)
    }

    /// The latencies of the command of this index, of all threads.
    #[must_use]
    pub fn latencies(&self, command: usize) -> Snapshot {
        let mut sum = Snapshot::default();
        self.all().filter_map(|t| t.commands[command].latency.get()).for_each(|one| sum.add(one));
        sum
    }

    /// Empties the latency histograms, when tracking is switched off.
    pub fn forget_latencies(&self) {
        let commands = self.all().flat_map(|block| &block.commands);
        commands.filter_map(|command| command.latency.get()).for_each(|all| all.reset());
    }

    /// `CONFIG RESETSTAT`.
    pub fn reset(&self) {
        self.all().for_each(ThreadStats::reset);
    }
}
