//! `BGREWRITEAOF`, `WAITAOF`, `WAIT`: the append-only file and the replicas.

use ::command::spec::Arg;
use ::command::{Categories, Command, CommandError, Flags, Group, Spec};
use store::ValueType;
use store::effects::{Awaited, Denied, Wait};

use crate::admin::{AdminCommand, AdminCx, AdminHandler};
use crate::aof::NO_LOG;

/// `BGREWRITEAOF`
pub static BGREWRITEAOF: AdminCommand = Command::new(
    Spec::new(
        "bgrewriteaof",
        Group::Server,
        "1.0.0",
        1,
        "O(1)",
        "Writes the append-only file anew in the background.",
    )
    .flags(Flags::ADMIN.union(Flags::NOSCRIPT).union(Flags::NO_ASYNC_LOADING)),
    bgrewriteaof as AdminHandler,
);

/// `WAIT numreplicas timeout`
pub static WAIT: AdminCommand = Command::new(
    Spec::new(
        "wait",
        Group::Generic,
        "3.0.0",
        3,
        "O(1)",
        "Waits until replicas have what the connection has changed.",
    )
    .flags(Flags::BLOCKING)
    .acl(Categories::CONNECTION)
    .args(&[Arg::integer("numreplicas"), Arg::integer("timeout")])
    .tips(TIPS),
    wait as AdminHandler,
);

/// `WAITAOF numlocal numreplicas timeout`
pub static WAITAOF: AdminCommand = Command::new(
    Spec::new(
        "waitaof",
        Group::Generic,
        "7.2.0",
        4,
        "O(1)",
        "Waits until the append-only files here and on replicas have what the connection has \
         changed.",
    )
    .flags(Flags::BLOCKING)
    .acl(Categories::CONNECTION)
    .args(&[Arg::integer("numlocal"), Arg::integer("numreplicas"), Arg::integer("timeout")])
    .tips(TIPS),
    waitaof as AdminHandler,
);

const TIPS: &[&str] = &["request_policy:all_shards", "response_policy:agg_min"];

fn bgrewriteaof(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let status = admin.engine.ask_for_rewrite(admin.in_transaction)?;
    admin.cx.reply.simple(status);
    Ok(())
}

/// A timeout in milliseconds; 0 waits for ever. It must end at a time that has a number.
fn timeout(word: &[u8], now_ms: u64) -> Result<Option<u64>, CommandError> {
    let number = stdx::num::parse_i64(word)
        .ok_or_else(|| CommandError::request("ERR timeout is not an integer or out of range"))?;
    let number =
        u64::try_from(number).map_err(|_| CommandError::request("ERR timeout is negative"))?;
    if number > i64::MAX as u64 - now_ms {
        return Err(CommandError::request("ERR timeout is out of range"));
    }
    Ok(Some(number).filter(|&number| number > 0))
}

fn wait(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let mut reader = admin.cx.reader();
    let replicas = reader.integer();
    reader.check()?;
    let timeout_ms = timeout(reader.bytes(), admin.engine.clock.unix_ms())?;
    if replicas <= 0 || admin.in_transaction {
        admin.cx.reply.integer(0);
    } else {
        suspend(admin, timeout_ms, Awaited::Replicas);
    }
    Ok(())
}

fn waitaof(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let mut reader = admin.cx.reader();
    let local = reader.integer();
    reader.check()?;
    if !(0..=1).contains(&local) {
        let text = "ERR value is out of range, value must between 0 and 1";
        return Err(CommandError::request(text));
    }
    let replicas = reader.integer();
    reader.check()?;
    if replicas < 0 {
        return Err(CommandError::NOT_POSITIVE);
    }
    let timeout_ms = timeout(reader.bytes(), admin.engine.clock.unix_ms())?;
    let engine = admin.engine;
    if local > 0 && !engine.log_is_kept() {
        return Err(NO_LOG);
    }
    let position = admin.session.logged;
    let is_done = replicas == 0 && (local == 0 || engine.log_is_durable(position));
    if is_done || admin.in_transaction {
        engine.write_log_wait(position, admin.cx.reply);
        return Ok(());
    }
    let awaited = Awaited::Log { position, replicas: replicas > 0 };
    suspend(admin, timeout_ms, awaited);
    Ok(())
}

fn suspend(admin: &mut AdminCx<'_>, timeout_ms: Option<u64>, awaited: Awaited) {
    admin.cx.db.effects.wait = Some(Wait {
        keys: Vec::new(),
        wanted: ValueType::String,
        on_loss: false,
        timeout_ms,
        denied: Denied::Null,
        args: None,
        awaited,
    });
}
