//! Scripts and functions: `EVAL` and its kin, `SCRIPT`, `FCALL`, `FUNCTION`.

use command::{ArgReader, Command, CommandError};

use super::{AdminCx, AdminHandler};
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

/// Reads the only argument of a `FLUSH`, which may be missing. What is flushed is freed in the
/// background whatever it says.
fn check_flush(admin: &AdminCx<'_>, error: CommandError) -> Result<(), CommandError> {
    let mut args = ArgReader::new(admin.cx.args, 2);
    let _either = args.token("ASYNC") || args.token("SYNC");
    args.finish().map_err(|_| error)
}

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
