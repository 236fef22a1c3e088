//! Building a collection from elements in no order.

use std::borrow::Cow;

use collections::entry::Collection;
use collections::prefetch::LOOK_AHEAD_MAX;

use super::super::reader::Reader;
use super::Read;

/// A batch ends with the element that brings it to so many bytes.
const BATCH_BYTES_MAX: usize = 64 * 1024;

/// An element that was read: its name, the value of a field, and what else stands with it.
pub(super) struct Element<'a, T> {
    pub(super) name: Cow<'a, [u8]>,
    pub(super) value: Cow<'a, [u8]>,
    pub(super) more: T,
}

/// Lets `add` add `count` elements, each of which `read` reads. Before a batch of them is added,
/// the processor is asked for the places of all: in a large collection each is a wait for memory,
/// and so the waits overlap.
pub(super) fn add_all<'a, C: Collection, T>(
    collection: &mut C,
    reader: &mut Reader<'a>,
    count: u64,
    read: impl Fn(&mut Reader<'a>) -> Read<Element<'a, T>>,
    mut add: impl FnMut(&mut C, Element<'a, T>) -> Read<()>,
) -> Read<()> {
    let mut batch = Vec::with_capacity(LOOK_AHEAD_MAX);
    let mut left = count;
    while left > 0 {
        let mut bytes = 0;
        while left > 0 && batch.len() < LOOK_AHEAD_MAX && bytes < BATCH_BYTES_MAX {
            let element = read(reader)?;
            bytes += element.name.len() + element.value.len();
            batch.push(element);
            left -= 1;
        }
        let mut names = [&[][..]; LOOK_AHEAD_MAX];
        for (name, element) in names.iter_mut().zip(&batch) {
            *name = &element.name;
        }
        collection.prefetch(&names[..batch.len()]);
        batch.drain(..).try_for_each(|element| add(collection, element))?;
    }
    Ok(())
}
