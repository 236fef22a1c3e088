//! Replies on their way to the peer.

use std::io::{self, IoSlice};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use config::OutputLimit;
use resp::Reply;
use rustix::io::Errno;
use rustix::net::SendFlags;

/// Pieces of one gathering write. The system takes 1,024; 64 of them fill a socket's buffer.
const PIECES_MAX: usize = 64;

/// A reply buffer that held more than this gives its memory back when it is empty.
pub const KEPT_BYTES_MAX: usize = 256 << 10;

/// What a flush did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flushed {
    /// Bytes handed to the system.
    pub bytes: usize,
    /// Calls it took.
    pub writes: u64,
}

/// Writes what the socket takes of `reply`, up to `room` bytes. What is left when this returns
/// waits for the socket to become writable; after `room` bytes, for the connection's next turn.
///
/// # Errors
/// Those of the socket, but for interruptions and a full socket.
pub fn flush(reply: &mut Reply, socket: impl AsFd, room: usize) -> io::Result<Flushed> {
    let mut done = Flushed::default();
    while !reply.is_empty() && done.bytes < room {
        match send_once(reply, &socket, room - done.bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => {
                reply.advance(count);
                done.bytes += count;
                done.writes += 1;
            }
            Err(Errno::AGAIN) => break,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(done)
}

/// Hands up to `room` bytes to the system in one call.
fn send_once(reply: &Reply, socket: impl AsFd, room: usize) -> Result<usize, Errno> {
    let mut chunks = reply.chunks();
    let first = chunks.next().unwrap_or_default();
    if chunks.next().is_none() {
        // The socket's own call, which is spared the checks that `write` makes for files.
        return rustix::net::send(socket, &first[..first.len().min(room)], SendFlags::NOSIGNAL);
    }
    let mut pieces = [IoSlice::new(&[]); PIECES_MAX];
    let count = reply.chunks().fill(&mut pieces, room);
    rustix::io::writev(socket, &pieces[..count])
}

/// Memory of replies that wait for the socket; none is theirs when all are sent, though the buffer
/// stays for the next ones.
pub fn waiting_size(reply: &Reply) -> usize {
    if reply.is_empty() { 0 } else { reply.memory_size() }
}

/// Since when a connection's output is above the soft limit of its class.
#[derive(Debug, Default, Clone, Copy)]
pub struct SoftLimit {
    above_since: Option<Instant>,
}

impl SoftLimit {
    /// Whether `size` bytes of output end the connection: above the hard limit, or above the soft
    /// one for longer than allowed. A limit of 0 is none.
    pub fn exceeded(
        &mut self,
        size: u64,
        limit: OutputLimit,
        now: impl FnOnce() -> Instant,
    ) -> bool {
        if limit.hard_bytes > 0 && size >= limit.hard_bytes {
            return true;
        }
        if limit.soft_bytes == 0 || size < limit.soft_bytes {
            self.above_since = None;
            return false;
        }
        let now = now();
        let since = *self.above_since.get_or_insert(now);
        now.duration_since(since) > Duration::from_secs(limit.soft_seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use resp::Version;
    use std::io::Read;
    use std::os::unix::net::UnixStream;

    #[test]
    fn flush_stops_at_a_full_socket_and_goes_on_later() {
        let (near, mut far) = UnixStream::pair().unwrap();
        near.set_nonblocking(true).unwrap();
        far.set_nonblocking(true).unwrap();
        let mut reply = Reply::new(Version::Resp2);
        let mut expected = Vec::new();
        for round in 0..300u32 {
            let value = round.to_be_bytes().repeat(5_000);
            reply.bulk(&value);
            expected.extend_from_slice(format!("${}\r\n", value.len()).as_bytes());
            expected.extend_from_slice(&value);
            expected.extend_from_slice(b"\r\n");
        }
        let (mut received, mut flushes, mut flushed) = (Vec::new(), 0, 0);
        while received.len() < expected.len() {
            flushed += flush(&mut reply, &near, usize::MAX).unwrap().bytes;
            flushes += 1;
            let mut block = [0; 65_536];
            while let Ok(count) = far.read(&mut block) {
                received.extend_from_slice(&block[..count]);
            }
        }
        assert!(flushes > 2, "the socket was never full");
        assert_eq!(flushed, expected.len());
        assert!(received == expected);
        drop(far);
        reply.ok();
        assert!(flush(&mut reply, &near, usize::MAX).is_err());
    }

    #[test]
    fn flush_sends_no_more_than_there_is_room_for() {
        let (near, mut far) = UnixStream::pair().unwrap();
        let mut reply = Reply::new(Version::Resp2);
        let value = vec![b'v'; 20_000];
        for _ in 0..3 {
            reply.bulk(&value);
        }
        let len = reply.len();
        let mut received = vec![0; len];
        for room in [1, 10_000, 30_000] {
            let before = reply.len();
            assert_eq!(flush(&mut reply, &near, room).unwrap(), Flushed { bytes: room, writes: 1 });
            assert_eq!(reply.len(), before - room);
        }
        assert_eq!(flush(&mut reply, &near, 0).unwrap(), Flushed::default());
        assert_eq!(flush(&mut reply, &near, len).unwrap().bytes, len - 40_001);
        far.read_exact(&mut received).unwrap();
        let one = [b"$20000\r\n", &value[..], b"\r\n"].concat();
        assert!(received == one.repeat(3));
    }

    #[test]
    fn limits_are_hard_at_once_and_soft_after_a_time() {
        let limit = OutputLimit { hard_bytes: 100, soft_bytes: 50, soft_seconds: 2 };
        let start = Instant::now();
        let at = |seconds| move || start + Duration::from_secs(seconds);
        let mut soft = SoftLimit::default();
        assert!(soft.exceeded(100, limit, at(0)));
        assert!(!soft.exceeded(99, limit, at(0)));
        assert!(!soft.exceeded(60, limit, at(2)));
        assert!(soft.exceeded(60, limit, at(3)));
        assert!(!soft.exceeded(49, limit, at(4)));
        assert!(!soft.exceeded(99, limit, at(5)));
        let none = OutputLimit { hard_bytes: 0, soft_bytes: 0, soft_seconds: 0 };
        assert!(!soft.exceeded(u64::MAX, none, at(9)));
    }
}
