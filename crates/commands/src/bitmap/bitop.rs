//! `BITOP`: bitwise operations on whole strings.
//!
//! The result is computed block by block, so that the pieces of all sources and of the result stay
//! in the processor's cache, and each source is read once from memory however many there are.

use collections::bytes::SharedBytes;
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use store::{Deadline, Event, NewValue};

use crate::string::value;

/// `BITOP operation destkey key [key ...]`.
pub static BITOP: DataCommand = DataCommand::new(
    Spec::new(
        "bitop",
        Group::Bitmap,
        "2.6.0",
        -4,
        "O(N)",
        "Combines strings bit by bit and stores the result.",
    )
    .flags(Flags::WRITE.union(Flags::DENYOOM))
    .acl(Categories::BITMAP)
    .keys(&[
        KeySpec::range(KeyFlags::OW.union(KeyFlags::UPDATE), 2, 0, 1),
        KeySpec::range(KeyFlags::RO.union(KeyFlags::ACCESS), 3, -1, 1),
    ])
    .args(&[
        Arg::one_of("operation", OPERATIONS),
        Arg::key("destkey", 0),
        Arg::key("key", 1).multiple(),
    ])
    .history(&[("8.2.0", "Added the `DIFF`, `DIFF1`, `ANDOR`, and `ONE` operations.")]),
    run,
);

const OPERATIONS: &[Arg] = &[
    Arg::word("and", "AND"),
    Arg::word("or", "OR"),
    Arg::word("xor", "XOR"),
    Arg::word("not", "NOT"),
    Arg::word("diff", "DIFF").since("8.2.0"),
    Arg::word("diff1", "DIFF1").since("8.2.0"),
    Arg::word("andor", "ANDOR").since("8.2.0"),
    Arg::word("one", "ONE").since("8.2.0"),
];

/// What to compute of the sources X, Y1, Y2...
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    And,
    Or,
    Xor,
    Not,
    /// X without any Y.
    Diff,
    /// Any Y without X.
    Diff1,
    /// X and any Y.
    AndOr,
    /// Exactly one of all.
    One,
}

impl Operation {
    const NAMES: [(&str, Self); 8] = [
        ("AND", Self::And),
        ("OR", Self::Or),
        ("XOR", Self::Xor),
        ("NOT", Self::Not),
        ("DIFF", Self::Diff),
        ("DIFF1", Self::Diff1),
        ("ANDOR", Self::AndOr),
        ("ONE", Self::One),
    ];

    fn parse(word: &[u8], sources: usize) -> Result<Self, CommandError> {
        let (name, operation) = Self::NAMES
            .into_iter()
            .find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes()))
            .ok_or(CommandError::SYNTAX)?;
        match operation {
            Self::Not if sources != 1 => {
                Err(CommandError::request("ERR BITOP NOT must be called with a single source key."))
            }
            Self::Diff | Self::Diff1 | Self::AndOr if sources < 2 => Err(CommandError::request(
                format!("ERR BITOP {name} must be called with at least two source keys."),
            )),
            _ => Ok(operation),
        }
    }
}

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let (word, target) = (cx.arg(1)?, cx.arg(2)?);
    let keys = cx.args.tail(3);
    let operation = Operation::parse(word, keys.len())?;
    let mut sources = Vec::with_capacity(keys.len());
    for key in keys {
        sources.push(match cx.db.read(key) {
            Some(entry) => value::hold(value::string(entry)?),
            None => SharedBytes::from(&b""[..]),
        });
    }
    let result = combine(operation, &sources);
    let len = result.len();
    let mut edit = cx.db.edit(target);
    if len == 0 {
        edit.remove(Event::generic("del"));
    } else {
        let value = NewValue::Shared { bytes: result, raw: true };
        edit.set(value, Deadline::Clear, Event::string("set"));
    }
    cx.reply.integer(len as i64);
    Ok(())
}

/// Bytes computed at once.
const BLOCK_BYTES: usize = 8 * 1024;

/// The result, as long as the longest source; shorter ones count as followed by zeros.
fn combine(operation: Operation, sources: &[SharedBytes]) -> SharedBytes {
    let len = sources.iter().map(SharedBytes::len).max().unwrap_or(0);
    let mut result = SharedBytes::zeroed(len);
    for (index, block) in result.make_mut().chunks_mut(BLOCK_BYTES).enumerate() {
        let at = index * BLOCK_BYTES;
        let end = at + block.len();
        let piece = |source: &'_ SharedBytes| at.min(source.len())..end.min(source.len());
        let mut pieces = sources.iter().map(|source| &source.as_slice()[piece(source)]);
        combine_block(operation, &mut pieces, block);
    }
    result
}

/// One block, zero at first. A piece may be shorter than the block.
fn combine_block(operation: Operation, pieces: &mut dyn Iterator<Item = &[u8]>, block: &mut [u8]) {
    let first = pieces.next().unwrap_or_default();
    match operation {
        Operation::And => {
            block[..first.len()].copy_from_slice(first);
            pieces.for_each(|piece| and(block, piece));
        }
        Operation::Or => {
            block[..first.len()].copy_from_slice(first);
            pieces.for_each(|piece| or(block, piece));
        }
        Operation::Xor => {
            block[..first.len()].copy_from_slice(first);
            pieces.for_each(|piece| zip(block, piece, |b, p| b ^ p));
        }
        Operation::Not => zip(block, first, |_, p| !p),
        Operation::Diff => {
            pieces.for_each(|piece| or(block, piece));
            zip(block, first, |ys, x| x & !ys);
            block[first.len()..].fill(0);
        }
        Operation::Diff1 => {
            pieces.for_each(|piece| or(block, piece));
            zip(block, first, |ys, x| ys & !x);
        }
        Operation::AndOr => {
            pieces.for_each(|piece| or(block, piece));
            and(block, first);
        }
        Operation::One => {
            // Bits seen so far, and bits seen more than once.
            let mut repeated = [0u8; BLOCK_BYTES];
            let repeated = &mut repeated[..block.len()];
            block[..first.len()].copy_from_slice(first);
            for piece in pieces {
                for ((again, seen), p) in repeated.iter_mut().zip(&mut *block).zip(piece) {
                    *again |= *seen & p;
                    *seen |= p;
                }
            }
            zip(block, repeated, |seen, again| seen & !again);
        }
    }
}

fn or(block: &mut [u8], piece: &[u8]) {
    zip(block, piece, |b, p| b | p);
}

fn and(block: &mut [u8], piece: &[u8]) {
    zip(block, piece, |b, p| b & p);
    block[piece.len()..].fill(0);
}

fn zip(block: &mut [u8], piece: &[u8], combine: impl Fn(u8, u8) -> u8) {
    block.iter_mut().zip(piece).for_each(|(byte, other)| *byte = combine(*byte, *other));
}

#[cfg(test)]
mod tests {
    use stdx::rng::Rng;

    use super::*;
    use crate::testing::Bench;

    #[test]
    fn stores_the_result_as_a_new_value() {
        let mut bench = Bench::new();
        bench.run(r#"MSET a "\xf0\xff" b "\x0f\x0f\x01""#);
        bench.run("SET d x PXAT 4000000000000");
        bench.clear();
        assert_eq!(bench.run("BITOP or d a b"), ":3\r\n");
        assert_eq!(bench.run("GET d"), "$3\r\n\u{ff}\u{ff}\x01\r\n");
        assert_eq!((bench.deadline("d"), bench.encoding("d")), (None, "raw"));
        assert_eq!(bench.run("BITOP AND d missing nothing"), ":0\r\n");
        assert_eq!(bench.run("BITOP AND d missing nothing"), ":0\r\n");
        assert_eq!(bench.events(), ["set d", "del d"]);
        assert_eq!(bench.log(), ["BITOP or d a b", "BITOP AND d missing nothing"]);
    }

    #[test]
    fn refusals() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("BITOP FOO d a"), "-ERR syntax error\r\n");
        assert_eq!(
            bench.run("BITOP NOT d a b"),
            "-ERR BITOP NOT must be called with a single source key.\r\n"
        );
        assert_eq!(
            bench.run("BITOP diff1 d a"),
            "-ERR BITOP DIFF1 must be called with at least two source keys.\r\n"
        );
    }

    /// The definition, for one byte of each source.
    fn by_definition(operation: Operation, bytes: &[u8]) -> u8 {
        let (x, ys) = (bytes[0], bytes[1..].iter().fold(0, |a, b| a | b));
        match operation {
            Operation::And => bytes.iter().fold(u8::MAX, |a, b| a & b),
            Operation::Or => x | ys,
            Operation::Xor => bytes.iter().fold(0, |a, b| a ^ b),
            Operation::Not => !x,
            Operation::Diff => x & !ys,
            Operation::Diff1 => ys & !x,
            Operation::AndOr => x & ys,
            Operation::One => (0..8)
                .filter(|bit| bytes.iter().filter(|b| *b >> bit & 1 == 1).count() == 1)
                .fold(0, |out, bit| out | 1 << bit),
        }
    }

    #[test]
    fn agrees_with_the_definitions() {
        let seed = 5;
        let mut rng = Rng::seed(seed);
        for round in 0..400 {
            let (_, operation) = Operation::NAMES[rng.index(8)];
            let count = if operation == Operation::Not { 1 } else { 2 + rng.index(4) };
            let sources: Vec<SharedBytes> = (0..count)
                .map(|_| {
                    let mut bytes = vec![0; rng.index(3 * BLOCK_BYTES)];
                    rng.fill(&mut bytes);
                    SharedBytes::from(&bytes[..])
                })
                .collect();
            let len = sources.iter().map(SharedBytes::len).max().unwrap();
            let expected: Vec<u8> = (0..len)
                .map(|at| {
                    let byte = |s: &SharedBytes| s.as_slice().get(at).copied().unwrap_or(0);
                    by_definition(operation, &sources.iter().map(byte).collect::<Vec<_>>())
                })
                .collect();
            let result = combine(operation, &sources);
            assert!(result.as_slice() == expected, "seed {seed} round {round} {operation:?}");
        }
    }
}
