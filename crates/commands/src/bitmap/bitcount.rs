//! `BITCOUNT`.

use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};

use super::bits::{SPAN, Span, count_ones, count_ones_in};
use crate::string::value;

/// `BITCOUNT key [start [end [BYTE | BIT]]]`.
pub static BITCOUNT: DataCommand = DataCommand::new(
    Spec::new("bitcount", Group::Bitmap, "2.6.0", -2, "O(N)", "Counts the 1 bits of a string.")
        .flags(Flags::READONLY)
        .acl(Categories::BITMAP)
        .keys(&[KeySpec::first(KeyFlags::RO.union(KeyFlags::ACCESS))])
        .args(&[Arg::key("key", 0), Arg::block("range", SPAN).optional()])
        .history(&[("7.0.0", "Added the `BYTE|BIT` option.")]),
    run,
);

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let key = reader.bytes();
    let span = Span::parse(reader)?;
    let count = value::examine(cx, key, |bytes| match span {
        None => count_ones(bytes),
        Some(span) if span.is_reversed() => 0,
        Some(span) => count_ones_in(bytes, span.bits(bytes.len())),
    })?;
    cx.reply.integer(count.unwrap_or(0) as i64);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn counts_in_bytes_and_bits() {
        let mut bench = Bench::new();
        bench.run("SET k foobar");
        for (range, expected) in [
            ("", 26),
            ("0 0", 4),
            ("1 1", 6),
            ("0 -1", 26),
            ("-1", 4),
            ("1000", 0),
            ("5 30 BIT", 17),
            ("5 30 byte", 4),
            ("-1 -2", 0),
            ("-100 -200", 0),
            ("-1000 0", 4),
            ("10 -34 BIT", 4),
        ] {
            assert_eq!(
                bench.run(&format!("BITCOUNT k {range}")),
                format!(":{expected}\r\n"),
                "{range}"
            );
        }
        assert_eq!(bench.run("BITCOUNT missing 0 1 BIT"), ":0\r\n");
    }

    #[test]
    fn arguments_are_checked_even_without_a_key() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("BITCOUNT k 0 1 FOO"), "-ERR syntax error\r\n");
        assert_eq!(bench.run("BITCOUNT k 0 1 BIT BIT"), "-ERR syntax error\r\n");
        assert_eq!(
            bench.run("BITCOUNT k 0 x FOO"),
            "-ERR value is not an integer or out of range\r\n"
        );
        assert_eq!(bench.run("BITCOUNT k a b"), "-ERR value is not an integer or out of range\r\n");
    }
}
