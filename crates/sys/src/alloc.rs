//! The allocator of every binary that links this crate, and what can be asked of it.
//!
//! jemalloc, because its hot pair costs 3.5 ns, a block freed by another thread than the one that
//! allocated it 20 ns, its size classes are fine enough for 32- and 48-byte entries, and it counts
//! bytes per thread exactly and for nothing: two 64-bit words in thread-local storage that it
//! bumps on every call.
//!
//! Those words answer the question that is asked before every write command ("how much memory is
//! used?") without touching a shared cache line on the allocation path: each long-lived thread
//! publishes the addresses of its two words once ([`register_thread`]), and [`used`] sums them,
//! some tens of nanoseconds for a handful of threads. The full statistics ([`stats`]) make
//! jemalloc merge its arenas, which costs tens of microseconds; `INFO` may ask for them, a
//! command's path may not.

mod control;
mod counters;

pub use control::{
    ControlError, Stats, control_number, control_set, control_text, purge, report,
    set_background_thread, size_class, stats,
};
pub use counters::{ThreadCounters, register_thread, used, used_nearly, used_now};

#[global_allocator]
static GLOBAL: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The allocator's name and version as `INFO memory` prints it, for example `jemalloc-5.3.1`.
pub fn name() -> String {
    // The version reads "5.3.1-0-g<commit>"; what follows the first dash identifies a build.
    let version = control_text("version").unwrap_or_default();
    format!("jemalloc-{}", version.split('-').next().unwrap_or_default())
}

/// Held by tests that compare process-wide figures before and after.
#[cfg(test)]
static SERIAL: std::sync::Mutex<()> = std::sync::Mutex::new(());
