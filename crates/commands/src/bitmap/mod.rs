//! Bitmaps: strings seen as rows of bits, the most significant bit of the first byte first.
//!
//! [`bits`] has the loops over bytes, [`field`] the integers of any width inside them.

mod bitcount;
mod bitfield;
mod bitop;
mod bitpos;
mod bits;
mod field;
mod getbit;

use command::DataCommand;

/// The commands of this family.
pub static COMMANDS: &[&DataCommand] = &[
    &bitcount::BITCOUNT,
    &bitfield::BITFIELD,
    &bitfield::BITFIELD_RO,
    &bitop::BITOP,
    &bitpos::BITPOS,
    &getbit::GETBIT,
    &getbit::SETBIT,
];
