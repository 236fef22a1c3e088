//! The local time zone.

use std::mem::MaybeUninit;

/// Seconds that local time is ahead of UTC at the moment `unix_seconds`; 0 where that is unknown.
pub fn offset_seconds(unix_seconds: i64) -> i64 {
    let time: libc::time_t = unix_seconds;
    let mut parts = MaybeUninit::<libc::tm>::uninit();
    // SAFETY: both pointers are to locals of the right type. The C library may read the `TZ`
    // variable, which nothing in this program changes once threads run.
    let filled = unsafe { libc::localtime_r(&time, parts.as_mut_ptr()) };
    if filled.is_null() {
        return 0;
    }
    // SAFETY: a non-null answer means that the structure was filled.
    let parts = unsafe { parts.assume_init() };
    parts.tm_gmtoff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_those_of_a_time_zone() {
        for moment in [0, 1_700_000_000, 1_720_000_000] {
            let offset = offset_seconds(moment);
            assert!((-14 * 3600..=14 * 3600).contains(&offset), "{offset}");
            assert_eq!(offset % 60, 0);
        }
        assert_eq!(offset_seconds(i64::MAX), 0);
    }
}
