//! Scripts: what threads share about them, and how one is run.
//!
//! A script locks the shards of the keys that it declares, as any command does, and takes those of
//! further keys as it comes to them, without waiting. Where it would have to wait, what it has done
//! is taken back and it begins again under all locks ([`run`]; docs/scripts.md). Its commands are
//! executed by [`host`]. One that takes long is *busy* ([`busy`]). A client may look at one line by
//! line ([`debugging`]).

pub(crate) mod busy;
pub(crate) mod debugging;
pub(crate) mod functions;
mod host;
mod program;
mod run;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use script::functions::Registry;
use script::{Interpreter, ScriptCache};

use busy::Busy;
pub(crate) use busy::GivenUp;

use crate::engine::Engine;
use crate::platform::Message;
use crate::thread::ThreadContext;

pub(crate) use program::{Prepare, Ready, add, by_digest, by_text};

/// What all threads share about scripts.
#[derive(Debug)]
pub(crate) struct Scripting {
    /// The scripts that the server knows.
    pub(crate) cache: ScriptCache,
    /// The libraries of functions. They change under all locks only.
    pub(crate) libraries: Registry,
    /// Scripts that take long.
    pub(crate) busy: Busy,
    /// Bytes that each thread's interpreter takes.
    memory: Vec<AtomicU64>,
    /// `DEBUG SET-DISABLE-DENY-SCRIPTS`: commands that are not for scripts are allowed in them.
    pub(crate) allows_all: AtomicBool,
}

impl Scripting {
    pub(crate) fn new(threads: usize) -> Self {
        Self {
            cache: ScriptCache::default(),
            libraries: Registry::default(),
            busy: Busy::default(),
            memory: (0..threads).map(|_| AtomicU64::new(0)).collect(),
            allows_all: AtomicBool::new(false),
        }
    }

    /// Bytes that all interpreters take.
    pub(crate) fn interpreter_bytes(&self) -> u64 {
        self.memory.iter().map(|bytes| bytes.load(Ordering::Relaxed)).sum()
    }

    /// Number of threads that execute commands of their own.
    pub(crate) fn threads(&self) -> usize {
        self.memory.len()
    }

    fn note_memory(&self, thread: usize, interpreter: &Interpreter) {
        if let Some(bytes) = self.memory.get(thread) {
            bytes.store(interpreter.used_memory() as u64, Ordering::Relaxed);
        }
    }
}

impl Engine {
    /// Forgets all scripts. Threads give back the interpreters that have compiled them.
    pub(crate) fn forget_scripts(&self) {
        let gone = self.scripting.cache.flush();
        self.platform.background(Box::new(move || drop(gone)));
        for thread in 0..self.scripting.threads() {
            self.platform.send(thread, Message::ScriptsForgotten);
        }
    }

    /// Gives a thread's interpreter back, if scripts have been forgotten since it was made. The
    /// next script would do so.
    pub fn drop_old_interpreter(&self, thread: &mut ThreadContext) {
        let flushes = self.scripting.cache.flushes();
        if thread.scripts.take_if(|local| local.flushes != flushes).is_some()
            && let Some(bytes) = self.scripting.memory.get(thread.index)
        {
            bytes.store(0, Ordering::Relaxed);
        }
    }
}

/// A thread's interpreter, made when its first script comes.
#[derive(Debug)]
pub(crate) struct Local {
    pub(crate) interpreter: Interpreter,
    /// The number of flushes when it was made.
    flushes: u64,
}
