//! `MEMORY`: where the bytes are.

use ::command::spec::Arg;
use ::command::{Categories, Command, CommandError, Flags, Group, KeyFlags, KeySpec, Spec};

use super::OPEN;
use crate::admin::{AdminCommand, AdminCx, AdminHandler, container, write_help};

mod doctor;
pub(super) mod figures;

const WALK: Flags = Flags::KEYSPACE_WALK;
const TIPS: &[&str] =
    &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"];

/// `MEMORY subcommand ...`
pub static MEMORY: AdminCommand = Command::container(
    Spec::new(
        "memory",
        Group::Server,
        "4.0.0",
        -2,
        "Depends on subcommand.",
        "A container for memory diagnostics commands.",
    ),
    container as AdminHandler,
    &[&DOCTOR, &HELP, &MALLOC_STATS, &PURGE, &STATS, &USAGE],
);

static DOCTOR: AdminCommand = Command::new(
    Spec::new("doctor", Group::Server, "4.0.0", 2, "O(1)", "Reports memory problems.")
        .flags(WALK)
        .tips(TIPS),
    doctor::doctor as AdminHandler,
);

static HELP: AdminCommand = Command::new(
    Spec::new("help", Group::Server, "4.0.0", 2, "O(1)", "Lists the subcommands.").flags(OPEN),
    help as AdminHandler,
);

static MALLOC_STATS: AdminCommand = Command::new(
    Spec::new(
        "malloc-stats",
        Group::Server,
        "4.0.0",
        2,
        "Depends on how much memory is allocated, could be slow",
        "Shows the allocator's own statistics.",
    )
    .tips(TIPS),
    malloc_stats as AdminHandler,
);

static PURGE: AdminCommand = Command::new(
    Spec::new(
        "purge",
        Group::Server,
        "4.0.0",
        2,
        "Depends on how much memory is allocated, could be slow",
        "Makes the allocator return free pages.",
    )
    .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    purge as AdminHandler,
);

static STATS: AdminCommand = Command::new(
    Spec::new("stats", Group::Server, "4.0.0", 2, "O(1)", "Details the use of memory.")
        .flags(WALK)
        .tips(TIPS),
    stats as AdminHandler,
);

static USAGE: AdminCommand = Command::new(
    Spec::new(
        "usage",
        Group::Server,
        "4.0.0",
        -3,
        "O(N) where N is the number of samples.",
        "Tells how many bytes a key takes.",
    )
    .flags(Flags::READONLY)
    .acl(Categories::NONE)
    .keys(&[KeySpec::range(KeyFlags::RO, 2, 0, 1)])
    .args(&[Arg::key("key", 0), Arg::integer("count").token("SAMPLES").optional()]),
    usage as AdminHandler,
);

fn help(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let lines = [
        "DOCTOR",
        "    Report memory problems.",
        "MALLOC-STATS",
        "    Show the allocator's own statistics.",
        "PURGE",
        "    Make the allocator return free pages to the system.",
        "STATS",
        "    Detail the use of memory.",
        "USAGE <key> [SAMPLES <count>]",
        "    Tell how many bytes <key> and its value take. Nested values are",
        "    sampled up to <count> times (default: 5, 0: all).",
    ];
    write_help(admin.cx.reply, "MEMORY", &lines);
    Ok(())
}

fn malloc_stats(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let report = admin.engine.platform.allocator_report();
    admin.cx.reply.verbatim(b"txt", report.as_bytes());
    Ok(())
}

fn purge(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    admin.engine.platform.purge_memory();
    admin.cx.reply.ok();
    Ok(())
}

/// Bytes of a key table's slot, spread over its usual fill.
const SLOT_BYTES: usize = 11;

fn usage(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let key = admin.cx.arg(2)?;
    let mut args = admin.cx.reader();
    args.bytes();
    args.bytes();
    while args.more() {
        if args.option("SAMPLES") {
            if args.integer() < 0 {
                args.unknown();
            }
        } else {
            args.unknown();
        }
    }
    args.finish()?;
    let bytes = admin.cx.db.peek(key).map(|entry| entry.allocated_bytes() + SLOT_BYTES);
    match bytes {
        Some(bytes) => admin.cx.reply.integer(bytes as i64),
        None => admin.cx.reply.null(),
    }
    Ok(())
}

fn stats(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let figures = figures::Figures::measure(admin);
    let databases: Vec<_> =
        figures.databases.iter().enumerate().filter(|(_, usage)| usage.keys > 0).collect();
    let reply = &mut *admin.cx.reply;
    let integers = figures.integers();
    let fixed = integers.len() + figures.ratios().len();
    reply.map(fixed + databases.len());
    for (name, value) in &integers[..figures::BEFORE_DATABASES] {
        reply.bulk(name.as_bytes());
        reply.integer(*value);
    }
    for (db, usage) in databases {
        reply.bulk(format!("db.{db}").as_bytes());
        reply.map(2);
        reply.bulk(b"overhead.hashtable.main");
        reply.integer(usage.table_bytes as i64);
        reply.bulk(b"overhead.hashtable.expires");
        // Deadlines are kept in the entries.
        reply.integer(0);
    }
    for (name, value) in &integers[figures::BEFORE_DATABASES..] {
        reply.bulk(name.as_bytes());
        reply.integer(*value);
    }
    for (name, value) in figures.ratios() {
        reply.bulk(name.as_bytes());
        reply.double(value);
    }
    Ok(())
}
