//! `ferrite check-rdb`: reads an RDB file as a server would, value by value, and says what is in it
//! or what is wrong with it and where.
//!
//! What it prints without options is what `redis-check-rdb` prints, since tools read that. Its exit
//! status is 0 for a file that can be loaded and 1 for all else.

mod json;
mod progress;
mod stats;
mod table;
mod text;
mod walk;

use std::path::Path;
use std::process::ExitCode;

use persistence::{Source, Storage};
use stdx::clock::Clock;

use crate::os::clock::SystemClock;
use crate::os::disk::Disk;
pub(crate) use progress::Progress;
use stats::Stats;
use walk::{Event, Walk};

const USAGE: &str = "\
Usage: ferrite check-rdb [--stats] [--json] <rdb-file-name>
       ferrite check-rdb --version

  --stats   what keys there are: by database, by type, and the largest
  --json    one JSON object in place of the report
";

/// What the command line asks for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Choices {
    stats: bool,
    json: bool,
    version: bool,
    file: Option<String>,
}

fn parse(options: &[Vec<u8>]) -> Option<Choices> {
    let mut choices = Choices::default();
    for option in options {
        match &**option {
            b"--stats" => choices.stats = true,
            b"--json" => choices.json = true,
            b"--version" | b"-v" => choices.version = true,
            name if choices.file.is_none() && !name.starts_with(b"--") => {
                choices.file = Some(String::from_utf8_lossy(name).into_owned());
            }
            _ => return None,
        }
    }
    (choices.version || choices.file.is_some()).then_some(choices)
}

/// Does what the command line asks for.
pub fn main(options: &[Vec<u8>]) -> ExitCode {
    let Some(choices) = parse(options) else {
        print!("{USAGE}");
        return ExitCode::FAILURE;
    };
    let Some(file) = choices.file.as_deref().filter(|_| !choices.version) else {
        println!("ferrite-check-rdb {}", engine::engine::FERRITE_VERSION);
        return ExitCode::SUCCESS;
    };
    if check(file, &choices) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Reads the file and reports. True if it can be loaded.
fn check(file: &str, choices: &Choices) -> bool {
    let say = |event: &Event| {
        if !choices.json {
            text::event(event);
        }
    };
    say(&Event::Begin { file });
    let source = match Disk.open(file) {
        Ok(source) => source,
        Err(error) => {
            eprintln!("Cannot open {}: {error}", Path::new(file).display());
            return false;
        }
    };
    let len = source.len();
    let mut progress = Progress::new(len);
    let mut stats = choices.stats.then(Stats::default);
    let mut walk = Walk::new(source, SystemClock::new().unix_ms());
    let failure = walk_on(&mut walk, stats.as_mut(), &mut progress, &say);
    let counts = walk.counts();
    if choices.json {
        println!("{}", json::report(file, len, &counts, stats.as_ref(), failure.as_ref()));
    } else {
        text::conclusion(len, &counts, failure.as_ref());
        if let Some(stats) = &stats {
            print!("{}", text::stats(stats));
        }
    }
    failure.is_none()
}

/// Walks to the end, or to what is wrong.
fn walk_on(
    walk: &mut Walk,
    mut stats: Option<&mut Stats>,
    progress: &mut Progress,
    say: &dyn Fn(&Event<'_>),
) -> Option<walk::Failure> {
    let failure = loop {
        let step = walk.step(stats.as_deref_mut(), &mut |event| {
            progress.hide();
            say(event);
        });
        match step {
            Ok(true) => progress.show(walk.offset()),
            Ok(false) => break None,
            Err(failure) => break Some(failure),
        }
    };
    progress.hide();
    failure
}

/// Checks the RDB data at the beginning of an append-only file that messages call `name`, and
/// reports as for an RDB file. How long they are, if they can be loaded.
pub fn preamble(name: &str, source: Box<dyn Source>) -> Option<u64> {
    text::event(&Event::Begin { file: name });
    let mut progress = Progress::new(source.len());
    let mut walk = Walk::new(source, SystemClock::new().unix_ms());
    let failure = walk_on(&mut walk, None, &mut progress, &text::event);
    let length = walk.offset();
    text::conclusion(length, &walk.counts(), failure.as_ref());
    failure.is_none().then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Option<Choices> {
        parse(&line.split_whitespace().map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>())
    }

    #[test]
    fn the_command_line() {
        let file = Some("dump.rdb".to_owned());
        let plain = Choices { file: file.clone(), ..Choices::default() };
        assert_eq!(parsed("dump.rdb"), Some(plain));
        let all = Choices { stats: true, json: true, version: false, file };
        assert_eq!(parsed("--stats dump.rdb --json"), Some(all));
        assert!(parsed("-v").is_some_and(|choices| choices.version));
        for wrong in ["", "a b", "--stats", "--unknown a"] {
            assert_eq!(parsed(wrong), None, "{wrong}");
        }
    }
}
