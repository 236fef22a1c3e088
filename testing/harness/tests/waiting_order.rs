//! Who is served, with what and when: a single thread plays clients that wait against a model of a
//! few lines. The order is Redis's: first come, first served for each key, the keys in the order
//! of their changes, and a served command may serve others.
//!
//! `WAITING_SEED` chooses the first scenario and `WAITING_SCENARIOS` how many follow.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use client::Value;
use harness::{Connection, InProcess, State};
use stdx::rng::Rng;

const KEYS: u64 = 4;
const CLIENTS: usize = 6;
const STEPS: usize = 150;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// A command that may wait. Keys and clients are numbers.
#[derive(Clone, Debug)]
enum Wanted {
    /// `BLPOP`.
    Pop(Vec<u64>),
    /// `BRPOP`.
    PopBack(Vec<u64>),
    /// `BLMPOP ... LEFT COUNT 2`.
    PopTwo(Vec<u64>),
    /// `BLMOVE ... LEFT RIGHT`.
    Move(u64, u64),
    /// `BLMOVEM ... LEFT RIGHT EXACTLY 2 BULK`.
    MovePair(u64, u64),
}

impl Wanted {
    fn random(rng: &mut Rng) -> Self {
        let (a, b) = (rng.below(KEYS), rng.below(KEYS));
        match rng.below(6) {
            0 => Self::Pop(vec![a]),
            1 => Self::Pop(vec![a, b]),
            2 => Self::PopBack(vec![b, a]),
            3 => Self::PopTwo(vec![a, b]),
            4 => Self::Move(a, b),
            _ => Self::MovePair(a, b),
        }
    }

    fn keys(&self) -> &[u64] {
        match self {
            Self::Pop(keys) | Self::PopBack(keys) | Self::PopTwo(keys) => keys,
            Self::Move(from, _) | Self::MovePair(from, _) => std::slice::from_ref(from),
        }
    }

    fn line(&self, timeout: &str) -> String {
        let names = |keys: &[u64]| keys.iter().map(|k| format!("k{k} ")).collect::<String>();
        match self {
            Self::Pop(keys) => format!("BLPOP {}{timeout}", names(keys)),
            Self::PopBack(keys) => format!("BRPOP {}{timeout}", names(keys)),
            Self::PopTwo(keys) => {
                format!("BLMPOP {timeout} {} {}LEFT COUNT 2", keys.len(), names(keys))
            }
            Self::Move(from, to) => format!("BLMOVE k{from} k{to} LEFT RIGHT {timeout}"),
            Self::MovePair(from, to) => {
                format!("BLMOVEM k{from} k{to} LEFT RIGHT {timeout} EXACTLY 2 BULK")
            }
        }
    }
}

/// A client that waits.
struct Waiter {
    client: usize,
    wanted: Wanted,
    deadline: Option<u64>,
}

/// What the store is to hold, and who waits.
#[derive(Default)]
struct Model {
    /// None is a key of another type.
    lists: BTreeMap<u64, Option<VecDeque<String>>>,
    waiters: Vec<Waiter>,
    ready: VecDeque<u64>,
    /// Replies as text, for each client.
    replies: Vec<VecDeque<String>>,
}

const WRONG_TYPE: &str = "wrong type";
const NOTHING: &str = "nothing";

impl Model {
    fn push(&mut self, key: u64, elements: &[String]) {
        if let Some(list) = self.lists.entry(key).or_insert_with(|| Some(VecDeque::new())) {
            list.extend(elements.iter().cloned());
            self.ready.push_back(key);
        }
    }

    /// Takes up to `count` elements, all of which are there.
    fn take(&mut self, key: u64, count: usize, back: bool) -> Vec<String> {
        let Some(Some(list)) = self.lists.get_mut(&key) else { return Vec::new() };
        let taken = (0..count.min(list.len())).filter_map(|_| match back {
            true => list.pop_back(),
            false => list.pop_front(),
        });
        let taken = taken.collect();
        if list.is_empty() {
            self.lists.remove(&key);
        }
        self.ready.push_back(key);
        taken
    }

    /// The reply to a command that waited or would; none if there is nothing for it.
    fn execute(&mut self, wanted: &Wanted) -> Option<String> {
        let len = |key: &u64| self.lists.get(key).map(|list| list.as_ref().map(VecDeque::len));
        match wanted {
            Wanted::Pop(keys) | Wanted::PopBack(keys) | Wanted::PopTwo(keys) => {
                let key = *keys.iter().find(|key| len(key).is_some())?;
                if len(&key) == Some(None) {
                    return Some(WRONG_TYPE.to_owned());
                }
                let back = matches!(wanted, Wanted::PopBack(_));
                let count = if matches!(wanted, Wanted::PopTwo(_)) { 2 } else { 1 };
                Some(format!("k{key} {}", self.take(key, count, back).join(" ")))
            }
            Wanted::Move(from, to) | Wanted::MovePair(from, to) => {
                let count = if matches!(wanted, Wanted::Move(..)) { 1 } else { 2 };
                let there = len(from)?;
                if there.is_none() || len(to) == Some(None) {
                    return Some(WRONG_TYPE.to_owned());
                }
                if there < Some(count) {
                    return None;
                }
                let moved = self.take(*from, count, false);
                // The destination changes first, but for a list that is moved into itself.
                if from != to {
                    self.ready.pop_back();
                }
                self.push(*to, &moved);
                if from != to {
                    self.ready.push_back(*from);
                }
                Some(moved.join(" "))
            }
        }
    }

    fn serve(&mut self) {
        while let Some(key) = self.ready.pop_front() {
            let mut at = 0;
            while at < self.waiters.len() {
                let waiter = &self.waiters[at];
                let is_list = self.lists.get(&key).is_some_and(Option::is_some);
                let concerned = is_list && waiter.wanted.keys().contains(&key);
                let wanted = waiter.wanted.clone();
                match concerned.then(|| self.execute(&wanted)).flatten() {
                    Some(reply) => {
                        let waiter = self.waiters.remove(at);
                        self.replies[waiter.client].push_back(reply);
                    }
                    None => at += 1,
                }
            }
        }
    }
}

/// The words of a reply, in the model's form.
fn text(reply: &Value) -> String {
    match (reply, reply.as_slice(), reply.as_bytes()) {
        (Value::Error(error), ..) if error.starts_with(b"WRONGTYPE") => WRONG_TYPE.to_owned(),
        (_, Some(items), _) => items.iter().map(text).collect::<Vec<_>>().join(" "),
        (_, None, Some(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        (Value::Null | Value::NullArray, ..) => NOTHING.to_owned(),
        (other, ..) => format!("{other:?}"),
    }
}

struct Scenario {
    server: InProcess,
    driver: Connection,
    clients: Vec<Connection>,
    model: Model,
    rng: Rng,
    now_ms: u64,
    pushed: u64,
}

impl Scenario {
    fn new(seed: u64) -> Self {
        let server = InProcess::default();
        let model = Model { replies: vec![VecDeque::new(); CLIENTS], ..Model::default() };
        Self {
            driver: server.connect(),
            clients: (0..CLIENTS).map(|_| server.connect()).collect(),
            server,
            model,
            rng: Rng::seed(seed),
            now_ms: 0,
            pushed: 0,
        }
    }

    fn fresh(&mut self) -> Vec<String> {
        let first = self.pushed;
        self.pushed += 1 + self.rng.below(3);
        (first..self.pushed).map(|element| format!("e{element}")).collect()
    }

    /// One of the clients that wait, if there are some.
    fn waiter(&mut self) -> Option<usize> {
        let count = self.model.waiters.len();
        (count > 0).then(|| self.model.waiters.remove(self.rng.index(count)).client)
    }

    fn step(&mut self) {
        let key = self.rng.below(KEYS);
        match self.rng.below(16) {
            0..5 => self.wait(),
            5..8 => {
                let elements = self.fresh();
                self.driver.ask(&format!("RPUSH k{key} {}", elements.join(" ")));
                self.model.push(key, &elements);
            }
            8 => self.transaction(key),
            way @ (9 | 10) => {
                let elements = self.fresh();
                self.driver.ask("DEL own");
                self.driver.ask(&format!("RPUSH own {}", elements.join(" ")));
                let line = if way == 9 { "RENAME own k" } else { "COPY own k" };
                let replace = if way == 9 { "" } else { " REPLACE" };
                self.driver.ask(&format!("{line}{key}{replace}"));
                self.model.lists.remove(&key);
                self.model.push(key, &elements);
            }
            11 => {
                self.driver.ask(&format!("SET k{key} x"));
                self.model.lists.insert(key, None);
            }
            12 => {
                self.driver.ask(&format!("DEL k{key}"));
                self.model.lists.remove(&key);
            }
            13 => self.leave(),
            14 => {
                let Some(client) = self.waiter() else { return };
                let id = self.clients[client].id();
                assert_eq!(self.driver.ask(&format!("CLIENT UNBLOCK {id}")), Value::Integer(1));
                self.model.replies[client].push_back(NOTHING.to_owned());
            }
            _ => {
                let milliseconds = 1 + self.rng.below(20);
                self.pass(milliseconds);
            }
        }
        self.model.serve();
        self.compare();
    }

    /// A client sends a command that may wait.
    fn wait(&mut self) {
        let client = self.rng.index(CLIENTS);
        if self.model.waiters.iter().any(|waiter| waiter.client == client) {
            return;
        }
        let wanted = Wanted::random(&mut self.rng);
        let milliseconds = self.rng.below(2) * (1 + self.rng.below(50));
        let line = wanted.line(&format!("{}", milliseconds as f64 / 1000.0));
        self.clients[client].request(&line.split(' ').collect::<Vec<_>>());
        match self.model.execute(&wanted) {
            Some(reply) => self.model.replies[client].push_back(reply),
            None => {
                let deadline = (milliseconds > 0).then_some(self.now_ms + milliseconds);
                self.model.waiters.push(Waiter { client, wanted, deadline });
            }
        }
    }

    /// Two pushes with a removal between them: only what is left at the end serves.
    fn transaction(&mut self, key: u64) {
        let other = self.rng.below(KEYS);
        let (first, second, third) = (self.fresh(), self.fresh(), self.fresh());
        self.driver.ask("MULTI");
        self.driver.ask(&format!("RPUSH k{key} {}", first.join(" ")));
        self.driver.ask(&format!("RPUSH k{other} {}", second.join(" ")));
        self.driver.ask(&format!("DEL k{key}"));
        self.driver.ask(&format!("RPUSH k{key} {}", third.join(" ")));
        self.driver.ask("EXEC");
        self.model.push(key, &first);
        self.model.push(other, &second);
        self.model.lists.remove(&key);
        self.model.push(key, &third);
    }

    /// A client that waits is killed, or goes by itself; another one takes its place.
    fn leave(&mut self) {
        let Some(client) = self.waiter() else { return };
        let killed = self.rng.below(2) == 0;
        let fresh = self.server.connect();
        let mut gone = std::mem::replace(&mut self.clients[client], fresh);
        if killed {
            let reply = self.driver.ask(&format!("CLIENT KILL ID {}", gone.id()));
            assert_eq!(reply, Value::Integer(1));
            // Its event loop has not heard of it yet; it is served no more all the same.
            let elements = self.fresh();
            self.driver.ask(&format!("RPUSH k0 {}", elements.join(" ")));
            self.model.push(0, &elements);
            self.model.serve();
            gone.serve();
            assert_eq!(gone.state(), State::Closed);
        }
    }

    fn pass(&mut self, milliseconds: u64) {
        self.now_ms += milliseconds;
        self.server.pass(Duration::from_millis(milliseconds));
        let now = self.now_ms;
        let is_over = |waiter: &Waiter| waiter.deadline.is_some_and(|deadline| deadline <= now);
        for over in self.model.waiters.extract_if(.., |waiter| is_over(waiter)) {
            self.model.replies[over.client].push_back(NOTHING.to_owned());
        }
    }

    fn compare(&mut self) {
        for (client, connection) in self.clients.iter_mut().enumerate() {
            let said = connection.take_reply().map(|reply| text(&reply));
            assert_eq!(said, self.model.replies[client].pop_front(), "client {client}");
        }
        for key in 0..KEYS {
            let said = text(&self.driver.ask(&format!("LRANGE k{key} 0 -1")));
            let right = match self.model.lists.get(&key) {
                None => String::new(),
                Some(None) => WRONG_TYPE.to_owned(),
                Some(Some(list)) => list.iter().cloned().collect::<Vec<_>>().join(" "),
            };
            assert_eq!(said, right, "k{key}");
        }
        let waiting = self.model.waiters.len() as u64;
        assert_eq!(self.server.engine.store.waiters(), waiting);
    }
}

#[test]
fn the_one_who_came_first_is_served_first() {
    let first = number("WAITING_SEED", 1);
    let scenarios = number("WAITING_SCENARIOS", 60);
    for seed in first..first.saturating_add(scenarios) {
        println!("replay: WAITING_SEED={seed} WAITING_SCENARIOS=1 cargo test -p harness");
        let mut scenario = Scenario::new(seed);
        (0..STEPS).for_each(|_| scenario.step());
    }
}
