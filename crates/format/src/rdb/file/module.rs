//! What modules leave in files. Each piece says its own kind, so all of it can be stepped over by
//! whoever does not know the module.

/// A piece of a module's data: no further one.
pub(super) const END: u64 = 0;
/// A signed number.
pub(super) const SIGNED: u64 = 1;
/// An unsigned number.
pub(super) const UNSIGNED: u64 = 2;
/// Four bytes.
pub(super) const FLOAT: u64 = 3;
/// Eight bytes.
pub(super) const DOUBLE: u64 = 4;
/// A string.
pub(super) const STRING: u64 = 5;

/// The letters of a module's name, six bits each.
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const NAME_LEN: u32 = 9;
const VERSION_BITS: u32 = 10;

/// The name that the id of a module's type stands for: nine letters above ten bits of version.
#[must_use]
pub fn type_name(id: u64) -> String {
    let letter = |at: u32| LETTERS[(id >> (VERSION_BITS + 6 * at)) as usize & 63];
    (0..NAME_LEN).rev().map(|at| char::from(letter(at))).collect()
}
