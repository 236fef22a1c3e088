//! Questions and orders to jemalloc by name (`mallctl`), each checked for type and size.

use std::ffi::{CStr, CString, c_char, c_void};
use std::fmt;
use std::mem::size_of;
use std::ptr;

/// The pseudo arena that stands for all arenas (`MALLCTL_ARENAS_ALL`).
const ALL_ARENAS: u32 = 4096;

/// Why the allocator did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ControlError {
    /// No such name.
    Unknown,
    /// The name exists, but does not hold a value of that kind, or may not be written.
    Refused,
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "No such name",
            Self::Refused => "Not a value of that kind, or not allowed",
        })
    }
}

impl std::error::Error for ControlError {}

/// Types that any bit pattern of the right size is a value of.
trait Plain: Copy + Default {}
impl Plain for u64 {}
impl Plain for u32 {}
impl Plain for u8 {}
impl Plain for isize {}

fn call(name: &CStr, old: *mut c_void, old_size: &mut usize, new: &mut [u8]) -> i32 {
    let (new_pointer, new_size) =
        if new.is_empty() { (ptr::null_mut(), 0) } else { (new.as_mut_ptr().cast(), new.len()) };
    let old_size_pointer = if old.is_null() { ptr::null_mut() } else { ptr::from_mut(old_size) };
    // SAFETY: `name` is NUL-terminated; `old` is null or points to `old_size` writable bytes (our
    // two callers pass a local value and its size); `new` is a slice that the callee only reads.
    unsafe {
        tikv_jemalloc_sys::mallctl(name.as_ptr(), old, old_size_pointer, new_pointer, new_size)
    }
}

fn outcome(code: i32) -> Result<(), ControlError> {
    match code {
        0 => Ok(()),
        libc::ENOENT => Err(ControlError::Unknown),
        _ => Err(ControlError::Refused),
    }
}

fn get<T: Plain>(name: &CStr) -> Result<T, ControlError> {
    let mut value = T::default();
    let mut size = size_of::<T>();
    outcome(call(name, ptr::from_mut(&mut value).cast(), &mut size, &mut []))?;
    if size == size_of::<T>() { Ok(value) } else { Err(ControlError::Refused) }
}

fn order(name: &CStr, value: &mut [u8]) -> Result<(), ControlError> {
    outcome(call(name, ptr::null_mut(), &mut 0, value))
}

fn c_name(name: &str) -> Result<CString, ControlError> {
    CString::new(name).map_err(|_| ControlError::Unknown)
}

/// The address stored under `name_with_nul`, which must be one of the per-thread counters.
pub(super) fn counter_address(name_with_nul: &'static str) -> *mut u64 {
    let name = CStr::from_bytes_with_nul(name_with_nul.as_bytes())
        .expect("counter names end with their only NUL");
    let mut address: *mut u64 = ptr::null_mut();
    let mut size = size_of::<*mut u64>();
    let code = call(name, ptr::from_mut(&mut address).cast(), &mut size, &mut []);
    assert!(code == 0 && !address.is_null(), "the allocator is built with statistics");
    address
}

/// Reads a numeric or boolean value of any width; booleans are 0 and 1.
pub fn control_number(name: &str) -> Result<i64, ControlError> {
    let name = c_name(name)?;
    // The allocator answers `EINVAL` when the size differs, so trying widths finds the type.
    match get::<u64>(&name) {
        Err(ControlError::Refused) => {}
        other => return other.map(u64::cast_signed),
    }
    match get::<u32>(&name) {
        Err(ControlError::Refused) => get::<u8>(&name).map(i64::from),
        other => other.map(i64::from),
    }
}

/// Names whose values are texts; the type cannot be asked, and following a number as a pointer
/// would be fatal.
fn is_text(name: &str) -> bool {
    const TEXTS: [&str; 10] = [
        "version",
        "config.malloc_conf",
        "opt.metadata_thp",
        "opt.dss",
        "opt.percpu_arena",
        "opt.junk",
        "opt.thp",
        "opt.stats_print_opts",
        "opt.stats_interval_opts",
        "opt.zero_realloc",
    ];
    TEXTS.contains(&name) || (name.starts_with("arena.") && name.ends_with(".dss"))
}

/// Reads a value that is a text, such as `version` or `opt.thp`.
pub fn control_text(name: &str) -> Result<String, ControlError> {
    let c_name = c_name(name)?;
    if !is_text(name) {
        let known = control_number(name) != Err(ControlError::Unknown);
        return Err(if known { ControlError::Refused } else { ControlError::Unknown });
    }
    let mut text: *const c_char = ptr::null();
    let mut size = size_of::<*const c_char>();
    outcome(call(&c_name, ptr::from_mut(&mut text).cast(), &mut size, &mut []))?;
    if text.is_null() {
        return Ok(String::new());
    }
    // SAFETY: the names admitted by `is_text` hold pointers to constant NUL-terminated strings
    // inside the allocator, alive for the whole program.
    Ok(unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
}

/// What may be written from outside: tuning that cannot invalidate live memory. (Others, such as
/// `arena.N.reset`, free blocks that are in use.)
fn writable_width(name: &str) -> Option<usize> {
    let last = name.rsplit('.').next().unwrap_or_default();
    match name {
        "background_thread" | "thread.tcache.enabled" => Some(1),
        "max_background_threads" | "epoch" => Some(8),
        "thread.tcache.flush" => Some(0),
        _ => match last {
            "dirty_decay_ms" | "muzzy_decay_ms" => Some(8),
            "purge" | "decay" if name.starts_with("arena.") => Some(0),
            _ => None,
        },
    }
}

/// Writes a number under one of the names that are safe to write; `value` is ignored by those that
/// are orders (`arena.4096.purge`).
pub fn control_set(name: &str, value: i64) -> Result<(), ControlError> {
    let c_name = c_name(name)?;
    let Some(width) = writable_width(name) else {
        let known = control_number(name) != Err(ControlError::Unknown);
        return Err(if known { ControlError::Refused } else { ControlError::Unknown });
    };
    let mut bytes = if width == 1 { [u8::from(value != 0); 8] } else { value.to_ne_bytes() };
    order(&c_name, &mut bytes[..width])
}

/// Turns the allocator's own purging thread on or off (the `jemalloc-bg-thread` parameter).
pub fn set_background_thread(on: bool) -> Result<(), ControlError> {
    control_set("background_thread", i64::from(on))
}

/// Returns every unused dirty page to the operating system (`MEMORY PURGE`).
pub fn purge() -> Result<(), ControlError> {
    // Cached free blocks of the calling thread may keep pages busy.
    control_set("thread.tcache.flush", 0)?;
    control_set(&format!("arena.{ALL_ARENAS}.purge"), 0)
}

/// The bytes that an allocation of `size` bytes occupies: its size class.
pub fn size_class(size: usize) -> usize {
    // SAFETY: a pure computation on two numbers; `size` is not 0, as the callee demands.
    unsafe { tikv_jemalloc_sys::nallocx(size.max(1), 0) }
}

/// The allocator's own long report (`MEMORY MALLOC-STATS`).
pub fn report() -> String {
    unsafe extern "C" fn append(target: *mut c_void, text: *const c_char) {
        // SAFETY: `target` is the `Vec` passed below, alive and not otherwise borrowed during the
        // call; `text` is a NUL-terminated string of the allocator.
        let (target, text) = unsafe { (&mut *target.cast::<Vec<u8>>(), CStr::from_ptr(text)) };
        target.extend_from_slice(text.to_bytes());
    }
    let mut text: Vec<u8> = Vec::with_capacity(64 << 10);
    // SAFETY: the callback matches the declared type and `text` outlives the call; null options
    // mean all sections.
    unsafe {
        tikv_jemalloc_sys::malloc_stats_print(
            Some(append),
            ptr::from_mut(&mut text).cast(),
            ptr::null(),
        );
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// The allocator's totals, all in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Handed out to the program, rounded up to size classes.
    pub allocated: u64,
    /// In pages that hold at least one allocation.
    pub active: u64,
    /// For the allocator's own bookkeeping.
    pub metadata: u64,
    /// Physically mapped, as far as the allocator knows.
    pub resident: u64,
    /// Mapped in all, resident or not.
    pub mapped: u64,
    /// Address space kept for reuse without memory behind it.
    pub retained: u64,
    /// In pages whose content was given up but that the system may not have taken yet.
    pub muzzy: u64,
    /// Unused regions inside slabs of small size classes: fragmentation that moving could cure.
    pub small_fragmentation: u64,
}

/// Refreshes and reads the totals; tens of microseconds.
pub fn stats() -> Stats {
    let number = |name: &str| {
        control_number(name).ok().and_then(|value| u64::try_from(value).ok()).unwrap_or(0)
    };
    // Writing the epoch makes the allocator recompute what the names below return.
    let refreshed = control_set("epoch", 1);
    debug_assert_eq!(refreshed, Ok(()), "the epoch is writable");
    let page = number("arenas.page");
    let arena = |name: &str| number(&format!("stats.arenas.{ALL_ARENAS}.{name}"));
    let bins = number("arenas.nbins");
    let small_fragmentation = (0..bins)
        .map(|bin| {
            let slabs = arena(&format!("bins.{bin}.curslabs"));
            let regions = number(&format!("arenas.bin.{bin}.nregs"));
            let used = arena(&format!("bins.{bin}.curregs"));
            let size = number(&format!("arenas.bin.{bin}.size"));
            slabs.saturating_mul(regions).saturating_sub(used).saturating_mul(size)
        })
        .sum();
    Stats {
        allocated: number("stats.allocated"),
        active: number("stats.active"),
        metadata: number("stats.metadata"),
        resident: number("stats.resident"),
        mapped: number("stats.mapped"),
        retained: number("stats.retained"),
        muzzy: arena("pmuzzy").saturating_mul(page),
        small_fragmentation,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_ordered_and_move() {
        let _serial = crate::alloc::SERIAL.lock().unwrap();
        let block = vec![7u8; 32 << 20];
        let with_block = stats();
        assert!(with_block.allocated >= 32 << 20);
        assert!(with_block.allocated <= with_block.active);
        assert!(with_block.active <= with_block.resident);
        assert!(with_block.resident <= with_block.mapped + with_block.metadata);
        drop(block);
        purge().unwrap();
        assert!(stats().allocated + (16 << 20) < with_block.allocated);
    }

    #[test]
    fn names_are_typed_and_writes_limited() {
        assert_eq!(control_number("arenas.page").unwrap() % 4096, 0);
        assert_eq!(control_number("opt.background_thread"), Ok(1));
        assert_eq!(control_number("no.such.name"), Err(ControlError::Unknown));
        assert_eq!(control_number("bad\0name"), Err(ControlError::Unknown));
        assert!(control_text("version").unwrap().starts_with("5."));
        assert_eq!(control_text("arenas.page"), Err(ControlError::Refused));
        assert_eq!(control_text("no.such.name"), Err(ControlError::Unknown));
        assert_eq!(control_set("arena.0.reset", 1), Err(ControlError::Refused));
        assert_eq!(control_set("arena.0.extent_hooks", 1), Err(ControlError::Refused));
        assert_eq!(control_set("arena.0.dirty_decay_ms", 10_000), Ok(()));
        assert_eq!(control_number("arena.0.dirty_decay_ms"), Ok(10_000));
    }

    #[test]
    fn size_classes_are_the_documented_ones() {
        assert_eq!(size_class(0), 8);
        assert_eq!(size_class(27), 32);
        assert_eq!(size_class(33), 48);
        assert_eq!(size_class(100), 112);
    }

    #[test]
    fn the_report_is_complete() {
        let report = report();
        assert!(report.contains("Begin jemalloc statistics"));
        assert!(report.contains("End jemalloc statistics"));
    }
}
