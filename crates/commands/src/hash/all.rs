//! `HGETALL`, `HKEYS` and `HVALS`.

use command::{Arg, Categories, DataCommand, Flags, Group, Spec};

use super::{READ, held, reply_item};

const fn spec(name: &'static str, summary: &'static str) -> Spec {
    Spec::new(name, Group::Hash, "2.0.0", 2, "O(N) for a hash of N fields.", summary)
        .flags(Flags::READONLY)
        .acl(Categories::HASH)
        .keys(READ)
        .args(ARGS)
        .tips(&["nondeterministic_output_order"])
}

const ARGS: &[Arg] = &[Arg::key("key", 0)];

/// `HGETALL key`.
pub(super) static HGETALL: DataCommand =
    DataCommand::new(spec("hgetall", "Returns all fields of a hash with their values."), |cx| {
        let (hash, now) = (held(cx, cx.arg(1)?)?, cx.db.now());
        cx.reply.map(hash.count(now));
        for field in hash.iter(now) {
            reply_item(cx.reply, field.name);
            reply_item(cx.reply, field.value);
        }
        Ok(())
    });

/// `HKEYS key`.
pub(super) static HKEYS: DataCommand =
    DataCommand::new(spec("hkeys", "Returns the names of all fields of a hash."), |cx| {
        let (hash, now) = (held(cx, cx.arg(1)?)?, cx.db.now());
        cx.reply.array(hash.count(now));
        hash.iter(now).for_each(|field| reply_item(cx.reply, field.name));
        Ok(())
    });

/// `HVALS key`.
pub(super) static HVALS: DataCommand =
    DataCommand::new(spec("hvals", "Returns the values of all fields of a hash."), |cx| {
        let (hash, now) = (held(cx, cx.arg(1)?)?, cx.db.now());
        cx.reply.array(hash.count(now));
        hash.iter(now).for_each(|field| reply_item(cx.reply, field.value));
        Ok(())
    });
