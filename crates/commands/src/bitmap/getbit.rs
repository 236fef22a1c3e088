//! Single bits: `GETBIT`, `SETBIT`.

use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use stdx::num::parse_i64;
use store::{EntryRef, Event};

use super::bits::checked_offset;
use crate::string::value;

/// `GETBIT key offset`.
pub static GETBIT: DataCommand = DataCommand::new(
    Spec::new("getbit", Group::Bitmap, "2.2.0", 3, "O(1)", "Returns one bit of a string.")
        .flags(Flags::READONLY.union(Flags::FAST))
        .acl(Categories::BITMAP)
        .keys(&[KeySpec::first(KeyFlags::RO.union(KeyFlags::ACCESS))])
        .args(&[Arg::key("key", 0), Arg::integer("offset")]),
    run_getbit,
);

/// `SETBIT key offset value`.
pub static SETBIT: DataCommand = DataCommand::new(
    Spec::new(
        "setbit",
        Group::Bitmap,
        "2.2.0",
        4,
        "O(1)",
        "Sets or clears one bit of a string. Creates the key if it does not exist.",
    )
    .flags(Flags::WRITE.union(Flags::DENYOOM))
    .acl(Categories::BITMAP)
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::UPDATE))])
    .args(&[Arg::key("key", 0), Arg::integer("offset"), Arg::integer("value")]),
    run_setbit,
);

/// The bit of a string, 0 beyond its end, and the length of the string.
fn bit_of(entry: Option<EntryRef<'_>>, offset: u64) -> Result<(bool, usize), CommandError> {
    let Some(entry) = entry else { return Ok((false, 0)) };
    let mut digits = value::Digits::new();
    let bytes = value::bytes(value::string(entry)?, &mut digits);
    let byte = bytes.get((offset / 8) as usize).copied().unwrap_or(0);
    Ok((byte & mask(offset) != 0, bytes.len()))
}

/// The bit within its byte.
const fn mask(offset: u64) -> u8 {
    0x80 >> (offset % 8)
}

fn run_getbit(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let (key, offset) = (cx.arg(1)?, cx.arg(2)?);
    let offset = checked_offset(cx.config, parse_i64(offset))?;
    let (bit, _) = bit_of(cx.db.read(key), offset)?;
    cx.reply.integer(i64::from(bit));
    Ok(())
}

fn run_setbit(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let (key, offset, bit) = (cx.arg(1)?, cx.arg(2)?, cx.arg(3)?);
    let offset = checked_offset(cx.config, parse_i64(offset))?;
    let bit = match bit {
        b"0" => false,
        b"1" => true,
        _ => return Err(CommandError::request("ERR bit is not an integer or out of range")),
    };
    let at = (offset / 8) as usize;
    let mut edit = cx.db.edit(key);
    let exists = edit.exists();
    let (old, len) = bit_of(edit.entry(), offset)?;
    if !exists || old != bit || at >= len {
        edit.edit_bytes(at + 1, Event::string("setbit"), |bytes| {
            bytes[at] = if bit { bytes[at] | mask(offset) } else { bytes[at] & !mask(offset) };
        });
    } else {
        edit.make_raw();
    }
    cx.reply.integer(i64::from(old));
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn sets_reads_and_clears() {
        let mut bench = Bench::new();
        bench.run("SET k 1");
        bench.clear();
        assert_eq!(bench.run("SETBIT k 6 1"), ":0\r\n");
        assert_eq!(bench.run("SETBIT k 2 0"), ":1\r\n");
        assert_eq!(bench.run("GET k"), "$1\r\n\x13\r\n");
        assert_eq!(bench.run("GETBIT k 7"), ":1\r\n");
        assert_eq!(bench.run("GETBIT k 4294967295"), ":0\r\n");
        assert_eq!(bench.events(), ["setbit k", "setbit k"]);
    }

    #[test]
    fn only_a_change_is_a_change() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("SETBIT k 100 0"), ":0\r\n");
        assert_eq!(bench.run("STRLEN k"), ":13\r\n");
        assert_eq!(bench.dirty(), 1);
        assert_eq!(bench.run("SETBIT k 99 0"), ":0\r\n");
        assert_eq!(bench.dirty(), 1);
        assert_eq!(bench.log(), ["SETBIT k 100 0"]);
    }

    #[test]
    fn even_a_bit_that_stays_makes_the_string_raw() {
        let mut bench = Bench::new();
        for value in ["1", "abc"] {
            bench.run(&format!("SET k {value}"));
            bench.clear();
            assert_eq!(bench.run("SETBIT k 0 0"), ":0\r\n");
            assert_eq!((bench.encoding("k"), bench.dirty()), ("raw", 0));
            assert_eq!(bench.run("GET k"), format!("${}\r\n{value}\r\n", value.len()));
        }
    }

    #[test]
    fn refusals() {
        let mut bench = Bench::new();
        for line in ["SETBIT k -1 0", "SETBIT k 4294967296 0", "GETBIT k x", "GETBIT k 4294967296"]
        {
            assert_eq!(
                bench.run(line),
                "-ERR bit offset is not an integer or out of range\r\n",
                "{line}"
            );
        }
        for bit in ["2", "-1", "x", "01"] {
            assert_eq!(
                bench.run(&format!("SETBIT k 0 {bit}")),
                "-ERR bit is not an integer or out of range\r\n"
            );
        }
    }
}
