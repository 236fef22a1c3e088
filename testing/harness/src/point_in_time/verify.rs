//! Whether a dataset that was loaded is a prefix of the history.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use client::Value;

use super::history::{Content, DATABASES, Database, ORDER, Step};
use super::{History, OWN_KEYS, Thread, own_key};
use crate::Connection;

/// How often, and after which rest, is looked whether writers have noted what they did.
const LOOKS: usize = 2_000;
const REST: Duration = Duration::from_millis(5);

/// A dataset that was loaded.
pub(super) struct Found {
    /// How many transactions it says it has.
    pub(super) count: u64,
    databases: Vec<Database>,
}

/// Reads everything.
pub(super) fn read(client: &mut Connection) -> Found {
    let mut databases = vec![Database::new(); DATABASES];
    for (db, keys) in databases.iter_mut().enumerate() {
        client.ask(&format!("SELECT {db}"));
        for key in texts(&client.ask("KEYS *")) {
            let deadline = match client.command(&["PEXPIRETIME", &key]) {
                Value::Integer(at) => u64::try_from(at).ok(),
                other => panic!("PEXPIRETIME says {other:?}"),
            };
            let content = match client.text(&format!("TYPE {key}")).as_str() {
                "string" => Content::Text(client.text(&format!("GET {key}"))),
                "list" => Content::List(texts(&client.ask(&format!("LRANGE {key} 0 -1")))),
                "hash" => Content::Hash(fields(client, &key)),
                other => panic!("nobody writes a {other}"),
            };
            keys.insert(key, (content, deadline));
        }
    }
    let count = match databases[0].remove(ORDER) {
        Some((Content::Text(count), None)) => count.parse().expect("it is a number"),
        // Nothing was done yet.
        None => 0,
        other => panic!("the count is {other:?}"),
    };
    Found { count, databases }
}

fn texts(reply: &Value) -> Vec<String> {
    let values = reply.as_slice().expect("an array of texts");
    let text = |value: &Value| value.as_bytes().map(|b| String::from_utf8_lossy(b).into_owned());
    values.iter().filter_map(text).collect()
}

fn fields(client: &mut Connection, key: &str) -> BTreeMap<String, (String, Option<u64>)> {
    let pairs = texts(&client.ask(&format!("HGETALL {key}")));
    let mut field = |pair: &[String]| {
        let reply = client.ask(&format!("HPEXPIRETIME {key} FIELDS 1 {}", pair[0]));
        let deadline = match reply.as_slice() {
            Some([Value::Integer(at)]) => u64::try_from(*at).ok(),
            _ => panic!("HPEXPIRETIME says {reply:?}"),
        };
        (pair[0].clone(), (pair[1].clone(), deadline))
    };
    pairs.chunks(2).map(&mut field).collect()
}

/// What is left of a value: of a hash the fields whose time has not come.
fn left(content: &Content, now_ms: u64) -> Content {
    let Content::Hash(fields) = content else { return content.clone() };
    let is_left = |(_, (_, deadline)): &(&String, &(String, Option<u64>))| {
        deadline.is_none_or(|at| at > now_ms)
    };
    let fields = fields.iter().filter(is_left);
    Content::Hash(fields.map(|(field, value)| (field.clone(), value.clone())).collect())
}

/// Whether a value has ended with its last field.
fn is_spent(content: &Content, now_ms: u64) -> bool {
    matches!(left(content, now_ms), Content::Hash(fields) if fields.is_empty())
}

/// When an image was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// While others went on.
    Any,
    /// After all.
    End,
}

/// Compares what was loaded and read at `now_ms`, in unix milliseconds, with the history.
pub(super) fn compare(
    history: &History,
    mut found: Found,
    now_ms: u64,
    moment: Moment,
) -> Result<(), String> {
    let (model, flushes) = repeat(history, found.count)?;
    let singles = std::mem::take(&mut found.databases[0]);
    let known_since = match moment {
        Moment::End => u64::MAX,
        Moment::Any => {
            history.transactions.lock().get(&found.count).map_or(0, |last| last.span.began)
        }
    };
    let gone = Gone { history, known_since, now_ms };
    for (db, (found, wanted)) in found.databases.iter().zip(&model).enumerate().skip(1) {
        same(db, found, wanted, &gone)?;
    }
    let mut latest = 0;
    let mut earliest = (u64::MAX, String::new());
    for (number, transaction) in &*history.transactions.lock() {
        if *number <= found.count {
            latest = latest.max(transaction.span.began);
        } else if transaction.span.ended < earliest.0 {
            earliest = (transaction.span.ended, format!("transaction {number}"));
        }
    }
    for (thread, own) in history.threads.iter().enumerate() {
        let own = own.lock().clone();
        let part = Part { thread, own: &own, count: found.count, flushes: &flushes };
        let (done, is_exact) = part.check(&singles)?;
        latest = latest.max(own.singles[..done].iter().map(|s| s.span.began).max().unwrap_or(0));
        if let Some(next) = own.singles.get(done).filter(|_| is_exact)
            && next.span.ended < earliest.0
        {
            earliest = (next.span.ended, format!("SET {}", own_key(thread, done as u64 + 1)));
        }
    }
    if earliest.0 < latest {
        return Err(format!("{} is missing, and something is there that began later", earliest.1));
    }
    Ok(())
}

/// What the first `count` transactions make of an empty dataset, and which of them flush it.
fn repeat(history: &History, count: u64) -> Result<(Vec<Database>, Vec<u64>), String> {
    // Who has executed something notes it a little later.
    for _ in 0..LOOKS {
        let known = history.transactions.lock();
        if known.range(..=count).count() as u64 == count {
            let (mut model, mut flushes) = (vec![Database::new(); DATABASES], Vec::new());
            for (number, transaction) in known.range(..=count) {
                transaction.steps.iter().for_each(|step| step.repeat(&mut model));
                if transaction.steps.iter().any(|step| matches!(step, Step::FlushAll)) {
                    flushes.push(*number);
                }
            }
            return Ok((model, flushes));
        }
        drop(known);
        std::thread::sleep(REST);
    }
    Err("it has transactions that nobody made".to_owned())
}

/// Keys that went by themselves.
struct Gone<'a> {
    history: &'a History,
    /// When the last transaction of the image began: what was evicted before is not in it.
    known_since: u64,
    now_ms: u64,
}

impl Gone<'_> {
    /// Why a key must be gone by now, if it must.
    fn must_be(&self, key: &str, deadline: Option<u64>) -> Option<&'static str> {
        let evicted_at = self.history.evicted.lock().get(key).copied();
        if evicted_at.is_some_and(|at| at < self.known_since) {
            return Some("which was evicted");
        }
        deadline.is_some_and(|at| at < self.now_ms).then_some("whose time had come")
    }

    /// Whether a key may be gone by now.
    fn may_be(&self, key: &str, deadline: Option<u64>) -> bool {
        if deadline.is_some_and(|at| at <= self.now_ms) {
            return true;
        }
        // Whoever evicts a key notes it a little later.
        let looks = if deadline.is_some() { LOOKS } else { 0 };
        (0..looks).any(|look| {
            if look > 0 {
                std::thread::sleep(REST);
            }
            self.history.evicted.lock().contains_key(key)
        })
    }
}

/// Whether two databases are the same, but for keys that went by themselves.
fn same(db: usize, found: &Database, wanted: &Database, gone: &Gone<'_>) -> Result<(), String> {
    for (key, (content, deadline)) in found {
        let Some((wanted, wanted_deadline)) = wanted.get(key) else {
            return Err(format!("database {db} has {key}, which should not be there"));
        };
        if (content, deadline) != (&left(wanted, gone.now_ms), wanted_deadline) {
            return Err(format!(
                "database {db}, {key}: {content:?} until {deadline:?}, and not {wanted:?} until \
                 {wanted_deadline:?}"
            ));
        }
        if let Some(why) = gone.must_be(key, *deadline) {
            return Err(format!("database {db} has {key}, {why}"));
        }
    }
    let missing = |(key, (content, deadline)): &(&String, &(Content, Option<u64>))| {
        let is_missing = !found.contains_key(*key) && !is_spent(content, gone.now_ms);
        // Last, since it waits.
        is_missing && !gone.may_be(key, *deadline)
    };
    match wanted.iter().find(missing) {
        Some((key, value)) => Err(format!("database {db} lacks {key}: {value:?}")),
        None => Ok(()),
    }
}

/// What must be there of the single commands of one thread.
struct Part<'a> {
    thread: usize,
    own: &'a Thread,
    count: u64,
    /// The transactions up to `count` that flush everything.
    flushes: &'a [u64],
}

impl Part<'_> {
    /// The number of the thread's next transaction after single command `number`, counted from 1.
    fn before(&self, number: usize) -> u64 {
        let after = self.own.singles[number - 1].after;
        let next = self.own.transactions.iter().find(|&&number| number > after);
        next.copied().unwrap_or(u64::MAX)
    }

    /// How many of the commands are there, and whether that is sure.
    fn check(
        &self,
        found: &HashMap<String, (Content, Option<u64>)>,
    ) -> Result<(usize, bool), String> {
        let value = |key: &str| match found.get(key) {
            Some((Content::Text(text), None)) => text.parse::<usize>().ok(),
            _ => None,
        };
        let known = self.own.singles.len();
        let keys: Vec<String> = (0..OWN_KEYS).map(|at| own_key(self.thread, at)).collect();
        let seen = keys.iter().filter_map(|key| value(key)).max().unwrap_or(0);
        // Whatever came before a transaction of the same thread that is there.
        let due = (1..=known).take_while(|&number| self.before(number) <= self.count).count();
        let done = seen.max(due).min(known);
        if seen > known {
            // Executed, and not noted yet: nothing is known of it but that it is allowed.
            return Ok((known, false));
        }
        if done > 0 && self.own.singles[done - 1].after > self.count {
            return Err(format!(
                "SET {} {done} is there too early",
                own_key(self.thread, done as u64)
            ));
        }
        for (at, key) in keys.iter().enumerate() {
            let last = (1..=done).rev().find(|number| number % OWN_KEYS as usize == at);
            let Some(last) = last else { continue };
            let gone = |after: u64| self.flushes.iter().any(|&flush| flush > after);
            let right = match value(key) {
                Some(found) => found == last && !gone(self.before(last).saturating_sub(1)),
                None => gone(self.own.singles[last - 1].after),
            };
            if !right {
                return Err(format!("{key} is {:?} and not {last}", value(key)));
            }
        }
        Ok((done, seen == done && seen > 0))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Single, Span, Transaction};
    use super::*;

    fn text(value: &str) -> (Content, Option<u64>) {
        (Content::Text(value.to_owned()), None)
    }

    /// Two transactions, each of which sets `a` and `b` alike, and a single command of one thread
    /// after each.
    fn history() -> History {
        let history = History::new(1);
        for number in 1..=2 {
            let span = Span { began: history.tick(), ended: history.tick() };
            let set = |key: &str| {
                let (key, value) = (key.to_owned(), number.to_string());
                Step::Set { db: 1, key, value, deadline: None }
            };
            let steps = vec![set("a"), set("b")];
            history.transactions.lock().insert(number, Transaction { span, steps });
            let span = Span { began: history.tick(), ended: history.tick() };
            let mut own = history.threads[0].lock();
            own.transactions.push(number);
            own.singles.push(Single { span, after: number });
        }
        history
    }

    fn found(count: u64, singles: &[(&str, &str)], one: &[(&str, &str)]) -> Found {
        let database = |keys: &[(&str, &str)]| -> Database {
            keys.iter().map(|(key, value)| ((*key).to_owned(), text(value))).collect()
        };
        Found { count, databases: vec![database(singles), database(one), Database::new()] }
    }

    #[test]
    fn prefixes_are_right_and_nothing_else_is() {
        let (history, now) = (history(), 1);
        let (first, second) = (("own:0:1", "1"), ("own:0:2", "2"));
        let (ones, twos) = ([("a", "1"), ("b", "1")], [("a", "2"), ("b", "2")]);
        for right in [
            found(0, &[], &[]),
            found(1, &[], &ones),
            found(1, &[first], &ones),
            found(2, &[first], &twos),
            found(2, &[first, second], &twos),
        ] {
            assert_eq!(compare(&history, right, now, Moment::Any), Ok(()));
        }
        for (wrong, why) in [
            (found(1, &[first], &[("a", "2"), ("b", "1")]), "half of a transaction is there"),
            (found(2, &[first], &[("a", "2")]), "half of a transaction is missing"),
            (found(0, &[first], &[]), "a command is there, its thread's transaction before is not"),
            (found(2, &[], &twos), "a command is missing, its thread's next transaction is there"),
            (found(1, &[first, second], &ones), "a command from the future"),
            (found(2, &[second], &twos), "a command is missing, a later one is there"),
        ] {
            assert!(compare(&history, wrong, now, Moment::Any).is_err(), "{why}");
        }
    }
}
