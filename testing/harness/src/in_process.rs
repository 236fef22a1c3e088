//! An engine and what it needs, made from a few settings.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use config::{Config, Environment};
use engine::registry::Registry;
use engine::{Endpoint, Engine, Parts};
use simdisk::SimDisk;
use store::{Consumers, Effects};

use crate::clock::TestClock;
use crate::connection::Connection;
use crate::platform::{Background, TestPlatform};

/// What an engine under test is made from.
#[derive(Debug)]
pub struct Setup {
    /// Number of executing threads, each with statistics of its own.
    pub threads: usize,
    /// Seed of everything random.
    pub seed: u64,
    /// The clock.
    pub clock: TestClock,
    /// When background tasks run.
    pub background: Background,
    /// Who hears of effects.
    pub consumers: Consumers,
    /// Where the dataset is kept.
    pub disk: SimDisk,
    /// Parameters, as lines of a configuration file.
    pub config: String,
}

impl Default for Setup {
    /// One thread, a manual clock, nobody listens, debugging commands allowed.
    fn default() -> Self {
        Self {
            threads: 1,
            seed: 1,
            clock: TestClock::manual(),
            background: Background::Inline,
            consumers: Consumers::default(),
            disk: SimDisk::new(),
            config: String::new(),
        }
    }
}

/// An engine in this process.
#[derive(Clone, Debug)]
pub struct InProcess {
    /// The engine.
    pub engine: Arc<Engine>,
    /// The program that it believes to be in.
    pub platform: Arc<TestPlatform>,
    /// Its clock.
    pub clock: Arc<TestClock>,
    /// Source of the connections' seeds and port numbers.
    connections: Arc<AtomicU64>,
    seed: u64,
}

impl Default for InProcess {
    fn default() -> Self {
        Self::new(Setup::default())
    }
}

impl InProcess {
    /// An engine made from `setup`.
    ///
    /// # Panics
    /// If the configuration of `setup` is wrong.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let clock = Arc::new(setup.clock);
        let platform = Arc::new(TestPlatform::new(clock.clone(), setup.background));
        let environment = Environment { cores: setup.threads, directory: b"/".to_vec() };
        let config = Config::new(&environment);
        let text = format!("enable-debug-command yes\n{}", setup.config);
        let includes = &mut |_: &[u8], _: &Config| Err("a test includes no files".to_owned());
        if let Err(error) = config.load(text.as_bytes(), includes) {
            panic!("{}", error.report("a test's configuration"));
        }
        let engine = Engine::new(Parts {
            config: Arc::new(config),
            registry: Registry::get(),
            platform: platform.clone(),
            storage: Arc::new(setup.disk),
            clock: clock.clone(),
            consumers: setup.consumers,
            threads: setup.threads,
            seed: [setup.seed, !setup.seed],
            run_id: "0123456789abcdef0123456789abcdef01234567".to_owned(),
        });
        let connections = Arc::new(AtomicU64::new(0));
        Self { engine: engine.share(), platform, clock, connections, seed: setup.seed }
    }

    /// A connection of thread 0.
    #[must_use]
    pub fn connect(&self) -> Connection {
        self.connect_on(0)
    }

    /// A connection of thread number `thread`: the index of its statistics, which two operating
    /// system threads must not share.
    #[must_use]
    pub fn connect_on(&self, thread: usize) -> Connection {
        let number = self.connections.fetch_add(1, Ordering::Relaxed);
        let endpoint = Endpoint {
            address: format!("127.0.0.1:{}", 40_000 + number % 20_000),
            local_address: "127.0.0.1:6379".to_owned(),
            fd: i32::try_from(8 + number % 1_000).expect("it is below two thousand"),
            unix: false,
        };
        Connection::new(self, thread, endpoint, self.seed ^ (number << 20))
    }

    /// Lets time pass and does the periodic work that falls due: the cron, then one round of active
    /// expiry.
    pub fn pass(&self, time: Duration) {
        self.clock.pass(time);
        self.engine.cron();
        self.engine.expire_cycle(&mut Effects::default());
    }
}
