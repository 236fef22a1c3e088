//! The processor's time stamp counter: a monotonic clock for a third of the price of the system's.
//!
//! Every command's duration is measured, so a reading must cost next to nothing: about 7 ns here
//! against 20 ns and more for `clock_gettime` through the vDSO. It is used only where the counter
//! is invariant (it ticks at one rate on all cores, whatever their frequency and sleep states).

use std::time::{Duration, Instant};

/// A calibrated counter.
#[derive(Clone, Copy, Debug)]
pub struct Tsc {
    start: u64,
    /// Nanoseconds per tick, times 2^32.
    scale: u64,
}

/// How long calibration watches the system's clock: the error is its reading's 20 ns in this.
const CALIBRATION: Duration = Duration::from_millis(2);

impl Tsc {
    /// A clock that starts at zero now; none where the counter cannot be trusted.
    #[must_use]
    pub fn calibrate() -> Option<Self> {
        if !is_invariant() {
            return None;
        }
        let (start, began) = (ticks(), Instant::now());
        while began.elapsed() < CALIBRATION {
            std::hint::spin_loop();
        }
        let (end, elapsed) = (ticks(), began.elapsed());
        let passed = end.checked_sub(start).filter(|&passed| passed > 0)?;
        let scale = (elapsed.as_nanos() << 32) / u128::from(passed);
        Some(Self { start, scale: u64::try_from(scale).ok()? })
    }

    /// Nanoseconds since the calibration.
    #[inline]
    #[must_use]
    pub fn now_ns(&self) -> u64 {
        let passed = ticks().saturating_sub(self.start);
        ((u128::from(passed) * u128::from(self.scale)) >> 32) as u64
    }
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn ticks() -> u64 {
    // SAFETY: every x86-64 processor has the instruction, and Linux lets user programs run it.
    unsafe { core::arch::x86_64::_rdtsc() }
}

#[cfg(target_arch = "x86_64")]
fn is_invariant() -> bool {
    const LEAF: u32 = 0x8000_0007;
    const INVARIANT: u32 = 1 << 8;
    let highest = core::arch::x86_64::__cpuid(0x8000_0000).eax;
    highest >= LEAF && core::arch::x86_64::__cpuid(LEAF).edx & INVARIANT != 0
}

#[cfg(not(target_arch = "x86_64"))]
fn ticks() -> u64 {
    0
}

#[cfg(not(target_arch = "x86_64"))]
fn is_invariant() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_systems_clock() {
        let Some(tsc) = Tsc::calibrate() else { return };
        let (ours, theirs) = (tsc.now_ns(), Instant::now());
        std::thread::sleep(Duration::from_millis(50));
        let (ours, theirs) = (tsc.now_ns() - ours, theirs.elapsed().as_nanos() as u64);
        // Scheduling may fall between the two readings, so the bound is wide; a wrong scale is
        // off by far more.
        assert!(ours.abs_diff(theirs) < theirs / 2, "{ours} against {theirs} ns");
    }
}
