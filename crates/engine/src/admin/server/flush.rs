//! `FLUSHALL`, `FLUSHDB`.
//!
//! The tables are taken out under all locks, which takes microseconds whatever their size, and
//! freed in the background. `SYNC` only makes the client wait until they are; its event loop and
//! everybody else go on.

use std::sync::Arc;

use ::command::spec::Arg;
use ::command::{Categories, Command, CommandError, Flags, Group, Spec};
use store::effects::Garbage;

use crate::admin::{AdminCommand, AdminCx, AdminHandler};
use crate::call::Flow;
use crate::platform::Message;
use crate::session::ReplyMode;

const FLAGS: Flags = Flags::WRITE.union(Flags::WHOLE_KEYSPACE);
const CATEGORIES: Categories = Categories::KEYSPACE.union(Categories::DANGEROUS);
const MODE: &[Arg] = &[Arg::one_of(
    "flush-type",
    &[Arg::word("async", "ASYNC").since("4.0.0"), Arg::word("sync", "SYNC").since("6.2.0")],
)
.optional()];
const HISTORY: &[(&str, &str)] = &[
    ("4.0.0", "Added the `ASYNC` flushing mode modifier."),
    ("6.2.0", "Added the `SYNC` flushing mode modifier."),
];
const TIPS: &[&str] = &["request_policy:all_shards", "response_policy:all_succeeded"];

/// `FLUSHALL [ASYNC | SYNC]`
pub static FLUSHALL: AdminCommand = Command::new(
    Spec::new(
        "flushall",
        Group::Server,
        "1.0.0",
        -1,
        "O(N) where N is the total number of keys in all databases",
        "Removes all keys from all databases.",
    )
    .flags(FLAGS)
    .acl(CATEGORIES)
    .args(MODE)
    .history(HISTORY)
    .tips(TIPS),
    flushall as AdminHandler,
);

/// `FLUSHDB [ASYNC | SYNC]`
pub static FLUSHDB: AdminCommand = Command::new(
    Spec::new(
        "flushdb",
        Group::Server,
        "1.0.0",
        -1,
        "O(N) where N is the number of keys in the selected database",
        "Removes all keys from the selected database.",
    )
    .flags(FLAGS)
    .acl(CATEGORIES)
    .args(MODE)
    .history(HISTORY)
    .tips(TIPS),
    flushdb as AdminHandler,
);

fn flushall(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    flush(admin, None)
}

fn flushdb(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let db = admin.cx.db.scope.db;
    flush(admin, Some(db))
}

/// Whether the client asked for, or configured, to be answered before the memory is free.
fn asynchronous(admin: &AdminCx<'_>) -> Result<bool, CommandError> {
    let mut args = admin.cx.reader();
    let asynchronous = if args.token("ASYNC") {
        true
    } else if args.token("SYNC") {
        false
    } else {
        admin.engine.config.get(config::rows::LAZYFREE_LAZY_USER_FLUSH)
    };
    args.finish()?;
    Ok(asynchronous)
}

fn flush(admin: &mut AdminCx<'_>, db: Option<usize>) -> Result<(), CommandError> {
    let asynchronous = asynchronous(admin)?;
    let before = admin.cx.db.effects.garbage.len();
    admin.cx.db.flush(db);
    if db.is_none() {
        let pending = admin.cx.db.effects.dirty + 1;
        admin.engine.flushed(pending);
    }
    // An empty dataset is flushed on replicas and in the log all the same.
    admin.cx.db.effects.dirty += 1;
    let garbage = admin.cx.db.effects.garbage.split_off(before);
    let objects: usize = garbage.iter().map(Garbage::objects).sum();
    if asynchronous || admin.in_transaction || objects <= INLINE_MAX {
        admin.cx.db.effects.garbage.extend(garbage);
        admin.cx.reply.ok();
    } else {
        wait_for(admin, garbage);
    }
    Ok(())
}

/// A flush of so few keys is not worth a wait.
const INLINE_MAX: usize = 1_000;

/// Frees in the background and answers when that is done, if the session wants the answer: its
/// mode is that of this command, whatever it is when the answer is due.
fn wait_for(admin: &mut AdminCx<'_>, garbage: Vec<Garbage>) {
    let (thread, client) = (admin.session.handle.thread, admin.session.id());
    let platform = Arc::clone(&admin.engine.platform);
    let wanted = admin.session.reply_mode == ReplyMode::On;
    let free = admin.engine.freeing_task(garbage);
    admin.engine.platform.background(Box::new(move || {
        free();
        let reply = wanted.then(|| b"+OK\r\n".to_vec());
        platform.send(thread, Message::Resume { client, reply });
    }));
    admin.flow = Flow::Wait;
}
