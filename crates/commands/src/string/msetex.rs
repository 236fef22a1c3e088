//! `MSETEX`: `MSET` under a condition and with one deadline for all keys.

use command::{
    Arg, ArgReader, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec,
    Spec,
};
use resp::Args;
use store::{Deadline, UnixMs};

use super::expiry::{self, EXPIRE, Expiry, expire_at_once};
use super::set::SET_EVENT;
use super::value;

/// `MSETEX numkeys key value [key value ...] [NX | XX] [EX | PX | EXAT | PXAT | KEEPTTL]`.
pub static MSETEX: DataCommand = DataCommand::new(
    Spec::new(
        "msetex",
        Group::String,
        "8.4.0",
        -4,
        "O(N) where N is the number of keys to set.",
        "Sets several keys to strings that expire together, all of them or none.",
    )
    .flags(Flags::WRITE.union(Flags::DENYOOM).union(Flags::MOVABLE_KEYS))
    .acl(Categories::STRING)
    .keys(&[KeySpec::counted_step(KeyFlags::OW.union(KeyFlags::UPDATE), 1, 2)])
    .args(&[
        Arg::integer("numkeys"),
        Arg::block("data", &[Arg::key("key", 0), Arg::string("value")]).multiple(),
        Arg::one_of("condition", &[Arg::word("nx", "NX"), Arg::word("xx", "XX")]).optional(),
        Arg::one_of("expiration", EXPIRATIONS).optional(),
    ])
    .tips(&["request_policy:multi_shard", "response_policy:all_succeeded"]),
    run,
);

const EXPIRATIONS: &[Arg] = &expiry::documented(Arg::word("keepttl", "KEEPTTL"));
const BAD_COUNT: &str = "ERR invalid numkeys value";
const BAD_PAIRS: &str = "ERR wrong number of key-value pairs";

/// A parsed command line.
struct Request<'a> {
    /// Keys and values in turn, each key with its value.
    pairs: Args<'a>,
    count: usize,
    /// `NX`: false; `XX`: true.
    must_exist: Option<bool>,
    expiry: Expiry<'a>,
}

impl<'a> Request<'a> {
    fn parse(cx: &Cx<'a>) -> Result<Self, CommandError> {
        let mut reader = cx.reader();
        let bad_count = CommandError::request(BAD_COUNT);
        let count = reader.integer_in(1..=i64::from(i32::MAX), bad_count) as usize;
        reader.check()?;
        if count.saturating_mul(2) > reader.remaining() {
            return Err(CommandError::request(BAD_PAIRS));
        }
        let options = ArgReader::new(cx.args, 2 + 2 * count);
        let mut request =
            Self { pairs: cx.args.tail(2), count, must_exist: None, expiry: Expiry::Unsaid };
        request.parse_options(options)?;
        Ok(request)
    }

    fn parse_options(&mut self, mut reader: ArgReader<'a>) -> Result<(), CommandError> {
        while reader.more() {
            if self.expiry.take_time(&mut reader)
                || self.expiry.take_word(&mut reader, "KEEPTTL", Expiry::Keep)
            {
                continue;
            }
            if self.must_exist != Some(true) && reader.token("NX") {
                self.must_exist = Some(false);
            } else if self.must_exist != Some(false) && reader.token("XX") {
                self.must_exist = Some(true);
            } else {
                reader.unknown();
            }
        }
        reader.finish()
    }

    fn pairs(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        self.pairs.pairs().take(self.count)
    }
}

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let request = Request::parse(cx)?;
    let deadline = request.expiry.deadline(cx)?;
    if let Some(must_exist) = request.must_exist {
        let met = request.pairs().all(|(key, _)| cx.db.edit(key).exists() == must_exist);
        if !met {
            cx.reply.integer(0);
            return Ok(());
        }
    }
    match deadline {
        Some(deadline) if cx.db.is_due(deadline) => {
            expire_at_once(cx, request.pairs().map(|(key, _)| key));
        }
        Some(deadline) => set_until(cx, &request, deadline),
        None => {
            let keep = request.expiry == Expiry::Keep;
            let life = if keep { Deadline::Keep } else { Deadline::Clear };
            for (key, value) in request.pairs() {
                cx.db.edit(key).set(value::encode(value), life, SET_EVENT);
            }
        }
    }
    cx.reply.integer(1);
    Ok(())
}

/// Sets the keys, which replicas see with an absolute time.
fn set_until(cx: &mut Cx<'_>, request: &Request<'_>, deadline: UnixMs) {
    for (key, value) in request.pairs() {
        let mut edit = cx.db.edit(key);
        edit.set(value::encode(value), Deadline::At(deadline), SET_EVENT);
        edit.also(EXPIRE);
    }
    let (mut count, mut time) = (value::Digits::new(), value::Digits::new());
    let mut line: Vec<&[u8]> = vec![b"MSETEX", count.format(request.count).as_bytes()];
    line.extend(request.pairs().flat_map(|(key, value)| [key, value]));
    line.extend([&b"PXAT"[..], time.format(deadline).as_bytes()]);
    cx.log(&line);
}

#[cfg(test)]
mod tests {
    use crate::testing::{Bench, NOW};

    #[test]
    fn one_deadline_for_all() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("MSETEX 2 a 1 b 2 EX 5"), ":1\r\n");
        assert_eq!(
            (bench.deadline("a"), bench.deadline("b")),
            (Some(NOW + 5000), Some(NOW + 5000))
        );
        assert_eq!(bench.log(), [format!("MSETEX 2 a 1 b 2 PXAT {}", NOW + 5000)]);
        assert_eq!(bench.events(), ["new a", "set a", "expire a", "new b", "set b", "expire b"]);
        assert_eq!(bench.run("MSETEX 1 a 3 KEEPTTL"), ":1\r\n");
        assert_eq!(bench.deadline("a"), Some(NOW + 5000));
        assert_eq!(bench.run("MSETEX 1 a 3"), ":1\r\n");
        assert_eq!(bench.deadline("a"), None);
    }

    #[test]
    fn conditions_hold_for_all_or_none() {
        let mut bench = Bench::new();
        bench.run("SET a 1");
        bench.clear();
        assert_eq!(bench.run("MSETEX 2 a 2 b 2 NX"), ":0\r\n");
        assert_eq!(bench.run("MSETEX 2 a 2 b 2 XX EX 5"), ":0\r\n");
        assert_eq!(bench.dirty(), 0);
        assert_eq!(bench.run("MSETEX 2 b 2 c 2 NX"), ":1\r\n");
        assert_eq!(bench.run("MSETEX 2 b 3 c 3 EXAT 1 XX"), ":1\r\n");
        assert_eq!(bench.run("MGET b c"), "*2\r\n$-1\r\n$-1\r\n");
        assert_eq!(bench.log(), ["MSETEX 2 b 2 c 2 NX", "DEL b c"]);
    }

    #[test]
    fn refusals() {
        let mut bench = Bench::new();
        for (line, error) in [
            ("key1 val1 ex 10", "invalid numkeys value"),
            ("0 a 1", "invalid numkeys value"),
            ("2147483648 a 1 ex 10", "invalid numkeys value"),
            ("2147483647 a 1 ex 10", "wrong number of key-value pairs"),
            ("2 a 1 b", "wrong number of key-value pairs"),
            ("1 a 1 foo", "syntax error"),
            ("1 a 1 nx xx", "syntax error"),
            ("1 a 1 ex 10 px 5000", "syntax error"),
            ("1 a 1 keepttl ex 10", "syntax error"),
            ("1 a 1 ex 0", "invalid expire time in 'msetex' command"),
        ] {
            assert_eq!(bench.run(&format!("MSETEX {line}")), format!("-ERR {error}\r\n"), "{line}");
        }
    }
}
