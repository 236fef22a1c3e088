//! What writers do, and what a dataset is after the first so many of their transactions.

use std::collections::{BTreeMap, HashMap};

use stdx::rng::Rng;

/// Databases 1 and 2 are the writers' playground; database 0 has the count of transactions, and
/// the keys of single commands.
pub(super) const DATABASES: usize = 3;
/// The key that counts transactions.
pub(super) const ORDER: &str = "order";
/// A time that no test reaches, in milliseconds.
const FAR_MS: u64 = 4_102_444_800_000;

/// A value of one of the types that writers use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Text(String),
    List(Vec<String>),
    /// Its fields, with their deadlines.
    Hash(BTreeMap<String, (String, Option<u64>)>),
}

/// The keys of a database, with their deadlines.
pub(super) type Database = HashMap<String, (Content, Option<u64>)>;

/// One change of a transaction.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Set { db: usize, key: String, value: String, deadline: Option<u64> },
    Push { db: usize, key: String, element: String },
    Field { db: usize, key: String, field: String, value: String, deadline: Option<u64> },
    Delete { db: usize, key: String },
    Rename { db: usize, from: String, to: String },
    Copy { from: (usize, String), to: (usize, String) },
    Move { from: usize, to: usize, key: String },
    Swap,
    FlushDatabase(usize),
    FlushAll,
}

impl Step {
    /// The database in which it is executed, and its words.
    pub(super) fn command(&self) -> (usize, Vec<String>) {
        let words = |db: usize, words: &[&str]| (db, words.iter().map(|&w| w.to_owned()).collect());
        match self {
            Self::Set { db, key, value, deadline: None } => words(*db, &["SET", key, value]),
            Self::Set { db, key, value, deadline: Some(at) } => {
                words(*db, &["SET", key, value, "PXAT", &at.to_string()])
            }
            Self::Push { db, key, element } => words(*db, &["RPUSH", key, element]),
            Self::Field { db, key, field, value, deadline: None } => {
                words(*db, &["HSET", key, field, value])
            }
            Self::Field { db, key, field, value, deadline: Some(at) } => {
                words(*db, &["HSETEX", key, "PXAT", &at.to_string(), "FIELDS", "1", field, value])
            }
            Self::Delete { db, key } => words(*db, &["DEL", key]),
            Self::Rename { db, from, to } => words(*db, &["RENAME", from, to]),
            Self::Copy { from, to } => {
                words(from.0, &["COPY", &from.1, &to.1, "DB", &to.0.to_string(), "REPLACE"])
            }
            Self::Move { from, to, key } => words(*from, &["MOVE", key, &to.to_string()]),
            Self::Swap => words(0, &["SWAPDB", "1", "2"]),
            Self::FlushDatabase(db) => words(*db, &["FLUSHDB"]),
            Self::FlushAll => words(0, &["FLUSHALL"]),
        }
    }

    /// Does to a model what it does to the dataset.
    pub(super) fn repeat(&self, model: &mut [Database]) {
        match self.clone() {
            Self::Set { db, key, value, deadline } => {
                model[db].insert(key, (Content::Text(value), deadline));
            }
            Self::Push { db, key, element } => {
                let none = || (Content::List(Vec::new()), None);
                if let (Content::List(list), _) = model[db].entry(key).or_insert_with(none) {
                    list.push(element);
                }
            }
            Self::Field { db, key, field, value, deadline } => {
                let none = || (Content::Hash(BTreeMap::new()), None);
                if let (Content::Hash(hash), _) = model[db].entry(key).or_insert_with(none) {
                    hash.insert(field, (value, deadline));
                }
            }
            Self::Delete { db, key } => drop(model[db].remove(&key)),
            Self::Rename { db, from, to } => {
                if let Some(value) = model[db].remove(&from) {
                    model[db].insert(to, value);
                }
            }
            Self::Copy { from, to } => {
                if let Some(value) = model[from.0].get(&from.1).cloned() {
                    model[to.0].insert(to.1, value);
                }
            }
            Self::Move { from, to, key } => {
                if !model[to].contains_key(&key)
                    && let Some(value) = model[from].remove(&key)
                {
                    model[to].insert(key, value);
                }
            }
            Self::Swap => model.swap(1, 2),
            Self::FlushDatabase(db) => model[db].clear(),
            Self::FlushAll => model.iter_mut().for_each(HashMap::clear),
        }
    }
}

/// How the keys with a `v` end, which are only ever set. The fields of keys with an `f`, to which
/// nothing else happens, expire.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    /// They expire.
    Expired,
    /// They alone have deadlines, far ones, and are evicted. Each has a name of its own.
    Evicted,
}

/// The steps of a transaction. The first letter of a key names its type.
pub(super) fn transaction(rng: &mut Rng, keys: u64, end: End, now_ms: u64) -> Vec<Step> {
    if rng.chance(1, 300) {
        return vec![Step::FlushAll];
    }
    let count = 1 + rng.below(4);
    (0..count).map(|_| step(rng, keys, end, now_ms)).collect()
}

fn step(rng: &mut Rng, keys: u64, end: End, now_ms: u64) -> Step {
    let db = 1 + rng.index(2);
    let text = |rng: &mut Rng| {
        let long = rng.chance(1, 10);
        format!("{}{}", rng.next_u64(), if long { "x".repeat(3000) } else { String::new() })
    };
    let key = |kind: &str, rng: &mut Rng| format!("{kind}{}", rng.below(keys));
    let soon = |rng: &mut Rng| now_ms + 5 + rng.below(200);
    let kind = ["s", "l", "h"][rng.index(3)];
    match rng.below(1000) {
        0..300 => {
            let (key, value) = (key("s", rng), text(rng));
            let has_deadline = matches!(end, End::Expired) && rng.chance(1, 4);
            let deadline = has_deadline.then(|| FAR_MS + rng.below(1000));
            Step::Set { db, key, value, deadline }
        }
        300..400 => {
            let (key, deadline) = match end {
                End::Expired => (key("v", rng), soon(rng)),
                End::Evicted => (format!("v{}", rng.next_u64()), FAR_MS + rng.below(1000)),
            };
            Step::Set { db, key, value: text(rng), deadline: Some(deadline) }
        }
        400..550 => Step::Push { db, key: key("l", rng), element: text(rng) },
        550..650 => {
            let field = rng.below(40).to_string();
            Step::Field { db, key: key("h", rng), field, value: text(rng), deadline: None }
        }
        650..700 => {
            let (field, deadline) = (rng.below(40).to_string(), Some(soon(rng)));
            Step::Field { db, key: key("f", rng), field, value: text(rng), deadline }
        }
        700..800 => Step::Delete { db, key: key(kind, rng) },
        800..860 => Step::Rename { db, from: key(kind, rng), to: key(kind, rng) },
        860..930 => {
            let to = (1 + rng.index(2), key(kind, rng));
            let from = (db, key(kind, rng));
            // A key cannot be copied to itself.
            if from == to { Step::Delete { db, key: from.1 } } else { Step::Copy { from, to } }
        }
        930..980 => Step::Move { from: db, to: 3 - db, key: key(kind, rng) },
        980..995 => Step::Swap,
        _ => Step::FlushDatabase(db),
    }
}
