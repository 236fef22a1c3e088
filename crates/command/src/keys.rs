//! Which arguments of a command line are keys, from the command's key specs.

use resp::Args;

use crate::spec::{Begin, Find, KeyFlags, KeySpec, Reach, Spec};

/// A key found in a command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundKey {
    /// Index of the argument (0 is the command's name).
    pub index: usize,
    /// What the command does with it.
    pub flags: KeyFlags,
}

/// The key specs do not match the command line (`COMMAND GETKEYS` reports it; a handler reports its
/// own error).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidKeys;

/// Calls `found` for each key of the command line, in the order of the specs; those that no spec
/// can tell come last. What only routes like a key is left out.
///
/// # Errors
/// If a count of keys is not positive or exceeds the arguments, or a range does not fit.
pub fn find_keys(
    spec: &Spec,
    args: Args<'_>,
    mut found: impl FnMut(FoundKey),
) -> Result<(), InvalidKeys> {
    let mut result = Ok(());
    for key_spec in spec.keys {
        if key_spec.flags.contains(KeyFlags::NOT_KEY) {
            continue;
        }
        if find_spec(key_spec, args, &mut found).is_none() {
            result = Err(InvalidKeys);
        }
    }
    if let Some(finder) = spec.more_keys {
        finder(args, &mut found);
    }
    result
}

/// Whether the command line touches keys beyond those that [`find_keys`] finds.
#[must_use]
pub fn reach(spec: &Spec, args: Args<'_>) -> Reach {
    spec.more_keys.map_or(Reach::Named, |finder| finder(args, &mut |_| ()))
}

fn find_spec(spec: &KeySpec, args: Args<'_>, found: &mut impl FnMut(FoundKey)) -> Option<()> {
    let first = match spec.begin {
        Begin::Index(index) => usize::from(index),
        Begin::Keyword { word, from } => match find_keyword(args, word, from) {
            Some(at) => at + 1,
            // Before all keys to the end of the line the word must be there.
            None if matches!(spec.find, Find::Range { last: ..0, .. }) => return None,
            // An optional part of the command that is not there has no keys.
            None => return Some(()),
        },
        Begin::Unknown => return Some(()),
    };
    let is_optional = matches!(spec.begin, Begin::Keyword { .. });
    let (first, last, step) = match spec.find {
        // A word at the end of the line: the handler says what it misses.
        Find::Range { last: 0.., .. } if is_optional && first == args.len() => return Some(()),
        Find::Range { last, step, limit } => {
            let last = range_end(args.len(), first, last, limit)?;
            (first, last, usize::from(step))
        }
        Find::KeyNum { count, first: offset, step } => {
            let count = args.get(first + usize::from(count))?;
            // As Redis reads it here; the handler refuses what is no whole number.
            let count = usize::try_from(stdx::num::parse_i32_prefix(count)).ok()?;
            let (first, step) = (first + usize::from(offset), usize::from(step));
            (first, first.checked_add(count.checked_sub(1)?.checked_mul(step)?)?, step)
        }
        Find::Unknown => return Some(()),
    };
    if last >= args.len() || first > last {
        return None;
    }
    (first..=last).step_by(step).for_each(|index| found(FoundKey { index, flags: spec.flags }));
    Some(())
}

/// Index of the last key of a range.
fn range_end(len: usize, first: usize, last: i16, limit: u16) -> Option<usize> {
    if last >= 0 {
        return Some(first + usize::from(last.unsigned_abs()));
    }
    let from_end = usize::from(last.unsigned_abs());
    if limit > 1 {
        let rest = len.checked_sub(first)? / usize::from(limit);
        return first.checked_add(rest)?.checked_sub(from_end);
    }
    len.checked_sub(from_end)
}

fn find_keyword(args: Args<'_>, word: &str, from: i16) -> Option<usize> {
    let matches = |&index: &usize| {
        args.get(index).is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()))
    };
    if from >= 0 {
        (usize::from(from.unsigned_abs())..args.len()).find(matches)
    } else {
        let start = args.len().checked_sub(usize::from(from.unsigned_abs()))?;
        (1..=start).rev().find(matches)
    }
}

#[cfg(test)]
mod tests {
    use resp::OwnedArgs;

    use super::*;
    use crate::spec::Group;

    fn keys(specs: &'static [KeySpec], line: &[&[u8]]) -> Option<Vec<usize>> {
        let spec = Spec::new("x", Group::Generic, "1.0.0", -1, "", "").keys(specs);
        let args = OwnedArgs::from_slices(line);
        let mut out = Vec::new();
        find_keys(&spec, args.as_args(), |key| out.push(key.index)).ok()?;
        Some(out)
    }

    #[test]
    fn ranges_run_to_the_last_argument() {
        const SPECS: &[KeySpec] = &[KeySpec::range(KeyFlags::RO, 1, -1, 2)];
        assert_eq!(keys(SPECS, &[b"MSET", b"a", b"1", b"b", b"2"]), Some(vec![1, 3]));
        assert_eq!(keys(SPECS, &[b"MSET"]), None);
    }

    #[test]
    fn keys_that_no_spec_tells_come_last() {
        let finder: crate::spec::KeyFinder = |args, found| {
            found(FoundKey { index: args.len() - 1, flags: KeyFlags::OW });
            if args.len() > 3 { Reach::Anywhere } else { Reach::Named }
        };
        const SPECS: &[KeySpec] = &[KeySpec::first(KeyFlags::RO), KeySpec::unknown(KeyFlags::OW)];
        let spec = Spec::new("x", Group::Generic, "1.0.0", -1, "", "").keys(SPECS);
        let spec = spec.more_keys(finder);
        let found = |line: &[&[u8]]| {
            let (args, mut out) = (OwnedArgs::from_slices(line), Vec::new());
            find_keys(&spec, args.as_args(), |key| out.push(key.index)).unwrap();
            (out, reach(&spec, args.as_args()))
        };
        assert_eq!(found(&[b"X", b"a", b"b"]), (vec![1, 2], Reach::Named));
        assert_eq!(found(&[b"X", b"a", b"b", b"c"]), (vec![1, 3], Reach::Anywhere));
    }

    #[test]
    fn counted_keys_are_checked_against_the_line() {
        const SPECS: &[KeySpec] = &[KeySpec::counted(KeyFlags::RO, 1)];
        assert_eq!(keys(SPECS, &[b"SINTERCARD", b"2", b"a", b"b"]), Some(vec![2, 3]));
        assert_eq!(keys(SPECS, &[b"SINTERCARD", b"3", b"a", b"b"]), None);
        assert_eq!(keys(SPECS, &[b"SINTERCARD", b"9223372036854775807", b"a"]), None);
        assert_eq!(keys(SPECS, &[b"SINTERCARD", b"-1", b"a"]), None);
    }
}
