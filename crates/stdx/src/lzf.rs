//! LZF, the compression of strings in dump files and of the inner nodes of a list.
//!
//! The format (Marc Lehmann's liblzf) is as simple as a dictionary coder can be, and about as fast
//! as copying. A stream is a sequence of instructions, told apart by their first byte:
//!
//! ```text
//!   0 0 0 r r r r r   bytes...            copy the r + 1 bytes that follow
//!   l l l h h h h h   low                 l = 1..6: repeat l + 2 bytes of the output
//!   1 1 1 h h h h h   more   low          repeat 7 + more + 2 bytes of the output
//!                                         ... from h * 256 + low + 1 bytes back
//! ```
//!
//! So a literal run has 1 to 32 bytes, a repetition 3 to 264 bytes from at most 8192 back. A
//! repetition may overlap its own output: distance 1 repeats one byte. There is no header and no
//! end mark: both lengths are kept by whoever stores the stream.
//!
//! [`compress`] gives up when the result would not be worth it. [`decompress`] trusts nothing: it
//! reads untrusted files, so every instruction is checked and memory is bounded by the input.

/// The longest literal run of one instruction.
const LITERALS_MAX: usize = 32;
/// The shortest repetition: a shorter one would be no shorter than its instruction.
const REPEAT_MIN: usize = 3;
/// The longest repetition of one instruction.
const REPEAT_MAX: usize = 2 + 7 + 255;
/// How far back a repetition may reach.
const DISTANCE_MAX: usize = 1 << 13;
/// Binary logarithm of the number of remembered places. 8 KiB of them fit the first-level cache
/// beside the input, and a node of a list has hardly more places to remember.
const TABLE_BITS: u32 = 12;
/// What a stream can grow by: three bytes of input give at most [`REPEAT_MAX`] of output.
const EXPANSION_MAX: usize = REPEAT_MAX / 3;

/// Why a stream was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LzfError {
    /// The stream ends inside an instruction.
    Truncated,
    /// A repetition reaches back beyond the beginning of the output.
    Distance,
    /// The output is not as long as announced.
    Length,
}

/// Compresses `input` into at most `output_max` bytes; `None` when it does not get that small.
///
/// Inputs of 4 GiB and more are never compressed.
#[must_use]
pub fn compress(input: &[u8], output_max: usize) -> Option<Vec<u8>> {
    u32::try_from(input.len()).ok()?;
    // Places are remembered as 1 + offset; 0 is an unused slot.
    let mut table = [0u32; 1 << TABLE_BITS];
    let mut output = Vec::with_capacity(output_max.min(input.len()));
    let (mut at, mut literals_from) = (0, 0);
    while at + REPEAT_MIN <= input.len() {
        let slot = &mut table[slot_of(&input[at..])];
        let candidate = std::mem::replace(slot, at as u32 + 1) as usize;
        let found = candidate.checked_sub(1).filter(|&from| at - from <= DISTANCE_MAX);
        let len = found.map_or(0, |from| common_prefix(&input[from..], &input[at..]));
        let Some(from) = found.filter(|_| len >= REPEAT_MIN) else {
            at += 1;
            continue;
        };
        push_literals(&mut output, &input[literals_from..at]);
        push_repeat(&mut output, at - from, len);
        if output.len() > output_max {
            return None;
        }
        // The places inside the repetition are remembered too: the next one may begin there.
        for inside in at + 1..at + len {
            if inside + REPEAT_MIN <= input.len() {
                table[slot_of(&input[inside..])] = inside as u32 + 1;
            }
        }
        at += len;
        literals_from = at;
    }
    push_literals(&mut output, &input[literals_from..]);
    (output.len() <= output_max).then_some(output)
}

/// Restores the `output_len` bytes that `input` was made from.
///
/// # Errors
/// When `input` is not a whole stream of exactly that many bytes.
pub fn decompress(input: &[u8], output_len: usize) -> Result<Vec<u8>, LzfError> {
    // Before memory is reserved: a few bytes must not announce gigabytes.
    if output_len > input.len().saturating_mul(EXPANSION_MAX) {
        return Err(LzfError::Length);
    }
    let mut output = Vec::with_capacity(output_len);
    let mut rest = input;
    while let Some((&control, after)) = rest.split_first() {
        let high = usize::from(control & 0x1f);
        rest = match control >> 5 {
            0 => {
                let (literals, after) =
                    after.split_at_checked(high + 1).ok_or(LzfError::Truncated)?;
                output.extend_from_slice(literals);
                after
            }
            short => {
                let (more, after) = match short {
                    7 => after.split_first().ok_or(LzfError::Truncated)?,
                    _ => (&0, after),
                };
                let (&low, after) = after.split_first().ok_or(LzfError::Truncated)?;
                let len = usize::from(short) + usize::from(*more) + 2;
                repeat(&mut output, high << 8 | usize::from(low), len)?;
                after
            }
        };
        if output.len() > output_len {
            return Err(LzfError::Length);
        }
    }
    if output.len() == output_len { Ok(output) } else { Err(LzfError::Length) }
}

/// Appends `len` bytes of the output that begin `1 + back` bytes before its end.
fn repeat(output: &mut Vec<u8>, back: usize, len: usize) -> Result<(), LzfError> {
    let from = output.len().checked_sub(back + 1).ok_or(LzfError::Distance)?;
    if back + 1 >= len {
        output.extend_from_within(from..from + len);
    } else {
        // Overlapping: each byte may be one that was just appended.
        for at in from..from + len {
            output.push(output[at]);
        }
    }
    Ok(())
}

/// Where the table remembers a place, by its first three bytes.
fn slot_of(bytes: &[u8]) -> usize {
    let word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]);
    (word.wrapping_mul(0x9e37_79b1) >> (32 - TABLE_BITS)) as usize
}

/// How many bytes two places have in common, up to the longest repetition.
fn common_prefix(earlier: &[u8], later: &[u8]) -> usize {
    let pairs = earlier.iter().zip(later).take(REPEAT_MAX);
    pairs.take_while(|(earlier, later)| earlier == later).count()
}

fn push_literals(output: &mut Vec<u8>, literals: &[u8]) {
    for run in literals.chunks(LITERALS_MAX) {
        output.push(run.len() as u8 - 1);
        output.extend_from_slice(run);
    }
}

fn push_repeat(output: &mut Vec<u8>, distance: usize, len: usize) {
    debug_assert!((1..=DISTANCE_MAX).contains(&distance));
    debug_assert!((REPEAT_MIN..=REPEAT_MAX).contains(&len));
    let (back, len) = (distance - 1, len - 2);
    let high = (back >> 8) as u8;
    if len < 7 {
        output.push((len as u8) << 5 | high);
    } else {
        output.extend_from_slice(&[7 << 5 | high, (len - 7) as u8]);
    }
    output.push(back as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    /// Bytes with repetitions at all distances: pieces of what is there, and fresh ones.
    fn sample(rng: &mut Rng, len: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(len);
        while bytes.len() < len {
            let piece = 1 + rng.index(300);
            if bytes.is_empty() || rng.chance(1, 3) {
                bytes.extend((0..piece).map(|_| rng.below(250) as u8));
            } else {
                let from = rng.index(bytes.len());
                let piece = piece.min(bytes.len() - from);
                bytes.extend_from_within(from..from + piece);
            }
        }
        bytes.truncate(len);
        bytes
    }

    #[test]
    fn reads_every_kind_of_instruction() {
        // Literals, a short repetition, a long overlapping one.
        let stream = b"\x02abc\x20\x02\xe0\xff\x00";
        let mut expected = b"abcabc".to_vec();
        expected.extend([b'c'; 264]);
        assert_eq!(decompress(stream, 6 + 264), Ok(expected));
        assert_eq!(decompress(b"", 0), Ok(Vec::new()));
    }

    #[test]
    fn reads_what_the_reference_library_wrote() {
        // As a dump file of a server has it: 100 times "a".
        let stream = b"\x01aa\xe0\x57\x00\x01aa";
        assert_eq!(decompress(stream, 100), Ok(vec![b'a'; 2 + 96 + 2]));
    }

    #[test]
    fn what_is_compressed_comes_back() {
        let seed = std::env::var("FERRITE_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(7);
        println!("seed {seed}; replay: FERRITE_SEED={seed} cargo test -p stdx lzf");
        let mut rng = Rng::seed(seed);
        for round in 0..600 {
            let len = rng.index(1 << (round % 16));
            let bytes = sample(&mut rng, len);
            let packed = compress(&bytes, usize::MAX).expect("without a limit it always fits");
            assert!(packed.len() <= len + len.div_ceil(LITERALS_MAX));
            assert_eq!(decompress(&packed, len).as_ref(), Ok(&bytes));
            assert_eq!(compress(&bytes, packed.len()).as_ref(), Some(&packed));
            if let Some(less) = packed.len().checked_sub(1) {
                assert_eq!(compress(&bytes, less), None);
            }
        }
    }

    #[test]
    fn repetitive_text_gets_small_and_noise_is_refused() {
        let text: Vec<u8> =
            (0..1000).flat_map(|n| format!("element:{n:07} ").into_bytes()).collect();
        let packed = compress(&text, text.len()).expect("text compresses");
        assert!(packed.len() < text.len() / 2, "{} of {}", packed.len(), text.len());
        let mut noise = vec![0; 4096];
        Rng::seed(1).fill(&mut noise);
        assert_eq!(compress(&noise, noise.len() - 8), None);
    }

    #[test]
    fn refuses_broken_streams_without_panic_or_large_memory() {
        assert_eq!(decompress(b"\x05abc", 6), Err(LzfError::Truncated));
        assert_eq!(decompress(b"\x00a\x20", 4), Err(LzfError::Truncated));
        assert_eq!(decompress(b"\x00a\xe0\x01", 11), Err(LzfError::Truncated));
        assert_eq!(decompress(b"\x00a\xe0", 11), Err(LzfError::Truncated));
        assert_eq!(decompress(b"\x00a\x20\x01", 4), Err(LzfError::Distance));
        assert_eq!(decompress(b"\x20\x00", 3), Err(LzfError::Distance));
        assert_eq!(decompress(b"\x01ab", 1), Err(LzfError::Length));
        assert_eq!(decompress(b"\x01ab", 3), Err(LzfError::Length));
        assert_eq!(decompress(b"\x01ab", usize::MAX), Err(LzfError::Length));
    }
}
