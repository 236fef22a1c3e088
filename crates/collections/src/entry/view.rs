//! Reading an entry: the byte layout, and borrowed views of keys and values.

use std::fmt;
use std::marker::PhantomData;
use std::ptr::NonNull;

use super::collection::{ObjectRef, Stored};
use super::{
    CLOCK_AT, COMPACT, COMPACT_HEADER_BYTES, DEADLINE_BYTES, EXPIRES, GENERAL_HEADER_BYTES,
    KEY_LEN_AT, KEY_LEN_MASK, KIND_MASK, Kind, NewValue, RAW, VALUE_LEN_AT, WORD_AT,
};
use crate::bytes::SharedBytes;
use crate::hash::Hash;
use crate::size_class::allocation_bytes;

/// A borrowed entry: one pointer, freely copied, that lives as long as the borrow of its owner.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct EntryRef<'a> {
    /// Invariant: points to a live entry that nobody changes during `'a`.
    start: NonNull<u8>,
    owner: PhantomData<&'a [u8]>,
}

// SAFETY: a view only reads, and what entries own (bytes, integers, shared buffers, collections,
// whose trait asks for it) is `Sync`.
unsafe impl Send for EntryRef<'_> {}
// SAFETY: as above.
unsafe impl Sync for EntryRef<'_> {}

/// A borrowed value.
#[derive(Clone, Copy, Debug)]
pub enum ValueRef<'a> {
    /// A string.
    String(StringRef<'a>),
    /// A collection.
    Object(ObjectRef<'a>),
}

/// A borrowed string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StringRef<'a> {
    /// A string that is the decimal form of an integer.
    Int(i64),
    /// A short string, inside the entry.
    Inline {
        /// The string.
        bytes: &'a [u8],
        /// Whether it was built by editing in place (`APPEND`, `SETRANGE`...), which
        /// `OBJECT ENCODING` shows as `raw`.
        raw: bool,
    },
    /// A string in a buffer of its own.
    Shared {
        /// The string; clone it to keep it beyond the borrow.
        bytes: &'a SharedBytes,
        /// As above.
        raw: bool,
    },
}

impl<'a> ValueRef<'a> {
    /// The value as something to store again (`RENAME`, `COPY`): what is shared stays shared.
    #[must_use]
    pub fn to_new(self) -> NewValue<'a> {
        match self {
            Self::String(StringRef::Int(number)) => NewValue::Int(number),
            Self::String(StringRef::Inline { bytes, raw: false }) => NewValue::Bytes(bytes),
            Self::String(StringRef::Inline { bytes, raw: true }) => NewValue::RawBytes(bytes),
            Self::String(StringRef::Shared { bytes, raw }) => {
                NewValue::Shared { bytes: bytes.clone(), raw }
            }
            Self::Object(object) => NewValue::Object(object.share()),
        }
    }
}

impl<'a> EntryRef<'a> {
    /// A view of the entry at `start`.
    ///
    /// # Safety
    /// `start` points to a live entry, and nobody changes or frees it during `'a`.
    pub(crate) const unsafe fn new(start: NonNull<u8>) -> Self {
        Self { start, owner: PhantomData }
    }

    /// Where the entry is.
    #[inline]
    pub(crate) const fn address(self) -> NonNull<u8> {
        self.start
    }

    /// The key.
    #[inline]
    #[must_use]
    pub fn key(self) -> &'a [u8] {
        // SAFETY: the layout puts `key_len` initialized bytes there, which are frozen during `'a`.
        unsafe { std::slice::from_raw_parts(self.at(self.key_at()), self.key_len()) }
    }

    /// The value.
    #[inline]
    #[must_use]
    pub fn value(self) -> ValueRef<'a> {
        if self.is_compact() {
            let at = self.key_at() + self.key_len();
            // SAFETY: the value's `inline_len` bytes follow the key in a compact entry.
            let bytes = unsafe { std::slice::from_raw_parts(self.at(at), self.inline_len()) };
            let raw = self.byte(VALUE_LEN_AT) & RAW != 0;
            return ValueRef::String(StringRef::Inline { bytes, raw });
        }
        match self.kind() {
            Kind::Int => {
                // SAFETY: the value word of an `Int` is an initialized, aligned `i64`.
                let number = unsafe { *self.at(WORD_AT).cast::<i64>() };
                ValueRef::String(StringRef::Int(number))
            }
            kind @ (Kind::String | Kind::RawString) => {
                // SAFETY: the value word of a string kind is an initialized, aligned `SharedBytes`.
                let bytes = unsafe { &*self.at(WORD_AT).cast::<SharedBytes>() };
                ValueRef::String(StringRef::Shared { bytes, raw: kind == Kind::RawString })
            }
            Kind::Object(kind) => {
                // SAFETY: the value word of this kind is an initialized, aligned collection of it.
                ValueRef::Object(unsafe { ObjectRef::read(kind, self.at(WORD_AT)) })
            }
        }
    }

    /// The collection of this type, if the value is one.
    #[inline]
    #[must_use]
    pub fn object<T: Stored>(self) -> Option<&'a T> {
        if self.is_compact() || self.byte(0) & KIND_MASK != T::KIND as u8 {
            return None;
        }
        // SAFETY: the value word of this kind is an initialized, aligned collection of type `T`.
        Some(unsafe { &*self.at(WORD_AT).cast::<T>() })
    }

    /// When the entry expires: unix time in milliseconds.
    #[inline]
    #[must_use]
    pub fn deadline(self) -> Option<u64> {
        // SAFETY: the flag says that the eight bytes behind the header are the deadline.
        self.has_deadline()
            .then(|| unsafe { self.at(self.header_bytes()).cast::<u64>().read_unaligned() })
    }

    /// A time that no deadline of a hash's field is before, if the value is a hash and a field has
    /// one: unix time in milliseconds.
    #[inline]
    #[must_use]
    pub fn field_deadline(self) -> Option<u64> {
        self.object::<Hash>()?.earliest()
    }

    /// When the entry or a part of it is due, or some time before that, if ever.
    #[inline]
    #[must_use]
    pub fn earliest(self) -> Option<u64> {
        match (self.deadline(), self.field_deadline()) {
            (Some(own), Some(field)) => Some(own.min(field)),
            (own, field) => own.or(field),
        }
    }

    /// The access clock: 24 bits of which the store knows the meaning.
    #[inline]
    #[must_use]
    pub fn clock(self) -> u32 {
        // SAFETY: every entry begins with at least five bytes.
        unsafe { self.at(0).cast::<u32>().read_unaligned().to_le() >> (8 * CLOCK_AT) }
    }

    /// The length of a string inside the entry.
    #[inline]
    pub(crate) fn compact_len(self) -> Option<usize> {
        self.is_compact().then(|| self.inline_len())
    }

    /// The number, if the value is stored as one.
    #[inline]
    pub(crate) fn integer(self) -> Option<i64> {
        if self.is_compact() || self.byte(0) & KIND_MASK != Kind::Int.number() {
            return None;
        }
        // SAFETY: the value word of an `Int` is an initialized, aligned `i64`.
        Some(unsafe { *self.at(WORD_AT).cast::<i64>() })
    }

    /// The bytes of memory that the entry occupies, what it shares with others included in
    /// full.
    #[must_use]
    pub fn allocated_bytes(self) -> usize {
        let outside = match self.value() {
            ValueRef::String(StringRef::Int(_) | StringRef::Inline { .. }) => 0,
            ValueRef::String(StringRef::Shared { bytes, .. }) => bytes.allocated_bytes(),
            ValueRef::Object(object) => object.allocated_bytes(),
        };
        allocation_bytes(self.entry_bytes()) + outside
    }

    /// The bytes that the layout needs, before rounding to a size class.
    pub(super) fn entry_bytes(self) -> usize {
        let value = if self.is_compact() { self.inline_len() } else { 0 };
        self.key_at() + self.key_len() + value
    }

    #[inline]
    pub(super) fn is_compact(self) -> bool {
        self.byte(0) & COMPACT != 0
    }

    #[inline]
    pub(crate) fn has_deadline(self) -> bool {
        self.byte(0) & EXPIRES != 0
    }

    /// The kind of a general entry.
    pub(super) fn kind(self) -> Kind {
        Kind::from_number(self.byte(0) & KIND_MASK)
    }

    #[inline]
    pub(super) fn header_bytes(self) -> usize {
        if self.is_compact() { COMPACT_HEADER_BYTES } else { GENERAL_HEADER_BYTES }
    }

    #[inline]
    pub(super) fn key_at(self) -> usize {
        self.header_bytes() + if self.has_deadline() { DEADLINE_BYTES } else { 0 }
    }

    #[inline]
    pub(super) fn key_len(self) -> usize {
        if self.is_compact() {
            return (self.byte(0) & KEY_LEN_MASK) as usize;
        }
        // SAFETY: general entries are 8-aligned and hold the key's length there.
        unsafe { *self.at(KEY_LEN_AT).cast::<u32>() as usize }
    }

    /// Length of a compact entry's value.
    #[inline]
    pub(super) fn inline_len(self) -> usize {
        (self.byte(VALUE_LEN_AT) & !RAW) as usize
    }

    #[inline]
    fn byte(self, at: usize) -> u8 {
        debug_assert!(at < COMPACT_HEADER_BYTES);
        // SAFETY: every entry has at least a compact header.
        unsafe { *self.at(at) }
    }

    #[inline]
    fn at(self, offset: usize) -> *const u8 {
        // SAFETY: all callers stay within the layout that the header describes.
        unsafe { self.start.as_ptr().add(offset) }
    }
}

impl fmt::Debug for EntryRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("key", &String::from_utf8_lossy(self.key()))
            .field("value", &self.value())
            .field("deadline", &self.deadline())
            .finish()
    }
}
