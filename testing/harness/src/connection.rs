//! A client of an in-process engine: bytes in, bytes out, as on a socket.
//!
//! It does what an event loop does for a connection, in the same order: parse, execute, and on
//! [`Flow::Wait`] or [`Flow::Retry`] stop until the engine's message arrives.

use std::sync::Arc;
use std::time::{Duration, Instant};

use client::{Decoder, Value, encode_command};
use engine::{Endpoint, Engine, Flow, Message, Session, ThreadContext};
use resp::{Limits, Reply, RequestParser, Step, Version};

use crate::clock::TestClock;
use crate::in_process::InProcess;
use crate::platform::{Inbox, TestPlatform};

/// Whether a connection executes commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Yes.
    Open,
    /// Not before the engine resumes it.
    Waiting,
    /// Never again.
    Closed,
}

/// How long [`Connection::command`] waits for a reply that is held back.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection to an [`InProcess`] engine. Dropping it disconnects.
#[derive(Debug)]
pub struct Connection {
    engine: Arc<Engine>,
    platform: Arc<TestPlatform>,
    clock: Arc<TestClock>,
    inbox: Arc<Inbox>,
    session: Session,
    context: ThreadContext,
    state: State,
    parser: RequestParser,
    /// Bytes received and not executed.
    input: Vec<u8>,
    reply: Reply,
    decoder: Decoder,
}

impl Connection {
    pub(crate) fn new(server: &InProcess, thread: usize, endpoint: Endpoint, seed: u64) -> Self {
        let session = server.engine.connect(thread, endpoint);
        Self {
            engine: server.engine.clone(),
            platform: server.platform.clone(),
            clock: server.clock.clone(),
            inbox: server.platform.inbox(session.id()),
            context: ThreadContext::new(thread, seed),
            session,
            state: State::Open,
            parser: RequestParser::new(),
            input: Vec::new(),
            reply: Reply::new(Version::Resp2),
            decoder: Decoder::new(),
        }
    }

    /// Whether the last command broke off while it was changing the dataset.
    #[must_use]
    pub const fn is_changing(&self) -> bool {
        self.context.is_changing()
    }

    /// The client's id.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.session.id()
    }

    /// The client's own address, as `CLIENT LIST` shows it.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.session.handle.endpoint.address
    }

    /// Whether it executes commands.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// Delivers request bytes and executes what is complete.
    pub fn send(&mut self, bytes: &[u8]) {
        self.serve();
        if self.state != State::Closed {
            self.input.extend_from_slice(bytes);
            self.execute();
        }
        self.serve();
    }

    /// Does what messages from other threads ask for.
    pub fn serve(&mut self) {
        self.obey_all();
        self.engine.wait_again(&mut self.session, &mut self.context);
        self.obey_all();
        if self.engine.wait_timed_out(&mut self.session, &mut self.reply) {
            self.state = State::Open;
            self.execute();
        }
    }

    fn obey_all(&mut self) {
        while let Some(message) = self.inbox.take() {
            self.obey(message);
        }
    }

    /// The reply bytes that are there.
    pub fn take_bytes(&mut self) -> Vec<u8> {
        self.reply.take_bytes()
    }

    /// Sends a command and returns its reply.
    ///
    /// # Panics
    /// If none comes: for commands that are known to answer.
    pub fn command<A: AsRef<[u8]>>(&mut self, arguments: &[A]) -> Value {
        self.request(arguments);
        self.reply_within(PATIENCE).unwrap_or_else(|| {
            let words = arguments.iter().map(|word| String::from_utf8_lossy(word.as_ref()));
            panic!("no reply to {:?} ({:?})", words.collect::<Vec<_>>(), self.state)
        })
    }

    /// As [`Connection::command`], from words separated by spaces.
    pub fn ask(&mut self, words: &str) -> Value {
        self.command(&words.split_ascii_whitespace().collect::<Vec<_>>())
    }

    /// As [`Connection::ask`], for commands that answer with text; errors begin with a dash.
    pub fn text(&mut self, words: &str) -> String {
        let reply = self.ask(words);
        let text = reply.as_bytes().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        match (&reply, text) {
            (Value::Error(_), Some(text)) => format!("-{text}"),
            (_, Some(text)) => text,
            (other, None) => format!("{other:?}"),
        }
    }

    /// Sends a command without looking for its reply.
    pub fn request<A: AsRef<[u8]>>(&mut self, arguments: &[A]) {
        let mut bytes = Vec::new();
        encode_command(arguments, &mut bytes);
        self.send(&bytes);
    }

    /// Sends a command that must not be answered, now at least.
    ///
    /// # Panics
    /// If something comes back.
    pub fn silent(&mut self, words: &str) {
        self.request(&words.split_ascii_whitespace().collect::<Vec<_>>());
        let reply = self.take_reply();
        assert_eq!(reply, None, "{words} was to stay without an answer");
    }

    /// The next reply or push that is there.
    ///
    /// # Panics
    /// If the bytes are no reply.
    pub fn take_reply(&mut self) -> Option<Value> {
        self.serve();
        let bytes = self.reply.take_bytes();
        self.decoder.feed(&bytes);
        self.decoder.decode().expect("the engine writes well-formed replies")
    }

    /// As [`Connection::take_reply`], waiting at most `patience` for other threads to bring it.
    pub fn reply_within(&mut self, patience: Duration) -> Option<Value> {
        let until = Instant::now() + patience;
        loop {
            if let Some(value) = self.take_reply() {
                return Some(value);
            }
            let rest = until.saturating_duration_since(Instant::now());
            if self.state != State::Waiting || rest.is_zero() {
                return None;
            }
            if let Some(message) = self.inbox.wait(rest) {
                self.obey(message);
            }
        }
    }

    /// As [`Connection::reply_within`]; a command that waits is given up when its time is over, by
    /// the system's clock.
    fn reply_in_time(&mut self) -> Option<Value> {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(value) = self.reply_within(Duration::from_millis(1)) {
                return Some(value);
            }
            if self.state != State::Waiting || Instant::now() > until {
                return self.take_reply();
            }
            self.serve();
        }
    }

    /// Ends the connection from the client's side.
    pub fn close(&mut self) {
        self.state = State::Closed;
        self.input.clear();
        self.engine.disconnect(&mut self.session);
    }

    /// Takes what the client has said to itself, before its next command.
    fn hear(&mut self) {
        while let Some(message) = self.inbox.take_push() {
            self.obey(message);
        }
    }

    fn obey(&mut self, message: Message) {
        match message {
            Message::Kill { flush, .. } => {
                if !flush {
                    self.reply.clear();
                }
                self.close();
            }
            Message::Push { push, .. } => {
                if let Some(bytes) = self.session.receive(&push) {
                    self.reply.raw(&bytes);
                }
            }
            Message::Resume { reply, .. } => {
                self.engine.wait_ended(&mut self.session);
                if self.state == State::Waiting {
                    self.state = State::Open;
                    self.reply.raw(reply.as_deref().unwrap_or_default());
                    self.execute();
                }
            }
            // Replies are not kept back here, and the time is asked for whenever the connection is
            // served.
            Message::LogAdvanced | Message::ScriptsForgotten | Message::Rearm { .. } => {}
        }
    }

    fn execute(&mut self) {
        self.context.begin(&*self.clock);
        let mut done = 0;
        while self.state == State::Open {
            let limits = Limits {
                bulk_len_max: self.engine.config.get(config::rows::PROTO_MAX_BULK_LEN),
                authenticated: self.session.authenticated(),
            };
            let rest = &self.input[done..];
            match self.parser.parse(rest, &limits) {
                Ok(Step::Incomplete { .. }) => break,
                Ok(Step::Skipped { consumed }) => done += consumed,
                Ok(Step::Complete { consumed }) => {
                    let args = self.parser.args(rest);
                    let (session, context) = (&mut self.session, &mut self.context);
                    let flow = self.engine.execute(session, args, &mut self.reply, context);
                    if flow != Flow::Retry {
                        done += consumed;
                    }
                    match flow {
                        Flow::Continue => self.hear(),
                        Flow::Wait | Flow::Retry => self.state = State::Waiting,
                        Flow::Close | Flow::Debug => {
                            self.close();
                            return;
                        }
                    }
                }
                Err(error) => {
                    self.reply.error(&[b"ERR ", &error.message()[..]].concat());
                    self.close();
                    return;
                }
            }
        }
        self.input.drain(..done);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.engine.disconnect(&mut self.session);
        self.platform.forget(self.session.id());
    }
}

impl linearizability::Session for Connection {
    fn pipeline(&mut self, commands: &[Vec<Vec<u8>>]) -> Result<Vec<Value>, String> {
        let mut bytes = Vec::new();
        for command in commands {
            encode_command(command, &mut bytes);
        }
        self.send(&bytes);
        let reply = |_| self.reply_in_time().ok_or_else(|| "no reply".to_owned());
        commands.iter().map(reply).collect()
    }
}
