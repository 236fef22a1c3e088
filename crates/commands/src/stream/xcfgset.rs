//! `XCFGSET`: for how long, and how much of each idempotent producer, a stream remembers.

use collections::stream::{Retention, Stream};
use command::{
    Arg, ArgReader, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec,
    Spec,
};
use store::{Absent, Change};

use super::retention;

/// `XCFGSET key [IDMP-DURATION seconds] [IDMP-MAXSIZE ids]`.
pub static XCFGSET: DataCommand = DataCommand::new(
    Spec::new(
        "xcfgset",
        Group::Stream,
        "8.6.0",
        -2,
        "O(1)",
        "Sets what a stream remembers of idempotent producers.",
    )
    .flags(Flags::WRITE.union(Flags::FAST))
    .acl(Categories::STREAM)
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::UPDATE))])
    .args(&[
        Arg::key("key", 0),
        Arg::block(
            "idmp-duration-block",
            &[Arg::word("idmp-duration-token", "IDMP-DURATION"), Arg::integer("duration")],
        )
        .optional(),
        Arg::block(
            "idmp-maxsize-block",
            &[Arg::word("idmp-maxsize-token", "IDMP-MAXSIZE"), Arg::integer("maxsize")],
        )
        .optional(),
    ]),
    run,
);

/// A number from 1 to `most` that may be given once.
struct Term {
    name: &'static str,
    unit: &'static str,
    most: u32,
    given: Option<u32>,
}

impl Term {
    /// Takes the option with its number if it is next.
    fn take(&mut self, reader: &mut ArgReader<'_>) -> Result<bool, CommandError> {
        let Self { name, unit, most, given } = self;
        if !reader.option(name) {
            return Ok(false);
        }
        if given.is_some() {
            return Err(CommandError::request(format!("ERR {name} specified multiple times")));
        }
        let number = reader.integer();
        reader.check()?;
        *given = u32::try_from(number).ok().filter(|number| (1..=*most).contains(number));
        match given {
            Some(_) => Ok(true),
            None => {
                let text = format!("ERR {name} must be between 1 and {most} {unit}");
                Err(CommandError::request(text))
            }
        }
    }
}

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let key = reader.bytes();
    // The stream is looked for before the options are read, as in Redis.
    cx.db.edit(key).get::<Stream>()?.ok_or(CommandError::NO_SUCH_KEY)?;
    let mut duration =
        Term { name: "IDMP-DURATION", unit: "seconds", most: Retention::SECONDS_MAX, given: None };
    let mut size =
        Term { name: "IDMP-MAXSIZE", unit: "entries", most: Retention::IDS_MAX, given: None };
    if !reader.more() {
        return Err(CommandError::request("ERR At least one parameter must be specified"));
    }
    while reader.more() {
        if !duration.take(&mut reader)? && !size.take(&mut reader)? {
            return Err(CommandError::SYNTAX);
        }
    }
    let default = retention(cx.config);
    let set = cx.db.edit(key).update(Absent::Ignore, |stream: &mut Stream| {
        let producers = stream.producers_mut(default);
        let before = producers.retention();
        let forgotten = producers.set_retention(Retention {
            seconds: duration.given.unwrap_or(before.seconds),
            per_producer: size.given.unwrap_or(before.per_producer),
        });
        Change::quiet(1, forgotten)
    })?;
    cx.db.effects.discard_part(set.ok_or(CommandError::NO_SUCH_KEY)?);
    cx.reply.ok();
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::stream::fixture;
    use crate::testing::Bench;

    #[test]
    fn other_terms_forget_what_was_known() {
        let mut bench = Bench::new();
        let first = bench.run("XADD s IDMP p 1 * f v");
        assert_eq!(bench.run("XCFGSET s IDMP-DURATION 100 IDMP-MAXSIZE 100"), "+OK\r\n");
        assert_eq!(bench.run("XADD s IDMP p 1 * f v"), first, "these are the defaults");
        bench.clear();
        assert_eq!(bench.run("xcfgset s idmp-maxsize 7"), "+OK\r\n");
        assert_eq!((bench.dirty(), bench.log()), (1, vec!["xcfgset s idmp-maxsize 7".into()]));
        assert_ne!(bench.run("XADD s IDMP p 1 * f v"), first);
        let info = bench.run("XINFO STREAM s");
        assert!(info.contains("idmp-duration\r\n:100\r\n$12\r\nidmp-maxsize\r\n:7\r\n"), "{info}");
    }

    #[test]
    fn bad_lines_are_refused() {
        let mut bench = fixture::filled(1);
        bench.run("SET k v");
        let seconds = "-ERR IDMP-DURATION must be between 1 and 86400 seconds\r\n";
        let ids = "-ERR IDMP-MAXSIZE must be between 1 and 10000 entries\r\n";
        let no_integer = "-ERR value is not an integer or out of range\r\n";
        let cases = [
            ("XCFGSET s", "-ERR At least one parameter must be specified\r\n"),
            ("XCFGSET s IDMP-DURATION", "-ERR syntax error\r\n"),
            ("XCFGSET s NONE", "-ERR syntax error\r\n"),
            ("XCFGSET s IDMP-DURATION x", no_integer),
            ("XCFGSET s IDMP-DURATION 0", seconds),
            ("XCFGSET s IDMP-DURATION 86401", seconds),
            ("XCFGSET s IDMP-MAXSIZE -1", ids),
            ("XCFGSET s IDMP-MAXSIZE 10001", ids),
            ("XCFGSET s IDMP-MAXSIZE 5 IDMP-DURATION 5 IDMP-MAXSIZE", "-ERR syntax error\r\n"),
            (
                "XCFGSET s IDMP-MAXSIZE 5 IDMP-MAXSIZE 0",
                "-ERR IDMP-MAXSIZE specified multiple times\r\n",
            ),
            ("XCFGSET none IDMP-MAXSIZE 0", "-ERR no such key\r\n"),
        ];
        for (line, expected) in cases {
            assert_eq!(bench.run(line), expected, "{line}");
        }
        assert!(bench.run("XCFGSET k").starts_with("-WRONGTYPE"));
    }
}
