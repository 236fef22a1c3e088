//! The effect log: what commands did, in one order, on its way to the disk.
//!
//! [`EffectLog::append`] is called while the locks of the changed keys are held, so it does nothing
//! but copy bytes under one short lock. Whoever writes takes everything that has gathered at once.
//! The log's end is a position: the number of bytes ever appended. Three positions order everything
//! that waits for it: the end, up to where it was *written* (it survives the process), and up to
//! where it is *durable* (it survives a loss of power).

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;
use store::Records;
use store::consumers::CommandLog;

use super::commands::Commands;
use crate::Output;

/// A buffer of the log that was larger than this is given back when it was written.
const KEPT_BYTES_MAX: usize = 1 << 20;

/// How the records of a transaction begin.
const MULTI: &[u8] = b"*1\r\n$5\r\nMULTI\r\n";

/// What the writer takes from the log.
#[derive(Debug)]
pub enum Segment {
    /// Commands.
    Bytes(Vec<u8>),
    /// What follows goes to another file.
    Switch {
        /// The file.
        file: Box<dyn Output>,
        /// Its path.
        path: String,
        /// Its length.
        length: u64,
    },
    /// Nothing follows: the file is to be finished.
    Close,
}

/// What the log needs of the world around it.
pub trait Surroundings: Send + Sync {
    /// Has the writer look at the log. Called under the locks of commands: it must be quick.
    fn wake_writer(&self);

    /// Unix time in seconds.
    fn unix_seconds(&self) -> u64;
}

/// What waits to be written.
#[derive(Default)]
struct Pending {
    segments: VecDeque<Segment>,
    /// Commands behind the segments.
    bytes: Vec<u8>,
    /// A buffer for the next ones.
    spare: Vec<u8>,
    /// The database that the log has selected last; none at the start of a file.
    db: Option<usize>,
    /// The time that the log has told last: Unix seconds.
    told: u64,
}

/// The log.
pub struct EffectLog {
    pending: Mutex<Pending>,
    surroundings: Box<dyn Surroundings>,
    open: AtomicBool,
    /// Position of the end.
    end: AtomicU64,
    written: AtomicU64,
    durable: AtomicU64,
    released: AtomicU64,
    /// Room that the buffers have beyond what waits to be written.
    spare_bytes: AtomicU64,
    /// Whether the writer's thread has gone to sleep and is to be woken.
    sleeping: AtomicBool,
    /// Whether who appends wakes nobody.
    is_asked: AtomicBool,
    /// Whether the log tells when commands were executed.
    tells_time: AtomicBool,
}

impl fmt::Debug for EffectLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EffectLog")
            .field("open", &self.open)
            .field("end", &self.end)
            .field("written", &self.written)
            .field("durable", &self.durable)
            .finish_non_exhaustive()
    }
}

impl EffectLog {
    /// A log that is closed.
    #[must_use]
    pub fn new(surroundings: Box<dyn Surroundings>) -> Self {
        Self {
            pending: Mutex::default(),
            surroundings,
            open: AtomicBool::new(false),
            end: AtomicU64::new(0),
            written: AtomicU64::new(0),
            durable: AtomicU64::new(0),
            released: AtomicU64::new(0),
            spare_bytes: AtomicU64::new(0),
            sleeping: AtomicBool::new(true),
            is_asked: AtomicBool::new(false),
            tells_time: AtomicBool::new(false),
        }
    }

    /// Says whether the log tells when commands were executed (`aof-timestamp-enabled`).
    pub fn set_tells_time(&self, tells_time: bool) {
        self.tells_time.store(tells_time, Ordering::Relaxed);
    }

    #[cold]
    fn tell_time(&self, pending: &mut Pending) {
        let now = self.surroundings.unix_seconds();
        if now > pending.told {
            pending.told = now;
            pending.bytes.extend_from_slice(format!("#TS:{now}\r\n").as_bytes());
        }
    }

    /// Says whether the log is written when somebody asks for it, who knows that no more is coming
    /// to share the flush, or as soon as something is appended.
    pub fn set_asked(&self, is_asked: bool) {
        self.is_asked.store(is_asked, Ordering::Relaxed);
    }

    /// Whether the log is written when somebody asks for it.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.is_asked.load(Ordering::Relaxed)
    }

    /// Sends what follows to another file, behind its `length` bytes, and opens the log. To be
    /// called under all locks where it matters which command is the first one in the file. The
    /// position of the cut.
    pub fn switch(&self, file: Box<dyn Output>, path: String, length: u64) -> u64 {
        let mut pending = self.pending.lock();
        seal(&mut pending);
        pending.segments.push_back(Segment::Switch { file, path, length });
        pending.db = None;
        pending.told = 0;
        self.open.store(true, Ordering::Release);
        let end = self.end.load(Ordering::Relaxed);
        drop(pending);
        self.wake();
        end
    }

    /// Takes no more; what was taken is still to be written.
    pub fn close(&self) {
        let mut pending = self.pending.lock();
        if self.open.swap(false, Ordering::AcqRel) {
            seal(&mut pending);
            pending.segments.push_back(Segment::Close);
        }
        drop(pending);
        self.wake();
    }

    /// The position behind everything appended so far. What a command has seen lies before the end
    /// that is read after it.
    #[inline]
    #[must_use]
    pub fn end(&self) -> u64 {
        self.end.load(Ordering::Acquire)
    }

    /// Everything before this position was handed to the system.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }

    /// Everything before this position survives a loss of power.
    #[must_use]
    pub fn durable(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    /// Replies to what was executed before this position may leave, where replies wait at all.
    #[must_use]
    pub fn released(&self) -> u64 {
        self.released.load(Ordering::Acquire)
    }

    /// Memory of the buffers.
    #[must_use]
    pub fn buffer_bytes(&self) -> u64 {
        let waiting = self.end().saturating_sub(self.written());
        waiting + self.spare_bytes.load(Ordering::Relaxed)
    }

    /// Takes everything that waits to be written, in order.
    pub fn take(&self) -> VecDeque<Segment> {
        let mut pending = self.pending.lock();
        seal(&mut pending);
        let segments = std::mem::take(&mut pending.segments);
        let spare = |segment: &Segment| match segment {
            Segment::Bytes(bytes) => bytes.capacity() - bytes.len(),
            Segment::Switch { .. } | Segment::Close => 0,
        };
        self.note_spare(&pending, segments.iter().map(spare).sum());
        segments
    }

    /// Notes the room of the buffers, and that of those which are being written.
    fn note_spare(&self, pending: &Pending, in_flight: usize) {
        let spare = pending.bytes.capacity() - pending.bytes.len() + pending.spare.capacity();
        self.spare_bytes.store((spare + in_flight) as u64, Ordering::Relaxed);
    }

    /// Gives a buffer back that was written.
    pub fn recycle(&self, mut bytes: Vec<u8>) {
        if bytes.capacity() <= KEPT_BYTES_MAX {
            bytes.clear();
            let mut pending = self.pending.lock();
            pending.spare = bytes;
            self.note_spare(&pending, 0);
        }
    }

    /// The writer's thread is awake and about to take what there is: who appends from now on need
    /// not wake it.
    pub fn awake(&self) {
        self.sleeping.store(false, Ordering::Relaxed);
    }

    /// The writer's thread is about to sleep. False if there is something to write after all.
    #[must_use]
    pub fn sleep(&self) -> bool {
        let pending = self.pending.lock();
        let is_empty = pending.bytes.is_empty() && pending.segments.is_empty();
        self.sleeping.store(is_empty, Ordering::Relaxed);
        is_empty
    }

    /// Notes how far the writer got.
    pub fn advance(&self, written: u64, durable: u64, released: u64) {
        self.written.store(written, Ordering::Release);
        self.durable.store(durable, Ordering::Release);
        self.released.store(released, Ordering::Release);
    }

    /// Has the writer's thread look, unless it is about to anyway.
    pub fn wake(&self) {
        if self.sleeping.swap(false, Ordering::Relaxed) {
            self.surroundings.wake_writer();
        }
    }
}

/// Puts the commands that have gathered behind the segments.
fn seal(pending: &mut Pending) {
    if !pending.bytes.is_empty() {
        let spare = std::mem::take(&mut pending.spare);
        let bytes = std::mem::replace(&mut pending.bytes, spare);
        pending.segments.push_back(Segment::Bytes(bytes));
    }
}

impl CommandLog for EffectLog {
    fn append(&self, records: &Records) -> u64 {
        let mut pending = self.pending.lock();
        if !self.open.load(Ordering::Relaxed) {
            return self.end.load(Ordering::Relaxed);
        }
        let before = pending.bytes.len();
        if self.tells_time.load(Ordering::Relaxed) {
            self.tell_time(&mut pending);
        }
        for (db, mut bytes) in records.runs() {
            if pending.db != Some(db) {
                // A transaction selects its database inside.
                if let Some(rest) = bytes.strip_prefix(MULTI) {
                    pending.bytes.extend_from_slice(MULTI);
                    bytes = rest;
                }
                if bytes.is_empty() {
                    continue;
                }
                pending.db = Some(db);
                Commands::select(db, &mut pending.bytes);
            }
            pending.bytes.extend_from_slice(bytes);
        }
        let grown = (pending.bytes.len() - before) as u64;
        let end = self.end.load(Ordering::Relaxed) + grown;
        self.end.store(end, Ordering::Release);
        self.note_spare(&pending, 0);
        // Read under the lock under which the writer says that it sleeps.
        let wakes = self.sleeping.load(Ordering::Relaxed) && !self.is_asked.load(Ordering::Relaxed);
        drop(pending);
        if wakes {
            self.wake();
        }
        end
    }

    fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }
}
