//! Exact bytes in use, summed over threads without any work on the allocation path.
//!
//! A registered thread owns a slot in a fixed table; the slot holds the addresses of its
//! jemalloc counters. A block is often freed by another thread than its allocator's, so one
//! thread's difference may be negative: only the sum over all threads means something. When a
//! thread ends, its final difference moves to [`RETIRED`] under the same lock that readers of the
//! table take, so that no reader ever follows the address of a dead thread.

use std::cell::Cell;

use super::control::counter_address;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The addresses of one live thread's counters of bytes ever allocated and ever freed.
#[derive(Clone, Copy)]
struct Slot {
    allocated: &'static AtomicU64,
    freed: &'static AtomicU64,
}

/// Slots of the threads alive, and the differences of those that ended.
struct Table {
    live: Vec<(u64, Slot)>,
    retired: i64,
    next_id: u64,
}

static TABLE: Mutex<Table> = Mutex::new(Table { live: Vec::new(), retired: 0, next_id: 0 });

fn table() -> MutexGuard<'static, Table> {
    // Nothing below panics while holding the lock; a poisoned table would still be consistent.
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Slot {
    /// Bytes this thread allocated minus bytes it freed.
    fn difference(self) -> i64 {
        let allocated = self.allocated.load(Ordering::Relaxed);
        let freed = self.freed.load(Ordering::Relaxed);
        allocated.wrapping_sub(freed).cast_signed()
    }
}

/// The registration of a thread; lasts until dropped, on the same thread.
#[must_use = "the thread is counted only while this value lives"]
pub struct ThreadCounters {
    id: u64,
    // The counters belong to the thread that registered: the guard must be dropped there.
    not_send: std::marker::PhantomData<*const ()>,
}

/// Counts the calling thread's allocations in [`used`] until the returned value is dropped.
///
/// Every thread that lives long or moves much data registers first thing. What a thread did
/// before counts too: the allocator's counters start with the thread.
pub fn register_thread() -> ThreadCounters {
    let slot = own_slot();
    let mut table = table();
    let id = table.next_id;
    table.next_id += 1;
    table.live.push((id, slot));
    ThreadCounters { id, not_send: std::marker::PhantomData }
}

/// The calling thread's counters. Not to be used by another thread, nor after this one ended,
/// except under the lock of the table.
fn own_slot() -> Slot {
    Slot { allocated: counter("thread.allocatedp\0"), freed: counter("thread.deallocatedp\0") }
}

fn counter(name_with_nul: &'static str) -> &'static AtomicU64 {
    let address = counter_address(name_with_nul);
    // SAFETY: the allocator returns the address of an aligned 64-bit counter in the calling
    // thread's local storage, valid until that thread ends. The reference goes to two places:
    // the table, where `ThreadCounters`, which is not `Send` and so is dropped on this thread
    // before it ends, removes it under the lock that every reader holds; and a thread-local
    // `View` of the same thread. No reference is followed after the thread ended. The allocator
    // writes the counter with plain aligned 64-bit stores of the owning thread; all our accesses
    // are relaxed loads.
    unsafe { AtomicU64::from_ptr(address) }
}

impl Drop for ThreadCounters {
    fn drop(&mut self) {
        let mut table = table();
        if let Some(index) = table.live.iter().position(|(id, _)| *id == self.id) {
            let (_, slot) = table.live.swap_remove(index);
            table.retired = table.retired.wrapping_add(slot.difference());
        }
    }
}

/// Bytes in use (size classes included) as counted by all registered threads.
///
/// Costs tens of nanoseconds. The threads go on allocating while they are summed, so the sum is
/// off by what happens meanwhile; it is exact when they rest.
pub fn used() -> u64 {
    let table = table();
    let live: i64 = table.live.iter().map(|(_, slot)| slot.difference()).sum();
    u64::try_from(live.wrapping_add(table.retired)).unwrap_or(0)
}

/// A thread's recent knowledge of the sum over all threads.
#[derive(Clone, Copy)]
struct View {
    slot: Slot,
    /// The sum at the last look at all threads.
    sum: i64,
    /// This thread's own difference at that moment.
    own: i64,
    /// Questions answered since.
    answers: u32,
}

thread_local! {
    static VIEW: Cell<Option<View>> = const { Cell::new(None) };
}

/// What a thread may have allocated or freed since it last looked at the others.
const OWN_BYTES_MAX: u64 = 64 << 10;
/// How often it answers without looking at the others.
const ANSWERS_MAX: u32 = 64;

/// As [`used`], for asking before every command: a few nanoseconds, because most answers add what
/// this thread did since it last looked at the counters of all. The others' work of up to 64
/// answers is missing.
pub fn used_nearly() -> u64 {
    let view = VIEW.get();
    if let Some(mut view) = view {
        let since = view.slot.difference().wrapping_sub(view.own);
        if since.unsigned_abs() <= OWN_BYTES_MAX && view.answers < ANSWERS_MAX {
            view.answers += 1;
            VIEW.set(Some(view));
            return u64::try_from(view.sum.wrapping_add(since)).unwrap_or(0);
        }
    }
    used_now()
}

/// As [`used`]; from now on [`used_nearly`] counts from here on this thread.
pub fn used_now() -> u64 {
    let slot = VIEW.get().map_or_else(own_slot, |view| view.slot);
    let sum = used();
    let own = slot.difference();
    VIEW.set(Some(View { slot, sum: sum.cast_signed(), own, answers: 0 }));
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_over_threads_that_live_and_that_ended() {
        let _serial = crate::alloc::SERIAL.lock().unwrap();
        const SIZE: usize = 64 << 20;
        const SLACK: u64 = 4 << 20;
        let _main = register_thread();
        let before = used();
        let block = std::thread::spawn(|| {
            let _guard = register_thread();
            vec![1u8; SIZE]
        })
        .join()
        .unwrap();
        let with_block = used();
        assert!(with_block.abs_diff(before + SIZE as u64) < SLACK, "{before} {with_block}");
        // Freed by another thread than its allocator.
        drop(block);
        // Near, whatever this thread did since.
        for _ in 0..200 {
            let small = vec![0u8; 1000];
            assert!(used_nearly().abs_diff(used()) < SLACK);
            drop(small);
        }
        let large = vec![1u8; SIZE];
        assert!(used_nearly() > before + SIZE as u64 / 2);
        drop(large);
        let after = used();
        assert!(after.abs_diff(before) < SLACK, "{before} {after}");
    }
}
