//! `DEBUG OBJECT`, `HTSTATS`, `MALLCTL`: what is inside.

use ::command::CommandError;

use ::config::rows::RDBCOMPRESSION;
use format::rdb::{Options, Version, encode};
use format::sink::Count;
use store::{Overdue, ValueRef, encoding_name};

use crate::admin::AdminCx;
use crate::platform::LogLevel;

pub(super) fn object(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let key = admin.cx.arg(2)?;
    let (now, access) = (admin.cx.db.now(), admin.cx.db.scope.access);
    let compress = admin.engine.config.get(RDBCOMPRESSION);
    let options = Options { version: Version::V10, compress };
    // Also a key whose time is over, as long as nobody has removed it.
    admin.cx.db.scope.overdue = Overdue::Show;
    let entry = admin.cx.db.peek(key).ok_or(CommandError::NO_SUCH_KEY)?;
    let (clock, encoding) = (entry.clock(), encoding_name(entry.value()));
    let idle = access.idle_seconds(clock, now);
    // Where the entry is; telling it is the point of the command.
    let address = entry.key().as_ptr().addr();
    let text = format!(
        "Value at:{address:#x} refcount:1 encoding:{encoding} serializedlength:{} lru:{clock} \
         lru_seconds_idle:{idle}",
        serialized_length(entry.value(), options),
    );
    admin.cx.reply.simple(&text);
    Ok(())
}

/// Tests ask for it to be printed, and look at the reply alone.
pub(super) fn listpack(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    print(admin, "Listpack", &["listpack", "listpackex"])
}

/// As [`listpack`].
pub(super) fn quicklist(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    print(admin, "Quicklist", &["quicklist"])
}

/// Writes the size of a value to the log, if it is in one of these encodings.
fn print(admin: &mut AdminCx<'_>, what: &str, encodings: &[&str]) -> Result<(), CommandError> {
    let key = admin.cx.arg(2)?;
    let entry = admin.cx.db.peek(key).ok_or(CommandError::NO_SUCH_KEY)?;
    if !encodings.contains(&encoding_name(entry.value())) {
        let text = format!("ERR Not a {} encoded object.", what.to_lowercase());
        return Err(CommandError::state(text));
    }
    let options = Options { version: Version::V10, compress: false };
    let bytes = serialized_length(entry.value(), options);
    admin.engine.platform.log(LogLevel::Notice, &format!("{what}: {bytes} bytes"));
    admin.cx.reply.simple(&format!("{what} structure printed on stdout"));
    Ok(())
}

/// Bytes of a value in a snapshot or a payload, its type not counted.
fn serialized_length(value: ValueRef<'_>, options: Options) -> u64 {
    let mut count = Count::default();
    let Ok(()) = encode::body(value, options, &mut count);
    count.0
}

pub(super) fn htstats(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let mut args = admin.cx.reader();
    args.bytes();
    let db = usize::try_from(args.integer()).ok();
    args.check()?;
    let usage = admin.cx.db.usage();
    let usage = db.and_then(|db| usage.get(db)).copied();
    let usage = usage.ok_or(CommandError::request("ERR Out of range database"))?;
    // A bucket is a cache line of eight slots.
    let slots = usage.table_bytes / 8;
    let text = format!(
        "[Dictionary HT]\nHash table 0 stats (main hash table):\n table size: {slots}\n number of \
         elements: {}\n table bytes: {}\n[Expires HT]\nDeadlines are kept in the entries.\n number \
         of elements: {}\n",
        usage.keys, usage.table_bytes, usage.expiring,
    );
    admin.cx.reply.verbatim(b"txt", text.as_bytes());
    Ok(())
}

pub(super) fn htstats_key(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let key = admin.cx.arg(2)?;
    if admin.cx.db.peek(key).is_none() {
        return Err(CommandError::NO_SUCH_KEY);
    }
    let text = "ERR The value stored at the specified key is not represented using an hash table";
    Err(CommandError::state(text))
}

/// The allocator is asked through `MEMORY MALLOC-STATS`; single figures are not exposed.
pub(super) fn mallctl(_: &mut AdminCx<'_>) -> Result<(), CommandError> {
    Err(CommandError::state("ERR this server does not expose single allocator figures"))
}
