//! `DEBUG RELOAD`: the dataset to the disk and back.

use command::CommandError;
use store::load::Existing;

use crate::admin::AdminCx;
use crate::loading::Reload;
use crate::platform::LogLevel;

const OPTIONS: &str = "ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.";

/// `DEBUG RELOAD [MERGE] [NOFLUSH] [NOSAVE]`
pub(super) fn reload(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let mut how = Reload { saves: true, flushes: true, existing: Existing::Refuse };
    for option in admin.cx.args.iter().skip(2) {
        match option.to_ascii_uppercase().as_slice() {
            b"MERGE" => how.existing = Existing::Replace,
            b"NOFLUSH" => how.flushes = false,
            b"NOSAVE" => how.saves = false,
            _ => return Err(CommandError::state(OPTIONS)),
        }
    }
    admin.engine.reload(&mut admin.cx.db, how)?;
    admin.engine.platform.log(LogLevel::Warning, "DB reloaded by DEBUG RELOAD");
    admin.cx.reply.ok();
    Ok(())
}
