//! An event-loop thread.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::{Endpoint, Engine, Message, Push, ThreadContext};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token};
use resp::{Reply, Version};

use super::accept::Acceptor;
use super::connection::{Connection, Turn, Verdict};
use super::input::Input;
use super::pipeline::Pipeline;
use super::slots::Slots;
use super::{Inbox, Mail};
use crate::log_verbose;
use crate::os::seed;
use crate::server::Shared;

/// Token of the inbox's waker. Those of connections are slot numbers, far below.
const INBOX: Token = Token(usize::MAX);
/// Token of the listening sockets, in loop 0.
pub const LISTENERS: Token = Token(usize::MAX - 1);

/// Sockets that one wait reports at most.
const EVENTS_MAX: usize = 1024;

/// How often connections are looked at for what passes with time alone: an idle timeout, a soft
/// output limit.
const PATROL_INTERVAL: Duration = Duration::from_secs(1);

/// The poller and the inbox of a loop, made before the server exists that the loop belongs to.
#[derive(Debug)]
pub struct Seat {
    poll: Poll,
    inbox: Arc<Inbox>,
}

impl Seat {
    /// Opens an epoll instance.
    ///
    /// # Errors
    /// When the system has no descriptors left.
    pub fn new() -> io::Result<Self> {
        let poll = Poll::new()?;
        let inbox = Arc::new(Inbox::new(poll.registry(), INBOX)?);
        Ok(Self { poll, inbox })
    }

    /// Where letters for the loop go.
    pub fn inbox(&self) -> &Arc<Inbox> {
        &self.inbox
    }

    /// For registering sockets from other threads.
    pub fn registry(&self) -> &Registry {
        self.poll.registry()
    }
}

/// One event loop with its connections.
pub struct EventLoop {
    index: usize,
    shared: Arc<Shared>,
    poll: Poll,
    inbox: Arc<Inbox>,
    acceptor: Acceptor,
    connections: Slots<Box<Connection>>,
    /// Slots whose connections have more to do in the next turn.
    again: Vec<usize>,
    /// Connections that own a buffer of input.
    with_input: usize,
    next_patrol: Instant,
    /// When commands that wait are given up, and whose they are: monotonic nanoseconds, client.
    /// Those whose wait has ended otherwise stay until their time.
    deadlines: BinaryHeap<Reverse<(u64, u64)>>,
    /// Connections whose replies wait for the log, by the position that they wait for.
    held: VecDeque<(u64, u64)>,
    context: ThreadContext,
    pipeline: Pipeline,
    input: Option<Box<Input>>,
    reply: Option<Box<Reply>>,
    /// Commands executed in this turn.
    executed: usize,
}

impl EventLoop {
    /// Loop number `index` of the server.
    pub fn new(index: usize, seat: Seat, shared: Arc<Shared>) -> Self {
        Self {
            index,
            shared,
            poll: seat.poll,
            inbox: seat.inbox,
            acceptor: Acceptor::default(),
            connections: Slots::new(),
            again: Vec::new(),
            with_input: 0,
            next_patrol: Instant::now() + PATROL_INTERVAL,
            deadlines: BinaryHeap::new(),
            held: VecDeque::new(),
            context: ThreadContext::new(index, seed::fresh()[0]),
            pipeline: Pipeline::new(),
            input: Some(Box::new(Input::scratch())),
            reply: Some(Box::new(Reply::new(Version::Resp2))),
            executed: 0,
        }
    }

    /// Turns until the process ends.
    ///
    /// # Errors
    /// When waiting for events fails, which only a broken process brings about.
    pub fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS_MAX);
        loop {
            match self.poll.poll(&mut events, self.patience()) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            self.turn(&events);
        }
    }

    /// How long to wait for events; forever if nothing but an event can bring work.
    fn patience(&self) -> Option<Duration> {
        if !self.again.is_empty() {
            return Some(Duration::ZERO);
        }
        let accept = self.acceptor.delay();
        let patrol =
            self.needs_patrol().then(|| self.next_patrol.saturating_duration_since(Instant::now()));
        let waits = self.deadlines.peek().map(|Reverse((at, _))| self.time_until(*at));
        accept.into_iter().chain(patrol).chain(waits).min()
    }

    /// Rounded up to the poller's resolution: waking early would mean waking twice.
    fn time_until(&self, monotonic_ns: u64) -> Duration {
        let left = monotonic_ns.saturating_sub(self.shared.engine.clock.monotonic_ns());
        Duration::from_millis(left.div_ceil(1_000_000))
    }

    /// Looks after the commands that wait and whose time has come.
    fn look_after_waits(&mut self, now: Instant) {
        while let Some(Reverse((at, client))) = self.deadlines.peek().copied() {
            if at > self.shared.engine.clock.monotonic_ns() {
                return;
            }
            self.deadlines.pop();
            let Some((slot, mut connection)) = self.take_client(client) else { continue };
            if connection.is_due_at(at) {
                connection.look_after_wait(&self.shared.engine, &mut self.context);
                self.serve_taken(slot, connection, now);
            } else {
                self.connections.put(slot, connection);
            }
        }
    }

    /// Notes when to look after a client's command. Deadlines of commands that were served stay
    /// until their time comes, or until they are more than the others.
    fn note_deadline(&mut self, at: u64, client: u64) {
        const STALE_MAX: usize = 64;
        if self.deadlines.len() > 2 * self.connections.len() + STALE_MAX {
            let connections = &self.connections;
            self.deadlines.retain(|Reverse((at, client))| {
                let slot = connections.find(*client);
                slot.and_then(|slot| connections.get(slot)).is_some_and(|c| c.is_due_at(*at))
            });
        }
        self.deadlines.push(Reverse((at, client)));
    }

    /// Whether anything about the connections can change with time alone.
    fn needs_patrol(&self) -> bool {
        self.with_input > 0 || (self.shared.has_time_limits() && !self.connections.is_empty())
    }

    fn turn(&mut self, events: &Events) {
        let now = Instant::now();
        self.executed = 0;
        // A connection with new events may also be left over from the last turn: then it gets
        // two turns in one, which is harmless.
        let again = std::mem::take(&mut self.again);
        // Before what the clients have sent since: a message is there before the next reply.
        self.read_mail(now);
        for event in events {
            match event.token() {
                INBOX => {}
                LISTENERS => self.acceptor.notify(),
                Token(slot) => {
                    let hung_up = event.is_read_closed() || event.is_error();
                    self.on_event(slot, event.is_readable(), hung_up, now);
                }
            }
        }
        for slot in again {
            self.serve(slot, now);
        }
        self.look_after_waits(now);
        if self.index == 0 {
            self.acceptor.accept(&self.shared);
        }
        if now >= self.next_patrol {
            self.next_patrol = now + PATROL_INTERVAL;
            self.patrol(now);
        }
        self.count_turn(now);
    }

    fn count_turn(&self, start: Instant) {
        let nanos = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let stats = self.shared.engine.stats.thread(self.index);
        stats.turns.add(1);
        stats.turn_nanos.add(nanos);
        stats.turn_nanos_max.max(nanos);
        stats.turn_commands_max.max(self.executed as u64);
    }

    fn on_event(&mut self, slot: usize, readable: bool, hung_up: bool, now: Instant) {
        let Some(mut connection) = self.connections.take(slot) else { return };
        connection.notify(readable, hung_up);
        self.serve_taken(slot, connection, now);
    }

    fn serve(&mut self, slot: usize, now: Instant) {
        if let Some(connection) = self.connections.take(slot) {
            self.serve_taken(slot, connection, now);
        }
    }

    fn serve_taken(&mut self, slot: usize, mut connection: Box<Connection>, now: Instant) {
        let mut turn = Turn {
            engine: &self.shared.engine,
            context: &mut self.context,
            pipeline: &mut self.pipeline,
            input: &mut self.input,
            reply: &mut self.reply,
            executed: &mut self.executed,
        };
        let had_input = connection.has_input();
        let verdict = connection.serve(&mut turn, now);
        self.with_input -= usize::from(had_input);
        self.with_input += usize::from(connection.has_input());
        match verdict {
            Verdict::Rest => {
                if let Some(position) = connection.newly_held() {
                    self.held.push_back((position, connection.id()));
                    self.ask_for_release();
                }
                if let Some(at) = connection.new_deadline(&self.shared.engine) {
                    self.note_deadline(at, connection.id());
                }
                self.connections.put(slot, connection);
            }
            Verdict::Again => {
                self.connections.put(slot, connection);
                self.again.push(slot);
            }
            Verdict::Close => self.close(slot, *connection),
        }
    }

    /// Ends a connection that was taken out of its slot.
    fn close(&mut self, slot: usize, mut connection: Connection) {
        self.with_input -= usize::from(connection.has_input());
        self.shared.engine.disconnect(connection.session_mut());
        // Closing the descriptor, which dropping does, takes it out of the poller.
        self.connections.remove(slot, connection.id());
        self.inbox.load_down();
    }

    fn read_mail(&mut self, now: Instant) {
        let mut reached = Vec::new();
        for mail in self.inbox.take() {
            match mail {
                Mail::Connection { socket, endpoint } => self.welcome(socket, endpoint, now),
                Mail::Engine(message) => self.on_message(message, &mut reached, now),
                Mail::Reconfigured => self.next_patrol = now,
            }
        }
        // Each once, however many messages it got.
        reached.sort_unstable();
        reached.dedup();
        for slot in reached {
            self.serve(slot, now);
        }
    }

    /// Hands a message to those of the clients that want it, and notes their slots.
    fn deliver(&mut self, clients: &[u64], push: &Push, reached: &mut Vec<usize>) {
        for &client in clients {
            let Some((slot, mut connection)) = self.take_client(client) else { continue };
            if connection.deliver(push) {
                reached.push(slot);
            }
            self.connections.put(slot, connection);
        }
    }

    fn welcome(&mut self, socket: OwnedFd, endpoint: Endpoint, now: Instant) {
        let session = self.shared.engine.connect(self.index, endpoint);
        let mut connection = Box::new(Connection::new(socket, session, now));
        let slot = self.connections.next();
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registered = self.poll.registry().register(
            &mut SourceFd(&connection.raw_fd()),
            Token(slot),
            interest,
        );
        if let Err(error) = registered {
            log_verbose!("Registering client connection: epoll_ctl: {error}");
            self.shared.engine.disconnect(connection.session_mut());
            self.inbox.load_down();
            return;
        }
        self.connections.insert(connection.id(), connection);
    }

    /// Does what the engine asks for; the slots of those who got a published message are added to
    /// `reached`.
    fn on_message(&mut self, message: Message, reached: &mut Vec<usize>, now: Instant) {
        match message {
            Message::Push { clients, push } => self.deliver(&clients, &push, reached),
            Message::Kill { client, flush: false } => {
                if let Some((slot, connection)) = self.take_client(client) {
                    self.close(slot, *connection);
                }
            }
            Message::Kill { client, flush: true } => {
                self.change(client, now, |connection, _| connection.close_after_output());
            }
            Message::Resume { client, reply } => {
                self.change(client, now, |connection, engine| {
                    connection.resume(engine, reply.as_deref());
                });
            }
            Message::LogAdvanced => self.release(now),
            // Serving the connection asks for its deadline.
            Message::Rearm { client } => self.change(client, now, |_, _| {}),
        }
    }

    /// Sends the replies that have waited for the log and need not wait any more.
    fn release(&mut self, now: Instant) {
        while let Some(&(position, client)) = self.held.front() {
            if !self.shared.engine.replies_released(position, self.index) {
                return;
            }
            self.held.pop_front();
            self.change(client, now, |connection, _| connection.release(position));
        }
    }

    /// Has the engine tell when replies may be free to leave; if they are by now, tells itself.
    fn ask_for_release(&self) {
        let first = self.held.front().map_or(0, |(position, _)| *position);
        if self.shared.engine.replies_released(first, self.index) {
            self.inbox.send(Mail::Engine(Message::LogAdvanced));
        }
    }

    /// Takes a client's connection out of its slot. The client may be gone: letters and
    /// disconnections cross.
    fn take_client(&mut self, client: u64) -> Option<(usize, Box<Connection>)> {
        let slot = self.connections.find(client)?;
        Some((slot, self.connections.take(slot)?))
    }

    /// Changes a client's connection, and serves it.
    fn change(&mut self, client: u64, now: Instant, change: impl FnOnce(&mut Connection, &Engine)) {
        if let Some((slot, mut connection)) = self.take_client(client) {
            change(&mut connection, &self.shared.engine);
            self.serve_taken(slot, connection, now);
        }
    }

    /// Closes the connections whose time is over, and takes memory back from those that stalled.
    fn patrol(&mut self, now: Instant) {
        if !self.needs_patrol() {
            return;
        }
        let timeout_s = self.shared.idle_timeout_s();
        let slots: Vec<usize> = self.connections.iter().map(|(slot, _)| slot).collect();
        for slot in slots {
            let Some(mut connection) = self.connections.take(slot) else { continue };
            if connection.idle_too_long(now, timeout_s) {
                log_verbose!("Closing idle client");
                self.close(slot, *connection);
            } else if connection.soft_limit_over(&self.shared.engine, self.index) {
                self.close(slot, *connection);
            } else {
                connection.shrink_stale_input(now);
                self.connections.put(slot, connection);
            }
        }
    }
}
