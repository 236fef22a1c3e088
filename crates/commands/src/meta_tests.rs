//! What holds for the specification of every command of every family.

use std::collections::HashSet;

use command::keys::find_keys;
use command::spec::{Begin, Find};
use command::{Arg, DataCommand, Flags, KeyFlags, Spec};
use resp::OwnedArgs;

/// Every command and subcommand, with the number of words of its name.
fn every() -> Vec<(&'static DataCommand, usize)> {
    let containers = crate::all().flat_map(|c| c.subcommands.iter().map(|sub| (*sub, 2)));
    crate::all().map(|command| (command, 1)).chain(containers).collect()
}

/// The documented arguments, nested ones too.
fn arguments(args: &'static [Arg]) -> Vec<&'static Arg> {
    args.iter().flat_map(|arg| [vec![arg], arguments(arg.args)].concat()).collect()
}

#[test]
fn names_are_unique_and_lower_case() {
    let names: Vec<_> = crate::all().map(|command| command.spec.name).collect();
    assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
    for name in names {
        assert_eq!(name, name.to_ascii_lowercase());
    }
}

/// The shortest line that the arity allows; a count of keys in it is one. A word that keys must
/// follow stands as late as it may.
fn shortest_line(spec: &Spec) -> OwnedArgs {
    let mut words = vec!["1"; usize::from(spec.arity.unsigned_abs())];
    for key in spec.keys {
        if let (Begin::Keyword { word, .. }, Find::Range { last: ..0, .. }) = (key.begin, key.find)
        {
            let at = words.len() - 3;
            words[at] = word;
        }
    }
    OwnedArgs::from_slices(&words)
}

#[test]
fn the_shortest_line_has_its_keys() {
    for (command, _) in every() {
        let spec = &command.spec;
        let must_have = spec.keys.iter().any(|key| matches!(key.begin, Begin::Index(_)));
        let line = shortest_line(spec);
        let mut found = 0;
        let fits = find_keys(spec, line.as_args(), |_| found += 1);
        // Optional keys that are left out fit no range, which is what COMMAND GETKEYS says too.
        let optional =
            arguments(spec.args).iter().any(|arg| arg.optional && arg.key_spec.is_some());
        let fits = fits.is_ok() || optional;
        assert!(fits, "{}: the arity is too small for the key specs", spec.name);
        assert!(found > 0 || !must_have, "{}: no key in the shortest line", spec.name);
    }
}

#[test]
fn documented_keys_are_those_of_the_key_specs() {
    for (command, _) in every() {
        let spec = &command.spec;
        let documented: HashSet<u8> =
            arguments(spec.args).iter().filter_map(|arg| arg.key_spec).collect();
        let existing: HashSet<u8> = (0..spec.keys.len() as u8).collect();
        assert!(documented.is_subset(&existing), "{}: a key without spec", spec.name);
        let known = |key: u8| {
            let find = spec.keys[usize::from(key)].find;
            documented.contains(&key) || matches!(find, Find::Unknown)
        };
        assert!(existing.iter().all(|&key| known(key)), "{}: an undocumented key", spec.name);
    }
}

#[test]
fn a_fixed_arity_counts_the_documented_arguments() {
    for (command, words) in every() {
        let spec = &command.spec;
        if !command.subcommands.is_empty() {
            continue;
        }
        let mandatory = spec.args.iter().filter(|arg| !arg.optional);
        let is_open = spec.args.iter().any(|arg| {
            let in_block = arg.kind == command::spec::ArgKind::Block;
            let choices = arg.args.iter().map(fewest_words);
            let is_choice = arg.kind == command::spec::ArgKind::OneOf;
            let differ = is_choice && !choices.clone().zip(choices.skip(1)).all(|(a, b)| a == b);
            let parts = in_block && arg.args.iter().any(|part| part.multiple);
            arg.optional || arg.multiple || differ || parts
        });
        assert_eq!(spec.arity < 0, is_open, "{}: arity {} and arguments", spec.name, spec.arity);
        let words = words + mandatory.map(fewest_words).sum::<usize>();
        assert_eq!(usize::from(spec.arity.unsigned_abs()), words, "{}: arity", spec.name);
    }
}

/// The fewest words of a documented argument.
fn fewest_words(arg: &Arg) -> usize {
    use command::spec::ArgKind;
    let value = match arg.kind {
        ArgKind::PureToken => 0,
        ArgKind::Block => arg.args.iter().filter(|part| !part.optional).map(fewest_words).sum(),
        ArgKind::OneOf => arg.args.iter().map(fewest_words).min().unwrap_or(0),
        _ => 1,
    };
    value + usize::from(arg.token.is_some())
}

#[test]
fn keys_are_written_by_writing_commands_only() {
    let writes = KeyFlags::RW.union(KeyFlags::OW).union(KeyFlags::RM);
    for (command, _) in every() {
        let spec = &command.spec;
        let (writer, reader) =
            (spec.flags.contains(Flags::WRITE), spec.flags.contains(Flags::READONLY));
        assert!(!(writer && reader), "{}: reads only and writes", spec.name);
        let writes_a_key = spec.keys.iter().any(|key| key.flags.intersects(writes));
        // A reader that keeps its result in the value says so: replicas must do the same.
        let caches = reader && spec.flags.contains(Flags::MAY_REPLICATE);
        assert!(writer || caches || !writes_a_key, "{}: writes a key but is no writer", spec.name);
    }
}

#[test]
fn everything_is_described() {
    for (command, _) in every() {
        let spec = &command.spec;
        let texts = [spec.summary, spec.since, spec.complexity];
        assert!(texts.iter().all(|text| !text.is_empty()), "{}: a text is missing", spec.name);
        assert!(spec.summary.ends_with('.'), "{}: the summary is a sentence", spec.name);
    }
}
