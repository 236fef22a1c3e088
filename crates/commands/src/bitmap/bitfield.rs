//! `BITFIELD` and `BITFIELD_RO`: a list of operations on integers of any width inside a string.

use command::{
    Arg, ArgReader, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec,
    Spec,
};
use config::Config;
use resp::Reply;
use stdx::num::parse_i64;
use store::Event;

use super::bits::{BAD_OFFSET, checked_offset};
use super::field::{FieldType, Overflow};
use crate::string::value;

/// `BITFIELD key [GET type offset | [OVERFLOW WRAP | SAT | FAIL] SET type offset value |
/// INCRBY type offset increment] ...`.
pub static BITFIELD: DataCommand = DataCommand::new(
    Spec::new(
        "bitfield",
        Group::Bitmap,
        "3.2.0",
        -2,
        "O(1) for each subcommand specified",
        "Reads, sets and increments integers of any width inside a string.",
    )
    .flags(Flags::WRITE.union(Flags::DENYOOM))
    .acl(Categories::BITMAP)
    .keys(&[KeySpec::first(
        KeyFlags::RW
            .union(KeyFlags::ACCESS)
            .union(KeyFlags::UPDATE)
            .union(KeyFlags::VARIABLE_FLAGS),
    )
    .notes("This command allows both access and modification of the key")])
    .args(&[
        Arg::key("key", 0),
        Arg::one_of("operation", &[GET, Arg::block("write", WRITE)]).optional().multiple(),
    ]),
    |cx| run(cx, false),
);

/// `BITFIELD_RO key [GET type offset ...]`.
pub static BITFIELD_RO: DataCommand = DataCommand::new(
    Spec::new(
        "bitfield_ro",
        Group::Bitmap,
        "6.0.0",
        -2,
        "O(1) for each subcommand specified",
        "Reads integers of any width inside a string.",
    )
    .flags(Flags::READONLY.union(Flags::FAST))
    .acl(Categories::BITMAP)
    .keys(&[KeySpec::first(KeyFlags::RO.union(KeyFlags::ACCESS))])
    .args(&[Arg::key("key", 0), GET.optional().multiple_token()]),
    |cx| run(cx, true),
);

const GET: Arg =
    Arg::block("get-block", &[Arg::string("encoding"), Arg::integer("offset")]).token("GET");

const WRITE: &[Arg] = &[
    Arg::one_of(
        "overflow-block",
        &[Arg::word("wrap", "WRAP"), Arg::word("sat", "SAT"), Arg::word("fail", "FAIL")],
    )
    .token("OVERFLOW")
    .optional(),
    Arg::one_of(
        "write-operation",
        &[
            Arg::block(
                "set-block",
                &[Arg::string("encoding"), Arg::integer("offset"), Arg::integer("value")],
            )
            .token("SET"),
            Arg::block(
                "incrby-block",
                &[Arg::string("encoding"), Arg::integer("offset"), Arg::integer("increment")],
            )
            .token("INCRBY"),
        ],
    ),
];

const BAD_TYPE: &str = "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not \
                        supported but i64 is.";

#[derive(Clone, Copy, Debug)]
enum Action {
    Get,
    Set(i64),
    IncrBy(i64),
}

#[derive(Clone, Copy, Debug)]
struct Operation {
    action: Action,
    field: FieldType,
    /// In bits.
    offset: u64,
    overflow: Overflow,
}

impl Operation {
    /// The number of bytes that a string needs to hold the field.
    fn end_bytes(&self) -> usize {
        (self.offset + self.field.bits()).div_ceil(8) as usize
    }

    const fn is_write(&self) -> bool {
        !matches!(self.action, Action::Get)
    }

    /// Reads or changes the field. Returns what to reply, and whether the field changed.
    fn apply(&self, bytes: &mut [u8]) -> (Option<i64>, bool) {
        let old = self.field.read(bytes, self.offset);
        let wanted = match self.action {
            Action::Get => return (Some(old), false),
            Action::Set(value) => self.field.wanted(value),
            Action::IncrBy(increment) => i128::from(old) + i128::from(increment),
        };
        let Some(new) = self.field.fit(wanted, self.overflow) else { return (None, false) };
        self.field.write(bytes, self.offset, new);
        let reply = if matches!(self.action, Action::Set(_)) { old } else { new };
        (Some(reply), old != new)
    }
}

/// Parses the operations in order; the first error ends it.
fn parse(config: &Config, mut reader: ArgReader<'_>) -> Result<Vec<Operation>, CommandError> {
    let mut operations = Vec::new();
    let mut overflow = Overflow::default();
    while reader.more() {
        if reader.option("OVERFLOW") {
            overflow = if reader.token("WRAP") {
                Overflow::Wrap
            } else if reader.token("SAT") {
                Overflow::Saturate
            } else if reader.token("FAIL") {
                Overflow::Fail
            } else {
                return Err(CommandError::request("ERR Invalid OVERFLOW type specified"));
            };
            continue;
        }
        let (get, arguments) = (reader.remaining() >= 3, reader.remaining() >= 4);
        let action: fn(i64) -> Action = if get && reader.token("GET") {
            |_| Action::Get
        } else if arguments && reader.token("SET") {
            Action::Set
        } else if arguments && reader.token("INCRBY") {
            Action::IncrBy
        } else {
            return Err(CommandError::SYNTAX);
        };
        let field =
            FieldType::parse(reader.bytes()).ok_or_else(|| CommandError::request(BAD_TYPE))?;
        let offset = parse_offset(config, reader.bytes(), field)?;
        let argument = match action(0) {
            Action::Get => 0,
            Action::Set(_) | Action::IncrBy(_) => reader.integer(),
        };
        reader.check()?;
        operations.push(Operation { action: action(argument), field, offset, overflow });
    }
    Ok(operations)
}

/// A position in bits, or after `#` in fields of this width.
fn parse_offset(config: &Config, word: &[u8], field: FieldType) -> Result<u64, CommandError> {
    let (number, unit) = match word.strip_prefix(b"#") {
        Some(number) => (number, field.bits() as i64),
        None => (word, 1),
    };
    let offset = parse_i64(number).ok_or(BAD_OFFSET)?.checked_mul(unit);
    checked_offset(config, offset)
}

fn run(cx: &mut Cx<'_>, read_only: bool) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let key = reader.bytes();
    let operations = parse(cx.config, reader)?;
    let Some(len) = operations.iter().filter(|o| o.is_write()).map(Operation::end_bytes).max()
    else {
        return read_fields(cx, key, &operations);
    };
    if read_only {
        let only_get = "ERR BITFIELD_RO only supports the GET subcommand";
        return Err(CommandError::request(only_get));
    }
    write_fields(cx, key, &operations, len)
}

fn read_fields(cx: &mut Cx<'_>, key: &[u8], operations: &[Operation]) -> Result<(), CommandError> {
    let mut digits = value::Digits::new();
    let bytes = match cx.db.read(key) {
        Some(entry) => value::bytes(value::string(entry)?, &mut digits),
        None => b"",
    };
    cx.reply.array(operations.len());
    for operation in operations {
        cx.reply.integer(operation.field.read(bytes, operation.offset));
    }
    Ok(())
}

/// Runs operations of which some write, on a string of at least `len` bytes.
fn write_fields(
    cx: &mut Cx<'_>,
    key: &[u8],
    operations: &[Operation],
    len: usize,
) -> Result<(), CommandError> {
    let mut edit = cx.db.edit(key);
    let old_len = match edit.entry() {
        Some(entry) => value::len(value::string(entry)?),
        None => 0,
    };
    let reply = &mut *cx.reply;
    reply.array(operations.len());
    // The string grows even if every operation fails, which then is the change. A string that
    // neither grows nor changes is left alone: a trial on a copy of the fields tells.
    if old_len >= len && !would_change(&edit, operations) {
        let mut digits = value::Digits::new();
        let entry = edit.entry().expect("a string that is long enough exists");
        let bytes = value::bytes(value::string(entry)?, &mut digits);
        for operation in operations {
            reply_field(reply, unchanged_reply(operation, bytes));
        }
        edit.make_raw();
        return Ok(());
    }
    edit.edit_bytes(len, Event::string("setbit"), |bytes| {
        for operation in operations {
            reply_field(reply, operation.apply(bytes).0);
        }
    });
    Ok(())
}

fn reply_field(reply: &mut Reply, value: Option<i64>) {
    match value {
        Some(value) => reply.integer(value),
        None => reply.null(),
    }
}

/// Whether any operation would change a field. As long as none has, all see the string as it is.
fn would_change(edit: &store::Edit<'_>, operations: &[Operation]) -> bool {
    let mut digits = value::Digits::new();
    let Some(Ok(string)) = edit.entry().map(value::string) else { return true };
    let bytes = value::bytes(string, &mut digits);
    operations.iter().any(|operation| {
        let mut window = Scratch::of(bytes, operation);
        operation_in(&mut window, operation).1
    })
}

fn unchanged_reply(operation: &Operation, bytes: &[u8]) -> Option<i64> {
    operation_in(&mut Scratch::of(bytes, operation), operation).0
}

/// Runs an operation on a copy of its surroundings.
fn operation_in(scratch: &mut Scratch, operation: &Operation) -> (Option<i64>, bool) {
    Operation { offset: operation.offset % 8, ..*operation }.apply(&mut scratch.bytes)
}

/// A copy of the sixteen bytes where a field begins.
struct Scratch {
    bytes: [u8; 16],
}

impl Scratch {
    fn of(bytes: &[u8], operation: &Operation) -> Self {
        let mut copy = [0; 16];
        let inside = bytes.get((operation.offset / 8) as usize..).unwrap_or_default();
        let len = inside.len().min(16);
        copy[..len].copy_from_slice(&inside[..len]);
        Self { bytes: copy }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn overflow_policies() {
        let mut bench = Bench::new();
        bench.run("SET k foobar");
        let sat = "OVERFLOW SAT INCRBY u8 0 300 INCRBY i8 8 -300";
        let fail = "OVERFLOW FAIL INCRBY u8 0 1 OVERFLOW WRAP INCRBY u8 0 10";
        assert_eq!(
            bench.run(&format!("BITFIELD k {sat} {fail}")),
            "*4\r\n:255\r\n:-128\r\n$-1\r\n:9\r\n"
        );
        assert_eq!(
            bench.run("BITFIELD k SET i8 0 -1 SET u8 0 300 GET u8 0"),
            "*3\r\n:9\r\n:255\r\n:44\r\n"
        );
        bench.resp3();
        assert_eq!(bench.run("BITFIELD k OVERFLOW FAIL SET u8 0 300"), "*1\r\n_\r\n");
    }

    #[test]
    fn only_what_writes_is_a_change() {
        let mut bench = Bench::new();
        bench.run("SET k a");
        bench.clear();
        for line in [
            "BITFIELD k GET u8 0",
            "BITFIELD k SET u8 0 97",
            "BITFIELD k OVERFLOW FAIL INCRBY u8 0 300",
            "BITFIELD_RO missing GET u8 0",
            "BITFIELD missing GET u8 0",
            "BITFIELD missing",
        ] {
            bench.run(line);
            assert_eq!(bench.dirty(), 0, "{line}");
        }
        bench.run("BITFIELD k SET u8 0 98 OVERFLOW FAIL INCRBY u8 0 300");
        bench.run("BITFIELD new OVERFLOW FAIL INCRBY u8 8 300");
        assert_eq!(bench.events(), ["setbit k", "new new", "setbit new"]);
        assert_eq!(bench.run("STRLEN new"), ":2\r\n");
        assert_eq!(bench.log()[0], "BITFIELD k SET u8 0 98 OVERFLOW FAIL INCRBY u8 0 300");
    }

    #[test]
    fn positions_in_fields_and_beyond_the_end() {
        let mut bench = Bench::new();
        bench.run("SET k foobar");
        assert_eq!(
            bench.run("BITFIELD k GET u8 #1 GET u16 4 GET i64 0 GET u8 4294967295"),
            "*4\r\n:111\r\n:26358\r\n:7381240782615871488\r\n:0\r\n"
        );
        assert_eq!(bench.run("BITFIELD k SET u8 100000 1 GET u8 100000"), "*2\r\n:0\r\n:1\r\n");
        assert_eq!(bench.run("STRLEN k"), ":12501\r\n");
    }

    #[test]
    fn refusals() {
        let mut bench = Bench::new();
        let bad_type = "Invalid bitfield type. Use something like i16 u8. Note that u64 is not \
                        supported but i64 is.";
        let bad_offset = "bit offset is not an integer or out of range";
        for (line, error) in [
            ("GET u64 0", bad_type),
            ("GET u8 -1", bad_offset),
            ("GET u8 #x", bad_offset),
            ("GET u1 4294967296", bad_offset),
            ("GET u8 #1152921504606846976", bad_offset),
            ("SET u8 0 x", "value is not an integer or out of range"),
            ("GET u8", "syntax error"),
            ("SET u8 0", "syntax error"),
            ("OVERFLOW", "syntax error"),
            ("FOO", "syntax error"),
            ("OVERFLOW FOO", "Invalid OVERFLOW type specified"),
        ] {
            assert_eq!(
                bench.run(&format!("BITFIELD k {line}")),
                format!("-ERR {error}\r\n"),
                "{line}"
            );
        }
        assert_eq!(
            bench.run("BITFIELD_RO k SET u8 0 1"),
            "-ERR BITFIELD_RO only supports the GET subcommand\r\n"
        );
        assert_eq!(bench.run("BITFIELD_RO k OVERFLOW WRAP"), "*0\r\n");
    }
}
