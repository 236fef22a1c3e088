//! Time as an argument.
//!
//! Code below the server never asks the operating system for the time: it is handed a timestamp,
//! or a [`Clock`] where it must look more than once. Tests hand it a [`ManualClock`] and decide
//! what time it is.

use std::sync::atomic::{AtomicU64, Ordering};

/// A source of time. The server implements it with the system's clocks.
pub trait Clock: Send + Sync {
    /// Microseconds since the Unix epoch. May jump when the system's time is set.
    fn unix_us(&self) -> u64;

    /// Nanoseconds since an arbitrary start. Never goes backwards; for measuring durations.
    fn monotonic_ns(&self) -> u64;

    /// Milliseconds since the Unix epoch: the unit of key expiry.
    fn unix_ms(&self) -> u64 {
        self.unix_us() / 1_000
    }
}

/// A clock that moves only when it is told to.
#[derive(Debug, Default)]
pub struct ManualClock {
    unix_us: AtomicU64,
    monotonic_ns: AtomicU64,
}

impl ManualClock {
    /// A clock that shows `unix_us` and whose monotonic time starts at zero.
    pub fn new(unix_us: u64) -> Self {
        Self { unix_us: AtomicU64::new(unix_us), monotonic_ns: AtomicU64::new(0) }
    }

    /// Lets `us` microseconds pass on both clocks.
    pub fn advance_us(&self, us: u64) {
        self.unix_us.fetch_add(us, Ordering::Relaxed);
        self.monotonic_ns.fetch_add(us.saturating_mul(1_000), Ordering::Relaxed);
    }

    /// Lets `ms` milliseconds pass on both clocks.
    pub fn advance_ms(&self, ms: u64) {
        self.advance_us(ms.saturating_mul(1_000));
    }

    /// Sets the wall clock, forwards or backwards, as an administrator would. The monotonic time
    /// does not change.
    pub fn set_unix_us(&self, unix_us: u64) {
        self.unix_us.store(unix_us, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn unix_us(&self) -> u64 {
        self.unix_us.load(Ordering::Relaxed)
    }

    fn monotonic_ns(&self) -> u64 {
        self.monotonic_ns.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_wall_clock_can_be_set() {
        let clock = ManualClock::new(5_000_500);
        assert_eq!((clock.unix_us(), clock.unix_ms(), clock.monotonic_ns()), (5_000_500, 5_000, 0));
        clock.advance_ms(2);
        assert_eq!((clock.unix_us(), clock.monotonic_ns()), (5_002_500, 2_000_000));
        clock.set_unix_us(7);
        assert_eq!((clock.unix_us(), clock.monotonic_ns()), (7, 2_000_000));
    }
}
