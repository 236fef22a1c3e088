//! Executing what a connection has sent: ahead of time what is complete, then what its own parser
//! is at.

use std::io;
use std::sync::atomic::Ordering;

use config::Config;
use engine::{Flow, Session};
use resp::{Limits, Reply, Step};

use super::{COMMANDS_PER_TURN_MAX, Connection, FLUSH_BYTES, State, TURN_NS_MAX, Turn};
use crate::log_verbose;
use crate::net::input::Input;
use crate::net::output::waiting_size;

impl Connection {
    /// Executes the complete commands in `input`, but not more than one turn's worth. True if
    /// there may be more.
    pub(super) fn execute(
        &mut self,
        turn: &mut Turn<'_>,
        reply: &mut Reply,
        input: &mut Input,
    ) -> io::Result<bool> {
        turn.context.begin(&*turn.engine.clock);
        self.session.handle.active_ms.store(turn.context.now_ms(), Ordering::Relaxed);
        let mut executed = 0;
        self.cut_short = false;
        self.cut_at = None;
        while executed < COMMANDS_PER_TURN_MAX && turn.room > 0 {
            if self.cut_at.is_some() || turn.context.busy_ns() >= TURN_NS_MAX {
                self.cut_short = true;
                break;
            }
            let limits = limits(&turn.engine.config, &self.session);
            let (bytes, parser) = input.pending();
            // A command that began in an earlier turn is finished by the parser that began it.
            let ahead = if parser.is_midway() {
                0
            } else {
                turn.pipeline.fill(turn.engine, &self.session, bytes, &limits)
            };
            let goes_on = if ahead > 0 {
                executed += ahead;
                self.session.handle.batches.note(ahead);
                self.execute_ahead(ahead, turn, reply, input)?
            } else {
                executed += 1;
                self.execute_next(&limits, turn, reply, input)?
            };
            if !goes_on {
                return Ok(false);
            }
        }
        self.cut_short &= !input.is_empty();
        self.cut_at.take_if(|_| !self.cut_short);
        input.lacks(0);
        Ok(true)
    }

    /// Executes the commands that were looked up ahead, as far as there is time. False if no other
    /// may follow now.
    fn execute_ahead(
        &mut self,
        ahead: usize,
        turn: &mut Turn<'_>,
        reply: &mut Reply,
        input: &mut Input,
    ) -> io::Result<bool> {
        let engine = turn.engine;
        for index in 0..ahead {
            let (ready, args) = turn.pipeline.get(index, input.pending().0);
            let (prepared, session) = (ready.prepared, &mut self.session);
            let listened = session.is_subscribed();
            let flow = engine.execute_prepared(prepared, session, args, reply, turn.context);
            *turn.executed += 1;
            if !self.after(flow, ready.consumed, input) || !self.flush_large(turn, reply)? {
                return Ok(false);
            }
            self.cut_at = self.has_messages(listened, turn).then_some(turn.letters);
            if self.cut_at.is_some() || turn.context.busy_ns() >= TURN_NS_MAX || turn.room == 0 {
                break;
            }
        }
        Ok(true)
    }

    /// Goes on with the command that the connection's own parser is at. False if no other may
    /// follow now.
    fn execute_next(
        &mut self,
        limits: &Limits,
        turn: &mut Turn<'_>,
        reply: &mut Reply,
        input: &mut Input,
    ) -> io::Result<bool> {
        let (bytes, parser) = input.pending();
        match parser.parse(bytes, limits) {
            Ok(Step::Incomplete { needed }) => {
                input.lacks(needed);
                Ok(false)
            }
            Ok(Step::Skipped { consumed }) => {
                input.consume(consumed);
                Ok(true)
            }
            Ok(Step::Complete { consumed }) => {
                let args = parser.args(bytes);
                self.session.handle.batches.note(1);
                let listened = self.session.is_subscribed();
                let flow = turn.engine.execute(&mut self.session, args, reply, turn.context);
                *turn.executed += 1;
                let goes_on = self.after(flow, consumed, input) && self.flush_large(turn, reply)?;
                let hears = goes_on && self.has_messages(listened, turn);
                self.cut_at = hears.then_some(turn.letters);
                Ok(goes_on)
            }
            Err(error) => {
                log_verbose!(
                    "Protocol error ({error}) from client: {}",
                    turn.engine.describe(&self.session.handle)
                );
                reply.error(&[&b"ERR "[..], &error.message()].concat());
                self.state = State::Closing;
                Ok(false)
            }
        }
    }

    /// What a command of `consumed` bytes means for the next one. False if none may follow now.
    fn after(&mut self, flow: Flow, consumed: usize, input: &mut Input) -> bool {
        if flow != Flow::Retry {
            input.consume(consumed);
        }
        if flow != Flow::Continue {
            self.state = match flow {
                Flow::Close => State::Closing,
                Flow::Debug => State::Debugging,
                Flow::Continue | Flow::Wait | Flow::Retry => State::Waiting,
            };
            input.lacks(0);
        }
        flow == Flow::Continue
    }

    /// Sends replies that have become large. False if one is too large for the client.
    #[inline]
    fn flush_large(&mut self, turn: &mut Turn<'_>, reply: &mut Reply) -> io::Result<bool> {
        if reply.is_broken_off() {
            return Ok(false);
        }
        if reply.len() > FLUSH_BYTES { self.flush_now(turn, reply) } else { Ok(true) }
    }

    /// As [`Self::flush_large`], of replies that are.
    #[cold]
    fn flush_now(&mut self, turn: &mut Turn<'_>, reply: &mut Reply) -> io::Result<bool> {
        self.send(turn, reply)?;
        if self.is_held() {
            return Ok(false);
        }
        if self.output_too_large(turn.engine, turn.context.index, waiting_size(reply)) {
            return Err(io::Error::other("output above its limit"));
        }
        self.publish_output(reply);
        if self.memory_too_large(turn.engine) {
            return Err(io::Error::other("clients take too much memory"));
        }
        Ok(true)
    }
}

pub(super) fn limits(config: &Config, session: &Session) -> Limits {
    Limits {
        bulk_len_max: config.get(config::rows::PROTO_MAX_BULK_LEN),
        authenticated: session.authenticated(),
    }
}
