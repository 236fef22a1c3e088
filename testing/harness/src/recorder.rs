//! One test double for all consumers of effects: it writes down what it hears.

use std::sync::Arc;

use parking_lot::Mutex;
use store::Records;
use store::consumers::{CommandLog, Consumers, KeyspaceEvents, Tracking};
use store::effects::{DbKey, KeyEvent, Modified};

/// What the consumers heard, each kind in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// Keyspace events.
    pub events: Vec<KeyEvent>,
    /// Changed keys, with the session that changed them.
    pub modified: Vec<(DbKey, u64)>,
    /// How often whole databases changed.
    pub flushes: usize,
    /// What was appended to the log, one element for each call.
    pub log: Vec<Records>,
}

impl Heard {
    /// The events as lines: database, class, name, key.
    #[must_use]
    pub fn event_lines(&self) -> Vec<String> {
        let line = |e: &KeyEvent| {
            format!("{} {:?} {} {}", e.db, e.event.class, e.event.name, text(&e.key))
        };
        self.events.iter().map(line).collect()
    }

    /// The changed keys as lines: database, key.
    #[must_use]
    pub fn modified_lines(&self) -> Vec<String> {
        self.modified.iter().map(|(key, _)| key_line(key)).collect()
    }

    /// The log as lines: database, command. The appended groups follow one another.
    #[must_use]
    pub fn log_lines(&self) -> Vec<String> {
        let lines = self.log.iter().flat_map(Records::lines);
        lines.map(|(db, line)| format!("{db} {line}")).collect()
    }
}

fn key_line(key: &DbKey) -> String {
    format!("{} {}", key.db, text(&key.key))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The double of every consumer; its copies share what they heard.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    heard: Arc<Mutex<Heard>>,
}

impl Recorder {
    /// Takes what was heard so far.
    #[must_use]
    pub fn take(&self) -> Heard {
        std::mem::take(&mut self.heard.lock())
    }

    /// This recorder as every consumer.
    #[must_use]
    pub fn consumers(&self) -> Consumers {
        Consumers {
            events: Some(Box::new(self.clone())),
            tracking: Some(Box::new(self.clone())),
            log: Some(Box::new(self.clone())),
        }
    }
}

impl KeyspaceEvents for Recorder {
    fn key_event(&self, event: &KeyEvent) {
        self.heard.lock().events.push(event.clone());
    }
}

impl Tracking for Recorder {
    fn keys_modified(&self, keys: &[Modified], session: u64) -> bool {
        let keys = keys.iter().map(|modified| (modified.key.clone(), session));
        self.heard.lock().modified.extend(keys);
        false
    }

    fn flushed(&self) -> bool {
        self.heard.lock().flushes += 1;
        false
    }
}

impl CommandLog for Recorder {
    fn append(&self, records: &Records) -> u64 {
        let mut heard = self.heard.lock();
        heard.log.push(records.clone());
        heard.log.iter().map(|records| records.bytes_len() as u64).sum()
    }
}
