//! The 24-bit access clock of an entry: when it was last used (LRU) or changed (LRM), or how often
//! it was used (LFU).
//!
//! LRU and LRM: unix time in seconds, modulo 2^24 (194 days), so an idle time is exact to the
//! second up to that. LFU: 16 bits of minutes and an 8-bit logarithmic counter, which is what
//! `OBJECT FREQ` and RDB files carry.

use stdx::rng::Rng;

use crate::UnixMs;

const CLOCK_BITS: u32 = 24;
const CLOCK_MASK: u64 = (1 << CLOCK_BITS) - 1;
/// Counter of a new key under LFU, so that it survives until it had a chance to be used.
const LFU_INITIAL: u8 = 5;

/// How accesses are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// By time.
    Lru,
    /// By time, but only changes: reading leaves no trace.
    Lrm,
    /// By frequency.
    Lfu {
        /// `lfu-log-factor`: the higher, the slower the counter saturates.
        log_factor: u32,
        /// `lfu-decay-time`: minutes after which the counter loses one; 0 never.
        decay_minutes: u32,
    },
}

/// How this command's accesses are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// Which clock the entries carry.
    pub policy: Policy,
    /// False for clients in `NO-TOUCH` mode and for `OBJECT`: reading leaves no trace.
    pub touch: bool,
}

impl Default for Access {
    fn default() -> Self {
        Self { policy: Policy::Lru, touch: true }
    }
}

impl Access {
    /// The clock of a key created at `now`.
    #[must_use]
    pub fn created(self, now: UnixMs) -> u32 {
        match self.policy {
            Policy::Lru | Policy::Lrm => lru_clock(now),
            Policy::Lfu { .. } => lfu_clock(now, LFU_INITIAL),
        }
    }

    /// The clock of a key restored at `now`: not used for so many seconds, or used with such a
    /// frequency, of which the policy regards one.
    #[must_use]
    pub fn restored(self, now: UnixMs, idle_seconds: Option<u64>, frequency: Option<u8>) -> u32 {
        match (self.policy, idle_seconds, frequency) {
            (Policy::Lfu { .. }, _, Some(count)) => lfu_clock(now, count),
            // The clock cannot say more than it has bits for.
            (Policy::Lru | Policy::Lrm, Some(idle), _) => {
                lru_clock(now.saturating_sub(idle.min(CLOCK_MASK) * 1000))
            }
            _ => self.created(now),
        }
    }

    /// The clock after an access at `now`.
    #[inline]
    #[must_use]
    pub fn touched(self, clock: u32, now: UnixMs, rng: &mut Rng) -> u32 {
        match self.policy {
            Policy::Lru => lru_clock(now),
            Policy::Lrm => clock,
            Policy::Lfu { log_factor, .. } => {
                let count = self.frequency(clock, now);
                lfu_clock(now, lfu_increment(count, log_factor, rng))
            }
        }
    }

    /// The clock after a change at `now`, if changes count apart from accesses.
    #[inline]
    #[must_use]
    pub fn changed(self, now: UnixMs) -> Option<u32> {
        (self.policy == Policy::Lrm).then(|| lru_clock(now))
    }

    /// How little an entry with this clock would be missed at `now`: the higher, the less.
    #[must_use]
    pub fn staleness(self, clock: u32, now: UnixMs) -> u64 {
        match self.policy {
            Policy::Lru | Policy::Lrm => self.idle_seconds(clock, now),
            Policy::Lfu { .. } => u64::from(u8::MAX - self.frequency(clock, now)),
        }
    }

    /// `OBJECT FREQ`: the counter, decayed to `now`. 0 under LRU.
    #[must_use]
    pub fn frequency(self, clock: u32, now: UnixMs) -> u8 {
        let Policy::Lfu { decay_minutes, .. } = self.policy else { return 0 };
        let count = (clock & 0xff) as u8;
        if decay_minutes == 0 {
            return count;
        }
        let then = (clock >> 8) as u16;
        let elapsed = u32::from(minutes(now).wrapping_sub(then));
        count.saturating_sub(u8::try_from(elapsed / decay_minutes).unwrap_or(u8::MAX))
    }

    /// `OBJECT IDLETIME`: seconds since the last access. 0 under LFU.
    #[must_use]
    pub fn idle_seconds(self, clock: u32, now: UnixMs) -> u64 {
        match self.policy {
            Policy::Lru | Policy::Lrm => {
                u64::from(lru_clock(now)).wrapping_sub(u64::from(clock)) & CLOCK_MASK
            }
            Policy::Lfu { .. } => 0,
        }
    }
}

/// The LRU clock of an instant.
#[must_use]
pub const fn lru_clock(now: UnixMs) -> u32 {
    ((now / 1000) & CLOCK_MASK) as u32
}

const fn minutes(now: UnixMs) -> u16 {
    ((now / 60_000) & 0xffff) as u16
}

const fn lfu_clock(now: UnixMs, count: u8) -> u32 {
    (minutes(now) as u32) << 8 | count as u32
}

/// Increments with a probability that falls with the count, so that 8 bits reach millions of hits.
fn lfu_increment(count: u8, log_factor: u32, rng: &mut Rng) -> u8 {
    if count == u8::MAX {
        return count;
    }
    let base = u64::from(count.saturating_sub(LFU_INITIAL));
    let odds = base * u64::from(log_factor) + 1;
    if rng.below(odds) == 0 { count + 1 } else { count }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LFU: Access =
        Access { policy: Policy::Lfu { log_factor: 10, decay_minutes: 1 }, touch: true };

    #[test]
    fn idle_time_survives_the_wrap_of_the_clock() {
        let access = Access::default();
        let before = ((1u64 << 24) - 3) * 1000;
        let clock = access.created(before);
        assert_eq!(access.idle_seconds(clock, before + 10_000), 10);
    }

    #[test]
    fn a_restored_clock_says_what_its_policy_asks() {
        let (now, lru) = (1_800_000_000_000, Access::default());
        assert_eq!(lru.idle_seconds(lru.restored(now, Some(1000), Some(9)), now), 1000);
        assert_eq!(lru.idle_seconds(lru.restored(now, Some(u64::MAX), None), now), CLOCK_MASK);
        assert_eq!(lru.restored(now, None, Some(9)), lru.created(now));
        assert_eq!(LFU.frequency(LFU.restored(now, Some(1000), Some(9)), now), 9);
        assert_eq!(LFU.restored(now, Some(1000), None), LFU.created(now));
    }

    #[test]
    fn frequency_decays_by_minutes_and_saturates() {
        let clock = LFU.created(0);
        assert_eq!(LFU.frequency(clock, 0), LFU_INITIAL);
        assert_eq!(LFU.frequency(clock, 3 * 60_000), 2);
        assert_eq!(LFU.frequency(clock, 300 * 60_000), 0);
        let mut rng = Rng::seed(1);
        let mut clock = LFU.created(0);
        (0..1_000_000).for_each(|_| clock = LFU.touched(clock, 0, &mut rng));
        assert!(LFU.frequency(clock, 0) > 200);
    }
}
