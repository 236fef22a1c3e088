//! What the packed formats, [listpack](crate::listpack) and [intset](crate::intset), have in
//! common: each is one block of shared bytes that dump files hold as it is, and either is refused
//! as a whole when it comes from outside and is not well-formed.

use std::fmt;

/// Bytes or elements from outside do not make a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not well-formed")
    }
}

impl std::error::Error for Malformed {}

/// The methods that show the block of a type whose field `bytes` it is.
macro_rules! block_methods {
    () => {
        /// The block as dump files have it.
        #[must_use]
        pub fn as_bytes(&self) -> &[u8] {
            self.bytes.as_slice()
        }

        /// The bytes of memory behind the pointer.
        #[must_use]
        pub fn allocated_bytes(&self) -> usize {
            self.bytes.allocated_bytes()
        }
    };
}
pub(crate) use block_methods;
