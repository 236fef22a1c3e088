//! The requests of one client, from a seed.

use crate::model::{Key, Op, Request};

/// How a history is made.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Seed of the whole history; each client's stream is derived from it.
    pub seed: u64,
    /// Client threads.
    pub clients: usize,
    /// Requests of each client.
    pub requests: usize,
    /// Number of keys.
    pub keys: u8,
    /// Whether to send commands over several keys and MULTI blocks, which make one part of all
    /// keys.
    pub transactions: bool,
    /// Whether to send scripts, half of which do not declare their keys.
    pub scripts: bool,
}

/// The requests of client number `client` under `plan`, in order.
pub fn requests(plan: &Plan, client: usize) -> Vec<Request> {
    let client_number = u64::try_from(client).expect("a usize fits 64 bits");
    let mut maker = Maker {
        rng: Mix::new(plan.seed ^ client_number.wrapping_mul(0xd1b5_4a32_d192_ed03)),
        client,
        count: 0,
        keys: plan.keys.max(1),
        salt: plan.seed.wrapping_mul(SCRIPTS),
    };
    (0..plan.requests).map(|_| maker.request(plan)).collect()
}

/// So many scripts of different text share a history.
const SCRIPTS: u64 = 4;

/// SplitMix64: small, seeded, the same everywhere.
#[derive(Clone, Debug)]
pub(crate) struct Mix(u64);

impl Mix {
    pub(crate) fn new(seed: u64) -> Self {
        Mix(seed)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

struct Maker {
    rng: Mix,
    client: usize,
    count: usize,
    keys: u8,
    salt: u64,
}

impl Maker {
    fn below(&mut self, bound: u64) -> u64 {
        self.rng.below(bound)
    }

    fn key(&mut self) -> Key {
        Key::try_from(self.below(u64::from(self.keys))).expect("it is below a byte")
    }

    /// A value that no other request writes, so that a read says which write it saw.
    fn value(&mut self) -> Vec<u8> {
        self.count += 1;
        format!("c{}n{}", self.client, self.count).into_bytes()
    }

    fn request(&mut self, plan: &Plan) -> Request {
        match self.below(10) {
            0 => Request::CompareAndSet(self.key(), self.value()),
            1 | 2 if plan.transactions => Request::Block(self.ops(plan)),
            3..=5 if plan.scripts => {
                let salt = self.salt.wrapping_add(self.below(SCRIPTS));
                Request::Script { ops: self.ops(plan), declared: self.below(2) == 0, salt }
            }
            _ => Request::One(self.op(plan.transactions)),
        }
    }

    /// Commands that are executed together: on one key each, and one, where keys are to be apart.
    fn ops(&mut self, plan: &Plan) -> Vec<Op> {
        let count = if plan.transactions { 1 + self.below(3) } else { 1 };
        (0..count).map(|_| self.op(plan.transactions)).collect()
    }

    fn op(&mut self, several_keys: bool) -> Op {
        let key = self.key();
        match self.below(if several_keys { 17 } else { 14 }) {
            0..=2 => Op::Get(key),
            3 => Op::Set(key, self.value()),
            4 => Op::Set(key, self.below(100).to_string().into_bytes()),
            5 => Op::SetNx(key, self.value()),
            6 => Op::GetSet(key, self.value()),
            7 | 8 => Op::Incr(key),
            9 => Op::Append(key, b"1".to_vec()),
            10 => Op::Del(key),
            11 | 12 => Op::Push(self.value()),
            13 => Op::Pop,
            14 | 15 => Op::MGet((0..self.keys).collect()),
            _ => {
                let value = self.value();
                Op::MSet((0..self.keys).map(|key| (key, value.clone())).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_replay_and_clients_differ() {
        let plan =
            Plan { seed: 3, clients: 2, requests: 50, keys: 2, transactions: true, scripts: true };
        assert_eq!(requests(&plan, 0), requests(&plan, 0));
        assert_ne!(requests(&plan, 0), requests(&plan, 1));
        let apart = Plan { transactions: false, ..plan };
        assert!(requests(&apart, 0).iter().all(|request| request.keys().len() == 1));
    }
}
