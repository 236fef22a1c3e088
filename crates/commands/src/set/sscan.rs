//! `SSCAN`.

use collections::set::Set;
use command::{Categories, DataCommand, Group};
use store::UnixMs;

use crate::element_scan::{self, Scanned, Visit};

/// `SSCAN key cursor [MATCH pattern] [COUNT count]`.
pub(super) static SSCAN: DataCommand = DataCommand::new(
    element_scan::spec(
        "sscan",
        Group::Set,
        Categories::SET,
        "O(1) for a call, O(N) for all calls until the cursor is 0 again, with the number N of \
         members.",
        "Walks over the members of a set, some with every call.",
    ),
    |cx| element_scan::run::<Set>(cx, None),
);

impl Scanned for Set {
    fn visit(&self, cursor: u64, _: UnixMs, each: &mut Visit<'_>) -> u64 {
        self.scan(cursor, |member| each(Some(member), None))
    }
}
