//! `PFADD`.
//!
//! Most calls add one element that raises no register, or raise one register: neither copies the
//! sketch.

use collections::hyperloglog::{Element, Encoding, Sketch, SparseUpdate, View, raise_dense};
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use config::rows::HLL_SPARSE_MAX_BYTES;
use resp::Args;
use store::{Deadline, Edit};

use super::{ADDED, corrupted, stored, view};

/// `PFADD key [element ...]`.
pub(super) static PFADD: DataCommand = DataCommand::new(
    Spec::new(
        "pfadd",
        Group::HyperLogLog,
        "2.8.9",
        -2,
        "O(1) for each element; in a small sketch O(N) with N its length.",
        "Adds elements to a HyperLogLog. Creates the key if it does not exist.",
    )
    .flags(Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST))
    .acl(Categories::HYPERLOGLOG)
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::INSERT))])
    .args(&[Arg::key("key", 0), Arg::string("element").optional().multiple()]),
    run,
);

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let (key, elements) = (cx.arg(1)?, cx.args.tail(2));
    let sparse_bytes_max = cx.config.get(HLL_SPARSE_MAX_BYTES);
    let mut edit = cx.db.edit(key);
    let stored = edit.entry().map(view).transpose()?;
    let changed = match stored.map(|view| (view, view.encoding())) {
        None => {
            add_to_copy(&mut edit, Sketch::new(), elements, sparse_bytes_max)?;
            true
        }
        Some((view, Encoding::Dense)) => match first_raising(view, elements) {
            None => false,
            Some(at) => {
                add_dense(&mut edit, elements.tail(at));
                true
            }
        },
        Some((view, Encoding::Sparse)) => {
            let update = match elements.get(0) {
                Some(element) if elements.len() == 1 => {
                    view.sparse_update(Element::of(element), sparse_bytes_max).map_err(corrupted)?
                }
                _ => SparseUpdate::Copy,
            };
            match update {
                SparseUpdate::Nothing => false,
                SparseUpdate::InPlace(update) => {
                    edit.edit_bytes(update.value_len(), ADDED, |value| update.apply(value));
                    true
                }
                SparseUpdate::Copy => {
                    let copy = Sketch::copy_of(view);
                    add_to_copy(&mut edit, copy, elements, sparse_bytes_max)?
                }
            }
        }
    };
    if !changed {
        edit.make_raw();
    }
    cx.reply.integer(i64::from(changed));
    Ok(())
}

/// The first element that raises a register of a dense sketch.
fn first_raising(view: View<'_>, elements: Args<'_>) -> Option<usize> {
    elements.iter().position(|element| view.would_raise_dense(Element::of(element)))
}

/// Adds to a dense sketch where it is. The first element is known to raise a register.
fn add_dense(edit: &mut Edit<'_>, elements: Args<'_>) {
    let raised = edit.edit_bytes(0, ADDED, |value| {
        elements.iter().filter(|element| raise_dense(value, Element::of(element))).count()
    });
    count_further(edit, raised);
}

/// Adds to a sketch that is no key's value yet, and makes it that of the key: if the key is new, or
/// if a register was raised. Returns whether it did.
fn add_to_copy(
    edit: &mut Edit<'_>,
    mut sketch: Sketch,
    elements: Args<'_>,
    sparse_bytes_max: u64,
) -> Result<bool, CommandError> {
    let mut changes = usize::from(!edit.exists());
    let mut result = Ok(());
    for element in elements {
        match sketch.add(Element::of(element), sparse_bytes_max) {
            Ok(raised) => changes += usize::from(raised),
            Err(error) => {
                // What was added before the fault was found stays, as in Redis.
                result = Err(corrupted(error));
                break;
            }
        }
    }
    if changes > 0 {
        edit.set(stored(sketch), Deadline::Keep, ADDED);
        count_further(edit, changes);
    }
    result.map(|()| changes > 0)
}

/// Counts each raised register as a change; the edit has counted one.
fn count_further(edit: &mut Edit<'_>, changes: usize) {
    edit.effects().dirty += changes as u64 - 1;
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn creates_adds_and_says_whether_anything_changed() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("PFADD k"), ":1\r\n");
        assert_eq!(bench.run("PFADD k"), ":0\r\n");
        assert_eq!(bench.run("PFADD k a"), ":1\r\n");
        assert_eq!(bench.run("PFADD k a a"), ":0\r\n");
        assert_eq!(bench.run("PFADD k a b c b"), ":1\r\n");
        assert_eq!(bench.events(), ["new k", "pfadd k", "pfadd k", "pfadd k"]);
        assert_eq!(bench.log(), ["PFADD k", "PFADD k a", "PFADD k a b c b"]);
        assert_eq!(bench.dirty(), 1 + 1 + 2);
        assert_eq!(bench.encoding("k"), "raw");
    }

    #[test]
    fn the_deadline_stays_through_every_form() {
        let mut bench = Bench::new();
        bench.run("PFADD k a");
        bench.run("PEXPIREAT k 4000000000000");
        for number in 0..3000 {
            bench.run(&format!("PFADD k e{number}"));
        }
        assert_eq!(bench.run("STRLEN k"), ":12304\r\n");
        assert_eq!(bench.deadline("k"), Some(4_000_000_000_000));
    }

    #[test]
    fn one_at_a_time_and_all_at_once_write_the_same_bytes() {
        let mut bench = Bench::new();
        let mut line = "PFADD all".to_owned();
        for number in 0..2500 {
            bench.run(&format!("PFADD one e{number}"));
            line.push_str(&format!(" e{number}"));
            if number % 250 == 0 {
                bench.run("DEL all");
                assert_eq!(bench.run(&line), ":1\r\n");
                assert_eq!(bench.run("GET one"), bench.run("GET all"), "{number}");
            }
        }
    }

    #[test]
    fn a_shared_value_is_copied_and_not_written() {
        let mut bench = Bench::new();
        bench.config("hll-sparse-max-bytes", "0");
        bench.run("PFADD k a");
        bench.run("COPY k twin");
        let before = bench.run("GET twin");
        assert_eq!(bench.run("PFADD k b"), ":1\r\n");
        assert_eq!(bench.run("GET twin"), before);
        assert_ne!(bench.run("GET k"), before);
    }

    #[test]
    fn only_sketches_are_added_to() {
        let mut bench = Bench::new();
        let refused = "-WRONGTYPE Key is not a valid HyperLogLog string value.\r\n";
        for value in [
            "1",
            "HYLL",
            "hello",
            r#""HYLL\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x7f\xff""#,
        ] {
            bench.run(&format!("SET k {value}"));
            assert_eq!(bench.run("PFADD k a"), refused, "{value}");
            assert_eq!(bench.run("PFADD k"), refused, "{value}");
        }
    }

    #[test]
    fn what_was_added_before_a_fault_stays() {
        let mut bench = Bench::new();
        // 6001 registers: enough for the empty element (5938) and not for `foo` (7348).
        bench.run(r#"SET k "HYLL\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x57\x70""#);
        bench.clear();
        let broken = "-INVALIDOBJ Corrupted HLL object detected\r\n";
        assert_eq!(bench.run("PFADD k foo"), broken);
        assert_eq!((bench.dirty(), bench.events().len()), (0, 0));
        assert_eq!(bench.run(r#"PFADD k "" foo"#), broken);
        assert_eq!(bench.events(), ["pfadd k"]);
        assert_eq!(bench.run("PFDEBUG DECODE k"), "$17\r\nZ:5938 v:2,1 z:62\r\n");
        assert_eq!(bench.run("PFCOUNT k"), broken);
    }
}
