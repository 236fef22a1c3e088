//! A file as blocks of whole records.

use std::borrow::Cow;
use std::io::Read;
use std::ops::Range;

use format::rdb::ObjectType;
use format::rdb::file::{Attributes, Entry, FileReader, Next, Record, Stage};
use stdx::crc::crc64;

use super::error::{LoadError, Problem};
use crate::Source;

/// Bytes of a block. Enough for some thousand small keys, so that locks are taken rarely, and
/// little enough for a core's own cache.
const BLOCK_BYTES: usize = 256 << 10;

/// Cuts a file into blocks.
#[derive(Debug)]
pub struct Feed {
    source: Box<dyn Source>,
    reader: FileReader,
    /// What was read and not cut yet.
    rest: Vec<u8>,
    /// Where the rest begins.
    offset: u64,
    /// Of all before it, if it is computed.
    crc: Option<u64>,
    db: u64,
    ended: bool,
}

/// Bytes with whole records in them.
#[derive(Debug, Default)]
pub struct Block {
    bytes: Vec<u8>,
    /// How many of the bytes are records.
    len: usize,
    offset: u64,
    entries: Vec<Cut>,
    others: Vec<(u64, Record<'static>)>,
}

/// Where an entry is inside its block.
#[derive(Debug)]
struct Cut {
    kind: ObjectType,
    attributes: Attributes,
    range: Range<usize>,
    db: u64,
}

/// An entry and where it is.
#[derive(Debug)]
pub struct Located<'b> {
    /// The entry.
    pub entry: Entry<'b>,
    /// Its database.
    pub db: u64,
    /// Where its key begins in the file.
    pub offset: u64,
}

impl Located<'_> {
    pub(super) fn error(&self, problem: Problem) -> LoadError {
        let key = self.entry.key().ok().map(|key| Box::from(&*key));
        LoadError { offset: self.offset, key, kind: Some(self.entry.kind), problem }
    }
}

impl Block {
    /// Where it begins in the file.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Its length in bytes.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.len as u64
    }

    /// Whether it has no records.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What is in it beside keys, in order, each with where it ends in the file.
    #[must_use]
    pub fn others(&self) -> &[(u64, Record<'static>)] {
        &self.others
    }

    /// The keys in it, in order.
    pub fn entries(&self) -> impl Iterator<Item = Located<'_>> {
        self.entries.iter().map(|cut| Located {
            entry: Entry {
                kind: cut.kind,
                attributes: cut.attributes,
                bytes: &self.bytes[cut.range.clone()],
            },
            db: cut.db,
            offset: self.offset + cut.range.start as u64,
        })
    }
}

impl Feed {
    /// Begins at the first byte of `source`.
    pub fn new(source: Box<dyn Source>, checks_crc: bool) -> Self {
        Self {
            source,
            reader: FileReader::new(),
            rest: Vec::new(),
            offset: 0,
            crc: checks_crc.then_some(0),
            db: 0,
            ended: false,
        }
    }

    /// Replaces a block by the next one. False behind the last.
    ///
    /// # Errors
    /// If the file cannot be read, or what is read cannot be cut.
    pub fn next(&mut self, block: &mut Block) -> Result<bool, LoadError> {
        block.entries.clear();
        block.others.clear();
        block.bytes.clear();
        block.bytes.append(&mut self.rest);
        (block.len, block.offset) = (0, self.offset);
        while block.len == 0 && !self.ended {
            // A record that is larger than a block takes twice as much each time, so that no byte
            // of it is read again and again.
            let more = BLOCK_BYTES.max(block.bytes.len());
            let read = self.source.by_ref().take(more as u64).read_to_end(&mut block.bytes);
            let read = read.map_err(|error| LoadError::at(self.offset, Problem::Io(error)))?;
            self.cut(block)?;
            if read == 0 && block.len == 0 && !self.ended {
                return Err(self.unfinished(block, Problem::Truncated));
            }
        }
        self.rest.extend_from_slice(&block.bytes[block.len..]);
        self.offset += block.len as u64;
        Ok(block.len > 0)
    }

    /// Cuts what can be cut.
    fn cut(&mut self, block: &mut Block) -> Result<(), LoadError> {
        let begin = block.len;
        while !self.ended {
            let at = block.len;
            let next = match self.reader.next(&block.bytes[at..]) {
                Ok(next) => next,
                Err(error) => return Err(self.unfinished(block, Problem::Record(error))),
            };
            let Some(Next { len, record }) = next else { break };
            block.len += len;
            let other = match record {
                Record::Entry(Entry { kind, attributes, bytes }) => {
                    let range = block.len - bytes.len()..block.len;
                    block.entries.push(Cut { kind, attributes, range, db: self.db });
                    continue;
                }
                Record::End { checksum, footer } => {
                    self.ended = true;
                    self.check(&block.bytes[begin..block.len - footer], checksum)?;
                    Record::End { checksum, footer }
                }
                Record::Database(number) => {
                    self.db = number;
                    Record::Database(number)
                }
                Record::Aux { name, value } => {
                    Record::Aux { name: owned(name), value: owned(value) }
                }
                Record::Function(source) => Record::Function(owned(source)),
                Record::Version(version) => Record::Version(version),
                Record::Sizes { keys, expiring } => Record::Sizes { keys, expiring },
                Record::SlotInfo => Record::SlotInfo,
                Record::SlotImport => Record::SlotImport,
                Record::ModuleAux { id } => Record::ModuleAux { id },
            };
            block.others.push((block.offset + block.len as u64, other));
        }
        if let Some(crc) = &mut self.crc {
            *crc = crc64(*crc, &block.bytes[begin..block.len]);
        }
        Ok(())
    }

    /// Compares the checksum of all blocks with that at the end of the file.
    fn check(&mut self, last: &[u8], stated: Option<u64>) -> Result<(), LoadError> {
        let (Some(crc), Some(stated)) = (self.crc, stated) else { return Ok(()) };
        let computed = crc64(crc, last);
        if computed == stated {
            return Ok(());
        }
        Err(LoadError::at(self.offset, Problem::Checksum { stated, computed }))
    }

    /// An error of the record that is being read.
    fn unfinished(&self, block: &Block, problem: Problem) -> LoadError {
        let (kind, key) = self.reader.unfinished_entry(&block.bytes[block.len..]);
        let offset = block.offset + (block.len + self.reader.prepared()) as u64;
        LoadError { offset, key: key.map(|key| Box::from(&*key)), kind, problem }
    }

    /// Where it stands: how far the blocks so far go.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// What it was busy with when it failed.
    #[must_use]
    pub const fn stage(&self) -> Stage {
        self.reader.stage()
    }

    /// What was read beyond the end, and where there may be more.
    #[must_use]
    pub fn into_rest(self) -> (Vec<u8>, Box<dyn Source>) {
        (self.rest, self.source)
    }
}

fn owned(text: Cow<'_, [u8]>) -> Cow<'static, [u8]> {
    Cow::Owned(text.into_owned())
}
