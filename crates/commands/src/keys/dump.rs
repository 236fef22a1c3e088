//! `DUMP`: a value as bytes that `RESTORE` takes, here and on any Redis since 7.0.
//!
//! A value is shared and the locks are given back before it is encoded, so nobody waits for that.

use command::Arg;
use command::{Categories, CommandError, Cx, DataCommand, Flags, Group, Spec};
use config::rows::{RDB_VERSION, RDBCOMPRESSION};
use format::dump;
use format::rdb::{Options, Version};
use store::{StringRef, ValueRef};

use super::ONE_READ;

pub(super) static DUMP: DataCommand = DataCommand::new(
    Spec::new(
        "dump",
        Group::Generic,
        "2.6.0",
        2,
        "O(N) where N is the number of bytes of the value; the key is locked in O(1).",
        "Returns the value of a key as bytes that RESTORE takes.",
    )
    .flags(Flags::READONLY)
    .acl(Categories::KEYSPACE)
    .keys(ONE_READ)
    .args(&[Arg::key("key", 0)])
    .tips(&["nondeterministic_output"]),
    run,
);

/// How values are written into payloads, as configured.
pub(crate) fn options(cx: &Cx<'_>) -> Options {
    let version = u16::try_from(cx.config.get(RDB_VERSION)).unwrap_or(Version::V10.0);
    Options { version: Version(version), compress: cx.config.get(RDBCOMPRESSION) }
}

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let key = cx.arg(1)?;
    let options = options(cx);
    let Some(entry) = cx.db.read(key) else {
        cx.reply.null();
        return Ok(());
    };
    let payload = match entry.value() {
        ValueRef::Object(object) => {
            let object = object.share();
            cx.db.release();
            dump::write(ValueRef::Object(object.as_ref()), options)
        }
        ValueRef::String(StringRef::Shared { bytes, raw }) => {
            let bytes = bytes.clone();
            cx.db.release();
            dump::write(ValueRef::String(StringRef::Shared { bytes: &bytes, raw }), options)
        }
        short => dump::write(short, options),
    };
    cx.reply.bulk(&payload);
    Ok(())
}
