//! `DEBUG`: what tests and developers need. Runs under all locks, so that it stops the server.

use std::sync::atomic::Ordering;
use std::time::Duration;

use ::command::{Command, CommandError, Flags, Group, Spec};

use super::ADMIN;
use super::config::permits;
use crate::admin::{AdminCommand, AdminCx, AdminHandler, write_help};
use crate::platform::{Crash, LogLevel};

mod digest;
mod inspect;
mod populate;
mod protocol;
mod reload;

/// `DEBUG subcommand ...`
pub static DEBUG: AdminCommand = Command::new(
    Spec::new(
        "debug",
        Group::Server,
        "1.0.0",
        -2,
        "Depends on subcommand.",
        "A container for debugging commands.",
    )
    .flags(ADMIN.union(Flags::WHOLE_KEYSPACE))
    .system(),
    debug as AdminHandler,
);

const NOT_ALLOWED: &str = "ERR DEBUG command not allowed. If the enable-debug-command option is \
     set to \"local\", you can run it from a local connection, otherwise you need to set this \
     option in the configuration file, and then restart the server.";

type Handler = fn(&mut AdminCx<'_>) -> Result<(), CommandError>;

/// Name, least and most arguments including `DEBUG` and the name, code, help.
type Row = (&'static str, usize, usize, Handler, &'static [&'static str]);

const ANY: usize = usize::MAX;

const TABLE: &[Row] = &[
    (
        "ALLOCSIZE-SLOTS-ASSERT",
        3,
        3,
        ok,
        &["ALLOCSIZE-SLOTS-ASSERT <0|1>", "    Accepted; sizes of slots are not kept."],
    ),
    (
        "AOF-FLUSH-SLEEP",
        3,
        3,
        aof_flush_sleep,
        &["AOF-FLUSH-SLEEP <microsec>", "    Sleep before the log is written."],
    ),
    ("ASSERT", 2, 2, |a| die(a, Crash::Assert), &["ASSERT", "    Fail an assertion."]),
    (
        "BREAK-OFF",
        2,
        3,
        break_off,
        &[
            "BREAK-OFF [<key>]",
            "    Break this command off by a panic, with a key in the midst of changing it.",
        ],
    ),
    ("CHANGE-REPL-ID", 2, 2, ok, &["CHANGE-REPL-ID", "    Change the replication id."]),
    (
        "CONFIG-REWRITE-FORCE-ALL",
        2,
        2,
        rewrite_all,
        &["CONFIG-REWRITE-FORCE-ALL", "    Like CONFIG REWRITE, but writes every parameter."],
    ),
    ("CRASH-AND-RECOVER", 2, 3, restart_hard, &["CRASH-AND-RECOVER [<ms>]", "    Crash, restart."]),
    ("DICT-RESIZING", 3, 3, ok, &["DICT-RESIZING <0|1>", "    Accepted; tables need none."]),
    ("DIGEST", 2, 2, digest::digest, &["DIGEST", "    A checksum of the whole dataset."]),
    (
        "DIGEST-VALUE",
        2,
        ANY,
        digest::digest_value,
        &["DIGEST-VALUE <key> [<key> ...]", "    A checksum of each key's value."],
    ),
    ("ERROR", 3, 3, error, &["ERROR <string>", "    Answer with this error."]),
    ("HTSTATS", 3, 4, inspect::htstats, &["HTSTATS <db> [full]", "    About a database's table."]),
    ("HTSTATS-KEY", 3, 4, inspect::htstats_key, &["HTSTATS-KEY <key>", "    About a key's table."]),
    (
        "KEYSIZES-HIST-ASSERT",
        3,
        3,
        assert_sizes,
        &[
            "KEYSIZES-HIST-ASSERT <0|1>",
            "    Whether the histograms of INFO keysizes are compared with the keys at every turn.",
        ],
    ),
    ("LISTPACK", 3, 3, inspect::listpack, &["LISTPACK <key>", "    Log the size of a listpack."]),
    ("LOADAOF", 2, 2, load_log, &["LOADAOF", "    Load the dataset from the append-only file."]),
    ("LOG", 3, 3, log, &["LOG <message>", "    Write <message> to the log."]),
    ("MALLCTL", 3, 4, inspect::mallctl, &["MALLCTL <key> [<value>]", "    Ask the allocator."]),
    ("MALLCTL-STR", 3, 4, inspect::mallctl, &["MALLCTL-STR <key>", "    Ask the allocator."]),
    ("OBJECT", 3, 4, inspect::object, &["OBJECT <key>", "    Low level information on a key."]),
    ("OOM", 2, 2, |a| die(a, Crash::OutOfMemory), &["OOM", "    Run out of memory."]),
    ("PANIC", 2, 2, |a| die(a, Crash::Panic), &["PANIC", "    Panic."]),
    ("PAUSE-CRON", 3, 3, pause_cron, &["PAUSE-CRON <0|1>", "    Stop the periodic work."]),
    (
        "POPULATE",
        3,
        5,
        populate::populate,
        &["POPULATE <count> [<prefix>] [<size>]", "    Create <count> string keys."],
    ),
    ("PROTOCOL", 3, 3, protocol::protocol, &["PROTOCOL <type>", "    Answer with a test value."]),
    (
        "QUICKLIST",
        3,
        4,
        inspect::quicklist,
        &["QUICKLIST <key> [<0|1>]", "    Log the size of a quicklist."],
    ),
    (
        "QUICKLIST-PACKED-THRESHOLD",
        3,
        3,
        packed_threshold,
        &["QUICKLIST-PACKED-THRESHOLD <size>", "    Accepted; nodes are packed by their bytes."],
    ),
    (
        "RELOAD",
        2,
        ANY,
        reload::reload,
        &[
            "RELOAD [MERGE] [NOFLUSH] [NOSAVE]",
            "    Save the dataset, empty the memory, load it again. Without a part of that, or",
            "    with what is loaded in place of keys that are there already.",
        ],
    ),
    (
        "REPLY-COPY-AVOIDANCE",
        3,
        3,
        ok,
        &["REPLY-COPY-AVOIDANCE <0|1>", "    Accepted; replies share large strings."],
    ),
    (
        "REPLYBUFFER",
        4,
        4,
        reply_buffer,
        &["REPLYBUFFER PEAK-RESET-TIME <never|reset|ms> | RESIZING <0|1>", "    Accepted."],
    ),
    ("RESTART", 2, 3, restart, &["RESTART [<ms>]", "    Restart gracefully."]),
    ("SEGFAULT", 2, 2, |a| die(a, Crash::Segfault), &["SEGFAULT", "    Crash."]),
    (
        "SET-ACTIVE-EXPIRE",
        3,
        3,
        set_active_expire,
        &["SET-ACTIVE-EXPIRE <0|1>", "    Whether due keys are removed though nobody asks."],
    ),
    (
        "SET-DISABLE-DENY-SCRIPTS",
        3,
        3,
        set_disable_deny_scripts,
        &[
            "SET-DISABLE-DENY-SCRIPTS <0|1>",
            "    Whether scripts may call commands that are not for them.",
        ],
    ),
    (
        "SET-SKIP-CHECKSUM-VALIDATION",
        3,
        3,
        skip_checksums,
        &[
            "SET-SKIP-CHECKSUM-VALIDATION <0|1>",
            "    Whether RESTORE takes payloads whose checksum is wrong.",
        ],
    ),
    ("SLEEP", 3, 3, sleep, &["SLEEP <seconds>", "    Stop the server for a while."]),
];

fn debug(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let action = admin.engine.config.get(::config::rows::ENABLE_DEBUG_COMMAND);
    if !permits(action, admin) {
        return Err(CommandError::state(NOT_ALLOWED));
    }
    let (name, count) = (admin.cx.arg(1)?, admin.cx.args.len());
    if name.eq_ignore_ascii_case(b"help") && count == 2 {
        let lines: Vec<&str> = TABLE.iter().flat_map(|row| row.4).copied().collect();
        write_help(admin.cx.reply, "DEBUG", &lines);
        return Ok(());
    }
    let row = TABLE.iter().find(|(known, least, most, ..)| {
        known.as_bytes().eq_ignore_ascii_case(name) && (*least..=*most).contains(&count)
    });
    match row {
        Some((.., run, _)) => run(admin),
        None => Err(CommandError::subcommand("DEBUG", name)),
    }
}

fn ok(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    admin.cx.reply.ok();
    Ok(())
}

/// The number that the argument after the subcommand's name begins with; 0 if none.
fn number(admin: &AdminCx<'_>) -> Result<i32, CommandError> {
    admin.cx.arg(2).map(stdx::num::parse_i32_prefix)
}

/// The largest size of a node: 4 GiB but for a margin.
const SIZE_MAX: u64 = (1 << 32) - (1 << 20);

/// Nodes are packed by their bytes here: there is nothing to set.
fn packed_threshold(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let size = admin.cx.arg(2)?;
    match stdx::size::parse_size(size) {
        Some(size) if size <= SIZE_MAX => ok(admin),
        None if size.is_empty() => ok(admin),
        _ => {
            let text = "ERR argument must be a memory value bigger than 1 and smaller than 4gb";
            Err(CommandError::request(text))
        }
    }
}

fn die(admin: &mut AdminCx<'_>, how: Crash) -> Result<(), CommandError> {
    admin.engine.platform.crash(how);
    Err(CommandError::state("ERR this server cannot crash that way"))
}

fn restart(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    die(admin, Crash::Restart { graceful: true })
}

fn restart_hard(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    die(admin, Crash::Restart { graceful: false })
}

fn rewrite_all(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    admin.engine.force_rewrite_all.store(true, Ordering::Relaxed);
    super::config::rewrite(admin)
}

fn error(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    Err(CommandError::quoting("", admin.cx.arg(2)?, ""))
}

fn log(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let text = String::from_utf8_lossy(admin.cx.arg(2)?).into_owned();
    admin.engine.platform.log(LogLevel::Warning, &format!("DEBUG LOG: {text}"));
    ok(admin)
}

fn aof_flush_sleep(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let micros = u64::try_from(number(admin)?).unwrap_or(0);
    admin.engine.aof.flush_sleep_us.store(micros, Ordering::Relaxed);
    ok(admin)
}

fn load_log(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    admin.engine.reload_log(&mut admin.cx.db)?;
    admin.engine.platform.log(LogLevel::Warning, "Append Only File loaded by DEBUG LOADAOF");
    ok(admin)
}

fn pause_cron(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let paused = number(admin)? != 0;
    admin.engine.cron_paused.store(paused, Ordering::Relaxed);
    ok(admin)
}

fn set_active_expire(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let on = number(admin)? != 0;
    admin.engine.active_expire.store(on, Ordering::Relaxed);
    ok(admin)
}

fn assert_sizes(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let on = number(admin)? != 0;
    admin.engine.asserts_sizes.store(on, Ordering::Relaxed);
    ok(admin)
}

fn break_off(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    if let Some(key) = admin.cx.args.get(2) {
        let _changing = admin.cx.db.edit(key);
        panic!("DEBUG BREAK-OFF in the midst of a change");
    }
    panic!("DEBUG BREAK-OFF");
}

fn set_disable_deny_scripts(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let allow = number(admin)? != 0;
    admin.engine.scripting.allows_all.store(allow, Ordering::Relaxed);
    ok(admin)
}

fn skip_checksums(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let skip = number(admin)? != 0;
    admin.engine.store.ignore_checksums(skip);
    ok(admin)
}

fn sleep(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    // The number at the start of the text: clients' own tests send a line's end with it.
    let text = admin.cx.arg(2)?.trim_ascii_start();
    let seconds = stdx::num::parse_f64_prefix(text).map_or(0.0, |(seconds, _)| seconds);
    let duration = Duration::try_from_secs_f64(seconds.max(0.0));
    let duration = duration.map_err(|_| CommandError::OUT_OF_RANGE)?;
    admin.engine.platform.sleep(duration);
    ok(admin)
}

/// Reply buffers here grow and shrink with every flush: there is nothing to set.
fn reply_buffer(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let (option, value) = (admin.cx.arg(2)?, admin.cx.arg(3)?);
    if option.eq_ignore_ascii_case(b"PEAK-RESET-TIME") {
        let word = [&b"never"[..], b"reset"].iter().any(|w| value.eq_ignore_ascii_case(w));
        if !word && stdx::num::parse_i64(value).is_none() {
            return Err(CommandError::NOT_INTEGER);
        }
    } else if !option.eq_ignore_ascii_case(b"RESIZING") {
        return Err(CommandError::subcommand("DEBUG", admin.cx.arg(1)?));
    }
    ok(admin)
}
