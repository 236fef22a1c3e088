//! `XIDMPRECORD`: tells a stream which entry an idempotent producer has added, as the log does
//! behind the `XADD`.

use collections::stream::{Id, Stream};
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use store::{Absent, Change};

use super::{id, retention};

/// `XIDMPRECORD key producer idempotent-id id`.
pub static XIDMPRECORD: DataCommand = DataCommand::new(
    Spec::new(
        "xidmprecord",
        Group::Stream,
        "8.6.2",
        5,
        "O(log N) where N is the number of ids that the stream remembers of the producer.",
        "Remembers which entry an idempotent producer has added: for the log, not for clients.",
    )
    .flags(Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST))
    .acl(Categories::STREAM)
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::UPDATE))])
    .args(&[
        Arg::key("key", 0),
        Arg::string("pid"),
        Arg::string("iid"),
        Arg::string("stream-id"),
    ]),
    run,
);

fn record(
    stream: &mut Stream,
    (producer, idempotent_id): (&[u8], &[u8]),
    entry: Id,
    now: u64,
    terms: collections::stream::Retention,
) -> Result<u64, CommandError> {
    if !stream.log().contains(entry) {
        return Err(CommandError::state("ERR No such message in stream"));
    }
    let known = stream.producers().and_then(|known| known.find(producer, idempotent_id, now));
    match known {
        Some(known) if known == entry => Ok(0),
        Some(_) => Err(CommandError::state(
            "ERR IID already exists for this producer with a different stream ID",
        )),
        None => {
            stream.producers_mut(terms).record(producer, idempotent_id, entry, now);
            Ok(1)
        }
    }
}

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let (key, producer, idempotent_id) = (cx.arg(1)?, cx.arg(2)?, cx.arg(3)?);
    let entry = id::strict(cx.arg(4)?)?;
    for (name, of) in [(producer, "producer"), (idempotent_id, "idempotent")] {
        if name.is_empty() {
            return Err(CommandError::request(format!("ERR {of} ID must be non-empty")));
        }
    }
    let (now, terms) = (cx.db.now(), retention(cx.config));
    let recorded = cx.db.edit(key).update(Absent::Ignore, |stream: &mut Stream| {
        match record(stream, (producer, idempotent_id), entry, now, terms) {
            Ok(count) => Change::quiet(count, Ok(())),
            Err(error) => Change::none(Err(error)),
        }
    })?;
    recorded.ok_or(CommandError::NO_SUCH_KEY)??;
    cx.reply.ok();
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::{Bench, NOW};

    #[test]
    fn a_pair_stands_for_one_entry() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("XIDMPRECORD s p i 1-1"), "-ERR no such key\r\n");
        let (one, two) = (format!("{NOW}-0"), format!("{NOW}-1"));
        (0..2).for_each(|_| drop(bench.run("XADD s * f v")));
        bench.clear();
        assert_eq!(bench.run(&format!("XIDMPRECORD s p i {one}")), "+OK\r\n");
        assert_eq!(bench.run(&format!("XIDMPRECORD s p i {one}")), "+OK\r\n");
        assert_eq!((bench.dirty(), bench.log().len()), (1, 1));
        assert_eq!(
            bench.run(&format!("XIDMPRECORD s p i {two}")),
            "-ERR IID already exists for this producer with a different stream ID\r\n"
        );
        assert_eq!(bench.run("XIDMPRECORD s p j 5-5"), "-ERR No such message in stream\r\n");
        assert!(bench.run("XIDMPRECORD s p i x").starts_with("-ERR Invalid stream ID"));
        let empty = "-ERR producer ID must be non-empty\r\n";
        assert_eq!(bench.run(&format!("XIDMPRECORD s '' '' {one}")), empty);
        let empty = "-ERR idempotent ID must be non-empty\r\n";
        assert_eq!(bench.run(&format!("XIDMPRECORD none p '' {one}")), empty);
        assert_eq!(bench.run("XADD s IDMP p i * f v"), format!("${}\r\n{one}\r\n", one.len()));
    }
}
