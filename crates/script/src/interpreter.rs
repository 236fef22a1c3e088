//! The interpreter of one thread, and the scripts that it has compiled.

use std::sync::Arc;

use hashbrown::HashMap;
use lua::{Chunk, Host, Inputs, Machine, RunError};
use mlua::Table;
use resp::Reply;

use crate::api::{self, Identity};
use crate::libraries::LIBRARIES;
use crate::sandbox;
use crate::script::{Script, Sha};

/// What an interpreter may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that all its values together may have; no limit if zero.
    pub memory: usize,
}

#[derive(Debug)]
struct Compiled {
    script: Arc<Script>,
    chunk: Chunk,
}

/// An interpreter of one thread.
#[derive(Debug)]
pub struct Interpreter {
    machine: Machine,
    limits: Limits,
    compiled: HashMap<Sha, Compiled, foldhash::fast::RandomState>,
}

/// Compiled scripts are looked through for forgotten ones when so many have come since.
const PURGE_EVERY: usize = 1024;

impl Interpreter {
    /// An interpreter with every library.
    ///
    /// # Errors
    /// If memory is not enough for that.
    pub fn new(identity: Identity, random_seed: u64) -> mlua::Result<Self> {
        let mut machine = Machine::new(random_seed)?;
        let redis = api::table(&machine, identity)?;
        let mut libraries = vec![("redis", redis.clone()), ("server", redis)];
        for (names, register) in LIBRARIES {
            register(machine.lua())?;
            for name in *names {
                libraries.push((name, machine.lua().globals().raw_get::<Table>(*name)?));
            }
        }
        sandbox::close(&mut machine, &libraries)?;
        let limits = Limits { memory: 0 };
        Ok(Self { machine, limits, compiled: HashMap::default() })
    }

    /// The machine behind it.
    #[must_use]
    pub const fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Bytes that its values take.
    #[must_use]
    pub fn used_memory(&self) -> usize {
        self.machine.lua().used_memory()
    }

    /// Sets what it may take.
    pub fn set_limits(&mut self, limits: Limits) {
        if limits != self.limits && self.machine.set_memory_limit(limits.memory).is_ok() {
            self.limits = limits;
        }
    }

    /// The script with this digest, if this thread has compiled it and the server still knows it.
    #[must_use]
    #[inline]
    pub fn find(&mut self, sha: &Sha) -> Option<Arc<Script>> {
        let compiled = self.compiled.get(sha)?;
        if compiled.script.is_forgotten() {
            self.forget(sha);
            return None;
        }
        Some(compiled.script.clone())
    }

    /// Compiles a script, if this thread has not.
    ///
    /// # Errors
    /// Lua's message, if it is none.
    pub fn compile(&mut self, script: &Arc<Script>) -> Result<(), Vec<u8>> {
        if self.compiled.get(&script.sha).is_some_and(|c| Arc::ptr_eq(&c.script, script)) {
            return Ok(());
        }
        self.forget(&script.sha);
        if self.compiled.len() % PURGE_EVERY == PURGE_EVERY - 1 {
            self.purge();
        }
        let chunk = self.machine.compile(c"@user_script", script.source()).map_err(|e| e.0)?;
        self.compiled.insert(script.sha, Compiled { script: script.clone(), chunk });
        Ok(())
    }

    fn forget(&mut self, sha: &Sha) {
        if let Some(gone) = self.compiled.remove(sha) {
            self.machine.forget(gone.chunk);
        }
    }

    fn purge(&mut self) {
        let gone = self.compiled.extract_if(|_, compiled| compiled.script.is_forgotten());
        for (_, compiled) in gone {
            self.machine.forget(compiled.chunk);
        }
    }

    /// Runs a script that this thread has compiled; see [`Machine::run`].
    ///
    /// # Errors
    /// How it ended, if not with a value.
    ///
    /// # Panics
    /// If it was not compiled, or the host panics.
    pub fn run(
        &self,
        script: &Script,
        inputs: Inputs<'_>,
        host: &mut dyn Host,
        reply: &mut Reply,
        errors: &mut dyn FnMut(&[u8], bool),
    ) -> Result<(), RunError> {
        let compiled = self.compiled.get(&script.sha).expect("a script is compiled before it runs");
        self.machine.run(&compiled.chunk, inputs, host, reply, errors)
    }
}

#[cfg(test)]
mod tests;
