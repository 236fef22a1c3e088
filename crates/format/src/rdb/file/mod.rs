//! RDB files: a header, records, a footer.
//!
//! ```text
//!   "REDIS" "0010"           or "VALKEY" "080"; the version as digits
//!   0xFA name value          aux fields: who wrote the file, when
//!   0xF5 library             functions
//!   0xFE db                  the database of what follows; anywhere
//!   0xFB keys expiring       how large it will be; a hint
//!   [0xFC ms] [0xF8 idle | 0xF9 frequency] type key body     one of these per key
//!   0xFF crc64               little-endian, of all before it; zero where it was not computed
//! ```
//!
//! [`write`] has a function for each record, and none of them remembers anything: whoever saves
//! may encode keys on several threads and in any order. [`read`] cuts records out of bytes as they
//! arrive and decodes no value: that is left to whoever gets the record, on another thread perhaps.

mod extent;
pub mod module;
pub(crate) mod opcode;
pub mod read;
#[cfg(test)]
mod tests;
pub mod write;

pub use read::{Entry, FileError, FileReader, MAGIC_LEN, Next, Record, Stage, begins_as_rdb};
pub use write::{Attributes, Aux, Usage};
