//! `CONFIG`: the parameters at run time.

use ::command::spec::Arg;
use ::command::{Command, CommandError, Group, Spec};
use ::config::{ProtectedAction, RewriteExtras, SetError, SetRules, rows};
use std::sync::atomic::Ordering;

use super::{ADMIN, OPEN};
use crate::admin::{AdminCommand, AdminCx, AdminHandler, container, write_help};
use crate::call::Flow;

/// `CONFIG subcommand ...`
pub static CONFIG: AdminCommand = Command::container(
    Spec::new(
        "config",
        Group::Server,
        "2.0.0",
        -2,
        "Depends on subcommand.",
        "A container for server configuration commands.",
    ),
    container as AdminHandler,
    &[&GET, &HELP, &RESETSTAT, &REWRITE, &SET],
);

static GET: AdminCommand = Command::new(
    Spec::new(
        "get",
        Group::Server,
        "2.0.0",
        -3,
        "O(N) when N is the number of configuration parameters provided",
        "Reads parameters.",
    )
    .flags(ADMIN)
    .history(&[("7.0.0", "Added the ability to pass multiple pattern parameters in one call")])
    .args(&[Arg::string("parameter").multiple()]),
    get as AdminHandler,
);

static SET: AdminCommand = Command::new(
    Spec::new(
        "set",
        Group::Server,
        "2.0.0",
        -4,
        "O(N) when N is the number of configuration parameters provided",
        "Sets parameters, all of them or none.",
    )
    .flags(ADMIN)
    .history(&[("7.0.0", "Added the ability to set multiple parameters in one call.")])
    .args(&[Arg::block("data", &[Arg::string("parameter"), Arg::string("value")]).multiple()])
    .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    set as AdminHandler,
);

static RESETSTAT: AdminCommand = Command::new(
    Spec::new("resetstat", Group::Server, "2.0.0", 2, "O(1)", "Resets the statistics.")
        .flags(ADMIN)
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    resetstat as AdminHandler,
);

static REWRITE: AdminCommand = Command::new(
    Spec::new(
        "rewrite",
        Group::Server,
        "2.8.0",
        2,
        "O(1)",
        "Writes the parameters to the configuration file.",
    )
    .flags(ADMIN)
    .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    rewrite as AdminHandler,
);

static HELP: AdminCommand = Command::new(
    Spec::new("help", Group::Server, "5.0.0", 2, "O(1)", "Lists the subcommands.").flags(OPEN),
    help as AdminHandler,
);

fn help(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let lines = [
        "GET <pattern> [<pattern> ...]",
        "    Read the parameters that match a glob-style <pattern>.",
        "SET <directive> <value> [<directive> <value> ...]",
        "    Set parameters.",
        "RESETSTAT",
        "    Reset the statistics that INFO reports.",
        "REWRITE",
        "    Write the parameters to the configuration file.",
    ];
    write_help(admin.cx.reply, "CONFIG", &lines);
    Ok(())
}

fn get(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let patterns: Vec<&[u8]> = admin.cx.args.iter().skip(2).collect();
    let found = admin.engine.config.matching(&patterns);
    admin.cx.reply.map(found.len());
    for (name, value) in found {
        admin.cx.reply.bulk(&name);
        admin.cx.reply.bulk(&value);
    }
    Ok(())
}

/// Whether a protected action is open to this client: always, never, or on a local connection.
pub(super) fn permits(action: ProtectedAction, admin: &AdminCx<'_>) -> bool {
    let endpoint = &admin.session.handle.endpoint;
    let local = endpoint.unix
        || endpoint.address.starts_with("127.")
        || endpoint.address.starts_with("[::1]")
        || endpoint.address.starts_with("::1");
    match action {
        ProtectedAction::Yes => true,
        ProtectedAction::Local => local,
        ProtectedAction::No => false,
    }
}

fn set(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let args = admin.cx.args;
    if args.len() % 2 == 1 {
        return Err(CommandError::SYNTAX);
    }
    let words: Vec<&[u8]> = args.iter().skip(2).collect();
    let pairs: Vec<(&[u8], &[u8])> = words.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
    let action = admin.engine.config.get(rows::ENABLE_PROTECTED_CONFIGS);
    let engine = admin.engine;
    let protected_allowed = permits(action, admin);
    let rules = SetRules { protected_allowed, loading: engine.is_loading() };
    let in_transaction = admin.in_transaction;
    let mut apply = |change: &::config::Change| engine.apply_change(change, in_transaction);
    let outcome = admin.engine.config.set(&pairs, rules, &mut apply);
    outcome.map_err(|error| match error {
        SetError::Unknown { name } => {
            let before = "ERR Unknown option or number of arguments for CONFIG SET - '";
            CommandError::quoting(before, &name, "'")
        }
        error => CommandError::request(error.to_string()),
    })?;
    admin.engine.config_changed();
    if admin.session.handle.killed.load(Ordering::Acquire) {
        // By the limit on what clients take. The reply is sent, and no command executed any more.
        admin.flow = Flow::Close;
    }
    admin.cx.reply.ok();
    Ok(())
}

fn resetstat(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    admin.engine.scripting.cache.reset_evicted();
    let engine = admin.engine;
    engine.reset_stats();
    engine.client_memory.reset_stats();
    engine.eviction.reset_stats();
    engine.lazy_freed.store(0, Ordering::Relaxed);
    engine.expire_us.store(0, Ordering::Relaxed);
    let used = engine.used_memory.load(Ordering::Relaxed);
    engine.used_memory_peak.store(used, Ordering::Relaxed);
    admin.cx.reply.ok();
    Ok(())
}

pub(super) fn rewrite(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let platform = &admin.engine.platform;
    let failed =
        |reason: String| CommandError::state(format!("ERR Rewriting config file: {reason}"));
    let Some(old) = platform.read_config_file().map_err(failed)? else {
        return Err(CommandError::state("ERR The server is running without a config file"));
    };
    let force_all = admin.engine.force_rewrite_all.swap(false, Ordering::Relaxed);
    // `requirepass` says all that there is to say about users.
    let extras = RewriteExtras { users: Some(&[]), force_all, ..RewriteExtras::default() };
    let new = admin.engine.config.rewrite(old.as_bytes(), &extras);
    let new = String::from_utf8_lossy(&new);
    platform.write_config_file(&new).map_err(failed)?;
    admin.cx.reply.ok();
    Ok(())
}
