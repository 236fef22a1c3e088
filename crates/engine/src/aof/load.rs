//! Replaying the append-only file: its commands are executed as they once were.
//!
//! Nothing expires meanwhile: the log says itself when a key went, and what it did to the key
//! before that comes first. Replies go nowhere, and what a command did is not logged again. A
//! transaction counts when its `EXEC` is there.

use std::io::{Cursor, Read};
use std::time::Duration;

use format::rdb::file::{MAGIC_LEN, begins_as_rdb};
use persistence::Source;
use persistence::aof::{End, FileInfo, FileKind, Item, Reader, is_torn};
use resp::{Args, Limits, Reply};
use stdx::error::reason;
use stdx::rng::Rng;
use store::load::Existing;

use crate::call::Call;
use crate::clients::Endpoint;
use crate::engine::Engine;
use crate::loading::Taken;
use crate::pipeline::Pipeline;
use crate::platform::LogLevel;
use crate::registry::{Exec, Unknown};
use crate::session::Session;
use crate::stats::Aside;
use crate::thread::ThreadContext;
use command::Flags;
use config::rows;

/// The append-only file cannot be loaded, or not be written. What there is to say has been logged:
/// the server must not serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AofFailure;

/// Bytes of a file between two looks at whether it takes long.
const REPORT_BYTES: u64 = 64 << 20;

impl Engine {
    /// Replays the files of the manifest. The dataset is not served meanwhile.
    pub(super) fn replay_files(&self, files: &[FileInfo]) -> Result<(), AofFailure> {
        let started = self.clock.monotonic_ns();
        let names = self.log_names();
        let mut last = 0;
        for (index, file) in files.iter().enumerate() {
            match self.log_file_length(&names.path(&file.name)) {
                Ok(0) => {}
                // A rewrite names the next file before it is written to: until then the one before
                // may end as the last one may.
                Ok(_) => last = index,
                Err(error) => {
                    return Err(self.fatal(&format!(
                        "Unable to obtain the AOF file {} length. stat: {}",
                        file.name,
                        reason(&error)
                    )));
                }
            }
        }
        for (index, file) in files.iter().enumerate() {
            let began = self.clock.monotonic_ns();
            // A base is on the disk, whole, before a manifest names it beside an increment.
            let is_base = file.kind == FileKind::Base;
            let is_last = if is_base { index + 1 == files.len() } else { index >= last };
            self.replay_file(file, is_last)?;
            let kind = if is_base { "base" } else { "incr" };
            self.notice(&format!(
                "DB loaded from {kind} file {}: {:.3} seconds",
                file.name,
                self.seconds_since(began)
            ));
        }
        let seconds = self.seconds_since(started);
        self.notice(&format!("DB loaded from append only file: {seconds:.3} seconds"));
        Ok(())
    }

    pub(super) fn log_file_length(&self, path: &str) -> std::io::Result<u64> {
        self.storage.len(path)?.ok_or_else(|| std::io::ErrorKind::NotFound.into())
    }

    fn seconds_since(&self, began_ns: u64) -> f64 {
        Duration::from_nanos(self.clock.monotonic_ns().saturating_sub(began_ns)).as_secs_f64()
    }

    pub(super) fn fatal(&self, text: &str) -> AofFailure {
        self.warn(text);
        AofFailure
    }

    fn replay_file(&self, file: &FileInfo, is_last: bool) -> Result<(), AofFailure> {
        let (name, path) = (&file.name, self.log_names().path(&file.name));
        let source = self.storage.open(&path).map_err(|error| {
            let reason = reason(&error);
            self.fatal(&format!(
                "Fatal error: can't open the append log file {name} for reading: {reason}"
            ))
        })?;
        let length = source.len();
        let (rest, offset) = self.load_preamble(source, name, &path)?;
        let mut reader = Reader::new(rest, offset);
        let mut replay = Replay::new(self);
        let (mut reported, mut ahead) = (0, 0);
        let end = loop {
            if ahead == 0 {
                ahead = replay.look_ahead(reader.rest());
            }
            ahead -= 1;
            let (offset, item) = (reader.offset(), reader.next_item());
            match item {
                Ok(Item::Command(args)) => {
                    if let Some(delay) = self.load_delay() {
                        self.platform.sleep(delay);
                    }
                    replay.command(args, offset).map_err(|unknown| {
                        let unknown = String::from_utf8_lossy(&unknown).into_owned();
                        self.fatal(&format!("{unknown} reading the append only file {name}"))
                    })?;
                }
                Ok(Item::Timestamp(_)) => {}
                Err(end) => break end,
            }
            if reader.offset() - reported >= REPORT_BYTES {
                reported = reader.offset();
                self.platform.log(
                    LogLevel::Verbose,
                    &format!("{name}: {reported} of {length} bytes replayed"),
                );
            }
        };
        let whole = reader.offset();
        let open_transaction = replay.open_transaction();
        drop(replay);
        let end = match end {
            End::Malformed if matches!(is_torn(&*self.storage, &path, whole), Ok(true)) => {
                self.warn(&format!("The end of the AOF file {name} was never flushed: zeros"));
                End::Truncated
            }
            end => end,
        };
        let ended = Ended { end, whole, length, open_transaction };
        self.accept_end(name, &path, &ended, is_last)
    }

    /// Loads the RDB data at the beginning of a file, if there is some. What follows it, and where.
    fn load_preamble(
        &self,
        mut source: Box<dyn Source>,
        name: &str,
        path: &str,
    ) -> Result<(Box<dyn Read + Send>, u64), AofFailure> {
        let mut magic = Vec::new();
        let read = (&mut source).take(MAGIC_LEN as u64).read_to_end(&mut magic);
        read.map_err(|error| {
            let reason = reason(&error);
            self.fatal(&format!(
                "Unrecoverable error reading the append only file {name}: {reason}"
            ))
        })?;
        if !begins_as_rdb(&magic) {
            return Ok((Box::new(Cursor::new(magic).chain(source)), 0));
        }
        self.notice("Reading RDB base file on AOF loading...");
        let failed = |what: &str| {
            self.fatal(&format!(
                "{what} the RDB preamble of the AOF file {name}, AOF loading aborted"
            ))
        };
        let source = self.storage.open(path).map_err(|_| failed("Error opening"))?;
        // Keys whose time has come are needed by the commands that follow.
        let taken = Taken { existing: Existing::Refuse, drops_expired: false };
        let loaded = self.load_rdb_from(source, taken).map_err(|_| failed("Error reading"))?;
        Ok((Box::new(Cursor::new(loaded.rest).chain(loaded.source)), loaded.len))
    }

    /// Decides whether a file may end as it does, and cuts off what is too much.
    fn accept_end(
        &self,
        name: &str,
        path: &str,
        ended: &Ended,
        is_last: bool,
    ) -> Result<(), AofFailure> {
        if matches!(ended.end, End::Whole) && ended.open_transaction.is_none() {
            return Ok(());
        }
        if ended.open_transaction.is_some() {
            self.warn(&format!("Revert incomplete MULTI/EXEC transaction in AOF file {name}"));
        }
        let cut = ended.open_transaction.unwrap_or(ended.whole);
        match &ended.end {
            End::Failed(error) => {
                let reason = reason(error);
                return Err(self.fatal(&format!(
                    "Unrecoverable error reading the append only file {name}: {reason}"
                )));
            }
            End::Malformed => {
                let damaged = ended.length.saturating_sub(cut);
                let allowed = self.config.get(rows::AOF_LOAD_CORRUPT_TAIL_MAX_SIZE);
                if !is_last || damaged > allowed.cast_unsigned() {
                    return Err(self.fatal(&format!(
                        "Bad file format reading the append only file {name}: make a backup of \
                         your AOF file, then use ./redis-check-aof --fix <filename.manifest>"
                    )));
                }
                self.warn(&format!(
                    "!!! Warning: {damaged} damaged bytes at the end of the AOF file {name}!!!"
                ));
            }
            End::Whole | End::Truncated => {
                if !self.config.get(rows::AOF_LOAD_TRUNCATED) {
                    return Err(self.fatal(&format!(
                        "Unexpected end of file reading the append only file {name}. You can: 1) \
                         Make a backup of your AOF file, then use ./redis-check-aof --fix \
                         <filename.manifest>. 2) Alternatively you can set the \
                         'aof-load-truncated' configuration option to yes and restart the server."
                    )));
                }
                self.warn(&format!("!!! Warning: short read while loading the AOF file {name}!!!"));
            }
        }
        if !is_last {
            return Err(self.fatal("Fatal error: the truncated file is not the last file"));
        }
        self.warn(&format!("!!! Truncating the AOF {name} at offset {cut} !!!"));
        if let Err(error) = self.storage.truncate(path, cut) {
            let reason = reason(&error);
            return Err(self.fatal(&format!("Error truncating the AOF file {name}: {reason}")));
        }
        self.warn(&format!("AOF {name} loaded anyway because aof-load-truncated is enabled"));
        Ok(())
    }
}

/// How a file ended.
struct Ended {
    end: End,
    /// Offset behind the last whole command.
    whole: u64,
    length: u64,
    /// Offset of a `MULTI` whose `EXEC` is missing.
    open_transaction: Option<u64>,
}

/// The client that executes the commands of a log.
struct Replay<'e> {
    engine: &'e Engine,
    session: Session,
    context: ThreadContext,
    reply: Reply,
    pipeline: Pipeline,
    /// Offset of the `MULTI` that is open.
    multi_at: u64,
}

impl<'e> Replay<'e> {
    fn new(engine: &'e Engine) -> Self {
        let thread = engine.stats.number(Aside::Background);
        let session = Session::new(
            engine.clients.unlisted(thread, Endpoint::default(), engine.clock.unix_ms()),
            true,
        );
        let mut context = ThreadContext::new(thread, 0);
        context.rng = Rng::seed(engine.clock.unix_us());
        context.replays = true;
        let (reply, pipeline) = (Reply::default(), Pipeline::default());
        Self { engine, session, context, reply, pipeline, multi_at: 0 }
    }

    /// Reads the clock, and asks the processor for what the commands that `rest` begins with will
    /// read. For how many items that will do.
    fn look_ahead(&mut self, rest: &[u8]) -> usize {
        self.context.begin(&*self.engine.clock);
        let limits = Limits { authenticated: true, ..Limits::default() };
        self.pipeline.fill(self.engine, &self.session, rest, &limits).max(1)
    }

    /// Executes a command that stands at `offset`. What is wrong with its name, if it is.
    fn command(&mut self, args: Args<'_>, offset: u64) -> Result<(), Vec<u8>> {
        let unknown = |name: &[u8]| [b"Unknown command '", name, b"'"].concat();
        let entry = self.engine.registry.resolve(args).map_err(|error| match error {
            Unknown::Subcommand(container) => unknown(container.as_bytes()),
            Unknown::Command => unknown(args.name()),
        })?;
        if !entry.spec.accepts(args.len()) {
            let name = entry.full_name.as_bytes();
            return Err([b"Wrong number of arguments for command '", name, b"'"].concat());
        }
        let in_multi = self.session.in_multi();
        if in_multi && !entry.has(Flags::IMMEDIATE) {
            self.engine.queue(&mut self.session, entry, args);
            return Ok(());
        }
        let position = match entry.locks {
            crate::registry::Locks::One(index) => {
                args.get(index).map(|key| self.engine.store.position(key))
            }
            _ => None,
        };
        let call = Call { entry, args, position };
        let (engine, session) = (self.engine, &mut self.session);
        // An error was a client's then, and is nobody's now.
        let (reply, context) = (&mut self.reply, &mut self.context);
        match entry.exec {
            Exec::Transaction => drop(engine.exec(call, session, reply, context)),
            Exec::Script(prepare) => {
                drop(engine.run_script(call, prepare, session, reply, context));
            }
            Exec::Data(_) | Exec::Admin(_) => drop(engine.run(call, session, reply, context)),
        }
        // Nobody waits for a key that the log has not seen.
        engine.wait_ended(session);
        self.reply.clear();
        if !in_multi && self.session.in_multi() {
            self.multi_at = offset;
        }
        Ok(())
    }

    fn open_transaction(&self) -> Option<u64> {
        self.session.in_multi().then_some(self.multi_at)
    }
}

impl Drop for Replay<'_> {
    fn drop(&mut self) {
        self.engine.discard(&mut self.session);
    }
}
