//! `PFDEBUG`: the inside of a sketch, for those who maintain the server and for tests.

use collections::hyperloglog::{Registers, Sketch};
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use store::Edit;

use super::{corrupted, stored, view};

/// `PFDEBUG subcommand key`.
pub(super) static PFDEBUG: DataCommand = DataCommand::new(
    Spec::new(
        "pfdebug",
        Group::HyperLogLog,
        "2.8.9",
        3,
        "N/A",
        "Shows or changes how a HyperLogLog is stored.",
    )
    .flags(Flags::WRITE.union(Flags::DENYOOM).union(Flags::ADMIN))
    .acl(Categories::HYPERLOGLOG)
    .keys(&[KeySpec::range(KeyFlags::RW.union(KeyFlags::ACCESS), 2, 0, 1)])
    .args(&[Arg::string("subcommand"), Arg::key("key", 0)])
    .system(),
    run,
);

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let (word, key) = (cx.arg(1)?, cx.arg(2)?);
    if word.eq_ignore_ascii_case(b"SIMD") {
        return simd(cx, key);
    }
    let reply = &mut *cx.reply;
    let mut edit = cx.db.edit(key);
    let Some(entry) = edit.entry() else {
        return Err(CommandError::state("ERR The specified key does not exist"));
    };
    let view = view(entry)?;
    if word.eq_ignore_ascii_case(b"GETREG") {
        let mut registers = Registers::default();
        registers.merge(view).map_err(corrupted)?;
        make_dense(&mut edit)?;
        reply.array(registers.values().len());
        for value in registers.values() {
            reply.integer(i64::from(*value));
        }
    } else if word.eq_ignore_ascii_case(b"DECODE") {
        let runs =
            view.describe().ok_or_else(|| CommandError::state("ERR HLL encoding is not sparse"))?;
        reply.bulk(runs.as_bytes());
    } else if word.eq_ignore_ascii_case(b"ENCODING") {
        reply.simple(view.encoding().name());
    } else if word.eq_ignore_ascii_case(b"TODENSE") {
        let converted = make_dense(&mut edit)?;
        reply.integer(i64::from(converted));
    } else {
        return Err(CommandError::quoting("ERR Unknown PFDEBUG subcommand '", word, "'"));
    }
    edit.make_raw();
    Ok(())
}

/// Gives the key's sketch the dense form. Returns whether it had the other one.
fn make_dense(edit: &mut Edit<'_>) -> Result<bool, CommandError> {
    let Some(entry) = edit.entry() else { return Ok(false) };
    let mut sketch = Sketch::copy_of(view(entry)?);
    let converted = sketch.make_dense().map_err(corrupted)?;
    if converted {
        edit.convert(stored(sketch));
    }
    Ok(converted)
}

/// `PFDEBUG SIMD ON|OFF` takes no key: it chooses among ways to count that say the same. There is
/// one here, which the compiler makes wide.
fn simd(cx: &mut Cx<'_>, switch: &[u8]) -> Result<(), CommandError> {
    match switch.to_ascii_uppercase().as_slice() {
        b"ON" => cx.reply.simple("enabled"),
        b"OFF" => cx.reply.simple("disabled"),
        _ => return Err(CommandError::request("ERR Argument must be ON or OFF")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn shows_and_converts() {
        let mut bench = Bench::new();
        bench.run("PFADD k hello");
        bench.run("PEXPIREAT k 4000000000000");
        bench.clear();
        assert_eq!(bench.run("PFDEBUG DECODE k"), "$19\r\nZ:9216 v:1,1 Z:7167\r\n");
        assert_eq!(bench.run("PFDEBUG encoding k"), "+sparse\r\n");
        assert_eq!(bench.dirty(), 0);
        assert_eq!(bench.run("PFDEBUG TODENSE k"), ":1\r\n");
        assert_eq!(bench.run("PFDEBUG TODENSE k"), ":0\r\n");
        assert_eq!(bench.log(), ["PFDEBUG TODENSE k"]);
        assert!(bench.events().is_empty());
        assert_eq!(bench.run("PFDEBUG ENCODING k"), "+dense\r\n");
        assert_eq!(bench.run("PFDEBUG DECODE k"), "-ERR HLL encoding is not sparse\r\n");
        assert_eq!(bench.deadline("k"), Some(4_000_000_000_000));
        assert_eq!(bench.run("PFCOUNT k"), ":1\r\n");
    }

    #[test]
    fn registers_are_shown_from_the_dense_form() {
        let mut bench = Bench::new();
        bench.run("PFADD k a");
        bench.clear();
        let reply = bench.run("PFDEBUG GETREG k");
        let lines: Vec<&str> = reply.split("\r\n").collect();
        assert_eq!((lines[0], lines.len()), ("*16384", 16_386));
        let raised: Vec<_> = (0..16_384).filter(|i| lines[i + 1] != ":0").collect();
        assert_eq!((raised, lines[12_712]), (vec![12_711], ":2"));
        assert_eq!(bench.log(), ["PFDEBUG GETREG k"]);
        bench.run("PFDEBUG GETREG k");
        assert_eq!(bench.dirty(), 1);
    }

    #[test]
    fn refusals() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("PFDEBUG GETREG k"), "-ERR The specified key does not exist\r\n");
        bench.run("SET k 1");
        let refused = "-WRONGTYPE Key is not a valid HyperLogLog string value.\r\n";
        assert_eq!(bench.run("PFDEBUG ENCODING k"), refused);
        bench.run("DEL k");
        bench.run("PFADD k a");
        assert_eq!(bench.run("PFDEBUG foo k"), "-ERR Unknown PFDEBUG subcommand 'foo'\r\n");
        bench.run("APPEND k x");
        let broken = "-INVALIDOBJ Corrupted HLL object detected\r\n";
        assert_eq!(bench.run("PFDEBUG GETREG k"), broken);
        assert_eq!(bench.run("PFDEBUG TODENSE k"), broken);
    }
}
