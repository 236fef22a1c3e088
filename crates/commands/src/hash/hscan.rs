//! `HSCAN`.

use collections::hash::Hash;
use command::{Arg, Categories, DataCommand, Group};
use store::UnixMs;

use crate::element_scan::{self, COUNT, CURSOR, MATCH, Scanned, Visit};

/// `HSCAN key cursor [MATCH pattern] [COUNT count] [NOVALUES]`.
pub(super) static HSCAN: DataCommand = DataCommand::new(
    element_scan::spec(
        "hscan",
        Group::Hash,
        Categories::HASH,
        "O(1) for a call, O(N) for all calls until the cursor is 0 again, with the number N of \
         fields.",
        "Walks over the fields of a hash, some with every call.",
    )
    .args(&[
        Arg::key("key", 0),
        CURSOR,
        MATCH,
        COUNT,
        Arg::word("novalues", "NOVALUES").optional().since("7.4.0"),
    ])
    .history(&[("7.4.0", "Takes the option `NOVALUES`.")]),
    |cx| element_scan::run::<Hash>(cx, Some("NOVALUES")),
);

impl Scanned for Hash {
    fn visit(&self, cursor: u64, now: UnixMs, each: &mut Visit<'_>) -> u64 {
        self.scan(cursor, |field| {
            each(Some(field.name).filter(|_| !field.is_due(now)), Some(field.value));
        })
    }
}
