//! `COPY`: gives a value a second name. Both share the value until one of them is changed, so the
//! time does not depend on its size.

use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use store::Event;
use store::transfer::Place;

use super::database;

pub(super) static COPY: DataCommand = DataCommand::new(
    Spec::new(
        "copy",
        Group::Generic,
        "6.2.0",
        -3,
        "O(1), the value is shared until it changes.",
        "Copies the value of a key, and its time to live, to another key.",
    )
    .flags(Flags::WRITE.union(Flags::DENYOOM))
    .acl(Categories::KEYSPACE)
    .keys(&[
        KeySpec::first(KeyFlags::RO.union(KeyFlags::ACCESS)),
        KeySpec::range(KeyFlags::OW.union(KeyFlags::UPDATE), 2, 0, 1),
    ])
    .args(&[
        Arg::key("source", 0),
        Arg::key("destination", 1),
        Arg::integer("destination-db").token("DB").optional(),
        Arg::word("replace", "REPLACE").optional(),
    ]),
    run,
);

struct Request<'a> {
    from: Place<'a>,
    to: Place<'a>,
    replace: bool,
}

fn parse<'a>(cx: &Cx<'a>) -> Result<Request<'a>, CommandError> {
    let mut reader = cx.reader();
    let selected = cx.db.scope.db;
    let from = Place { db: selected, key: reader.bytes() };
    let mut to = Place { db: selected, key: reader.bytes() };
    let mut replace = false;
    while reader.more() {
        if reader.token("REPLACE") {
            replace = true;
        } else if reader.option("DB") {
            to.db = database::read(&mut reader, cx.db.store().databases());
        } else {
            reader.unknown();
        }
    }
    reader.finish()?;
    if from == to { Err(database::same_object()) } else { Ok(Request { from, to, replace }) }
}

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let Request { from, to, replace } = parse(cx)?;
    let copied = cx.db.read(from.key).is_some()
        && (replace || !cx.db.edit_in(to.db, to.key).exists())
        && cx.db.copy_value(from, to, Event::generic("copy_to"));
    cx.reply.integer(i64::from(copied));
    Ok(())
}
