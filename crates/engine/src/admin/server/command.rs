//! `COMMAND`: the command table as clients see it.

use ::command::spec::{Begin, Find};
use ::command::{Arg, Categories, Command, CommandError, Group, KeySpec, Spec};
use resp::Reply;

use super::OPEN;
use crate::admin::{AdminCommand, AdminCx, AdminHandler, write_help};
use crate::registry::{Entry, Registry};

mod docs;
mod getkeys;

const CATEGORIES: Categories = Categories::CONNECTION;
const ORDER: &[&str] = &["nondeterministic_output_order"];

/// `COMMAND [subcommand ...]`
pub static COMMAND: AdminCommand = Command::container(
    Spec::new(
        "command",
        Group::Server,
        "2.8.13",
        -1,
        "O(N) where N is the total number of commands",
        "Describes all commands.",
    )
    .flags(OPEN)
    .acl(CATEGORIES)
    .tips(ORDER),
    all as AdminHandler,
    &[&COUNT, &docs::DOCS, &getkeys::GETKEYS, &getkeys::GETKEYSANDFLAGS, &HELP, &INFO, &LIST],
);

static COUNT: AdminCommand = Command::new(
    Spec::new("count", Group::Server, "2.8.13", 2, "O(1)", "Tells the number of commands.")
        .flags(OPEN)
        .acl(CATEGORIES),
    count as AdminHandler,
);

static HELP: AdminCommand = Command::new(
    Spec::new("help", Group::Server, "5.0.0", 2, "O(1)", "Lists the subcommands.")
        .flags(OPEN)
        .acl(CATEGORIES),
    help as AdminHandler,
);

static INFO: AdminCommand = Command::new(
    Spec::new(
        "info",
        Group::Server,
        "2.8.13",
        -2,
        "O(N) where N is the number of commands to look up",
        "Describes some commands.",
    )
    .flags(OPEN)
    .acl(CATEGORIES)
    .history(&[("7.0.0", "Allowed to be called with no argument to get info on all commands.")])
    .args(&[Arg::string("command-name").optional().multiple()])
    .tips(ORDER),
    info as AdminHandler,
);

static LIST: AdminCommand = Command::new(
    Spec::new(
        "list",
        Group::Server,
        "7.0.0",
        -2,
        "O(N) where N is the total number of commands",
        "Lists the names of commands.",
    )
    .flags(OPEN)
    .acl(CATEGORIES)
    .args(&[Arg::one_of(
        "filterby",
        &[
            Arg::string("module-name").token("MODULE"),
            Arg::string("category").token("ACLCAT"),
            Arg::pattern("pattern").token("PATTERN"),
        ],
    )
    .token("FILTERBY")
    .optional()])
    .tips(ORDER),
    list as AdminHandler,
);

const HELP_LINES: &[&str] = &[
    "(no subcommand)",
    "    Describe all commands.",
    "COUNT",
    "    Tell the number of commands.",
    "LIST [FILTERBY (MODULE <module-name>|ACLCAT <category>|PATTERN <pattern>)]",
    "    List the names of commands.",
    "INFO [<command-name> ...]",
    "    Describe some commands, or all.",
    "DOCS [<command-name> ...]",
    "    Document some commands, or all.",
    "GETKEYS <full-command>",
    "    Tell which arguments of a command line are keys.",
    "GETKEYSANDFLAGS <full-command>",
    "    Tell the keys of a command line and what is done with them.",
];

fn all(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let registry = admin.engine.registry;
    describe_all(admin.cx.reply, registry);
    Ok(())
}

fn count(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let count = admin.engine.registry.top_level().count();
    admin.cx.reply.integer(count as i64);
    Ok(())
}

fn help(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    write_help(admin.cx.reply, "COMMAND", HELP_LINES);
    Ok(())
}

fn info(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let (registry, args) = (admin.engine.registry, admin.cx.args);
    if args.len() == 2 {
        describe_all(admin.cx.reply, registry);
        return Ok(());
    }
    admin.cx.reply.array(args.len() - 2);
    for name in args.iter().skip(2) {
        match registry.find_full(name) {
            Some(entry) => describe(admin.cx.reply, registry, entry),
            None => admin.cx.reply.null(),
        }
    }
    Ok(())
}

fn describe_all(reply: &mut Reply, registry: &Registry) {
    reply.array(registry.top_level().count());
    registry.top_level().for_each(|entry| describe(reply, registry, entry));
}

fn names(reply: &mut Reply, names: Vec<&str>, prefix: &str) {
    reply.set(names.len());
    names.iter().for_each(|name| reply.simple(&format!("{prefix}{name}")));
}

/// First key, last key and step, as the old form of the specification has them.
fn legacy_range(spec: &Spec) -> (i64, i64, i64) {
    let ranges = spec.keys.iter().filter_map(|key| match (key.begin, key.find) {
        (Begin::Index(first), Find::Range { last, step, .. }) => {
            let first = i64::from(first);
            let last = if last >= 0 { first + i64::from(last) } else { i64::from(last) };
            Some((first, last, i64::from(step)))
        }
        _ => None,
    });
    let ranges: Vec<_> = ranges.collect();
    let Some(&(first, last, step)) = ranges.first() else { return (0, 0, 0) };
    let furthest = ranges.iter().map(|range| range.1).fold(last, |furthest, last| {
        if furthest < 0 || last < 0 { furthest.min(last) } else { furthest.max(last) }
    });
    // Ranges that follow one another are one with the first one's step.
    (first, furthest, step)
}

fn describe(reply: &mut Reply, registry: &Registry, entry: &Entry) {
    let spec = entry.spec;
    reply.array(10);
    reply.bulk(entry.full_name.as_bytes());
    reply.integer(i64::from(spec.arity));
    names(reply, spec.flags.names().collect(), "");
    let (first, last, step) = legacy_range(spec);
    [first, last, step].into_iter().for_each(|number| reply.integer(number));
    names(reply, spec.categories().names().collect(), "@");
    reply.set(spec.tips.len());
    spec.tips.iter().for_each(|tip| reply.bulk(tip.as_bytes()));
    reply.set(spec.keys.len());
    spec.keys.iter().for_each(|key| describe_keys(reply, key));
    // As the peers have it: no subcommands are a set, some are an array.
    if entry.subcommands.is_empty() {
        reply.set(0);
        return;
    }
    reply.array(entry.subcommands.len());
    for &sub in &entry.subcommands {
        describe(reply, registry, &registry.entries[sub]);
    }
}

fn describe_keys(reply: &mut Reply, key: &KeySpec) {
    reply.map(3 + usize::from(key.notes.is_some()));
    if let Some(notes) = key.notes {
        reply.bulk(b"notes");
        reply.bulk(notes.as_bytes());
    }
    reply.bulk(b"flags");
    names(reply, key.flags.names().collect(), "");
    reply.bulk(b"begin_search");
    match key.begin {
        Begin::Index(index) => {
            part(reply, "index", &[("index", i64::from(index))]);
        }
        Begin::Keyword { word, from } => {
            part_header(reply, "keyword", 2);
            reply.bulk(b"keyword");
            reply.bulk(word.as_bytes());
            number(reply, "startfrom", i64::from(from));
        }
        Begin::Unknown => part(reply, "unknown", &[]),
    }
    reply.bulk(b"find_keys");
    match key.find {
        Find::Range { last, step, limit } => part(
            reply,
            "range",
            &[
                ("lastkey", i64::from(last)),
                ("keystep", i64::from(step)),
                ("limit", i64::from(limit)),
            ],
        ),
        Find::KeyNum { count, first, step } => part(
            reply,
            "keynum",
            &[
                ("keynumidx", i64::from(count)),
                ("firstkey", i64::from(first)),
                ("keystep", i64::from(step)),
            ],
        ),
        Find::Unknown => part(reply, "unknown", &[]),
    }
}

fn part_header(reply: &mut Reply, kind: &str, fields: usize) {
    reply.map(2);
    reply.bulk(b"type");
    reply.bulk(kind.as_bytes());
    reply.bulk(b"spec");
    reply.map(fields);
}

fn part(reply: &mut Reply, kind: &str, fields: &[(&str, i64)]) {
    part_header(reply, kind, fields.len());
    fields.iter().for_each(|(name, value)| number(reply, name, *value));
}

fn number(reply: &mut Reply, name: &str, value: i64) {
    reply.bulk(name.as_bytes());
    reply.integer(value);
}

fn list(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let registry = admin.engine.registry;
    let mut args = admin.cx.reader();
    args.bytes();
    let mut chosen: Box<dyn Fn(&Entry) -> bool> = Box::new(|_| true);
    if args.remaining() == 3 && args.token("FILTERBY") {
        if args.token("MODULE") {
            args.bytes();
            // Everything is built in: no command belongs to a module.
            chosen = Box::new(|_| false);
        } else if args.token("ACLCAT") {
            let category = std::str::from_utf8(args.bytes()).ok().and_then(Categories::from_name);
            chosen = Box::new(move |entry| {
                category.is_some_and(|wanted| entry.spec.categories().contains(wanted))
            });
        } else if args.token("PATTERN") {
            let pattern = args.bytes();
            let matches = |name: &str| stdx::glob::matches(pattern, name.as_bytes(), true);
            chosen = Box::new(move |entry| matches(entry.full_name));
        }
    }
    args.finish()?;
    let listed = registry.entries.iter().filter(|entry| chosen(entry));
    let listed: Vec<&str> = listed.map(|entry| entry.full_name).collect();
    admin.cx.reply.array(listed.len());
    listed.iter().for_each(|name| admin.cx.reply.bulk(name.as_bytes()));
    Ok(())
}
