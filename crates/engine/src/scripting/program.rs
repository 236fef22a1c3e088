//! What `EVAL` and its kin run: a code with its flags, and where its arguments are.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use command::CommandError;
use resp::Args;
use script::functions::Library;
use script::{Compiled, Flags, Interpreter, Origin, Script, Sha};

use super::functions::Change;
use crate::engine::Engine;
use crate::registry::Entry;

/// What finds the code that a command line names, and compiles it on this thread.
pub(crate) type Prepare = fn(&Engine, &mut Interpreter, Args<'_>) -> Result<Ready, CommandError>;

/// What a command that needs the interpreter comes to.
#[derive(Debug)]
pub(crate) enum Ready {
    /// A program is to be run.
    Run(Program),
    /// All is done, and this is the answer, a bulk string.
    Answer(Vec<u8>),
    /// The libraries of functions are to change.
    Change(Change),
}

/// The code of a program.
#[derive(Clone, Debug)]
pub(crate) enum Code {
    /// A script, compiled on this thread.
    Script(Rc<Compiled>),
    /// A function: its library, and which of its functions it is.
    Function(Arc<Library>, usize),
}

/// What is to be run.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) code: Code,
    /// It must not write: it says so, or the command did.
    pub(crate) read_only: bool,
    pub(crate) flags: Flags,
    /// The argument that is the first key.
    pub(crate) first: usize,
    /// Number of keys.
    pub(crate) keys: usize,
}

impl Engine {
    /// Whether the code that a command line names says of itself that it does not write, as far as
    /// that can be told without an interpreter.
    pub(crate) fn promises_not_to_write(&self, entry: &Entry, args: Args<'_>) -> bool {
        let code = args.get(1).unwrap_or_default();
        let flags = match entry.full_name {
            "eval" => Flags::declared_in(code),
            "evalsha" => {
                Sha::parse(code).and_then(|sha| Some(self.scripting.cache.find(&sha)?.flags))
            }
            "fcall" => {
                let found = self.scripting.libraries.find(code);
                found.map(|(library, index)| library.functions[index].flags)
            }
            _ => None,
        };
        flags.is_some_and(|flags| flags.has(Flags::NO_WRITES))
    }
}

impl Program {
    /// Puts a program together.
    ///
    /// # Errors
    /// If the number of keys is none, or a command that does not write names a code that may.
    pub(crate) fn new(
        code: Code,
        flags: Flags,
        args: Args<'_>,
        keys: usize,
        read_only: bool,
    ) -> Result<Self, CommandError> {
        debug_assert!(keys + FIRST_KEY <= args.len());
        let promises = flags.has(Flags::NO_WRITES);
        if read_only && !promises && !flags.has(Flags::COMPATIBLE) {
            let text = "ERR Can not execute a script with write flag using *_ro command.";
            return Err(CommandError::state(text));
        }
        Ok(Self { code, read_only: read_only || promises, flags, first: FIRST_KEY, keys })
    }

    /// What the code is called in error texts: a script by its digest, a function by its name.
    pub(crate) fn name(&self) -> Vec<u8> {
        match &self.code {
            Code::Script(compiled) => compiled.script.sha.hex().to_vec(),
            Code::Function(library, index) => library.functions[*index].name.as_bytes().to_vec(),
        }
    }

    /// Whether it is a function.
    pub(crate) fn is_function(&self) -> bool {
        matches!(self.code, Code::Function(..))
    }

    /// Whether it is known to need all locks.
    pub(crate) fn reaches(&self) -> bool {
        self.reach().load(Ordering::Relaxed)
    }

    /// Notes that it needs all locks from now on.
    pub(crate) fn note_reach(&self) {
        self.reach().store(true, Ordering::Relaxed);
    }

    fn reach(&self) -> &AtomicBool {
        match &self.code {
            Code::Script(compiled) => &compiled.script.reaches,
            Code::Function(library, index) => &library.functions[*index].reaches,
        }
    }

    /// The argument that is the key of this index.
    pub(crate) fn key<'a>(&self, args: Args<'a>, index: usize) -> &'a [u8] {
        args.get(self.first + index).unwrap_or_default()
    }
}

/// Where keys begin, after the command's name, the code and the number of keys.
const FIRST_KEY: usize = 3;

/// Reads the number of keys.
///
/// # Errors
/// If it is no number, or there are not so many arguments.
pub(crate) fn key_count(args: Args<'_>) -> Result<usize, CommandError> {
    let number = args.get(2).and_then(stdx::num::parse_i64).ok_or(CommandError::NOT_INTEGER)?;
    checked_key_count(args, number)
}

/// Looks whether there can be so many keys.
///
/// # Errors
/// If there are not so many arguments, or it is negative.
pub(super) fn checked_key_count(args: Args<'_>, number: i64) -> Result<usize, CommandError> {
    if number > (args.len() - FIRST_KEY) as i64 {
        let text = "ERR Number of keys can't be greater than number of args";
        return Err(CommandError::request(text));
    }
    let text = "ERR Number of keys can't be negative";
    usize::try_from(number).map_err(|_| CommandError::request(text))
}

/// `EVAL`, `EVAL_RO`.
pub(crate) fn by_text(
    engine: &Engine,
    interpreter: &mut Interpreter,
    args: Args<'_>,
    read_only: bool,
) -> Result<Ready, CommandError> {
    let keys = key_count(args)?;
    let text = args.get(1).unwrap_or_default();
    let sha = Sha::of(text);
    let compiled = match find(engine, interpreter, &sha) {
        Some(compiled) => compiled,
        None => add(engine, interpreter, text, sha, Origin::Evaluated)?,
    };
    script(compiled, args, keys, read_only)
}

/// The script of this digest, as this thread has compiled it; it counts as used.
#[inline]
fn find(engine: &Engine, interpreter: &mut Interpreter, sha: &Sha) -> Option<Rc<Compiled>> {
    let compiled = interpreter.find(sha)?;
    engine.scripting.cache.touch(&compiled.script);
    Some(compiled)
}

#[inline]
fn script(
    compiled: Rc<Compiled>,
    args: Args<'_>,
    keys: usize,
    read_only: bool,
) -> Result<Ready, CommandError> {
    let flags = compiled.script.flags;
    Program::new(Code::Script(compiled), flags, args, keys, read_only).map(Ready::Run)
}

/// `EVALSHA`, `EVALSHA_RO`.
pub(crate) fn by_digest(
    engine: &Engine,
    interpreter: &mut Interpreter,
    args: Args<'_>,
    read_only: bool,
) -> Result<Ready, CommandError> {
    const NO_SCRIPT: &str = "NOSCRIPT No matching script. Please use EVAL.";
    // What cannot be a digest is told before anything else.
    let sha = args.get(1).and_then(Sha::parse);
    let sha = sha.ok_or_else(|| CommandError::state(NO_SCRIPT))?;
    let keys = key_count(args)?;
    let compiled = match find(engine, interpreter, &sha) {
        Some(compiled) => compiled,
        None => {
            let known = engine.scripting.cache.find(&sha);
            compile(interpreter, &known.ok_or_else(|| CommandError::state(NO_SCRIPT))?)?
        }
    };
    script(compiled, args, keys, read_only)
}

/// Adds a script that compiles.
///
/// # Errors
/// If it does not, or its first line is wrong.
pub(crate) fn add(
    engine: &Engine,
    interpreter: &mut Interpreter,
    text: &[u8],
    sha: Sha,
    origin: Origin,
) -> Result<Rc<Compiled>, CommandError> {
    let script = match engine.scripting.cache.find(&sha) {
        Some(script) => script,
        None => Arc::new(Script::parse(text, sha).map_err(|e| CommandError::Request(e.0.into()))?),
    };
    let compiled = compile(interpreter, &script)?;
    let known = engine.scripting.cache.add(script, origin);
    // Another thread may have added the same text meanwhile.
    if Arc::ptr_eq(&known, &compiled.script) { Ok(compiled) } else { compile(interpreter, &known) }
}

fn compile(
    interpreter: &mut Interpreter,
    script: &Arc<Script>,
) -> Result<Rc<Compiled>, CommandError> {
    interpreter.compile(script).map_err(|message| {
        let before = b"ERR Error compiling script (new function): ".as_slice();
        CommandError::Request([before, &message].concat().into())
    })
}
