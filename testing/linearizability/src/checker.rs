//! The search for a valid order: Wing and Gong's, with the memoization of Lowe.
//!
//! Operations are taken one by one. Any that no unfinished other precedes may come next; it is
//! tried against the model, and on a dead end the search steps back. Two paths that took the same
//! set of operations and left the same state have the same future, so each such pair is visited
//! once: without that the search is exponential in the number of clients for every operation of the
//! history.
//!
//! A history whose operations touch one key each is linearizable exactly when each key's part of it
//! is (linearizability is local), and the parts are far cheaper. Keys that one operation touches
//! together are joined into one part, so a history with transactions over all keys is searched as a
//! whole.

use std::collections::{BTreeMap, HashSet};

use client::Value;

use crate::model::{Key, Op, Request, State};

/// One operation as a client saw it. Times are any clock's that all clients share; only their
/// order counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// The client.
    pub client: usize,
    /// When it was sent.
    pub invoked: u64,
    /// When its reply had come; greater than `invoked`.
    pub returned: u64,
    /// What was asked.
    pub request: Request,
    /// What was answered.
    pub reply: Value,
}

impl std::fmt::Display for Operation {
    /// Client, interval, commands and reply on one line.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Operation { client, invoked, returned, request, reply } = self;
        let commands = match request {
            Request::One(op) => shown(op),
            Request::Block(ops) => {
                format!("MULTI {} EXEC", ops.iter().map(shown).collect::<Vec<_>>().join("; "))
            }
            Request::Script { ops, declared, salt } => {
                let keys = if *declared { "declared" } else { "undeclared" };
                let ops = ops.iter().map(shown).collect::<Vec<_>>().join("; ");
                format!("SCRIPT {salt}, keys {keys}: {ops}")
            }
            Request::CompareAndSet(key, value) => {
                let set = shown(&Op::Set(*key, value.clone()));
                format!("WATCH; GET {key}; MULTI; {set}; EXEC")
            }
        };
        write!(f, "client {client} [{invoked}, {returned}] {commands} -> {}", text(reply))
    }
}

fn shown(op: &Op) -> String {
    op.words().iter().map(|word| String::from_utf8_lossy(word)).collect::<Vec<_>>().join(" ")
}

fn text(reply: &Value) -> String {
    match (reply.as_slice(), reply.as_bytes()) {
        (Some(items), _) => format!("[{}]", items.iter().map(text).collect::<Vec<_>>().join(" ")),
        (None, Some(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        (None, None) => reply.as_i64().map_or("nil".to_owned(), |number| number.to_string()),
    }
}

/// What the search found.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// A valid order exists.
    Linearizable,
    /// None exists. The longest valid prefix that was found, in its order, and an operation that
    /// could not follow it.
    Violation {
        /// The prefix.
        prefix: Vec<Operation>,
        /// One of those that no continuation explains.
        stuck: Box<Operation>,
    },
    /// The search visited as many states as it was allowed to.
    Undecided,
}

/// Checks a history that began from an empty store, visiting at most `visits_max` states a part.
pub fn check(history: &[Operation], visits_max: usize) -> Verdict {
    for part in partition(history) {
        let verdict = Search::new(part).run(visits_max);
        if verdict != Verdict::Linearizable {
            return verdict;
        }
    }
    Verdict::Linearizable
}

/// Splits a history into the parts that share no key, each in the order of invocation.
fn partition(history: &[Operation]) -> Vec<Vec<Operation>> {
    let mut leader: BTreeMap<Key, Key> = BTreeMap::new();
    for operation in history {
        let keys = operation.request.keys();
        let Some(&first) = keys.first() else { continue };
        for &key in &keys {
            let (one, other) = (find(&mut leader, first), find(&mut leader, key));
            leader.insert(one.max(other), one.min(other));
        }
    }
    let mut parts: BTreeMap<Option<Key>, Vec<Operation>> = BTreeMap::new();
    for operation in history {
        let first = operation.request.keys().first().copied();
        let part = first.map(|key| find(&mut leader, key));
        parts.entry(part).or_default().push(operation.clone());
    }
    let mut parts: Vec<Vec<Operation>> = parts.into_values().collect();
    parts.iter_mut().for_each(|part| part.sort_by_key(|operation| operation.invoked));
    parts
}

fn find(leader: &mut BTreeMap<Key, Key>, key: Key) -> Key {
    let above = *leader.entry(key).or_insert(key);
    if above == key { key } else { find(leader, above) }
}

/// A set of operations by index, as a bit map.
type Taken = Vec<u64>;

/// One step of the current path: the operation taken and the state before it.
struct Taking {
    index: usize,
    before: State,
}

struct Search {
    operations: Vec<Operation>,
    taken: Taken,
    /// Operations before this index are all taken.
    low: usize,
    state: State,
    path: Vec<Taking>,
    visited: HashSet<(Taken, State)>,
    longest: Vec<usize>,
}

impl Search {
    fn new(operations: Vec<Operation>) -> Self {
        Search {
            taken: vec![0; operations.len().div_ceil(64)],
            operations,
            low: 0,
            state: State::new(),
            path: Vec::new(),
            visited: HashSet::new(),
            longest: Vec::new(),
        }
    }

    fn run(mut self, visits_max: usize) -> Verdict {
        // The candidate to try next at the current depth.
        let mut from = 0;
        while self.path.len() < self.operations.len() {
            if let Some(index) = self.advance(from) {
                if self.visited.len() > visits_max {
                    return Verdict::Undecided;
                }
                if self.path.len() > self.longest.len() {
                    self.longest = self.path.iter().map(|taking| taking.index).collect();
                }
                debug_assert!(self.is_taken(index));
                from = 0;
                continue;
            }
            let Some(last) = self.path.pop() else { return self.violation() };
            self.set_taken(last.index, false);
            self.low = self.low.min(last.index);
            self.state = last.before;
            from = last.index + 1;
        }
        Verdict::Linearizable
    }

    /// Takes the first operation at or after `from` that may come next, fits the model and leads to
    /// a state not visited; returns its index.
    fn advance(&mut self, from: usize) -> Option<usize> {
        while self.low < self.operations.len() && self.is_taken(self.low) {
            self.low += 1;
        }
        // What is invoked after another untaken operation has returned cannot come before it.
        let mut deadline = u64::MAX;
        for index in self.low..self.operations.len() {
            let operation = &self.operations[index];
            if operation.invoked > deadline {
                return None;
            }
            if self.is_taken(index) {
                continue;
            }
            deadline = deadline.min(operation.returned);
            if index < from {
                continue;
            }
            let mut state = self.state.clone();
            if !operation.request.accepts(&operation.reply, &mut state) {
                continue;
            }
            self.set_taken(index, true);
            if self.visited.insert((self.taken.clone(), state.clone())) {
                let before = std::mem::replace(&mut self.state, state);
                self.path.push(Taking { index, before });
                return Some(index);
            }
            self.set_taken(index, false);
        }
        None
    }

    fn violation(self) -> Verdict {
        let rest = (0..self.operations.len()).filter(|index| !self.longest.contains(index));
        let stuck = rest.min_by_key(|&index| self.operations[index].returned);
        let stuck = stuck.expect("a part without a valid order has an operation left");
        Verdict::Violation {
            prefix: self.longest.iter().map(|&index| self.operations[index].clone()).collect(),
            stuck: Box::new(self.operations[stuck].clone()),
        }
    }

    fn is_taken(&self, index: usize) -> bool {
        self.taken[index / 64] & (1 << (index % 64)) != 0
    }

    fn set_taken(&mut self, index: usize, taken: bool) {
        let bit = 1 << (index % 64);
        match taken {
            true => self.taken[index / 64] |= bit,
            false => self.taken[index / 64] &= !bit,
        }
    }
}

#[cfg(test)]
#[path = "checker_tests.rs"]
mod tests;
