//! Goes through a file of commands, byte by byte as `redis-check-aof` does: where the last whole
//! command ends, what is wrong behind it, and where the commands begin that are too young.

use std::io::{BufRead, BufReader, Read};

/// The longest head of a command or an argument, its end included.
const HEAD_MAX: usize = 127;
/// The longest remark.
const REMARK_MAX: usize = 1023;
/// Bytes of an argument that are kept: enough to know `MULTI` and `EXEC`.
const NAME_MAX: u64 = 8;

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Behind the last whole command outside of a transaction.
    pub ok_up_to: u64,
    /// What is wrong behind it, in words, if there are words for it.
    pub problem: Option<String>,
    /// Where a remark says that what follows is younger than wanted.
    pub too_young: Option<u64>,
    /// A remark tells no time that can be understood.
    pub wrong_time: bool,
}

/// Why the scan goes no further.
enum Stop {
    /// The file ends.
    End,
    /// Something is wrong at an offset.
    At(u64, String),
    /// Nothing that may stand in such a file.
    Format,
}

/// A scan of one file.
#[derive(Debug)]
pub struct Scan<R> {
    source: BufReader<R>,
    offset: u64,
    /// Where the last piece began that was read.
    piece: u64,
    /// Lines so far, from 1, over all files.
    pub lines: u64,
    /// Whether a transaction is open.
    in_multi: bool,
}

impl<R: Read> Scan<R> {
    /// A scan from `offset` on, where `source` stands.
    pub fn new(source: R, offset: u64, lines: u64) -> Self {
        let source = BufReader::with_capacity(256 << 10, source);
        Self { source, offset, piece: offset, lines, in_multi: false }
    }

    /// Scans to the end, to what is wrong, or to what is younger than `until`. `name` is what the
    /// file is called in messages. `tell` hears how far the scan is.
    pub fn run(&mut self, name: &str, until: Option<i64>, tell: &mut dyn FnMut(u64)) -> Found {
        let mut found = Found::default();
        let stop = loop {
            if !self.in_multi {
                found.ok_up_to = self.offset;
            }
            tell(self.offset);
            let next = match self.peek() {
                Some(b'#') => {
                    let remark_at = self.offset;
                    let remark = self.line(REMARK_MAX);
                    match until.map(|until| is_younger(&remark, until)) {
                        None | Some(Some(false)) => Ok(()),
                        Some(Some(true)) => {
                            found.too_young = Some(remark_at);
                            return found;
                        }
                        Some(None) => {
                            found.wrong_time = true;
                            return found;
                        }
                    }
                }
                Some(b'*') => self.command(name),
                Some(_) => Err(Stop::Format),
                None => Err(Stop::End),
            };
            if let Err(stop) = next {
                break stop;
            }
        };
        let at = |offset: u64, what: &str| Some(format!("0x{offset:16x}: {what}"));
        found.problem = match stop {
            Stop::At(offset, what) => at(offset, &what),
            Stop::Format => Some(format!("AOF {name} format error")),
            Stop::End if self.in_multi => {
                at(self.piece, "Reached EOF before reading EXEC for MULTI")
            }
            Stop::End => None,
        };
        found
    }

    fn peek(&mut self) -> Option<u8> {
        // What cannot be read is not there.
        self.source.fill_buf().ok()?.first().copied()
    }

    fn command(&mut self, name: &str) -> Result<(), Stop> {
        let count = self.number(b'*')?;
        for index in 0..count {
            let word = self.string()?;
            let is = |expected: &[u8]| index == 0 && word.eq_ignore_ascii_case(expected);
            let unexpected =
                |piece, word| Err(Stop::At(piece, format!("Unexpected {word} in AOF {name}")));
            match self.in_multi {
                true if is(b"MULTI") => return unexpected(self.piece, "MULTI"),
                false if is(b"EXEC") => return unexpected(self.piece, "EXEC"),
                _ if is(b"MULTI") => self.in_multi = true,
                _ if is(b"EXEC") => self.in_multi = false,
                _ => {}
            }
        }
        Ok(())
    }

    /// At most `max` bytes, up to the end of the line.
    fn line(&mut self, max: usize) -> Vec<u8> {
        self.piece = self.offset;
        let mut line = Vec::new();
        let _ = (&mut self.source).take(max as u64).read_until(b'\n', &mut line);
        self.offset += line.len() as u64;
        line
    }

    /// The number of a head that begins with `prefix`.
    fn number(&mut self, prefix: u8) -> Result<i64, Stop> {
        let line = self.line(HEAD_MAX);
        let Some((&first, rest)) = line.split_first() else { return Err(Stop::End) };
        if first != prefix {
            let (prefix, first) = (char::from(prefix), char::from(first));
            let what = format!("Expected prefix '{prefix}', got: '{first}'");
            return Err(Stop::At(self.piece, what));
        }
        let (number, rest) = leading_number(rest);
        self.end_of_line(rest)?;
        Ok(number)
    }

    /// An argument, or as much of it as is of interest.
    fn string(&mut self) -> Result<Vec<u8>, Stop> {
        let length = self.number(b'$')?;
        let bytes = u64::try_from(length).ok().filter(|&bytes| bytes <= i64::MAX as u64 - 2);
        let Some(bytes) = bytes else {
            let what = format!(
                "Expected to read string of {length} bytes, which is not in the suitable range"
            );
            return Err(Stop::At(self.piece, what));
        };
        self.piece = self.offset;
        let mut word = Vec::new();
        let mut end = Vec::new();
        let mut read = 0;
        let source = &mut self.source;
        let kept = bytes.min(NAME_MAX);
        read += source.take(kept).read_to_end(&mut word).unwrap_or(0) as u64;
        let rest = &mut source.take(bytes - kept);
        read += std::io::copy(rest, &mut std::io::sink()).unwrap_or(0);
        read += source.take(2).read_to_end(&mut end).unwrap_or(0) as u64;
        self.offset += read;
        if read != bytes + 2 {
            let what = format!("Expected to read {} bytes, got {read} bytes", bytes + 2);
            return Err(Stop::At(self.piece, what));
        }
        self.end_of_line(&end)?;
        // A longer word is none of those that matter, but must not look like one.
        if bytes > kept {
            word.clear();
        }
        Ok(word)
    }

    fn end_of_line(&mut self, end: &[u8]) -> Result<(), Stop> {
        if end.starts_with(b"\r\n") {
            self.lines += 1;
            return Ok(());
        }
        let byte = |index: usize| end.get(index).copied().unwrap_or(0);
        let what = format!("Expected \\r\\n, got: {:02x}{:02x}", byte(0), byte(1));
        Err(Stop::At(self.piece, what))
    }
}

/// The number that a text begins with, 0 if it begins with none, and what follows.
fn leading_number(text: &[u8]) -> (i64, &[u8]) {
    let sign = usize::from(matches!(text.first(), Some(b'-' | b'+')));
    let digits = text[sign..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = text.split_at(if digits > 0 { sign + digits } else { 0 });
    let limit = if number.first() == Some(&b'-') { i64::MIN } else { i64::MAX };
    let number = number.strip_prefix(b"+").unwrap_or(number);
    let parsed = std::str::from_utf8(number).ok().and_then(|text| text.parse().ok());
    (if digits > 0 { parsed.unwrap_or(limit) } else { 0 }, rest)
}

/// Whether a remark tells a time later than `until`; none if it tells one that is no number.
fn is_younger(remark: &[u8], until: i64) -> Option<bool> {
    let Some(text) = remark.strip_prefix(b"#TS:") else { return Some(false) };
    let (time, rest) = leading_number(text);
    rest.starts_with(b"\r\n").then_some(time > until)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str =
        "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$3\r\nfoo\r\n$5\r\nhello\r\n";

    fn scan(text: &str, until: Option<i64>) -> (Found, u64) {
        let mut scan = Scan::new(text.as_bytes(), 0, 1);
        let found = scan.run("f", until, &mut |_| ());
        (found, scan.lines)
    }

    /// Offset, line and problem of what follows two good commands.
    fn behind(text: &str) -> (u64, u64, String) {
        let (found, lines) = scan(&format!("{WHOLE}{text}"), None);
        (found.ok_up_to, lines, found.problem.unwrap_or_default())
    }

    #[test]
    fn what_is_wrong_is_said_as_operators_know_it() {
        let at = |offset: &str, what: &str| format!("0x{offset:>16}: {what}");
        for (text, line, problem) in [
            ("", 13, String::new()),
            ("#TS:1", 13, String::new()),
            ("*0\r\n", 14, String::new()),
            ("PING\r\n", 13, "AOF f format error".to_owned()),
            ("*1\r\n$x\r\nab\r\n", 14, at("3c", "Expected \\r\\n, got: 780d")),
            ("*1\r\n$4\r\nPINGxx*1\r\n", 15, at("40", "Expected \\r\\n, got: 7878")),
            ("*2\r\n$4\r\nINCR\r\n$1\r\n", 17, at("4a", "Expected to read 3 bytes, got 0 bytes")),
            ("*2\r\n$4\r\nINCR\r\n$1\r", 16, at("46", "Expected \\r\\n, got: 0d00")),
            ("*1\r\n", 14, String::new()),
            ("*1\r\n$5\r\nMULTI\r\n", 16, at("40", "Reached EOF before reading EXEC for MULTI")),
            ("*1\r\n$4\r\nEXEC\r\n", 16, at("40", "Unexpected EXEC in AOF f")),
            ("*1\r\n+4\r\n", 14, at("3c", "Expected prefix '$', got: '+'")),
        ] {
            let ok_up_to = match text {
                "#TS:1" => 61,
                "*0\r\n" => 60,
                _ => 56,
            };
            assert_eq!(behind(text), (ok_up_to, line, problem), "{text:?}");
        }
        let negative = "Expected to read string of -5 bytes, which is not in the suitable range";
        assert_eq!(behind("*1\r\n$-5\r\n").2, at("3c", negative));
        let two = "*1\r\n$5\r\nMULTI\r\n*1\r\n$5\r\nmulti\r\n";
        assert_eq!(behind(two).2, at("4f", "Unexpected MULTI in AOF f"));
    }

    #[test]
    fn every_cut_of_a_file_is_survived() {
        let text = format!("{WHOLE}*1\r\n$5\r\nMULTI\r\n{WHOLE}*1\r\n$4\r\nEXEC\r\n");
        for cut in 0..=text.len() {
            let ok_up_to = match cut {
                0..23 => 0,
                23..56 => 23,
                _ if cut == text.len() => cut as u64,
                _ => 56,
            };
            assert_eq!(scan(&text[..cut], None).0.ok_up_to, ok_up_to, "{cut}");
        }
    }

    #[test]
    fn remarks_tell_where_to_cut() {
        let text = format!("#TS:100\r\n{WHOLE}#TS:200\r\n{WHOLE}");
        assert_eq!(scan(&text, Some(200)).0, Found { ok_up_to: 130, ..Found::default() });
        assert_eq!(scan(&text, Some(199)).0.too_young, Some(65));
        assert_eq!(scan(&text, Some(99)).0.too_young, Some(0));
        assert!(scan("#TS:4\n", Some(1)).0.wrong_time && scan("#TS:x\r\n", Some(1)).0.wrong_time);
        assert_eq!(scan("#other\r\n", Some(1)).0.too_young, None);
    }
}
