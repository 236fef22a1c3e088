//! Looking ahead in a pipeline.
//!
//! A look-up in a large dataset waits twice for memory: for the key's bucket and for its entry.
//! When a client has sent several commands at once, the loop parses and looks up a few of them
//! first, asks the processor for all their buckets, then for all their entries, then for the
//! elements that they name in large collections, and only then executes them in order: the waits
//! overlap instead of adding up.

use collections::prefetch::LOOK_AHEAD_MAX;
use resp::{Args, Limits, RequestParser, Step};

use crate::dispatch::Prepared;
use crate::engine::Engine;
use crate::session::Session;

/// Commands parsed and looked up, each with a parser that holds its arguments.
#[derive(Debug)]
pub struct Pipeline {
    parsers: Vec<RequestParser>,
    ready: Vec<Ready>,
}

/// A command that waits for its execution.
#[derive(Clone, Copy, Debug)]
pub struct Ready {
    /// Where the command begins in the bytes it was found in.
    start: usize,
    /// Length of the command in bytes.
    pub consumed: usize,
    /// What the engine found.
    pub prepared: Prepared,
}

impl Default for Pipeline {
    /// An empty one. Made once per event loop, since it keeps its memory.
    fn default() -> Self {
        Self {
            parsers: (0..LOOK_AHEAD_MAX).map(|_| RequestParser::new()).collect(),
            ready: Vec::with_capacity(LOOK_AHEAD_MAX),
        }
    }
}

impl Pipeline {
    /// Parses the complete commands at the start of `bytes`, at most [`LOOK_AHEAD_MAX`], and
    /// prepares their execution. Returns how many; what comes after them, be it incomplete, empty
    /// or invalid, is left for the connection's own parser.
    pub fn fill(
        &mut self,
        engine: &Engine,
        session: &Session,
        bytes: &[u8],
        limits: &Limits,
    ) -> usize {
        self.ready.clear();
        let mut start = 0;
        for parser in &mut self.parsers {
            let rest = &bytes[start..];
            if rest.is_empty() {
                break;
            }
            let Some(consumed) = parse_complete(parser, rest, limits) else { break };
            let last = self.ready.last().map(|ready| &ready.prepared);
            let prepared = engine.prepare(parser.args(rest), last);
            self.ready.push(Ready { start, consumed, prepared });
            start += consumed;
        }
        if self.ready.len() > 1 {
            engine.prepare_keys(session, self.ready.iter().map(|ready| &ready.prepared));
            self.prepare_elements(engine, session, bytes);
        }
        self.ready.len()
    }

    /// Asks for the elements that the commands name, for all commands in a row that name elements
    /// of one key together.
    fn prepare_elements(&self, engine: &Engine, session: &Session, bytes: &[u8]) {
        let args = |index: usize| self.parsers[index].args(&bytes[self.ready[index].start..]);
        let mut index = 0;
        while let Some(first) = self.ready.get(index) {
            let Some(element) = first.prepared.element() else {
                index += 1;
                continue;
            };
            let key = args(index).get(element.key).unwrap_or_default();
            let mut names = [&[][..]; LOOK_AHEAD_MAX];
            let mut count = 0;
            while self.ready.get(index).is_some_and(|r| r.prepared.element() == Some(element)) {
                names[count] = args(index).get(element.name).unwrap_or_default();
                (index, count) = (index + 1, count + 1);
            }
            engine.prepare_elements(session, key, element.position, &names[..count]);
        }
    }

    /// Command number `index` of those that [`Pipeline::fill`] found; `bytes` starts with it.
    pub fn get<'a>(&'a self, index: usize, bytes: &'a [u8]) -> (Ready, Args<'a>) {
        (self.ready[index], self.parsers[index].args(bytes))
    }

    /// Gives back the memory of large commands.
    pub fn shrink(&mut self) {
        self.parsers.iter_mut().for_each(RequestParser::shrink);
    }
}

/// The length of the complete command at the start of `bytes`, if there is one.
fn parse_complete(parser: &mut RequestParser, bytes: &[u8], limits: &Limits) -> Option<usize> {
    if let Ok(Step::Complete { consumed }) = parser.parse(bytes, limits) {
        return Some(consumed);
    }
    // The state of an unfinished command must not meet the next one.
    *parser = RequestParser::new();
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incomplete_command_leaves_no_trace_in_its_parser() {
        let (mut parser, limits) = (RequestParser::new(), Limits::default());
        for unfinished in [&b"*2\r\n$3\r\nGE"[..], b"PIN", b"*1\r\n$x\r\n", b"\r\n"] {
            assert_eq!(parse_complete(&mut parser, unfinished, &limits), None);
            assert_eq!(parse_complete(&mut parser, b"PING\r\n", &limits), Some(6));
        }
    }
}
