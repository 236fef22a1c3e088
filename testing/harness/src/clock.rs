//! The clock of an engine under test: the system's, or one that moves when it is told to.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use stdx::clock::{Clock, ManualClock};

/// Where a manual clock begins: 20 September 2025, some 13 hours in. A fixed instant makes every
/// run of a test the same.
const START_UNIX_US: u64 = 1_758_376_800_000_000;

/// The clock that an [`InProcess`](crate::InProcess) engine reads.
#[derive(Debug)]
pub enum TestClock {
    /// Stands still until [`TestClock::pass`].
    Manual(ManualClock),
    /// The system's clocks, for tests with threads that race.
    System {
        /// Zero of the monotonic time.
        start: Instant,
    },
}

impl TestClock {
    /// A clock that stands still.
    #[must_use]
    pub fn manual() -> Self {
        Self::standing_at(START_UNIX_US)
    }

    /// A clock that stands still at `unix_us` microseconds.
    #[must_use]
    pub fn standing_at(unix_us: u64) -> Self {
        Self::Manual(ManualClock::new(unix_us))
    }

    /// The system's clocks.
    #[must_use]
    pub fn system() -> Self {
        Self::System { start: Instant::now() }
    }

    /// Lets time pass: moves a manual clock, and sleeps with the system's.
    pub fn pass(&self, time: Duration) {
        match self {
            Self::Manual(clock) => {
                clock.advance_us(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
            }
            Self::System { .. } => std::thread::sleep(time),
        }
    }
}

impl Clock for TestClock {
    fn unix_us(&self) -> u64 {
        match self {
            Self::Manual(clock) => clock.unix_us(),
            Self::System { .. } => {
                let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                u64::try_from(since_epoch.as_micros()).unwrap_or(u64::MAX)
            }
        }
    }

    fn monotonic_ns(&self) -> u64 {
        match self {
            Self::Manual(clock) => clock.monotonic_ns(),
            Self::System { start } => u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX),
        }
    }
}
