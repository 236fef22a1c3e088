//! Figures about the process and the machine for `INFO`.

use engine::platform::{CpuUse, MemoryUse};

/// Memory figures: the allocator's, the process's resident set and the machine's total.
pub fn memory() -> MemoryUse {
    let stats = sys::alloc::stats();
    MemoryUse {
        // The allocator's own sum takes the free blocks that threads keep at hand for used.
        allocated: sys::alloc::used(),
        active: stats.active,
        resident: stats.resident,
        retained: stats.retained,
        muzzy: stats.muzzy,
        metadata: stats.metadata,
        rss: resident_bytes().unwrap_or(stats.resident),
        system_total: system_bytes(),
    }
}

/// The resident set: the second number of `/proc/self/statm`, in pages.
fn resident_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

/// The machine's memory in bytes.
pub fn system_bytes() -> u64 {
    let info = rustix::system::sysinfo();
    u64::from(info.mem_unit).saturating_mul(info.totalram)
}

/// Processor time in clock ticks from a `stat` file of `/proc`: fields 14 to 17, user and system
/// time of the process itself and of the children it waited for.
fn stat_ticks(path: &str) -> Option<[u64; 4]> {
    let text = std::fs::read_to_string(path).ok()?;
    // The second field, the name, may contain spaces and parentheses.
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let mut ticks = [0; 4];
    for slot in &mut ticks {
        *slot = fields.next()?.parse().ok()?;
    }
    Some(ticks)
}

/// Processor time of the process and of its main thread.
pub fn cpu() -> CpuUse {
    let us_per_tick = 1_000_000 / rustix::param::clock_ticks_per_second().max(1);
    let [user, system, children_user, children_system] =
        stat_ticks("/proc/self/stat").unwrap_or_default().map(|ticks| ticks * us_per_tick);
    let [thread_user, thread_system, ..] =
        stat_ticks("/proc/thread-self/stat").unwrap_or_default().map(|ticks| ticks * us_per_tick);
    CpuUse {
        system_us: system,
        user_us: user,
        children_system_us: children_system,
        children_user_us: children_user,
        thread_system_us: thread_system,
        thread_user_us: thread_user,
    }
}
