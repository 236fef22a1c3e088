//! One element of a hash table: a name, and for hashes a value, in one allocation.
//!
//! ```text
//!   ┌──────┬──────────────┬──────────────┬───────────────────┬──────┬───────┐
//!   │ head │ name len u64 │ deadline u64 │ value len u8      │ name │ value │
//!   │      │ (if 63)      │ (if timed)   │ or SharedBytes    │      │       │
//!   └──────┴──────────────┴──────────────┴───────────────────┴──────┴───────┘
//!     head: 6 bits name length (63: see behind), 2 bits form
//!     forms: no value | value inside | value outside | timed
//! ```
//!
//! A set member of 14 bytes takes 15, a field of 13 with a value of 13 takes 28: both just fit a
//! size class. A value of 255 bytes or more lives outside as [`SharedBytes`], so that copying an
//! element, which happens when a frozen leaf is written to, costs little whatever the value.
//!
//! A timed element has a deadline. Its value's length is always there; 255 says that the word of a
//! value outside follows it. So elements without a deadline pay nothing for those that have one.
//!
//! Invariants: the allocation has exactly the size that the head says and alignment 1; nothing in
//! it is aligned, so words are read and written unaligned.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::marker::PhantomData;
use std::mem::{ManuallyDrop, forget};
use std::ptr::NonNull;

use crate::bytes::SharedBytes;
use crate::size_class::allocation_bytes;

const NAME_LEN: u8 = 0x3f;
const FORM: u8 = 0xc0;
const NO_VALUE: u8 = 0x00;
const VALUE_INSIDE: u8 = 0x40;
const TIMED: u8 = 0x80;
const VALUE_OUTSIDE: u8 = 0xc0;
const WORD: usize = size_of::<u64>();
/// Values up to this length are inside.
const INLINE_VALUE_MAX: usize = 254;
/// In place of the length of a timed element's value: it is outside.
const OUTSIDE: u8 = 255;

/// An owned element.
#[repr(transparent)]
pub(super) struct Element {
    memory: NonNull<u8>,
}

// SAFETY: an element owns its memory; it is changed only through `&mut Element`, and what it may
// hold besides plain bytes, `SharedBytes`, is `Send` and `Sync`.
unsafe impl Send for Element {}
// SAFETY: as above.
unsafe impl Sync for Element {}

/// A borrowed element.
#[derive(Clone, Copy)]
pub struct ElementRef<'a> {
    memory: NonNull<u8>,
    life: PhantomData<&'a [u8]>,
}

/// Offsets of the parts, in bytes from the beginning.
struct Parts {
    name: usize,
    name_len: usize,
    deadline: Option<usize>,
    value: ValueAt,
}

/// Where the value is.
#[derive(Clone, Copy)]
enum ValueAt {
    /// There is none.
    Nowhere,
    /// Behind the name; its length stands here.
    Inside(usize),
    /// The word that leads to it stands here.
    Outside(usize),
}

/// A value on its way into an element.
enum NewValue<'a> {
    None,
    Inside(&'a [u8]),
    Outside(SharedBytes),
}

impl<'a> NewValue<'a> {
    fn new(value: &'a [u8]) -> Self {
        match value.len() {
            0..=INLINE_VALUE_MAX => Self::Inside(value),
            _ => Self::Outside(SharedBytes::from(value)),
        }
    }
}

impl Element {
    /// An element without a deadline, with its own copy of `name` and `value`.
    ///
    /// # Panics
    /// If the lengths exceed the address space. Aborts when memory is exhausted.
    pub(super) fn new(name: &[u8], value: Option<&[u8]>) -> Self {
        Self::build(name, value.map_or(NewValue::None, NewValue::new), None)
    }

    /// An element of these parts. Only fields, which have a value, have a deadline.
    fn build(name: &[u8], value: NewValue<'_>, deadline: Option<u64>) -> Self {
        debug_assert!(deadline.is_none() || !matches!(value, NewValue::None));
        let is_long = name.len() >= usize::from(NAME_LEN);
        let deadline_at = 1 + if is_long { WORD } else { 0 };
        let value_head = deadline_at + if deadline.is_some() { WORD } else { 0 };
        let (form, value_head_len, inside) = match (&value, deadline) {
            (NewValue::None, _) => (NO_VALUE, 0, &[][..]),
            (NewValue::Inside(value), None) => (VALUE_INSIDE, 1, *value),
            (NewValue::Inside(value), Some(_)) => (TIMED, 1, *value),
            (NewValue::Outside(_), None) => (VALUE_OUTSIDE, WORD, &[][..]),
            (NewValue::Outside(_), Some(_)) => (TIMED, 1 + WORD, &[][..]),
        };
        let name_at = value_head + value_head_len;
        let layout = layout_of(name_at + name.len() + inside.len());
        // SAFETY: the size is not zero: it includes the head.
        let memory = unsafe { alloc(layout) };
        let Some(memory) = NonNull::new(memory) else { handle_alloc_error(layout) };
        let name_len = if is_long { NAME_LEN } else { name.len() as u8 };
        // SAFETY: all writes are inside the bytes just allocated, by the sum above: head, then the
        // name's length if it is long, the deadline if there is one, the value's length or word or
        // both, name, value.
        unsafe {
            memory.write(form | name_len);
            if is_long {
                memory.add(1).cast::<u64>().write_unaligned(name.len() as u64);
            }
            if let Some(deadline) = deadline {
                memory.add(deadline_at).cast::<u64>().write_unaligned(deadline);
            }
            match value {
                NewValue::None => {}
                NewValue::Inside(value) => memory.add(value_head).write(value.len() as u8),
                NewValue::Outside(shared) => {
                    if deadline.is_some() {
                        memory.add(value_head).write(OUTSIDE);
                    }
                    memory.add(name_at - WORD).cast::<SharedBytes>().write_unaligned(shared);
                }
            }
            let name_to = memory.add(name_at);
            name_to.copy_from_nonoverlapping(NonNull::from(name).cast(), name.len());
            let value_to = name_to.add(name.len());
            value_to.copy_from_nonoverlapping(NonNull::from(inside).cast(), inside.len());
        }
        Self { memory }
    }

    /// Replaces value and deadline, in place if the layout stays.
    pub(super) fn set_value(&mut self, value: &[u8], deadline: Option<u64>) {
        let old = self.view();
        let parts = old.parts();
        let in_place = matches!(parts.value, ValueAt::Inside(_))
            && parts.deadline.is_some() == deadline.is_some()
            && old.value().len() == value.len();
        if !in_place {
            *self = Self::build(old.name(), NewValue::new(value), deadline);
            return;
        }
        // SAFETY: the inline value stands behind the name, has this length, and is borrowed by
        // nobody: `self` is borrowed mutably.
        unsafe {
            let to = self.memory.add(parts.name + parts.name_len);
            to.copy_from_nonoverlapping(NonNull::from(value).cast(), value.len());
        }
        self.write_deadline(&parts, deadline);
    }

    /// Sets or removes the deadline of a field, in place if it had one and keeps one.
    pub(super) fn set_deadline(&mut self, deadline: Option<u64>) {
        let old = self.view();
        let parts = old.parts();
        if parts.deadline.is_some() == deadline.is_some() {
            return self.write_deadline(&parts, deadline);
        }
        let value = match old.shared_value() {
            Some(shared) => NewValue::Outside(shared),
            None => NewValue::Inside(old.value()),
        };
        *self = Self::build(old.name(), value, deadline);
    }

    /// Writes the deadline over the one that is there.
    fn write_deadline(&mut self, parts: &Parts, deadline: Option<u64>) {
        if let (Some(at), Some(deadline)) = (parts.deadline, deadline) {
            // SAFETY: the parts are this element's, whose deadline stands there.
            unsafe { self.memory.add(at).cast::<u64>().write_unaligned(deadline) };
        }
    }

    /// The element, borrowed.
    #[inline]
    pub(super) fn view(&self) -> ElementRef<'_> {
        ElementRef { memory: self.memory, life: PhantomData }
    }

    /// Gives up ownership for the address, which has 48 bits.
    #[inline]
    pub(super) fn into_address(self) -> u64 {
        let address = self.memory.as_ptr() as u64;
        forget(self);
        address
    }

    /// Takes ownership back.
    ///
    /// # Safety
    /// `address` came from [`Element::into_address`], and nobody takes it a second time.
    #[inline]
    pub(super) unsafe fn from_address(address: u64) -> Self {
        let memory = NonNull::new(address as *mut u8).expect("an element is not at address 0");
        Self { memory }
    }
}

impl Clone for Element {
    /// A copy of its own; a value outside is shared.
    fn clone(&self) -> Self {
        let view = self.view();
        let layout = layout_of(view.size());
        // SAFETY: the size is not zero: it includes the head.
        let memory = unsafe { alloc(layout) };
        let Some(memory) = NonNull::new(memory) else { handle_alloc_error(layout) };
        // SAFETY: both allocations have this size and are different. The word of a value outside
        // is copied too; the clone made for it is the reference that the copy now owns.
        unsafe { memory.copy_from_nonoverlapping(self.memory, layout.size()) };
        if let Some(shared) = view.outside() {
            forget(SharedBytes::clone(&shared));
        }
        Self { memory }
    }
}

impl Drop for Element {
    fn drop(&mut self) {
        let view = self.view();
        let layout = layout_of(view.size());
        if let Some(shared) = view.outside() {
            drop(ManuallyDrop::into_inner(shared));
        }
        // SAFETY: allocated with this layout, and owned by this element alone.
        unsafe { dealloc(self.memory.as_ptr(), layout) };
    }
}

impl<'a> ElementRef<'a> {
    /// The member of a set, or the name of a field.
    #[inline]
    #[must_use]
    pub fn name(self) -> &'a [u8] {
        let parts = self.parts();
        // SAFETY: the name stands there, with this length, and lives as long as the element.
        unsafe { std::slice::from_raw_parts(self.memory.add(parts.name).as_ptr(), parts.name_len) }
    }

    /// The value of a field; empty for the member of a set.
    #[inline]
    #[must_use]
    pub fn value(self) -> &'a [u8] {
        let parts = self.parts();
        let (start, len) = match parts.value {
            ValueAt::Nowhere => return &[],
            // SAFETY: an inline value's length stands there, and the value behind the name.
            ValueAt::Inside(len_at) => unsafe {
                let len = usize::from(self.memory.add(len_at).read());
                (self.memory.add(parts.name + parts.name_len).as_ptr().cast_const(), len)
            },
            ValueAt::Outside(_) => {
                let shared = self.outside().expect("the head says so");
                (shared.as_slice().as_ptr(), shared.len())
            }
        };
        // SAFETY: as above; a buffer outside lives as long as the element that holds it.
        unsafe { std::slice::from_raw_parts(start, len) }
    }

    /// The deadline of a field: unix time in milliseconds.
    #[inline]
    #[must_use]
    pub fn deadline(self) -> Option<u64> {
        let at = self.parts().deadline?;
        // SAFETY: a timed element's deadline stands there.
        Some(unsafe { self.memory.add(at).cast::<u64>().read_unaligned() })
    }

    /// The value as a buffer to share, if it is a long one.
    #[must_use]
    pub fn shared_value(self) -> Option<SharedBytes> {
        self.outside().map(|shared| SharedBytes::clone(&shared))
    }

    /// The memory that the element takes, what a value outside takes included.
    #[must_use]
    pub fn allocated_bytes(self) -> usize {
        let outside = self.outside().map_or(0, |shared| shared.allocated_bytes());
        allocation_bytes(self.size()) + outside
    }

    /// # Safety
    /// `address` is that of a live element, which stays as it is for the lifetime.
    #[inline]
    pub(super) unsafe fn from_address(address: u64) -> Self {
        let memory = NonNull::new(address as *mut u8).expect("an element is not at address 0");
        Self { memory, life: PhantomData }
    }

    #[inline]
    fn parts(self) -> Parts {
        // SAFETY: the head is always there, and says whether a long name's length, a deadline and
        // the length of a value follow.
        unsafe {
            let head = self.memory.read();
            let (name_len, at) = match head & NAME_LEN {
                NAME_LEN => (self.memory.add(1).cast::<u64>().read_unaligned() as usize, 1 + WORD),
                short => (usize::from(short), 1),
            };
            let (deadline, value, name) = match head & FORM {
                NO_VALUE => (None, ValueAt::Nowhere, at),
                VALUE_INSIDE => (None, ValueAt::Inside(at), at + 1),
                VALUE_OUTSIDE => (None, ValueAt::Outside(at), at + WORD),
                _ => match (self.memory.add(at + WORD).read(), at + WORD + 1) {
                    (OUTSIDE, word) => (Some(at), ValueAt::Outside(word), word + WORD),
                    (_, name) => (Some(at), ValueAt::Inside(at + WORD), name),
                },
            };
            Parts { name, name_len, deadline, value }
        }
    }

    /// The size of the allocation.
    fn size(self) -> usize {
        let parts = self.parts();
        let inside = if let ValueAt::Inside(_) = parts.value { self.value().len() } else { 0 };
        parts.name + parts.name_len + inside
    }

    /// The reference to a value outside; it still belongs to the element.
    fn outside(self) -> Option<ManuallyDrop<SharedBytes>> {
        let ValueAt::Outside(word) = self.parts().value else { return None };
        // SAFETY: a reference was written there, and `ManuallyDrop` leaves it to the element.
        let word = unsafe { self.memory.add(word).cast().read_unaligned() };
        Some(ManuallyDrop::new(word))
    }
}

fn layout_of(size: usize) -> Layout {
    Layout::from_size_align(size, 1).expect("an element is shorter than the address space")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_are_read_back_and_copied() {
        let lens = [0, 1, 13, 62, 63, 64, 254, 255, 256, 5000];
        for name_len in lens {
            let name = vec![b'n'; name_len];
            let member = Element::new(&name, None);
            assert_eq!((member.view().name(), member.view().value()), (&name[..], &b""[..]));
            for value_len in lens {
                let value = vec![b'v'; value_len];
                for before in [None, Some(u64::MAX)] {
                    let mut field = Element::new(&name, Some(&value));
                    field.set_deadline(before);
                    let copy = field.clone();
                    for (new_len, after) in lens.into_iter().zip([None, Some(7)].iter().cycle()) {
                        let new = vec![b'w'; new_len];
                        field.set_value(&new, *after);
                        let parts = (field.view().name(), field.view().value());
                        assert_eq!(parts, (&name[..], &new[..]));
                        assert_eq!(field.view().deadline(), *after);
                        field.set_deadline(before);
                        assert_eq!(field.view().value(), new);
                        assert_eq!(field.view().deadline(), before);
                    }
                    drop(field);
                    let parts = (copy.view().name(), copy.view().value());
                    assert_eq!(parts, (&name[..], &value[..]));
                    assert_eq!(copy.view().deadline(), before);
                    assert_eq!(copy.view().shared_value().is_some(), value_len > INLINE_VALUE_MAX);
                }
            }
        }
    }

    #[test]
    fn the_budgeted_sizes_fit_their_classes() {
        assert_eq!(Element::new(&[0; 14], None).view().allocated_bytes(), 16);
        assert_eq!(Element::new(&[0; 13], Some(&[0; 13])).view().allocated_bytes(), 32);
    }
}
