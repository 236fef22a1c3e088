//! `FCALL`, `FCALL_RO`.

use command::spec::Arg;
use command::{Categories, Command, Group, Spec};

use super::eval::{FLAGS, KEYS, READ_FLAGS, READ_KEYS};
use super::{ScriptCommand, ScriptHandler};
use crate::scripting::functions::by_function;

const COMPLEXITY: &str = "Depends on the function that is executed.";
const ARGS: &[Arg] = &[
    Arg::string("function"),
    Arg::integer("numkeys"),
    Arg::key("key", 0).optional().multiple(),
    Arg::string("arg").optional().multiple(),
];

const fn spec(name: &'static str, summary: &'static str) -> Spec {
    Spec::new(name, Group::Scripting, "7.0.0", -3, COMPLEXITY, summary)
        .acl(Categories::SCRIPTING)
        .args(ARGS)
}

/// `FCALL function numkeys [key [key ...]] [arg [arg ...]]`
pub(crate) static FCALL: ScriptCommand = Command::new(
    spec("fcall", "Calls a function.").flags(FLAGS).keys(KEYS),
    ScriptHandler::Interpreter(|engine, lua, args| by_function(engine, lua, args, false)),
);

/// `FCALL_RO function numkeys [key [key ...]] [arg [arg ...]]`
pub(crate) static FCALL_RO: ScriptCommand = Command::new(
    spec("fcall_ro", "Calls a function that must not write.").flags(READ_FLAGS).keys(READ_KEYS),
    ScriptHandler::Interpreter(|engine, lua, args| by_function(engine, lua, args, true)),
);
