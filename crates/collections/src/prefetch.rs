//! Hints to the processor: what will be needed soon. They change nothing but the time it takes, and
//! no address can make them fault.

/// How many look-ups in one collection are prepared at once.
pub(crate) const LOOK_AHEAD_MAX: usize = 16;

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

/// Asks for a small entry, which may lie across two cache lines.
#[inline]
pub(crate) fn small(address: *const u8) {
    /// Bytes of an entry that a look-up usually reads: header, key, a short value.
    const READ_BYTES: usize = 40;
    line(address);
    line(address.wrapping_add(READ_BYTES - 1));
}
