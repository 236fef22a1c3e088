//! The interpreter of one thread, and the scripts that it has compiled.

use std::rc::Rc;
use std::sync::Arc;

use hashbrown::HashMap;
use lua::{Chunk, Host, Inputs, Machine, RunError};
use mlua::Table;
use resp::Reply;

use crate::api::{self, Identity};
use crate::functions::environment::Environment;
use crate::functions::loader::{self, Slot};
use crate::functions::{Function, Header, Library, LoadError, Watch};
use crate::libraries::LIBRARIES;
use crate::sandbox;
use crate::script::{Script, Sha};

/// What an interpreter may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that all its values together may have; no limit if zero.
    pub memory: usize,
}

/// A script as one interpreter has compiled it. To be run by that one, and before the next one is
/// looked up.
#[derive(Debug)]
pub struct Compiled {
    /// The script.
    pub script: Arc<Script>,
    chunk: Chunk,
}

/// A library that this thread has loaded, with the code of its functions in their order.
#[derive(Debug)]
struct OnThread {
    library: Arc<Library>,
    chunks: Vec<Chunk>,
}

/// An interpreter of one thread.
#[derive(Debug)]
pub struct Interpreter {
    libraries: HashMap<Box<str>, OnThread, foldhash::fast::RandomState>,
    environment: Environment,
    slot: Slot,
    machine: Machine,
    limits: Limits,
    compiled: HashMap<Sha, Rc<Compiled>, foldhash::fast::RandomState>,
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
        let os = api::os(&machine)?;
        let mut libraries = vec![("redis", redis.clone()), ("server", redis), ("os", os)];
        for (names, register) in LIBRARIES {
            register(machine.lua())?;
            for name in *names {
                libraries.push((name, machine.lua().globals().raw_get::<Table>(*name)?));
            }
        }
        let inner = sandbox::close(&mut machine, &libraries)?;
        let slot = Slot::default();
        let register = loader::register_function(machine.lua(), &slot)?;
        let environment = Environment::new(&machine, &inner, &libraries[0].1, register)?;
        Ok(Self {
            libraries: HashMap::default(),
            environment,
            slot,
            machine,
            limits: Limits { memory: 0 },
            compiled: HashMap::default(),
        })
    }

    /// The machine behind it.
    #[must_use]
    pub const fn machine(&self) -> &Machine {
        &self.machine
    }

    /// From now on the host is asked before each line of a script ([`Host::pause`]).
    pub fn watch_lines(&self) {
        self.machine.watch_lines();
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
    pub fn find(&mut self, sha: &Sha) -> Option<Rc<Compiled>> {
        let compiled = self.compiled.get(sha)?;
        if compiled.script.is_forgotten() {
            self.forget(sha);
            return None;
        }
        Some(compiled.clone())
    }

    /// Compiles a script, if this thread has not.
    ///
    /// # Errors
    /// Lua's message, if it is none.
    pub fn compile(&mut self, script: &Arc<Script>) -> Result<Rc<Compiled>, Vec<u8>> {
        let known = self.compiled.get(&script.sha);
        if let Some(known) = known.filter(|known| Arc::ptr_eq(&known.script, script)) {
            return Ok(known.clone());
        }
        self.forget(&script.sha);
        if self.compiled.len() % PURGE_EVERY == PURGE_EVERY - 1 {
            self.purge();
        }
        let chunk = self.machine.compile(c"@user_script", script.source()).map_err(|e| e.0)?;
        let compiled = Rc::new(Compiled { script: script.clone(), chunk });
        self.compiled.insert(script.sha, compiled.clone());
        Ok(compiled)
    }

    fn forget(&mut self, sha: &Sha) {
        let gone = self.compiled.remove(sha);
        gone.into_iter().for_each(|compiled| free(&self.machine, compiled));
    }

    fn purge(&mut self) {
        let gone = self.compiled.extract_if(|_, compiled| compiled.script.is_forgotten());
        gone.for_each(|(_, compiled)| free(&self.machine, compiled));
    }

    /// Runs a script; see [`Machine::run`].
    ///
    /// # Errors
    /// How it ended, if not with a value.
    ///
    /// # Panics
    /// If the host does.
    #[inline]
    pub fn run(
        &self,
        compiled: &Compiled,
        inputs: Inputs<'_>,
        host: &mut dyn Host,
        reply: &mut Reply,
        errors: &mut dyn FnMut(&[u8], bool),
    ) -> Result<(), RunError> {
        self.machine.run(&compiled.chunk, inputs, host, reply, errors)
    }

    /// Runs the text of a library to see what functions it registers.
    ///
    /// # Errors
    /// If it is none.
    pub fn examine(
        &self,
        header: &Header,
        text: &[u8],
        watch: &mut dyn Watch,
    ) -> Result<Vec<Function>, LoadError> {
        let loaded = self.load(header, text, watch)?;
        Ok(loaded
            .into_iter()
            .map(|(function, chunk)| {
                self.machine.forget(chunk);
                function
            })
            .collect())
    }

    fn load(
        &self,
        header: &Header,
        text: &[u8],
        watch: &mut dyn Watch,
    ) -> Result<Vec<(Function, Chunk)>, LoadError> {
        loader::load(&self.machine, &self.environment, &self.slot, header, text, watch)
    }

    /// Loads a library, if this thread has not.
    ///
    /// # Errors
    /// If it does not load as it did before.
    pub fn load_library(
        &mut self,
        library: &Arc<Library>,
        watch: &mut dyn Watch,
    ) -> Result<(), LoadError> {
        let known = self.libraries.get(&library.name);
        if known.is_some_and(|known| Arc::ptr_eq(&known.library, library)) {
            return Ok(());
        }
        let gone = self.libraries.extract_if(|_, known| known.library.is_forgotten());
        for chunk in gone.flat_map(|(_, known)| known.chunks) {
            self.machine.forget(chunk);
        }
        let header = Header::parse(&library.text).expect("a library's first line was read before");
        let mut loaded = self.load(&header, &library.text, watch)?;
        let mut chunks = Vec::new();
        for function in &library.functions {
            let at = loaded.iter().position(|(found, _)| found.name == function.name);
            let at = at.ok_or_else(|| {
                LoadError::Register(b"ERR the library registers other functions now".to_vec())
            })?;
            chunks.push(loaded.swap_remove(at).1);
        }
        loaded.into_iter().for_each(|(_, chunk)| self.machine.forget(chunk));
        let known = OnThread { library: library.clone(), chunks };
        if let Some(replaced) = self.libraries.insert(library.name.clone(), known) {
            replaced.chunks.into_iter().for_each(|chunk| self.machine.forget(chunk));
        }
        Ok(())
    }

    /// Calls a function of a library that this thread has loaded; see [`Machine::run`].
    ///
    /// # Errors
    /// How it ended, if not with a value.
    ///
    /// # Panics
    /// If the library was not loaded, or the host panics.
    pub fn call(
        &self,
        library: &Library,
        index: usize,
        inputs: Inputs<'_>,
        host: &mut dyn Host,
        reply: &mut Reply,
        errors: &mut dyn FnMut(&[u8], bool),
    ) -> Result<(), RunError> {
        let known = self.libraries.get(&library.name).expect("a library is loaded before it runs");
        self.machine.run(&known.chunks[index], inputs, host, reply, errors)
    }
}

/// Gives back what a script took.
fn free(machine: &Machine, compiled: Rc<Compiled>) {
    if let Some(compiled) = Rc::into_inner(compiled) {
        machine.forget(compiled.chunk);
    }
}

#[cfg(test)]
mod tests;
