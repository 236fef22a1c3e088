//! The locales that the system has.

use std::ffi::CString;
use std::ptr;

/// Whether strings can be ordered by the rules of the locale `name`; the empty one is that of the
/// environment.
#[must_use]
pub fn can_collate(name: &[u8]) -> bool {
    // What holds a NUL is no locale's name.
    let Ok(name) = CString::new(name) else { return false };
    // SAFETY: the name ends in NUL, and there is no locale that this one is to be based on.
    let locale = unsafe { libc::newlocale(libc::LC_COLLATE_MASK, name.as_ptr(), ptr::null_mut()) };
    if locale.is_null() {
        return false;
    }
    // SAFETY: it was made above and is in use nowhere.
    unsafe { libc::freelocale(locale) };
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_locale_is_everywhere_and_others_are_not() {
        assert!(can_collate(b"C") && can_collate(b"POSIX"));
        for name in [&b"nowhere"[..], b"xx_YY.UTF-8", b"C\0", b"-1"] {
            assert!(!can_collate(name), "{name:?}");
        }
    }
}
