//! The bytes that a connection sent and that are not executed yet.
//!
//! Each event loop has one scratch input, large enough for what a socket usually holds. A
//! connection borrows it for its turn. Only what is left at the end of the turn, the first part of
//! a command or commands that must wait, moves to an input that the connection owns; at the next
//! turn a small rest is copied back in front of the scratch input. So neither an idle connection
//! nor one whose commands arrive whole owns a buffer.
//!
//! A command too large for that is read into an input of its own, which grows to exactly what the
//! parser asks for, so that its bytes are moved at most twice in all however many reads it takes.

use std::io;
use std::os::fd::AsFd;

use resp::RequestParser;
use rustix::io::Errno;
use rustix::net::RecvFlags;

/// Capacity of the scratch input in bytes.
pub const SCRATCH_BYTES: usize = 64 << 10;

/// A rest of up to this many bytes, whose command is complete within as many more, goes on in the
/// scratch input; a larger one in an input of its own.
const SMALL_BYTES: usize = 16 << 10;

/// An own input grows at once by at most this, or by what it holds already if that is more: what
/// a client announces takes no memory before a good part of it arrives.
const ANNOUNCED_BYTES_MAX: usize = 4 << 20;

/// A buffer with its parser.
#[derive(Debug)]
pub struct Input {
    bytes: Vec<u8>,
    /// Start of the first command that is not executed yet.
    start: usize,
    /// Bytes that the parser wants beyond those present.
    needed: usize,
    parser: RequestParser,
}

/// What a read brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// This many bytes, and there may be more.
    Some(usize),
    /// This many bytes, and that is all for now; possibly none.
    Drained(usize),
    /// The peer sends no more.
    End,
}

impl Input {
    /// An empty scratch input.
    pub fn scratch() -> Self {
        Self::with_capacity(SCRATCH_BYTES)
    }

    fn with_capacity(capacity: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(capacity),
            start: 0,
            needed: 1,
            parser: RequestParser::new(),
        }
    }

    /// The bytes not executed yet, and the parser that works on them.
    pub fn pending(&mut self) -> (&[u8], &mut RequestParser) {
        (&self.bytes[self.start..], &mut self.parser)
    }

    /// The number of bytes not executed yet.
    pub fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    /// How many of them the parser has read as arguments of a command that is not complete.
    pub fn parsed(&self) -> usize {
        self.parser.parsed_len().min(self.len())
    }

    /// Whether everything is executed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Free space in bytes.
    pub fn free(&self) -> usize {
        self.bytes.capacity() - self.bytes.len()
    }

    /// Notes that the first `count` pending bytes are executed.
    pub fn consume(&mut self, count: usize) {
        self.start += count;
        debug_assert!(self.start <= self.bytes.len(), "the parser consumes what is there");
    }

    /// Notes that the pending bytes are an incomplete command that lacks `needed` bytes or more; 0
    /// if they may be whole commands that had to wait.
    pub fn lacks(&mut self, needed: usize) {
        self.needed = needed;
    }

    /// Whether the parser can do nothing without more bytes.
    pub fn wants_more(&self) -> bool {
        self.needed > 0
    }

    /// Whether the rest of the command is worth continuing in a scratch input.
    fn is_small(&self) -> bool {
        self.len() <= SMALL_BYTES && self.needed <= SMALL_BYTES
    }

    /// Continues in `scratch`, which must be empty, if this input is small. What is not used any
    /// more comes second.
    pub fn into_scratch(
        mut self: Box<Self>,
        mut scratch: Box<Self>,
    ) -> (Box<Self>, Option<Box<Self>>) {
        if !self.is_small() {
            return (self, Some(scratch));
        }
        scratch.bytes.extend_from_slice(&self.bytes[self.start..]);
        scratch.needed = self.needed;
        std::mem::swap(&mut scratch.parser, &mut self.parser);
        (scratch, None)
    }

    /// Moves what is left of a scratch input into an input of its own; this one is empty then. A
    /// command of which a good part is there has room for its end, so that it is moved once.
    pub fn split_rest(&mut self) -> Box<Self> {
        let rest = &self.bytes[self.start..];
        let lacking = self.needed.min(ANNOUNCED_BYTES_MAX);
        let room = if rest.len() > SMALL_BYTES { lacking } else { 0 };
        let mut own = Self::with_capacity(rest.len() + room);
        own.bytes.extend_from_slice(rest);
        own.needed = self.needed;
        std::mem::swap(&mut own.parser, &mut self.parser);
        self.clear();
        Box::new(own)
    }

    /// Forgets everything but the memory. The parser may be midway through a command that is given
    /// up, after a protocol error say; the next connection must not inherit that.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.start = 0;
        self.needed = 1;
        if self.parser.is_midway() {
            self.parser = RequestParser::new();
        }
    }

    /// Drops the executed bytes of an own input in front of a rest, once they are as many: a long
    /// rest, of which each turn executes a part, is not moved in each.
    pub fn compact(&mut self) {
        if self.start >= self.len() {
            self.drop_executed();
        }
    }

    fn drop_executed(&mut self) {
        if self.start > 0 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
    }

    /// Gives the free space back; a later read makes room again.
    pub fn shrink(&mut self) {
        self.drop_executed();
        self.bytes.shrink_to_fit();
    }

    /// Reads once from a socket.
    ///
    /// # Errors
    /// Those of the socket, but for interruptions and an empty socket.
    pub fn read(&mut self, socket: impl AsFd) -> io::Result<Read> {
        self.make_room();
        let room = self.free();
        loop {
            let space = rustix::buffer::spare_capacity(&mut self.bytes);
            // The socket's own call, which is spared the checks that `read` makes for files.
            return match rustix::net::recv(&socket, space, RecvFlags::empty()) {
                Ok((0, _)) => Ok(Read::End),
                Ok((count, _)) if count == room => Ok(Read::Some(count)),
                Ok((count, _)) => Ok(Read::Drained(count)),
                Err(Errno::AGAIN) => Ok(Read::Drained(0)),
                Err(Errno::INTR) => continue,
                Err(error) => Err(error.into()),
            };
        }
    }

    /// Makes sure that there is room to read into.
    fn make_room(&mut self) {
        let useful = self.needed.min(ANNOUNCED_BYTES_MAX.max(self.len()));
        if self.free() >= useful.min(SMALL_BYTES) && self.free() > 0 {
            return;
        }
        self.drop_executed();
        if self.free() >= useful {
            return;
        }
        let more = useful.max(SMALL_BYTES);
        if useful >= self.len() {
            self.bytes.reserve_exact(more);
        } else {
            // One of many arguments: exact growth would move those before it once for each.
            self.bytes.reserve(more);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    fn pair() -> (UnixStream, UnixStream) {
        let (near, far) = UnixStream::pair().unwrap();
        near.set_nonblocking(true).unwrap();
        (near, far)
    }

    #[test]
    fn reads_report_whether_the_socket_is_empty() {
        let (near, mut far) = pair();
        let mut input = Input::with_capacity(4);
        input.bytes.shrink_to(4);
        assert_eq!(input.read(&near).unwrap(), Read::Drained(0));
        far.write_all(b"PING\r\n").unwrap();
        let room = input.free();
        let first = input.read(&near).unwrap();
        assert_eq!(first, if room > 6 { Read::Drained(6) } else { Read::Some(room) });
        drop(far);
        while input.read(&near).unwrap() != Read::End {}
        assert_eq!(input.pending().0, b"PING\r\n");
    }

    #[test]
    fn a_small_rest_moves_out_and_back() {
        let mut scratch = Box::new(Input::scratch());
        scratch.bytes.extend_from_slice(b"PING\r\nPI");
        scratch.consume(6);
        scratch.lacks(3);
        let own = scratch.split_rest();
        assert!(scratch.is_empty());
        assert_eq!((own.len(), own.needed, own.bytes.capacity()), (2, 3, 2));
        let (mut again, unused) = own.into_scratch(scratch);
        assert!(unused.is_none());
        assert_eq!(again.pending().0, b"PI");
        assert!(again.bytes.capacity() >= SCRATCH_BYTES);
    }

    #[test]
    fn a_long_rest_is_moved_when_half_of_it_is_executed() {
        let mut input = Input::with_capacity(100);
        input.bytes.extend(0..100);
        for executed in 1..100 {
            input.consume(1);
            input.compact();
            assert_eq!(input.pending().0, &(executed..100).collect::<Vec<u8>>());
            assert!(input.start < input.len().max(1), "no more is kept than there is to execute");
        }
        assert_eq!((input.start, input.bytes.len()), (0, 1));
    }

    #[test]
    fn a_cleared_input_has_forgotten_the_command_that_was_given_up() {
        let mut input = Input::scratch();
        let limits = resp::Limits::default();
        input.bytes.extend_from_slice(b"*1\r\n$x\r\n");
        let (bytes, parser) = input.pending();
        assert!(parser.parse(bytes, &limits).is_err());
        input.clear();
        input.bytes.extend_from_slice(b"PING\r\n");
        let (bytes, parser) = input.pending();
        assert_eq!(parser.parse(bytes, &limits), Ok(resp::Step::Complete { consumed: 6 }));
    }

    #[test]
    fn what_lacks_the_end_of_a_long_command_has_room_for_it() {
        for (there, lacking, room) in [
            (SMALL_BYTES, 100_000, 0),
            (SMALL_BYTES + 1, 100_000, 100_000),
            (SMALL_BYTES + 1, 1 << 40, ANNOUNCED_BYTES_MAX),
        ] {
            let mut scratch = Input::scratch();
            scratch.bytes.resize(there, b'x');
            scratch.lacks(lacking);
            let own = scratch.split_rest();
            assert_eq!((own.len(), own.bytes.capacity()), (there, there + room));
        }
    }

    #[test]
    fn a_large_rest_grows_to_what_is_needed_but_not_on_mere_announcement() {
        let mut scratch = Box::new(Input::scratch());
        scratch.bytes.extend_from_slice(b"*3");
        scratch.lacks(100_000);
        let own = scratch.split_rest();
        let (mut own, unused) = own.into_scratch(scratch);
        assert!(unused.is_some());
        own.make_room();
        assert_eq!(own.bytes.capacity(), 100_002);
        own.lacks(1 << 40);
        own.bytes.resize(100_002, 0);
        own.make_room();
        assert_eq!(own.bytes.capacity(), 100_002 + ANNOUNCED_BYTES_MAX);
    }
}
