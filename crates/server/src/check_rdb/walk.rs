//! Goes through a file and decodes every value, as loading would.

use format::rdb::file::module::type_name;
use format::rdb::file::{FileError, Record, Stage};
use format::rdb::{DecodeError, Limits, ObjectType};
use persistence::Source;
use persistence::load::{Block, Feed, LoadError, Located, Problem};

use super::stats::{Key, Stats};

/// What is met on the way.
#[derive(Debug)]
pub enum Event<'a> {
    /// The walk begins.
    Begin { file: &'a str },
    /// An aux field, which ends at `offset`.
    Aux { offset: u64, name: &'a [u8], value: &'a [u8] },
    /// Data of a module.
    ModuleAux { offset: u64, name: String },
    /// The keys of another database follow.
    Database { offset: u64, number: u64 },
    /// The file is whole.
    End { offset: u64, has_checksum: bool },
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Keys.
    pub keys: u64,
    /// Keys that expire.
    pub expires: u64,
    /// Keys whose time has come.
    pub already_expired: u64,
    /// Function libraries.
    pub functions: u64,
    /// Keys without an element, which a server leaves out.
    pub empty: u64,
}

/// Why the file cannot be loaded.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    /// How many bytes were read.
    pub offset: u64,
    /// What is wrong.
    pub reason: String,
    /// What was being read.
    pub doing: &'static str,
    /// The key whose value it was.
    pub key: Option<Vec<u8>>,
    /// Its type.
    pub kind: Option<ObjectType>,
}

/// A walk through a file.
#[derive(Debug)]
pub struct Walk {
    feed: Feed,
    block: Block,
    len: u64,
    now: u64,
    limits: Limits,
    counts: Counts,
}

impl Walk {
    /// A walk at the first byte of `source`, at `now` in milliseconds of unix time.
    pub fn new(source: Box<dyn Source>, now: u64) -> Self {
        let len = source.len();
        Self {
            feed: Feed::new(source, true),
            block: Block::default(),
            len,
            now,
            limits: Limits::defaults(now),
            counts: Counts::default(),
        }
    }

    /// How far it is, in bytes.
    pub fn offset(&self) -> u64 {
        self.feed.offset()
    }

    /// What was counted so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Walks over some records. False behind the last.
    ///
    /// # Errors
    /// If something is wrong there.
    pub fn step(
        &mut self,
        mut stats: Option<&mut Stats>,
        tell: &mut dyn FnMut(&Event<'_>),
    ) -> Result<bool, Failure> {
        let next = self.feed.next(&mut self.block);
        let whole = match next {
            Ok(more) if !more => return Ok(false),
            Ok(_) => None,
            Err(error) => Some(error),
        };
        // What stands before the place where the file is wrong is looked at first.
        let block = std::mem::take(&mut self.block);
        let mut others = block.others().iter().peekable();
        for located in block.entries() {
            while let Some((offset, record)) = others.next_if(|(end, _)| *end <= located.offset) {
                self.other(*offset, record, tell);
            }
            self.key(&located, stats.as_deref_mut())?;
        }
        for (offset, record) in others {
            self.other(*offset, record, tell);
        }
        self.block = block;
        whole.map_or(Ok(true), |error| Err(self.failure(error)))
    }

    fn other(&mut self, offset: u64, record: &Record<'_>, tell: &mut dyn FnMut(&Event<'_>)) {
        match record {
            Record::Aux { name, value } => tell(&Event::Aux { offset, name, value }),
            Record::ModuleAux { id } => tell(&Event::ModuleAux { offset, name: type_name(*id) }),
            Record::Database(number) => tell(&Event::Database { offset, number: *number }),
            Record::End { checksum, .. } => {
                tell(&Event::End { offset, has_checksum: checksum.is_some() });
            }
            Record::Function(_) => self.counts.functions += 1,
            Record::Version(_)
            | Record::Sizes { .. }
            | Record::SlotInfo
            | Record::SlotImport
            | Record::Entry(_) => {}
        }
    }

    fn key(&mut self, located: &Located<'_>, stats: Option<&mut Stats>) -> Result<(), Failure> {
        let entry = &located.entry;
        let end = located.offset + entry.bytes.len() as u64;
        let failed = |error: DecodeError, doing, key: Option<&[u8]>| Failure {
            offset: end,
            reason: error.to_string(),
            doing,
            key: key.map(<[u8]>::to_vec),
            kind: Some(entry.kind),
        };
        let key = entry.key().map_err(|error| failed(error, "read-key", None))?;
        self.counts.keys += 1;
        // Of a module only its own server knows what makes a value: this one was stepped over.
        let value = match (entry.kind, entry.decode(&self.limits)) {
            (ObjectType::Module, _) => None,
            (_, Ok((_, value))) => Some(value),
            (_, Err(DecodeError::Empty)) => {
                self.counts.empty += 1;
                return Ok(());
            }
            (_, Err(error)) => return Err(failed(error, "read-object-value", Some(&*key))),
        };
        if let Some(deadline) = entry.attributes.deadline {
            self.counts.expires += 1;
            self.counts.already_expired += u64::from(deadline < self.now);
        }
        if let Some(stats) = stats {
            stats.add(Key { db: located.db, key: &key, entry, value: value.as_ref() });
        }
        Ok(())
    }

    fn failure(&mut self, error: LoadError) -> Failure {
        let LoadError { offset, key, kind, problem } = error;
        self.counts.keys += u64::from(key.is_some());
        let stage = match &problem {
            Problem::Checksum { .. } => Stage::Checksum,
            _ => self.feed.stage(),
        };
        let doing = match (stage, &key) {
            (Stage::Start, _) => "start",
            (Stage::Type, _) => "read-type",
            (Stage::Expiry, _) => "read-expire",
            (Stage::Length, _) => "read-len",
            (Stage::Aux, _) => "read-aux",
            (Stage::ModuleAux, _) => "read-module-aux",
            (Stage::Function, _) => "read-functions",
            (Stage::Entry, None) => "read-key",
            (Stage::Entry, Some(_)) => "read-object-value",
            (Stage::Checksum, _) => "check-sum",
        };
        let (offset, reason) = match &problem {
            Problem::Truncated => (self.len, problem.to_string()),
            Problem::Checksum { .. } => (self.len, "RDB CRC error".to_owned()),
            Problem::Record(FileError::Type(number)) => {
                (offset + 1, format!("Invalid object type: {number}"))
            }
            Problem::Record(FileError::Magic | FileError::Version(_)) => {
                (9.min(self.len), problem.to_string())
            }
            _ => (offset, problem.to_string()),
        };
        let key = key.map(<[u8]>::into_vec);
        Failure { offset, reason, doing, key, kind }
    }
}
