//! An event-loop thread.

use std::cmp::Reverse;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::stats::Aside;
use engine::{Endpoint, Engine, Message, Pipeline, Push, ThreadContext};
use mio::unix::SourceFd;
use mio::{Events, Interest, Token};
use resp::{Reply, Version};

use super::Mail;
use super::connection::{Connection, SENT_PER_TURN_MAX, Turn, Verdict};
use super::floor::{Floor, INBOX, LISTENERS, Place, Seat};
use super::input::Input;
use crate::log_verbose;
use crate::os::seed;
use crate::server::Shared;

/// Sockets that one wait reports at most.
const EVENTS_MAX: usize = 1024;

/// How often connections are looked at for what passes with time alone: an idle timeout, a soft
/// output limit.
pub(super) const PATROL_INTERVAL: Duration = Duration::from_secs(1);

/// The poller's resolution, nanoseconds.
const POLLER_NS: u64 = 1_000_000;

/// One event loop. What it works on is its [`Floor`]; what it works with is its own.
pub struct EventLoop {
    index: usize,
    shared: Arc<Shared>,
    floor: Place,
    /// It stands in for the loop that the floor belongs to, which is held up.
    stands_in: bool,
    context: ThreadContext,
    pipeline: Pipeline,
    input: Option<Box<Input>>,
    reply: Option<Box<Reply>>,
    /// Commands executed in this turn.
    executed: usize,
    /// How long the next turn may be waited for, as replies wait for the log.
    gathering: Option<Duration>,
}

impl EventLoop {
    /// Loop number `index` of the server.
    pub fn new(index: usize, seat: Seat, shared: Arc<Shared>) -> Self {
        let floor = Place::of(Floor::new(seat));
        let context = ThreadContext::new(index, seed::fresh()[0]);
        Self { floor, stands_in: false, context, ..Self::stand_in(index, shared) }
    }

    /// Who stands in for loop number `index` while that is held up. It has no floor of its own, and
    /// counts apart: the loop goes on counting what it is at.
    pub fn stand_in(index: usize, shared: Arc<Shared>) -> Self {
        let counts = shared.engine.stats.number(Aside::StandIn);
        Self {
            index,
            shared,
            floor: Place::empty(),
            stands_in: true,
            context: ThreadContext::new(counts, seed::fresh()[0]),
            pipeline: Pipeline::default(),
            input: Some(Box::new(Input::scratch())),
            reply: Some(Box::new(Reply::new(Version::Resp2))),
            executed: 0,
            gathering: None,
        }
    }

    /// Turns until the process ends.
    ///
    /// # Errors
    /// When waiting for events fails, which only a broken process brings about.
    pub fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS_MAX);
        loop {
            let patience = self.patience();
            match self.floor.poll.poll(&mut events, patience) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            if events.is_empty() && self.gathering == Some(Duration::ZERO) {
                // Those who are waited for may need the processor.
                std::thread::yield_now();
            }
            self.turn(&events);
        }
    }

    /// Standing in: a turn for the loop's connections, if the loop is held up by one of them.
    ///
    /// # Errors
    /// As for [`EventLoop::run`].
    pub fn turn_if_held_up(&mut self, events: &mut Events) -> io::Result<()> {
        let shared = Arc::clone(&self.shared);
        let Some(mut lent) = shared.desks[self.index].borrow() else { return Ok(()) };
        self.floor.swap(&mut lent);
        let polled = self.floor.poll.poll(events, Some(Duration::ZERO));
        if polled.is_ok() {
            self.turn(events);
        }
        self.floor.swap(&mut lent);
        match polled {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error),
            _ => Ok(()),
        }
    }

    /// How long to wait for events; forever if nothing but an event can bring work.
    fn patience(&self) -> Option<Duration> {
        if !(self.floor.again.is_empty() && self.floor.due.is_empty()) {
            return Some(Duration::ZERO);
        }
        let accept = self.floor.acceptor.delay();
        let patrol = self
            .needs_patrol()
            .then(|| self.floor.next_patrol.saturating_duration_since(Instant::now()));
        let waits = self.floor.deadlines.peek().map(|Reverse((at, _))| self.time_until(*at));
        accept.into_iter().chain(patrol).chain(waits).chain(self.gathering).min()
    }

    /// Rounded up to the poller's resolution: waking early would mean waking twice.
    fn time_until(&self, monotonic_ns: u64) -> Duration {
        let left = monotonic_ns.saturating_sub(self.shared.engine.clock.monotonic_ns());
        Duration::from_millis(left.div_ceil(POLLER_NS))
    }

    /// Looks after the commands that wait and whose time has come.
    fn look_after_waits(&mut self, now: Instant) {
        while let Some(Reverse((at, client))) = self.floor.deadlines.peek().copied() {
            if at > self.shared.engine.clock.monotonic_ns() {
                return;
            }
            self.floor.deadlines.pop();
            let Some((slot, mut connection)) = self.take_client(client) else { continue };
            if connection.is_due_at(at) {
                connection.look_after_wait(&self.shared.engine, &mut self.context);
                self.serve_taken(slot, connection, now);
            } else {
                self.floor.connections.put(slot, connection);
            }
        }
    }

    /// Notes when to look after a client's command. Deadlines of commands that were served stay
    /// until their time comes, or until they are more than the others.
    fn note_deadline(&mut self, at: u64, client: u64) {
        const STALE_MAX: usize = 64;
        let Floor { connections, deadlines, .. } = &mut *self.floor;
        if deadlines.len() > 2 * connections.len() + STALE_MAX {
            deadlines.retain(|Reverse((at, client))| {
                let slot = connections.find(*client);
                slot.and_then(|slot| connections.get(slot)).is_some_and(|c| c.is_due_at(*at))
            });
        }
        deadlines.push(Reverse((at, client)));
    }

    /// Whether anything about the connections can change with time alone.
    fn needs_patrol(&self) -> bool {
        self.floor.with_input > 0
            || (self.shared.has_time_limits() && !self.floor.connections.is_empty())
    }

    fn turn(&mut self, events: &Events) {
        let now = Instant::now();
        self.executed = 0;
        // Before what the clients have sent since: a message is there before the next reply.
        self.read_mail(now);
        for event in events {
            match event.token() {
                INBOX => {}
                LISTENERS => self.floor.acceptor.notify(),
                Token(slot) => {
                    let hung_up = event.is_read_closed() || event.is_error();
                    self.on_event(slot, event.is_readable(), hung_up);
                }
            }
        }
        // A connection with new events may also be left over from the last turn: then it gets
        // two turns in one, which is harmless.
        let again = std::mem::take(&mut self.floor.again);
        self.floor.due.extend(again);
        while let Some(slot) = self.floor.due.pop_front() {
            if let Some(connection) = self.floor.connections.take(slot) {
                self.serve_taken(slot, connection, now);
            }
        }
        if self.index == 0 {
            self.floor.acceptor.accept(&self.shared);
        }
        self.settle_letters();
        self.commit(now);
        if self.stands_in {
            return;
        }
        self.look_after_waits(now);
        if now >= self.floor.next_patrol {
            self.floor.next_patrol = now + PATROL_INTERVAL;
            self.patrol(now);
        }
        self.count_turn(now);
    }

    fn count_turn(&self, start: Instant) {
        let nanos = nanos(start.elapsed());
        let stats = self.shared.engine.stats.thread(self.index);
        stats.turns.add(1);
        stats.turn_nanos.add(nanos);
        stats.turn_nanos_max.max(nanos);
        stats.turn_commands_max.max(self.executed as u64);
    }

    /// Notes what the poller saw of a connection, which it says once.
    fn on_event(&mut self, slot: usize, readable: bool, hung_up: bool) {
        match self.floor.connections.get_mut(slot) {
            Some(connection) => {
                connection.notify(readable, hung_up);
                self.floor.due.push_back(slot);
            }
            // It is the one that holds its loop up, or it is closed.
            None if self.stands_in => self.floor.missed.push((slot, readable, hung_up)),
            None => {}
        }
    }

    /// Tells the connection that has held its loop up what happened meanwhile.
    #[cold]
    fn make_up(&mut self) {
        for (slot, readable, hung_up) in std::mem::take(&mut self.floor.missed) {
            self.on_event(slot, readable, hung_up);
        }
        let mut reached = Vec::new();
        for (client, push) in std::mem::take(&mut self.floor.missed_pushes) {
            self.deliver(&[client], &push, &mut reached);
        }
        self.floor.due.extend(reached);
    }

    fn serve_taken(&mut self, slot: usize, mut connection: Box<Connection>, now: Instant) {
        let mut turn = Turn {
            engine: &self.shared.engine,
            context: &mut self.context,
            pipeline: &mut self.pipeline,
            input: &mut self.input,
            reply: &mut self.reply,
            executed: &mut self.executed,
            inboxes: &self.shared.inboxes,
            letters: self.floor.letters,
            room: SENT_PER_TURN_MAX,
        };
        let had_input = connection.has_input();
        let desk = &self.shared.desks[self.index];
        if !self.stands_in {
            desk.leave(&mut self.floor);
        }
        let verdict = connection.serve(&mut turn, now);
        if !self.stands_in {
            desk.take_back(&mut self.floor);
        }
        self.floor.with_input -= usize::from(had_input);
        self.floor.with_input += usize::from(connection.has_input());
        match verdict {
            Verdict::Rest => {
                if let Some(position) = connection.newly_held() {
                    self.floor.held.push_back((position, connection.id()));
                    self.floor.uncommitted.get_or_insert([now; 2])[1] = Instant::now();
                }
                if let Some(receipts) = connection.newly_owed() {
                    self.floor.owed.push((connection.id(), receipts));
                }
                if let Some(at) = connection.new_deadline(&self.shared.engine) {
                    self.note_deadline(at, connection.id());
                }
                self.floor.connections.put(slot, connection);
            }
            Verdict::Again => {
                self.floor.connections.put(slot, connection);
                self.floor.again.push(slot);
            }
            Verdict::Close => self.close(slot, connection),
        }
        let missed = !(self.floor.missed.is_empty() && self.floor.missed_pushes.is_empty());
        if missed && !self.stands_in {
            self.make_up();
        }
    }

    /// Ends a connection that was taken out of its slot. Who stands in leaves that to the loop:
    /// what the session watches and waits for is taken back under locks.
    fn close(&mut self, slot: usize, mut connection: Box<Connection>) {
        if self.stands_in {
            // The loop may be waiting for the script that this client debugs.
            connection.session_mut().leave_debugger();
            self.floor.connections.put(slot, connection);
            self.floor.again.push(slot);
            return;
        }
        self.floor.with_input -= usize::from(connection.has_input());
        self.shared.engine.disconnect(connection.session_mut());
        // Closing the descriptor, which dropping does, takes it out of the poller.
        self.floor.connections.remove(slot, connection.id());
        self.floor.inbox.load_down();
    }

    fn read_mail(&mut self, now: Instant) {
        let mut reached = Vec::new();
        let letters = self.floor.inbox.take();
        self.floor.letters += letters.len() as u64;
        for mail in letters {
            match mail {
                Mail::Connection { socket, endpoint } => self.welcome(socket, endpoint, now),
                Mail::Engine(message) => self.on_message(message, &mut reached),
                Mail::Reconfigured => self.floor.next_patrol = now,
                // It is looked after in every turn.
                Mail::Delivered => {}
            }
        }
        // Each once, however many messages it got.
        reached.sort_unstable();
        reached.dedup();
        self.floor.due.extend(reached);
    }

    /// Hands a message to those of the clients that want it, and notes their slots.
    fn deliver(&mut self, clients: &[u64], push: &Push, reached: &mut Vec<usize>) {
        for &client in clients {
            let Some((slot, mut connection)) = self.take_client(client) else {
                if self.stands_in && self.floor.connections.find(client).is_some() {
                    self.floor.missed_pushes.push((client, push.clone()));
                }
                continue;
            };
            if connection.deliver(push) {
                reached.push(slot);
            }
            self.floor.connections.put(slot, connection);
        }
    }

    fn welcome(&mut self, socket: OwnedFd, endpoint: Endpoint, now: Instant) {
        let session = self.shared.engine.connect(self.index, endpoint);
        let mut connection = Box::new(Connection::new(socket, session, now));
        let slot = self.floor.connections.next();
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registered = self.floor.poll.registry().register(
            &mut SourceFd(&connection.raw_fd()),
            Token(slot),
            interest,
        );
        if let Err(error) = registered {
            log_verbose!("Registering client connection: epoll_ctl: {error}");
            self.shared.engine.disconnect(connection.session_mut());
            self.floor.inbox.load_down();
            return;
        }
        self.floor.connections.insert(connection.id(), connection);
    }

    /// Does what the engine asks for; the slots of those who got a published message are added to
    /// `reached`.
    fn on_message(&mut self, message: Message, reached: &mut Vec<usize>) {
        match message {
            Message::Push { clients, push } => self.deliver(&clients, &push, reached),
            Message::Kill { client, flush: false } => {
                if let Some((slot, connection)) = self.take_client(client) {
                    self.close(slot, connection);
                }
            }
            Message::Kill { client, flush: true } => {
                self.change(client, |connection, _| connection.close_after_output());
            }
            Message::Resume { client, reply } => {
                self.change(client, |connection, engine| {
                    connection.resume(engine, reply.as_deref());
                });
            }
            Message::LogAdvanced => {
                self.release();
                if !self.floor.held.is_empty() {
                    // They came too late for that flush.
                    self.floor.uncommitted.get_or_insert([Instant::now(); 2]);
                }
            }
            Message::ScriptsForgotten => {
                self.shared.engine.drop_old_interpreter(&mut self.context);
            }
            // Serving the connection asks for its deadline.
            Message::Rearm { client } => self.change(client, |_, _| {}),
        }
    }

    /// Says that the letters read in this turn are passed on, and sends the replies that have
    /// waited for others to say so.
    fn settle_letters(&mut self) {
        let Floor { inbox, letters, .. } = &*self.floor;
        inbox.acknowledge(*letters);
        if self.floor.owed.is_empty() {
            return;
        }
        let own = Arc::clone(&self.floor.inbox);
        for (client, mut receipts) in std::mem::take(&mut self.floor.owed) {
            receipts.retain(|receipt| receipt.is_outstanding(&own));
            if receipts.is_empty() {
                self.change(client, |connection, _| connection.release_owed());
            } else {
                self.floor.owed.push((client, receipts));
            }
        }
    }

    /// Sends the replies that have waited for the log and need not wait any more.
    fn release(&mut self) {
        while let Some(&(position, client)) = self.floor.held.front() {
            if !self.shared.engine.replies_released(position, self.index) {
                return;
            }
            self.floor.held.pop_front();
            self.change(client, |connection, _| connection.release(position));
        }
    }

    /// Has the log brought to the disk if this turn's replies, or what it did without any, wait for
    /// that.
    fn commit(&mut self, now: Instant) {
        let engine = &self.shared.engine;
        if self.executed > 0 && engine.replies_wait_for().is_some() {
            self.floor.uncommitted.get_or_insert([now; 2]);
        }
        self.gathering = None;
        let Some(since) = self.floor.uncommitted else { return };
        let end = Instant::now();
        let waited_ns = since.map(|since| nanos(end.saturating_duration_since(since)));
        let replies = self.floor.held.len();
        if let Some(left_ns) = engine.commit_patience(self.index, replies, waited_ns) {
            // The poller counts in milliseconds, and would round up.
            let is_long = left_ns >= POLLER_NS / 2;
            self.gathering = Some(Duration::from_nanos(if is_long { left_ns } else { 0 }));
            return;
        }
        self.floor.uncommitted = None;
        engine.commit_log(self.index);
        self.release();
    }

    /// Takes a client's connection out of its slot. The client may be gone: letters and
    /// disconnections cross.
    fn take_client(&mut self, client: u64) -> Option<(usize, Box<Connection>)> {
        let slot = self.floor.connections.find(client)?;
        Some((slot, self.floor.connections.take(slot)?))
    }

    /// Changes a client's connection, which is served in this turn then.
    fn change(&mut self, client: u64, change: impl FnOnce(&mut Connection, &Engine)) {
        if let Some((slot, mut connection)) = self.take_client(client) {
            change(&mut connection, &self.shared.engine);
            self.floor.connections.put(slot, connection);
            self.floor.due.push_back(slot);
        }
    }

    /// Closes the connections whose time is over, and takes memory back from those that stalled.
    fn patrol(&mut self, now: Instant) {
        if !self.needs_patrol() {
            return;
        }
        let timeout_s = self.shared.idle_timeout_s();
        let slots: Vec<usize> = self.floor.connections.iter().map(|(slot, _)| slot).collect();
        for slot in slots {
            let Some(mut connection) = self.floor.connections.take(slot) else { continue };
            if connection.idle_too_long(now, timeout_s) {
                log_verbose!("Closing idle client");
                self.close(slot, connection);
            } else if connection.soft_limit_over(&self.shared.engine, self.index) {
                self.close(slot, connection);
            } else {
                connection.shrink_stale_input(now);
                self.floor.connections.put(slot, connection);
            }
        }
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
