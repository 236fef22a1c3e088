//! A slice: the elements of one aligned run of positions, few of them as a sorted list, many as
//! chunks.

use std::sync::Arc;

use super::Limits;
use super::chunk::{CHUNK, Chunk};
use super::value::{Element, Value};
use crate::unique::make_mut;

/// A walk over elements in one direction, which shows each with its index until it breaks off.
pub(super) struct Visit<'v, B> {
    pub(super) backwards: bool,
    /// The index of position 0 of what is walked over.
    pub(super) base: u64,
    pub(super) visit: &'v mut dyn FnMut(u64, Element<'_>) -> Option<B>,
}

impl<B> Visit<'_, B> {
    #[inline]
    pub(super) fn show(&mut self, at: u32, value: &Value) -> Option<B> {
        (self.visit)(self.base + u64::from(at), value.element())
    }
}

/// See the module page.
///
/// Invariant: it has at least one element once it is part of an array; `count` and `text_bytes` are
/// those of its elements.
#[derive(Clone, Debug, Default)]
pub(super) struct Slice {
    count: u32,
    /// The memory of long texts.
    text_bytes: usize,
    form: Form,
}

#[derive(Clone, Debug)]
enum Form {
    /// Ascending positions with their values.
    Sparse(Vec<(u32, Value)>),
    Dense(Chunks),
}

impl Default for Form {
    fn default() -> Self {
        Self::Sparse(Vec::new())
    }
}

/// A run of chunks.
///
/// Invariant: the outer ones have elements, and no chunk is empty.
#[derive(Clone, Debug, Default)]
struct Chunks {
    /// The number of the first one in the slice.
    first: u32,
    chunks: Vec<Option<Arc<Chunk>>>,
}

impl Slice {
    /// How many elements there are.
    pub(super) const fn count(&self) -> u32 {
        self.count
    }

    /// The memory of long texts.
    pub(super) const fn text_bytes(&self) -> usize {
        self.text_bytes
    }

    /// The size of what a dense slice spans, in positions, or the capacity of a sparse one.
    pub(super) fn shape(&self) -> (bool, usize) {
        match &self.form {
            Form::Sparse(items) => (false, items.capacity()),
            Form::Dense(chunks) => (true, chunks.chunks.len() * CHUNK as usize),
        }
    }

    /// The value at a position.
    #[inline]
    pub(super) fn get(&self, at: u32) -> Option<&Value> {
        match &self.form {
            Form::Sparse(items) => {
                let found = items.binary_search_by_key(&at, |(position, _)| *position).ok()?;
                Some(&items[found].1)
            }
            Form::Dense(chunks) => chunks.chunk(at / CHUNK)?.get(at % CHUNK),
        }
    }

    /// Puts a value at a position; returns whether that was empty.
    pub(super) fn set(&mut self, at: u32, value: Value, limits: &Limits) -> bool {
        self.text_bytes += value.heap_bytes();
        let replaced = match &mut self.form {
            Form::Sparse(items) => {
                match items.binary_search_by_key(&at, |(position, _)| *position) {
                    Ok(found) => Some(std::mem::replace(&mut items[found].1, value)),
                    Err(place) => {
                        if items.len() == items.capacity() {
                            items.reserve_exact((items.len() / 2).max(1));
                        }
                        items.insert(place, (at, value));
                        None
                    }
                }
            }
            Form::Dense(chunks) => chunks.make(at / CHUNK).set(at % CHUNK, value),
        };
        let is_new = replaced.is_none();
        self.count += u32::from(is_new);
        self.text_bytes -= replaced.map_or(0, |value| value.heap_bytes());
        if is_new && self.count > limits.sparse_max {
            self.make_dense();
        }
        is_new
    }

    /// Empties a position; false if it was empty.
    pub(super) fn remove(&mut self, at: u32, limits: &Limits) -> bool {
        let removed = match &mut self.form {
            Form::Sparse(items) => {
                let found = items.binary_search_by_key(&at, |(position, _)| *position);
                found.ok().map(|found| items.remove(found).1)
            }
            Form::Dense(chunks) => chunks.remove(at),
        };
        let Some(value) = removed else { return false };
        self.count -= 1;
        self.text_bytes -= value.heap_bytes();
        if self.count < limits.sparse_min {
            self.make_sparse();
        }
        true
    }

    /// Empties the positions from `first` to `last`; returns how many were used.
    pub(super) fn remove_range(&mut self, first: u32, last: u32, limits: &Limits) -> u32 {
        let before = self.count;
        let mut used = Vec::new();
        let mut visit = |at: u64, _: Element<'_>| -> Option<()> {
            used.push(at as u32);
            None
        };
        let backwards = Visit { backwards: true, base: 0, visit: &mut visit };
        self.visit(first, last, backwards);
        for at in used {
            self.remove(at, limits);
        }
        before - self.count
    }

    /// Shows the elements from position `first` to `last`.
    pub(super) fn visit<B>(&self, first: u32, last: u32, mut visit: Visit<'_, B>) -> Option<B> {
        match &self.form {
            Form::Sparse(items) => {
                let start = items.partition_point(|(position, _)| *position < first);
                let end = items.partition_point(|(position, _)| *position <= last);
                let backwards = visit.backwards;
                let mut items = items[start..end.max(start)].iter();
                let mut show = |(at, value): &(u32, Value)| visit.show(*at, value);
                if backwards { items.rev().find_map(show) } else { items.find_map(&mut show) }
            }
            Form::Dense(chunks) => chunks.visit(first, last, &mut visit),
        }
    }

    #[cold]
    fn make_dense(&mut self) {
        if let Form::Sparse(items) = &mut self.form {
            let mut chunks = Chunks::default();
            for (at, value) in std::mem::take(items) {
                chunks.make(at / CHUNK).set(at % CHUNK, value);
            }
            self.form = Form::Dense(chunks);
        }
    }

    #[cold]
    fn make_sparse(&mut self) {
        if let Form::Dense(chunks) = &self.form {
            let mut items = Vec::with_capacity(self.count as usize);
            for (number, chunk) in (chunks.first..).zip(&chunks.chunks) {
                let Some(chunk) = chunk else { continue };
                let values = (0..CHUNK).filter_map(|at| Some((at, chunk.get(at)?)));
                items.extend(values.map(|(at, value)| (number * CHUNK + at, value.clone())));
            }
            self.form = Form::Sparse(items);
        }
    }

    /// The bytes that it occupies.
    pub(super) fn allocated_bytes(&self) -> usize {
        use crate::size_class::allocation_bytes;
        let counts = 2 * size_of::<usize>();
        let form = match &self.form {
            Form::Sparse(items) => allocation_bytes(items.capacity() * size_of::<(u32, Value)>()),
            Form::Dense(chunks) => {
                let all = chunks.chunks.iter().flatten();
                allocation_bytes(chunks.chunks.capacity() * size_of::<usize>())
                    + all.map(|chunk| chunk.allocated_bytes()).sum::<usize>()
            }
        };
        allocation_bytes(counts + size_of::<Self>()) + form + self.text_bytes
    }

    #[cfg(test)]
    pub(super) fn check(&self, slice_bits: u32) {
        let (mut count, mut text_bytes) = (0, 0);
        let mut add = |at: u32, value: &Value| {
            assert!(u64::from(at) < 1 << slice_bits);
            count += 1;
            text_bytes += value.heap_bytes();
        };
        match &self.form {
            Form::Sparse(items) => {
                assert!(items.is_sorted_by(|a, b| a.0 < b.0));
                items.iter().for_each(|(at, value)| add(*at, value));
            }
            Form::Dense(chunks) => {
                let ends = [chunks.chunks.first(), chunks.chunks.last()];
                assert!(ends.iter().all(|end| matches!(end, Some(Some(_)))), "trimmed at the ends");
                for (number, chunk) in (chunks.first..).zip(&chunks.chunks) {
                    let Some(chunk) = chunk else { continue };
                    chunk.check();
                    let values = (0..CHUNK).filter_map(|at| Some((at, chunk.get(at)?)));
                    values.for_each(|(at, value)| add(number * CHUNK + at, value));
                }
            }
        }
        assert_eq!((self.count, self.text_bytes), (count, text_bytes));
        assert!(count > 0, "empty slices are dropped");
    }
}

impl Chunks {
    fn chunk(&self, number: u32) -> Option<&Chunk> {
        let index = number.checked_sub(self.first)?;
        self.chunks.get(index as usize)?.as_deref()
    }

    /// The chunk with this number, which may be new and is not shared.
    fn make(&mut self, number: u32) -> &mut Chunk {
        if self.chunks.is_empty() {
            self.first = number;
        }
        if let Some(missing) = self.first.checked_sub(number).filter(|&missing| missing > 0) {
            let missing = std::iter::repeat_n(None, missing as usize);
            self.chunks.splice(0..0, missing);
            self.first = number;
        }
        let index = (number - self.first) as usize;
        if index >= self.chunks.len() {
            self.chunks.resize(index + 1, None);
        }
        make_mut(self.chunks[index].get_or_insert_default())
    }

    /// Takes the value at a position of the slice.
    fn remove(&mut self, at: u32) -> Option<Value> {
        let number = at / CHUNK;
        // A chunk that others share is not copied for nothing.
        self.chunk(number)?.get(at % CHUNK)?;
        let place = &mut self.chunks[(number - self.first) as usize];
        let chunk = make_mut(place.as_mut()?);
        let value = chunk.remove(at % CHUNK);
        if chunk.count() == 0 {
            *place = None;
            self.trim();
        }
        value
    }

    /// Drops what is empty at the ends.
    fn trim(&mut self) {
        let used = self.chunks.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        self.chunks.truncate(used);
        let unused = self.chunks.iter().position(Option::is_some).unwrap_or(0);
        self.chunks.drain(..unused);
        self.first += unused as u32;
    }

    fn visit<B>(&self, first: u32, last: u32, visit: &mut Visit<'_, B>) -> Option<B> {
        let base = visit.base;
        let end = self.first + self.chunks.len() as u32;
        let mut numbers = (first / CHUNK).max(self.first)..(last / CHUNK + 1).min(end);
        loop {
            let number = if visit.backwards { numbers.next_back() } else { numbers.next() }?;
            let Some(chunk) = self.chunk(number) else { continue };
            let start = number * CHUNK;
            visit.base = base + u64::from(start);
            let (from, to) = (first.saturating_sub(start), (last - start).min(CHUNK - 1));
            if let Some(stop) = chunk.visit(from, to, visit) {
                return Some(stop);
            }
        }
    }
}
