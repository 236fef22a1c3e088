//! Hints to the processor: what will be needed soon. They change nothing but the time it takes, and
//! no address can make them fault.

/// How many look-ups are prepared together: enough to hide the waits, few enough that the cache
/// still holds the first when the last is executed.
pub const LOOK_AHEAD_MAX: usize = 16;

/// A table of fewer elements is in the processor's cache if it is asked at all often, and looking
/// ahead then costs more than it saves.
pub(crate) const LOOK_AHEAD_ELEMENTS_MIN: usize = 4096;

/// Asks for a value that will be written, so that no other core has its cache line any more.
#[inline]
pub fn for_write<T>(value: &T) {
    let address: *const u8 = std::ptr::from_ref(value).cast();
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch does not fault, and changes neither memory nor flags.
    unsafe {
        std::arch::asm!("prefetchw [{0}]", in(reg) address,
            options(nostack, preserves_flags, readonly));
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: as above.
    unsafe {
        std::arch::asm!("prfm pstl1keep, [{0}]", in(reg) address,
            options(nostack, preserves_flags, readonly));
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = address;
}

/// Asks for a cache line that will be read.
#[inline]
pub(crate) fn line(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch does not fault, whatever the address.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(address.cast());
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: as above; the instruction changes neither memory nor flags.
    unsafe {
        std::arch::asm!("prfm pldl1keep, [{0}]", in(reg) address,
            options(nostack, preserves_flags, readonly));
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = address;
}

/// One or two cache lines that will be read. Who looks up several things under locks of their own
/// keeps the hints and asks for all lines behind the last lock: a locked instruction waits until
/// the addresses of earlier prefetches are translated, which takes as long as a cache miss if the
/// processor's table of pages does not have them.
#[derive(Clone, Copy, Debug)]
pub struct Hint([*const u8; 2]);

impl Hint {
    /// These two lines, which may be the same.
    pub(crate) const fn lines(first: *const u8, second: *const u8) -> Self {
        Self([first, second])
    }

    /// A small entry, which may lie across two lines.
    #[inline]
    pub(crate) const fn small(address: *const u8) -> Self {
        /// Bytes of an entry that a look-up usually reads: header, key, a short value.
        const READ_BYTES: usize = 40;
        Self([address, address.wrapping_add(READ_BYTES - 1)])
    }

    /// Asks for the lines.
    #[inline]
    pub fn fetch(self) {
        self.0.into_iter().for_each(line);
    }
}

/// Asks for a small entry, which may lie across two cache lines.
#[inline]
pub(crate) fn small(address: *const u8) {
    Hint::small(address).fetch();
}
