//! The memory limit and what happens at it.

use super::security::END as PREVIOUS;
use crate::choice::{Choices, MaxmemoryPolicy};
use crate::handle::{Bool, Bytes, Choice, Int};
use crate::row::{INT_MAX, Unit, boolean, bytes, choice, int};

rows! {
    Memory after PREVIOUS;

    MAXMEMORY: Bytes = bytes("maxmemory", 0, 0, u64::MAX),
        "Memory that the dataset may use; 0 for no limit.";
    MAXMEMORY_POLICY: Choice<MaxmemoryPolicy> =
        choice("maxmemory-policy", MaxmemoryPolicy::WORDS, MaxmemoryPolicy::Noeviction as i64),
        "Which keys are removed to stay within the limit.";
    MAXMEMORY_SAMPLES: Int = int("maxmemory-samples", 5, 1, 64),
        "Keys compared to find the best one to remove.";
    MAXMEMORY_EVICTION_TENACITY: Int = int("maxmemory-eviction-tenacity", 10, 0, 100),
        "How much time removing keys may take from commands: 0 the least, 100 as much as needed.";
    LFU_LOG_FACTOR: Int = int("lfu-log-factor", 10, 0, INT_MAX),
        "How many accesses it takes to raise the counter of a key.";
    LFU_DECAY_TIME: Int = int("lfu-decay-time", 1, 0, INT_MAX).unit(Unit::Minutes),
        "Idle time that halves the counter of a key; 0 never does.";
    ACTIVE_EXPIRE_EFFORT: Int = int("active-expire-effort", 1, 1, 10).planned(),
        "How hard the server looks for expired keys that nobody reads.";
    REPLICA_IGNORE_MAXMEMORY: Bool =
        boolean("replica-ignore-maxmemory", true).aliases(&["slave-ignore-maxmemory"]).planned(),
        "Leave removing keys to the primary.";
    KEY_MEMORY_HISTOGRAMS: Bool = boolean("key-memory-histograms", false)
        .only_off("memory tracking cannot be enabled at runtime").planned(),
        "Count keys by the memory they use.";
}
