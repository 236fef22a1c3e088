//! The sparse form: the registers as runs of equal values, a byte or two for each run.
//!
//! ```text
//!   00nnnnnn             ZERO    n+1 registers are 0          1 to 64
//!   01nnnnnn nnnnnnnn    XZERO   n+1 registers are 0          1 to 16384, high bits first
//!   1vvvvvnn             VAL     n+1 registers are v+1        1 to 4, of values 1 to 32
//! ```
//!
//! A sketch of few elements is a handful of bytes: XZERO, VAL, XZERO. To raise a register is to
//! replace the run that covers it by up to three runs, and to join what became joinable. The
//! choice among the many ways to write the same registers is part of the format as users know it:
//! `GET` returns the same bytes as Redis after the same commands. So an update is first *planned*
//! on the bytes as they are (a pure function from a window around the run to the bytes that take
//! its place) and then spliced in.

use super::hash::Element;
use super::{Corrupted, REGISTERS};

/// The largest value that a VAL run can have. A larger one needs the dense form.
pub(super) const VALUE_MAX: u8 = 32;
/// The most registers in a run of each kind.
const ZERO_MAX: usize = 64;
const VAL_MAX: usize = 4;
/// The two bits that tell ZERO from XZERO; VAL has the first one alone.
const VAL: u8 = 0x80;
const XZERO: u8 = 0x40;

/// A run of registers of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// What the registers hold.
    pub(super) value: u8,
    /// How many there are.
    pub(super) len: usize,
    /// Bytes of its opcode.
    width: usize,
}

impl Run {
    /// The run whose opcode begins at `at`. A second byte that is missing counts as zero.
    #[inline]
    fn read(opcodes: &[u8], at: usize) -> Option<Self> {
        let first = *opcodes.get(at)?;
        Some(if first & VAL != 0 {
            Self { value: (first >> 2 & 0x1f) + 1, len: usize::from(first & 3) + 1, width: 1 }
        } else if first & XZERO != 0 {
            let second = opcodes.get(at + 1).copied().unwrap_or(0);
            let len = usize::from(u16::from_be_bytes([first & 0x3f, second])) + 1;
            Self { value: 0, len, width: 2 }
        } else {
            Self { value: 0, len: usize::from(first & 0x3f) + 1, width: 1 }
        })
    }
}

/// The runs of opcodes, which need not be valid.
#[derive(Clone, Debug)]
pub(super) struct Runs<'a> {
    opcodes: &'a [u8],
    at: usize,
}

/// The runs of `opcodes`.
pub(super) const fn runs(opcodes: &[u8]) -> Runs<'_> {
    Runs { opcodes, at: 0 }
}

impl Iterator for Runs<'_> {
    type Item = Run;

    #[inline]
    fn next(&mut self) -> Option<Run> {
        let run = Run::read(self.opcodes, self.at)?;
        self.at += run.width;
        Some(run)
    }
}

/// Calls `each` with every run and its first register.
///
/// # Errors
/// If the runs are not of 16384 registers together; `each` only sees those that fit.
pub(super) fn for_each(opcodes: &[u8], mut each: impl FnMut(usize, Run)) -> Result<(), Corrupted> {
    let mut first = 0;
    for run in runs(opcodes) {
        if first + run.len > REGISTERS {
            return Err(Corrupted);
        }
        each(first, run);
        first += run.len;
    }
    if first == REGISTERS { Ok(()) } else { Err(Corrupted) }
}

/// The text of `PFDEBUG DECODE`: `z:N` and `Z:N` for runs of zeros, `v:V,N` for values.
pub(super) fn describe(opcodes: &[u8]) -> String {
    let words = runs(opcodes).map(|run| match run {
        Run { value: 0, width: 1, len } => format!("z:{len}"),
        Run { value: 0, len, .. } => format!("Z:{len}"),
        Run { value, len, .. } => format!("v:{value},{len}"),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Appends the opcodes of the empty sketch.
pub(super) fn empty() -> [u8; 2] {
    let [high, low] = (REGISTERS as u16 - 1).to_be_bytes();
    [XZERO | high, low]
}

/// A place to begin a search: an opcode, and the first register that it covers. The beginning by
/// default.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cursor {
    at: usize,
    first: usize,
}

/// What it takes to raise a register.
#[derive(Debug)]
pub(super) enum Plan {
    /// Nothing: it is as high already.
    Nothing,
    /// This replacement.
    Splice(Splice),
    /// Another form: the value is too large for a run.
    Dense,
}

/// Bytes to replace by others. Never more than those of the window.
#[derive(Debug)]
pub(super) struct Splice {
    /// Where, in the opcodes.
    at: usize,
    /// How many bytes go.
    removed: usize,
    /// What comes in their place.
    window: Window,
    /// By how many bytes the opcodes grow before runs are joined, which is what counts against
    /// the limit.
    pub(super) growth: usize,
    /// Where a search for a higher register may begin afterwards.
    pub(super) cursor: Cursor,
}

/// Plans to raise the element's register. The search begins at `from`, which must be a valid
/// cursor at or before the register.
///
/// # Errors
/// If no run covers the register, or one whose opcode is cut off.
#[inline]
pub(super) fn plan(opcodes: &[u8], element: Element, from: Cursor) -> Result<Plan, Corrupted> {
    if element.rank > VALUE_MAX {
        return Ok(Plan::Dense);
    }
    let index = usize::from(element.index);
    let mut found = locate(opcodes, index, from)?;
    if found.previous.is_none() && from.at > 0 {
        // Joining needs the run before. It is not known here, but from the beginning.
        found = locate(opcodes, index, Cursor::default())?;
    }
    let Found { previous, target, run } = found;
    if run.value >= element.rank {
        return Ok(Plan::Nothing);
    }
    let end = target.at + run.width;
    if end > opcodes.len() {
        return Err(Corrupted);
    }
    let start = previous.unwrap_or(target);
    let mut window = Window::default();
    window.extend(&opcodes[start.at..target.at]);
    let before = window.len;
    window.push(run.value, index - target.first);
    window.push(element.rank, 1);
    window.push(run.value, target.first + run.len - 1 - index);
    let growth = (window.len - before).saturating_sub(run.width);
    let after = (opcodes.len() - end).min(Window::AFTER_BYTES);
    window.extend(&opcodes[end..end + after]);
    window.join();
    let removed = end + after - start.at;
    let cursor = previous.unwrap_or_default();
    Ok(Plan::Splice(Splice { at: start.at, removed, window, growth, cursor }))
}

impl Splice {
    /// The length of `len` bytes after the replacement.
    pub(super) const fn new_len(&self, len: usize) -> usize {
        len - self.removed + self.window.len
    }

    /// Replaces. `opcodes` has room for the longer of what was and what will be there; `old_len`
    /// bytes of it are in use before, and [`Splice::new_len`] afterwards.
    pub(super) fn apply(&self, opcodes: &mut [u8], old_len: usize) {
        let (old_end, new_end) = (self.at + self.removed, self.at + self.window.len);
        opcodes.copy_within(old_end..old_len, new_end);
        opcodes[self.at..new_end].copy_from_slice(self.window.bytes());
    }
}

/// The run that covers a register, and the one before it.
struct Found {
    previous: Option<Cursor>,
    target: Cursor,
    run: Run,
}

#[inline]
fn locate(opcodes: &[u8], index: usize, from: Cursor) -> Result<Found, Corrupted> {
    let (mut before, mut target) = (from, from);
    while target.at < opcodes.len() {
        let (len, width) = span(opcodes, target.at);
        if index < target.first + len {
            let previous = (before.at < target.at).then_some(before);
            let run = Run::read(opcodes, target.at).ok_or(Corrupted)?;
            return Ok(Found { previous, target, run });
        }
        before = target;
        target = Cursor { at: target.at + width, first: target.first + len };
    }
    Err(Corrupted)
}

/// How many registers the opcode at `at` has, and its bytes. The kinds of opcodes follow one
/// another without a pattern that a processor could foresee, so there is no branch on them.
#[inline]
fn span(opcodes: &[u8], at: usize) -> (usize, usize) {
    let first = opcodes[at];
    let (high, is_wide) = SPANS[usize::from(first)];
    let second = usize::from(opcodes.get(at + 1).copied().unwrap_or(0));
    let wide = usize::from(is_wide);
    (usize::from(high) + second * wide, 1 + wide)
}

/// Of each first byte, how many registers it alone says the opcode has, and whether a second byte
/// adds to them.
const SPANS: [(u16, bool); 256] = {
    let (mut spans, mut first) = ([(0, false); 256], 0);
    while first < 256 {
        let low = first as u16 & 0x3f;
        spans[first] = match first as u8 {
            VAL.. => ((first as u16 & 3) + 1, false),
            XZERO.. => ((low << 8) + 1, true),
            _ => (low + 1, false),
        };
        first += 1;
    }
    spans
};

/// The opcodes around an update: the run before, the new ones, and some behind.
#[derive(Debug, Default)]
struct Window {
    bytes: [u8; Self::BYTES],
    len: usize,
}

impl Window {
    /// Joining looks at five opcodes, of which the run before and the raised register are two, and
    /// at one more: four behind them, of up to two bytes, are enough.
    const AFTER_BYTES: usize = 8;
    /// A run before, three runs of which one is a value, and those behind.
    const BYTES: usize = 2 + (2 + 1 + 2) + Self::AFTER_BYTES;
    /// Opcodes that an update tries to join. More would save bytes now and then; Redis, whose
    /// bytes are matched, looks at so many.
    const JOIN_STEPS: usize = 5;

    /// The opcodes.
    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn extend(&mut self, opcodes: &[u8]) {
        self.bytes[self.len..self.len + opcodes.len()].copy_from_slice(opcodes);
        self.len += opcodes.len();
    }

    /// Appends a run in its shortest form; nothing if it is empty. A run of a value is a part of
    /// one that had an opcode.
    fn push(&mut self, value: u8, len: usize) {
        let Some(n) = len.checked_sub(1) else { return };
        if value > 0 {
            self.extend(&[VAL | (value - 1) << 2 | n as u8]);
        } else if len <= ZERO_MAX {
            self.extend(&[n as u8]);
        } else {
            let [high, low] = (n as u16).to_be_bytes();
            self.extend(&[XZERO | high, low]);
        }
    }

    /// Joins neighbouring VAL runs of the same value where one opcode can hold both.
    fn join(&mut self) {
        let mut at = 0;
        for _ in 0..Self::JOIN_STEPS {
            let [here, next] = [at, at + 1].map(|at| self.bytes().get(at).copied());
            let Some(here) = here else { break };
            match next.and_then(|next| joined(here, next)) {
                Some(joined) => {
                    self.bytes[at] = joined;
                    self.bytes.copy_within(at + 2..self.len, at + 1);
                    self.len -= 1;
                }
                None => at += 1 + usize::from(here & (VAL | XZERO) == XZERO),
            }
        }
    }
}

/// Two VAL opcodes as one, if both are such and it can hold them.
fn joined(a: u8, b: u8) -> Option<u8> {
    let same_value = a & b & VAL != 0 && (a ^ b) & !3 == 0;
    let len = usize::from(a & 3) + usize::from(b & 3) + 2;
    (same_value && len <= VAL_MAX).then(|| a & !3 | (len - 1) as u8)
}
