//! `COMMAND DOCS`: what `redis-cli` and documentation generators show.

use ::command::spec::{Arg, ArgKind};
use ::command::{Command, CommandError, Group, Spec};
use resp::Reply;

use super::{CATEGORIES, ORDER};
use crate::admin::server::OPEN;
use crate::admin::{AdminCommand, AdminCx, AdminHandler};
use crate::registry::{Entry, Registry};

pub(super) static DOCS: AdminCommand = Command::new(
    Spec::new(
        "docs",
        Group::Server,
        "7.0.0",
        -2,
        "O(N) where N is the number of commands to look up",
        "Documents commands.",
    )
    .flags(OPEN)
    .acl(CATEGORIES)
    .args(&[Arg::string("command-name").optional().multiple()])
    .tips(ORDER),
    docs as AdminHandler,
);

fn docs(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let (registry, args) = (admin.engine.registry, admin.cx.args);
    let entries: Vec<&Entry> = if args.len() == 2 {
        registry.top_level().collect()
    } else {
        args.iter().skip(2).filter_map(|name| registry.find_full(name)).collect()
    };
    admin.cx.reply.map(entries.len());
    for entry in entries {
        admin.cx.reply.bulk(entry.full_name.as_bytes());
        document(admin.cx.reply, registry, entry);
    }
    Ok(())
}

fn text(reply: &mut Reply, name: &str, value: &str) {
    reply.bulk(name.as_bytes());
    reply.bulk(value.as_bytes());
}

fn document(reply: &mut Reply, registry: &Registry, entry: &Entry) {
    let (spec, subs) = (entry.spec, &entry.subcommands);
    let fields = 3
        + usize::from(!spec.complexity.is_empty())
        + usize::from(!doc_flags(spec).is_empty())
        + 2 * usize::from(spec.deprecated.is_some())
        + usize::from(!spec.history.is_empty())
        + usize::from(!spec.args.is_empty())
        + usize::from(!subs.is_empty());
    reply.map(fields);
    text(reply, "summary", spec.summary);
    text(reply, "since", spec.since);
    text(reply, "group", spec.group.name());
    if !spec.complexity.is_empty() {
        text(reply, "complexity", spec.complexity);
    }
    let doc_flags = doc_flags(spec);
    if !doc_flags.is_empty() {
        reply.bulk(b"doc_flags");
        reply.set(doc_flags.len());
        doc_flags.iter().for_each(|flag| reply.simple(flag));
    }
    if let Some(deprecated) = spec.deprecated {
        text(reply, "deprecated_since", deprecated.since);
        text(reply, "replaced_by", deprecated.replaced_by);
    }
    if !spec.history.is_empty() {
        reply.bulk(b"history");
        reply.set(spec.history.len());
        for (version, change) in spec.history {
            reply.array(2);
            reply.bulk(version.as_bytes());
            reply.bulk(change.as_bytes());
        }
    }
    if !spec.args.is_empty() {
        reply.bulk(b"arguments");
        arguments(reply, spec.args);
    }
    if !subs.is_empty() {
        reply.bulk(b"subcommands");
        reply.map(subs.len());
        for &sub in subs {
            let sub = &registry.entries[sub];
            reply.bulk(sub.full_name.as_bytes());
            document(reply, registry, sub);
        }
    }
}

fn doc_flags(spec: &Spec) -> Vec<&'static str> {
    let flags = [(spec.deprecated.is_some(), "deprecated"), (spec.system, "syscmd")];
    flags.iter().filter(|(on, _)| *on).map(|(_, name)| *name).collect()
}

fn arguments(reply: &mut Reply, args: &[Arg]) {
    reply.array(args.len());
    args.iter().for_each(|arg| argument(reply, arg));
}

fn argument(reply: &mut Reply, arg: &Arg) {
    let flags = [
        (arg.optional, "optional"),
        (arg.multiple, "multiple"),
        (arg.multiple_token, "multiple_token"),
    ];
    let flags: Vec<&str> = flags.iter().filter(|(on, _)| *on).map(|(_, name)| *name).collect();
    // Values have a display text, which is their name unless they say otherwise.
    let nested = matches!(arg.kind, ArgKind::OneOf | ArgKind::Block);
    let display = if nested { arg.display } else { Some(arg.display.unwrap_or(arg.name)) };
    let optional_fields = [
        display.is_some(),
        arg.key_spec.is_some(),
        arg.token.is_some(),
        arg.since.is_some(),
        arg.deprecated_since.is_some(),
        !flags.is_empty(),
        !arg.args.is_empty(),
    ];
    reply.map(2 + optional_fields.iter().filter(|present| **present).count());
    text(reply, "name", arg.name);
    text(reply, "type", arg.kind.name());
    if let Some(display) = display {
        text(reply, "display_text", display);
    }
    if let Some(spec) = arg.key_spec {
        reply.bulk(b"key_spec_index");
        reply.integer(i64::from(spec));
    }
    if let Some(token) = arg.token {
        text(reply, "token", token);
    }
    if let Some(since) = arg.since {
        text(reply, "since", since);
    }
    if let Some(since) = arg.deprecated_since {
        text(reply, "deprecated_since", since);
    }
    if !flags.is_empty() {
        reply.bulk(b"flags");
        reply.set(flags.len());
        flags.iter().for_each(|flag| reply.simple(flag));
    }
    if !arg.args.is_empty() {
        reply.bulk(b"arguments");
        arguments(reply, arg.args);
    }
}
