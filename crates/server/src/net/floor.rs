//! What an event loop works on, and where it lies while a command of one connection is executed.
//!
//! A command takes microseconds, but a script may take for ever, or a command may wait for the
//! locks of such a script. Then somebody else must hear the other clients of that loop: they are
//! told that the server is busy, and one of them can end the script. So a loop that serves a
//! connection leaves its [`Floor`], with all the other connections, on a [`Desk`], and takes it
//! back after it. While some script takes long, [`stand_in`](super::stand_in) serves what it finds
//! there.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::io;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use engine::Push;
use mio::{Poll, Registry, Token};

use super::Inbox;
use super::accept::Acceptor;
use super::connection::Connection;
use super::event_loop::PATROL_INTERVAL;
use super::inbox::Receipt;
use super::slots::Slots;

/// Token of the inbox's waker. Those of connections are slot numbers, far below.
pub(super) const INBOX: Token = Token(usize::MAX);
/// Token of the listening sockets, in loop 0.
pub const LISTENERS: Token = Token(usize::MAX - 1);

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

/// Everything of a loop that outlives a turn, but for what its thread executes commands with.
#[derive(Debug)]
pub struct Floor {
    pub(super) poll: Poll,
    pub(super) inbox: Arc<Inbox>,
    pub(super) acceptor: Acceptor,
    pub(super) connections: Slots<Box<Connection>>,
    /// Slots whose connections are served in this turn.
    pub(super) due: VecDeque<usize>,
    /// What the poller said, to who stood in, of a connection that was being served: slot, whether
    /// it is readable, whether the peer hung up.
    pub(super) missed: Vec<(usize, bool, bool)>,
    /// What came meanwhile for the client of such a connection.
    pub(super) missed_pushes: Vec<(u64, Push)>,
    /// Slots whose connections have more to do in the next turn.
    pub(super) again: Vec<usize>,
    /// Connections that own a buffer of input.
    pub(super) with_input: usize,
    pub(super) next_patrol: Instant,
    /// When commands that wait are given up, and whose they are: monotonic nanoseconds, client.
    /// Those whose wait has ended otherwise stay until their time.
    pub(super) deadlines: BinaryHeap<Reverse<(u64, u64)>>,
    /// Connections whose replies wait for the log, by the position that they wait for.
    pub(super) held: VecDeque<(u64, u64)>,
    /// Letters that the loop has read.
    pub(super) letters: u64,
    /// Clients whose replies wait until others are told something, and who those are.
    pub(super) owed: Vec<(u64, Vec<Receipt>)>,
    /// Since when the log has what this loop has not asked anybody to bring to the disk, and when
    /// the last of the replies came that wait for that.
    pub(super) uncommitted: Option<[Instant; 2]>,
}

impl Floor {
    /// The floor of a loop that begins.
    pub(super) fn new(seat: Seat) -> Box<Self> {
        Box::new(Self {
            poll: seat.poll,
            inbox: seat.inbox,
            acceptor: Acceptor::default(),
            connections: Slots::new(),
            due: VecDeque::new(),
            missed: Vec::new(),
            missed_pushes: Vec::new(),
            again: Vec::new(),
            with_input: 0,
            next_patrol: Instant::now() + PATROL_INTERVAL,
            deadlines: BinaryHeap::new(),
            held: VecDeque::new(),
            letters: 0,
            owed: Vec::new(),
            uncommitted: None,
        })
    }
}

/// Where a loop has its floor, but while it serves a connection.
#[derive(Debug)]
pub(super) struct Place(Option<Box<Floor>>);

impl Place {
    pub(super) const fn of(floor: Box<Floor>) -> Self {
        Self(Some(floor))
    }

    pub(super) const fn empty() -> Self {
        Self(None)
    }

    /// Exchanges what is here with what is on a desk.
    pub(super) fn swap(&mut self, other: &mut Option<Box<Floor>>) {
        std::mem::swap(&mut self.0, other);
    }
}

const HERE: &str = "a loop has its floor but while it serves a connection";

impl Deref for Place {
    type Target = Floor;

    fn deref(&self) -> &Floor {
        self.0.as_ref().expect(HERE)
    }
}

impl DerefMut for Place {
    fn deref_mut(&mut self) -> &mut Floor {
        self.0.as_mut().expect(HERE)
    }
}

/// Where a loop leaves its floor while it serves a connection.
#[derive(Debug, Default)]
pub struct Desk(Mutex<Option<Box<Floor>>>);

impl Desk {
    fn lock(&self) -> MutexGuard<'_, Option<Box<Floor>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves the floor here.
    pub(super) fn leave(&self, place: &mut Place) {
        place.swap(&mut self.lock());
    }

    /// Takes it back, as soon as nobody works on it.
    pub(super) fn take_back(&self, place: &mut Place) {
        place.swap(&mut self.lock());
    }

    /// The floor, if it lies here: its loop waits for it while the guard lives.
    pub(super) fn borrow(&self) -> Option<MutexGuard<'_, Option<Box<Floor>>>> {
        let floor = self.0.try_lock().ok()?;
        floor.is_some().then_some(floor)
    }
}
