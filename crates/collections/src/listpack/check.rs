//! What must hold of the elements of a listpack before it becomes a collection.

use std::collections::HashSet;

use super::{Item, Listpack};
use crate::block::Malformed;

/// How many tuples of `step` elements a listpack has: some, and all of them whole.
///
/// # Errors
/// If it is not so.
pub(crate) fn count_tuples(listpack: &Listpack, step: usize) -> Result<usize, Malformed> {
    let elements = listpack.len();
    if elements == 0 || !elements.is_multiple_of(step) {
        Err(Malformed)
    } else {
        Ok(elements / step)
    }
}

/// Checks that the first elements of all tuples of `step` elements differ. Takes memory for each.
///
/// # Errors
/// If two are the same.
pub(crate) fn distinct(listpack: &Listpack, step: usize) -> Result<(), Malformed> {
    let mut seen = HashSet::new();
    let mut names = listpack.iter().step_by(step);
    // Other programs may have stored a number as text: it is the same name.
    let all = names.all(|item| match (item, item.as_int()) {
        (_, Some(value)) => seen.insert((Some(value), &[][..])),
        (Item::Bytes(text), None) => seen.insert((None, text)),
        (Item::Int(_), None) => unreachable!("an integer is one"),
    });
    if all { Ok(()) } else { Err(Malformed) }
}

/// Whether the last elements of all tuples of `step` elements are deadlines that never fall, with
/// those that are none (0) at the end.
///
/// # Errors
/// If one is no time.
pub(crate) fn deadlines_ascend(listpack: &Listpack, step: usize) -> Result<bool, Malformed> {
    let (mut last, mut ascend) = (0, true);
    for item in listpack.iter().skip(step - 1).step_by(step) {
        let deadline = item.as_int().and_then(|at| u64::try_from(at).ok()).ok_or(Malformed)?;
        let rank = if deadline == 0 { u64::MAX } else { deadline };
        ascend &= rank >= last;
        last = rank;
    }
    Ok(ascend)
}
