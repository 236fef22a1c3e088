//! One connection: what it owns between turns, and what it does in a turn.

mod debugging;
mod execute;
mod held;
mod messages;
mod received;
mod waits;

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use config::ClientClass;
use engine::{Engine, Pipeline, Push, Session, ThreadContext};
use resp::Reply;

use super::Inbox;
use super::input::{Input, Read};
use super::output::{self, KEPT_BYTES_MAX, SoftLimit, waiting_size};
use crate::{crash, log_verbose, log_warning};
use held::Owed;

/// Commands of one connection in one turn; the others wait until its neighbours had theirs. So many
/// take a tenth of a millisecond, and the price of a turn is spread over them.
const COMMANDS_PER_TURN_MAX: usize = 128;

/// Time that one connection may spend in one turn, in nanoseconds, if its commands are slow; see
/// [`ThreadContext::busy_ns`]. The command that exceeds it is the last.
const TURN_NS_MAX: u64 = 250_000;

/// Replies of this many bytes are sent before more commands are executed, so that a pipeline of
/// large replies does not pile up in memory while the peer is reading.
const FLUSH_BYTES: usize = 256 << 10;

/// Bytes that one connection may hand to the system in one turn: a quarter of a millisecond's work.
/// A peer that reads a large reply as fast as it is sent does not keep its neighbours waiting.
pub const SENT_PER_TURN_MAX: usize = 512 << 10;

/// Replies of up to this many bytes in one turn are never too large, as in Redis, where they
/// stay in a buffer that every client has.
const FREE_REPLY_BYTES: usize = 16 << 10;

/// What an event loop lends to the connection whose turn it is.
pub struct Turn<'a> {
    /// The engine.
    pub engine: &'a Engine,
    /// The loop's clocks, random numbers and effect buffers.
    pub context: &'a mut ThreadContext,
    /// The loop's look-ahead.
    pub pipeline: &'a mut Pipeline,
    /// The loop's scratch input, empty.
    pub input: &'a mut Option<Box<Input>>,
    /// The loop's scratch reply, empty.
    pub reply: &'a mut Option<Box<Reply>>,
    /// Commands executed in this turn by all connections.
    pub executed: &'a mut usize,
    /// The inboxes of all loops.
    pub inboxes: &'a [Arc<Inbox>],
    /// Letters that the loop had read when this turn began.
    pub letters: u64,
    /// Bytes that the connection may still send; [`SENT_PER_TURN_MAX`] at the beginning.
    pub room: usize,
}

/// What becomes of a connection after its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It waits for its socket or for a letter.
    Rest,
    /// It has more to do at once.
    Again,
    /// It is over.
    Close,
}

/// Whether commands are executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Yes.
    Open,
    /// Not until the engine resumes the session.
    Waiting,
    /// They go to the debugger of a script.
    Debugging,
    /// Not any more: it ends when its replies are sent.
    Closing,
}

/// A client's socket, session and, where needed, buffers.
#[derive(Debug)]
pub struct Connection {
    socket: OwnedFd,
    session: Session,
    state: State,
    /// The last turn ended for want of time, or for messages, in the middle of what the client had
    /// sent in one go: the replies so far go with those to the rest.
    cut_short: bool,
    /// The last turn ended so that messages come before the next command: the letters that the
    /// loop had read.
    cut_at: Option<u64>,
    /// The socket may hold bytes that were not read.
    readable: bool,
    /// The peer ended the stream, or vanished.
    hung_up: bool,
    /// Bytes received that are not executed; none while there are none.
    input: Option<Box<Input>>,
    /// Replies that the socket did not take; none while there are none.
    output: Option<Box<Reply>>,
    /// A message that came when nothing waited for the socket.
    message: Option<Arc<[u8]>>,
    /// Invalidations in the output: who makes room sees that they are under way.
    invalidations: Vec<Push>,
    soft_limit: SoftLimit,
    /// Output waits until the log is released up to here; whether the loop knows that.
    held: Option<(u64, bool)>,
    /// Output waits until what its commands have told other clients is on its way.
    owed: Owed,
    /// When the command that waits is given up, as the loop knows it: monotonic nanoseconds.
    deadline_ns: Option<u64>,
    /// When the loop last served it.
    active: Instant,
}

impl Connection {
    /// A connection that has said nothing yet.
    pub fn new(socket: OwnedFd, session: Session, now: Instant) -> Self {
        Self {
            socket,
            session,
            state: State::Open,
            cut_short: false,
            cut_at: None,
            readable: true,
            hung_up: false,
            input: None,
            output: None,
            message: None,
            invalidations: Vec::new(),
            soft_limit: SoftLimit::default(),
            held: None,
            owed: Owed::Nothing,
            deadline_ns: None,
            active: now,
        }
    }

    /// The client's id.
    pub fn id(&self) -> u64 {
        self.session.id()
    }

    /// The session, to end it.
    pub fn session_mut(&mut self) -> &mut Session {
        &mut self.session
    }

    /// The descriptor, for the poller.
    pub fn raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }

    /// Notes what the poller saw.
    pub fn notify(&mut self, readable: bool, hung_up: bool) {
        // What ended may hold bytes still, and reading it tells why it ended.
        self.readable |= readable || hung_up;
        self.hung_up |= hung_up;
    }

    /// Executes nothing more; closes once the output is sent.
    pub fn close_after_output(&mut self) {
        self.state = State::Closing;
    }

    /// Whether the connection has been idle for so long that it is to be closed. One that waits
    /// for the engine, or for messages, is not idle.
    pub fn idle_too_long(&self, now: Instant, timeout_s: u64) -> bool {
        timeout_s > 0
            && self.state == State::Open
            && !self.listens()
            && now.saturating_duration_since(self.active).as_secs() > timeout_s
    }

    /// Whether the output is above the limits of its class; the log says so.
    fn output_too_large(&mut self, engine: &Engine, thread: usize, size: usize) -> bool {
        let class = if self.listens() { ClientClass::Pubsub } else { ClientClass::Normal };
        let limit = engine.config.output_limit(class);
        let is_over = self.soft_limit.exceeded(size as u64, limit, Instant::now);
        if is_over {
            self.report_large_output(engine, thread);
        }
        is_over
    }

    /// Counts and logs that the connection ends because of the size of its output.
    fn report_large_output(&self, engine: &Engine, thread: usize) {
        engine.stats.thread(thread).output_limit_closed.add(1);
        log_warning!(
            "Client {} scheduled to be closed ASAP for overcoming of output buffer limits.",
            engine.describe(&self.session.handle)
        );
    }

    /// Whether the connection ends because all clients together take too much memory. What it takes
    /// has been published.
    fn memory_too_large(&self, engine: &Engine) -> bool {
        engine.limits_client_memory() && !engine.note_client_memory(&self.session.handle)
    }

    /// As [`Self::output_too_large`] for a connection at rest, whose soft limit may run out.
    pub fn soft_limit_over(&mut self, engine: &Engine, thread: usize) -> bool {
        let size = self.output.as_ref().map(|output| waiting_size(output));
        size.is_some_and(|size| self.output_too_large(engine, thread, size))
    }

    /// One turn: reads, executes, writes.
    pub fn serve(&mut self, turn: &mut Turn<'_>, now: Instant) -> Verdict {
        if self.hung_up && matches!(self.state, State::Waiting | State::Debugging) {
            // Nobody is left to wait for. Who has only said all there is may read on.
            return Verdict::Close;
        }
        if self.session.handle.killed.load(Ordering::Acquire) {
            // The letter that says so is on its way. Who killed it may have been answered already,
            // so that a command executed now would come after its end.
            return Verdict::Close;
        }
        crash::serving(self.id());
        if let Some(verdict) = self.send_message(turn) {
            return verdict;
        }
        let mut reply = self.output.take().unwrap_or_else(|| {
            let scratch = turn.reply.take();
            scratch.unwrap_or_else(|| Box::new(Reply::new(self.session.version())))
        });
        let outcome = self.work(turn, &mut reply, now);
        self.publish_output(&reply);
        let closes = !matches!(outcome, Ok(Verdict::Rest | Verdict::Again));
        if !closes && self.memory_too_large(turn.engine) {
            return Verdict::Close;
        }
        let is_sent = reply.is_empty();
        if is_sent {
            self.invalidations = Vec::new();
            if reply.memory_size() > KEPT_BYTES_MAX {
                reply.shrink();
            }
            turn.reply.get_or_insert(reply);
        } else {
            self.output = Some(reply);
        }
        // The socket may take more, and the poller will not say so.
        let sends_on = turn.room == 0 && !is_sent && !self.is_held();
        match outcome {
            Ok(Verdict::Rest | Verdict::Again) if sends_on => Verdict::Again,
            Ok(Verdict::Rest | Verdict::Again) if self.state == State::Closing => {
                if is_sent {
                    Verdict::Close
                } else {
                    Verdict::Rest
                }
            }
            Ok(verdict) => verdict,
            Err(error) => {
                log_verbose!("Client {}: {error}", turn.engine.describe(&self.session.handle));
                Verdict::Close
            }
        }
    }

    fn work(
        &mut self,
        turn: &mut Turn<'_>,
        reply: &mut Reply,
        now: Instant,
    ) -> io::Result<Verdict> {
        if self.is_held() {
            return Ok(Verdict::Rest);
        }
        if !reply.is_empty() && !self.cut_short {
            self.flush(turn, reply)?;
            // Messages may have come on top of what waits.
            if self.output_too_large(turn.engine, turn.context.index, waiting_size(reply)) {
                return Ok(Verdict::Close);
            }
            if turn.room == 0 {
                return Ok(Verdict::Again);
            }
        }
        if self.state != State::Open || (self.input.is_none() && !self.readable) {
            return if self.state == State::Debugging {
                self.debug(turn)
            } else {
                Ok(Verdict::Rest)
            };
        }
        if self.cut_at == Some(turn.letters) {
            // It is served twice in one turn of the loop.
            return Ok(Verdict::Again);
        }
        self.active = now;
        let mut input = self.borrow_input(turn);
        let outcome = self.read_and_execute(turn, reply, &mut input);
        self.return_input(turn, input);
        let verdict = outcome?;
        if reply.is_broken_off() {
            reply.clear();
            self.report_large_output(turn.engine, turn.context.index);
            return Ok(Verdict::Close);
        }
        if self.cut_short {
            return Ok(verdict);
        }
        self.send(turn, reply)?;
        if self.output_too_large(turn.engine, turn.context.index, waiting_size(reply)) {
            return Ok(Verdict::Close);
        }
        // Whoever releases what is held serves the connection again.
        Ok(if self.is_held() { Verdict::Rest } else { verdict })
    }

    fn read_and_execute(
        &mut self,
        turn: &mut Turn<'_>,
        reply: &mut Reply,
        input: &mut Input,
    ) -> io::Result<Verdict> {
        let mut has_ended = false;
        if self.readable && input.wants_more() {
            has_ended = !self.read(turn, input)?;
            if self.input_too_large(turn, input) {
                return Ok(Verdict::Close);
            }
        }
        let has_more = match catch_unwind(AssertUnwindSafe(|| self.execute(turn, reply, input))) {
            Ok(executed) => executed?,
            Err(_) if turn.context.is_changing() => {
                crate::crash::give_up("A command broke off while it was changing the dataset");
            }
            Err(_) => {
                // The panic hook has reported it. Whatever the command left half done in this
                // thread's buffers goes with them; the connection cannot know its reply.
                *turn.context = ThreadContext::new(turn.context.index, crate::os::seed::fresh()[0]);
                *input = Input::scratch();
                reply.clear();
                return Ok(Verdict::Close);
            }
        };
        Ok(if has_more {
            Verdict::Again
        } else if has_ended {
            self.state = State::Closing;
            Verdict::Rest
        } else if self.readable && self.state == State::Open {
            Verdict::Again
        } else {
            Verdict::Rest
        })
    }

    /// Reads once; false at the end of the stream.
    fn read(&mut self, turn: &Turn<'_>, input: &mut Input) -> io::Result<bool> {
        let stats = turn.engine.stats.thread(turn.context.index);
        stats.reads.add(1);
        let count = match input.read(&self.socket)? {
            Read::Some(count) => count,
            Read::Drained(count) => {
                // Bytes that arrive from now on are a new event; the end of the stream may have
                // been part of the event that is being served.
                self.readable = self.hung_up && count > 0;
                count
            }
            Read::End => {
                self.readable = false;
                return Ok(false);
            }
        };
        stats.net_in.add(count as u64);
        let batches = &self.session.handle.batches;
        batches.reads.store(batches.reads.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        let buffers = &self.session.handle.buffers;
        let received = buffers.received.load(Ordering::Relaxed) + count as u64;
        buffers.received.store(received, Ordering::Relaxed);
        // The loop's scratch input is no client's memory.
        if turn.input.is_some() {
            self.publish_input(Some(input));
        }
        Ok(true)
    }

    /// Sends what the socket takes of new replies, unless they are too large already: the limit
    /// is on what the client asked for in one go, however fast it reads.
    fn send(&mut self, turn: &mut Turn<'_>, reply: &mut Reply) -> io::Result<()> {
        if reply.len() > FREE_REPLY_BYTES
            && self.output_too_large(turn.engine, turn.context.index, reply.len())
        {
            reply.clear();
            return Err(io::Error::other("output above its limit"));
        }
        if !reply.is_empty() && self.hold(turn) {
            return Ok(());
        }
        self.flush(turn, reply)
    }

    /// Sends what the socket takes, as far as there is room in this turn.
    fn flush(&mut self, turn: &mut Turn<'_>, reply: &mut Reply) -> io::Result<()> {
        if reply.is_empty() {
            return Ok(());
        }
        let flushed = output::flush(reply, &self.socket, turn.room)?;
        turn.room -= flushed.bytes;
        self.count_sent(turn, flushed.writes, flushed.bytes);
        Ok(())
    }

    /// Lets other threads see how much output waits.
    fn publish_output(&self, reply: &Reply) {
        let (bytes, chunks) = if reply.is_empty() {
            (0, 0)
        } else {
            (reply.memory_size() as u64, reply.chunks().count() as u64)
        };
        let buffers = &self.session.handle.buffers;
        buffers.output.store(bytes, Ordering::Relaxed);
        buffers.output_chunks.store(chunks, Ordering::Relaxed);
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
