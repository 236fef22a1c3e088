//! Libraries of functions: how they come into the server, from clients and from files.
//!
//! ```text
//!   FUNCTION LOAD ──┐    the text is run once        under all locks
//!   FUNCTION RESTORE┼──> in an interpreter ──> registry and log change ──> threads load the text
//!   RDB file, log ──┘    (no lock is held)        at one moment            at their next FCALL
//! ```
//!
//! All changes of the registry happen under all locks. So the log has them in their order, and a
//! snapshot has the libraries of its moment.

use std::sync::Arc;

use command::CommandError;
use format::dump::{Checksum, FunctionsError, read_functions, write_functions};
use format::rdb::{Options, Version};
use resp::{Args, Reply};
use script::Interpreter;
use script::functions::{Clash, Header, HeaderError, Library, LoadError, Policy, Registry, Watch};
use stdx::rng::Rng;
use store::{Held, HeldLong, Keyspace};

use super::program::{Code, Program, Ready, checked_key_count};
use super::run::{Ended, IDENTITY};
use crate::call::log_verbatim;
use crate::engine::Engine;
use crate::platform::LogLevel;
use crate::session::Session;
use crate::thread::ThreadContext;

/// How long the code of a library may run that a client loads.
const LOAD_MS: u64 = 500;
/// The same for one that was loaded before: the machine may be busier now than it was then.
const RELOAD_MS: u64 = 30_000;

/// Why a library cannot be used: what a client is told after `ERR `.
type Refusal = Vec<u8>;

/// What is to become of the libraries.
#[derive(Debug)]
pub(crate) enum Change {
    /// `FUNCTION LOAD`.
    Add {
        /// The new one.
        library: Library,
        /// It may replace one of its name.
        replaces: bool,
    },
    /// `FUNCTION RESTORE`.
    Restore {
        /// Those of the payload.
        libraries: Vec<Arc<Library>>,
        /// What becomes of those that are there.
        policy: Policy,
    },
}

/// The patience with a library's code.
struct Patience<'e> {
    engine: &'e Engine,
    until_ns: u64,
}

impl Watch for Patience<'_> {
    fn goes_on(&mut self) -> bool {
        self.engine.clock.monotonic_ns() < self.until_ns
    }

    fn log(&mut self, level: u8, line: &[u8]) {
        self.engine.platform.log(LogLevel::of_script(level), &String::from_utf8_lossy(line));
    }
}

/// `FCALL`, `FCALL_RO`.
pub(crate) fn by_function(
    engine: &Engine,
    interpreter: &mut Interpreter,
    args: Args<'_>,
    read_only: bool,
) -> Result<Ready, CommandError> {
    let found = engine.scripting.libraries.find(args.get(1).unwrap_or_default());
    let (library, index) = found.ok_or_else(|| CommandError::state("ERR Function not found"))?;
    let keys = args
        .get(2)
        .and_then(stdx::num::parse_i64)
        .ok_or_else(|| CommandError::request("ERR Bad number of keys provided"))?;
    let keys = checked_key_count(args, keys)?;
    let loaded = interpreter.load_library(&library, &mut engine.patience(RELOAD_MS));
    loaded.map_err(|error| refused(&load_refusal(error)))?;
    let flags = library.functions[index].flags;
    Program::new(Code::Function(library, index), flags, args, keys, read_only).map(Ready::Run)
}

/// `FUNCTION LOAD [REPLACE] text`
pub(crate) fn load(
    engine: &Engine,
    interpreter: &mut Interpreter,
    args: Args<'_>,
) -> Result<Ready, CommandError> {
    let text = args.get(args.len() - 1).unwrap_or_default();
    let mut replaces = false;
    for option in (2..args.len() - 1).filter_map(|index| args.get(index)) {
        if !option.eq_ignore_ascii_case(b"REPLACE") {
            return Err(CommandError::quoting("ERR Unknown option given: ", option, ""));
        }
        replaces = true;
    }
    let header = Header::parse(text).map_err(|error| refused(&header_refusal(error)))?;
    if !replaces && engine.scripting.libraries.contains(&header.name) {
        return Err(refused(&quoted(&Clash::Library(header.name))));
    }
    let library = engine.examine(interpreter, header, text, engine.load_limit_ms());
    let library = library.map_err(|error| refused(&error))?;
    Ok(Ready::Change(Change::Add { library, replaces }))
}

/// `FUNCTION RESTORE payload [FLUSH | APPEND | REPLACE]`
pub(crate) fn restore(
    engine: &Engine,
    interpreter: &mut Interpreter,
    args: Args<'_>,
) -> Result<Ready, CommandError> {
    if args.len() > 4 {
        return Err(CommandError::subcommand("FUNCTION", args.get(1).unwrap_or_default()));
    }
    let policy = match args.get(3).map(<[u8]>::to_ascii_uppercase).as_deref() {
        None | Some(b"APPEND") => Policy::Append,
        Some(b"REPLACE") => Policy::Replace,
        Some(b"FLUSH") => Policy::Flush,
        Some(_) => {
            return Err(CommandError::request(
                "ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.",
            ));
        }
    };
    let payload = args.get(2).unwrap_or_default();
    let sources = read_functions(payload, Checksum::Verified).map_err(|error| {
        CommandError::request(match error {
            FunctionsError::Footer => "ERR DUMP payload version or checksum are wrong",
            FunctionsError::Candidate => "ERR Pre-GA function format not supported",
            FunctionsError::NotAFunction => "ERR given type is not a function",
            FunctionsError::Source => "ERR failed loading the given functions payload",
        })
    })?;
    let libraries = engine.examine_all(interpreter, &sources, engine.load_limit_ms());
    let libraries = libraries.map_err(|error| refused(&error))?;
    Ok(Ready::Change(Change::Restore { libraries, policy }))
}

impl Change {
    /// Makes it and answers. All locks are held.
    fn apply(self, engine: &Engine, reply: &mut Reply) -> Result<(), CommandError> {
        let registry = &engine.scripting.libraries;
        match self {
            Self::Add { library, replaces } => {
                let name = library.name.clone();
                registry.add(library, replaces).map_err(|clash| refused(&quoted(&clash)))?;
                reply.bulk(name.as_bytes());
            }
            Self::Restore { libraries, policy } => {
                registry.restore(libraries, policy).map_err(|clash| refused(&unquoted(&clash)))?;
                reply.ok();
            }
        }
        Ok(())
    }

    /// Makes it as a part of a transaction, whose locks are all there are, and logs it.
    pub(super) fn apply_queued(
        self,
        engine: &Engine,
        (args, db): (Args<'_>, usize),
        keys: &mut Keyspace<'_>,
        reply: &mut Reply,
    ) -> Result<Ended, CommandError> {
        self.apply(engine, reply)?;
        keys.effects.dirty += 1;
        log_verbatim(keys.effects, db, args);
        Ok(Ended::Well)
    }
}

impl Engine {
    /// Changes the libraries, and the log with them.
    pub(super) fn change_libraries(
        &self,
        change: Change,
        args: Args<'_>,
        session: &mut Session,
        reply: &mut Reply,
        thread: &mut ThreadContext,
    ) -> Result<Ended, CommandError> {
        let scope = self.scope(session, thread);
        let replays = thread.replays;
        let (effects, rng) = (&mut thread.effects, &mut thread.rng);
        let held = Held::all_soon(&self.store);
        let held = held.map_err(|HeldLong| self.scripting.busy.error())?;
        let mut keys = Keyspace::new(&self.store, held, effects, scope, rng);
        if self.is_loading() && !replays {
            return Err(CommandError::LOADING);
        }
        keys.effects.interest = self.interest_of(replays);
        change.apply_queued(self, (args, scope.db), &mut keys, reply)?;
        self.route(keys.effects, session.id());
        let logged = std::mem::take(&mut keys.effects.logged);
        if logged > 0 {
            session.logged = logged;
        }
        drop(keys);
        self.settle(thread);
        Ok(Ended::Well)
    }

    /// The texts of all libraries, by name.
    pub(crate) fn library_texts(&self) -> Vec<Vec<u8>> {
        self.scripting.libraries.list().iter().map(|library| library.text.to_vec()).collect()
    }

    /// The payload of all libraries, for `FUNCTION DUMP`.
    pub(crate) fn dump_libraries(&self) -> Vec<u8> {
        let compress = self.config.get(config::rows::RDBCOMPRESSION);
        let libraries = self.scripting.libraries.list();
        let texts = libraries.iter().map(|library| &*library.text);
        write_functions(texts, Options { version: Version::V10, compress })
    }

    /// Adds the libraries of an RDB file. Nobody is served meanwhile.
    ///
    /// # Errors
    /// If one is none, or its name is taken and `policy` does not replace it. The reason has been
    /// logged, and nothing has changed.
    pub(crate) fn add_loaded_libraries(
        &self,
        texts: &[Vec<u8>],
        policy: Policy,
    ) -> Result<(), BadLibrary> {
        if texts.is_empty() {
            return Ok(());
        }
        let mut rng = Rng::seed(self.clock.unix_us());
        let added = Interpreter::new(IDENTITY, rng.next_u64())
            .map_err(|error| error.to_string().into_bytes())
            .and_then(|interpreter| {
                let libraries = self.examine_all(&interpreter, texts, RELOAD_MS)?;
                let registry = &self.scripting.libraries;
                registry.restore(libraries, policy).map_err(|clash| quoted(&clash))
            });
        added.map_err(|reason| {
            let reason = String::from_utf8_lossy(&reason);
            self.warn(&format!("Failed loading library, {reason}"));
            BadLibrary
        })
    }

    /// How long code may run that comes in a command: from a client, or from the log.
    fn load_limit_ms(&self) -> u64 {
        if self.is_loading() { RELOAD_MS } else { LOAD_MS }
    }

    fn patience(&self, limit_ms: u64) -> Patience<'_> {
        let until_ns = self.clock.monotonic_ns().saturating_add(limit_ms * 1_000_000);
        Patience { engine: self, until_ns }
    }

    /// The libraries that texts are. Their names and those of their functions are all different.
    fn examine_all<T: AsRef<[u8]>>(
        &self,
        interpreter: &Interpreter,
        texts: &[T],
        limit_ms: u64,
    ) -> Result<Vec<Arc<Library>>, Refusal> {
        let together = Registry::default();
        for text in texts.iter().map(AsRef::as_ref) {
            let header = Header::parse(text).map_err(header_refusal)?;
            if together.contains(&header.name) {
                return Err(quoted(&Clash::Library(header.name)));
            }
            let library = self.examine(interpreter, header, text, limit_ms)?;
            together.add(library, false).map_err(|clash| quoted(&clash))?;
        }
        Ok(together.list())
    }

    /// The library that a text with this first line is.
    fn examine(
        &self,
        interpreter: &Interpreter,
        header: Header,
        text: &[u8],
        limit_ms: u64,
    ) -> Result<Library, Refusal> {
        let functions = interpreter.examine(&header, text, &mut self.patience(limit_ms));
        Ok(Library::new(header, text, functions.map_err(load_refusal)?))
    }
}

/// A file has a library that cannot be used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BadLibrary;

fn refused(reason: &[u8]) -> CommandError {
    CommandError::Request([b"ERR ", reason].concat().into())
}

fn header_refusal(error: HeaderError) -> Refusal {
    match error {
        HeaderError::Missing => b"Missing library metadata".to_vec(),
        HeaderError::Invalid => b"Invalid library metadata".to_vec(),
        HeaderError::Engine(name) => [b"Engine '", &name[..], b"' not found"].concat(),
        HeaderError::Value(word) => [b"Invalid metadata value given: ", &word[..]].concat(),
        HeaderError::NameTwice => {
            b"Invalid metadata value, name argument was given multiple times".to_vec()
        }
        HeaderError::NoName => b"Library name was not given".to_vec(),
        HeaderError::BadName => {
            b"Library names can only contain letters, numbers, or underscores(_) \
                                  and must be at least one character long"
                .to_vec()
        }
    }
}

fn load_refusal(error: LoadError) -> Refusal {
    match error {
        LoadError::Compile(message) => [b"Error compiling function: ", &message[..]].concat(),
        LoadError::Register(message) => [b"Error registering functions: ", &message[..]].concat(),
        LoadError::NoFunctions => b"No functions registered".to_vec(),
    }
}

/// A name that is taken, as `FUNCTION LOAD` and files say it.
fn quoted(clash: &Clash) -> Refusal {
    match clash {
        Clash::Library(name) => format!("Library '{name}' already exists").into_bytes(),
        Clash::Function(name) => format!("Function {name} already exists").into_bytes(),
    }
}

/// A name that is taken, as `FUNCTION RESTORE` says it.
fn unquoted(clash: &Clash) -> Refusal {
    match clash {
        Clash::Library(name) => format!("Library {name} already exists").into_bytes(),
        Clash::Function(_) => quoted(clash),
    }
}
