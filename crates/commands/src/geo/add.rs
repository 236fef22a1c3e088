//! `GEOADD`.

use collections::sorted_set::SortedSet;
use command::{
    Arg, ArgReader, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec,
    Spec,
};
use store::{Absent, Change};

use super::point;
use crate::look_ahead::LookAhead;
use crate::string::value::Digits;
use crate::zset;

/// `GEOADD key [NX | XX] [CH] longitude latitude member [longitude latitude member ...]`.
pub(super) static GEOADD: DataCommand = DataCommand::new(
    Spec::new(
        "geoadd",
        Group::Geo,
        "3.2.0",
        -5,
        "O(log(N)) for each member, with the number N of members in the index.",
        "Adds members with positions to an index, or moves them. Creates the key if there is none.",
    )
    .acl(Categories::GEO)
    .flags(Flags::WRITE.union(Flags::DENYOOM))
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::UPDATE))])
    .args(&[
        Arg::key("key", 0),
        Arg::one_of("condition", &[Arg::word("nx", "NX"), Arg::word("xx", "XX")])
            .optional()
            .since("6.2.0"),
        Arg::word("change", "CH").optional().since("6.2.0"),
        Arg::block(
            "data",
            &[Arg::double("longitude"), Arg::double("latitude"), Arg::string("member")],
        )
        .multiple(),
    ])
    .history(&[("6.2.0", "Takes the options `CH`, `NX` and `XX`.")]),
    run,
);

#[derive(Clone, Copy, Debug, Default)]
struct Options {
    only_new: bool,
    only_present: bool,
    /// Count moved members too.
    changed: bool,
}

impl Options {
    fn parse(reader: &mut ArgReader<'_>) -> Self {
        let mut options = Self::default();
        loop {
            let option = match () {
                () if reader.token("NX") => &mut options.only_new,
                () if reader.token("XX") => &mut options.only_present,
                () if reader.token("CH") => &mut options.changed,
                () => return options,
            };
            *option = true;
        }
    }

    fn wants(self, old: Option<f64>) -> bool {
        if old.is_some() { !self.only_new } else { !self.only_present }
    }

    /// The words of these options for `ZADD`.
    fn words(self) -> impl Iterator<Item = &'static [u8]> {
        let all: [(bool, &[u8]); 3] =
            [(self.only_new, b"NX"), (self.only_present, b"XX"), (self.changed, b"CH")];
        all.into_iter().filter(|(given, _)| *given).map(|(_, word)| word)
    }
}

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let key = reader.bytes();
    let options = Options::parse(&mut reader);
    let both = options.only_new && options.only_present;
    if both || reader.remaining() == 0 || !reader.remaining().is_multiple_of(3) {
        return Err(CommandError::SYNTAX);
    }
    let mut members = Vec::with_capacity(reader.remaining() / 3);
    while reader.more() {
        let point = point(reader.bytes(), reader.bytes())?;
        members.push((point.hash(), reader.bytes()));
    }
    let limits = zset::limits(cx);
    let absent = if options.only_present { Absent::Ignore } else { Absent::Create };
    let names = members.iter().map(|&(_, member)| member);
    let mut ahead = LookAhead::new(names, members.len());
    let counts = cx.db.edit(key).update::<SortedSet, _>(absent, |set| {
        let (mut added, mut moved) = (0, 0);
        for &(hash, member) in &members {
            ahead.step(set);
            // A hash has at most 54 bits, and those of 54 end in zeros: the score is exact.
            let score = hash as f64;
            set.update(member, limits, |old| {
                let wanted = options.wants(old);
                added += u64::from(wanted && old.is_none());
                moved += u64::from(wanted && old.is_some_and(|old| old != score));
                wanted.then_some(score)
            });
        }
        match added + moved {
            0 => Change::none((added, moved)),
            changes => Change::made(changes, zset::event("zadd"), (added, moved)),
        }
    })?;
    let (added, moved) = counts.unwrap_or_default();
    if added + moved > 0 {
        log(cx, key, options, &members);
    }
    cx.reply.integer((if options.changed { added + moved } else { added }) as i64);
    Ok(())
}

/// Replicas add scores: they need not compute the same hashes.
fn log(cx: &mut Cx<'_>, key: &[u8], options: Options, members: &[(u64, &[u8])]) {
    let scores: Vec<String> =
        members.iter().map(|(hash, _)| Digits::new().format(*hash).to_owned()).collect();
    let mut line: Vec<&[u8]> = vec![b"ZADD", key];
    line.extend(options.words().map(|word| word as &[u8]));
    for (score, (_, member)) in scores.iter().zip(members) {
        line.extend([score.as_bytes(), member]);
    }
    cx.log(&line);
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn adds_scores_and_is_logged_as_such() {
        let mut bench = Bench::new();
        let line = "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania";
        assert_eq!(bench.run(line), ":2\r\n");
        assert_eq!(bench.run(line), ":0\r\n");
        assert_eq!(bench.run("ZSCORE g Palermo"), "$16\r\n3479099956230698\r\n");
        assert_eq!(bench.events(), ["new g", "zadd g"]);
        assert_eq!(bench.log(), ["ZADD g 3479099956230698 Palermo 3479447370796909 Catania"]);
        assert_eq!(bench.dirty(), 2);
    }

    #[test]
    fn conditions_and_the_count_of_changes() {
        let mut bench = Bench::new();
        bench.run("GEOADD g 1 1 a");
        assert_eq!(bench.run("GEOADD g NX 2 2 a 2 2 b"), ":1\r\n");
        assert_eq!(bench.run("GEOADD g XX CH 3 3 a 3 3 c"), ":1\r\n");
        assert_eq!(bench.run("GEOADD g CH 4 4 a 4 4 c"), ":2\r\n");
        assert_eq!(bench.run("GEOADD none XX 3 3 a"), ":0\r\n");
        assert_eq!(bench.run("EXISTS none"), ":0\r\n");
    }

    #[test]
    fn refusals() {
        let mut bench = Bench::new();
        for (line, error) in [
            ("NX XX 1 1 a", "syntax error"),
            ("1 1 a 2", "syntax error"),
            ("CH CH CH", "syntax error"),
            ("x 1 a", "value is not a valid float"),
            ("1 x a", "value is not a valid float"),
            ("181 1 a", "invalid longitude,latitude pair 181.000000,1.000000"),
            ("1 1 a 1 -86 b", "invalid longitude,latitude pair 1.000000,-86.000000"),
        ] {
            assert_eq!(bench.run(&format!("GEOADD g {line}")), format!("-ERR {error}\r\n"));
        }
        assert_eq!(bench.run("EXISTS g"), ":0\r\n");
    }
}
