//! The entry: a key with everything that belongs to it, in one allocation.
//!
//! A store of small strings is mostly headers, pointers and rounding. So a short string lives
//! inside its entry, lengths take the bits they need, and what is absent takes none: a key of 11
//! bytes with a value of 16 is exactly one 32-byte allocation.
//!
//! ```text
//!  compact: a string of at most 127 bytes under a key of at most 63
//!   ┌───┬───┬────────┬──────────────┬───────────┬───────────┬─────┬───────┐
//!   │ 1 │ E │ key len│ clock 24 bit │ R val len │ [deadline]│ key │ value │
//!   └───┴───┴────────┴──────────────┴───────────┴───────────┴─────┴───────┘
//!    byte 0: 1+1+6 bit  bytes 1..4     byte 4       8 bytes
//!
//!  general: everything else
//!   ┌───┬───┬────────┬──────────────┬──────────────┬────────────┬───────────┬─────┐
//!   │ 0 │ E │ kind   │ clock 24 bit │ key len 32 bit│ value word │ [deadline]│ key │
//!   └───┴───┴────────┴──────────────┴──────────────┴────────────┴───────────┴─────┘
//!    byte 0: 1+1+6 bit  bytes 1..4     bytes 4..8    bytes 8..16    8 bytes
//! ```
//!
//! `E` says that a deadline is present; `R` that the value was built by editing in place, which
//! `OBJECT ENCODING` reports as `raw`. The value word is an integer or an owning pointer, by
//! `kind`.
//!
//! Invariants: the allocation is 8-aligned and exactly as large as the size class of what the
//! header describes, so its size need not be stored and a value may be overwritten in place
//! whenever the class stays; the word's type follows from `kind`, and the entry owns what it points
//! to.
//!
//! Trade-offs: setting a first deadline moves the entry (eight bytes more), because most keys have
//! none. Integers take a word and not their digits: `INCR` is then one addition.

mod collection;
mod new_value;
mod view;

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::fmt;
use std::io::Write as _;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use crate::bytes::SharedBytes;
use crate::size_class::allocation_bytes;

pub use collection::{Collection, Object, ObjectKind, ObjectRef, Stored};
pub use new_value::NewValue;
pub use view::{EntryRef, StringRef, ValueRef};

const COMPACT: u8 = 1 << 7;
const EXPIRES: u8 = 1 << 6;
const KEY_LEN_MASK: u8 = 0x3f;
const KIND_MASK: u8 = 0x3f;
const CLOCK_AT: usize = 1;
const VALUE_LEN_AT: usize = 4;
const RAW: u8 = 1 << 7;
const COMPACT_HEADER_BYTES: usize = 5;
const KEY_LEN_AT: usize = 4;
const WORD_AT: usize = 8;
const GENERAL_HEADER_BYTES: usize = 16;
const DEADLINE_BYTES: usize = 8;
/// Longest key and value of a compact entry.
const COMPACT_KEY_MAX: usize = KEY_LEN_MASK as usize;
const COMPACT_VALUE_MAX: usize = !RAW as usize;
/// The access clock is this many bits wide.
const CLOCK_MAX: u32 = (1 << 24) - 1;

/// What the value word of a general entry is. The numbers are part of the layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// 0: an integer; the word is an `i64`.
    Int,
    /// 1: a string as it was set; the word is a `SharedBytes`.
    String,
    /// 2: a string built by editing in place; the word is a `SharedBytes`.
    RawString,
    /// The others: a collection, which is one word.
    Object(ObjectKind),
}

impl Kind {
    #[inline]
    const fn from_number(number: u8) -> Self {
        match number {
            0 => Self::Int,
            1 => Self::String,
            2 => Self::RawString,
            number => Self::Object(ObjectKind::from_number(number)),
        }
    }

    const fn number(self) -> u8 {
        match self {
            Self::Int => 0,
            Self::String => 1,
            Self::RawString => 2,
            Self::Object(kind) => kind as u8,
        }
    }
}

/// One key with its value, deadline and access clock; see the module page. Owns its memory.
#[repr(transparent)]
pub struct Entry {
    start: NonNull<u8>,
}

// SAFETY: an entry owns its bytes and its value, all of which may move between threads.
unsafe impl Send for Entry {}
// SAFETY: `&Entry` only reads.
unsafe impl Sync for Entry {}

impl Entry {
    /// An entry with access clock 0. `deadline` is unix time in milliseconds.
    ///
    /// # Panics
    /// If the key has 4 GiB or more. Aborts when memory is exhausted.
    #[must_use]
    pub fn new(key: &[u8], value: NewValue<'_>, deadline: Option<u64>) -> Self {
        if let Some((bytes, raw)) = value.inline(key.len()) {
            return Self::new_compact(key, bytes, raw, deadline);
        }
        let (kind, word) = match value {
            NewValue::Int(number) => return Self::new_int(key, number, deadline),
            NewValue::Object(object) => return Self::new_object(key, object, deadline),
            NewValue::Bytes(bytes) => (Kind::String, SharedBytes::from(bytes)),
            NewValue::RawBytes(bytes) => (Kind::RawString, SharedBytes::from(bytes)),
            NewValue::Shared { bytes, raw: false } => (Kind::String, bytes),
            NewValue::Shared { bytes, raw: true } => (Kind::RawString, bytes),
        };
        let entry = Self::new_general(key, kind, deadline);
        // SAFETY: the word of a fresh general entry is unwritten, in bounds and 8-aligned.
        unsafe { entry.start.as_ptr().add(WORD_AT).cast::<SharedBytes>().write(word) };
        ManuallyDrop::into_inner(entry)
    }

    #[inline]
    fn new_compact(key: &[u8], value: &[u8], raw: bool, deadline: Option<u64>) -> Self {
        let key_at = COMPACT_HEADER_BYTES + deadline_bytes(deadline);
        let start = allocate(key_at + key.len() + value.len());
        let raw = if raw { RAW } else { 0 };
        let first = COMPACT | expires(deadline) | key.len() as u8;
        // SAFETY: the allocation was sized for exactly these parts, one behind the other.
        unsafe {
            let at = start.as_ptr();
            at.cast::<[u8; 5]>().write([first, 0, 0, 0, raw | value.len() as u8]);
            write_deadline(at.add(COMPACT_HEADER_BYTES), deadline);
            at.add(key_at).copy_from_nonoverlapping(key.as_ptr(), key.len());
            at.add(key_at + key.len()).copy_from_nonoverlapping(value.as_ptr(), value.len());
        }
        Self { start }
    }

    fn new_int(key: &[u8], number: i64, deadline: Option<u64>) -> Self {
        let entry = Self::new_general(key, Kind::Int, deadline);
        // SAFETY: the word of a fresh general entry is unwritten, in bounds and 8-aligned.
        unsafe { entry.start.as_ptr().add(WORD_AT).cast::<i64>().write(number) };
        ManuallyDrop::into_inner(entry)
    }

    fn new_object(key: &[u8], object: Object, deadline: Option<u64>) -> Self {
        let entry = Self::new_general(key, Kind::Object(object.kind()), deadline);
        // SAFETY: the word of a fresh general entry is unwritten, in bounds and 8-aligned.
        unsafe { object.write(entry.start.as_ptr().add(WORD_AT)) };
        ManuallyDrop::into_inner(entry)
    }

    /// A general entry whose value word the caller must write before it may be dropped.
    fn new_general(key: &[u8], kind: Kind, deadline: Option<u64>) -> ManuallyDrop<Self> {
        let key_len = u32::try_from(key.len()).expect("a key is shorter than 4 GiB");
        let key_at = GENERAL_HEADER_BYTES + deadline_bytes(deadline);
        let start = allocate(key_at + key.len());
        // SAFETY: the allocation was sized for exactly these parts and is 8-aligned.
        unsafe {
            let at = start.as_ptr();
            at.cast::<[u8; 4]>().write([expires(deadline) | kind.number(), 0, 0, 0]);
            at.add(KEY_LEN_AT).cast::<u32>().write(key_len);
            write_deadline(at.add(GENERAL_HEADER_BYTES), deadline);
            at.add(key_at).copy_from_nonoverlapping(key.as_ptr(), key.len());
        }
        ManuallyDrop::new(Self { start })
    }

    /// A borrowed view, which has the reading methods.
    #[inline]
    #[must_use]
    pub fn view(&self) -> EntryRef<'_> {
        // SAFETY: the entry is alive and unchanged while `&self` is borrowed.
        unsafe { EntryRef::new(self.start) }
    }

    /// The key.
    #[inline]
    #[must_use]
    pub fn key(&self) -> &[u8] {
        self.view().key()
    }

    /// The value.
    #[inline]
    #[must_use]
    pub fn value(&self) -> ValueRef<'_> {
        self.view().value()
    }

    /// When the entry expires: unix time in milliseconds.
    #[inline]
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        self.view().deadline()
    }

    /// The access clock: 24 bits of which the store knows the meaning.
    #[inline]
    #[must_use]
    pub fn clock(&self) -> u32 {
        self.view().clock()
    }

    /// As [`EntryRef::allocated_bytes`].
    #[must_use]
    pub fn allocated_bytes(&self) -> usize {
        self.view().allocated_bytes()
    }

    /// Sets the access clock; only the low 24 bits are kept.
    #[inline]
    pub fn set_clock(&mut self, clock: u32) {
        let bytes = (clock & CLOCK_MAX).to_le_bytes();
        // SAFETY: bytes 1 to 3 are the clock in every entry.
        unsafe {
            self.start
                .as_ptr()
                .add(CLOCK_AT)
                .cast::<[u8; 3]>()
                .write([bytes[0], bytes[1], bytes[2]])
        };
    }

    /// Replaces value and deadline, in place if the allocation's size class stays. Otherwise the
    /// entry moves, and the old one is returned so that the caller decides where it is freed.
    /// Key and clock stay.
    #[inline]
    pub fn set_value(&mut self, value: NewValue<'_>, deadline: Option<u64>) -> Option<Self> {
        let old = self.view();
        if old.has_deadline() == deadline.is_some() && self.overwrite(&value) {
            let at = self.view().header_bytes();
            // SAFETY: the deadline's bytes are there exactly if it is `Some`, checked above.
            unsafe { write_deadline(self.start.as_ptr().add(at), deadline) };
            return None;
        }
        let mut new = Self::new(self.key(), value, deadline);
        new.set_clock(self.clock());
        Some(std::mem::replace(self, new))
    }

    /// Writes the value over the present one if both have the same form and size class.
    #[inline]
    fn overwrite(&mut self, value: &NewValue<'_>) -> bool {
        let old = self.view();
        if let NewValue::Int(number) = *value {
            let fits = matches!(old.value(), ValueRef::String(StringRef::Int(_)));
            if fits {
                // SAFETY: the value word of an entry of kind `Int` is an aligned `i64`.
                unsafe { self.start.as_ptr().add(WORD_AT).cast::<i64>().write(number) };
            }
            return fits;
        }
        if !old.is_compact() {
            return false;
        }
        let Some((bytes, raw)) = value.inline(old.key_len()) else { return false };
        let value_at = old.key_at() + old.key_len();
        if allocation_bytes(value_at + bytes.len()) != allocation_bytes(old.entry_bytes()) {
            return false;
        }
        let flag = if raw { RAW } else { 0 };
        // SAFETY: the allocation is a whole size class, which the new value was checked to stay in;
        // `bytes` cannot overlap it, being borrowed while the entry is borrowed mutably.
        unsafe {
            let at = self.start.as_ptr();
            at.add(VALUE_LEN_AT).write(flag | bytes.len() as u8);
            at.add(value_at).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        }
        true
    }

    /// Sets or removes the deadline (unix time in milliseconds). In place if one was set already.
    pub fn set_deadline(&mut self, deadline: Option<u64>) {
        let old = self.view();
        if old.has_deadline() != deadline.is_some() {
            return self.relayout(deadline);
        }
        let at = old.header_bytes();
        // SAFETY: the deadline's bytes are there exactly if it is `Some`, checked above.
        unsafe { write_deadline(self.start.as_ptr().add(at), deadline) };
    }

    /// Moves the entry into an allocation with or without room for a deadline.
    fn relayout(&mut self, deadline: Option<u64>) {
        let old = self.view();
        let (header, tail_at) = (old.header_bytes(), old.key_at());
        let tail_len = old.entry_bytes() - tail_at;
        let new_tail_at = header + deadline_bytes(deadline);
        let start = allocate(new_tail_at + tail_len);
        // SAFETY: header and tail are copied from inside the old allocation to inside the new one,
        // which was sized for them. The value word is moved: the old memory is freed as bytes.
        unsafe {
            let (from, to) = (self.start.as_ptr(), start.as_ptr());
            to.copy_from_nonoverlapping(from, header);
            *to = *to & !EXPIRES | expires(deadline);
            write_deadline(to.add(header), deadline);
            to.add(new_tail_at).copy_from_nonoverlapping(from.add(tail_at), tail_len);
            dealloc(from, layout_of(tail_at + tail_len));
        }
        self.start = start;
    }

    /// The string's bytes for editing in place: at least `len` of them, with zeros behind what was
    /// there. From now on the string counts as built by editing. Key, deadline and clock stay.
    ///
    /// # Panics
    /// If the value is no string, and as [`SharedBytes::zeroed`].
    pub fn bytes_mut(&mut self, len: usize) -> &mut [u8] {
        let old = self.view();
        if let ValueRef::String(StringRef::Int(number)) = old.value() {
            let mut text = [0u8; 20];
            let mut rest = &mut text[..];
            write!(rest, "{number}").expect("an i64 has at most 20 characters");
            let unused = rest.len();
            let digits = 20 - unused;
            drop(self.set_value(NewValue::RawBytes(&text[..digits]), self.deadline()));
            return self.bytes_mut(len);
        }
        if old.is_compact() {
            return self.inline_mut(len);
        }
        assert!(matches!(old.kind(), Kind::String | Kind::RawString), "only strings have bytes");
        // SAFETY: the word of a string's general entry is a `SharedBytes`; the first byte is the
        // kind's.
        unsafe {
            let first = self.start.as_ptr();
            *first = *first & !KIND_MASK | Kind::RawString.number();
            let bytes = &mut *first.add(WORD_AT).cast::<SharedBytes>();
            bytes.extend_zeroed(len);
            bytes.make_mut()
        }
    }

    /// The collection of this type for editing in place, if the value is one.
    #[inline]
    pub fn object_mut<T: Stored>(&mut self) -> Option<&mut T> {
        let view = self.view();
        if view.is_compact() || view.kind() != Kind::Object(T::KIND) {
            return None;
        }
        // SAFETY: the value word of this kind is an initialized, aligned collection of type `T`,
        // and the entry is borrowed mutably.
        Some(unsafe { &mut *self.start.as_ptr().add(WORD_AT).cast::<T>() })
    }

    /// [`Entry::bytes_mut`] of a compact entry.
    fn inline_mut(&mut self, len: usize) -> &mut [u8] {
        let old = self.view();
        let (key_at, old_len) = (old.key_at(), old.inline_len());
        let (value_at, new_len) = (key_at + old.key_len(), old_len.max(len));
        if new_len > COMPACT_VALUE_MAX {
            let ValueRef::String(StringRef::Inline { bytes, .. }) = old.value() else {
                unreachable!()
            };
            let mut grown = SharedBytes::from(bytes);
            grown.extend_zeroed(new_len);
            let value = NewValue::Shared { bytes: grown, raw: true };
            drop(self.set_value(value, self.deadline()));
            return self.bytes_mut(len);
        }
        if allocation_bytes(value_at + new_len) != allocation_bytes(old.entry_bytes()) {
            let start = allocate(value_at + new_len);
            // SAFETY: copies what the old entry consists of into a larger allocation and frees the
            // old one; a compact entry owns nothing else.
            unsafe {
                start.copy_from_nonoverlapping(self.start, value_at + old_len);
                dealloc(self.start.as_ptr(), layout_of(value_at + old_len));
            }
            self.start = start;
        }
        // SAFETY: the allocation holds `value_at + new_len` bytes; the ones behind the old value
        // are initialized here.
        unsafe {
            let at = self.start.as_ptr();
            at.add(VALUE_LEN_AT).write(RAW | new_len as u8);
            at.add(value_at + old_len).write_bytes(0, new_len - old_len);
            std::slice::from_raw_parts_mut(at.add(value_at), new_len)
        }
    }

    /// Gives up ownership; [`Entry::from_raw`] takes it back.
    #[inline]
    pub(crate) fn into_raw(self) -> NonNull<u8> {
        ManuallyDrop::new(self).start
    }

    /// Takes back what [`Entry::into_raw`] gave up.
    ///
    /// # Safety
    /// `start` came from `into_raw`, and ownership is taken back once.
    #[inline]
    pub(crate) const unsafe fn from_raw(start: NonNull<u8>) -> Self {
        Self { start }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let view = self.view();
        let (bytes, kind) = (view.entry_bytes(), (!view.is_compact()).then(|| view.kind()));
        // SAFETY: a general entry owns what its kind says is in its word; the memory was allocated
        // with this layout, and nobody refers to it any more.
        unsafe {
            let word = self.start.as_ptr().add(WORD_AT);
            match kind {
                None | Some(Kind::Int) => {}
                Some(Kind::String | Kind::RawString) => word.cast::<SharedBytes>().drop_in_place(),
                Some(Kind::Object(kind)) => kind.drop_in_place(word),
            }
            dealloc(self.start.as_ptr(), layout_of(bytes));
        }
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.view().fmt(f)
    }
}

const fn deadline_bytes(deadline: Option<u64>) -> usize {
    if deadline.is_some() { DEADLINE_BYTES } else { 0 }
}

const fn expires(deadline: Option<u64>) -> u8 {
    if deadline.is_some() { EXPIRES } else { 0 }
}

/// Writes the deadline, if there is one.
///
/// # Safety
/// If it is `Some`, `at` is valid for writing eight bytes.
#[inline]
const unsafe fn write_deadline(at: *mut u8, deadline: Option<u64>) {
    if let Some(deadline) = deadline {
        // SAFETY: the caller's promise.
        unsafe { at.cast::<u64>().write_unaligned(deadline) };
    }
}

/// Memory for an entry of `bytes` bytes, rounded up to the whole size class.
#[inline]
fn allocate(bytes: usize) -> NonNull<u8> {
    let layout = layout_of(bytes);
    // SAFETY: size classes are not zero.
    let start = unsafe { alloc(layout) };
    NonNull::new(start).unwrap_or_else(|| handle_alloc_error(layout))
}

#[inline]
fn layout_of(bytes: usize) -> Layout {
    Layout::from_size_align(allocation_bytes(bytes), 8).expect("an entry is far below 2^63 bytes")
}

#[cfg(test)]
mod tests;
