//! `LATENCY`: what the latency monitor has noted, and how long commands took.

use ::command::spec::Arg;
use ::command::{Command, CommandError, Group, Spec};
use resp::{Length, Reply};

use super::{ADMIN, OPEN};
use crate::admin::{AdminCommand, AdminCx, AdminHandler, container, write_help};
use crate::histogram::Snapshot;
use crate::registry::Entry;

mod doctor;
mod graph;

const EVENT: &[Arg] = &[Arg::string("event")];
const SPECIAL: &[&str] =
    &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"];

const fn spec(
    name: &'static str,
    since: &'static str,
    arity: i16,
    complexity: &'static str,
    summary: &'static str,
) -> Spec {
    Spec::new(name, Group::Server, since, arity, complexity, summary).flags(ADMIN).tips(SPECIAL)
}

/// `LATENCY subcommand ...`
pub static LATENCY: AdminCommand = Command::container(
    Spec::new(
        "latency",
        Group::Server,
        "2.8.13",
        -2,
        "Depends on subcommand.",
        "A container for commands on latency.",
    ),
    container as AdminHandler,
    &[&DOCTOR, &GRAPH, &HELP, &HISTOGRAM, &HISTORY, &LATEST, &RESET],
);

static DOCTOR: AdminCommand = Command::new(
    spec("doctor", "2.8.13", 2, "O(1)", "Tells people what the spikes may come from."),
    doctor as AdminHandler,
);

static GRAPH: AdminCommand = Command::new(
    spec("graph", "2.8.13", 3, "O(1)", "Draws the spikes of an event.").args(EVENT),
    graph as AdminHandler,
);

static HELP: AdminCommand = Command::new(
    Spec::new("help", Group::Server, "2.8.13", 2, "O(1)", "Lists the subcommands.").flags(OPEN),
    help as AdminHandler,
);

static HISTOGRAM: AdminCommand = Command::new(
    spec(
        "histogram",
        "7.0.0",
        -2,
        "O(N) where N is the number of commands with latency information being retrieved.",
        "Returns the distribution of the durations of commands.",
    )
    .args(&[Arg::string("command").optional().multiple()]),
    histogram as AdminHandler,
);

static HISTORY: AdminCommand = Command::new(
    spec("history", "2.8.13", 3, "O(1)", "Returns the spikes of an event.").args(EVENT),
    history as AdminHandler,
);

static LATEST: AdminCommand = Command::new(
    spec("latest", "2.8.13", 2, "O(1)", "Returns the latest spike of each event."),
    latest as AdminHandler,
);

static RESET: AdminCommand = Command::new(
    Spec::new("reset", Group::Server, "2.8.13", -2, "O(1)", "Forgets spikes.")
        .flags(ADMIN)
        .args(&[Arg::string("event").optional().multiple()])
        .tips(&["request_policy:all_nodes", "response_policy:agg_sum"]),
    reset as AdminHandler,
);

fn doctor(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let text = doctor::report(admin.engine);
    admin.cx.reply.verbatim(b"txt", text.as_bytes());
    Ok(())
}

fn graph(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let event = admin.cx.arg(2)?;
    let Some(series) = admin.engine.latency.get(event) else {
        return Err(CommandError::quoting("ERR No samples available for event '", event, "'"));
    };
    let text = graph::draw(event, &series, admin.cx.db.now() / 1_000);
    admin.cx.reply.verbatim(b"txt", text.as_bytes());
    Ok(())
}

fn history(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let series = admin.engine.latency.get(admin.cx.arg(2)?).unwrap_or_default();
    let reply = &mut *admin.cx.reply;
    reply.array(series.samples.len());
    for sample in &series.samples {
        reply.array(2);
        reply.integer(sample.at_s as i64);
        reply.integer(sample.millis as i64);
    }
    Ok(())
}

fn latest(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let all = admin.engine.latency.all();
    let reply = &mut *admin.cx.reply;
    reply.array(all.len());
    for (event, series) in all {
        let last = series.latest();
        reply.array(4);
        reply.bulk(event.as_bytes());
        for number in [last.at_s, last.millis, series.millis_max] {
            reply.integer(number as i64);
        }
    }
    Ok(())
}

fn reset(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let latency = &admin.engine.latency;
    let events = admin.cx.args.tail(2);
    let count = if events.is_empty() {
        latency.reset_all()
    } else {
        events.iter().filter(|event| latency.reset(event)).count()
    };
    admin.cx.reply.integer(count as i64);
    Ok(())
}

fn histogram(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let engine = admin.engine;
    let mut entries: Vec<&Entry> = Vec::new();
    let named = admin.cx.args.tail(2);
    if named.is_empty() {
        entries.extend(&engine.registry.entries);
    }
    for entry in named.iter().filter_map(|name| engine.registry.find_full(name)) {
        let subcommands = entry.subcommands.iter().map(|&sub| &engine.registry.entries[sub]);
        entries.push(entry);
        entries.extend(subcommands);
    }
    let distribution = |entry: &&Entry| {
        let sum = engine.stats.latencies(entry.index);
        (sum.total() > 0).then_some((entry.full_name, sum))
    };
    let known: Vec<(&str, Snapshot)> = if engine.config.get(::config::rows::LATENCY_TRACKING) {
        entries.iter().filter_map(distribution).collect()
    } else {
        Vec::new()
    };
    let reply = &mut *admin.cx.reply;
    reply.map(known.len());
    for (name, sum) in known {
        reply.bulk(name.as_bytes());
        reply.map(2);
        reply.bulk(b"calls");
        reply.integer(sum.total() as i64);
        reply.bulk(b"histogram_usec");
        write_buckets(reply, &sum);
    }
    Ok(())
}

/// How many calls took at most 1, 2, 4, ... microseconds, as far as that number changes.
fn write_buckets(reply: &mut Reply, sum: &Snapshot) {
    let mark = reply.begin_deferred();
    let (mut pairs, mut seen, total) = (0, 0, sum.total());
    for power in 10..=30 {
        // What took longer than the last bucket counts in it.
        let upto = if power == 30 { total } else { sum.cumulative(1 << power) };
        if upto > seen {
            reply.integer(bucket_us(power) as i64);
            reply.integer(upto as i64);
            pairs += 1;
        }
        seen = upto;
        if seen == total {
            break;
        }
    }
    reply.end_deferred(mark, Length::Map, pairs);
}

/// The microseconds by which Redis calls the bucket up to 2^power nanoseconds: the largest duration
/// that its histogram, of two significant digits, cannot tell from the bucket's end.
const fn bucket_us(power: u32) -> u64 {
    ((1 << power) + (1 << (power - 7)) - 1) / 1_000
}

fn help(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let lines = [
        "DOCTOR",
        "    Tell what the spikes may come from.",
        "GRAPH <event>",
        "    Draw the spikes of an event.",
        "HISTORY <event>",
        "    List time and duration of the spikes of an event.",
        "LATEST",
        "    List the latest spike of each event.",
        "RESET [<event> ...]",
        "    Forget the spikes of these events, or of all.",
        "HISTOGRAM [<command> ...]",
        "    Tell how long these commands took, or all.",
    ];
    write_help(admin.cx.reply, "LATENCY", &lines);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::bucket_us;

    #[test]
    fn buckets_are_named_as_redis_names_them() {
        let names: Vec<u64> = (10..=21).map(bucket_us).collect();
        assert_eq!(names, [1, 2, 4, 8, 16, 33, 66, 132, 264, 528, 1056, 2113]);
    }
}
