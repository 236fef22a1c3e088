//! `SAVE`, `BGSAVE`.
//!
//! Neither stops the server: `SAVE` only makes its client wait for the file.

use std::sync::Arc;

use ::command::spec::Arg;
use ::command::{Command, CommandError, Flags, Group, Spec};

use crate::admin::{AdminCommand, AdminCx, AdminHandler};
use crate::call::Flow;
use crate::platform::Message;
use crate::saving::{Busy, Cancelled};
use crate::session::ReplyMode;

/// `SAVE`
pub static SAVE: AdminCommand = Command::new(
    Spec::new(
        "save",
        Group::Server,
        "1.0.0",
        1,
        "O(N) where N is the total number of keys in all databases",
        "Saves the dataset to disk and answers when that is done.",
    )
    .flags(FLAGS.union(Flags::NO_MULTI)),
    save as AdminHandler,
);

/// `BGSAVE [SCHEDULE | CANCEL]`
pub static BGSAVE: AdminCommand = Command::new(
    Spec::new(
        "bgsave",
        Group::Server,
        "1.0.0",
        -1,
        "O(1)",
        "Saves the dataset to disk in the background.",
    )
    .flags(FLAGS)
    .history(&[("3.2.2", "Added the `SCHEDULE` option."), ("8.1.0", "Added the `CANCEL` option.")])
    .args(&[Arg::one_of(
        "operation",
        &[
            Arg::word("schedule", "SCHEDULE").since("3.2.2"),
            Arg::word("cancel", "CANCEL").since("8.1.0"),
        ],
    )
    .optional()]),
    bgsave as AdminHandler,
);

const FLAGS: Flags = Flags::ADMIN.union(Flags::NOSCRIPT).union(Flags::NO_ASYNC_LOADING);
const IN_PROGRESS: &str = "ERR Background save already in progress";
const SCHEDULED: &str = "Background saving scheduled";

fn save(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let engine = admin.engine;
    let shared = engine.shared().ok_or_else(in_progress)?;
    let job = engine.begin_save(false).map_err(|_| in_progress())?;
    let (thread, client) = (admin.session.handle.thread, admin.session.id());
    let wanted = admin.session.reply_mode == ReplyMode::On;
    let (waiting, running) = (Arc::clone(&shared), Arc::clone(&job.running));
    let task = move || {
        let reply = match waiting.finish_save(job) {
            Ok(()) => b"+OK\r\n".to_vec(),
            Err(_) => b"-ERR\r\n".to_vec(),
        };
        let reply = wanted.then_some(reply);
        waiting.platform.send(thread, Message::Resume { client, reply });
    };
    let spawned = shared.platform.spawn("ferrite-save", Box::new(task));
    spawned.map_err(|reason| shared.save_not_begun(&running, &reason))?;
    admin.flow = Flow::Wait;
    Ok(())
}

fn bgsave(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let engine = admin.engine;
    let mut args = admin.cx.reader();
    let schedules = args.token("SCHEDULE");
    if !schedules && args.token("CANCEL") {
        args.finish()?;
        return cancel(admin);
    }
    args.finish()?;
    if engine.saving.progress().is_some() {
        return Err(in_progress());
    }
    // A transaction is whole in a snapshot or not in it at all: the save begins behind it.
    let begun =
        if admin.in_transaction { Err(Busy::Snapshot) } else { engine.save_in_background() };
    match begun {
        Ok(begun) => {
            begun?;
            admin.cx.reply.simple("Background saving started");
        }
        Err(Busy::Saving) => return Err(in_progress()),
        Err(Busy::Snapshot) if schedules || admin.in_transaction => {
            engine.saving.schedule();
            admin.cx.reply.simple(SCHEDULED);
        }
        Err(Busy::Snapshot) => {
            return Err(CommandError::state(
                "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE \
                 SCHEDULE in order to schedule a BGSAVE whenever possible.",
            ));
        }
    }
    Ok(())
}

fn in_progress() -> CommandError {
    CommandError::state(IN_PROGRESS)
}

fn cancel(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let text = match admin.engine.saving.cancel() {
        Cancelled::Running => "Background saving cancelled",
        Cancelled::Scheduled => "Scheduled background saving cancelled",
        Cancelled::Nothing => {
            let text = "ERR Background saving is currently not in progress or scheduled";
            return Err(CommandError::state(text));
        }
    };
    admin.cx.reply.simple(text);
    Ok(())
}
