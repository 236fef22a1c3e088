//! `KEYS`: every key that matches a pattern.
//!
//! The walk takes each shard's lock for a few dozen microseconds at a time, so other clients do
//! not notice it. Redis answers with the keys of one moment; here a key that comes or goes during
//! the walk may be in the answer or not. Within a transaction all shards are locked, and the
//! answer is that of one moment.

use command::{Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, Spec};
use resp::Length;

pub(super) static KEYS: DataCommand = DataCommand::new(
    Spec::new(
        "keys",
        Group::Generic,
        "1.0.0",
        2,
        "O(N) with the number N of keys in the database; O(1) for a pattern without wild cards.",
        "Lists all keys that match a pattern.",
    )
    .flags(Flags::READONLY.union(Flags::KEYSPACE_WALK))
    .acl(Categories::KEYSPACE.union(Categories::DANGEROUS))
    .args(&[Arg::pattern("pattern")])
    .tips(&["request_policy:all_shards", "nondeterministic_output_order"]),
    run,
);

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let pattern = cx.arg(1)?;
    if is_literal(pattern) {
        let found = cx.db.contains(pattern);
        cx.reply.array(usize::from(found));
        if found {
            cx.reply.bulk(pattern);
        }
        return Ok(());
    }
    let every = pattern == b"*";
    let list = cx.reply.begin_deferred();
    let mut found = 0;
    cx.db.walk(cx.db.scope.db, |entry| {
        if every || stdx::glob::matches(pattern, entry.key(), false) {
            cx.reply.bulk(entry.key());
            found += 1;
        }
    });
    cx.reply.end_deferred(list, Length::Array, found);
    Ok(())
}

/// Whether the pattern matches exactly one text: itself.
fn is_literal(pattern: &[u8]) -> bool {
    !pattern.iter().any(|byte| matches!(byte, b'*' | b'?' | b'[' | b'\\'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_patterns_without_wild_cards_are_literal() {
        assert!(is_literal(b"user:1]") && is_literal(b""));
        assert!(["a*", "?", "[a]", "\\*"].iter().all(|pattern| !is_literal(pattern.as_bytes())));
    }
}
