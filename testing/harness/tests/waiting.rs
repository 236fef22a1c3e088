//! Many threads that push, pop and wait: every element is popped exactly once, in the order in
//! which each thread pushed, and nobody sleeps beside a list that is there. In half of the rounds
//! the databases are exchanged all the time; in all of them clients are killed and woken.
//!
//! `WAITING_SEED` chooses the first round and `WAITING_ROUNDS` how many follow.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use client::Value;
use harness::{Connection, InProcess, Setup, TestClock};
use parking_lot::Mutex;
use stdx::rng::Rng;

const PRODUCERS: usize = 2;
const CONSUMERS: usize = 4;
/// Elements of each producer.
const ELEMENTS: usize = 600;
const LISTS: [&str; 3] = ["k0", "k1", "k2"];
const SORTED_SETS: [&str; 2] = ["z0", "z1"];
/// Where victims move what they take: their replies may be lost with them.
const GRAVE: &str = "grave";
/// How long a round may take before something counts as lost.
const PATIENCE: Duration = Duration::from_secs(60);

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// What the threads of a round share.
struct Round {
    server: InProcess,
    seed: u64,
    /// Whether somebody exchanges the databases, of which half of the clients use each.
    swaps: bool,
    /// Nothing more comes: whoever is woken goes home.
    done: AtomicBool,
    popped: AtomicUsize,
    consumers: Mutex<Vec<u64>>,
}

impl Round {
    fn connect(&self, thread: usize) -> (Connection, Rng) {
        let mut connection = self.server.connect_on(thread);
        if self.swaps {
            connection.ask(&format!("SELECT {}", thread % 2));
        }
        (connection, Rng::seed(self.seed ^ ((thread as u64) << 32)))
    }
}

fn pick<'a>(rng: &mut Rng, from: &[&'a str]) -> &'a str {
    from[rng.index(from.len())]
}

/// Pushes one element, in some way that ends with it behind the others.
fn push(round: &Round, own: &mut Connection, rng: &mut Rng, producer: usize, element: usize) {
    let (key, value) = (pick(rng, &LISTS), format!("{producer}:{element}"));
    let own_key = format!("own:{producer}");
    // A key of one's own is not one's own where databases are exchanged.
    let ways = if round.swaps { 5 } else { 8 };
    match rng.below(ways) {
        0 | 1 => drop(own.ask(&format!("RPUSH {key} {value}"))),
        2 => drop(own.ask(&format!("ZADD {} {element} {value}", pick(rng, &SORTED_SETS)))),
        3 | 4 => {
            let other = pick(rng, &LISTS);
            for line in ["MULTI", &format!("RPUSH {key} {value}"), &format!("LLEN {other}"), "EXEC"]
            {
                own.ask(line);
            }
        }
        way => {
            own.ask(&format!("RPUSH {own_key} {value}"));
            let arrived = match way {
                5 => Value::Integer(0),
                6 => own.ask(&format!("RENAMENX {own_key} {key}")),
                _ => own.ask(&format!("COPY {own_key} {key}")),
            };
            match (arrived, way) {
                (Value::Integer(1), 6) => {}
                (Value::Integer(1), _) => drop(own.ask(&format!("DEL {own_key}"))),
                _ => drop(own.ask(&format!("LMOVE {own_key} {key} LEFT RIGHT"))),
            }
        }
    }
}

/// The words of a command that waits for all keys of a type, or for one of them for a moment.
fn waiting_command(round: &Round, rng: &mut Rng, consumer: usize) -> String {
    if consumer == 0 {
        return match rng.below(2) {
            0 => "BZPOPMIN z0 z1 0".to_owned(),
            _ => "BZMPOP 0 2 z1 z0 MIN COUNT 2".to_owned(),
        };
    }
    let key = pick(rng, &LISTS);
    match rng.below(if round.swaps { 4 } else { 6 }) {
        0 | 1 => "BLPOP k1 k0 k2 0".to_owned(),
        2 => "BLMPOP 0 3 k2 k1 k0 LEFT COUNT 2".to_owned(),
        3 => format!("BLPOP {key} 0.003"),
        4 => format!("BLMOVE {key} out:{consumer} LEFT RIGHT 0.003"),
        _ => format!("BLMOVEM {key} out:{consumer} LEFT RIGHT 0.003 EXACTLY 2 BULK"),
    }
}

/// The key and the elements of a reply to [`waiting_command`].
fn taken(command: &str, reply: &Value) -> Option<(String, Vec<String>)> {
    let text = |value: &Value| {
        String::from_utf8_lossy(value.as_bytes().expect("an element is text")).into_owned()
    };
    let source = || command.split(' ').nth(1).expect("the source").to_owned();
    if command.starts_with("BLMOVE ") && reply.as_bytes().is_some() {
        return Some((source(), vec![text(reply)]));
    }
    let parts = reply.as_slice()?;
    let elements = match command.split(' ').next() {
        Some("BLMOVEM") => return Some((source(), parts.iter().map(text).collect())),
        Some("BLMPOP") => parts[1].as_slice()?.iter().map(text).collect(),
        Some("BZMPOP") => {
            let member = |pair: &Value| pair.as_slice().map(|pair| text(&pair[0]));
            parts[1].as_slice()?.iter().filter_map(member).collect()
        }
        _ => vec![text(&parts[1])],
    };
    Some((text(&parts[0]), elements))
}

/// The reply to a command that waits, which the time may end.
fn await_reply(connection: &mut Connection) -> Value {
    let started = Instant::now();
    loop {
        if let Some(reply) = connection.reply_within(Duration::from_millis(1)) {
            return reply;
        }
        assert!(started.elapsed() < 2 * PATIENCE, "a reply never came");
    }
}

/// Waits and pops until there is nothing left to come. What it popped, by key and in order.
fn consume(round: &Round, consumer: usize) -> Vec<(String, String)> {
    let (mut own, mut rng) = round.connect(PRODUCERS + consumer);
    round.consumers.lock().push(own.id());
    let mut all = Vec::new();
    while !round.done.load(Ordering::Acquire) {
        let command = waiting_command(round, &mut rng, consumer);
        own.request(&command.split(' ').collect::<Vec<_>>());
        let reply = await_reply(&mut own);
        let Some((key, elements)) = taken(&command, &reply) else { continue };
        if command.starts_with("BLMOVE") {
            let moved = own.ask(&format!("LPOP out:{consumer} {}", elements.len()));
            let moved = moved.as_slice().map(<[Value]>::len);
            assert_eq!(moved, Some(elements.len()), "what was moved is there");
        }
        round.popped.fetch_add(elements.len(), Ordering::AcqRel);
        all.extend(elements.into_iter().map(|element| (key.clone(), element)));
    }
    all
}

/// Clients that are killed or leave while they wait, consumers that are woken for nothing, and
/// databases that are exchanged.
fn trouble(round: &Round) {
    let (mut own, mut rng) = round.connect(PRODUCERS + CONSUMERS);
    while !round.done.load(Ordering::Acquire) {
        if round.swaps {
            own.ask("SWAPDB 0 1");
        }
        let (mut victim, _) = round.connect(PRODUCERS + CONSUMERS);
        let key = pick(&mut rng, &LISTS);
        let line = format!("BLMOVE {key} {GRAVE} RIGHT RIGHT 0");
        victim.request(&line.split(' ').collect::<Vec<_>>());
        std::thread::yield_now();
        match rng.below(3) {
            0 => drop(own.ask(&format!("CLIENT KILL ID {}", victim.id()))),
            1 => drop(own.ask(&format!("CLIENT UNBLOCK {}", victim.id()))),
            _ => victim.close(),
        }
        let consumers = round.consumers.lock().clone();
        if !consumers.is_empty() {
            own.ask(&format!("CLIENT UNBLOCK {}", consumers[rng.index(consumers.len())]));
        }
        std::thread::sleep(Duration::from_micros(300));
    }
}

/// What lies in the grave of both databases.
fn buried(own: &mut Connection) -> Vec<String> {
    let mut all = Vec::new();
    for db in 0..2 {
        own.ask(&format!("SELECT {db}"));
        let reply = own.ask(&format!("LRANGE {GRAVE} 0 -1"));
        let elements = reply.as_slice().expect("LRANGE answers with an array").iter();
        all.extend(
            elements
                .filter_map(Value::as_bytes)
                .map(|element| String::from_utf8_lossy(element).into_owned()),
        );
    }
    all
}

/// Waits until everything has been popped, then sends everybody home.
fn finish(round: &Round, own: &mut Connection) {
    let started = Instant::now();
    // A grave that changes its database while it is counted is counted too low or too high.
    let gone = |own: &mut Connection| round.popped.load(Ordering::Acquire) + buried(own).len();
    while gone(own) != PRODUCERS * ELEMENTS || gone(own) != PRODUCERS * ELEMENTS {
        assert!(started.elapsed() < PATIENCE, "seed {}: an element stayed behind", round.seed);
        std::thread::sleep(Duration::from_millis(2));
    }
    round.done.store(true, Ordering::Release);
}

fn play(seed: u64) {
    println!("replay: WAITING_SEED={seed} WAITING_ROUNDS=1 cargo test -p harness --test waiting");
    let threads = PRODUCERS + CONSUMERS + 2;
    let clock = TestClock::system();
    let round = Round {
        server: InProcess::new(Setup { threads, seed, clock, ..Setup::default() }),
        seed,
        swaps: seed.is_multiple_of(2),
        done: AtomicBool::new(false),
        popped: AtomicUsize::new(0),
        consumers: Mutex::default(),
    };
    let mut own = round.server.connect_on(threads - 1);
    let all: Vec<Vec<(String, String)>> = std::thread::scope(|scope| {
        let round = &round;
        let consumers: Vec<_> =
            (0..CONSUMERS).map(|consumer| scope.spawn(move || consume(round, consumer))).collect();
        scope.spawn(move || trouble(round));
        for producer in 0..PRODUCERS {
            scope.spawn(move || {
                let (mut own, mut rng) = round.connect(producer);
                (0..ELEMENTS).for_each(|n| push(round, &mut own, &mut rng, producer, n));
            });
        }
        finish(round, &mut own);
        while consumers.iter().any(|consumer| !consumer.is_finished()) {
            for id in round.consumers.lock().iter() {
                own.ask(&format!("CLIENT UNBLOCK {id}"));
            }
            std::thread::yield_now();
        }
        consumers.into_iter().map(|consumer| consumer.join().expect("it ends well")).collect()
    });
    judge(&round, &all, buried(&mut own));
    assert_eq!(round.server.engine.store.waiters(), 0, "nobody waits any more");
}

/// Whether every element was popped once, and those of one producer by one consumer from one key
/// in the order in which they came.
fn judge(round: &Round, all: &[Vec<(String, String)>], buried: Vec<String>) {
    let mut seen = BTreeSet::new();
    let popped = all.iter().flatten().map(|(_, element)| element.clone());
    for element in popped.chain(buried) {
        assert!(seen.insert(element.clone()), "{element} was popped twice");
    }
    assert_eq!(seen.len(), PRODUCERS * ELEMENTS, "some were never popped");
    if round.swaps {
        // Two lists take turns under one name.
        return;
    }
    for consumer in all {
        let mut last: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for (key, element) in consumer {
            let (producer, number) = element.split_once(':').expect("producer and number");
            let number = number.parse().expect("a number");
            let before = last.insert((key, producer), number);
            assert!(before.is_none_or(|before| before < number), "{element} of {key} overtook");
        }
    }
}

#[test]
fn every_element_is_popped_once_and_nobody_is_forgotten() {
    let first = number("WAITING_SEED", 1);
    let rounds = number("WAITING_ROUNDS", 4);
    (first..first.saturating_add(rounds)).for_each(play);
}
