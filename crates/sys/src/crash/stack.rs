//! A stack of its own for a thread's signal handlers.
//!
//! A handler that runs on the stack that just overflowed faults at once. The standard library
//! gives each thread a small alternative stack, enough to say "overflow", too small to symbolize
//! a stack trace.

use std::io;
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};

/// Bytes of a signal stack. Only touched pages cost memory.
const SIZE: usize = 256 << 10;

/// Bytes below it that fault, so that an overflow of the signal stack cannot corrupt the heap.
const GUARD: usize = 64 << 10;

/// The calling thread's stack for signal handlers, until dropped.
#[derive(Debug)]
pub struct SignalStack {
    // Not `Send` (a pointer is not): it must be dropped by the thread it belongs to.
    mapping: NonNull<libc::c_void>,
    previous: libc::stack_t,
}

impl SignalStack {
    /// Gives the calling thread a large signal stack; fails when memory cannot be mapped.
    pub fn install() -> io::Result<Self> {
        // SAFETY: a fresh private mapping at an address of the kernel's choice touches nothing.
        let mapping = unsafe {
            libc::mmap(
                ptr::null_mut(),
                GUARD + SIZE,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        if mapping == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let mut previous = MaybeUninit::uninit();
        // SAFETY: the protected range and the stack are the two parts of the mapping above, which
        // lives until `drop` has taken the stack out of use; `previous` is written on success.
        let code = unsafe {
            libc::mprotect(mapping, GUARD, libc::PROT_NONE);
            let stack =
                libc::stack_t { ss_sp: mapping.byte_add(GUARD), ss_flags: 0, ss_size: SIZE };
            libc::sigaltstack(&stack, previous.as_mut_ptr())
        };
        if code != 0 {
            let error = io::Error::last_os_error();
            // SAFETY: the mapping is ours and unused.
            unsafe { libc::munmap(mapping, GUARD + SIZE) };
            return Err(error);
        }
        let mapping = NonNull::new(mapping).expect("a successful mapping has an address");
        // SAFETY: the successful call above wrote it.
        Ok(Self { mapping, previous: unsafe { previous.assume_init() } })
    }
}

impl Drop for SignalStack {
    fn drop(&mut self) {
        // SAFETY: drop runs on the owning thread, outside of a signal handler: putting back the
        // previous stack takes ours out of use, and then nothing refers to the mapping.
        unsafe {
            libc::sigaltstack(&self.previous, ptr::null_mut());
            libc::munmap(self.mapping.as_ptr(), GUARD + SIZE);
        }
    }
}
