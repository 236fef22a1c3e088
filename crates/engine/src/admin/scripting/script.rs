//! `SCRIPT`: the cache of scripts, and the end of one that runs too long.

use ::command::help::write as write_help;
use ::command::spec::Arg;
use ::command::{Categories, Command, CommandError, Flags, Group, Spec};
use ::script::{Origin, Sha};

use super::{ScriptCommand, ScriptHandler, check_flush};
use crate::admin::{AdminCx, container};
use crate::scripting::debugging::{Debugged, Mode};
use crate::scripting::{Ready, add};

const FLAGS: Flags = Flags::NOSCRIPT;
const TIPS: &[&str] = &["request_policy:all_nodes", "response_policy:all_succeeded"];

const fn spec(
    name: &'static str,
    since: &'static str,
    arity: i16,
    complexity: &'static str,
    summary: &'static str,
) -> Spec {
    Spec::new(name, Group::Scripting, since, arity, complexity, summary)
        .flags(FLAGS)
        .acl(Categories::SCRIPTING)
}

/// `SCRIPT subcommand ...`
pub(crate) static SCRIPT: ScriptCommand = Command::container(
    Spec::new(
        "script",
        Group::Scripting,
        "2.6.0",
        -2,
        "Depends on subcommand.",
        "Holds the commands about scripts.",
    ),
    ScriptHandler::Admin(container),
    &[&DEBUG, &EXISTS, &FLUSH, &HELP, &KILL, &LOAD, &SHOW],
);

static DEBUG: ScriptCommand = Command::new(
    spec("debug", "3.2.0", -3, "O(1)", "Sets whether the next scripts are debugged.").args(&[
        Arg::one_of(
            "mode",
            &[Arg::word("yes", "YES"), Arg::word("sync", "SYNC"), Arg::word("no", "NO")],
        ),
        Arg::string("engine").optional(),
    ]),
    ScriptHandler::Admin(debug),
);

static EXISTS: ScriptCommand = Command::new(
    spec(
        "exists",
        "2.6.0",
        -3,
        "O(N) with N being the number of scripts to check.",
        "Tells which scripts the server knows.",
    )
    .args(&[Arg::string("sha1").multiple()])
    .tips(&["request_policy:all_shards", "response_policy:agg_logical_and"]),
    ScriptHandler::Admin(exists),
);

static FLUSH: ScriptCommand = Command::new(
    spec(
        "flush",
        "2.6.0",
        -2,
        "O(N) with N being the number of scripts in cache",
        "Forgets all scripts.",
    )
    .history(&[("6.2.0", "Added the `ASYNC` and `SYNC` flushing mode modifiers.")])
    .args(&[Arg::one_of(
        "flush-type",
        &[Arg::word("async", "ASYNC").since("6.2.0"), Arg::word("sync", "SYNC").since("6.2.0")],
    )
    .since("6.2.0")
    .optional()])
    .tips(TIPS),
    ScriptHandler::Admin(flush),
);

static HELP: ScriptCommand = Command::new(
    Spec::new("help", Group::Scripting, "5.0.0", 2, "O(1)", "Shows the subcommands.")
        .flags(Flags::LOADING.union(Flags::STALE))
        .acl(Categories::SCRIPTING),
    ScriptHandler::Admin(help),
);

static KILL: ScriptCommand = Command::new(
    spec("kill", "2.6.0", 2, "O(1)", "Ends a script that runs too long.")
        .flags(FLAGS.union(Flags::ALLOW_BUSY))
        .tips(&["request_policy:all_shards", "response_policy:one_succeeded"]),
    ScriptHandler::Admin(kill),
);

static LOAD: ScriptCommand = Command::new(
    spec(
        "load",
        "2.6.0",
        3,
        "O(N) with N being the length in bytes of the script body.",
        "Has the server know a script.",
    )
    .flags(FLAGS.union(Flags::STALE))
    .args(&[Arg::string("script")])
    .tips(TIPS),
    ScriptHandler::Interpreter(|engine, lua, args| {
        let text = args.get(2).unwrap_or_default();
        let compiled = add(engine, lua, text, Sha::of(text), Origin::Loaded)?;
        Ok(Ready::Answer(compiled.script.sha.hex().to_vec()))
    }),
);

static SHOW: ScriptCommand = Command::new(
    spec("show", "8.0.0", 3, "O(1).", "Shows the text of a script.").args(&[Arg::string("sha1")]),
    ScriptHandler::Admin(show),
);

fn debug(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    if !admin.cx.reply.is_empty() {
        // What the client is to read before would come in the middle of the debugger's lines.
        return Err(CommandError::state("ERR SCRIPT DEBUG must be called outside a pipeline"));
    }
    check_engine(admin)?;
    let mode = match admin.cx.arg(2)?.to_ascii_uppercase().as_slice() {
        b"NO" => None,
        b"YES" => Some(Mode::Undone),
        b"SYNC" => Some(Mode::Kept),
        _ => return Err(CommandError::request("ERR Use SCRIPT DEBUG YES/SYNC/NO")),
    };
    admin.session.debugged = mode.map(|mode| Box::new(Debugged::new(mode)));
    admin.cx.reply.ok();
    Ok(())
}

/// Valkey's clients name the language of the scripts, of which there is one.
fn check_engine(admin: &AdminCx<'_>) -> Result<(), CommandError> {
    match admin.cx.args.get(3) {
        Some(_) if admin.cx.args.len() > 4 => Err(CommandError::arity("script|debug")),
        Some(name) if !name.eq_ignore_ascii_case(b"lua") => {
            let before = "ERR No scripting engine found with name '";
            Err(CommandError::quoting(before, name, "' to enable debug"))
        }
        _ => Ok(()),
    }
}

fn exists(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let (args, cache) = (admin.cx.args.tail(2), &admin.engine.scripting.cache);
    admin.cx.reply.array(args.len());
    for digest in args {
        let known = Sha::parse(digest).is_some_and(|sha| cache.contains(&sha));
        admin.cx.reply.integer(i64::from(known));
    }
    Ok(())
}

fn flush(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let error = CommandError::request("ERR SCRIPT FLUSH only support SYNC|ASYNC option");
    check_flush(admin, error)?;
    admin.engine.forget_scripts();
    admin.cx.reply.ok();
    Ok(())
}

fn kill(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    admin.engine.scripting.busy.kill(false)?;
    admin.cx.reply.ok();
    Ok(())
}

fn show(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let script = Sha::parse(admin.cx.arg(2)?);
    let script = script.and_then(|sha| admin.engine.scripting.cache.find(&sha));
    let script = script.ok_or_else(|| CommandError::state("NOSCRIPT No matching script."))?;
    admin.cx.reply.bulk(&script.text);
    Ok(())
}

fn help(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let lines = [
        "DEBUG (YES|SYNC|NO) [LUA]",
        "    Set whether the next scripts of this connection are debugged.",
        "EXISTS <sha1> [<sha1> ...]",
        "    Tell which scripts the server knows.",
        "FLUSH [ASYNC|SYNC]",
        "    Forget all scripts.",
        "KILL",
        "    End the script that runs too long.",
        "LOAD <script>",
        "    Have the server know a script without running it.",
        "SHOW <sha1>",
        "    Show the text of a script.",
    ];
    write_help(admin.cx.reply, "SCRIPT", &lines);
    Ok(())
}
