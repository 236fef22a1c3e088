//! The manifest: which files make up the append-only file, in which order.
//!
//! A line for each file, `file NAME seq NUMBER type LETTER`: the base (`b`), of which there is at
//! most one, files that are no longer needed (`h`), and the increments (`i`) in the order in which
//! they are replayed. The manifest is replaced as a whole, and whatever it does not name does not
//! belong to the dataset: so a rewrite becomes visible in one step.

use std::fmt;
use std::io::{self, Read};

use stdx::{num, text};

use crate::Storage;

/// The longest line, its end included.
const LINE_MAX: usize = 1024;

/// What a file is to the dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// The state that the increments start from.
    Base,
    /// Changes.
    Incr,
    /// Superseded, to be removed.
    History,
}

impl FileKind {
    const fn letter(self) -> char {
        match self {
            Self::Base => 'b',
            Self::Incr => 'i',
            Self::History => 'h',
        }
    }
}

/// A file that a manifest names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileInfo {
    /// Its name inside the directory.
    pub name: String,
    /// Its number among those of its kind.
    pub seq: u64,
    /// What it is.
    pub kind: FileKind,
}

impl FileInfo {
    /// Appends the line that says so.
    fn write_line(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"file ");
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'');
        if self.name.bytes().all(is_plain) {
            out.extend_from_slice(self.name.as_bytes());
        } else {
            text::quote_into(out, self.name.as_bytes());
        }
        let rest = format!(" seq {} type {}\n", self.seq, self.kind.letter());
        out.extend_from_slice(rest.as_bytes());
    }
}

/// Where the files are, by the parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// `appenddirname`.
    pub directory: String,
    /// `appendfilename`.
    pub stem: String,
}

impl Names {
    /// The path of a file of the directory.
    #[must_use]
    pub fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.directory)
    }

    /// The path of the manifest.
    #[must_use]
    pub fn manifest(&self) -> String {
        self.path(&format!("{}.manifest", self.stem))
    }

    /// The name of the increment that is written until the first rewrite has ended.
    #[must_use]
    pub fn temporary_incr(&self) -> String {
        format!("temp-{}.incr", self.stem)
    }

    fn temporary_manifest(&self) -> String {
        self.path(&format!("temp-{}.manifest", self.stem))
    }
}

/// The files of an append-only file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The state to start from; none if the increments start from nothing.
    pub base: Option<FileInfo>,
    /// The increments, oldest first.
    pub incrs: Vec<FileInfo>,
    /// What is to be removed.
    pub history: Vec<FileInfo>,
    /// The highest number of a base so far.
    base_seq: u64,
    /// The highest number of an increment so far.
    incr_seq: u64,
}

/// Why a manifest cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestError {
    /// The number of the line, from 1; 0 if it is not about a line.
    pub line: usize,
    /// The line.
    pub text: String,
    /// What is wrong.
    pub reason: &'static str,
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            writeln!(f, "Reading the manifest file, at line {}", self.line)?;
            writeln!(f, ">>> '{}'", self.text)?;
        }
        f.write_str(self.reason)
    }
}

impl std::error::Error for ManifestError {}

impl Manifest {
    /// The manifest of a single file in the style of Redis before 7, which becomes the base.
    #[must_use]
    pub fn upgraded(stem: &str) -> Self {
        let base = FileInfo { name: stem.to_owned(), seq: 1, kind: FileKind::Base };
        Self { base: Some(base), base_seq: 1, ..Self::default() }
    }

    /// Reads a manifest.
    ///
    /// # Errors
    /// At the first line that is wrong.
    pub fn parse(text: &[u8]) -> Result<Self, ManifestError> {
        let mut manifest = Self::default();
        let mut lines = 0;
        for (index, line) in text.split_inclusive(|&byte| byte == b'\n').enumerate() {
            lines = index + 1;
            if line.first() == Some(&b'#') && line.len() <= LINE_MAX {
                continue;
            }
            let shown = line.trim_ascii();
            manifest.add_line(line).map_err(|reason| ManifestError {
                line: lines,
                text: String::from_utf8_lossy(&shown[..shown.len().min(LINE_MAX)]).into_owned(),
                reason,
            })?;
        }
        if lines == 0 {
            let reason = "Found an empty AOF manifest";
            return Err(ManifestError { line: 0, text: String::new(), reason });
        }
        Ok(manifest)
    }

    fn add_line(&mut self, line: &[u8]) -> Result<(), &'static str> {
        const LONG: &str = "The AOF manifest file contains too long line";
        if line.len() > LINE_MAX || line.last() != Some(&b'\n') {
            return Err(LONG);
        }
        let file = parse_line(line.trim_ascii())?;
        // What was read is written again by the next rewrite, in a spelling that may be longer.
        let mut written = Vec::new();
        file.write_line(&mut written);
        if written.len() > LINE_MAX {
            return Err(LONG);
        }
        match file.kind {
            FileKind::Base => {
                if self.base.is_some() {
                    return Err("Found duplicate base file information");
                }
                self.base_seq = file.seq;
                self.base = Some(file);
            }
            FileKind::Incr => {
                if file.seq <= self.incr_seq {
                    return Err("Found a non-monotonic sequence number");
                }
                self.incr_seq = file.seq;
                self.incrs.push(file);
            }
            FileKind::History => self.history.push(file),
        }
        Ok(())
    }

    /// The manifest's text.
    #[must_use]
    pub fn text(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for file in self.base.iter().chain(&self.history).chain(&self.incrs) {
            file.write_line(&mut out);
        }
        out
    }

    /// Reads the manifest of a directory; none if there is none.
    ///
    /// # Errors
    /// Those of the system, and [`ManifestError`] as invalid data.
    pub fn load(storage: &dyn Storage, names: &Names) -> io::Result<Option<Self>> {
        if storage.len(&names.manifest())?.is_none() {
            return Ok(None);
        }
        let mut text = Vec::new();
        storage.open(&names.manifest())?.read_to_end(&mut text)?;
        let manifest = Self::parse(&text);
        manifest.map(Some).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    /// Replaces the manifest of a directory, which is there. Afterwards it is this one, also
    /// after a loss of power; after an error it is this one or the one before.
    ///
    /// # Errors
    /// Those of the system.
    pub fn store(&self, storage: &dyn Storage, names: &Names) -> io::Result<()> {
        let temporary = names.temporary_manifest();
        let mut file = storage.create(&temporary)?;
        file.write_all(&self.text())?;
        file.sync()?;
        drop(file);
        storage.rename(&temporary, &names.manifest())?;
        storage.sync_directory(&names.directory)
    }

    /// The files whose commands make up the dataset, in order.
    pub fn live(&self) -> impl Iterator<Item = &FileInfo> {
        self.base.iter().chain(&self.incrs)
    }

    /// Adds a new base in place of the one before, which becomes history, and names it.
    pub fn new_base(&mut self, stem: &str, is_rdb: bool) -> String {
        self.history.extend(self.base.take().map(superseded));
        let format = if is_rdb { "rdb" } else { "aof" };
        let name;
        (self.base_seq, name) =
            self.unused(self.base_seq, |seq| format!("{stem}.{seq}.base.{format}"));
        let base = FileInfo { name: name.clone(), seq: self.base_seq, kind: FileKind::Base };
        self.base = Some(base);
        name
    }

    /// The next number, and the name that comes with it. Those of history are passed over: after a
    /// start nothing else says how far the numbers had got, and what is there is not to be touched.
    fn unused(&self, last: u64, name: impl Fn(u64) -> String) -> (u64, String) {
        let is_unused = |(_, name): &(u64, String)| {
            !self.history.iter().any(|superseded| superseded.name == *name)
        };
        let mut numbers = (last + 1..).map(|seq| (seq, name(seq)));
        numbers.find(is_unused).expect("there are more numbers than files")
    }

    /// Adds a new increment behind the others, and names it.
    pub fn new_incr(&mut self, stem: &str) -> String {
        let name;
        (self.incr_seq, name) = self.unused(self.incr_seq, |seq| format!("{stem}.{seq}.incr.aof"));
        let file = FileInfo { name: name.clone(), seq: self.incr_seq, kind: FileKind::Incr };
        self.incrs.push(file);
        name
    }

    /// All increments but the last `kept` become history: a new base contains what they say.
    pub fn supersede_incrs(&mut self, kept: usize) {
        let old = self.incrs.len().saturating_sub(kept);
        self.history.extend(self.incrs.drain(..old).map(superseded));
    }
}

fn superseded(file: FileInfo) -> FileInfo {
    FileInfo { kind: FileKind::History, ..file }
}

fn parse_line(line: &[u8]) -> Result<FileInfo, &'static str> {
    const FORMAT: &str = "Invalid AOF manifest file format";
    let words = text::split_args(line).filter(|words| words.len() >= 6 && words.len() % 2 == 0);
    let (mut name, mut seq, mut kind) = (None, 0, None);
    for pair in words.ok_or(FORMAT)?.chunks_exact(2) {
        let (key, value) = (pair[0].as_slice(), pair[1].as_slice());
        if key.eq_ignore_ascii_case(b"file") {
            let text = String::from_utf8(value.to_vec()).map_err(|_| FORMAT)?;
            if text.contains(['/', '\\']) || text.is_empty() {
                return Err("File can't be a path, just a filename");
            }
            name = Some(text);
        } else if key.eq_ignore_ascii_case(b"seq") {
            // Signed for others, and there is always a next one.
            let number = num::parse_i64(value).filter(|&number| number < i64::MAX);
            seq = number.and_then(|number| u64::try_from(number).ok()).ok_or(FORMAT)?;
        } else if key.eq_ignore_ascii_case(b"type") {
            kind = Some(match value {
                b"b" => FileKind::Base,
                b"i" => FileKind::Incr,
                b"h" => FileKind::History,
                _ => return Err("Unknown AOF file type"),
            });
        }
        // Other keys are those of versions to come.
    }
    match (name, seq, kind) {
        (Some(name), 1.., Some(kind)) => Ok(FileInfo { name, seq, kind }),
        _ => Err(FORMAT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Manifest::parse(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_manifest_survives_writing_and_reading() {
        let mut manifest = Manifest::default();
        assert_eq!(manifest.new_base("a b.aof", true), "a b.aof.1.base.rdb");
        assert_eq!(manifest.new_incr("x"), "x.1.incr.aof");
        assert_eq!(manifest.new_incr("x"), "x.2.incr.aof");
        assert_eq!(manifest.new_base("x", false), "x.2.base.aof");
        manifest.supersede_incrs(1);
        let text = "file x.2.base.aof seq 2 type b\n\
                    file \"a b.aof.1.base.rdb\" seq 1 type h\n\
                    file x.1.incr.aof seq 1 type h\n\
                    file x.2.incr.aof seq 2 type i\n";
        assert_eq!(String::from_utf8(manifest.text()).unwrap(), text);
        let mut read = Manifest::parse(text.as_bytes()).unwrap();
        assert_eq!(read, manifest);
        assert_eq!(read.new_incr("x"), "x.3.incr.aof");
    }

    #[test]
    fn what_is_kept_of_the_past_keeps_its_name() {
        let text = "file x.4.base.rdb seq 4 type b\n\
                    file x.2.incr.aof seq 2 type h\n\
                    file x.1.incr.aof seq 1 type h\n\
                    file x.5.base.rdb seq 5 type h\n";
        let mut read = Manifest::parse(text.as_bytes()).unwrap();
        assert_eq!(read.new_incr("x"), "x.3.incr.aof");
        assert_eq!(read.new_incr("x"), "x.4.incr.aof");
        assert_eq!(read.new_base("x", true), "x.6.base.rdb");
    }

    #[test]
    fn wrong_lines_are_named() {
        let good = "file a.1.incr.aof seq 1 type i\n";
        assert_eq!(error(""), "Found an empty AOF manifest");
        let blank =
            "Reading the manifest file, at line 2\n>>> ''\nInvalid AOF manifest file format";
        assert_eq!(error(&format!("{good}\n")), blank);
        for (line, reason) in [
            ("file a seq 1 type i", "too long line"),
            ("file a/b seq 1 type i\n", "File can't be a path"),
            ("file a seq 1 type x\n", "Unknown AOF file type"),
            ("file a seq 0 type i\n", "Invalid AOF manifest file format"),
            ("file a seq -1 type i\n", "Invalid AOF manifest file format"),
            ("file a seq 9223372036854775807 type i\n", "Invalid AOF manifest file format"),
            ("filx a seq 1 type i\n", "Invalid AOF manifest file format"),
            ("file a seq 1 type i extra\n", "Invalid AOF manifest file format"),
            ("file \"a seq 1 type i\n", "Invalid AOF manifest file format"),
            ("file a seq 1 type b\nfile b seq 2 type b\n", "Found duplicate base file information"),
            ("file a seq 2 type i\nfile b seq 2 type i\n", "Found a non-monotonic"),
        ] {
            assert!(error(line).contains(reason), "{line}: {}", error(line));
        }
        let long = format!("file a seq 1 type i{}\n", " x y".repeat(300));
        assert!(error(&long).contains("too long line"));
        let spelled = format!("file \"{}\" seq 1 type i\n", "\x07".repeat(700));
        assert!(error(&spelled).contains("too long line"), "twice as long when it is written");
        let more = "# a remark\nfile a seq 1 type i later value\n";
        assert_eq!(Manifest::parse(more.as_bytes()).unwrap().incrs.len(), 1);
    }
}
