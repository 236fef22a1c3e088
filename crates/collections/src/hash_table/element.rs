//! One element of a hash table: a name, and for hashes a value, in one allocation.
//!
//! ```text
//!   ┌──────┬──────────────┬───────────────────┬──────┬───────┐
//!   │ head │ name len u64 │ value len u8      │ name │ value │
//!   │      │ (if 63)      │ or SharedBytes    │      │       │
//!   └──────┴──────────────┴───────────────────┴──────┴───────┘
//!     head: 6 bits name length (63: see behind) | has a value | the value is outside
//! ```
//!
//! A set member of 14 bytes takes 15, a field of 13 with a value of 13 takes 28: both just fit a
//! size class. A value of 255 bytes or more lives outside as [`SharedBytes`], so that copying an
//! element, which happens when a frozen leaf is written to, costs little whatever the value.
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
const HAS_VALUE: u8 = 0x40;
const VALUE_OUTSIDE: u8 = 0x80;
const WORD: usize = size_of::<u64>();
/// Values below this length are inside.
const INLINE_VALUE_MAX: usize = 254;

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
    /// Where the length of an inline value, or the word of one outside, stands.
    value_head: usize,
    head: u8,
}

impl Element {
    /// An element with its own copy of `name` and `value`.
    ///
    /// # Panics
    /// If the lengths exceed the address space. Aborts when memory is exhausted.
    pub(super) fn new(name: &[u8], value: Option<&[u8]>) -> Self {
        let outside = value.is_some_and(|value| value.len() > INLINE_VALUE_MAX);
        let shared = value.filter(|_| outside).map(SharedBytes::from);
        let inline = value.filter(|_| !outside);
        let long_name = name.len() >= usize::from(NAME_LEN);
        let value_head = 1 + if long_name { WORD } else { 0 };
        let name_at = value_head
            + match value {
                None => 0,
                Some(_) if outside => WORD,
                Some(_) => 1,
            };
        let size = name_at + name.len() + inline.map_or(0, <[u8]>::len);
        let layout = layout_of(size);
        // SAFETY: the size is not zero: it includes the head.
        let memory = unsafe { alloc(layout) };
        let Some(memory) = NonNull::new(memory) else { handle_alloc_error(layout) };
        let mut head = if long_name { NAME_LEN } else { name.len() as u8 };
        head |= if value.is_some() { HAS_VALUE } else { 0 };
        head |= if outside { VALUE_OUTSIDE } else { 0 };
        // SAFETY: all writes are inside the `size` bytes just allocated, by the sum above: head,
        // then the name's length if it is long, then the value's length or word, name, value.
        unsafe {
            memory.write(head);
            if long_name {
                memory.add(1).cast::<u64>().write_unaligned(name.len() as u64);
            }
            if let Some(shared) = shared {
                memory.add(value_head).cast::<SharedBytes>().write_unaligned(shared);
            }
            let name_to = memory.add(name_at);
            name_to.copy_from_nonoverlapping(NonNull::from(name).cast(), name.len());
            if let Some(inline) = inline {
                memory.add(value_head).write(inline.len() as u8);
                let to = name_to.add(name.len());
                to.copy_from_nonoverlapping(NonNull::from(inline).cast(), inline.len());
            }
        }
        Self { memory }
    }

    /// Replaces the value, in place if the new one has the length of the old.
    pub(super) fn set_value(&mut self, value: &[u8]) {
        let old = self.view();
        let parts = old.parts();
        let in_place = parts.head & (HAS_VALUE | VALUE_OUTSIDE) == HAS_VALUE
            && old.value().len() == value.len();
        if in_place {
            // SAFETY: the inline value stands behind the name, has this length, and is borrowed
            // by nobody: `self` is borrowed mutably.
            unsafe {
                let to = self.memory.add(parts.name + parts.name_len);
                to.copy_from_nonoverlapping(NonNull::from(value).cast(), value.len());
            }
        } else {
            *self = Self::new(old.name(), Some(value));
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
        let (start, len) = match parts.head & (HAS_VALUE | VALUE_OUTSIDE) {
            0 => return &[],
            HAS_VALUE => {
                // SAFETY: an inline value's length stands there, and the value behind the name.
                unsafe {
                    let len = usize::from(self.memory.add(parts.value_head).read());
                    (self.memory.add(parts.name + parts.name_len).as_ptr().cast_const(), len)
                }
            }
            _ => {
                let shared = self.outside().expect("the head says so");
                (shared.as_slice().as_ptr(), shared.len())
            }
        };
        // SAFETY: as above; a buffer outside lives as long as the element that holds it.
        unsafe { std::slice::from_raw_parts(start, len) }
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
        // SAFETY: the head is always there, and says whether a long name's length follows.
        unsafe {
            let head = self.memory.read();
            let (name_len, value_head) = match head & NAME_LEN {
                NAME_LEN => (self.memory.add(1).cast::<u64>().read_unaligned() as usize, 1 + WORD),
                short => (usize::from(short), 1),
            };
            let name = match head & (HAS_VALUE | VALUE_OUTSIDE) {
                0 => value_head,
                HAS_VALUE => value_head + 1,
                _ => value_head + WORD,
            };
            Parts { name, name_len, value_head, head }
        }
    }

    /// The size of the allocation.
    fn size(self) -> usize {
        let parts = self.parts();
        let inline = parts.head & (HAS_VALUE | VALUE_OUTSIDE) == HAS_VALUE;
        parts.name + parts.name_len + if inline { self.value().len() } else { 0 }
    }

    /// The reference to a value outside; it still belongs to the element.
    fn outside(self) -> Option<ManuallyDrop<SharedBytes>> {
        let parts = self.parts();
        (parts.head & VALUE_OUTSIDE != 0).then(|| {
            // SAFETY: a reference was written there, and `ManuallyDrop` leaves it to the element.
            let word = unsafe { self.memory.add(parts.value_head).cast().read_unaligned() };
            ManuallyDrop::new(word)
        })
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
                let mut field = Element::new(&name, Some(&value));
                let copy = field.clone();
                for new_len in lens {
                    let new = vec![b'w'; new_len];
                    field.set_value(&new);
                    assert_eq!((field.view().name(), field.view().value()), (&name[..], &new[..]));
                }
                drop(field);
                assert_eq!((copy.view().name(), copy.view().value()), (&name[..], &value[..]));
                assert_eq!(copy.view().shared_value().is_some(), value_len > INLINE_VALUE_MAX);
            }
        }
    }

    #[test]
    fn the_budgeted_sizes_fit_their_classes() {
        assert_eq!(Element::new(&[0; 14], None).view().allocated_bytes(), 16);
        assert_eq!(Element::new(&[0; 13], Some(&[0; 13])).view().allocated_bytes(), 32);
    }
}
