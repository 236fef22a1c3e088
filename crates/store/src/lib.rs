//! The keyspace: shards, databases, expiry, the edit handle and its effects.
//!
//! It knows no sockets and no files; time and randomness are arguments. Reading order:
//! [`position`] (which shard a key is in), [`shard`] and [`lock`] (how shards are locked),
//! [`keyspace`] (what a command may do with its locked keys), [`edit`] (how it changes one),
//! [`update`] (how it changes a collection), [`effects`] (what follows from that) and [`consumers`]
//! (who hears of it); [`undo`] takes changes back; [`waiting`] is who waits for a key, [`tracked`]
//! who has cached it, [`snapshot`] the dataset at one moment.

pub mod access;
pub mod consumers;
mod databases;
pub mod edit;
pub mod effects;
pub mod eviction;
pub mod expiry;
pub mod keyspace;
pub mod load;
pub mod lock;
pub mod position;
pub mod records;
pub mod shard;
pub mod sizes;
pub mod snapshot;
pub mod tracked;
pub mod transfer;
pub mod undo;
pub mod update;
mod value_type;
pub mod waiting;
pub mod walk;
pub mod watch;

pub use access::Access;
pub use consumers::Consumers;
pub use edit::{Deadline, Edit};
pub use effects::{Effects, Event, EventClass, Interest, Subkeys};
pub use keyspace::{Keyspace, Overdue, Scope};
pub use lock::{Held, HeldLong};
pub use position::{KeyHasher, Position, SHARDS, shard_of};
pub use records::Records;
pub use shard::{Shard, Store};
pub use sizes::SizeHistograms;
pub use snapshot::Snapshot;
pub use update::{Absent, Change, WrongType};
pub use value_type::{ValueType, encoding_name};
pub use watch::WatchFlag;

pub use collections::entry::{
    Entry, EntryRef, NewValue, Object, ObjectRef, Stored, StringRef, ValueRef,
};

/// Unix time in milliseconds.
pub type UnixMs = u64;
