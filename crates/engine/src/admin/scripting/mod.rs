//! Scripts and functions: `EVAL` and its kin, `SCRIPT`, `FCALL`, `FUNCTION`.

use command::Command;

use super::AdminHandler;
use crate::scripting::Prepare;

pub mod eval;
pub mod fcall;
pub mod function;
pub mod script;

/// What runs a command of this family.
#[derive(Clone, Copy)]
pub(crate) enum ScriptHandler {
    /// Like any administrative command.
    Admin(AdminHandler),
    /// With the thread's interpreter.
    Interpreter(Prepare),
}

/// A command of this family.
pub(crate) type ScriptCommand = Command<ScriptHandler>;

/// The family's table.
pub(crate) const COMMANDS: &[&ScriptCommand] = &[
    &eval::EVAL,
    &eval::EVAL_RO,
    &eval::EVALSHA,
    &eval::EVALSHA_RO,
    &script::SCRIPT,
    &fcall::FCALL,
    &fcall::FCALL_RO,
    &function::FUNCTION,
];
