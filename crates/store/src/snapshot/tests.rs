//! A snapshot is exactly one prefix of the history, whatever writers do meanwhile.
//!
//! Writers note each change in a common history while they hold its locks, so the history is one
//! serial order. The cut notes the history's length. What the snapshot delivers must then be what
//! that many changes make of an empty dataset: nothing more, nothing less, transactions whole.

use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;

use collections::entry::{NewValue, ObjectRef};
use collections::list::{End, Limits, List};
use stdx::rng::Rng;

use super::*;
use crate::expiry::Sweep;
use crate::keyspace::Scope;
use crate::transfer::{MoveEvents, Place};
use crate::{Absent, Change, Deadline, Effects, Event, Interest, UnixMs};

const DATABASES: usize = 3;
const EVENT: Event = Event::generic("test");

type Name = (usize, Vec<u8>);
/// By database. Each value is a text: that of a string, or the elements of a list with commas
/// between them.
type Model = Vec<HashMap<Vec<u8>, (String, Option<UnixMs>)>>;

/// A change, as the model repeats it.
#[derive(Clone, Debug)]
enum Step {
    Set(Name, String, Option<UnixMs>),
    Push(Name, u64),
    Remove(Name),
    Move(Name, Name),
    Copy(Name, Name),
    Swap(usize, usize),
    Flush(Option<usize>),
}

fn repeat(model: &mut Model, step: &Step) {
    match step.clone() {
        Step::Set((db, key), text, deadline) => drop(model[db].insert(key, (text, deadline))),
        Step::Push((db, key), number) => {
            let (text, _) = model[db].entry(key).or_default();
            *text = if text.is_empty() { number.to_string() } else { format!("{text},{number}") };
        }
        Step::Remove((db, key)) => drop(model[db].remove(&key)),
        Step::Move(from, to) => {
            let value = model[from.0].remove(&from.1).expect("the source was there");
            model[to.0].insert(to.1, value);
        }
        Step::Copy(from, to) => {
            let value = model[from.0][&from.1].clone();
            model[to.0].insert(to.1, value);
        }
        Step::Swap(a, b) => model.swap(a, b),
        Step::Flush(Some(db)) => model[db].clear(),
        Step::Flush(None) => model.iter_mut().for_each(HashMap::clear),
    }
}

fn empty() -> Model {
    vec![HashMap::new(); DATABASES]
}

/// The dataset, its history and its clock.
struct World {
    store: Store,
    history: Mutex<Vec<Step>>,
    now: AtomicU64,
    keys: u64,
}

impl World {
    fn scope(&self, db: usize) -> Scope {
        let now = self.now.load(Ordering::Relaxed);
        Scope { db, now, access: Default::default(), overdue: Default::default() }
    }

    fn name(&self, rng: &mut Rng) -> Name {
        (rng.index(DATABASES), format!("key:{}", rng.below(self.keys)).into_bytes())
    }

    /// Runs changes under the locks of these keys, or all locks, and appends them to the history.
    fn change(
        &self,
        names: &[Name],
        rng: &mut Rng,
        work: impl FnOnce(&mut Keyspace<'_>, &mut Rng),
    ) {
        let mut effects = Effects { interest: Interest::EVENTS, ..Effects::default() };
        let (mut own, scope) = (Rng::seed(rng.next_u64()), self.scope(0));
        let positions = names.iter().map(|(_, key)| self.store.position(key));
        let held = match names {
            [] => Held::all(&self.store),
            _ => Held::keys(&self.store, positions),
        };
        work(&mut Keyspace::new(&self.store, held, &mut effects, scope, &mut own), rng);
    }

    /// Notes that keys went because their time had come, then `step`.
    fn note(&self, effects: &mut Effects, step: Option<Step>) {
        let mut history = self.history.lock();
        for event in effects.events.drain(..) {
            if event.event.name == "expired" {
                history.push(Step::Remove((event.db, event.key.to_vec())));
            }
        }
        history.extend(step);
    }

    fn set(&self, keyspace: &mut Keyspace<'_>, name: &Name, rng: &mut Rng) {
        let deadline = rng.chance(1, 8).then(|| keyspace.scope.now + rng.below(300));
        let long = rng.chance(1, 10);
        let text =
            format!("{}{}", rng.next_u64(), if long { "x".repeat(900) } else { String::new() });
        let set = deadline.map_or(Deadline::Clear, Deadline::At);
        keyspace.edit_in(name.0, &name.1).set(NewValue::Bytes(text.as_bytes()), set, EVENT);
        self.note(keyspace.effects, Some(Step::Set(name.clone(), text, deadline)));
    }

    fn push(&self, keyspace: &mut Keyspace<'_>, name: &Name, rng: &mut Rng) {
        let number = rng.below(1_000_000);
        let mut edit = keyspace.edit_in(name.0, &name.1);
        let pushed = edit.update(Absent::Create, |list: &mut List| {
            list.push(End::Back, number.to_string().as_bytes(), Limits::default());
            Change::made(1, EVENT, ())
        });
        let step = pushed.is_ok().then(|| Step::Push(name.clone(), number));
        self.note(keyspace.effects, step);
    }

    fn transfer(&self, keyspace: &mut Keyspace<'_>, from: &Name, to: &Name, copy: bool) {
        if from == to {
            return;
        }
        let source = Place { db: from.0, key: &from.1 };
        let target = Place { db: to.0, key: &to.1 };
        let events = MoveEvents { left: EVENT, arrived: EVENT };
        let (done, step) = match copy {
            true => {
                (keyspace.copy_value(source, target, EVENT), Step::Copy(from.clone(), to.clone()))
            }
            false => {
                (keyspace.move_value(source, target, events), Step::Move(from.clone(), to.clone()))
            }
        };
        self.note(keyspace.effects, done.then_some(step));
    }

    fn remove(&self, keyspace: &mut Keyspace<'_>, name: &Name) {
        let removed = keyspace.edit_in(name.0, &name.1).remove(EVENT);
        self.note(keyspace.effects, removed.then(|| Step::Remove(name.clone())));
    }

    /// One random command or transaction.
    fn act(&self, rng: &mut Rng) {
        let (a, b) = (self.name(rng), self.name(rng));
        let names = [a.clone(), b.clone()];
        match rng.below(100) {
            0..40 => self.change(&names[..1], rng, |ks, rng| self.set(ks, &a, rng)),
            40..60 => self.change(&names[..1], rng, |ks, rng| self.push(ks, &a, rng)),
            60..75 => self.change(&names[..1], rng, |ks, _| self.remove(ks, &a)),
            75..80 => self.change(&names, rng, |ks, _| self.transfer(ks, &a, &b, false)),
            80..85 => self.change(&names, rng, |ks, _| self.transfer(ks, &a, &b, true)),
            85..95 => self.change(&names, rng, |ks, rng| {
                // A transaction: both get the same value, or neither has it.
                self.set(ks, &a, rng);
                self.transfer(ks, &a, &b, true);
            }),
            95..98 => self.sweep(rng.index(SHARDS)),
            _ if rng.chance(1, 20) => self.change(&[], rng, |ks, rng| {
                let db = rng.chance(1, 2).then(|| rng.index(DATABASES));
                ks.flush(db);
                self.note(ks.effects, Some(Step::Flush(db)));
            }),
            _ => self.change(&[], rng, |ks, rng| {
                let (a, b) = (rng.index(DATABASES), rng.index(DATABASES));
                ks.swap_databases(a, b);
                self.note(ks.effects, Some(Step::Swap(a, b)));
            }),
        }
    }

    fn sweep(&self, shard: usize) {
        self.store.set_interest(Interest::EVENTS);
        let mut effects = Effects::default();
        let sweep = Sweep { now: self.scope(0).now, slack_ms: 0, batch: 100 };
        while self.store.expire_shard(shard, sweep, &mut effects, |it| self.note(it, None)) {}
    }
}

/// Writes entries as a test reads them: one line each.
struct Lines;

impl Encode for Lines {
    fn encode(&self, entry: EntryRef<'_>, out: &mut Vec<u8>) {
        let value = match entry.value() {
            ValueRef::String(StringRef::Int(number)) => number.to_string(),
            ValueRef::String(StringRef::Inline { bytes, .. }) => text(bytes),
            ValueRef::String(StringRef::Shared { bytes, .. }) => text(bytes.as_slice()),
            ValueRef::Object(object @ ObjectRef::List(_)) => {
                let mut elements = Vec::new();
                object.for_each(&mut |parts| elements.push(text(parts[0])));
                elements.join(",")
            }
            ValueRef::Object(other) => panic!("no test writes {other:?}"),
        };
        let deadline = entry.deadline().map_or(String::new(), |at| at.to_string());
        out.extend(format!("{} {value} {deadline}\n", text(entry.key())).into_bytes());
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("tests write text")
}

/// Takes a chunk into the model; every key comes once.
fn read(chunk: &Chunk, into: &mut Model) {
    let mut lines = chunk.encoded.clone();
    chunk.shared.iter().for_each(|entry| Lines.encode(entry.view(), &mut lines));
    let mut keys = 0;
    for line in text(&lines).lines() {
        let mut words = line.split(' ');
        let mut word = || words.next().expect("three words").to_string();
        let (key, value, deadline) = (word(), word(), word());
        let twice = into[chunk.db].insert(key.into_bytes(), (value, deadline.parse().ok()));
        assert!(twice.is_none(), "{line} came twice");
        keys += 1;
    }
    assert_eq!(keys, chunk.keys);
}

fn seed(test: &str, default: u64) -> u64 {
    let seed = std::env::var("FERRITE_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(default);
    println!("seed {seed}; replay: FERRITE_SEED={seed} cargo test -p store {test}");
    seed
}

fn world(keys: u64) -> World {
    let store = Store::new(DATABASES, [7, 11]);
    World { store, history: Mutex::default(), now: AtomicU64::new(1_000_000), keys }
}

/// Takes snapshots while writers write; returns how many bytes writers copied for them.
fn compare(world: &World, rounds: usize, rng: &mut Rng) -> u64 {
    let encode: Arc<dyn Encode> = Arc::new(Lines);
    let (mut model, mut done, mut copied) = (empty(), 0, 0);
    for round in 0..rounds {
        let mut cut = 0;
        let begun = world.store.begin_snapshot(&encode, || cut = world.history.lock().len());
        let mut snapshot = begun.expect("one at a time");
        let another = world.store.begin_snapshot(&encode, || unreachable!());
        assert_eq!(another.err(), Some(InProgress));
        if round % 7 == 3 {
            drop(snapshot.next_chunk(&world.store));
            if rng.chance(1, 2) {
                snapshot.cancel(&world.store)
            } else {
                drop(snapshot)
            }
            continue;
        }
        let mut delivered = empty();
        while let Some(chunk) = snapshot.next_chunk(&world.store) {
            read(&chunk, &mut delivered);
            snapshot.recycle(chunk);
            if rng.chance(1, 4) {
                std::thread::yield_now();
            }
        }
        copied += snapshot.copied_bytes();
        let history = world.history.lock()[done..cut].to_vec();
        history.iter().for_each(|step| repeat(&mut model, step));
        done = cut;
        let keys: Vec<usize> = snapshot.usage().iter().map(|usage| usage.keys).collect();
        assert_eq!(keys, model.iter().map(HashMap::len).collect::<Vec<_>>());
        assert!(delivered == model, "round {round}: no prefix of the history");
    }
    copied
}

/// Ends the writers when the test does, a failed one included.
struct EndWriters<'a>(&'a AtomicBool);

impl Drop for EndWriters<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_snapshot_is_one_prefix_of_the_history() {
    let seed = seed("a_snapshot_is_one_prefix", 41);
    let world = world(20_000);
    let ended = AtomicBool::new(false);
    let acted = AtomicUsize::new(0);
    let mut rng = Rng::seed(seed);
    for _ in 0..30_000 {
        let name = world.name(&mut rng);
        world.change(std::slice::from_ref(&name), &mut rng, |ks, rng| world.set(ks, &name, rng));
    }
    std::thread::scope(|scope| {
        for writer in 0..3 {
            let (world, ended, acted) = (&world, &ended, &acted);
            scope.spawn(move || {
                let mut rng = Rng::seed(seed + 100 + writer);
                while !ended.load(Ordering::Relaxed) {
                    world.act(&mut rng);
                    world.now.fetch_add(rng.below(2), Ordering::Relaxed);
                    acted.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let _end = EndWriters(&ended);
        let copied = compare(&world, 12, &mut rng);
        assert!(copied > 0, "no writer met a snapshot");
    });
    assert!(acted.into_inner() > 1_000);
}

#[test]
fn giving_up_one_that_is_through_leaves_the_next_alone() {
    let seed = seed("giving_up_one_that_is_through", 43);
    let world = world(2_000);
    let mut rng = Rng::seed(seed);
    for _ in 0..3_000 {
        let name = world.name(&mut rng);
        world.change(std::slice::from_ref(&name), &mut rng, |ks, rng| world.set(ks, &name, rng));
    }
    let encode: Arc<dyn Encode> = Arc::new(Lines);
    let keys = |snapshot: &Snapshot| snapshot.usage().iter().map(|usage| usage.keys).sum::<usize>();
    let mut first = world.store.begin_snapshot(&encode, || ()).expect("the first");
    while first.next_chunk(&world.store).is_some() {}
    let mut second = world.store.begin_snapshot(&encode, || ()).expect("the first is through");
    // Whoever took the first one has still to write its end, and gives it up then.
    first.cancel(&world.store);
    let mut delivered = empty();
    while let Some(chunk) = second.next_chunk(&world.store) {
        read(&chunk, &mut delivered);
    }
    assert_eq!(delivered.iter().map(HashMap::len).sum::<usize>(), keys(&second));
}

#[test]
fn what_it_holds_is_counted_until_it_is_taken() {
    let world = world(500);
    let mut rng = Rng::seed(23);
    (0..2_000).for_each(|_| world.act(&mut rng));
    assert_eq!(world.store.snapshot_bytes(), 0);
    let encode: Arc<dyn Encode> = Arc::new(Lines);
    let mut snapshot = world.store.begin_snapshot(&encode, || ()).expect("the first");
    (0..2_000).for_each(|_| world.act(&mut rng));
    assert!(world.store.snapshot_bytes() > 10_000, "{}", world.store.snapshot_bytes());
    let mut spare = 0;
    while let Some(chunk) = snapshot.next_chunk(&world.store) {
        if spare == 0 {
            spare = chunk.encoded.capacity();
            snapshot.recycle(chunk);
        }
    }
    let held = snapshot.gathered.held.load(Ordering::Relaxed);
    let left: usize = snapshot.gathered.spare.lock().iter().map(Vec::capacity).sum();
    assert_eq!((held, world.store.snapshot_bytes()), (left as u64, 0));
}
