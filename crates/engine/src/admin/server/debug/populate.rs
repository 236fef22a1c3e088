//! `DEBUG POPULATE`: many string keys at once.

use ::command::CommandError;
use store::{Deadline, Event, NewValue};

use crate::admin::AdminCx;

pub(super) fn populate(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let mut args = admin.cx.reader();
    args.bytes();
    let count = args.integer_in(0..=i64::MAX, CommandError::NOT_POSITIVE);
    let prefix = if args.more() { args.bytes() } else { b"key" };
    let size = args.more().then(|| args.integer_in(0..=i64::MAX, CommandError::NOT_POSITIVE));
    args.finish()?;
    let longest = admin.engine.config.get(::config::rows::PROTO_MAX_BULK_LEN);
    let size = size.map(|size| size as u64);
    if size.is_some_and(|size| size > longest) {
        return Err(CommandError::STRING_TOO_LONG);
    }
    let (mut key, mut value) = (Vec::new(), Vec::new());
    for number in 0..count {
        key.clear();
        key.extend_from_slice(prefix);
        key.extend_from_slice(format!(":{number}").as_bytes());
        let mut edit = admin.cx.db.edit(&key);
        if edit.exists() {
            continue;
        }
        value.clear();
        value.extend_from_slice(format!("value:{number}").as_bytes());
        if let Some(size) = size {
            value.resize(size as usize, 0);
        }
        edit.set(NewValue::Bytes(&value), Deadline::Clear, Event::string("set"));
    }
    admin.cx.reply.ok();
    Ok(())
}
