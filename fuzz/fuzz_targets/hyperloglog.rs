//! Sketches of untrusted bytes: whatever a client stored is refused, reported as corrupted, or
//! counted, and the ways to read, change and convert it agree with each other.
#![no_main]

use collections::hyperloglog::{
    Element, Encoding, Registers, Sketch, SparseUpdate, View, raise_dense, set_cached,
};
use libfuzzer_sys::fuzz_target;

// The input: the limit of the sparse form, bytes for the elements, and the value, whose magic is
// put right so that the search gets past it.
fuzz_target!(|input: (u16, Vec<u8>, Vec<u8>)| {
    let (limit, elements, mut value) = input;
    if let Some(magic) = value.first_chunk_mut() {
        *magic = *b"HYLL";
    }
    let Some(view) = View::new(&value) else { return };
    let _ = (view.cached(), view.describe());
    let counted = view.count();
    let mut registers = Registers::default();
    let merged = registers.merge(view);
    assert_eq!(counted.is_ok(), merged.is_ok());
    let mut dense = Sketch::copy_of(view);
    assert_eq!(dense.make_dense().is_ok(), counted.is_ok());
    if let Ok(count) = counted {
        assert_eq!((registers.count(), dense.view().count()), (count, Ok(count)));
    }

    let mut sketch = Sketch::copy_of(view);
    let mut twin = (counted.is_ok() && !is_cut(view)).then(|| dense.into_bytes());
    for element in elements.chunks(2).map(Element::of) {
        let in_place = updated_in_place(&sketch, element, u64::from(limit));
        let added = sketch.add(element, u64::from(limit));
        if let (Ok(_), Some(value)) = (added, in_place) {
            assert_eq!(Sketch::copy_of(sketch.view()).into_bytes().as_slice(), value);
        }
        if let Some(twin) = &mut twin {
            assert_eq!(added, Ok(raise_dense(twin.make_mut(), element)));
        }
    }
    if let Some(twin) = &mut twin {
        let view = View::new(twin.as_slice()).expect("a dense sketch stays one");
        assert_eq!(sketch.view().count(), view.count());
        set_cached(twin.make_mut(), 7);
        assert_eq!(View::new(twin.as_slice()).and_then(View::cached), Some(7));
    }
    if sketch.merge(&registers, false, u64::from(limit)).is_ok() && merged.is_ok() {
        assert!(sketch.view().count().is_ok());
    }
});

/// Whether the last run of a sparse value lacks its second byte. It reads as zero, as in Redis,
/// where the byte behind a string is zero; but the run cannot be replaced, so that an element of it
/// is refused.
fn is_cut(view: View<'_>) -> bool {
    let mut longer = Sketch::copy_of(view).into_bytes().as_slice().to_vec();
    longer.push(0);
    // Behind a whole run the zero would be one of a register too many.
    view.encoding() == Encoding::Sparse && View::new(&longer).is_some_and(|v| v.count().is_ok())
}

/// The value after an update where it is, if it can be updated so.
fn updated_in_place(sketch: &Sketch, element: Element, limit: u64) -> Option<Vec<u8>> {
    let view = sketch.view();
    let mut value = Sketch::copy_of(view).into_bytes().as_slice().to_vec();
    if view.encoding() == Encoding::Dense {
        raise_dense(&mut value, element);
        return Some(value);
    }
    match view.sparse_update(element, limit).ok()? {
        SparseUpdate::Nothing => Some(value),
        SparseUpdate::Copy => None,
        SparseUpdate::InPlace(update) => {
            value.resize(update.value_len(), 0);
            update.apply(&mut value);
            Some(value)
        }
    }
}
