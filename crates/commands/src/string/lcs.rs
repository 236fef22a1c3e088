//! `LCS`: the longest common subsequence of two strings.
//!
//! The table of common lengths `L(i, j)` is computed a row at a time, 64 columns at once. Within a
//! row the length grows from one column to the next by one or not at all, so a row is a bit
//! vector: bit `j` is 0 where it grows. The next row follows from the present one and the columns
//! that hold the row's byte by an addition and a few logical operations on whole words
//! (Crochemore, Iliopoulos, Pinzon and Reid 2001). Walking back through the table needs `L(i-1, j)`
//! and `L(i, j-1)` now and then, which are counts of zeros; so the rows are kept, one bit a cell
//! where a plain table takes 32.
//!
//! The shorter string makes the columns: the masks of the 256 bytes are then small.

use collections::bytes::SharedBytes;
use command::{
    Arg, ArgReader, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec,
    Spec,
};
use config::rows::PROTO_MAX_BULK_LEN;

use super::value;

/// `LCS key1 key2 [LEN] [IDX] [MINMATCHLEN len] [WITHMATCHLEN]`.
pub static LCS: DataCommand = DataCommand::new(
    Spec::new(
        "lcs",
        Group::String,
        "7.0.0",
        -3,
        "O(N*M) where N and M are the lengths of the strings",
        "Finds the longest common subsequence of two strings.",
    )
    .flags(Flags::READONLY)
    .acl(Categories::STRING)
    .keys(&[KeySpec::range(KeyFlags::RO.union(KeyFlags::ACCESS), 1, 1, 1)])
    .args(&[
        Arg::key("key1", 0),
        Arg::key("key2", 0),
        Arg::word("len", "LEN").optional(),
        Arg::word("idx", "IDX").optional(),
        Arg::integer("min-match-len").token("MINMATCHLEN").optional(),
        Arg::word("withmatchlen", "WITHMATCHLEN").optional(),
    ]),
    run,
);

const NOT_STRINGS: &str = "ERR The specified keys must contain string values";
const LEN_AND_IDX: &str = "ERR If you want both the length and indexes, please just use IDX.";
const TOO_LARGE: &str =
    "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len";
/// What other servers take for a cell of the table; strings that they refuse are refused.
const CELL_BYTES: u64 = 4;

#[derive(Debug, Default)]
struct Options {
    len: bool,
    idx: bool,
    with_len: bool,
    min_len: i64,
}

impl Options {
    fn parse(mut reader: ArgReader<'_>) -> Result<Self, CommandError> {
        let mut options = Self::default();
        while reader.more() {
            if reader.token("IDX") {
                options.idx = true;
            } else if reader.token("LEN") {
                options.len = true;
            } else if reader.token("WITHMATCHLEN") {
                options.with_len = true;
            } else if reader.option("MINMATCHLEN") {
                options.min_len = reader.integer();
            } else {
                reader.unknown();
            }
        }
        reader.finish()?;
        if options.len && options.idx {
            return Err(CommandError::request(LEN_AND_IDX));
        }
        Ok(options)
    }
}

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let (a, b) = (reader.bytes(), reader.bytes());
    // What the keys hold is judged before the options are.
    let (a, b) = (held(cx, a)?, held(cx, b)?);
    let options = Options::parse(reader)?;
    cx.db.release();
    let (a, b) = (a.as_slice(), b.as_slice());
    let cells = (a.len() as u64 + 1).saturating_mul(b.len() as u64 + 1);
    if cells.saturating_mul(CELL_BYTES) > cx.config.get(PROTO_MAX_BULK_LEN) {
        return Err(CommandError::state(TOO_LARGE));
    }
    if options.len {
        let (rows, columns) = if a.len() < b.len() { (b, a) } else { (a, b) };
        cx.reply.integer(Row::last(rows, columns) as i64);
        return Ok(());
    }
    let matches = matches(a, b);
    if options.idx {
        reply_indexes(cx, &matches, &options);
    } else {
        let common: Vec<u8> =
            matches.iter().rev().flat_map(|m| &a[m.a..m.a + m.len]).copied().collect();
        cx.reply.bulk(&common);
    }
    Ok(())
}

/// The string of a key, kept beyond the look-up of the other.
fn held(cx: &mut Cx<'_>, key: &[u8]) -> Result<SharedBytes, CommandError> {
    match cx.db.read(key).map(value::string) {
        None => Ok(SharedBytes::from(&b""[..])),
        Some(Ok(string)) => Ok(value::hold(string)),
        Some(Err(_)) => Err(CommandError::state(NOT_STRINGS)),
    }
}

fn reply_indexes(cx: &mut Cx<'_>, matches: &[Match], options: &Options) {
    let long_enough = |m: &&Match| m.len as i64 >= options.min_len;
    cx.reply.map(2);
    cx.reply.bulk(b"matches");
    cx.reply.array(matches.iter().filter(long_enough).count());
    for found in matches.iter().filter(long_enough) {
        cx.reply.array(2 + usize::from(options.with_len));
        for start in [found.a, found.b] {
            cx.reply.array(2);
            cx.reply.integer(start as i64);
            cx.reply.integer((start + found.len - 1) as i64);
        }
        if options.with_len {
            cx.reply.integer(found.len as i64);
        }
    }
    cx.reply.bulk(b"len");
    cx.reply.integer(matches.iter().map(|m| m.len as i64).sum());
}

/// A run of bytes that both strings have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Match {
    /// Where it starts in the first string.
    a: usize,
    /// Where it starts in the second string.
    b: usize,
    len: usize,
}

/// The runs of the longest common subsequence, the last one first.
fn matches(a: &[u8], b: &[u8]) -> Vec<Match> {
    let swapped = a.len() < b.len();
    let (rows, columns) = if swapped { (b, a) } else { (a, b) };
    let table = Table::new(rows, columns);
    let mut found: Vec<Match> = Vec::new();
    let (mut i, mut j, mut contiguous) = (a.len(), b.len(), false);
    while i > 0 && j > 0 {
        if a[i - 1] == b[j - 1] {
            (i, j) = (i - 1, j - 1);
            match found.last_mut() {
                Some(run) if contiguous => *run = Match { a: i, b: j, len: run.len + 1 },
                _ => found.push(Match { a: i, b: j, len: 1 }),
            }
            contiguous = true;
            continue;
        }
        contiguous = false;
        let at = |i, j| if swapped { table.common(j, i) } else { table.common(i, j) };
        if at(i - 1, j) > at(i, j - 1) {
            i -= 1;
        } else {
            j -= 1;
        }
    }
    found
}

/// One row of the table, and what the next follows from.
struct Row {
    /// For each byte, `words` words with the columns that hold it.
    masks: Vec<u64>,
    /// A 0 bit where the common length grows; the bits beyond the last column are 1.
    bits: Vec<u64>,
}

impl Row {
    /// The row above the first.
    fn first(columns: &[u8]) -> Self {
        let words = columns.len().div_ceil(64);
        let mut masks = vec![0u64; 256 * words];
        for (column, &byte) in columns.iter().enumerate() {
            masks[usize::from(byte) * words + column / 64] |= 1 << (column % 64);
        }
        Self { masks, bits: vec![u64::MAX; words] }
    }

    /// Goes on to the row of `byte`.
    fn advance(&mut self, byte: u8) {
        let words = self.bits.len();
        let mask = &self.masks[usize::from(byte) * words..][..words];
        let mut carry = false;
        for (bits, mask) in self.bits.iter_mut().zip(mask) {
            let (sum, over) = bits.overflowing_add(*bits & mask);
            let (sum, over_again) = sum.overflowing_add(u64::from(carry));
            carry = over || over_again;
            *bits = sum | (*bits & !mask);
        }
    }

    /// The length of the longest common subsequence.
    fn last(rows: &[u8], columns: &[u8]) -> usize {
        let mut row = Row::first(columns);
        rows.iter().for_each(|&byte| row.advance(byte));
        row.bits.iter().map(|bits| bits.count_zeros() as usize).sum()
    }
}

/// All rows but the one above the first, each in as many bytes as its columns need.
struct Table {
    row_bytes: usize,
    bits: Vec<u8>,
}

impl Table {
    fn new(rows: &[u8], columns: &[u8]) -> Self {
        let row_bytes = columns.len().div_ceil(8);
        let mut bits = Vec::with_capacity(row_bytes * rows.len());
        let mut row = Row::first(columns);
        for &byte in rows {
            row.advance(byte);
            let end = bits.len() + row_bytes;
            bits.extend(row.bits.iter().flat_map(|word| word.to_le_bytes()));
            bits.truncate(end);
        }
        Self { row_bytes, bits }
    }

    /// Length of the longest common subsequence of the first `i` bytes of the rows and the first
    /// `j` of the columns.
    fn common(&self, i: usize, j: usize) -> usize {
        if i == 0 {
            return 0;
        }
        let row = &self.bits[(i - 1) * self.row_bytes..][..self.row_bytes];
        let whole: usize = row[..j / 8].iter().map(|bits| bits.count_zeros() as usize).sum();
        let rest = match j % 8 {
            0 => 0,
            bits => (row[j / 8] | u8::MAX << bits).count_zeros() as usize,
        };
        whole + rest
    }
}

#[cfg(test)]
#[path = "lcs_tests.rs"]
mod tests;
