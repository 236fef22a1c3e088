//! `ferrite check-aof`: reads an append-only file, or all files that a manifest names, and says
//! whether they are whole; cuts off a broken end, or everything that happened after some time.
//!
//! What it prints and how it exits is what `redis-check-aof` prints and does, since tools read it.

mod scan;

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::ExitCode;

use format::rdb::file::MAGIC_LEN;
use persistence::aof::{FileInfo, Manifest};
use persistence::{Source, Storage};
use stdx::error::reason;

use crate::check_rdb::{self, Progress};
use crate::os::disk::Disk;
use scan::Scan;

const USAGE: &str = "Usage: ferrite check-aof [--fix|--truncate-to-timestamp $timestamp] \
                     <file.manifest|file.aof>\n";

/// What to do about what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Say it.
    Check,
    /// Cut it off.
    Fix,
    /// Cut off what happened after a time in Unix seconds.
    Until(i64),
}

/// What came of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Valid,
    Empty,
    Truncated,
    TruncatedToTime,
}

/// What there was to say has been said: the status is 1.
#[derive(Debug, PartialEq, Eq)]
struct Failed;

/// Says something, and gives up.
macro_rules! fail {
    ($($words:tt)*) => {{
        println!($($words)*);
        return Err(Failed);
    }};
}

fn parse(options: &[Vec<u8>]) -> Result<(Mode, String), Failed> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match options {
        [file] => Ok((Mode::Check, text(file))),
        [option, file] if option == b"--fix" => Ok((Mode::Fix, text(file))),
        [option, time, file] if option == b"--truncate-to-timestamp" => {
            let Some(time) = stdx::num::parse_i64(time) else {
                fail!("Invalid timestamp, aborting...");
            };
            // As for redis-check-aof, 0 is no time.
            Ok((if time == 0 { Mode::Check } else { Mode::Until(time) }, text(file)))
        }
        _ => {
            print!("{USAGE}");
            Err(Failed)
        }
    }
}

/// Does what the command line asks for.
pub fn main(options: &[Vec<u8>]) -> ExitCode {
    let checked = parse(options).and_then(|(mode, path)| {
        if is_manifest(&path)? {
            println!("Start checking Multi Part AOF");
            check_parts(&path, mode)
        } else {
            println!("Start checking Old-Style AOF");
            check_single(&path, mode)
        }
    });
    if checked.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether the first line that is no remark begins as those of a manifest do.
fn is_manifest(path: &str) -> Result<bool, Failed> {
    let source = match Disk.open(path) {
        Ok(source) => source,
        Err(error) => fail!("Cannot open file {path}: {}", reason(&error)),
    };
    let mut lines = BufReader::new(source);
    loop {
        let mut line = Vec::new();
        if (&mut lines).take(1024).read_until(b'\n', &mut line).is_err() {
            fail!("Cannot read file: {path}");
        }
        if line.first() != Some(&b'#') {
            return Ok(line.starts_with(b"file"));
        }
    }
}

fn check_single(path: &str, mode: Mode) -> Result<(), Failed> {
    let mut lines = 1;
    let file = File { path, name: path, mode, is_last: true };
    conclude("AOF", path, file.check(&mut lines)?, mode);
    Ok(())
}

fn check_parts(path: &str, mode: Mode) -> Result<(), Failed> {
    let text = std::fs::read(path);
    let manifest = match text.map(|text| Manifest::parse(&text)) {
        Ok(Ok(manifest)) => manifest,
        Ok(Err(error)) => fail!("\n*** FATAL AOF MANIFEST FILE ERROR ***\n{error}"),
        Err(error) => fail!("Cannot read file {path}: {}", reason(&error)),
    };
    let directory = Path::new(path).parent().unwrap_or(Path::new(""));
    let mut lines = 1;
    let mut check = |kind: &str, info: &FileInfo, is_last: bool| {
        let path = directory.join(&info.name).display().to_string();
        let file = File { path: &path, name: &info.name, mode, is_last };
        conclude(kind, &info.name, file.check(&mut lines)?, mode);
        Ok(())
    };
    if let Some(base) = &manifest.base {
        let path = directory.join(&base.name);
        let is_rdb = begins_as_rdb(&path.display().to_string());
        let format = if is_rdb { "RDB" } else { "RESP" };
        println!("Start to check BASE AOF ({format} format).");
        check("BASE AOF", base, manifest.incrs.is_empty())?;
    }
    if let Some((last, others)) = manifest.incrs.split_last() {
        println!("Start to check INCR files.");
        others.iter().try_for_each(|incr| check("INCR AOF", incr, false))?;
        check("INCR AOF", last, true)?;
    }
    println!("All AOF files and manifest are valid");
    Ok(())
}

fn conclude(kind: &str, name: &str, outcome: Outcome, mode: Mode) {
    match (outcome, mode) {
        (Outcome::Valid, _) => println!("{kind} {name} is valid"),
        (Outcome::Empty, _) => println!("{kind} {name} is empty"),
        (Outcome::TruncatedToTime, Mode::Until(time)) => {
            println!("Successfully truncated AOF {name} to timestamp {time}");
        }
        (Outcome::Truncated | Outcome::TruncatedToTime, _) => {
            println!("Successfully truncated AOF {name}");
        }
    }
}

fn begins_as_rdb(path: &str) -> bool {
    let mut beginning = Vec::new();
    let read = Disk
        .open(path)
        .and_then(|source| source.take(MAGIC_LEN as u64).read_to_end(&mut beginning));
    read.is_ok() && format::rdb::file::begins_as_rdb(&beginning)
}

/// A file to check.
#[derive(Clone, Copy, Debug)]
struct File<'a> {
    path: &'a str,
    /// What it is called in messages.
    name: &'a str,
    mode: Mode,
    /// Whether nothing follows it: only then it may be cut.
    is_last: bool,
}

impl File<'_> {
    fn open(&self) -> Result<Box<dyn Source>, Failed> {
        match Disk.open(self.path) {
            Ok(source) => Ok(source),
            Err(error) => {
                let (path, reason) = (self.path, reason(&error));
                fail!("Cannot open file {path}: {reason}, aborting...")
            }
        }
    }

    fn check(&self, lines: &mut u64) -> Result<Outcome, Failed> {
        let Self { path, name, mode, is_last } = *self;
        let mut source = self.open()?;
        let size = source.len();
        if size == 0 {
            return Ok(Outcome::Empty);
        }
        let preamble = self.check_preamble()?;
        if std::io::copy(&mut (&mut source).take(preamble), &mut std::io::sink()).is_err() {
            fail!("Cannot read file: {path}");
        }
        let mut progress = Progress::new(size);
        let mut scan = Scan::new(source, preamble, *lines);
        let until = if let Mode::Until(time) = mode { Some(time) } else { None };
        let found = scan.run(name, until, &mut |offset| progress.show(offset));
        progress.hide();
        *lines = scan.lines;
        if found.wrong_time {
            fail!("Invalid timestamp annotation");
        }
        if let (Some(offset), Some(time)) = (found.too_young, until) {
            return self.cut_to_time(offset, time);
        }
        if let Some(problem) = &found.problem {
            println!("{problem}");
        }
        let (ok_up_to, line) = (found.ok_up_to, scan.lines);
        let diff = size.saturating_sub(ok_up_to);
        if let Some(time) = until.filter(|_| diff == 0) {
            println!("Truncate nothing in AOF {name} to timestamp {time}");
            return Ok(Outcome::Valid);
        }
        println!(
            "AOF analyzed: filename={name}, size={size}, ok_up_to={ok_up_to}, \
             ok_up_to_line={line}, diff={diff}"
        );
        match mode {
            _ if diff == 0 => Ok(Outcome::Valid),
            Mode::Fix if is_last => self.fix(size, ok_up_to),
            Mode::Fix => fail!("Failed to truncate AOF {name} because it is not the last file"),
            Mode::Check | Mode::Until(_) => {
                fail!("AOF {name} is not valid. Use the --fix option to try fixing it.")
            }
        }
    }

    /// The length of the RDB data at the beginning, which are whole; 0 if there are none.
    fn check_preamble(&self) -> Result<u64, Failed> {
        if !begins_as_rdb(self.path) {
            return Ok(0);
        }
        match check_rdb::preamble(self.name, self.open()?) {
            Some(length) => {
                println!("RDB preamble is OK, proceeding with AOF tail...");
                Ok(length)
            }
            None => fail!("RDB preamble of AOF file is not sane, aborting."),
        }
    }

    fn cut_to_time(&self, offset: u64, time: i64) -> Result<Outcome, Failed> {
        let path = self.path;
        if offset == 0 {
            fail!("AOF {path} has nothing before timestamp {time}, aborting...");
        }
        if !self.is_last {
            fail!(
                "Failed to truncate AOF {path} to timestamp {time} to offset {offset} because it \
                 is not the last file.\nTo cut here all the same, delete the files that the \
                 manifest names behind this one and their lines in the manifest, and check again."
            );
        }
        match Disk.truncate(path, offset) {
            Ok(()) => Ok(Outcome::TruncatedToTime),
            Err(_) => fail!("Failed to truncate AOF {path} to timestamp {time}"),
        }
    }

    /// Cuts the file if the user says yes.
    fn fix(&self, size: u64, ok_up_to: u64) -> Result<Outcome, Failed> {
        let (name, diff) = (self.name, size - ok_up_to);
        println!(
            "This will shrink the AOF {name} from {size} bytes, with {diff} bytes, to {ok_up_to} \
             bytes"
        );
        print!("Continue? [y/N]: ");
        // A terminal that is gone says nothing either.
        let _ = std::io::stdout().flush();
        let mut answer = String::new();
        let _ = std::io::stdin().read_line(&mut answer);
        if !answer.trim_start().to_ascii_lowercase().starts_with('y') {
            fail!("Aborting...");
        }
        match Disk.truncate(self.path, ok_up_to) {
            Ok(()) => Ok(Outcome::Truncated),
            Err(_) => fail!("Failed to truncate AOF {name}"),
        }
    }
}
