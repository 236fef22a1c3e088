//! The one word of a value that has a small form and a large one: a listpack, or a shared
//! structure with the lowest bit set.
//!
//! Most collections are small. An enum of two pointers takes two words, and a pointer to such an
//! enum one more allocation and one more step for each access. Both pointers are aligned to eight
//! bytes, so the lowest bit is free to say which of the two it is.

use crate::unique::make_mut;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::Arc;

/// Set in the word of a large form.
const LARGE: usize = 1;

/// A form that may lie in a [`Word`] as it is.
///
/// # Safety
/// The type is one pointer, which is never null and never odd.
pub(crate) unsafe trait Small: Clone + Send + Sync {}

/// Either form, owned, in one word.
///
/// Invariant: without the tag the bits are those of a valid `S`; with the tag, minus it, the
/// pointer of a valid `Arc<L>`. The word owns one reference of it.
#[repr(transparent)]
pub(crate) struct Word<S: Small, L> {
    pointer: NonNull<u8>,
    owns: PhantomData<(S, Arc<L>)>,
}

// SAFETY: the word is an `S` or an `Arc<L>`, which are both `Send`.
unsafe impl<S: Small, L: Send + Sync> Send for Word<S, L> {}
// SAFETY: as above; both are `Sync`.
unsafe impl<S: Small, L: Send + Sync> Sync for Word<S, L> {}

/// What a word is, for reading.
pub(crate) enum Form<'a, S, L> {
    Small(&'a S),
    Large(&'a L),
}

/// What a word is, for writing.
pub(crate) enum FormMut<'a, S, L> {
    Small(&'a mut S),
    Large(&'a mut L),
}

impl<S: Small, L> Word<S, L> {
    /// The word of a small form.
    pub(crate) fn small(small: S) -> Self {
        const { assert!(size_of::<S>() == size_of::<NonNull<u8>>()) };
        let small = ManuallyDrop::new(small);
        // SAFETY: a small form is one pointer that is not null; the word takes it over.
        let pointer = unsafe { std::mem::transmute_copy::<ManuallyDrop<S>, NonNull<u8>>(&small) };
        let word = Self { pointer, owns: PhantomData };
        debug_assert!(!word.is_large());
        word
    }

    /// The word of a large form.
    pub(crate) fn large(large: L) -> Self {
        Self::tagged(Arc::into_raw(Arc::new(large)))
    }

    /// The word of a large form at an address that `Arc` gave out, with the reference.
    fn tagged(large: *const L) -> Self {
        const { assert!(align_of::<L>() > LARGE) };
        let pointer = NonNull::new(large.cast_mut().cast::<u8>().wrapping_add(LARGE));
        Self { pointer: pointer.expect("an Arc is not null"), owns: PhantomData }
    }

    #[inline]
    pub(crate) fn form(&self) -> Form<'_, S, L> {
        if self.is_large() {
            // SAFETY: by the invariant this is the pointer of a live `Arc`, which `self` keeps.
            Form::Large(unsafe { &*self.address() })
        } else {
            // SAFETY: by the invariant the word has the bits of a valid small form.
            Form::Small(unsafe { &*std::ptr::from_ref(self).cast::<S>() })
        }
    }

    /// For writing: a large form is private afterwards (its nodes may still be shared).
    #[inline]
    pub(crate) fn form_mut(&mut self) -> FormMut<'_, S, L>
    where
        L: Clone,
    {
        if self.is_large() {
            // SAFETY: the word owns a reference, which is not dropped here: `ManuallyDrop` hides
            // it until the word has the pointer of what it has become.
            let mut large = ManuallyDrop::new(unsafe { Arc::from_raw(self.address()) });
            let private = std::ptr::from_mut(make_mut(&mut large));
            self.pointer = ManuallyDrop::new(Self::tagged(Arc::as_ptr(&large))).pointer;
            // SAFETY: `make_mut` made this word the only holder, and `self` is borrowed mutably
            // for as long as the result lives.
            FormMut::Large(unsafe { &mut *private })
        } else {
            // SAFETY: by the invariant the word has the bits of a valid small form, and a change
            // of it leaves those of another one, untagged.
            FormMut::Small(unsafe { &mut *std::ptr::from_mut(self).cast::<S>() })
        }
    }

    fn is_large(&self) -> bool {
        self.pointer.addr().get() & LARGE != 0
    }

    /// Where the large form is; only if it is one.
    fn address(&self) -> *const L {
        self.pointer.as_ptr().wrapping_sub(LARGE).cast()
    }
}

impl<S: Small + Default, L> Default for Word<S, L> {
    fn default() -> Self {
        Self::small(S::default())
    }
}

impl<S: Small, L> Clone for Word<S, L> {
    fn clone(&self) -> Self {
        match self.form() {
            Form::Small(small) => Self::small(small.clone()),
            Form::Large(_) => {
                // SAFETY: the pointer of a live `Arc`; the new word owns the added reference.
                unsafe { Arc::increment_strong_count(self.address()) };
                Self { pointer: self.pointer, owns: PhantomData }
            }
        }
    }
}

impl<S: Small, L> Drop for Word<S, L> {
    fn drop(&mut self) {
        if self.is_large() {
            // SAFETY: the word owns one reference of the large form.
            drop(unsafe { Arc::from_raw(self.address()) });
        } else {
            // SAFETY: the word has the bits of a valid small form, owns it, and ends here.
            unsafe { std::ptr::from_mut(self).cast::<S>().drop_in_place() };
        }
    }
}
