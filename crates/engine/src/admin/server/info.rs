//! `INFO`: sections of `field:value` lines that monitoring reads.

use ::command::spec::Arg;
use ::command::{Categories, Command, CommandError, Flags, Group, Spec};

use super::OPEN;
use super::memory::figures::Figures;
use crate::admin::{AdminCommand, AdminCx, AdminHandler};

mod commands;
mod dataset;
mod memory;
mod server;
mod stats;
mod text;

use text::Text;

/// `INFO [section ...]`
pub static INFO: AdminCommand = Command::new(
    Spec::new("info", Group::Server, "1.0.0", -1, "O(1)", "Reports statistics and state.")
        .flags(OPEN.union(Flags::KEYSPACE_WALK))
        .acl(Categories::DANGEROUS)
        .history(&[("7.0.0", "Added support for taking multiple section arguments.")])
        .args(&[Arg::string("section").optional().multiple()])
        .tips(&["nondeterministic_output", "request_policy:all_shards", "response_policy:special"]),
    info as AdminHandler,
);

/// Writes a section's fields.
type Writer = fn(&mut Text, &mut Source<'_, '_>);

/// Where the fields come from.
struct Source<'s, 'a> {
    admin: &'s mut AdminCx<'a>,
    figures: Figures,
}

/// When a section is shown without being named.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// By plain `INFO`, `default`, and by `all` and `everything`.
    Default,
    /// By `all` and `everything`.
    All,
    /// Only by name.
    Named,
}

struct Section {
    name: &'static str,
    heading: &'static str,
    shown: Shown,
    write: Writer,
}

const fn section(
    name: &'static str,
    heading: &'static str,
    shown: Shown,
    write: Writer,
) -> Section {
    Section { name, heading, shown, write }
}

const SECTIONS: &[Section] = &[
    section("server", "Server", Shown::Default, server::server),
    section("clients", "Clients", Shown::Default, server::clients),
    section("memory", "Memory", Shown::Default, memory::memory),
    section("persistence", "Persistence", Shown::Default, dataset::persistence),
    section("threads", "Threads", Shown::Default, server::threads),
    section("stats", "Stats", Shown::Default, stats::stats),
    section("replication", "Replication", Shown::Default, dataset::replication),
    section("cpu", "CPU", Shown::Default, server::cpu),
    section("modules", "Modules", Shown::Default, |_, _| {}),
    section("commandstats", "Commandstats", Shown::All, commands::command_stats),
    section("errorstats", "Errorstats", Shown::Default, commands::error_stats),
    section("latencystats", "Latencystats", Shown::All, commands::latency_stats),
    section("cluster", "Cluster", Shown::Default, dataset::cluster),
    section("keyspace", "Keyspace", Shown::Default, dataset::keyspace),
    section("keysizes", "Keysizes", Shown::Default, dataset::keysizes),
    section("debug", "Debug", Shown::Named, stats::debug),
];

/// The text of all sections, for the crash report.
pub fn sections(admin: &mut AdminCx<'_>) -> String {
    render(admin, |section| section.shown != Shown::Named)
}

fn render(admin: &mut AdminCx<'_>, wanted: impl Fn(&Section) -> bool) -> String {
    let figures = Figures::measure(admin);
    let mut source = Source { admin, figures };
    let mut text = Text::default();
    for section in SECTIONS.iter().filter(|section| wanted(section)) {
        text.heading(section.heading);
        (section.write)(&mut text, &mut source);
    }
    text.finish()
}

fn info(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let names: Vec<Vec<u8>> =
        admin.cx.args.iter().skip(1).map(<[u8]>::to_ascii_lowercase).collect();
    let text = render(admin, |section| {
        let asked = |name: &Vec<u8>| match name.as_slice() {
            b"default" => section.shown == Shown::Default,
            b"all" | b"everything" => section.shown != Shown::Named,
            name => name == section.name.as_bytes(),
        };
        if names.is_empty() { section.shown == Shown::Default } else { names.iter().any(asked) }
    });
    admin.cx.reply.verbatim(b"txt", text.as_bytes());
    Ok(())
}
