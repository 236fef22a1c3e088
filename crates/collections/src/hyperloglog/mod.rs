//! HyperLogLog: how many distinct elements a set has, within a percent, in at most 12 KiB.
//!
//! Each element is hashed. Fourteen bits of the hash choose one of 16384 registers, and the
//! register remembers the longest run of trailing zeros that the other bits of any such element
//! had. Long runs are rare, so the registers tell how many different elements there must have been.
//! The standard error is 1.04 / sqrt(16384), that is 0.81 %.
//!
//! A sketch is an ordinary string value. Clients copy it with `GET` and `SET`, servers exchange it,
//! and it lives in snapshots of any age, so its bytes are the interface, and they are Redis's:
//!
//! ```text
//!   ┌────────────────────┬──────────────────────────────────────────────────────┐
//!   │ header, 16 bytes   │ sparse: runs of equal registers, one or two bytes each │
//!   │ magic, encoding,   ├──────────────────────────────────────────────────────┤
//!   │ cached cardinality │ dense: 16384 registers of 6 bits, 12288 bytes          │
//!   └────────────────────┴──────────────────────────────────────────────────────┘
//! ```
//!
//! Because any client can write any bytes there, everything here takes untrusted input: a [`View`]
//! checks the header, and whatever reads runs checks that they are of 16384 registers.
//!
//! Trade-offs: small sets are sparse, which costs a search for each update, and become dense when
//! the runs outgrow a limit or a register outgrows a run. Counting all registers takes
//! microseconds, so the result is kept in the header until a register changes.
//!
//! Reading order: [`Element`] (hashing), `dense`, `sparse` (the two forms), `estimate`,
//! [`Registers`] (merging), [`Sketch`] (changing).

mod dense;
mod estimate;
mod hash;
mod header;
mod registers;
mod self_test;
mod sketch;
mod sparse;
#[cfg(test)]
mod tests;

use std::fmt;

use estimate::Histogram;
pub use hash::Element;
pub use registers::Registers;
pub use self_test::self_test;
pub use sketch::Sketch;
use sparse::{Cursor, Plan, Splice};

/// How many registers a sketch has.
pub const REGISTERS: usize = 1 << 14;
/// Bytes in front of the registers.
pub const HEADER_BYTES: usize = 16;
/// The length of every dense sketch.
pub const DENSE_VALUE_BYTES: usize = HEADER_BYTES + dense::DENSE_BYTES;

/// How the registers are stored. The numbers are part of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Encoding {
    /// Six bits for each.
    Dense = 0,
    /// Runs of equal ones.
    Sparse = 1,
}

impl Encoding {
    /// As `PFDEBUG ENCODING` calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dense => "dense",
            Self::Sparse => "sparse",
        }
    }
}

/// The runs of a sparse sketch are not of 16384 registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupted;

impl fmt::Display for Corrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the runs of a sparse HyperLogLog do not add up to its registers")
    }
}

impl std::error::Error for Corrupted {}

/// A stored sketch for reading: bytes whose header has been checked.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    bytes: &'a [u8],
}

impl<'a> View<'a> {
    /// Checks the header. None if the bytes are no sketch: too short, another magic or encoding, or
    /// dense and of the wrong length.
    #[inline]
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        if bytes.len() < HEADER_BYTES || !bytes.starts_with(&header::MAGIC) {
            return None;
        }
        let fits = match header::encoding(bytes)? {
            Encoding::Dense => bytes.len() == DENSE_VALUE_BYTES,
            Encoding::Sparse => true,
        };
        fits.then_some(Self { bytes })
    }

    /// How the registers are stored.
    #[inline]
    #[must_use]
    pub fn encoding(self) -> Encoding {
        header::encoding(self.bytes).expect("a view's header has been checked")
    }

    /// The cardinality as it was last counted; none if a register has changed since.
    #[must_use]
    pub fn cached(self) -> Option<u64> {
        header::cached(self.bytes)
    }

    /// Counts: the estimated number of distinct elements.
    ///
    /// # Errors
    /// If the sparse form does not describe 16384 registers.
    pub fn count(self) -> Result<u64, Corrupted> {
        let histogram = match self.encoding() {
            Encoding::Dense => dense::histogram(self.opcodes()),
            Encoding::Sparse => {
                let mut histogram = Histogram::default();
                sparse::for_each(self.opcodes(), |_, run| {
                    histogram.0[usize::from(run.value)] += run.len as u32;
                })?;
                histogram
            }
        };
        Ok(estimate::cardinality(&histogram))
    }

    /// Whether adding the element to a dense sketch would raise a register. False for a sparse one.
    #[inline]
    #[must_use]
    pub fn would_raise_dense(self, element: Element) -> bool {
        self.encoding() == Encoding::Dense
            && dense::get(self.opcodes(), element.index) < element.rank
    }

    /// How to add an element to a sparse sketch. The limit is that of [`Sketch::add`].
    ///
    /// # Errors
    /// If the runs do not describe the element's register.
    #[inline]
    pub fn sparse_update(
        self,
        element: Element,
        sparse_bytes_max: u64,
    ) -> Result<SparseUpdate, Corrupted> {
        let opcodes_len = self.bytes.len() - HEADER_BYTES;
        Ok(match self.plan(element, sparse_bytes_max, Cursor::default())? {
            Plan::Nothing => SparseUpdate::Nothing,
            Plan::Splice(splice) if splice.new_len(opcodes_len) >= opcodes_len => {
                SparseUpdate::InPlace(InPlace { splice, opcodes_len })
            }
            Plan::Splice(_) | Plan::Dense => SparseUpdate::Copy,
        })
    }

    /// [`sparse::plan`], with the limit on the length.
    #[inline]
    fn plan(
        self,
        element: Element,
        sparse_bytes_max: u64,
        from: Cursor,
    ) -> Result<Plan, Corrupted> {
        let plan = sparse::plan(self.opcodes(), element, from)?;
        if let Plan::Splice(splice) = &plan {
            let grown = (self.bytes.len() + splice.growth) as u64;
            if splice.growth > 0 && grown > sparse_bytes_max {
                return Ok(Plan::Dense);
            }
        }
        Ok(plan)
    }

    /// The runs of a sparse sketch as words, valid or not; none of a dense one.
    #[must_use]
    pub fn describe(self) -> Option<String> {
        match self.encoding() {
            Encoding::Dense => None,
            Encoding::Sparse => Some(sparse::describe(self.opcodes())),
        }
    }

    fn merge_into(self, registers: &mut Registers) -> Result<(), Corrupted> {
        match self.encoding() {
            Encoding::Dense => {
                dense::merge_into(registers, self.opcodes());
                Ok(())
            }
            Encoding::Sparse => sparse::for_each(self.opcodes(), |first, run| {
                // Most of a sketch of few elements is zeros.
                if run.value > 0 {
                    let registers = &mut registers.0[first..first + run.len];
                    registers.iter_mut().for_each(|register| *register = run.value.max(*register));
                }
            }),
        }
    }

    /// What is behind the header.
    fn opcodes(self) -> &'a [u8] {
        &self.bytes[HEADER_BYTES..]
    }
}

/// How to add an element to a sparse sketch.
#[derive(Debug)]
pub enum SparseUpdate {
    /// Not at all: it raises no register.
    Nothing,
    /// Where the value is, which keeps its length or grows.
    InPlace(InPlace),
    /// In a copy ([`Sketch::add`]): the value shrinks or becomes dense.
    Copy,
}

/// An update of a sparse value that needs no copy of it.
#[derive(Debug)]
pub struct InPlace {
    splice: Splice,
    opcodes_len: usize,
}

impl InPlace {
    /// How long the value will be, in bytes. Not shorter than it is.
    #[must_use]
    pub const fn value_len(&self) -> usize {
        HEADER_BYTES + self.splice.new_len(self.opcodes_len)
    }

    /// Updates the value that was planned for, after which comes whatever room it needs to grow.
    /// The cached cardinality is stale then.
    ///
    /// # Panics
    /// If there is no such room.
    pub fn apply(&self, value: &mut [u8]) {
        self.splice.apply(&mut value[HEADER_BYTES..], self.opcodes_len);
        header::invalidate(value);
    }
}

/// Adds an element to a dense sketch where it is. Returns whether a register was raised; the cached
/// cardinality is stale then.
///
/// # Panics
/// If the value is not as long as every dense sketch is; its [`View`] told.
#[inline]
pub fn raise_dense(value: &mut [u8], element: Element) -> bool {
    let raised = dense::raise(&mut value[HEADER_BYTES..DENSE_VALUE_BYTES], element);
    if raised {
        header::invalidate(value);
    }
    raised
}

/// Stores in a sketch what [`View::count`] said of it.
///
/// # Panics
/// If the value is shorter than a header.
pub fn set_cached(value: &mut [u8], cardinality: u64) {
    header::set_cached(value, cardinality);
}
