//! `TIME`, `LASTSAVE`, `ROLE`: small facts about the server.

use ::command::{Categories, Command, CommandError, Flags, Group, Spec};

use super::OPEN;
use crate::admin::{AdminCommand, AdminCx, AdminHandler};

/// `TIME`
pub static TIME: AdminCommand = Command::new(
    Spec::new("time", Group::Server, "2.6.0", 1, "O(1)", "Tells the server's time.")
        .flags(OPEN.union(Flags::FAST))
        .tips(&["nondeterministic_output"]),
    time as AdminHandler,
);

/// `LASTSAVE`
pub static LASTSAVE: AdminCommand = Command::new(
    Spec::new(
        "lastsave",
        Group::Server,
        "1.0.0",
        1,
        "O(1)",
        "Tells the unix time of the last successful save to disk.",
    )
    .flags(OPEN.union(Flags::FAST))
    .acl(Categories::ADMIN.union(Categories::DANGEROUS))
    .tips(&["nondeterministic_output"]),
    lastsave as AdminHandler,
);

/// `ROLE`
pub static ROLE: AdminCommand = Command::new(
    Spec::new("role", Group::Server, "2.8.12", 1, "O(1)", "Tells the role in replication.")
        .flags(OPEN.union(Flags::NOSCRIPT).union(Flags::FAST))
        .acl(Categories::ADMIN.union(Categories::DANGEROUS)),
    role as AdminHandler,
);

fn time(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    // A transaction and a script see one moment, a script as long as it is not slow.
    let now_us =
        if admin.time_stands { admin.cx.db.now() * 1000 } else { admin.engine.clock.unix_us() };
    let reply = &mut *admin.cx.reply;
    reply.array(2);
    reply.bulk_int((now_us / 1_000_000) as i64);
    reply.bulk_int((now_us % 1_000_000) as i64);
    Ok(())
}

fn lastsave(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let at = admin.engine.saving.last_save_s();
    admin.cx.reply.integer(at as i64);
    Ok(())
}

/// A primary without replicas: its offset and none.
fn role(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let reply = &mut *admin.cx.reply;
    reply.array(3);
    reply.bulk(b"master");
    reply.integer(0);
    reply.array(0);
    Ok(())
}
