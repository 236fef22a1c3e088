//! `EVAL`, `EVALSHA`, `EVAL_RO`, `EVALSHA_RO`.

use command::spec::Arg;
use command::{Categories, Command, Flags, Group, KeyFlags, KeySpec, Spec};

use super::{ScriptCommand, ScriptHandler};
use crate::scripting::{by_digest, by_text};

const COMMON: Flags = Flags::NOSCRIPT
    .union(Flags::STALE)
    .union(Flags::SKIP_MONITOR)
    .union(Flags::MOVABLE_KEYS)
    .union(Flags::NO_MANDATORY_KEYS);
pub(super) const FLAGS: Flags = COMMON.union(Flags::MAY_REPLICATE);
pub(super) const READ_FLAGS: Flags = COMMON.union(Flags::READONLY);
const NOTES: &str =
    "We cannot tell how the keys will be used so we assume the worst, RW and UPDATE";
const READ_NOTES: &str =
    "We cannot tell how the keys will be used so we assume the worst, RO and ACCESS";
const KEY: KeySpec =
    KeySpec::counted(KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::UPDATE), 2);
const READ_KEY: KeySpec = KeySpec::counted(KeyFlags::RO.union(KeyFlags::ACCESS), 2);
pub(super) const KEYS: &[KeySpec] = &[KEY.notes(NOTES)];
pub(super) const READ_KEYS: &[KeySpec] = &[READ_KEY.notes(READ_NOTES)];
const COMPLEXITY: &str = "Depends on the script that is executed.";
const TEXT: &[Arg] = &[
    Arg::string("script"),
    Arg::integer("numkeys"),
    Arg::key("key", 0).optional().multiple(),
    Arg::string("arg").optional().multiple(),
];
const DIGEST: &[Arg] = &[
    Arg::string("sha1"),
    Arg::integer("numkeys"),
    Arg::key("key", 0).optional().multiple(),
    Arg::string("arg").optional().multiple(),
];

const fn spec(name: &'static str, since: &'static str, summary: &'static str) -> Spec {
    Spec::new(name, Group::Scripting, since, -3, COMPLEXITY, summary).acl(Categories::SCRIPTING)
}

/// `EVAL script numkeys [key [key ...]] [arg [arg ...]]`
pub(crate) static EVAL: ScriptCommand = Command::new(
    spec("eval", "2.6.0", "Runs a Lua script.").flags(FLAGS).keys(KEYS).args(TEXT),
    ScriptHandler::Interpreter(|engine, lua, args| by_text(engine, lua, args, false)),
);

/// `EVAL_RO script numkeys [key [key ...]] [arg [arg ...]]`
pub(crate) static EVAL_RO: ScriptCommand = Command::new(
    spec("eval_ro", "7.0.0", "Runs a Lua script that must not write.")
        .flags(READ_FLAGS)
        .keys(READ_KEYS)
        .args(TEXT),
    ScriptHandler::Interpreter(|engine, lua, args| by_text(engine, lua, args, true)),
);

/// `EVALSHA sha1 numkeys [key [key ...]] [arg [arg ...]]`
pub(crate) static EVALSHA: ScriptCommand = Command::new(
    spec("evalsha", "2.6.0", "Runs a Lua script that the server knows.")
        .flags(FLAGS)
        .keys(&[KEY])
        .args(DIGEST),
    ScriptHandler::Interpreter(|engine, lua, args| by_digest(engine, lua, args, false)),
);

/// `EVALSHA_RO sha1 numkeys [key [key ...]] [arg [arg ...]]`
pub(crate) static EVALSHA_RO: ScriptCommand = Command::new(
    spec("evalsha_ro", "7.0.0", "Runs a Lua script that the server knows and that must not write.")
        .flags(READ_FLAGS)
        .keys(&[READ_KEY])
        .args(DIGEST),
    ScriptHandler::Interpreter(|engine, lua, args| by_digest(engine, lua, args, true)),
);
