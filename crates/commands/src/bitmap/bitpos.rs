//! `BITPOS`.

use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};

use super::bits::{SPAN, Span, find_bit};
use crate::string::value;

/// `BITPOS key bit [start [end [BYTE | BIT]]]`.
pub static BITPOS: DataCommand = DataCommand::new(
    Spec::new(
        "bitpos",
        Group::Bitmap,
        "2.8.7",
        -3,
        "O(N)",
        "Returns the position of the first 1 or 0 bit of a string.",
    )
    .flags(Flags::READONLY)
    .acl(Categories::BITMAP)
    .keys(&[KeySpec::first(KeyFlags::RO.union(KeyFlags::ACCESS))])
    .args(&[Arg::key("key", 0), Arg::integer("bit"), Arg::block("range", SPAN).optional()])
    .history(&[("7.0.0", "Added the `BYTE|BIT` option.")]),
    run,
);

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let (key, bit) = (reader.bytes(), reader.integer());
    reader.check()?;
    if !matches!(bit, 0 | 1) {
        return Err(CommandError::request("ERR The bit argument must be 1 or 0."));
    }
    let span = Span::parse_unit_first(reader)?;
    // A key that does not exist is an endless row of zeros.
    let position = value::examine(cx, key, |bytes| first(bytes, bit == 1, span))?
        .unwrap_or((bit == 0).then_some(0));
    cx.reply.integer(position.map_or(-1, |at| at as i64));
    Ok(())
}

fn first(bytes: &[u8], bit: bool, span: Option<Span>) -> Option<u64> {
    let total = bytes.len() as u64 * 8;
    let range = span.map_or(0..total, |span| span.bits(bytes.len()));
    // Zeros follow the string unless the client said where to stop looking.
    let goes_on = !bit && !range.is_empty() && !span.is_some_and(Span::is_closed);
    find_bit(bytes, bit, range).or(goes_on.then_some(total))
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn first_bits() {
        let mut bench = Bench::new();
        bench.run(r#"MSET f "\xff\xff\xff" z "\x00\x00\x00" m "\x00\xff\xf0" e """#);
        for (args, expected) in [
            ("f 0", 24),
            ("f 0 1", 24),
            ("f 0 0 -1", -1),
            ("f 0 10", -1),
            ("f 1 7 9 BIT", 7),
            ("f 1 9 7 BIT", -1),
            ("z 1", -1),
            ("z 0 13 -1 BIT", 13),
            ("m 1", 8),
            ("m 0 1", 20),
            ("m 0 9 19 BIT", -1),
            ("m 1 2 2 BYTE", 16),
            ("e 0", -1),
            ("e 1", -1),
            ("missing 0 5 6", 0),
            ("missing 1", -1),
        ] {
            assert_eq!(bench.run(&format!("BITPOS {args}")), format!(":{expected}\r\n"), "{args}");
        }
    }

    #[test]
    fn refusals() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("BITPOS k 2"), "-ERR The bit argument must be 1 or 0.\r\n");
        for line in ["BITPOS k 1 0 1 FOO", "BITPOS k 1 0 x FOO", "BITPOS k 1 x 1 BIT BIT"] {
            assert_eq!(bench.run(line), "-ERR syntax error\r\n", "{line}");
        }
        for line in ["BITPOS k x", "BITPOS k 1 x", "BITPOS k 1 0 BIT"] {
            assert_eq!(
                bench.run(line),
                "-ERR value is not an integer or out of range\r\n",
                "{line}"
            );
        }
    }
}
