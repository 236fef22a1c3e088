//! Argument shapes: what a row of the command table says its arguments look like, and how a shape
//! becomes bytes. Values are drawn from small pools of ordinary and adversarial texts, so that
//! commands meet each other's keys and every boundary comes up often.

use crate::rng::Rng;

/// A request: the command's name and its arguments.
pub type Command = Vec<Vec<u8>>;

/// The shape of one or several arguments.
#[derive(Clone, Copy, Debug)]
pub enum Arg {
    /// A key of the small pool.
    Key,
    /// A string value: ordinary, numeric, empty, binary or long, rarely up to a megabyte.
    Value,
    /// An integer, often at a boundary.
    Int,
    /// A floating-point number, often at a boundary.
    Float,
    /// A byte index into a value, negative ones included.
    Index,
    /// A byte offset to write at: small enough to keep values small, or out of range.
    Offset,
    /// The same for bits, whose range ends at 2^32.
    BitOffset,
    /// 0 or 1, or something else.
    Bit,
    /// A relative expiry in seconds: far away, past or absurd, never soon.
    Seconds,
    /// The same in milliseconds.
    Millis,
    /// An absolute expiry in seconds.
    UnixSeconds,
    /// An absolute expiry in milliseconds.
    UnixMillis,
    /// A database number, mostly one of few.
    Db,
    /// A glob pattern.
    Glob,
    /// A BITFIELD type.
    FieldType,
    /// A BITFIELD offset.
    FieldOffset,
    /// A payload of `DUMP`: of Redis 7.0, or damaged.
    Payload,
    /// A value digest of 16 hexadecimal digits.
    Digest,
    /// This word, in random case.
    Word(&'static str),
    /// This text as it is.
    Text(&'static str),
    /// One of these sequences.
    OneOf(&'static [&'static [Arg]]),
    /// Each of these sequences or not, in random order.
    Options(&'static [&'static [Arg]]),
    /// This sequence from the first to the second number of times.
    Repeat(usize, usize, &'static [Arg]),
}

const KEYS: [&[u8]; 12] = [
    b"a",
    b"b",
    b"c",
    b"d",
    b"e",
    b"f",
    b"g",
    b"key:with:a:longer:name",
    b"",
    b"\x00\xff\r\n",
    b"{t}1",
    b"{t}2",
];

const INTS: [&str; 18] = [
    "0",
    "1",
    "-1",
    "2",
    "7",
    "10",
    "-100",
    "255",
    "65536",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "99999999999999999999",
    "1.5",
    "abc",
    "",
    " 1",
];

const FLOATS: [&str; 16] = [
    "0",
    "1",
    "-1.5",
    "0.1",
    "3.0e3",
    "1e-10",
    "1e17",
    "123456789.987654321",
    "-0",
    "inf",
    "-inf",
    "nan",
    "1e400",
    "abc",
    "",
    "0x10",
];

const INDEXES: [&str; 14] = [
    "0",
    "1",
    "2",
    "5",
    "-1",
    "-2",
    "-5",
    "100",
    "-100",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "x",
    "",
];

const OFFSETS: [&str; 14] = [
    "0",
    "1",
    "3",
    "7",
    "8",
    "15",
    "100",
    "1000",
    "-1",
    "4294967296",
    "536870912",
    "9223372036854775807",
    "x",
    "",
];

const BIT_OFFSETS: [&str; 12] =
    ["0", "1", "3", "7", "8", "15", "1000", "-1", "4294967296", "9223372036854775807", "x", ""];

const EXPIRIES: [&str; 9] = [
    "0",
    "-1",
    "-1000",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "abc",
    "1.5",
    "",
];

const GLOBS: [&str; 12] =
    ["*", "a", "[a-c]", "[^a]", "?", "key*", "*:*", "\\*", "[", "{t}*", "", "*[0-9]*"];

const FIELD_TYPES: [&str; 12] =
    ["u1", "u8", "i8", "u16", "i5", "u63", "i64", "u64", "i65", "u0", "x8", ""];

const FIELD_OFFSETS: [&str; 10] =
    ["0", "1", "7", "8", "#0", "#1", "#3", "100", "-1", "#99999999999"];

/// What `DUMP` of Redis 7.0 returned for a value of each kind.
const PAYLOADS: [&[u8]; 8] = [
    b"\x00\xc1\xd4\xfe\x0a\x00\xc6\xc4\x86#\xfe\xbe\xde.",
    b"\x00\x0bhello world\x0a\x00\x0b\xfcI\xb9\xa6\xc7\xa04",
    b"\x12\x01\x02\x16\x16\x00\x00\x00\x04\x00\x81a\x02\x01\x01\xde\xd4\x02\x85hello\
      \x06\xff\x0a\x00F\x8a\xdd\xe3d\xcc@\xe7",
    b"\x0b\x14\x04\x00\x00\x00\x03\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00p\x11\
      \x01\x00\x0a\x00\x85\xd5\xc1\x06[\x1d\xd0U",
    b"\x02\x03\xc0\x05\x01a\x01b\x0a\x00l\xf6\xd0\xb4\x9f{\xb0\x92",
    b"\x11##\x00\x00\x00\x06\x00\x83low\x04\x84-inf\x05\x83one\x04\x01\x01\x83two\x04\
      \x832.5\x04\xff\x0a\x00\x1d\x16\x9cl\x98O\x9e9",
    b"\x10\x12\x12\x00\x00\x00\x04\x00\x81f\x02\x81v\x02\x81n\x02*\x01\xff\x0a\x00\xff\
      0\xe8\x7frb\xd9\x91",
    b"\x13\x01\x10\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00\x07>>\
      \x00\x00\x00\x19\x00\x02\x01\x01\x01\x02\x01\x81f\x02\x81g\x02\x00\x01\x02\x01\
      \x00\x01\x00\x01\x01\x01\x02\x01\x05\x01\x03\x01\x01\x01\xdf\xf9\x02\x03\x01\x04\
      \x01\x05\x01\x00\x01\x01\x01\xdf\xfa\x02\x01\x01\x81h\x02\x09\x01\x06\x01\xff\
      \x02\x06\x01\x05\x07\x06\x00\x03\x01\x02g1\x05\x07\x81\xff\xff\xff\xff\xff\xff\
      \xff\xff\x01\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00\x07\xce\
      OV\xfd\xa1\x01\x00\x00\x01\x01\x02c1\xceOV\xfd\xa1\x01\x00\x00\x01\x00\x00\x00\
      \x00\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00\x07\x0a\x000\x0fv\xf2#\x9f\x91m",
];

impl Arg {
    /// Appends arguments of this shape to `out`.
    pub fn generate(&self, rng: &mut Rng, out: &mut Command) {
        let text = |text: &str| text.as_bytes().to_vec();
        match *self {
            Arg::Key => out.push(rng.pick(&KEYS).to_vec()),
            Arg::Value => out.push(value(rng)),
            Arg::Int => out.push(text(rng.pick(&INTS))),
            Arg::Float => out.push(text(rng.pick(&FLOATS))),
            Arg::Index => out.push(text(rng.pick(&INDEXES))),
            Arg::Offset => out.push(text(rng.pick(&OFFSETS))),
            Arg::BitOffset => out.push(text(rng.pick(&BIT_OFFSETS))),
            Arg::Bit => out.push(text(rng.pick(&["0", "1", "0", "1", "0", "1", "2", "-1", "x"]))),
            Arg::Seconds => out.push(expiry(rng, 1_000, 10_000_000)),
            Arg::Millis => out.push(expiry(rng, 1_000_000, 10_000_000_000)),
            Arg::UnixSeconds => out.push(expiry(rng, 20_000_000_000, 4)),
            Arg::UnixMillis => out.push(expiry(rng, 20_000_000_000_000, 4)),
            Arg::Db => out.push(text(rng.pick(&["0", "0", "1", "2", "3", "16", "-1", "x"]))),
            Arg::Glob => out.push(text(rng.pick(&GLOBS))),
            Arg::FieldType => out.push(text(rng.pick(&FIELD_TYPES))),
            Arg::FieldOffset => out.push(text(rng.pick(&FIELD_OFFSETS))),
            Arg::Payload => out.push(payload(rng)),
            Arg::Digest => out.push(text(rng.pick(&["b6acb9d84a38ff74", "0000000000000000", "x"]))),
            Arg::Word(word) => out.push(in_some_case(rng, word)),
            Arg::Text(exact) => out.push(text(exact)),
            Arg::OneOf(choices) => all(rng.pick(choices), rng, out),
            Arg::Options(options) => {
                let mut chosen: Vec<_> = options.iter().filter(|_| rng.one_in(4)).collect();
                while !chosen.is_empty() {
                    let at = rng.below(chosen.len());
                    all(chosen.swap_remove(at), rng, out);
                }
            }
            Arg::Repeat(least, most, shapes) => {
                for _ in 0..least + rng.below(most - least + 1) {
                    all(shapes, rng, out);
                }
            }
        }
    }
}

/// Appends arguments of every shape of `shapes`, in order.
pub fn all(shapes: &[Arg], rng: &mut Rng, out: &mut Command) {
    for shape in shapes {
        shape.generate(rng, out);
    }
}

/// A payload, now and then with a bit that is wrong, which its checksum shows.
fn payload(rng: &mut Rng) -> Vec<u8> {
    let mut payload = rng.pick(&PAYLOADS).to_vec();
    if rng.one_in(8) {
        let at = rng.below(payload.len());
        payload[at] ^= 1 << rng.below(8);
    }
    payload
}

fn value(rng: &mut Rng) -> Vec<u8> {
    if rng.one_in(4_000) {
        return vec![b'z'; 100_000 + rng.below(900_000)];
    }
    match rng.below(12) {
        0 => Vec::new(),
        1 => b"\x00\xff\r\n$-1".to_vec(),
        2 => vec![b'x'; 44 + rng.below(3)],
        3 => vec![b'y'; 1 + rng.below(2000)],
        4 | 5 => rng.pick(&INTS).as_bytes().to_vec(),
        6 => rng.pick(&FLOATS).as_bytes().to_vec(),
        7 => b"Hello world".to_vec(),
        _ => format!("v{}", rng.below(100)).into_bytes(),
    }
}

/// Mostly `least` plus up to `spread`, else a past or absurd time.
fn expiry(rng: &mut Rng, least: usize, spread: usize) -> Vec<u8> {
    if rng.one_in(4) {
        return rng.pick(&EXPIRIES).as_bytes().to_vec();
    }
    (least + rng.below(spread)).to_string().into_bytes()
}

fn in_some_case(rng: &mut Rng, word: &str) -> Vec<u8> {
    match rng.below(4) {
        0 => word.to_ascii_lowercase().into_bytes(),
        1 => {
            let flip =
                |byte: u8| if byte.is_multiple_of(2) { byte.to_ascii_lowercase() } else { byte };
            word.bytes().map(flip).collect()
        }
        _ => word.as_bytes().to_vec(),
    }
}

/// Spoils a command in one place: an argument dropped, doubled, replaced or added. Nothing that it
/// puts in is a small positive number, which could become an expiry that falls due within the run.
pub fn spoil(rng: &mut Rng, command: &mut Command) {
    const JUNK: [&[u8]; 9] =
        [b"", b"-1", b"abc", b"\x00", b"9223372036854775808", b"0", b"NX", b"GET", b"1e3"];
    let last = command.len() - 1;
    match rng.below(4) {
        0 if last > 0 => drop(command.remove(1 + rng.below(last))),
        1 if last > 0 => {
            let at = 1 + rng.below(last);
            command[at] = rng.pick(&JUNK).to_vec();
        }
        2 if last > 0 => {
            let copy = command[1 + rng.below(last)].clone();
            command.push(copy);
        }
        _ => command.push(rng.pick(&JUNK).to_vec()),
    }
}
