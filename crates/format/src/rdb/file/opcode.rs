//! The bytes that begin a record which is no key. Types of values are below them.

/// Redis from 8.4: what modules attach to the next key. Valkey from 9.0: a slot migration under
/// way. The version of the file tells which.
pub(super) const KEY_META_OR_SLOT_IMPORT: u8 = 243;
/// Slot, keys, expiring keys: a hint of clusters.
pub(super) const SLOT_INFO: u8 = 244;
/// A function library.
pub(crate) const FUNCTION: u8 = 245;
/// A function library as candidates of Redis 7.0 wrote it.
pub(crate) const FUNCTION_CANDIDATE: u8 = 246;
/// What a module keeps beside the keys.
pub(super) const MODULE_AUX: u8 = 247;
/// Seconds since the next key was used.
pub(super) const IDLE: u8 = 248;
/// How often the next key is used, one byte.
pub(super) const FREQUENCY: u8 = 249;
/// A name and a value.
pub(super) const AUX: u8 = 250;
/// Keys, expiring keys: a hint.
pub(super) const SIZES: u8 = 251;
/// When the next key expires, in milliseconds.
pub(super) const DEADLINE_MS: u8 = 252;
/// When the next key expires, in seconds.
pub(super) const DEADLINE_SECONDS: u8 = 253;
/// The database of what follows.
pub(super) const DATABASE: u8 = 254;
/// The end; the checksum follows.
pub(super) const END: u8 = 255;
