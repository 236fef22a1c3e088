//! The forms in which a set or a hash is kept, in one word: a listpack, an intset, a hash table, or
//! a listpack with deadlines.
//!
//! All of them are one pointer, so the two low bits of the word, which alignment leaves zero, say
//! which one it is. A small collection costs its block of bytes and nothing else; a field of the
//! form would cost it 24 bytes more.
//!
//! Invariants: the word owns exactly one value of the form that its low bits name; those of a
//! listpack are zero, so that the word *is* a [`Listpack`].

use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;
use std::mem::{ManuallyDrop, forget};
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::sync::Arc;

use stdx::rng::Rng;

use crate::hash::timed::{self, TimedListpack};
use crate::hash_table::{self, HashTable};
use crate::intset::Intset;
use crate::listpack::{Listpack, Offset};
use crate::prefetch;
use crate::size_class::allocation_bytes;

const LISTPACK: usize = 0;
const INTSET: usize = 1;
const TABLE: usize = 2;
const TIMED: usize = 3;
const FORMS: usize = 3;

/// A listpack with deadlines is reached by way of its reference counts and its own word.
const TIMED_BYTES: usize = size_of::<TimedListpack>() + 2 * size_of::<usize>();

/// One of the forms, owned, in one word; see the module page.
#[repr(transparent)]
pub(crate) struct Compact {
    word: NonNull<u8>,
    owns: PhantomData<Form>,
}

// SAFETY: it owns a `Form` and nothing else, and all of them are `Send` and `Sync`.
unsafe impl Send for Compact {}
// SAFETY: as above.
unsafe impl Sync for Compact {}

/// The forms, owned.
#[derive(Clone)]
pub(crate) enum Form {
    Listpack(Listpack),
    Intset(Intset),
    Table(Arc<HashTable>),
    Timed(Arc<TimedListpack>),
}

/// The forms, borrowed.
pub(crate) enum View<'a> {
    Listpack(&'a Listpack),
    Intset(Lent<'a>),
    Table(&'a HashTable),
    Timed(&'a TimedListpack),
}

/// An intset that somebody else owns for as long as `'a`.
pub(crate) struct Lent<'a> {
    set: ManuallyDrop<Intset>,
    life: PhantomData<&'a Compact>,
}

impl Clone for Lent<'_> {
    fn clone(&self) -> Self {
        // SAFETY: neither copy is ever dropped or changed, and the owner outlives both.
        let set = unsafe { std::ptr::read(&raw const self.set) };
        Self { set, life: PhantomData }
    }
}

impl Deref for Lent<'_> {
    type Target = Intset;

    fn deref(&self) -> &Intset {
        &self.set
    }
}

impl From<Form> for Compact {
    fn from(form: Form) -> Self {
        // SAFETY: a listpack and an intset are transparent wrappers of one non-null pointer, and
        // `Arc::into_raw` never gives a null one.
        let (pointer, tag): (NonNull<u8>, usize) = unsafe {
            match form {
                Form::Listpack(listpack) => {
                    (std::mem::transmute::<Listpack, NonNull<u8>>(listpack), LISTPACK)
                }
                Form::Intset(intset) => {
                    (std::mem::transmute::<Intset, NonNull<u8>>(intset), INTSET)
                }
                Form::Table(table) => {
                    (NonNull::new_unchecked(Arc::into_raw(table).cast_mut()).cast(), TABLE)
                }
                Form::Timed(timed) => {
                    (NonNull::new_unchecked(Arc::into_raw(timed).cast_mut()).cast(), TIMED)
                }
            }
        };
        debug_assert_eq!(pointer.addr().get() & FORMS, 0, "allocations are aligned");
        Self { word: pointer.map_addr(|address| address | tag), owns: PhantomData }
    }
}

impl Compact {
    fn tag(&self) -> usize {
        self.word.addr().get() & FORMS
    }

    fn pointer(&self) -> *mut u8 {
        self.word.as_ptr().map_addr(|address| address & !FORMS)
    }

    /// Takes the form out, without a mark that it is gone.
    ///
    /// # Safety
    /// The word is not used, and not dropped, before it is written again.
    unsafe fn take(&self) -> Form {
        let pointer = self.pointer();
        // SAFETY: the low bits say what the pointer was made from.
        unsafe {
            match self.tag() {
                LISTPACK => Form::Listpack(std::mem::transmute::<*mut u8, Listpack>(pointer)),
                INTSET => Form::Intset(std::mem::transmute::<*mut u8, Intset>(pointer)),
                TABLE => Form::Table(Arc::from_raw(pointer.cast())),
                _ => Form::Timed(Arc::from_raw(pointer.cast())),
            }
        }
    }

    /// The form for reading.
    #[inline]
    pub(crate) fn view(&self) -> View<'_> {
        match self.tag() {
            // SAFETY: with these bits the word is a listpack, borrowed as long as `self`.
            LISTPACK => View::Listpack(unsafe { &*(&raw const *self).cast::<Listpack>() }),
            INTSET => {
                // SAFETY: an intset was made into the pointer; the copy is not dropped.
                let set = unsafe { std::mem::transmute::<*mut u8, Intset>(self.pointer()) };
                View::Intset(Lent { set: ManuallyDrop::new(set), life: PhantomData })
            }
            // SAFETY: `Arc::into_raw` points at the table, which lives as long as this reference.
            TABLE => View::Table(unsafe { &*self.pointer().cast::<HashTable>() }),
            // SAFETY: as for a table.
            _ => View::Timed(unsafe { &*self.pointer().cast::<TimedListpack>() }),
        }
    }

    /// Asks the processor for what looking up these names will read.
    pub(crate) fn prefetch(&self, names: &[&[u8]]) {
        match self.view() {
            View::Table(table) => table.prefetch(names),
            View::Listpack(_) | View::Intset(_) | View::Timed(_) => prefetch::small(self.pointer()),
        }
    }

    /// The form for changing, or for putting another in its place.
    #[inline]
    pub(crate) fn edit(&mut self) -> Editing<'_> {
        // SAFETY: the guard writes the word when it goes, also when it unwinds, and borrows it
        // until then.
        let form = ManuallyDrop::new(unsafe { self.take() });
        Editing { form, compact: self }
    }

    /// The memory behind the word.
    pub(crate) fn allocated_bytes(&self) -> usize {
        match self.view() {
            View::Listpack(listpack) => listpack.allocated_bytes(),
            View::Intset(intset) => intset.allocated_bytes(),
            View::Table(table) => table.allocated_bytes(),
            View::Timed(timed) => {
                timed.listpack().allocated_bytes() + allocation_bytes(TIMED_BYTES)
            }
        }
    }

    /// The allocations behind the word.
    pub(crate) fn pieces(&self) -> usize {
        match self.view() {
            View::Listpack(_) | View::Intset(_) => 1,
            View::Table(table) => table.pieces(),
            View::Timed(_) => 2,
        }
    }

    /// One of the elements, each equally likely, where an element is `step` items of a listpack.
    pub(crate) fn sample(&self, rng: &mut Rng, step: usize) -> Option<Place> {
        match self.view() {
            View::Listpack(listpack) => sample_packed(listpack, rng, step),
            View::Timed(timed) => sample_packed(timed.listpack(), rng, timed::STEP),
            View::Intset(intset) => {
                (!intset.is_empty()).then(|| Place::Intset(rng.index(intset.len())))
            }
            View::Table(table) => table.sample(rng).map(Place::Table),
        }
    }

    /// `count` different elements, or all if there are not so many: every choice equally likely,
    /// but in no particular order.
    pub(crate) fn sample_distinct(&self, rng: &mut Rng, count: usize, step: usize) -> Vec<Place> {
        match self.view() {
            View::Listpack(listpack) => {
                select(rng, packed_places(listpack, step), listpack.len() / step, count)
            }
            View::Timed(timed) => {
                let (listpack, step) = (timed.listpack(), timed::STEP);
                select(rng, packed_places(listpack, step), listpack.len() / step, count)
            }
            View::Intset(intset) => {
                select(rng, (0..intset.len()).map(Place::Intset), intset.len(), count)
            }
            // Drawing again what has been drawn is cheap for as long as most has not.
            View::Table(table) if count <= table.len() / 3 => {
                let mut places = Vec::with_capacity(count);
                let mut drawn = HashSet::with_capacity(count);
                while places.len() < count {
                    let place = table.sample(rng).expect("there are three times as many elements");
                    if drawn.insert(place) {
                        places.push(Place::Table(place));
                    }
                }
                places
            }
            View::Table(table) => select(rng, table.places().map(Place::Table), table.len(), count),
        }
    }
}

/// The places of the elements of a listpack, of `step` items each.
fn packed_places(listpack: &Listpack, step: usize) -> impl Iterator<Item = Place> {
    let mut at = listpack.first();
    std::iter::from_fn(move || {
        let place = at?;
        at = (0..step).try_fold(place, |place, _| listpack.next(place));
        Some(Place::Listpack(place))
    })
}

fn sample_packed(listpack: &Listpack, rng: &mut Rng, step: usize) -> Option<Place> {
    let elements = listpack.len() / step;
    let index = (elements > 0).then(|| rng.index(elements))? * step;
    listpack.seek(index as i64).map(Place::Listpack)
}

/// Goes through `total` things and takes `count`: each with the chance that leaves every choice
/// equally likely.
pub(crate) fn select<T>(
    rng: &mut Rng,
    things: impl Iterator<Item = T>,
    total: usize,
    count: usize,
) -> Vec<T> {
    let mut wanted = count.min(total);
    let mut taken = Vec::with_capacity(wanted);
    for (passed, thing) in things.enumerate() {
        if wanted == 0 {
            break;
        }
        if rng.index(total - passed) < wanted {
            taken.push(thing);
            wanted -= 1;
        }
    }
    taken
}

/// Where an element is, until the collection changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    #[doc(hidden)]
    Listpack(Offset),
    #[doc(hidden)]
    Intset(usize),
    #[doc(hidden)]
    Table(hash_table::Place),
}

pub(crate) const STALE: &str = "a place is used before the collection changes";

impl Default for Compact {
    fn default() -> Self {
        Self::from(Form::Listpack(Listpack::default()))
    }
}

impl Clone for Compact {
    /// Shares the form's nodes.
    fn clone(&self) -> Self {
        // SAFETY: the value that is taken is forgotten, so the word goes on owning it.
        let form = ManuallyDrop::new(unsafe { self.take() });
        Self::from(Form::clone(&form))
    }
}

impl Drop for Compact {
    fn drop(&mut self) {
        // SAFETY: the word is not used again.
        drop(unsafe { self.take() });
    }
}

impl fmt::Debug for Compact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.view() {
            View::Listpack(listpack) => listpack.fmt(f),
            View::Intset(intset) => intset.fmt(f),
            View::Table(table) => write!(f, "a table of {} elements", table.len()),
            View::Timed(timed) => timed.fmt(f),
        }
    }
}

/// A form taken out of its word, which comes back to it in the end.
pub(crate) struct Editing<'a> {
    form: ManuallyDrop<Form>,
    compact: &'a mut Compact,
}

impl Deref for Editing<'_> {
    type Target = Form;

    fn deref(&self) -> &Form {
        &self.form
    }
}

impl DerefMut for Editing<'_> {
    fn deref_mut(&mut self) -> &mut Form {
        &mut self.form
    }
}

impl Drop for Editing<'_> {
    fn drop(&mut self) {
        // SAFETY: the form is not used again.
        let form = unsafe { ManuallyDrop::take(&mut self.form) };
        // What the word held was taken out: it must not be dropped again.
        forget(std::mem::replace(self.compact, Compact::from(form)));
    }
}
