//! The system's clocks behind the trait that the rest of the program is handed.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use stdx::clock::Clock;
use sys::tsc::Tsc;

/// The wall clock of the system, and the processor's counter as the monotonic one; the system's
/// monotonic clock (about 20 ns a look through the vDSO) where the counter cannot be trusted.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
    tsc: Option<Tsc>,
}

impl SystemClock {
    /// A clock whose monotonic time starts now.
    pub fn new() -> Self {
        Self { start: Instant::now(), tsc: Tsc::calibrate() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn unix_us(&self) -> u64 {
        // A clock set to before 1970 reads as 1970.
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since_epoch.as_micros()).unwrap_or(u64::MAX)
    }

    fn monotonic_ns(&self) -> u64 {
        if let Some(tsc) = &self.tsc {
            return tsc.now_ns();
        }
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_clocks_move_forward() {
        let clock = SystemClock::new();
        let (wall, monotonic) = (clock.unix_us(), clock.monotonic_ns());
        std::thread::sleep(std::time::Duration::from_millis(2));
        assert!(clock.unix_us() > wall);
        assert!(clock.monotonic_ns() >= monotonic + 1_000_000);
    }
}
