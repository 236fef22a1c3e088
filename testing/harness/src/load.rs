//! Load without sockets: threads that run pipelined requests through one engine as fast as they
//! can.
//!
//! The request mix is nine GET to one SET over keys of 11 bytes with values of 16, or else scripts
//! of one GET that declare their key ([`Mix`]). Requests are
//! encoded, parsed, looked up ahead and executed as an event loop would, in pipelines of
//! [`PIPELINE`]; only the system calls are missing. What is left is what threads can disturb each
//! other in: the locks, the key table, the entries, the statistics.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use engine::{Endpoint, Flow, Pipeline, Session, ThreadContext};
use resp::{Limits, Reply, Version};
use stdx::rng::Rng;

use crate::clock::TestClock;
use crate::in_process::{InProcess, Setup};

/// Requests in one pipeline.
pub const PIPELINE: usize = 16;
/// One request in so many is a SET.
const SET_EVERY: u64 = 10;
const VALUE: &[u8; 16] = b"0123456789abcdef";
const GET: &[u8] = b"*2\r\n$3\r\nGET\r\n$11\r\n";
const SET: &[u8] = b"*3\r\n$3\r\nSET\r\n$11\r\n";
const SET_VALUE: &[u8] = b"$16\r\n";

const SCRIPT: &[u8] =
    b"*3\r\n$6\r\nSCRIPT\r\n$4\r\nLOAD\r\n$33\r\nreturn redis.call('get', KEYS[1])\r\n";

/// What is requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mix {
    /// Nine GET to one SET.
    Commands,
    /// `EVALSHA` of one GET.
    Scripts,
}

/// What one run has achieved.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Requests executed by all threads.
    pub requests: u64,
    /// Wall-clock seconds.
    pub seconds: f64,
    /// Seconds that the threads spent on processors, waiting for locks asleep not included.
    pub cpu_seconds: f64,
}

/// An engine with its keys, ready to be loaded.
#[derive(Debug)]
pub struct Loaded {
    server: InProcess,
    threads: usize,
    keys: u64,
    /// What stands before the key of a script's request, where scripts are requested.
    script: Option<Vec<u8>>,
}

impl Loaded {
    /// An engine for `threads` threads that holds `keys` keys.
    #[must_use]
    pub fn new(threads: usize, keys: u64, mix: Mix, seed: u64) -> Self {
        let clock = TestClock::system();
        let server = InProcess::new(Setup { threads, seed, clock, ..Setup::default() });
        let mut connection = server.connect();
        let mut bytes = Vec::new();
        for key in 0..keys {
            write_request(&mut bytes, key, true);
            if key % 1_000 == 999 || key + 1 == keys {
                connection.send(&bytes);
                connection.take_bytes();
                bytes.clear();
            }
        }
        let script = (mix == Mix::Scripts).then(|| {
            connection.send(SCRIPT);
            // The digest is a bulk string already.
            [b"*4\r\n$7\r\nEVALSHA\r\n", &connection.take_bytes()[..], b"$1\r\n1\r\n$11\r\n"]
                .concat()
        });
        drop(connection);
        Self { server, threads, keys, script }
    }

    /// Number of keys that the engine holds.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.server.engine.store.len(0)
    }

    /// Runs every thread for `time`.
    ///
    /// # Panics
    /// If a thread does.
    #[must_use]
    pub fn run(&self, time: Duration, seed: u64) -> Outcome {
        let (stop, start) = (AtomicBool::new(false), Barrier::new(self.threads + 1));
        std::thread::scope(|scope| {
            let worker = |thread| {
                let (stop, start) = (&stop, &start);
                scope.spawn(move || {
                    start.wait();
                    self.work(thread, seed, stop)
                })
            };
            let workers: Vec<_> = (0..self.threads).map(worker).collect();
            start.wait();
            let began = Instant::now();
            std::thread::sleep(time);
            stop.store(true, Ordering::Relaxed);
            let mut outcome = Outcome::default();
            for worker in workers {
                let (requests, cpu_seconds) = worker.join().expect("the load does not panic");
                outcome.requests += requests;
                outcome.cpu_seconds += cpu_seconds;
            }
            outcome.seconds = began.elapsed().as_secs_f64();
            outcome
        })
    }

    fn work(&self, thread: usize, seed: u64, stop: &AtomicBool) -> (u64, f64) {
        let mut rng = Rng::seed(seed ^ ((thread as u64) << 32));
        let mut connection = Connection::new(&self.server, thread);
        let (mut requests, before) = (0, cpu_nanos());
        while !stop.load(Ordering::Relaxed) {
            for _ in 0..64 {
                connection.bytes.clear();
                for _ in 0..PIPELINE {
                    let key = rng.below(self.keys);
                    match &self.script {
                        Some(before) => write_key(&mut connection.bytes, before, key),
                        None => write_request(&mut connection.bytes, key, rng.chance(1, SET_EVERY)),
                    }
                }
                connection.execute(&self.server);
            }
            requests += 64 * PIPELINE as u64;
        }
        self.server.engine.disconnect(&mut connection.session);
        (requests, cpu_nanos().saturating_sub(before) as f64 / 1e9)
    }
}

/// A connection that executes whole pipelines as an event loop does.
struct Connection {
    session: Session,
    context: ThreadContext,
    pipeline: Pipeline,
    bytes: Vec<u8>,
    reply: Reply,
}

impl Connection {
    fn new(server: &InProcess, thread: usize) -> Self {
        Self {
            session: server.engine.connect(thread, Endpoint::default()),
            context: ThreadContext::new(thread, thread as u64),
            pipeline: Pipeline::default(),
            bytes: Vec::with_capacity(PIPELINE * 64),
            reply: Reply::new(Version::Resp2),
        }
    }

    /// Executes the requests in `bytes`, which are [`PIPELINE`] and whole, and drops the replies.
    fn execute(&mut self, server: &InProcess) {
        let Self { session, context, pipeline, bytes, reply } = self;
        let engine = &server.engine;
        context.begin(&*server.clock);
        let count = pipeline.fill(engine, session, bytes, &Limits::default());
        assert_eq!(count, PIPELINE, "the load's own requests are well formed");
        let mut at = 0;
        for index in 0..count {
            let (ready, args) = pipeline.get(index, &bytes[at..]);
            let flow = engine.execute_prepared(ready.prepared, session, args, reply, context);
            assert_eq!(flow, Flow::Continue, "none of the load waits");
            at += ready.consumed;
        }
        reply.clear();
    }
}

/// Appends a request on key number `key`, which has at most ten digits.
fn write_request(bytes: &mut Vec<u8>, key: u64, set: bool) {
    write_key(bytes, if set { SET } else { GET }, key);
    if set {
        bytes.extend_from_slice(SET_VALUE);
        bytes.extend_from_slice(VALUE);
        bytes.extend_from_slice(b"\r\n");
    }
}

/// Appends what stands before a key, and key number `key`.
fn write_key(bytes: &mut Vec<u8>, before: &[u8], key: u64) {
    bytes.extend_from_slice(before);
    let mut name = *b"k0000000000\r\n";
    let mut rest = key;
    for digit in name[1..11].iter_mut().rev() {
        *digit += (rest % 10) as u8;
        rest /= 10;
    }
    bytes.extend_from_slice(&name);
}

/// Nanoseconds that the calling thread has spent on a processor; 0 where the kernel does not say.
fn cpu_nanos() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_is_understood() {
        let loaded = Loaded::new(2, 1_234, Mix::Commands, 1);
        assert_eq!(loaded.keys(), 1_234);
        let outcome = loaded.run(Duration::from_millis(50), 2);
        let stats = &loaded.server.engine.stats;
        assert_eq!(stats.sum(|t| &t.executed), 1_234 + outcome.requests);
        assert_eq!((stats.sum(|t| &t.error_replies), stats.sum(|t| &t.misses)), (0, 0));
        let share = stats.sum(|t| &t.hits) as f64 / outcome.requests as f64;
        assert!((0.85..0.95).contains(&share), "{share} of the requests were GET");
    }

    #[test]
    fn every_script_is_known() {
        let loaded = Loaded::new(2, 1_234, Mix::Scripts, 1);
        let outcome = loaded.run(Duration::from_millis(50), 2);
        let stats = &loaded.server.engine.stats;
        assert_eq!(stats.sum(|t| &t.hits), outcome.requests);
        assert_eq!((stats.sum(|t| &t.error_replies), stats.sum(|t| &t.misses)), (0, 0));
    }
}
