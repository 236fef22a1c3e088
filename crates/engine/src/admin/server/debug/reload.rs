//! `DEBUG RELOAD`: the dataset to the disk and back.

use command::CommandError;
use store::load::Existing;

use crate::admin::AdminCx;
use crate::platform::LogLevel;

const OPTIONS: &str = "ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.";

/// `DEBUG RELOAD [MERGE] [NOFLUSH] [NOSAVE]`
pub(super) fn reload(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let (mut existing, mut flushes, mut saves) = (Existing::Refuse, true, true);
    for option in admin.cx.args.iter().skip(2) {
        match option.to_ascii_uppercase().as_slice() {
            b"MERGE" => existing = Existing::Replace,
            b"NOFLUSH" => flushes = false,
            b"NOSAVE" => saves = false,
            _ => return Err(CommandError::state(OPTIONS)),
        }
    }
    if saves {
        return Err(CommandError::state("ERR this server does not save; use NOSAVE"));
    }
    admin.engine.reload(&mut admin.cx.db, flushes, existing)?;
    admin.engine.platform.log(LogLevel::Warning, "DB reloaded by DEBUG RELOAD");
    admin.cx.reply.ok();
    Ok(())
}
