//! A server between its start and its crash.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;

use simdisk::{Fault, On, SimDisk, Watcher};
use stdx::clock::Clock;
use stdx::rng::Rng;

use super::{BOUND_MS, MEMORY_LIMIT, Policy, Stop, TURN_MS};
use crate::{Connection, InProcess};

/// What a server does at most before it crashes.
const STEPS_MAX: usize = 60;

/// A state of the dataset.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) digest: String,
    /// When it came about: Unix milliseconds.
    at_ms: u64,
}

/// A server, its clients and its disk.
pub(super) struct Life {
    server: InProcess,
    client: Connection,
    pub(super) disk: SimDisk,
    policy: Policy,
    rng: Rng,
    /// The states since the first life; the first is the one without keys.
    pub(super) history: Vec<State>,
    pub(super) changes: u64,
    /// How many of the changes were evictions.
    pub(super) evictions: u64,
    /// The first operation on the disk that is this life's.
    first_operation: usize,
    /// States whose replies wait for a position of the log.
    waiting: Vec<(usize, u64)>,
    /// A number of operations, and the state that was acknowledged then.
    acknowledged: Vec<(usize, usize)>,
    /// A number of operations, and the state that the system had been told of then.
    written: Vec<(usize, usize)>,
    /// A number of operations, and the time.
    moments: Vec<(usize, u64)>,
    /// The number of operations from which on the log is kept.
    promised_from: usize,
}

impl Life {
    /// The server has loaded what the disk holds, which is the last state of `history`.
    pub(super) fn begin(
        server: InProcess,
        disk: SimDisk,
        policy: Policy,
        seed: u64,
        mut history: Vec<State>,
    ) -> Self {
        let mut client = server.connect();
        let now = server.clock.unix_ms();
        if history.is_empty() {
            history.push(State { digest: client.text("DEBUG DIGEST"), at_ms: now });
        }
        for state in &mut history {
            // All of it is on the disk: that is where it was loaded from.
            state.at_ms = 0;
        }
        let operations = disk.operations();
        let last = history.len() - 1;
        Self {
            client,
            server,
            policy,
            rng: Rng::seed(seed),
            changes: 0,
            evictions: 0,
            first_operation: operations,
            waiting: Vec::new(),
            acknowledged: vec![(operations, last)],
            written: vec![(operations, last)],
            moments: vec![(operations, now)],
            promised_from: operations,
            history,
            disk,
        }
    }

    /// Lives on to the crash.
    pub(super) fn live(mut self, begins_late: bool) -> Self {
        let steps = self.rng.index(STEPS_MAX) + 1;
        if begins_late {
            self.promised_from = usize::MAX;
        }
        if self.rng.chance(1, 3) {
            self.plan_faults();
        }
        let (server, disk) = (self.server.clone(), self.disk.clone());
        let late_at = begins_late.then_some(steps / 3);
        let life = Rc::new(RefCell::new(self));
        LIFE.set(Rc::downgrade(&life));
        disk.watch(Watcher(Arc::new(in_the_middle)));
        for step in 0..steps {
            let mut this = life.borrow_mut();
            if server.platform.aborted() {
                break;
            }
            if late_at == Some(step) {
                this.client.text("CONFIG SET appendonly yes");
            }
            match this.rng.below(10) {
                0 => drop(this.client.text("BGREWRITEAOF")),
                1..4 => this.turn(),
                4 if this.rng.chance(1, 3) => this.disk.mend(),
                _ => this.change(),
            }
            drop(this);
            // Rewrites: others go on meanwhile.
            server.platform.run_background();
            life.borrow_mut().note_log();
        }
        disk.watch(Watcher(Arc::new(|_| ())));
        drop(disk);
        Rc::into_inner(life).expect("the watcher holds it weakly").into_inner()
    }

    fn plan_faults(&mut self) {
        const OPERATIONS: [On; 7] = [
            On::Create,
            On::Write,
            On::Sync,
            On::Rename,
            On::Remove,
            On::Truncate,
            On::SyncDirectory,
        ];
        let rng = &mut self.rng;
        for _ in 0..=rng.index(3) {
            let fault = match rng.below(3) {
                0 => Fault::Full(rng.index(20)),
                1 => Fault::Io,
                _ => Fault::ReadOnly,
            };
            let on = OPERATIONS[rng.index(OPERATIONS.len())];
            self.disk.fail(on, fault, rng.index(20), rng.index(3) + 1);
        }
    }

    /// The log counts from the moment when a manifest names it.
    fn note_log(&mut self) {
        if self.promised_from == usize::MAX {
            let info = self.client.text("INFO persistence");
            let has = |line: &str| info.lines().any(|found| found == line);
            let ended = has("aof_rewrite_in_progress:0") && !has("aof_rewrites:0");
            if has("aof_enabled:1") && ended && has("aof_last_bgrewrite_status:ok") {
                self.promised_from = self.disk.operations();
            }
        }
    }

    /// A change by a client: every one leads to a state that never was before.
    fn change(&mut self) {
        self.note_moment();
        let number = self.history.len();
        let key = self.rng.below(6);
        let filler = "x".repeat(self.rng.index(60));
        let words = match self.rng.below(14) {
            0 => format!("SET s{key} {number}:{filler}"),
            1 => format!("APPEND a{key} {number};"),
            2 => "INCR counter".to_owned(),
            3 => format!("RPUSH l{key} {number}{filler}"),
            4 => format!("HSET h{key} f{number} {filler}_"),
            5 => format!("SADD set{key} {number}"),
            6 => format!("ZADD z{key} {number} m{number}"),
            7 => format!("XADD x{key} * number {number}"),
            8 => format!("SELECT {}", self.rng.below(3)),
            9 => format!("MULTI;DEL s{key} l{key};SET last {number};RPUSH done {number};EXEC"),
            10 => format!("MULTI;SETRANGE a{key} 3 {number};PEXPIRE a{key} 90000000;INCR n;EXEC"),
            11 => format!("MULTI;SET v{number} {filler} PX 90000000;INCR n;EXEC"),
            12 => return self.evict(),
            _ if self.rng.chance(1, 6) => format!("MULTI;FLUSHALL;SET last {number};EXEC"),
            _ => format!("MULTI;SPOP set{key};RENAME s{key} t{key};SET last {number};EXEC"),
        };
        let mut reply = String::new();
        for command in words.split(';').filter(|word| !word.is_empty()) {
            reply = self.client.text(command);
        }
        let is_refused = reply.starts_with('-');
        assert!(
            !(self.note_change() && is_refused),
            "{words} was refused and changed something: {reply}"
        );
    }

    /// Memory is short for the time of one command: a key with a deadline goes, if there is one.
    fn evict(&mut self) {
        let info = self.client.text("INFO memory");
        let prefix = "mem_not_counted_for_evict:";
        let not_counted = info.lines().find_map(|line| line.strip_prefix(prefix));
        let not_counted: u64 = not_counted.and_then(|bytes| bytes.parse().ok()).unwrap_or(0);
        self.server.platform.set_allocated(MEMORY_LIMIT + not_counted + 1);
        self.client.text("PING");
        self.server.platform.set_allocated(0);
        self.evictions += u64::from(self.note_change());
    }

    /// Remembers the state, if it is a new one; whether it is.
    fn note_change(&mut self) -> bool {
        let digest = self.client.text("DEBUG DIGEST");
        if self.history.last().is_some_and(|state| state.digest == digest) {
            return false;
        }
        let number = self.history.len();
        self.changes += 1;
        self.history.push(State { digest, at_ms: self.now_ms() });
        match self.server.engine.replies_wait_for() {
            Some(position) => self.waiting.push((number, position)),
            None => self.acknowledged.push((self.disk.operations(), number)),
        }
        true
    }

    /// Some time passes, and whoever writes the log has a turn.
    fn turn(&mut self) {
        self.note_moment();
        let last = self.history.len() - 1;
        let passed = self.rng.below(TURN_MS + 1);
        self.server.pass(Duration::from_millis(passed));
        // With `always` it is an event loop's as well.
        if self.policy == Policy::Always && self.rng.chance(1, 2) {
            self.server.engine.commit_log(0);
        } else {
            self.server.engine.write_log();
        }
        if self.server.platform.aborted() {
            // The process is gone: nobody is answered.
            self.waiting.clear();
            return;
        }
        let operations = self.disk.operations();
        if self.disk.failures().is_empty() {
            self.written.push((operations, last));
        }
        let engine = &self.server.engine;
        self.waiting.retain(|&(state, position)| {
            let is_released = engine.replies_released(position, 0);
            if is_released {
                self.acknowledged.push((operations, state));
            }
            !is_released
        });
        self.note_moment();
    }

    fn note_moment(&mut self) {
        self.moments.push((self.disk.operations(), self.now_ms()));
    }

    pub(super) fn now_ms(&self) -> u64 {
        self.server.clock.unix_ms()
    }

    /// The operations after which this life may have ended.
    pub(super) fn operations(&self) -> Range<usize> {
        self.first_operation..self.disk.operations()
    }

    pub(super) fn acknowledged_count(&self) -> u64 {
        if self.policy == Policy::Always { self.acknowledged.len() as u64 } else { 0 }
    }

    /// Rewrites that have ended well.
    pub(super) fn rewrites(&self) -> u64 {
        let log = self.server.platform.take_log();
        let ended = |line: &str| line.starts_with("Background AOF rewrite finished successfully");
        log.iter().filter(|(_, line)| ended(line)).count() as u64
    }

    /// The number of the state that must survive a stop after so many operations.
    pub(super) fn due(&self, policy: Policy, stop: Stop, operations: usize) -> usize {
        if operations < self.promised_from {
            return 0;
        }
        let latest = |notes: &[(usize, usize)]| {
            let before = notes.iter().filter(|(at, _)| *at <= operations);
            before.map(|&(_, state)| state).max().unwrap_or(0)
        };
        match (policy, stop) {
            (Policy::Always, _) => latest(&self.acknowledged),
            (_, Stop::Kill) => latest(&self.written),
            (Policy::EverySecond, Stop::Power) if self.disk.failures().is_empty() => {
                let before = self.moments.iter().filter(|(at, _)| *at <= operations);
                let now = before.map(|&(_, ms)| ms).max().unwrap_or(0);
                let old = |state: &State| state.at_ms + BOUND_MS <= now;
                self.history.iter().rposition(old).unwrap_or(0)
            }
            // What there was at the start was flushed then.
            _ => 0,
        }
    }
}

thread_local! {
    /// The life of this thread, for its disk's watcher: a client never leaves its thread.
    static LIFE: RefCell<Weak<RefCell<Life>>> = RefCell::default();
}

/// In the middle of a rewrite, clients and the log's writer go on.
fn in_the_middle(on: On) {
    // A rewrite gives files their names under the lock of the writer.
    let life = LIFE.with_borrow(Weak::upgrade).filter(|_| on != On::Rename);
    let Some(life) = life else { return };
    // Whoever holds it is the client or the writer itself.
    let Ok(mut life) = life.try_borrow_mut() else { return };
    for _ in 0..life.rng.index(3) {
        if life.server.platform.aborted() {
            return;
        }
        if life.rng.chance(1, 4) { life.turn() } else { life.change() }
    }
}
