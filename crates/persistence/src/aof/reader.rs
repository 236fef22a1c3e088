//! A file of commands, taken apart: commands, notes of the time, and how it ends.
//!
//! The end matters as much as the commands: a file may stop in the middle of a command because the
//! power went, and then everything before is good; or it contains what no server writes. The reader
//! knows the offset up to which the file is whole.

use std::io::{self, Read};

use resp::{Args, Limits, RequestParser, Step};

use crate::{Source, Storage};

/// Bytes read at a time.
const BLOCK: usize = 256 << 10;
/// The longest argument. What is announced need not be there: the rest is missing then, whatever
/// its length.
const BULK_LEN_MAX: u64 = 1 << 62;
/// The longest remark.
const REMARK_LEN_MAX: usize = 1024;

/// What the file contains next.
#[derive(Debug)]
pub enum Item<'a> {
    /// A command.
    Command(Args<'a>),
    /// The time in Unix seconds from which on the commands below it were executed.
    Timestamp(u64),
}

/// How a file ends.
#[derive(Debug)]
pub enum End {
    /// After a whole command.
    Whole,
    /// In the middle of one.
    Truncated,
    /// With bytes that are no command.
    Malformed,
    /// It cannot be read on.
    Failed(io::Error),
}

/// Reads a file of commands.
#[derive(Debug)]
pub struct Reader<R> {
    source: R,
    parser: RequestParser,
    buffer: Vec<u8>,
    /// Bytes of the buffer that were consumed.
    at: usize,
    /// Bytes to drop before the next item.
    consumed: usize,
    /// Offset in the file of the buffer's first byte.
    base: u64,
    limits: Limits,
    ended: bool,
}

impl<R: Read> Reader<R> {
    /// Reads what `source` gives from now on. `offset` is where it stands in its file.
    pub fn new(source: R, offset: u64) -> Self {
        Self {
            source,
            parser: RequestParser::new(),
            buffer: Vec::new(),
            at: 0,
            consumed: 0,
            base: offset,
            limits: Limits { bulk_len_max: BULK_LEN_MAX, authenticated: true },
            ended: false,
        }
    }

    /// The offset behind the last item.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.base + (self.at + self.consumed) as u64
    }

    /// What has been read and lies behind the last item.
    #[must_use]
    pub fn rest(&self) -> &[u8] {
        &self.buffer[self.at + self.consumed..]
    }

    /// The next item, or how the file ends. After the end nothing is to be asked.
    ///
    /// # Errors
    /// The end, as [`End`].
    pub fn next_item(&mut self) -> Result<Item<'_>, End> {
        self.at += std::mem::take(&mut self.consumed);
        loop {
            match self.buffer.get(self.at) {
                None if self.ended => return Err(End::Whole),
                None => self.fill(BLOCK)?,
                Some(b'*') => break,
                Some(b'#') => match self.annotation() {
                    None if self.buffer.len() - self.at >= REMARK_LEN_MAX => {
                        return Err(End::Malformed);
                    }
                    None if self.ended => return Err(End::Truncated),
                    None => self.fill(BLOCK)?,
                    Some((length, timestamp)) => {
                        self.consumed = length;
                        match timestamp {
                            Some(time) => return Ok(Item::Timestamp(time)),
                            // A remark of another kind.
                            None => self.at += std::mem::take(&mut self.consumed),
                        }
                    }
                },
                Some(_) => return Err(End::Malformed),
            }
        }
        let consumed = self.command()?;
        let args = self.parser.args(&self.buffer[self.at..]);
        if !args.are_terminated() {
            return Err(End::Malformed);
        }
        self.consumed = consumed;
        Ok(Item::Command(args))
    }

    /// Has the parser read a whole command; its length.
    fn command(&mut self) -> Result<usize, End> {
        loop {
            match self.parser.parse(&self.buffer[self.at..], &self.limits) {
                Ok(Step::Complete { consumed }) => return Ok(consumed),
                Ok(Step::Incomplete { .. }) if self.ended => return Err(End::Truncated),
                Ok(Step::Incomplete { needed }) => self.fill(needed)?,
                Ok(Step::Skipped { .. }) | Err(_) => return Err(End::Malformed),
            }
        }
    }

    /// The length of the remark at hand, and the time that it tells.
    fn annotation(&self) -> Option<(usize, Option<u64>)> {
        let line = &self.buffer[self.at..];
        let line = &line[..line.len().min(REMARK_LEN_MAX)];
        let length = line.iter().position(|&byte| byte == b'\n')? + 1;
        let time = line[..length].trim_ascii().strip_prefix(b"#TS:");
        Some((length, time.and_then(stdx::num::parse_u64)))
    }

    /// Reads at least one byte more, or notes the end; about `wanted` if they are there.
    fn fill(&mut self, wanted: usize) -> Result<(), End> {
        self.buffer.drain(..self.at);
        self.base += self.at as u64;
        self.at = 0;
        // What is announced may not be there: memory grows with what was read.
        let room = wanted.clamp(BLOCK, 8 << 20);
        let length = self.buffer.len();
        self.buffer.resize(length + room, 0);
        let read = loop {
            match self.source.read(&mut self.buffer[length..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer.truncate(length + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => self.ended = true,
            Ok(_) => {}
            Err(error) => return Err(End::Failed(error)),
        }
        Ok(())
    }
}

/// Whether a file that is malformed behind its first `whole` bytes only lacks its end: what follows
/// is the beginning of a command, or nothing of it, and then zeros. That is how a file looks whose
/// length had reached the disk when the power went, and whose last bytes had not.
///
/// # Errors
/// Those of the system.
pub fn is_torn(storage: &dyn Storage, path: &str, whole: u64) -> io::Result<bool> {
    let behind = || -> io::Result<Box<dyn Source>> {
        let mut source = storage.open(path)?;
        io::copy(&mut (&mut source).take(whole), &mut io::sink())?;
        Ok(source)
    };
    let (mut source, mut block) = (behind()?, vec![0; BLOCK]);
    let (mut length, mut text) = (0, 0);
    loop {
        let count = match source.read(&mut block) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        if count == 0 {
            break;
        }
        if let Some(last) = block[..count].iter().rposition(|&byte| byte != 0) {
            text = length + last as u64 + 1;
        }
        length += count as u64;
    }
    let mut reader = Reader::new(behind()?.take(text), whole);
    let begins_well = matches!(reader.next_item(), Err(End::Whole | End::Truncated));
    Ok(text < length && begins_well)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time.
    struct Slowly<'a>(&'a [u8]);

    impl Read for Slowly<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
            buffer[0] = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    fn read(source: impl Read) -> (Vec<String>, String, u64) {
        let mut reader = Reader::new(source, 0);
        let mut items = Vec::new();
        let mut offset = 0;
        loop {
            match reader.next_item() {
                Ok(Item::Command(args)) => items.push(format!("{args:?}")),
                Ok(Item::Timestamp(time)) => items.push(format!("@{time}")),
                Err(end) => return (items, format!("{end:?}"), offset),
            }
            offset = reader.offset();
        }
    }

    #[test]
    fn every_cut_leaves_whole_commands() {
        let text = b"#TS:7\r\n*1\r\n$4\r\nPING\r\n# hm\r\n*2\r\n$3\r\nGET\r\n$2\r\nab\r\n#TS:8\r\n";
        let ends = [7, 21, 48, 55];
        for cut in 0..=text.len() {
            let text = &text[..cut];
            let whole = ends.iter().take_while(|&&end| end <= cut).count();
            let all = ["@7", "\"PING\"", "\"GET\" \"ab\"", "@8"];
            let end =
                if ends.contains(&cut) || matches!(cut, 0 | 27) { "Whole" } else { "Truncated" };
            let offset = whole.checked_sub(1).map_or(0, |last| ends[last] as u64);
            let expected =
                (all[..whole].iter().map(|s| (*s).to_owned()).collect(), end.to_owned(), offset);
            assert_eq!(read(text), expected, "{cut}");
            assert_eq!(read(Slowly(text)), expected, "{cut}");
        }
    }

    #[test]
    fn what_no_server_writes_is_malformed() {
        for text in ["PING\r\n", "*0\r\n", "*1\r\nPING\r\n", "*-1\r\n", "*1\r\n$x\r\n", "\0\0\0"] {
            assert_eq!(read(text.as_bytes()).1, "Malformed", "{text:?}");
        }
        assert_eq!(read(&[b'#'; 5_000][..]).1, "Malformed");
        // Lengths that step over the damage do not hide it.
        let hidden = b"*2\r\n$3\r\nGET\r\n$4\r\nab\0\0\0\0*1\r\n$4\r\nPING\r\n";
        assert_eq!(read(&hidden[..]), (vec![], "Malformed".to_owned(), 0));
        // Nothing is reserved for what is only announced.
        assert_eq!(read(&b"*1\r\n$4611686018427387904\r\nab"[..]).1, "Truncated");
        assert_eq!(read(&b"*2000000000\r\n$1\r\na"[..]).1, "Truncated");
    }
}
