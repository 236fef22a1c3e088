//! The engine: everything that the threads of a server share.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use config::Config;
use parking_lot::Mutex;
use persistence::Storage;
use stdx::clock::Clock;
use store::expiry::Sweep;
use store::{Consumers, Effects, Interest, SHARDS, Store};

use crate::aof::Aof;
use crate::blocking::Suspensions;
use crate::client_memory::ClientMemory;
use crate::clients::{ClientFlags, ClientHandle, Clients, Endpoint};
use crate::command_log::{CommandLogs, Thresholds};
use crate::ending::Ending;
use crate::eviction::Eviction;
use crate::latency::LatencyMonitor;
use crate::monitor::Monitors;
use crate::notifications::Notifications;
use crate::pause::{Pause, PauseKind};
use crate::platform::{Crash, LogLevel, Message, Platform};
use crate::pubsub::PubSub;
use crate::registry::Registry;
use crate::saving::Saving;
use crate::scripting::Scripting;
use crate::session::Session;
use crate::stats::{Aside, Stats};
use crate::tracking::{Invalidations, Trackers};

/// The version of Redis whose behaviour this is, for clients that ask.
pub const REDIS_VERSION: &str = "8.8.0";
/// Our own version.
pub const FERRITE_VERSION: &str = env!("CARGO_PKG_VERSION");

/// What an engine is made of.
pub struct Parts {
    /// Parameters.
    pub config: Arc<Config>,
    /// Commands.
    pub registry: &'static Registry,
    /// The program around it.
    pub platform: Arc<dyn Platform>,
    /// Where the dataset is kept.
    pub storage: Arc<dyn Storage>,
    /// Clocks.
    pub clock: Arc<dyn Clock>,
    /// Who hears of effects.
    pub consumers: Consumers,
    /// Number of event loops.
    pub threads: usize,
    /// Seed of the key hash and of everything random in the engine.
    pub seed: [u64; 2],
    /// Forty hexadecimal digits that identify this run.
    pub run_id: String,
}

/// The command path and what it shares between threads.
pub struct Engine {
    /// The dataset.
    pub store: Store,
    /// Parameters.
    pub config: Arc<Config>,
    /// The program around it.
    pub platform: Arc<dyn Platform>,
    /// Where the dataset is kept.
    pub storage: Arc<dyn Storage>,
    /// Clocks.
    pub clock: Arc<dyn Clock>,
    /// Connected clients.
    pub clients: Arc<Clients>,
    /// Counters.
    pub stats: Stats,
    /// Commands.
    pub registry: &'static Registry,
    /// Forty hexadecimal digits that identify this run.
    pub run_id: String,
    /// Unix time of the start in milliseconds.
    pub started_ms: u64,
    /// The engine itself, for tasks that outlive a call.
    this: OnceLock<Weak<Self>>,
    pub(crate) aof: Aof,
    pub(crate) consumers: Consumers,
    pub(crate) pause: Pause,
    pub(crate) client_memory: ClientMemory,
    pub(crate) suspensions: Suspensions,
    pub(crate) pubsub: Arc<PubSub>,
    pub(crate) scripting: Scripting,
    pub(crate) lazy_freed: Arc<AtomicU64>,
    pub(crate) eviction: Eviction,
    /// What the allocator said last, in bytes.
    pub(crate) used_memory: AtomicU64,
    pub(crate) used_memory_peak: AtomicU64,
    /// Unix time in milliseconds of that peak.
    pub(crate) used_memory_peak_ms: AtomicU64,
    /// Allocated bytes right after start.
    pub(crate) startup_memory: AtomicU64,
    /// `DEBUG SET-ACTIVE-EXPIRE 0` stops the sweep.
    pub(crate) active_expire: AtomicBool,
    /// `DEBUG PAUSE-CRON 1` stops the periodic work.
    pub(crate) cron_paused: AtomicBool,
    /// `DEBUG KEYSIZES-HIST-ASSERT 1` has the histograms of sizes checked.
    pub(crate) asserts_sizes: AtomicBool,
    /// Microseconds that sweeps have taken.
    pub(crate) expire_us: AtomicU64,
    pub(crate) saving: Saving,
    pub(crate) ending: Ending,
    /// `DEBUG CONFIG-REWRITE-FORCE-ALL`: the next rewrite writes every parameter.
    pub(crate) force_rewrite_all: AtomicBool,
    pub(crate) rates: crate::rates::Rates,
    pub(crate) loading: crate::loading::Loading,
    pub(crate) monitors: Monitors,
    pub(crate) trackers: Arc<Trackers>,
    /// Whether the consumer of changed keys is the engine's own.
    own_tracking: bool,
    /// Held while [`Engine::interest_changed`] asks, so that the last answer is the newest.
    interest_lock: Mutex<()>,
    pub(crate) command_logs: CommandLogs,
    pub(crate) thresholds: Thresholds,
    pub(crate) latency: LatencyMonitor,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("run_id", &self.run_id).finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine over an empty store.
    #[must_use]
    pub fn new(mut parts: Parts) -> Self {
        let registry = parts.registry;
        let databases = parts.config.get(config::rows::DATABASES).max(1) as usize;
        let now_ms = parts.clock.unix_ms();
        let store = Store::new(databases, parts.seed);
        let pubsub = Arc::<PubSub>::default();
        parts.consumers.events.get_or_insert_with(|| {
            let (config, platform) = (parts.config.clone(), parts.platform.clone());
            Box::new(Notifications::new(config, platform, pubsub.clone()))
        });
        let Parts { platform, clock, storage, threads, .. } = &parts;
        let aof = Aof::new(platform, clock, storage, *threads);
        parts.consumers.log.get_or_insert_with(|| Box::new(aof.log.clone()));
        let (clients, trackers) = (Arc::<Clients>::default(), Arc::<Trackers>::default());
        let own_tracking = parts.consumers.tracking.is_none();
        parts.consumers.tracking.get_or_insert_with(|| {
            let (trackers, clients) = (trackers.clone(), clients.clone());
            Box::new(Invalidations { trackers, clients, platform: parts.platform.clone() })
        });
        let thresholds = Thresholds::new(&parts.config);
        let engine = Self {
            this: OnceLock::new(),
            aof,
            store,
            config: parts.config,
            platform: parts.platform,
            storage: parts.storage,
            clients,
            trackers,
            own_tracking,
            stats: Stats::new(parts.threads, registry.entries.len()),
            registry,
            run_id: parts.run_id,
            started_ms: now_ms,
            consumers: parts.consumers,
            pause: Pause::default(),
            client_memory: ClientMemory::default(),
            suspensions: Suspensions::default(),
            pubsub,
            scripting: Scripting::new(parts.threads),
            lazy_freed: Arc::default(),
            eviction: Eviction::default(),
            used_memory: AtomicU64::new(0),
            used_memory_peak: AtomicU64::new(0),
            used_memory_peak_ms: AtomicU64::new(now_ms),
            startup_memory: AtomicU64::new(0),
            active_expire: AtomicBool::new(true),
            cron_paused: AtomicBool::new(false),
            asserts_sizes: AtomicBool::new(false),
            expire_us: AtomicU64::new(0),
            saving: Saving::new(now_ms / 1000),
            ending: Ending::default(),
            force_rewrite_all: AtomicBool::new(false),
            rates: crate::rates::Rates::default(),
            loading: crate::loading::Loading::default(),
            monitors: Monitors::default(),
            interest_lock: Mutex::default(),
            command_logs: CommandLogs::default(),
            thresholds,
            latency: LatencyMonitor::default(),
            clock: parts.clock,
        };
        engine.interest_changed();
        engine.limit_client_memory();
        engine
    }

    /// The engine to be shared by threads. What begins tasks of its own needs this.
    #[must_use]
    pub fn share(self) -> Arc<Self> {
        let engine = Arc::new(self);
        let _ = engine.this.set(Arc::downgrade(&engine));
        engine
    }

    /// The engine, if it is shared.
    pub(crate) fn shared(&self) -> Option<Arc<Self>> {
        self.this.get()?.upgrade()
    }

    /// A session for a new connection of event loop `thread`.
    pub fn connect(&self, thread: usize, endpoint: Endpoint) -> Session {
        let handle = self.clients.connect(thread, endpoint, self.clock.unix_ms());
        Session::new(handle, !self.password_required())
    }

    /// Ends a session: takes its watches back and forgets the client.
    pub fn disconnect(&self, session: &mut Session) {
        self.wait_ended(session);
        self.discard(session);
        session.unsubscribe_all(&self.pubsub);
        self.end_monitor(session);
        self.end_tracking(session);
        self.clients.disconnect(session.id());
        self.client_memory.forget(&session.handle);
    }

    /// Kills a client from any thread. From now on nobody sees it and none of its commands is
    /// executed; its event loop closes the connection as soon as it reads the message.
    pub(crate) fn kill(&self, client: &ClientHandle, flush: bool) {
        client.killed.store(true, Ordering::Release);
        self.clients.disconnect(client.id);
        self.client_memory.forget(client);
        self.forsake(client);
        self.platform.send(client.thread, Message::Kill { client: client.id, flush });
    }

    pub(crate) fn password_required(&self) -> bool {
        !self.config.get(config::rows::REQUIREPASS).is_empty()
    }

    /// Whether a pause forbids changes, expiry included.
    pub(crate) fn writes_paused(&self, now_ms: u64) -> bool {
        self.pause.active(now_ms).0 != PauseKind::None
    }

    /// Resumes sessions that waited for a pause to end.
    pub(crate) fn resume(&self, waiting: Vec<(usize, u64)>) {
        for (thread, client) in waiting {
            if let Some(handle) = self.clients.get(client) {
                handle.set_flag(ClientFlags::BLOCKED, false);
            }
            self.platform.send(thread, Message::Resume { client, reply: None });
        }
    }

    /// Whether any client listens to messages.
    #[must_use]
    pub fn has_subscribers(&self) -> bool {
        !self.pubsub.is_silent()
    }

    /// Called after parameters changed: refreshes what is derived from them.
    pub(crate) fn config_changed(&self) {
        self.aof.parameters_changed(&self.config);
        self.interest_changed();
        self.thresholds.read(&self.config);
        self.limit_tracked_keys();
        self.limit_client_memory();
        self.limit_changed();
        if !self.config.get(config::rows::LATENCY_TRACKING) {
            self.stats.forget_latencies();
        }
    }

    /// Finds out anew who listens to what commands do.
    pub(crate) fn interest_changed(&self) {
        let _one_at_a_time = self.interest_lock.lock();
        let mut listeners = interest(&self.consumers, &self.config);
        if self.own_tracking && self.trackers.is_idle() {
            listeners = listeners.without(Interest::TRACKING);
        }
        if !self.monitors.is_empty() {
            listeners = listeners | Interest::MONITOR;
        }
        self.store.set_interest(listeners);
    }

    /// Periodic work, called `hz` times a second from one background thread.
    pub fn cron(&self) {
        if self.cron_paused.load(Ordering::Relaxed) {
            // Who wants the process to end is heard all the same.
            return self.shutdown_cron();
        }
        let started = self.clock.monotonic_ns();
        let now_ms = self.clock.unix_ms();
        self.resume(self.pause.expire(now_ms));
        self.measure_memory();
        self.log_cron();
        self.limit_tracked_keys();
        self.limit_client_memory();
        self.rates.sample(self, now_ms);
        self.save_cron();
        self.shutdown_cron();
        self.check_sizes();
        // As in Redis, periodic work is a turn of an event loop.
        let stats = self.stats.background();
        stats.turns.add(1);
        stats.turn_nanos.add(self.clock.monotonic_ns().saturating_sub(started));
    }

    /// Compares the histograms of sizes with the keys, if a test has asked for that.
    fn check_sizes(&self) {
        if self.asserts_sizes.load(Ordering::Relaxed) && !self.store.sizes_are_right() {
            self.platform.log(LogLevel::Warning, "INFO keysizes is not what the keys are");
            self.platform.crash(Crash::Assert);
        }
    }

    /// Asks the allocator how much is in use.
    pub(crate) fn measure_memory(&self) -> u64 {
        let used = self.platform.used_memory();
        self.used_memory.store(used, Ordering::Relaxed);
        if self.startup_memory.load(Ordering::Relaxed) == 0 {
            self.startup_memory.store(used, Ordering::Relaxed);
        }
        if used > self.used_memory_peak.fetch_max(used, Ordering::Relaxed) {
            self.used_memory_peak_ms.store(self.clock.unix_ms(), Ordering::Relaxed);
        }
        used
    }

    /// One round of active expiry over all shards, called by its background thread. Each lock is
    /// held for a bounded number of entries. Returns the number of keys removed.
    pub fn expire_cycle(&self, effects: &mut Effects) -> u64 {
        let paused = self.writes_paused(self.clock.unix_ms());
        if paused || self.is_loading() || !self.active_expire.load(Ordering::Relaxed) {
            return 0;
        }
        let started = self.clock.monotonic_ns();
        let (mut removed, mut fields) = (0, 0);
        for shard in 0..SHARDS {
            loop {
                let sweep = Sweep {
                    now: self.clock.unix_ms(),
                    slack_ms: EXPIRE_SLACK_MS,
                    batch: EXPIRE_BATCH,
                };
                let route = |effects: &mut Effects| self.route(effects, 0);
                let more = self.store.expire_shard(shard, sweep, effects, route);
                removed += std::mem::take(&mut effects.counters.expired);
                fields += std::mem::take(&mut effects.counters.expired_fields);
                effects.garbage.clear();
                if !effects.ready_later.is_empty() {
                    self.serve_later(sweep.now, effects, self.stats.number(Aside::Background));
                }
                if !more {
                    break;
                }
            }
        }
        self.note_latency("expire-cycle", self.clock.monotonic_ns().saturating_sub(started));
        if removed + fields > 0 {
            let stats = self.stats.background();
            stats.expired.add(removed);
            stats.expired_actively.add(removed);
            stats.expired_fields.add(fields);
            stats.fields_expired_actively.add(fields);
            let spent = (self.clock.monotonic_ns() - started) / 1000;
            self.expire_us.fetch_add(spent, Ordering::Relaxed);
        }
        removed
    }
}

/// Who listens now, and how they want to hear of it: keyspace events are not collected while none
/// is configured.
pub(crate) fn interest(consumers: &Consumers, config: &Config) -> Interest {
    let listeners = consumers.interest();
    let flags = config.get(config::rows::NOTIFY_KEYSPACE_EVENTS);
    let listeners = match (flags.is_empty(), flags.names_subkeys()) {
        (true, _) => listeners.without(Interest::EVENTS),
        (false, false) => listeners,
        (false, true) => listeners | Interest::SUBKEYS,
    };
    let unlinks = config.get(config::rows::LAZYFREE_LAZY_EXPIRE);
    if unlinks { listeners | Interest::UNLINK_EXPIRED } else { listeners }
}

/// A key is reclaimed at the latest this long after its time, plus the sweep's own period: waiting
/// a little lets one visit of a segment reclaim many keys.
const EXPIRE_SLACK_MS: u64 = 650;
/// Entries visited under one lock: well under a tenth of a millisecond.
const EXPIRE_BATCH: usize = 512;
