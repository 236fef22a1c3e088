//! The command logs: commands that took long, and those with large requests or replies
//! (`SLOWLOG`, `COMMANDLOG`).
//!
//! After each command three numbers are compared with three thresholds ([`Thresholds`]); all else
//! happens for the few that exceed one. The latency monitor shares the first.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use command::Flags;
use config::{Config, rows};
use parking_lot::Mutex;
use resp::Args;

use crate::clients::ClientHandle;
use crate::engine::Engine;
use crate::redaction;
use crate::registry::Entry;

/// Which log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Commands that took long: microseconds.
    Slow,
    /// Commands with large requests: bytes.
    LargeRequest,
    /// Commands with large replies: bytes.
    LargeReply,
}

/// A command in a log.
#[derive(Debug)]
pub(crate) struct Record {
    /// Unique within its log, ascending.
    pub(crate) id: u64,
    /// Unix time in seconds.
    pub(crate) at_s: u64,
    /// Microseconds or bytes.
    pub(crate) value: u64,
    /// The command line, shortened.
    pub(crate) args: Vec<Box<[u8]>>,
    /// The client's address.
    pub(crate) address: String,
    /// The client's name.
    pub(crate) name: Box<[u8]>,
}

#[derive(Debug, Default)]
struct Log {
    next_id: u64,
    /// The newest first.
    records: VecDeque<Arc<Record>>,
}

/// The three logs.
#[derive(Debug, Default)]
pub(crate) struct CommandLogs {
    logs: [Mutex<Log>; 3],
}

impl CommandLogs {
    /// The newest `count` records, the newest first.
    pub(crate) fn newest(&self, kind: Kind, count: usize) -> Vec<Arc<Record>> {
        self.logs[kind as usize].lock().records.iter().take(count).cloned().collect()
    }

    /// Number of records.
    pub(crate) fn len(&self, kind: Kind) -> usize {
        self.logs[kind as usize].lock().records.len()
    }

    /// Forgets the records; the ids go on.
    pub(crate) fn reset(&self, kind: Kind) {
        self.logs[kind as usize].lock().records.clear();
    }
}

/// From which values on a command is remarkable, as parameters say; `u64::MAX` for never.
#[derive(Debug)]
pub(crate) struct Thresholds {
    /// Nanoseconds: the lower one of the slow log's and the latency monitor's.
    time_ns: AtomicU64,
    request_bytes: AtomicU64,
    reply_bytes: AtomicU64,
}

impl Thresholds {
    pub(crate) fn new(config: &Config) -> Self {
        let never = || AtomicU64::new(u64::MAX);
        let thresholds = Self { time_ns: never(), request_bytes: never(), reply_bytes: never() };
        thresholds.read(config);
        thresholds
    }

    /// Reads the parameters again.
    pub(crate) fn read(&self, config: &Config) {
        let slow_us = threshold(config.get(rows::SLOWLOG_LOG_SLOWER_THAN));
        let spike_ms = config.get(rows::LATENCY_MONITOR_THRESHOLD);
        let spike_ms = if spike_ms == 0 { u64::MAX } else { spike_ms.unsigned_abs() };
        let time_ns = slow_us.saturating_mul(1_000).min(spike_ms.saturating_mul(1_000_000));
        self.time_ns.store(time_ns, Ordering::Relaxed);
        let request = threshold(config.get(rows::COMMANDLOG_REQUEST_LARGER_THAN));
        self.request_bytes.store(request, Ordering::Relaxed);
        let reply = threshold(config.get(rows::COMMANDLOG_REPLY_LARGER_THAN));
        self.reply_bytes.store(reply, Ordering::Relaxed);
    }

    /// Whether anybody could want to hear of a command that took so long, with a request of at
    /// most and a reply of exactly so many bytes.
    #[inline]
    pub(crate) fn reached(&self, nanos: u64, request_max: usize, reply: usize) -> bool {
        (nanos >= self.time_ns.load(Ordering::Relaxed))
            | (request_max as u64 >= self.request_bytes.load(Ordering::Relaxed))
            | (reply as u64 >= self.reply_bytes.load(Ordering::Relaxed))
    }
}

/// A parameter where a negative number means never.
fn threshold(parameter: i64) -> u64 {
    u64::try_from(parameter).unwrap_or(u64::MAX)
}

/// A command that was executed.
#[derive(Clone, Copy)]
pub(crate) struct Executed<'a> {
    pub(crate) entry: &'a Entry,
    pub(crate) args: Args<'a>,
    pub(crate) nanos: u64,
    /// Bytes of its reply.
    pub(crate) reply: usize,
}

impl Engine {
    /// Writes down a command that is remarkable in one way or another.
    #[cold]
    pub(crate) fn remark(&self, done: &Executed<'_>, client: &ClientHandle) {
        let fast = done.entry.has(Flags::FAST);
        self.note_latency(if fast { "fast-command" } else { "command" }, done.nanos);
        if done.entry.has(Flags::SKIP_SLOWLOG) {
            return;
        }
        let micros = done.nanos / 1_000;
        if micros >= threshold(self.config.get(rows::SLOWLOG_LOG_SLOWER_THAN)) {
            let len_max = self.config.get(rows::SLOWLOG_MAX_LEN);
            self.add_record(Kind::Slow, len_max, micros, done, client);
        }
        let request = done.args.request_len() as u64;
        if request >= threshold(self.config.get(rows::COMMANDLOG_REQUEST_LARGER_THAN)) {
            let len_max = self.config.get(rows::COMMANDLOG_LARGE_REQUEST_MAX_LEN);
            self.add_record(Kind::LargeRequest, len_max, request, done, client);
        }
        let reply = done.reply as u64;
        if reply >= threshold(self.config.get(rows::COMMANDLOG_REPLY_LARGER_THAN)) {
            let len_max = self.config.get(rows::COMMANDLOG_LARGE_REPLY_MAX_LEN);
            self.add_record(Kind::LargeReply, len_max, reply, done, client);
        }
    }

    fn add_record(
        &self,
        kind: Kind,
        len_max: i64,
        value: u64,
        done: &Executed<'_>,
        client: &ClientHandle,
    ) {
        let len_max = usize::try_from(len_max).unwrap_or(0);
        if len_max == 0 {
            return;
        }
        let args = self.shortened(done);
        let at_s = self.clock.unix_ms() / 1_000;
        let (address, name) = (client.endpoint.address.clone(), client.names().name);
        let mut log = self.command_logs.logs[kind as usize].lock();
        let id = log.next_id;
        log.next_id += 1;
        log.records.push_front(Arc::new(Record { id, at_s, value, args, address, name }));
        log.records.truncate(len_max);
    }

    /// The command line without its secrets, and not longer than parameters allow.
    fn shortened(&self, done: &Executed<'_>) -> Vec<Box<[u8]>> {
        let most = |parameter: i64| usize::try_from(parameter).unwrap_or(usize::MAX);
        let count_max = most(self.config.get(rows::SLOWLOG_ENTRY_MAX_ARGC));
        let len_max = most(self.config.get(rows::SLOWLOG_ENTRY_MAX_STRING_LEN));
        let count = done.args.len();
        let kept = if count > count_max { count_max - 1 } else { count };
        let shorten = |arg: &[u8]| match arg.get(..len_max) {
            Some(head) if arg.len() > len_max => {
                let more = format!("... ({} more bytes)", arg.len() - len_max);
                [head, more.as_bytes()].concat().into()
            }
            _ => arg.into(),
        };
        let mut args: Vec<Box<[u8]>> =
            redaction::shown(done.entry, done.args).take(kept).map(shorten).collect();
        if kept < count {
            let more = format!("... ({} more arguments)", count - kept);
            args.push(more.into_bytes().into());
        }
        args
    }
}
