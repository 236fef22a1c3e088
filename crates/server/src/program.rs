//! Which program of the multi-call binary is meant.
//!
//! `ferrite server ...` and a link called `redis-server` are the same. A name that is none of the
//! known ones, `ferrite` itself included, means the server unless the first argument says
//! otherwise, so that `ferrite my.conf` and `ferrite --port 7000` work as they do elsewhere.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::process::ExitCode;

use crate::check_aof;
use crate::check_rdb;
use crate::start;
use crate::title::ProcessTitle;

/// A program of the binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// The data store.
    Server,
    /// The check of RDB files.
    CheckRdb,
    /// The check of append-only files.
    CheckAof,
    /// A tool that is not part of this build, by its name.
    Missing(&'static str),
}

/// The tools by the word that follows `ferrite`, `ferrite-`, `redis-` or `valkey-`.
const TOOLS: [&str; 3] = ["cli", "benchmark", "sentinel"];

fn by_word(word: &[u8]) -> Option<Program> {
    match word {
        b"server" => return Some(Program::Server),
        b"check-rdb" => return Some(Program::CheckRdb),
        b"check-aof" => return Some(Program::CheckAof),
        _ => {}
    }
    let tool = TOOLS.into_iter().find(|tool| tool.as_bytes() == word);
    tool.map(Program::Missing)
}

/// The program that `arguments` mean, and how many of them (one or two) named it.
pub fn choose(arguments: &[Vec<u8>]) -> (Program, usize) {
    let path = arguments.first().map(Vec::as_slice).unwrap_or_default();
    let name = Path::new(std::ffi::OsStr::from_bytes(path)).file_name().unwrap_or_default();
    let prefixes = ["redis-", "valkey-", "ferrite-"];
    let tool = prefixes.iter().find_map(|prefix| name.as_bytes().strip_prefix(prefix.as_bytes()));
    let (program, named_by) = match tool.and_then(by_word) {
        Some(program) => (program, 1),
        None => match arguments.get(1).and_then(|word| by_word(word)) {
            Some(program) => (program, 2),
            None => (Program::Server, 1),
        },
    };
    if program == Program::Server && arguments.iter().any(|word| word == b"--sentinel") {
        // A server in the place of the sentinel that was asked for would watch over nothing.
        return (Program::Missing("sentinel"), named_by);
    }
    (program, named_by)
}

/// Runs the program that the command line asks for.
pub fn main() -> ExitCode {
    // First of all, while there is one thread only.
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let title = ProcessTitle::take(arguments.first().cloned().unwrap_or_default().into_vec());
    let bytes: Vec<Vec<u8>> = arguments.iter().map(|word| word.as_bytes().to_vec()).collect();
    match choose(&bytes) {
        (Program::Server, named_by) => start::main(start::Call {
            options: bytes.get(named_by..).unwrap_or_default(),
            arguments: &arguments,
            title,
        }),
        (Program::CheckRdb, named_by) => check_rdb::main(bytes.get(named_by..).unwrap_or_default()),
        (Program::CheckAof, named_by) => check_aof::main(bytes.get(named_by..).unwrap_or_default()),
        (Program::Missing(name), _) => {
            eprintln!("ferrite {name} is not in this build yet.");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(line: &str) -> (Program, usize) {
        let words: Vec<Vec<u8>> = line.split(' ').map(|word| word.as_bytes().to_vec()).collect();
        choose(&words)
    }

    #[test]
    fn names_and_first_words_choose() {
        assert_eq!(chosen("ferrite"), (Program::Server, 1));
        assert_eq!(chosen("/usr/bin/ferrite --port 1"), (Program::Server, 1));
        assert_eq!(chosen("target/ferrite server x.conf"), (Program::Server, 2));
        assert_eq!(chosen("src/redis-server x.conf"), (Program::Server, 1));
        assert_eq!(chosen("valkey-server"), (Program::Server, 1));
        assert_eq!(chosen("ferrite-server cli"), (Program::Server, 1));
        assert_eq!(chosen("ferrite cli"), (Program::Missing("cli"), 2));
        assert_eq!(chosen("redis-check-aof server"), (Program::CheckAof, 1));
        assert_eq!(chosen("valkey-check-rdb x"), (Program::CheckRdb, 1));
        assert_eq!(chosen("ferrite check-rdb x"), (Program::CheckRdb, 2));
        assert_eq!(chosen("anything x.conf"), (Program::Server, 1));
        assert_eq!(chosen("ferrite x.conf --sentinel"), (Program::Missing("sentinel"), 1));
        assert_eq!(choose(&[]), (Program::Server, 1));
    }
}
