//! A checker of point-in-time semantics: what is saved is exactly one prefix of what happened.
//!
//! Several threads write in transactions, each of which first counts itself: `INCR order` gives it
//! its number in the one serial order of all of them, which is known from outside. Meanwhile the
//! dataset is saved, the log is rewritten, and the disk is looked at as a killed process leaves it,
//! at any moment. Whatever is loaded from there has a count, n. Then it must be what the first n
//! transactions make of an empty dataset: each of them whole, and nothing of the next.
//!
//! ```text
//!   writers   MULTI  INCR order  ...  EXEC        EVAL "INCR order, FLUSHALL, ..."     SET own i
//!                          │ 41                             │ 42                          │
//!   history   ... ─────────┴────────────────────────────────┴──────────────────> order    │
//!   image          ^ dump.rdb: n = 41               ^ base and increments: n = 42         │
//!                                                                                         v
//!   single commands have no number: what one thread did before its transaction 41 must be there,
//!   what it did after 42 must not, and nothing may be there that began after something that is
//!   missing had been answered
//! ```
//!
//! In half of the runs memory is short now and then, and threads evict keys. What was evicted
//! before transaction n began is not in an image with n transactions; what was never evicted is.

mod history;
mod verify;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use client::Value;
use engine::ThreadContext;
use engine::platform::ShutdownRequest;
use parking_lot::Mutex;
use simdisk::SimDisk;
use stdx::clock::Clock;
use stdx::rng::Rng;
use store::consumers::{Consumers, KeyspaceEvents};
use store::effects::{EventClass, KeyEvent};

use crate::{Connection, InProcess, Setup, TestClock};
use history::{ORDER, Step, transaction};
use verify::Moment;

/// Keys of single commands that each thread has.
const OWN_KEYS: u64 = 8;
/// One change in so many is a single command.
const SINGLE_EVERY: u64 = 3;
/// One transaction in so many is a script.
const SCRIPT_EVERY: u64 = 4;

/// What to run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Seed of everything random but the order in which threads run.
    pub seed: u64,
    /// Threads that write.
    pub writers: usize,
    /// How often a dataset is saved or rewritten.
    pub rounds: usize,
    /// Names for keys of each type.
    pub keys: u64,
    /// Whether memory is short now and then.
    pub evicts: bool,
}

impl Plan {
    /// The plan of one seed. Every second one evicts.
    #[must_use]
    pub const fn of(seed: u64) -> Self {
        Self { seed, writers: 3, rounds: 4, keys: 60, evicts: seed.is_multiple_of(2) }
    }
}

/// What was done, and found right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Transactions in the history.
    pub transactions: u64,
    /// Single commands beside them.
    pub singles: u64,
    /// Snapshots that were saved as RDB files.
    pub saves: u64,
    /// Rewrites of the log.
    pub rewrites: u64,
    /// States of the disk that were loaded and compared.
    pub images: u64,
    /// Bytes that writers copied for snapshots.
    pub copied_bytes: u64,
    /// Keys that were evicted.
    pub evicted: u64,
}

impl Report {
    /// This report and another one.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            transactions: self.transactions + other.transactions,
            singles: self.singles + other.singles,
            saves: self.saves + other.saves,
            rewrites: self.rewrites + other.rewrites,
            images: self.images + other.images,
            copied_bytes: self.copied_bytes + other.copied_bytes,
            evicted: self.evicted + other.evicted,
        }
    }
}

/// When something was asked and answered, in ticks of one counter.
#[derive(Clone, Copy, Debug)]
struct Span {
    began: u64,
    ended: u64,
}

/// A transaction that was executed.
#[derive(Clone, Debug)]
struct Transaction {
    span: Span,
    steps: Vec<Step>,
}

/// A single command that was executed.
#[derive(Clone, Copy, Debug)]
struct Single {
    span: Span,
    /// Number of the last transaction that its thread made before.
    after: u64,
}

/// What one thread did beside the common history.
#[derive(Clone, Debug, Default)]
struct Thread {
    /// The numbers of its transactions.
    transactions: Vec<u64>,
    /// Its single commands. That at index i has written i + 1.
    singles: Vec<Single>,
}

/// Everything that was executed and answered.
#[derive(Debug)]
struct History {
    transactions: Mutex<BTreeMap<u64, Transaction>>,
    threads: Vec<Mutex<Thread>>,
    /// The keys that were evicted, and when that was certainly over.
    evicted: Mutex<HashMap<String, u64>>,
    ticks: AtomicU64,
}

impl History {
    fn new(writers: usize) -> Self {
        Self {
            transactions: Mutex::default(),
            threads: (0..writers).map(|_| Mutex::default()).collect(),
            evicted: Mutex::default(),
            ticks: AtomicU64::new(0),
        }
    }

    fn tick(&self) -> u64 {
        self.ticks.fetch_add(1, Ordering::SeqCst)
    }
}

/// Notes the evictions of a server.
struct Listener(Arc<History>);

impl KeyspaceEvents for Listener {
    fn key_event(&self, event: &KeyEvent) {
        if event.event.class == EventClass::Evicted {
            let key = String::from_utf8_lossy(&event.key).into_owned();
            let Self(history) = self;
            history.evicted.lock().insert(key, history.tick());
        }
    }
}

/// The server under test and what is known of it.
struct World {
    server: InProcess,
    disk: SimDisk,
    history: Arc<History>,
    plan: Plan,
    ended: AtomicBool,
}

const CONFIG: &str = "databases 3\nsave \"\"\n";
/// The limit on memory, in bytes, of those who evict.
const LIMIT: u64 = 100 << 20;
/// How much more than that is in use at most.
const ABOVE_MAX: u64 = 1 << 20;

/// The parameters of the server under test.
fn config(plan: Plan) -> String {
    let policies = ["lru", "lfu", "lrm", "ttl", "random"];
    let policy = policies[plan.seed as usize / 2 % policies.len()];
    match plan.evicts {
        false => format!("{CONFIG}appendonly yes\n"),
        true => format!(
            "{CONFIG}appendonly yes\nmaxmemory {LIMIT}\nmaxmemory-policy volatile-{policy}\n\
             notify-keyspace-events Ee\n"
        ),
    }
}

/// Runs `plan`.
///
/// # Errors
/// What was loaded and is no prefix of the history, with what is wrong about it.
///
/// # Panics
/// If a thread does, or the engine refuses what must work.
pub fn check(plan: Plan) -> Result<Report, String> {
    let disk = SimDisk::new();
    let history = Arc::new(History::new(plan.writers));
    let listener: Box<dyn KeyspaceEvents> = Box::new(Listener(history.clone()));
    let server = InProcess::new(Setup {
        // The writers, the one who saves, and the clockwork.
        threads: plan.writers + 2,
        seed: plan.seed,
        clock: TestClock::system(),
        disk: disk.clone(),
        config: config(plan),
        consumers: Consumers { events: plan.evicts.then_some(listener), ..Consumers::default() },
        ..Setup::default()
    });
    server.engine.begin_loading();
    server.engine.load_at_start().map_err(|error| format!("an empty disk: {error:?}"))?;
    let world = World { server, disk, history, plan, ended: AtomicBool::new(false) };
    let outcome = std::thread::scope(|scope| {
        for thread in 0..plan.writers {
            let world = &world;
            scope.spawn(move || world.write(thread));
        }
        scope.spawn(|| world.turn());
        // Ends the others whatever happens here.
        let _end = End(&world.ended);
        world.save_and_look()
    });
    world.at_the_end(outcome?)
}

/// Ends the writers when it is dropped.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl World {
    /// One writer, until the end.
    fn write(&self, thread: usize) {
        let mut rng = Rng::seed(self.plan.seed ^ ((thread as u64 + 1) << 32));
        let mut client = self.server.connect_on(thread);
        let (mut last, mut singles) = (0, 0);
        while !self.ended.load(Ordering::Relaxed) {
            let began = self.history.tick();
            if rng.chance(1, SINGLE_EVERY) {
                singles += 1;
                let key = own_key(thread, singles);
                while lacks_room(&client.command(&["SET", &key, &singles.to_string()])) {
                    std::thread::yield_now();
                }
                let span = Span { began, ended: self.history.tick() };
                let single = Single { span, after: last };
                self.history.threads[thread].lock().singles.push(single);
                continue;
            }
            let now_ms = self.server.clock.unix_ms();
            let end = if self.plan.evicts { history::End::Evicted } else { history::End::Expired };
            let steps = transaction(&mut rng, self.plan.keys, end, now_ms);
            let flushes = steps.iter().any(|step| matches!(step, Step::FlushAll));
            let number = match flushes || rng.chance(1, SCRIPT_EVERY) {
                true => as_script(&mut client, &steps),
                false => as_transaction(&mut client, &steps),
            };
            let Some(number) = number else { continue };
            last = number;
            let span = Span { began, ended: self.history.tick() };
            self.history.threads[thread].lock().transactions.push(last);
            self.history.transactions.lock().insert(last, Transaction { span, steps });
        }
    }

    /// What goes on beside commands: the cron, active expiry, the log's writer; memory becomes
    /// short, and keys are evicted.
    fn turn(&self) {
        let mut rng = Rng::seed(!self.plan.seed);
        let mut evictor = ThreadContext::new(self.plan.writers + 1, self.plan.seed);
        while !self.ended.load(Ordering::Relaxed) {
            self.server.pass(Duration::from_millis(1));
            self.server.engine.write_log();
            if self.plan.evicts {
                let above = if rng.chance(1, 3) { 1 + rng.below(ABOVE_MAX) } else { 0 };
                self.server.platform.set_allocated(LIMIT + above);
                self.server.engine.evict_in_background(&mut evictor);
            }
        }
        // Whoever waits for room gets it.
        self.server.platform.set_allocated(0);
    }

    /// Saves and rewrites, and compares what the disk has then, and had meanwhile.
    fn save_and_look(&self) -> Result<Report, String> {
        let mut rng = Rng::seed(self.plan.seed);
        let mut client = self.server.connect_on(self.plan.writers);
        let mut report = Report::default();
        for round in 0..self.plan.rounds {
            // Something to change between any two rounds.
            std::thread::sleep(Duration::from_millis(5 + rng.below(30)));
            let before = self.disk.operations() as u64;
            let rewrites = round % 2 == 1;
            match rewrites {
                true => drop(succeed(client.text("BGREWRITEAOF"))?),
                false => save(&mut client, report.saves)?,
            }
            let copied = if rewrites { "aof_last_cow_size" } else { "rdb_last_cow_size" };
            report.copied_bytes += info(&mut client, copied);
            if rewrites {
                report.rewrites += 1;
                let during = before + rng.below(self.disk.operations() as u64 - before + 1);
                self.look("during the rewrite", true, self.disk.after_kill(during as usize))?;
                self.look("the base", false, self.base()?)?;
                report.images += 2;
            } else {
                report.saves += 1;
                self.look("the saved file", false, only_dump(&self.disk, "dump.rdb")?)?;
                report.images += 1;
            }
            let now = self.disk.after_kill(self.disk.operations());
            self.look("after a kill", true, now)?;
            report.images += 1;
        }
        Ok(report)
    }

    /// Compares what an orderly end leaves: all that was answered.
    fn at_the_end(&self, mut report: Report) -> Result<Report, String> {
        let request = ShutdownRequest { save: true, ..ShutdownRequest::default() };
        self.server.engine.shut_down(request)?;
        self.server.engine.finish_log()?;
        let all = self.history.transactions.lock().len() as u64;
        let image = self.disk.after_kill(self.disk.operations());
        for (name, log) in [("the log at the end", true), ("the file at the end", false)] {
            let found = self.look_at(name, log, image.clone(), Moment::End)?;
            if found != all {
                return Err(format!("{name}: {found} transactions of {all}"));
            }
            report.images += 1;
        }
        report.transactions = all;
        report.evicted = self.history.evicted.lock().len() as u64;
        report.singles = self.history.threads.iter().map(|t| t.lock().singles.len() as u64).sum();
        Ok(report)
    }

    /// The base of the log, as a disk with nothing but an RDB file.
    fn base(&self) -> Result<SimDisk, String> {
        // Just after a rewrite there is one, and maybe the one before, which is to be removed.
        let names = self.disk.names();
        let number = |name: &String| -> Option<u64> {
            let name = name.strip_prefix("appendonlydir/appendonly.aof.")?;
            name.strip_suffix(".base.rdb")?.parse().ok()
        };
        let newest = names.iter().filter_map(number).max().ok_or("there is no base")?;
        only_dump(&self.disk, &format!("appendonlydir/appendonly.aof.{newest}.base.rdb"))
    }

    /// Loads what is on `image` and compares it; the number of transactions that it has.
    ///
    /// Time stands still meanwhile: no key expires between two commands that read it.
    fn look(&self, what: &str, log: bool, image: SimDisk) -> Result<u64, String> {
        self.look_at(what, log, image, Moment::Any)
    }

    /// As [`World::look`]; `moment` is when the image was made.
    fn look_at(
        &self,
        what: &str,
        log: bool,
        image: SimDisk,
        moment: Moment,
    ) -> Result<u64, String> {
        let now_us = self.server.clock.unix_us();
        let appendonly = if log { "yes" } else { "no" };
        let loaded = InProcess::new(Setup {
            clock: TestClock::standing_at(now_us),
            disk: image,
            config: format!("{CONFIG}appendonly {appendonly}\n"),
            ..Setup::default()
        });
        loaded.engine.begin_loading();
        let failed = |problem: String| format!("{what}: {problem}");
        if let Err(error) = loaded.engine.load_at_start() {
            return Err(failed(format!("{error:?}, {:?}", loaded.platform.take_log())));
        }
        let found = verify::read(&mut loaded.connect());
        let count = found.count;
        verify::compare(&self.history, found, now_us / 1000, moment)
            .map_err(|problem| failed(format!("after {count} transactions: {problem}")))?;
        Ok(count)
    }
}

/// A disk with nothing but an RDB file, where a server finds it.
fn only_dump(disk: &SimDisk, name: &str) -> Result<SimDisk, String> {
    let image = SimDisk::new();
    image.put("dump.rdb", &disk.content(name).ok_or_else(|| format!("there is no {name}"))?);
    Ok(image)
}

/// The key that single command number `number` of a thread writes.
fn own_key(thread: usize, number: u64) -> String {
    format!("own:{thread}:{}", number % OWN_KEYS)
}

/// Whether a command was refused because there was no room, and nothing that might go.
fn lacks_room(reply: &Value) -> bool {
    let is_such = |text: &Vec<u8>| text.starts_with(b"OOM ") || text.starts_with(b"EXECABORT ");
    matches!(reply, Value::Error(text) if is_such(text))
}

/// Executes a transaction; its number. None if there is no room for it.
fn as_transaction(client: &mut Connection, steps: &[Step]) -> Option<u64> {
    client.ask("MULTI");
    client.command(&["INCR", ORDER]);
    for step in steps {
        let (db, words) = step.command();
        client.command(&["SELECT", &db.to_string()]);
        client.command(&words);
    }
    client.ask("SELECT 0");
    let replies = client.ask("EXEC");
    match replies.as_slice().and_then(|replies| replies.first()) {
        Some(Value::Integer(number)) => Some(number.unsigned_abs()),
        _ if lacks_room(&replies) => None,
        _ => panic!("EXEC says {replies:?}"),
    }
}

/// As [`as_transaction`], by a script that declares none of the keys but the first.
fn as_script(client: &mut Connection, steps: &[Step]) -> Option<u64> {
    let mut text = "local number = redis.call('INCR', KEYS[1]) ".to_owned();
    let mut arguments = Vec::new();
    for step in steps {
        let (db, words) = step.command();
        text.push_str(&format!("redis.call('SELECT', '{db}') redis.pcall("));
        let first = arguments.len() + 1;
        arguments.extend(words);
        let words: Vec<_> = (first..=arguments.len()).map(|at| format!("ARGV[{at}]")).collect();
        text.push_str(&format!("{}) ", words.join(", ")));
    }
    text.push_str("redis.call('SELECT', '0') redis.call('SET', KEYS[1], number) return number");
    let mut command = ["EVAL", &text, "1", ORDER].map(str::to_owned).to_vec();
    command.extend(arguments);
    match client.command(&command) {
        Value::Integer(number) => Some(number.unsigned_abs()),
        other if lacks_room(&other) => None,
        other => panic!("EVAL says {other:?}"),
    }
}

fn succeed(said: String) -> Result<String, String> {
    if said.starts_with('-') { Err(said) } else { Ok(said) }
}

/// Saves; `before` saves have succeeded so far. One that `FLUSHALL` calls off is tried again.
fn save(client: &mut Connection, before: u64) -> Result<(), String> {
    const ATTEMPTS: usize = 1_000;
    for _ in 0..ATTEMPTS {
        succeed(client.text("BGSAVE"))?;
        if info(client, "rdb_saves") > before {
            return Ok(());
        }
    }
    Err("no save succeeds".to_owned())
}

/// A number out of `INFO persistence`.
fn info(client: &mut Connection, name: &str) -> u64 {
    let info = client.text("INFO persistence");
    let mut lines = info.lines().filter_map(|line| line.split_once(':'));
    let value = lines.find_map(|(found, value)| (found == name).then_some(value));
    value.and_then(|value| value.parse().ok()).expect("INFO has this number")
}
