//! `MULTI`, `EXEC`, `DISCARD`, `WATCH`, `UNWATCH`.

use command::spec::Arg;
use command::{Categories, Command, CommandError, Flags, Group, KeyFlags, KeySpec, Spec};

use super::{AdminCommand, AdminCx, AdminHandler};
use crate::transaction::Watched;

/// The family's table; `EXEC` is dispatched apart because it locks for its whole queue.
pub const COMMANDS: &[&AdminCommand] = &[&MULTI, &DISCARD, &WATCH, &UNWATCH];

const FLAGS: Flags = Flags::NOSCRIPT
    .union(Flags::LOADING)
    .union(Flags::STALE)
    .union(Flags::FAST)
    .union(Flags::ALLOW_BUSY);

/// `MULTI`
pub static MULTI: AdminCommand = Command::new(
    Spec::new("multi", Group::Transactions, "1.2.0", 1, "O(1)", "Begins a transaction.")
        .flags(FLAGS.union(Flags::IMMEDIATE))
        .acl(Categories::TRANSACTION),
    multi as AdminHandler,
);

/// `EXEC`
pub static EXEC: AdminCommand = Command::new(
    Spec::new(
        "exec",
        Group::Transactions,
        "1.2.0",
        1,
        "Depends on commands in the transaction",
        "Runs the commands of a transaction.",
    )
    .flags(
        Flags::NOSCRIPT
            .union(Flags::LOADING)
            .union(Flags::STALE)
            .union(Flags::SKIP_SLOWLOG)
            .union(Flags::IMMEDIATE),
    )
    .acl(Categories::TRANSACTION),
    exec as AdminHandler,
);

/// `DISCARD`
pub static DISCARD: AdminCommand = Command::new(
    Spec::new(
        "discard",
        Group::Transactions,
        "2.0.0",
        1,
        "O(N), when N is the number of queued commands",
        "Drops a transaction.",
    )
    .flags(FLAGS.union(Flags::IMMEDIATE))
    .acl(Categories::TRANSACTION),
    discard as AdminHandler,
);

/// `WATCH key [key ...]`
pub static WATCH: AdminCommand = Command::new(
    Spec::new(
        "watch",
        Group::Transactions,
        "2.2.0",
        -2,
        "O(1) for every key.",
        "Makes the next transaction depend on keys staying unchanged.",
    )
    .flags(FLAGS.union(Flags::IMMEDIATE))
    .acl(Categories::TRANSACTION)
    .keys(&[KeySpec::range(KeyFlags::RO, 1, -1, 1)])
    .args(&[Arg::key("key", 0).multiple()]),
    watch as AdminHandler,
);

/// `UNWATCH`
pub static UNWATCH: AdminCommand = Command::new(
    Spec::new("unwatch", Group::Transactions, "2.2.0", 1, "O(1)", "Forgets all watched keys.")
        .flags(FLAGS)
        .acl(Categories::TRANSACTION),
    unwatch as AdminHandler,
);

fn multi(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    if admin.session.in_multi() {
        return Err(CommandError::state("ERR MULTI calls can not be nested"));
    }
    admin.session.transaction_mut().queueing = true;
    admin.engine.show_transaction(admin.session);
    admin.cx.reply.ok();
    Ok(())
}

/// Never called: the registry dispatches `EXEC` to the engine, which locks for the whole queue.
fn exec(_: &mut AdminCx<'_>) -> Result<(), CommandError> {
    Err(CommandError::state("ERR EXEC without MULTI"))
}

fn discard(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    if !admin.session.in_multi() {
        return Err(CommandError::state("ERR DISCARD without MULTI"));
    }
    admin.engine.discard(admin.session);
    admin.cx.reply.ok();
    Ok(())
}

fn watch(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    if admin.session.in_multi() {
        return Err(CommandError::state("ERR WATCH inside MULTI is not allowed"));
    }
    let db = admin.session.db();
    let transaction = admin.session.transaction_mut();
    // A transaction that is doomed already needs no further watches.
    if !transaction.flag.is_raised() {
        for key in admin.cx.args.iter().skip(1) {
            if admin.cx.db.watch(key, &transaction.flag) {
                transaction.watch(Watched { db, key: key.into() });
            }
        }
    }
    admin.engine.show_transaction(admin.session);
    admin.cx.reply.ok();
    Ok(())
}

fn unwatch(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    admin.engine.unwatch(admin.session);
    admin.cx.reply.ok();
    Ok(())
}
