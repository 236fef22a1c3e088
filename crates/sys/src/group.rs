//! The groups that the system knows by name.

use std::ffi::{CString, c_char};
use std::io;
use std::mem::MaybeUninit;
use std::ptr;

/// Most bytes that the record of a group, its members' names included, may take.
const RECORD_BYTES_MAX: usize = 16 << 20;

/// The number of the group `name`, `None` if there is no such group.
///
/// # Errors
/// That of the system's group database, or that a group's record takes more than 16 MiB.
pub fn id_of(name: &[u8]) -> io::Result<Option<u32>> {
    // What holds a NUL is nobody's name.
    let Ok(name) = CString::new(name) else { return Ok(None) };
    let mut buffer: Vec<c_char> = vec![0; 1024];
    loop {
        let mut group = MaybeUninit::<libc::group>::uninit();
        let mut found = ptr::null_mut();
        // SAFETY: the name ends in NUL; the other pointers are to locals of the right type, and
        // the length is that of the buffer.
        let code = unsafe {
            libc::getgrnam_r(
                name.as_ptr(),
                group.as_mut_ptr(),
                buffer.as_mut_ptr(),
                buffer.len(),
                &raw mut found,
            )
        };
        match code {
            0 if found.is_null() => return Ok(None),
            // SAFETY: a non-null answer means that the structure was filled.
            0 => return Ok(Some(unsafe { group.assume_init() }.gr_gid)),
            libc::ERANGE if buffer.len() < RECORD_BYTES_MAX => buffer.resize(buffer.len() * 4, 0),
            libc::EINTR => {}
            // The ways in which a database says that it has no such entry.
            libc::ENOENT | libc::ESRCH => return Ok(None),
            code => return Err(io::Error::from_raw_os_error(code)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_have_numbers() {
        assert_eq!(id_of(b"root").unwrap(), Some(0));
        assert_eq!(id_of(b"no group of this name").unwrap(), None);
        assert_eq!(id_of(b"ro\0ot").unwrap(), None);
        assert_eq!(id_of(b"").unwrap(), None);
    }
}
