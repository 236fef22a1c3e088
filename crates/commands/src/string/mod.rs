//! Strings: one table of commands, a file for each or for true siblings.
//!
//! [`value`] is how a string is stored and read, [`expiry`] the options that give a key its
//! deadline, [`condition`] those that compare the present value first.

mod append;
mod condition;
mod delex;
mod digest;
pub(crate) mod expiry;
mod get;
mod getex;
mod getrange;
mod incr;
mod incrbyfloat;
mod increx;
mod lcs;
mod mset;
mod msetex;
mod set;
mod set_siblings;
mod setrange;
pub(crate) mod value;

use command::DataCommand;

/// The commands of this family.
pub static COMMANDS: &[&DataCommand] = &[
    &append::APPEND,
    &incr::DECR,
    &incr::DECRBY,
    &delex::DELEX,
    &digest::DIGEST,
    &get::GET,
    &get::GETDEL,
    &getex::GETEX,
    &getrange::GETRANGE,
    &set_siblings::GETSET,
    &incr::INCR,
    &incr::INCRBY,
    &incrbyfloat::INCRBYFLOAT,
    &increx::INCREX,
    &lcs::LCS,
    &get::MGET,
    &mset::MSET,
    &msetex::MSETEX,
    &mset::MSETNX,
    &set_siblings::PSETEX,
    &set::SET,
    &set_siblings::SETEX,
    &set_siblings::SETNX,
    &setrange::SETRANGE,
    &get::STRLEN,
    &getrange::SUBSTR,
];
