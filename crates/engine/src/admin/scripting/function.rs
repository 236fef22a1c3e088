//! `FUNCTION`: libraries of functions, and the end of a function that runs too long.
//!
//! What changes the libraries holds all locks while it does; see [`crate::scripting::functions`].

use ::command::help::write as write_help;
use ::command::spec::Arg;
use ::command::{Categories, Command, CommandError, Flags, Group, Spec};
use resp::Reply;
use script::functions::{Function, Library};

use super::{ScriptCommand, ScriptHandler, check_flush};
use crate::admin::{AdminCx, container};
use crate::scripting::functions::{load, restore};

const FLAGS: Flags = Flags::NOSCRIPT;
const WRITES: Flags = FLAGS.union(Flags::WRITE);
const GROWS: Flags = WRITES.union(Flags::DENYOOM);
const TIPS: &[&str] = &["request_policy:all_shards", "response_policy:all_succeeded"];
const LINEAR: &str = "O(N) where N is the number of functions";

const fn spec(
    name: &'static str,
    arity: i16,
    complexity: &'static str,
    summary: &'static str,
) -> Spec {
    Spec::new(name, Group::Scripting, "7.0.0", arity, complexity, summary)
        .flags(FLAGS)
        .acl(Categories::SCRIPTING)
}

/// `FUNCTION subcommand ...`
pub(crate) static FUNCTION: ScriptCommand = Command::container(
    Spec::new(
        "function",
        Group::Scripting,
        "7.0.0",
        -2,
        "Depends on subcommand.",
        "Holds the commands about functions.",
    ),
    ScriptHandler::Admin(container),
    &[&DELETE, &DUMP, &FLUSH, &HELP, &KILL, &LIST, &LOAD, &RESTORE, &STATS],
);

static DELETE: ScriptCommand = Command::new(
    spec("delete", 3, "O(1)", "Removes a library and its functions.")
        .flags(WRITES.union(Flags::WHOLE_KEYSPACE))
        .args(&[Arg::string("library-name")])
        .tips(TIPS),
    ScriptHandler::Admin(delete),
);

static DUMP: ScriptCommand = Command::new(
    spec("dump", 2, LINEAR, "Returns all libraries as one payload."),
    ScriptHandler::Admin(dump),
);

static FLUSH: ScriptCommand = Command::new(
    spec(
        "flush",
        -2,
        "O(N) where N is the number of functions deleted",
        "Removes all libraries and functions.",
    )
    .flags(WRITES.union(Flags::WHOLE_KEYSPACE))
    .args(&[Arg::one_of("flush-type", &[Arg::word("async", "ASYNC"), Arg::word("sync", "SYNC")])
        .optional()])
    .tips(TIPS),
    ScriptHandler::Admin(flush),
);

static HELP: ScriptCommand = Command::new(
    spec("help", 2, "O(1)", "Shows the subcommands.").flags(Flags::LOADING.union(Flags::STALE)),
    ScriptHandler::Admin(help),
);

static KILL: ScriptCommand = Command::new(
    spec("kill", 2, "O(1)", "Ends a function that runs too long.")
        .flags(FLAGS.union(Flags::ALLOW_BUSY))
        .tips(&["request_policy:all_shards", "response_policy:one_succeeded"]),
    ScriptHandler::Admin(kill),
);

static LIST: ScriptCommand = Command::new(
    spec("list", -2, LINEAR, "Lists the libraries and their functions.")
        .args(&[
            Arg::string("library-name-pattern").token("LIBRARYNAME").optional(),
            Arg::word("withcode", "WITHCODE").optional(),
        ])
        .tips(&["nondeterministic_output_order"]),
    ScriptHandler::Admin(list),
);

static LOAD: ScriptCommand = Command::new(
    spec(
        "load",
        -3,
        "O(1) (considering compilation time is redundant)",
        "Adds a library of functions.",
    )
    .flags(GROWS)
    .args(&[Arg::word("replace", "REPLACE").optional(), Arg::string("function-code")])
    .tips(TIPS),
    ScriptHandler::Interpreter(load),
);

static RESTORE: ScriptCommand = Command::new(
    spec(
        "restore",
        -3,
        "O(N) where N is the number of functions on the payload",
        "Adds the libraries of a payload.",
    )
    .flags(GROWS)
    .args(&[
        Arg::string("serialized-value"),
        Arg::one_of(
            "policy",
            &[
                Arg::word("flush", "FLUSH"),
                Arg::word("append", "APPEND"),
                Arg::word("replace", "REPLACE"),
            ],
        )
        .optional(),
    ])
    .tips(TIPS),
    ScriptHandler::Interpreter(restore),
);

static STATS: ScriptCommand = Command::new(
    spec("stats", 2, "O(1)", "Tells of the function that is running and of the engines.")
        .flags(FLAGS.union(Flags::ALLOW_BUSY))
        .tips(&["nondeterministic_output", "request_policy:all_shards", "response_policy:special"]),
    ScriptHandler::Admin(stats),
);

fn delete(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    if !admin.engine.scripting.libraries.remove(admin.cx.arg(2)?) {
        return Err(CommandError::state("ERR Library not found"));
    }
    admin.cx.db.effects.dirty += 1;
    admin.cx.reply.ok();
    Ok(())
}

fn dump(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let payload = admin.engine.dump_libraries();
    admin.cx.reply.bulk(&payload);
    Ok(())
}

fn flush(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    if admin.cx.args.len() > 3 {
        return Err(CommandError::subcommand("FUNCTION", admin.cx.arg(1)?));
    }
    let error = CommandError::request("ERR FUNCTION FLUSH only supports SYNC|ASYNC option");
    check_flush(admin, error)?;
    let gone = admin.engine.scripting.libraries.flush();
    admin.engine.platform.background(Box::new(move || drop(gone)));
    // No libraries are flushed on replicas and in the log all the same.
    admin.cx.db.effects.dirty += 1;
    admin.cx.reply.ok();
    Ok(())
}

fn kill(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    admin.engine.scripting.busy.kill(true)?;
    admin.cx.reply.ok();
    Ok(())
}

fn list(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let (mut pattern, mut with_code) = (None, false);
    let mut words = admin.cx.args.iter().skip(2);
    while let Some(word) = words.next() {
        if !with_code && word.eq_ignore_ascii_case(b"WITHCODE") {
            with_code = true;
        } else if pattern.is_none() && word.eq_ignore_ascii_case(b"LIBRARYNAME") {
            let text = "ERR library name argument was not given";
            pattern = Some(words.next().ok_or_else(|| CommandError::request(text))?);
        } else {
            return Err(CommandError::quoting("ERR Unknown argument ", word, ""));
        }
    }
    let shown = |library: &Library| {
        pattern.is_none_or(|pattern| stdx::glob::matches(pattern, library.name.as_bytes(), true))
    };
    let mut libraries = admin.engine.scripting.libraries.list();
    libraries.retain(|library| shown(library));
    let reply = &mut *admin.cx.reply;
    reply.array(libraries.len());
    for library in libraries {
        write_library(reply, &library, with_code);
    }
    Ok(())
}

fn write_library(reply: &mut Reply, library: &Library, with_code: bool) {
    reply.map(if with_code { 4 } else { 3 });
    reply.bulk(b"library_name");
    reply.bulk(library.name.as_bytes());
    reply.bulk(b"engine");
    reply.bulk(b"LUA");
    reply.bulk(b"functions");
    reply.array(library.functions.len());
    for Function { name, description, flags, .. } in &library.functions {
        reply.map(3);
        reply.bulk(b"name");
        reply.bulk(name.as_bytes());
        reply.bulk(b"description");
        match description {
            Some(text) => reply.bulk(text),
            None => reply.null(),
        }
        reply.bulk(b"flags");
        reply.set(flags.words().count());
        flags.words().for_each(|word| reply.simple(word));
    }
    if with_code {
        reply.bulk(b"library_code");
        reply.bulk(&library.text);
    }
}

fn stats(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let running = admin.engine.scripting.busy.function()?;
    let figures = admin.engine.scripting.libraries.figures();
    let now_ns = admin.engine.clock.monotonic_ns();
    let reply = &mut *admin.cx.reply;
    reply.map(2);
    reply.bulk(b"running_script");
    match running {
        Some(function) => {
            reply.map(3);
            reply.bulk(b"name");
            reply.bulk(&function.name);
            reply.bulk(b"command");
            reply.array(function.command.len());
            function.command.iter().for_each(|argument| reply.bulk(argument));
            reply.bulk(b"duration_ms");
            let elapsed_ns = now_ns.saturating_sub(function.started_ns);
            reply.integer((elapsed_ns / 1_000_000) as i64);
        }
        None => reply.null(),
    }
    reply.bulk(b"engines");
    reply.map(1);
    reply.bulk(b"LUA");
    reply.map(2);
    reply.bulk(b"libraries_count");
    reply.integer(figures.libraries as i64);
    reply.bulk(b"functions_count");
    reply.integer(figures.functions as i64);
    Ok(())
}

fn help(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let lines = [
        "DELETE <LIBRARY NAME>",
        "    Remove a library and its functions.",
        "DUMP",
        "    Return all libraries as one payload, which FUNCTION RESTORE takes.",
        "FLUSH [ASYNC|SYNC]",
        "    Remove all libraries.",
        "KILL",
        "    End the function that runs too long.",
        "LIST [LIBRARYNAME PATTERN] [WITHCODE]",
        "    List the libraries, all or those whose name matches a pattern, with their functions",
        "    and, if that is asked for, their code.",
        "LOAD [REPLACE] <FUNCTION CODE>",
        "    Add a library, or put it in the place of the one with its name.",
        "RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]",
        "    Add the libraries of a payload. Those that are there go (FLUSH), must have other",
        "    names (APPEND, the default), or are replaced where they have the same (REPLACE).",
        "STATS",
        "    Tell of the function that runs too long, and how many libraries and functions there",
        "    are.",
    ];
    write_help(admin.cx.reply, "FUNCTION", &lines);
    Ok(())
}
