//! `XGROUP`: creates, moves and removes consumer groups and their consumers.

use collections::stream::{Group as ConsumerGroup, Log, Stream};
use command::help;
use command::{
    Arg, ArgReader, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec,
    Spec,
};
use store::{Absent, Change};

use super::{event, group, id, wrong_subcommand};

/// `XGROUP subcommand ...`.
pub static XGROUP: DataCommand = DataCommand::container(
    Spec::new(
        "xgroup",
        Group::Stream,
        "5.0.0",
        -2,
        "Depends on the subcommand.",
        "Holds the commands that manage consumer groups.",
    ),
    command::help::bare,
    &[&CREATE, &CREATECONSUMER, &DELCONSUMER, &DESTROY, &HELP, &SETID],
);

const KEY: Arg = Arg::key("key", 0);
const GROUP: Arg = Arg::string("group");
const CONSUMER: Arg = Arg::string("consumer");
const PLACE: Arg = Arg::one_of("id-selector", &[Arg::string("id"), Arg::word("new-id", "$")]);
const ENTRIES_READ: Arg = Arg::integer("entriesread")
    .display("entries-read")
    .token("ENTRIESREAD")
    .since("7.0.0")
    .optional();

static CREATE: DataCommand = DataCommand::new(
    Spec::new("create", Group::Stream, "5.0.0", -5, "O(1)", "Creates a consumer group.")
        .acl(Categories::STREAM)
        .flags(Flags::WRITE.union(Flags::DENYOOM))
        .keys(&[KeySpec::range(KeyFlags::RW.union(KeyFlags::INSERT), 2, 0, 1)])
        .args(&[KEY, GROUP, PLACE, Arg::word("mkstream", "MKSTREAM").optional(), ENTRIES_READ])
        .history(&[("7.0.0", "Added the `entries_read` named argument.")]),
    create,
);

static SETID: DataCommand = DataCommand::new(
    Spec::new(
        "setid",
        Group::Stream,
        "5.0.0",
        -5,
        "O(1)",
        "Sets the last delivered id of a group.",
    )
    .acl(Categories::STREAM)
    .flags(Flags::WRITE)
    .keys(&[KeySpec::range(KeyFlags::RW.union(KeyFlags::UPDATE), 2, 0, 1)])
    .args(&[KEY, GROUP, PLACE, ENTRIES_READ])
    .history(&[("7.0.0", "Added the optional `entries_read` argument.")]),
    set_id,
);

static DESTROY: DataCommand = DataCommand::new(
    Spec::new(
        "destroy",
        Group::Stream,
        "5.0.0",
        4,
        "O(1): what is pending is freed in the background.",
        "Removes a consumer group.",
    )
    .acl(Categories::STREAM)
    .flags(Flags::WRITE)
    .keys(&[KeySpec::range(KeyFlags::RW.union(KeyFlags::DELETE), 2, 0, 1)])
    .args(&[KEY, GROUP]),
    destroy,
);

static CREATECONSUMER: DataCommand = DataCommand::new(
    Spec::new(
        "createconsumer",
        Group::Stream,
        "6.2.0",
        5,
        "O(1)",
        "Creates a consumer in a group.",
    )
    .acl(Categories::STREAM)
    .flags(Flags::WRITE.union(Flags::DENYOOM))
    .keys(&[KeySpec::range(KeyFlags::RW.union(KeyFlags::INSERT), 2, 0, 1)])
    .args(&[KEY, GROUP, CONSUMER]),
    create_consumer,
);

static DELCONSUMER: DataCommand = DataCommand::new(
    Spec::new(
        "delconsumer",
        Group::Stream,
        "5.0.0",
        5,
        "O(1)",
        "Removes a consumer with what it has pending.",
    )
    .acl(Categories::STREAM)
    .flags(Flags::WRITE)
    .keys(&[KeySpec::range(KeyFlags::RW.union(KeyFlags::DELETE), 2, 0, 1)])
    .args(&[KEY, GROUP, CONSUMER]),
    delete_consumer,
);

static HELP: DataCommand = DataCommand::new(
    Spec::new("help", Group::Stream, "5.0.0", 2, "O(1)", "Lists the subcommands of XGROUP.")
        .acl(Categories::STREAM)
        .flags(Flags::LOADING.union(Flags::STALE)),
    help,
);

/// There is no stream where one is needed.
fn no_stream() -> CommandError {
    CommandError::state(
        "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to \
         use the MKSTREAM option to create an empty stream automatically.",
    )
}

/// The options of `CREATE` and `SETID`, from the sixth argument on.
struct Options {
    make_stream: bool,
    entries_read: Option<u64>,
}

fn options(cx: &Cx<'_>, creates: bool) -> Result<Options, CommandError> {
    let mut reader = ArgReader::new(cx.args, 5);
    let mut options = Options { make_stream: false, entries_read: None };
    while reader.more() {
        if creates && reader.token("MKSTREAM") {
            options.make_stream = true;
        } else if reader.option("ENTRIESREAD") {
            let read = reader.integer();
            reader.check()?;
            options.entries_read = u64::try_from(read).ok();
            if read < -1 {
                return Err(CommandError::request(
                    "ERR value for ENTRIESREAD must be positive or -1",
                ));
            }
        } else {
            return Err(wrong_subcommand(cx.arg(1)?, "XGROUP"));
        }
    }
    Ok(options)
}

/// How many entries a group has read that says so: no more than there ever were.
fn capped(entries_read: Option<u64>, log: &Log) -> Option<u64> {
    entries_read.map(|read| read.min(log.entries_added()))
}

/// Checks that the key of the command is a stream and, if one is named, has the group.
fn check(cx: &mut Cx<'_>, key: &[u8], name: Option<&[u8]>) -> Result<(), CommandError> {
    let edit = cx.db.edit(key);
    let stream = edit.get::<Stream>()?.ok_or_else(no_stream)?;
    match name {
        Some(name) if stream.group(name).is_none() => Err(group::no_group(key, name)),
        _ => Ok(()),
    }
}

fn create(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let (key, name, place) = (cx.arg(2)?, cx.arg(3)?, cx.arg(4)?);
    let Options { make_stream, entries_read } = options(cx, true)?;
    let exists = cx.db.edit(key).get::<Stream>()?.is_some();
    if !exists && !make_stream {
        return Err(no_stream());
    }
    let at = if place == b"$" { None } else { Some(id::strict(place)?) };
    let mut edit = cx.db.edit(key);
    let created = edit.update(Absent::Create, |stream: &mut Stream| {
        let last_id = at.unwrap_or_else(|| stream.log().last_id());
        let read = capped(entries_read, stream.log());
        let created = stream.create_group(name, ConsumerGroup::new(last_id, read));
        match (created, exists) {
            (false, _) => Change::none(false),
            (true, true) => Change::quiet(1, true),
            (true, false) => Change::made(1, event("xgroup-create"), true),
        }
    })?;
    if created != Some(true) {
        return Err(CommandError::state("BUSYGROUP Consumer Group name already exists"));
    }
    if exists {
        edit.also(event("xgroup-create"));
    }
    cx.reply.ok();
    Ok(())
}

fn set_id(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let (key, name, place) = (cx.arg(2)?, cx.arg(3)?, cx.arg(4)?);
    let Options { entries_read, .. } = options(cx, false)?;
    check(cx, key, Some(name))?;
    if cx.args.len() > 7 {
        return Err(wrong_subcommand(cx.arg(1)?, "XGROUP"));
    }
    let at = if place == b"$" { None } else { Some(id::or_end(place, 0)?) };
    change(cx, key, "xgroup-setid", |stream| {
        let Some((log, group)) = stream.group_mut(name) else { return (0, ()) };
        group.last_id = at.unwrap_or_else(|| log.last_id());
        group.entries_read = capped(entries_read, log);
        (1, ())
    })?;
    cx.reply.ok();
    Ok(())
}

/// Changes a stream that exists; `change` says how many changes it made, which if any are told as
/// `name`.
fn change<R: Default>(
    cx: &mut Cx<'_>,
    key: &[u8],
    name: &'static str,
    change: impl FnOnce(&mut Stream) -> (u64, R),
) -> Result<R, CommandError> {
    let mut edit = cx.db.edit(key);
    let changed = edit.update(Absent::Ignore, |stream: &mut Stream| {
        let (count, result) = change(stream);
        Change::quiet(count, (count, result))
    })?;
    let (count, result) = changed.unwrap_or_default();
    if count > 0 {
        edit.also(event(name));
    }
    Ok(result)
}

fn destroy(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let (key, name) = (cx.arg(2)?, cx.arg(3)?);
    check(cx, key, None)?;
    let destroyed = change(cx, key, "xgroup-destroy", |stream| {
        let destroyed = stream.destroy_group(name);
        (u64::from(destroyed.is_some()), destroyed)
    })?;
    cx.reply.integer(i64::from(destroyed.is_some()));
    if let Some(group) = destroyed {
        cx.db.effects.discard_part(group);
        // Who waits as a consumer of the group waits in vain.
        cx.db.edit(key).wake();
    }
    Ok(())
}

fn create_consumer(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let (key, name, consumer) = (cx.arg(2)?, cx.arg(3)?, cx.arg(4)?);
    check(cx, key, Some(name))?;
    let now = cx.db.now();
    let created = change(cx, key, "xgroup-createconsumer", |stream| {
        let group = stream.group_mut(name).map(|(_, group)| group);
        let created = group.and_then(|group| group.create_consumer(consumer, now)).is_some();
        (u64::from(created), created)
    })?;
    cx.reply.integer(i64::from(created));
    Ok(())
}

fn delete_consumer(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let (key, name, consumer) = (cx.arg(2)?, cx.arg(3)?, cx.arg(4)?);
    check(cx, key, Some(name))?;
    let departed = change(cx, key, "xgroup-delconsumer", |stream| {
        let group = stream.group_mut(name).map(|(_, group)| group);
        let departed = group.and_then(|group| group.delete_consumer(consumer));
        (u64::from(departed.is_some()), departed)
    })?;
    cx.reply.integer(departed.as_ref().map_or(0, |departed| departed.pending_len() as i64));
    cx.db.effects.discard_part(departed);
    Ok(())
}

const HELP_LINES: &[&str] = &[
    "CREATE <key> <group> <id|$> [MKSTREAM] [ENTRIESREAD <count>]",
    "    A new group that reads what comes behind <id>, or from now on.",
    "    MKSTREAM creates the stream if there is none; ENTRIESREAD tells how many entries the",
    "    group has read, for its lag.",
    "CREATECONSUMER <key> <group> <consumer>",
    "    A new consumer of <group>.",
    "DELCONSUMER <key> <group> <consumer>",
    "    Removes a consumer, and what it has pending.",
    "DESTROY <key> <group>",
    "    Removes a group.",
    "SETID <key> <group> <id|$> [ENTRIESREAD <count>]",
    "    From where <group> is to read on.",
];

fn help(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    help::write(cx.reply, "XGROUP", HELP_LINES);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::stream::fixture;
    use crate::testing::Bench;

    #[test]
    fn groups_come_and_go() {
        let mut bench = Bench::new();
        assert!(
            bench.run("XGROUP CREATE s g $").starts_with("-ERR The XGROUP subcommand requires")
        );
        assert_eq!(bench.run("XGROUP CREATE s g $ MKSTREAM"), "+OK\r\n");
        assert_eq!(
            bench.run("XGROUP CREATE s g 0"),
            "-BUSYGROUP Consumer Group name already exists\r\n"
        );
        assert_eq!(bench.run("XGROUP CREATE s h 5-1 ENTRIESREAD 3"), "+OK\r\n");
        assert_eq!(bench.run("XGROUP SETID s h 6"), "+OK\r\n");
        assert_eq!(bench.run("XGROUP DESTROY s h"), ":1\r\n");
        assert_eq!(bench.run("XGROUP DESTROY s h"), ":0\r\n");
        let events = ["new", "xgroup-create", "xgroup-create", "xgroup-setid", "xgroup-destroy"];
        assert_eq!(bench.events(), events.map(|name| format!("{name} s")));
        assert_eq!(bench.dirty(), 4);
        assert_eq!(bench.log().len(), 4);
    }

    #[test]
    fn consumers_take_their_pending_entries_along() {
        let mut bench = fixture::grouped(3);
        bench.run("XREADGROUP GROUP g a COUNT 2 STREAMS s >");
        bench.clear();
        assert_eq!(bench.run("XGROUP CREATECONSUMER s g b"), ":1\r\n");
        assert_eq!(bench.run("XGROUP CREATECONSUMER s g b"), ":0\r\n");
        assert_eq!(bench.run("XGROUP DELCONSUMER s g a"), ":2\r\n");
        assert_eq!(bench.run("XGROUP DELCONSUMER s g a"), ":0\r\n");
        assert!(bench.run("XPENDING s g").starts_with("*4\r\n:0\r\n"));
        assert_eq!(bench.events(), ["xgroup-createconsumer s", "xgroup-delconsumer s"]);
        assert_eq!(
            bench.run("XGROUP DELCONSUMER s no a"),
            "-NOGROUP No such consumer group 'no' for key name 's'\r\n"
        );
    }

    #[test]
    fn options_are_checked() {
        let mut bench = Bench::new();
        bench.run("XADD s 1 f v");
        let unknown = "-ERR unknown subcommand or wrong number of arguments for 'create'. Try \
                       XGROUP HELP.\r\n";
        assert_eq!(bench.run("XGROUP create s g 0 FOO"), unknown);
        assert_eq!(
            bench.run("XGROUP CREATE s g 0 ENTRIESREAD -2"),
            "-ERR value for ENTRIESREAD must be positive or -1\r\n"
        );
        assert_eq!(bench.run("XGROUP CREATE s g 0 ENTRIESREAD -1"), "+OK\r\n");
        assert!(bench.run("XGROUP CREATE s h -").starts_with("-ERR Invalid stream ID"));
        assert_eq!(bench.run("XGROUP SETID s g -"), "+OK\r\n");
        bench.run("SET k v");
        assert!(bench.run("XGROUP CREATE k g 0").starts_with("-WRONGTYPE"));
        assert!(bench.run("XGROUP HELP").starts_with("*15\r\n"));
    }
}
