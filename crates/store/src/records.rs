//! Commands as replicas and the AOF must see them, collected while the locks are held.
//!
//! They are kept as the bytes that go to the log, one after the other in one buffer that is used
//! again from command to command, so that recording a command costs a copy and no allocation.

use resp::{Args, encode_argument, encode_command, encode_command_header, encode_request};

/// A buffer that has become larger than this by one command is given back after it.
const KEPT_BYTES_MAX: usize = 64 << 10;

/// Commands in order, each with the database that it runs in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records {
    bytes: Vec<u8>,
    /// Where runs of commands of the same database end in `bytes`.
    runs: Vec<Run>,
    count: usize,
}

/// A place between two commands, by default before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    bytes: usize,
    count: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    db: usize,
    end: usize,
}

impl Records {
    /// Whether there are none.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Number of commands.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Appends a command.
    #[inline]
    pub fn push<'a>(&mut self, db: usize, args: impl ExactSizeIterator<Item = &'a [u8]> + Clone) {
        encode_command(args, &mut self.bytes);
        self.ended(db);
    }

    /// Appends a command as a client sent it.
    #[inline]
    pub fn push_request(&mut self, db: usize, request: Args<'_>) {
        encode_request(request, &mut self.bytes);
        self.ended(db);
    }

    /// Appends a command of which the arguments come in two parts.
    pub fn push_parts<'a>(
        &mut self,
        db: usize,
        head: &[&[u8]],
        tail: impl ExactSizeIterator<Item = &'a [u8]>,
    ) {
        encode_command_header(head.len() + tail.len(), &mut self.bytes);
        head.iter().for_each(|argument| encode_argument(argument, &mut self.bytes));
        tail.for_each(|argument| encode_argument(argument, &mut self.bytes));
        self.ended(db);
    }

    fn ended(&mut self, db: usize) {
        self.count += 1;
        let end = self.bytes.len();
        match self.runs.last_mut() {
            Some(run) if run.db == db => run.end = end,
            _ => self.runs.push(Run { db, end }),
        }
    }

    /// The bytes of all commands in order, in pieces: the database of a piece's commands, then
    /// they.
    pub fn runs(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let mut start = 0;
        self.runs.iter().map(move |run| {
            let bytes = &self.bytes[start..run.end];
            start = run.end;
            (run.db, bytes)
        })
    }

    /// Number of bytes of all commands.
    #[must_use]
    pub fn bytes_len(&self) -> usize {
        self.bytes.len()
    }

    /// The place behind the commands so far.
    #[inline]
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark { bytes: self.bytes.len(), count: self.count }
    }

    /// Makes one transaction of the commands behind `mark`, if they are several: one command of a
    /// client is whole in the log or not there at all.
    #[inline]
    pub fn join(&mut self, mark: Mark) {
        if self.count > mark.count + 1 {
            self.bracket(mark);
        }
    }

    #[cold]
    fn bracket(&mut self, mark: Mark) {
        let mut multi = Vec::new();
        encode_command([&b"MULTI"[..]].into_iter(), &mut multi);
        let added = multi.len();
        self.bytes.splice(mark.bytes..mark.bytes, multi);
        self.count += 1;
        let behind = self.runs.iter_mut().filter(|run| run.end > mark.bytes);
        behind.for_each(|run| run.end += added);
        if let Some(&Run { db, .. }) = self.runs.last() {
            self.push(db, [&b"EXEC"[..]].into_iter());
        }
    }

    /// Forgets the commands.
    #[inline]
    pub fn clear(&mut self) {
        if self.bytes.capacity() > KEPT_BYTES_MAX {
            self.bytes = Vec::new();
        }
        self.bytes.clear();
        self.runs.clear();
        self.count = 0;
    }

    /// The commands one by one, their arguments taken apart: for tests and for whoever shows them.
    ///
    /// # Panics
    /// Never: what was encoded here can be read.
    #[must_use]
    pub fn commands(&self) -> Vec<(usize, resp::OwnedArgs)> {
        let mut commands = Vec::with_capacity(self.count);
        let limits = resp::Limits { bulk_len_max: u64::MAX, authenticated: true };
        for (db, mut bytes) in self.runs() {
            let mut parser = resp::RequestParser::new();
            while let Ok(resp::Step::Complete { consumed }) = parser.parse(bytes, &limits) {
                commands.push((db, parser.args(bytes).to_owned()));
                bytes = &bytes[consumed..];
            }
        }
        commands
    }

    /// The commands as lines: their words separated by spaces.
    #[must_use]
    pub fn lines(&self) -> Vec<(usize, String)> {
        let line = |args: &resp::OwnedArgs| {
            let words =
                args.as_args().iter().map(|word| String::from_utf8_lossy(word).into_owned());
            words.collect::<Vec<_>>().join(" ")
        };
        self.commands().iter().map(|(db, args)| (*db, line(args))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_keep_their_order_and_databases() {
        let mut records = Records::default();
        let push = |records: &mut Records, db, words: &str| {
            let words: Vec<&[u8]> = words.split(' ').map(str::as_bytes).collect();
            records.push(db, words.into_iter());
        };
        push(&mut records, 0, "SET k v");
        push(&mut records, 0, "DEL a b c d e f g h i j k");
        push(&mut records, 3, "FLUSHDB");
        records.push_parts(0, &[b"HDEL", b"h"], [&b"f"[..], b"g"].into_iter());
        let lines: Vec<String> =
            records.lines().into_iter().map(|(db, line)| format!("{db} {line}")).collect();
        assert_eq!(
            lines,
            ["0 SET k v", "0 DEL a b c d e f g h i j k", "3 FLUSHDB", "0 HDEL h f g"]
        );
        assert_eq!((records.len(), records.runs().count()), (4, 3));
        let bytes: usize = records.runs().map(|(_, bytes)| bytes.len()).sum();
        assert_eq!(bytes, records.bytes_len());
        let mark = records.mark();
        push(&mut records, 0, "DEL a");
        records.join(mark);
        assert_eq!(records.len(), 5, "one command needs no transaction");
        push(&mut records, 4, "DEL b");
        records.join(mark);
        let lines: Vec<String> =
            records.lines().into_iter().map(|(db, line)| format!("{db} {line}")).collect();
        let joined = ["0 MULTI", "0 DEL a", "4 DEL b", "4 EXEC"];
        assert_eq!(lines[4..], joined);
        assert_eq!(records.len(), 8);
        records.push(0, [&vec![0; KEPT_BYTES_MAX + 1][..]].into_iter());
        records.clear();
        assert!(records.is_empty() && records.runs().next().is_none());
        assert_eq!(records.bytes.capacity(), 0);
    }
}
