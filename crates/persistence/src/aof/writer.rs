//! Bringing the log to the disk.
//!
//! Somebody calls [`Writer::round`] again and again, and rests between the calls as it is told.
//! Each round takes everything that has gathered, writes it, and flushes it to the disk when the
//! policy says so: what many connections have logged meanwhile shares one flush (group commit).
//!
//! Order is what recovery relies on: before the first byte of a new file is written, everything in
//! the old one is durable, so that a crash leaves a prefix of the log and never a hole.
//!
//! A failed flush may have lost what was written since the last one, whatever later flushes say.
//! So the failure stays until the dataset was written anew ([`Writer::replaced`]), which the engine
//! begins at once; a failed write is taken back to the last whole command and tried again.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::Arc;

use stdx::error::reason;

use super::log::{EffectLog, Segment};
use crate::flush_ahead::FlushAhead;
use crate::{Output, Storage};

/// `appendfsync`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fsync {
    /// Flush before anybody hears of a change.
    Always,
    /// Flush once a second.
    #[default]
    EverySecond,
    /// Leave flushing to the system.
    Never,
}

/// What the parameters say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriterSettings {
    /// When to flush.
    pub fsync: Fsync,
    /// Do not flush for now: a snapshot is being written (`no-appendfsync-on-rewrite`).
    pub suspended: bool,
}

/// What the caller does before the next round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Nothing: there is more to do.
    None,
    /// Sleeps for at most so many nanoseconds, or until the log wakes it.
    For(u64),
    /// Sleeps for so many nanoseconds, whatever the log says: what gathers meanwhile is written
    /// together.
    Nap(u64),
    /// Sleeps until the log wakes it.
    Forever,
}

/// What failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A write; it is tried again.
    Write(String),
    /// A write ended before all was written; it is tried again.
    ShortWrite {
        /// Bytes written.
        written: usize,
        /// Bytes to write.
        expected: usize,
    },
    /// A flush: what was written since the last one may be lost.
    Sync(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write(reason) => write!(f, "Error writing to the AOF file: {reason}"),
            Self::ShortWrite { written, expected } => write!(
                f,
                "Short write while writing to the AOF file: (nwritten={written}, \
                 expected={expected})"
            ),
            Self::Sync(reason) => write!(f, "Fail to fsync the AOF file: {reason}"),
        }
    }
}

impl Failure {
    /// The reason that clients are told.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Write(reason) | Self::Sync(reason) => reason.clone(),
            Self::ShortWrite { .. } => "No space left on device".to_owned(),
        }
    }
}

const SECOND_NS: u64 = 1_000_000_000;
/// While the log is not flushed before every reply, what gathers in this time is written together:
/// waking the thread for every command would cost more than the commands.
const NAP_NS: u64 = 2_000_000;
/// After a time without commands so many are written without a nap: who sends one at a time finds
/// each in the file at once.
const AWAKE_ROUNDS: u64 = 16;

/// The writer of the log.
#[derive(Debug)]
pub struct Writer {
    storage: Arc<dyn Storage>,
    log: Arc<EffectLog>,
    file: Option<Box<dyn Output>>,
    path: String,
    /// Bytes of the file that are whole.
    length: u64,
    ahead: FlushAhead,
    todo: VecDeque<Segment>,
    /// Position behind what was written.
    written: u64,
    durable: u64,
    last_sync_ns: u64,
    naps: Naps,
    /// A write that failed is tried again then.
    retry_ns: u64,
    failure: Option<Failure>,
    /// Set by a failed flush.
    is_doubtful: bool,
}

/// When the writer naps. Rounds that come one behind the other are followed by naps; what had no
/// commands for longer than a nap stays awake for as many rounds as it could have had naps.
#[derive(Debug, Default)]
struct Naps {
    last_round_ns: u64,
    /// Rounds that may follow without a nap.
    awake: u64,
}

impl Naps {
    /// Whether the round of now, which found something to write, is to be followed by a nap.
    fn is_due(&mut self, now_ns: u64) -> bool {
        let missed = (now_ns.saturating_sub(self.last_round_ns) / NAP_NS).saturating_sub(1);
        self.last_round_ns = now_ns;
        self.awake = (self.awake + missed).min(AWAKE_ROUNDS);
        let is_due = self.awake == 0;
        self.awake = self.awake.saturating_sub(1);
        is_due
    }
}

impl Writer {
    /// A writer without a file.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>, log: Arc<EffectLog>) -> Self {
        Self {
            storage,
            log,
            file: None,
            path: String::new(),
            length: 0,
            ahead: FlushAhead::default(),
            todo: VecDeque::new(),
            written: 0,
            durable: 0,
            last_sync_ns: 0,
            naps: Naps::default(),
            retry_ns: 0,
            failure: None,
            is_doubtful: false,
        }
    }

    /// What has failed and is not mended.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// Bytes of the file at hand.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Whether everything that was written is durable.
    #[must_use]
    pub fn is_flushed(&self) -> bool {
        self.durable == self.written
    }

    /// The file has another name now.
    pub fn renamed(&mut self, path: String) {
        self.path = path;
    }

    /// The whole dataset was written anew since the failure: nothing of what is doubtful is needed.
    pub fn replaced(&mut self) {
        if std::mem::take(&mut self.is_doubtful) {
            self.failure = None;
        }
    }

    /// Writes what has gathered, and flushes if it is time. `now_ns` is monotonic.
    pub fn round(&mut self, settings: WriterSettings, now_ns: u64) -> Rest {
        self.todo.append(&mut self.log.take());
        if self.failure.is_some() && !self.is_doubtful && now_ns < self.retry_ns {
            return Rest::Nap(self.retry_ns - now_ns);
        }
        let was_busy = !self.todo.is_empty();
        while let Some(segment) = self.todo.pop_front() {
            if let Err(failure) = self.perform(segment).and_then(|()| self.begin_sync(settings)) {
                self.failed(failure, now_ns);
                self.publish(settings);
                return Rest::Nap(SECOND_NS);
            }
        }
        if !self.is_doubtful {
            self.failure = None;
        }
        let rest = self.flush_if_due(settings, was_busy, now_ns);
        self.publish(settings);
        rest
    }

    /// Writes and flushes everything, whatever the policy: at the end of the process.
    ///
    /// # Errors
    /// What failed.
    pub fn finish(&mut self) -> Result<(), Failure> {
        self.todo.append(&mut self.log.take());
        while let Some(segment) = self.todo.pop_front() {
            self.perform(segment)?;
        }
        let flushed = self.flush();
        self.publish(WriterSettings::default());
        flushed
    }

    fn failed(&mut self, failure: Failure, now_ns: u64) {
        self.is_doubtful |= matches!(failure, Failure::Sync(_));
        self.retry_ns = now_ns + SECOND_NS;
        self.failure = Some(failure);
    }

    /// Does one thing; what could not be done is put back.
    fn perform(&mut self, segment: Segment) -> Result<(), Failure> {
        match segment {
            Segment::Bytes(bytes) => self.write(bytes),
            Segment::Switch { file, path, length } => {
                let flushed = self.flush();
                if flushed.is_err() && !self.is_doubtful {
                    self.todo.push_front(Segment::Switch { file, path, length });
                    return flushed;
                }
                // A flush that has failed before is not mended by trying: the base that comes with
                // the new file is.
                (self.file, self.path, self.length) = (Some(file), path, length);
                self.ahead = FlushAhead::behind(length);
                flushed
            }
            Segment::Close => {
                let flushed = self.flush();
                self.file = None;
                flushed
            }
        }
    }

    fn write(&mut self, bytes: Vec<u8>) -> Result<(), Failure> {
        let Some(file) = &mut self.file else {
            // The log was closed when this was on its way: nobody asks for it.
            self.written += bytes.len() as u64;
            self.durable = self.written;
            return Ok(());
        };
        let mut done = 0;
        let failure = loop {
            if done == bytes.len() {
                self.length += done as u64;
                self.written += done as u64;
                self.log.recycle(bytes);
                return Ok(());
            }
            match file.write(&bytes[done..]) {
                Ok(0) => break Failure::ShortWrite { written: done, expected: bytes.len() },
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Failure::Write(reason(&error)),
            }
        };
        if done > 0 {
            self.take_back(done, bytes);
        } else {
            self.todo.push_front(Segment::Bytes(bytes));
        }
        Err(failure)
    }

    /// Removes the beginning of commands that could not be written whole. If that fails too, it
    /// stays, and what follows is the rest.
    fn take_back(&mut self, done: usize, mut bytes: Vec<u8>) {
        if self.storage.truncate(&self.path, self.length).is_err() {
            self.length += done as u64;
            self.written += done as u64;
            bytes.drain(..done);
        }
        self.todo.push_front(Segment::Bytes(bytes));
    }

    /// While there is a flush every second, the disk begins before it is due: the flush is short
    /// then, and what is on the disk does not stay in the cache.
    fn begin_sync(&mut self, settings: WriterSettings) -> Result<(), Failure> {
        let wanted = settings.fsync == Fsync::EverySecond && !settings.suspended;
        match &mut self.file {
            Some(file) if wanted => {
                let begun = self.ahead.advance(&mut **file, self.length);
                begun.map_err(|error| Failure::Sync(reason(&error)))
            }
            _ => Ok(()),
        }
    }

    fn flush_if_due(&mut self, settings: WriterSettings, was_busy: bool, now_ns: u64) -> Rest {
        let due_ns = match settings.fsync {
            _ if self.is_flushed() || settings.suspended => None,
            Fsync::Always => Some(0),
            Fsync::EverySecond => Some(self.last_sync_ns + SECOND_NS),
            Fsync::Never => None,
        };
        if due_ns.is_some_and(|due_ns| due_ns <= now_ns) {
            self.last_sync_ns = now_ns;
            if let Err(failure) = self.flush() {
                self.failed(failure, now_ns);
                return Rest::Nap(SECOND_NS);
            }
        }
        if was_busy && settings.fsync != Fsync::Always && self.naps.is_due(now_ns) {
            return Rest::Nap(NAP_NS);
        }
        match due_ns.filter(|&due_ns| due_ns > now_ns) {
            Some(due_ns) => Rest::For(due_ns - now_ns),
            None => Rest::Forever,
        }
    }

    fn flush(&mut self) -> Result<(), Failure> {
        if self.is_flushed() {
            return Ok(());
        }
        if let Some(file) = &mut self.file {
            file.sync().map_err(|error| Failure::Sync(reason(&error)))?;
        }
        // What a failed flush has lost, a later one does not bring back.
        if !self.is_doubtful {
            self.durable = self.written;
        }
        Ok(())
    }

    fn publish(&self, settings: WriterSettings) {
        let holds = settings.fsync == Fsync::Always && !settings.suspended;
        let released = if holds { self.durable } else { self.written };
        self.log.advance(self.written, self.durable, released);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_now_and_then_never_meets_a_nap() {
        let mut naps = Naps::default();
        let mut now = 10 * SECOND_NS;
        for _ in 0..1_000 {
            now += 4 * NAP_NS;
            assert!(!naps.is_due(now));
            assert!(!naps.is_due(now + 100));
        }
    }

    #[test]
    fn who_goes_on_meets_one_after_every_round() {
        let mut naps = Naps::default();
        let mut now = 10 * SECOND_NS;
        let awake = (0..100).take_while(|_| !naps.is_due(now)).count() as u64;
        assert_eq!(awake, AWAKE_ROUNDS);
        for _ in 0..1_000 {
            // The nap, and what waking takes.
            now += NAP_NS + NAP_NS / 2;
            assert!(naps.is_due(now));
        }
    }
}
