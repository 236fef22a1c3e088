//! The one word of a list: a listpack, or a chain of nodes with the lowest bit set.
//!
//! Most lists are short. An enum of two pointers takes two words, and a pointer to such an enum one
//! more allocation and one more step for each access. Both pointers are aligned to eight bytes, so
//! the lowest bit is free to say which of the two it is.

use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::Arc;

use super::chain::Chain;
use crate::listpack::Listpack;

/// Set in the word of a chain.
const CHAIN: usize = 1;

const _: () = assert!(align_of::<Chain>() > CHAIN);
const _: () = assert!(size_of::<Listpack>() == size_of::<NonNull<u8>>());

/// Either form, owned, in one word.
///
/// Invariant: without the tag the bits are those of a valid `Listpack`; with the tag, minus it, the
/// pointer of a valid `Arc<Chain>`. The word owns one reference of it.
#[repr(transparent)]
pub(super) struct Word {
    pointer: NonNull<u8>,
}

// SAFETY: the word is a `Listpack` or an `Arc<Chain>`, which are both `Send`.
unsafe impl Send for Word {}
// SAFETY: as above; both are `Sync`.
unsafe impl Sync for Word {}

/// What a word is, for reading.
pub(super) enum Form<'a> {
    Listpack(&'a Listpack),
    Chain(&'a Chain),
}

/// What a word is, for writing.
pub(super) enum FormMut<'a> {
    Listpack(&'a mut Listpack),
    Chain(&'a mut Chain),
}

impl Word {
    #[inline]
    pub(super) fn form(&self) -> Form<'_> {
        if self.is_chain() {
            // SAFETY: by the invariant this is the pointer of a live `Arc`, which `self` keeps.
            Form::Chain(unsafe { &*self.chain() })
        } else {
            // SAFETY: by the invariant the word has the bits of a valid `Listpack`.
            Form::Listpack(unsafe { &*std::ptr::from_ref(self).cast::<Listpack>() })
        }
    }

    /// For writing: a chain is private afterwards (its nodes may still be shared).
    #[inline]
    pub(super) fn form_mut(&mut self) -> FormMut<'_> {
        if self.is_chain() {
            // SAFETY: the word owns a reference, which is not dropped here: `ManuallyDrop` hides
            // it until the word has the pointer of what it has become.
            let mut chain = ManuallyDrop::new(unsafe { Arc::from_raw(self.chain()) });
            let private = std::ptr::from_mut(Arc::make_mut(&mut chain));
            self.pointer = tagged(Arc::as_ptr(&chain));
            // SAFETY: `make_mut` made this word the only holder, and `self` is borrowed mutably
            // for as long as the result lives.
            FormMut::Chain(unsafe { &mut *private })
        } else {
            // SAFETY: by the invariant the word has the bits of a valid `Listpack`, and a change
            // of it leaves those of another one, untagged.
            FormMut::Listpack(unsafe { &mut *std::ptr::from_mut(self).cast::<Listpack>() })
        }
    }

    fn is_chain(&self) -> bool {
        self.pointer.addr().get() & CHAIN != 0
    }

    /// The pointer of the chain; only if it is one.
    fn chain(&self) -> *const Chain {
        self.pointer.as_ptr().wrapping_sub(CHAIN).cast()
    }
}

fn tagged(chain: *const Chain) -> NonNull<u8> {
    NonNull::new(chain.cast_mut().cast::<u8>().wrapping_add(CHAIN)).expect("an Arc is not null")
}

impl From<Listpack> for Word {
    fn from(listpack: Listpack) -> Self {
        // SAFETY: a listpack is one pointer, never null, of at least the alignment of a header.
        let word: Self = unsafe { std::mem::transmute(listpack) };
        debug_assert!(!word.is_chain());
        word
    }
}

impl From<Chain> for Word {
    fn from(chain: Chain) -> Self {
        Self { pointer: tagged(Arc::into_raw(Arc::new(chain))) }
    }
}

impl Clone for Word {
    fn clone(&self) -> Self {
        match self.form() {
            Form::Listpack(listpack) => Self::from(listpack.clone()),
            Form::Chain(_) => {
                // SAFETY: the pointer of a live `Arc`; the new word owns the added reference.
                unsafe { Arc::increment_strong_count(self.chain()) };
                Self { pointer: self.pointer }
            }
        }
    }
}

impl Drop for Word {
    fn drop(&mut self) {
        if self.is_chain() {
            // SAFETY: the word owns one reference of the chain.
            drop(unsafe { Arc::from_raw(self.chain()) });
        } else {
            // SAFETY: the word has the bits of a valid `Listpack`, owns it, and ends here.
            unsafe { std::ptr::from_mut(self).cast::<Listpack>().drop_in_place() };
        }
    }
}
