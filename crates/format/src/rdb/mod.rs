//! The values of RDB files.
//!
//! A value is a [type byte](ObjectType) and a body. Bodies are made of few primitives, which
//! [`writer`] and [`reader`] know: lengths, strings (plain, as an integer, or LZF compressed) and
//! doubles. Above them, [`encode`] writes each type in the one form that suits how it is kept, and
//! [`decode`] reads every form that Redis has written since its first release.
//!
//! [`file`] puts them into files, with all that stands beside them there.
//!
//! Small collections are one packed block here as there, so writing them is copying them.

pub mod decode;
pub mod encode;
pub mod file;
mod object_type;
pub mod reader;
#[cfg(test)]
mod tests;
mod version;
pub mod writer;
mod ziplist;
mod zipmap;

pub use decode::{DecodeError, Decoded, Limits};
pub use encode::Options;
pub use object_type::ObjectType;
pub use version::Version;
