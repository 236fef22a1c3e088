//! The interpreter of one thread: compiling a script, running it, saying how it failed.

use std::ffi::{CStr, c_int};
use std::rc::Rc;

use mlua::ffi::{self, lua_State};
use mlua::{Function, Lua, LuaOptions, StdLib, Table, Value};
use resp::{Args, Reply, Version};

use crate::base;
use crate::call::{call, pcall};
use crate::debug::{breakpoint, debug, guard};
use crate::failure::{Failure, Place, describe, read_failure};
use crate::from_lua::write_value;
use crate::host::{Access, Host, Lent, Shared};
use crate::layout::{depth, hash_part, is_plain};
use crate::returned::hand_on;
use crate::stack::{address, bytes, push_bytes, push_function};
use crate::stop::{self, STEPS};
use crate::to_lua::STATUS;

/// An interpreter with its host's entrances.
pub struct Machine {
    /// Dropped before what its functions share.
    lua: Lua,
    state: *mut lua_State,
    shared: Rc<Shared>,
    sealed: Table,
    /// In the registry: the function that enters a script, the handler of its errors, and the
    /// function that reads what that has made.
    enter: c_int,
    handler: c_int,
    reader: c_int,
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Machine").field("used_memory", &self.lua.used_memory()).finish()
    }
}

/// A compiled script. It belongs to the machine that made it, and stays until
/// [`Machine::forget`].
#[derive(Debug, PartialEq, Eq)]
pub struct Chunk(c_int);

/// Why a script is none: Lua's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompileError(pub Vec<u8>);

/// How a run ended that has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunError {
    /// The script raised an error.
    Raised(Failure),
    /// The host stopped it, here.
    Stopped(Option<Place>),
    /// Lua gave up, for want of memory mostly: its message.
    Broken(Vec<u8>),
}

/// What a script is given.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The command line.
    pub args: Args<'a>,
    /// The first key in it.
    pub first: usize,
    /// The number of keys; the rest are further arguments.
    pub keys: usize,
    /// As the globals `KEYS` and `ARGV`, or else as two parameters.
    pub as_globals: bool,
}

/// What a run needs on the way in and brings back, seen through Lua's stack.
struct Run<'a> {
    chunk: c_int,
    globals: c_int,
    inputs: Inputs<'a>,
    shared: &'a Shared,
    reply: &'a mut Reply,
    /// An error that the script returned, and whether it is counted already.
    errors: &'a mut dyn FnMut(&[u8], bool),
}

impl Machine {
    /// An interpreter with Lua's own libraries but for those that reach the system.
    ///
    /// # Errors
    /// If memory is short.
    pub fn new(random_seed: u64) -> mlua::Result<Self> {
        let standard = StdLib::STRING | StdLib::TABLE | StdLib::MATH;
        let options = LuaOptions::new().catch_rust_panics(false);
        let lua = Lua::new_with(standard, options)?;
        let shared = Rc::new(Shared::new());
        shared.random.set(base::seeded(random_seed));
        let sealed = lua.create_table()?;
        let shared_at = address(&shared);
        base::install(&lua, shared_at, &sealed)?;
        let (mut state, [mut enter, mut handler, mut reader]) = (std::ptr::null_mut(), [0; 3]);
        // SAFETY: the closure owns nothing; `shared` lives as long as the interpreter, which is
        // dropped first.
        unsafe {
            lua.exec_raw::<()>((), |raw| {
                state = raw;
                stop::register(raw, shared_at);
                enter = keep_entrance(raw);
                push_function(raw, shared_at, describe, 0);
                handler = ffi::luaL_ref(raw, ffi::LUA_REGISTRYINDEX);
                ffi::lua_pushcclosure(raw, read_failure, 0);
                reader = ffi::luaL_ref(raw, ffi::LUA_REGISTRYINDEX);
                ffi::lua_pushcclosure(raw, guard, 0);
                shared.guard.set(ffi::luaL_ref(raw, ffi::LUA_REGISTRYINDEX));
                stop::watch(raw, STEPS);
            })?;
        }
        let machine = Self { lua, state, shared, sealed, enter, handler, reader };
        machine.shared.globals.set(machine.keep(machine.lua.globals())?);
        Ok(machine)
    }

    /// The interpreter, for libraries and sandbox.
    #[must_use]
    pub const fn lua(&self) -> &Lua {
        &self.lua
    }

    /// The way to the host for functions of libraries.
    #[must_use]
    pub fn access(&self) -> Access {
        Access(self.shared.clone())
    }

    /// `redis.call` and `redis.pcall`.
    ///
    /// # Errors
    /// If memory is short.
    pub fn call_functions(&self) -> mlua::Result<(Function, Function)> {
        self.functions(call, pcall)
    }

    fn functions(
        &self,
        first: ffi::lua_CFunction,
        second: ffi::lua_CFunction,
    ) -> mlua::Result<(Function, Function)> {
        let shared = address(&self.shared);
        // SAFETY: the closure owns nothing, and the machine outlives the interpreter.
        unsafe {
            self.lua.exec_raw((), |state| {
                for function in [first, second] {
                    STATUS.iter().for_each(|text| push_bytes(state, text));
                    push_function(state, shared, function, STATUS.len() as c_int);
                }
            })
        }
    }

    /// `redis.breakpoint` and `redis.debug`.
    ///
    /// # Errors
    /// If memory is short.
    pub fn debug_functions(&self) -> mlua::Result<(Function, Function)> {
        self.functions(breakpoint, debug)
    }

    /// From now on the host is asked before each line of a script
    /// ([`Host::pause`]).
    pub fn watch_lines(&self) {
        // SAFETY: the state is that of `lua`.
        unsafe { stop::watch_lines(self.state) };
    }

    /// A read-only view of `table`, for as long as the interpreter lives.
    ///
    /// # Errors
    /// If memory is short.
    pub fn seal(&self, table: &Table) -> mlua::Result<Table> {
        base::seal(&self.lua, &self.sealed, table)
    }

    /// From now on scripts see `shown` as their globals; `KEYS` and `ARGV` are set in `own`.
    ///
    /// # Errors
    /// If memory is short.
    pub fn set_globals(&mut self, shown: &Table, own: &Table) -> mlua::Result<()> {
        self.lua.set_globals(shown.clone())?;
        self.shared.globals.set(self.keep(own.clone())?);
        // The tables that the entrance knows are fields of the globals before.
        self.shared.inputs.iter().for_each(|table| table.set(std::ptr::null()));
        // SAFETY: the closure owns nothing; the state is at its base level.
        unsafe {
            self.lua.exec_raw::<()>((), |raw| {
                ffi::luaL_unref(raw, ffi::LUA_REGISTRYINDEX, self.enter);
                self.enter = keep_entrance(raw);
            })
        }
    }

    /// The most bytes that all values together may take; no limit if zero.
    ///
    /// # Errors
    /// Never, for an interpreter of our own.
    pub fn set_memory_limit(&self, limit: usize) -> mlua::Result<()> {
        self.shared.memory_limit.set(limit);
        self.lua.set_memory_limit(limit).map(|_| ())
    }

    /// Keeps a value in the registry; its number there.
    fn keep(&self, value: impl mlua::IntoLua) -> mlua::Result<c_int> {
        let mut number = 0;
        // SAFETY: the closure owns nothing; the value is on top.
        unsafe {
            self.lua.exec_raw::<()>(value.into_lua(&self.lua)?, |state| {
                number = ffi::luaL_ref(state, ffi::LUA_REGISTRYINDEX);
            })?;
        }
        Ok(number)
    }

    /// Compiles a text that calls itself `name`.
    ///
    /// # Errors
    /// If it is no script, or memory is short.
    pub fn compile(&self, name: &CStr, text: &[u8]) -> Result<Chunk, CompileError> {
        if text.first() == Some(&b'\x1b') {
            return Err(CompileError(b"only text can be loaded".into()));
        }
        let (mut status, mut number) = (0, 0);
        // SAFETY: the closure owns nothing; compiling returns a status and a value.
        let message = unsafe {
            self.lua.exec_raw::<Value>((), |state| {
                let start = text.as_ptr().cast();
                status = ffi::luaL_loadbuffer(state, start, text.len(), name.as_ptr());
                if status == 0 {
                    number = ffi::luaL_ref(state, ffi::LUA_REGISTRYINDEX);
                    ffi::lua_pushnil(state);
                }
            })
        };
        match message {
            Ok(_) if status == 0 => Ok(Chunk(number)),
            Ok(Value::String(message)) => Err(CompileError(message.as_bytes().to_vec())),
            Ok(_) => Err(CompileError(b"not enough memory".into())),
            Err(error) => Err(CompileError(error.to_string().into_bytes())),
        }
    }

    /// Makes a function a script of its own.
    ///
    /// # Errors
    /// If memory is short.
    pub fn adopt(&self, function: Function) -> mlua::Result<Chunk> {
        self.keep(function).map(Chunk)
    }

    /// Forgets a script.
    pub fn forget(&self, chunk: Chunk) {
        // SAFETY: the number came from `luaL_ref`, and freeing it allocates nothing.
        unsafe { ffi::luaL_unref(self.state, ffi::LUA_REGISTRYINDEX, chunk.0) };
    }

    /// Runs a script and writes its value. `errors` hears of errors that are part of that value,
    /// and whether each is counted already. The script sees replies of RESP2 until it asks for
    /// others; the machine runs one script at a time.
    ///
    /// # Errors
    /// How it ended otherwise; `reply` is then as before.
    ///
    /// # Panics
    /// If the host did.
    pub fn run(
        &self,
        chunk: &Chunk,
        inputs: Inputs<'_>,
        host: &mut dyn Host,
        reply: &mut Reply,
        errors: &mut dyn FnMut(&[u8], bool),
    ) -> Result<(), RunError> {
        let mark = reply.mark();
        let shared = &*self.shared;
        shared.version.set(Version::Resp2);
        shared.client_version.set(reply.version());
        shared.stopping.set(false);
        shared.hands_on.set(false);
        let lent = Lent::new(shared, host);
        let globals = shared.globals.get();
        let mut run = Run { chunk: chunk.0, globals, inputs, shared, reply: &mut *reply, errors };
        // SAFETY: the state is that of `lua`, at its base level, where Lua leaves room for twenty
        // values; `run` outlives the call, and what raises in it is caught by it.
        let failed = unsafe {
            let state = self.state;
            ffi::lua_rawgeti_(state, ffi::LUA_REGISTRYINDEX, self.handler);
            ffi::lua_rawgeti_(state, ffi::LUA_REGISTRYINDEX, self.enter);
            ffi::lua_pushlightuserdata(state, (&raw mut run).cast());
            let status = ffi::lua_pcall(state, 1, 0, -3);
            let failed = (status != 0).then(|| self.take_failure(status));
            ffi::lua_settop(state, -2);
            failed
        };
        drop(lent);
        shared.trim();
        self.after(failed).inspect_err(|_| reply.rollback(mark))
    }

    /// Reads the error on top of the stack, with which a call of `status` ended, and pops it.
    ///
    /// # Safety
    /// There is one.
    #[cold]
    unsafe fn take_failure(&self, status: c_int) -> (c_int, Failure) {
        let mut failure = Failure::default();
        // SAFETY: as above. Reading may raise, so it is done in a protected call, which `failure`
        // outlives.
        unsafe {
            let state = self.state;
            ffi::lua_rawgeti_(state, ffi::LUA_REGISTRYINDEX, self.reader);
            ffi::lua_insert(state, -2);
            ffi::lua_pushlightuserdata(state, (&raw mut failure).cast());
            let second = ffi::lua_pcall(state, 2, 0, 0);
            if second == 0 {
                return (status, failure);
            }
            let message = bytes(state, -1).unwrap_or(b"execution failure").to_vec();
            ffi::lua_settop(state, -2);
            (second, Failure { message, ..Failure::default() })
        }
    }

    /// Puts the machine back in order after a run, which may have `failed` with this status.
    fn after(&self, failed: Option<(c_int, Failure)>) -> Result<(), RunError> {
        if failed.is_none() && !self.shared.stopping.get() {
            return Ok(());
        }
        let (status, failure) = failed.unwrap_or_default();
        if self.shared.stopping.replace(false) {
            // SAFETY: the state is valid, and no script runs.
            unsafe { stop::watch(self.state, STEPS) };
            if let Some(panic) = self.shared.panic.take() {
                std::panic::resume_unwind(panic);
            }
            return Err(RunError::Stopped(failure.place));
        }
        if status == ffi::LUA_ERRMEM {
            // What the script left is garbage now.
            let _collected = self.lua.gc_collect();
        }
        match status {
            ffi::LUA_ERRRUN => Err(RunError::Raised(failure)),
            _ => Err(RunError::Broken(failure.message)),
        }
    }
}

/// Enters a script: the function that [`Machine::run`] calls, with a [`Run`] as argument.
unsafe extern "C-unwind" fn enter(state: *mut lua_State) -> c_int {
    // SAFETY: `Machine::run` calls this with its own `Run`. Nothing in this frame is to be
    // dropped; what is written through `run` belongs to the caller's frame.
    unsafe {
        let run = &mut *ffi::lua_touserdata(state, 1).cast::<Run<'_>>();
        ffi::lua_settop(state, 0);
        ffi::lua_rawgeti_(state, ffi::LUA_REGISTRYINDEX, run.chunk);
        let Inputs { args, first, keys, as_globals } = run.inputs;
        let arguments = [(first, first + keys), (first + keys, args.len())];
        for (place, (from, to)) in arguments.into_iter().enumerate() {
            if as_globals {
                set_strings(state, run, place, from, to);
            } else {
                push_strings(state, args, from, to);
            }
        }
        let arguments = if as_globals { 0 } else { 2 };
        run.shared.entered.set((state, depth(state)));
        ffi::lua_call(state, arguments, 1);
        if run.shared.hands_on.get() {
            hand_on(run.shared, run.reply);
        } else {
            write_value(state, run.reply, run.shared.version.get(), run.errors);
        }
        0
    }
}

/// The names of the globals that have a script's inputs.
const INPUTS: [&[u8]; 2] = [b"KEYS", b"ARGV"];

/// Makes the function that enters scripts; its number in the registry. Its upvalues are the names
/// of the inputs, which need not be looked up then, and the tables that these globals have. Raises
/// if memory is short.
///
/// # Safety
/// The stack has room for four values, and no frame between here and the protected call owns
/// anything.
unsafe fn keep_entrance(state: *mut lua_State) -> c_int {
    // SAFETY: as above.
    unsafe {
        INPUTS.iter().for_each(|name| push_bytes(state, name));
        INPUTS.iter().for_each(|_| ffi::lua_pushnil(state));
        ffi::lua_pushcclosure(state, enter, 2 * INPUTS.len() as c_int);
        ffi::luaL_ref(state, ffi::LUA_REGISTRYINDEX)
    }
}

/// Sets one of [`INPUTS`], by its place there, to a table of the arguments from `from` up to `to`.
/// The table of the last run serves again if it is as if it had just been made, but for its
/// elements: no script can have kept it, since none leaves anything behind.
///
/// # Safety
/// Called by [`enter`], with room for four values; otherwise as [`push_bytes`].
unsafe fn set_strings(state: *mut lua_State, run: &Run<'_>, place: usize, from: usize, to: usize) {
    // SAFETY: as above; the values that are pushed are popped. The table that is known is an
    // upvalue, so that Lua still has it.
    unsafe {
        let kept = ffi::lua_upvalueindex(1 + (INPUTS.len() + place) as c_int);
        let count = c_int::try_from(to - from).unwrap_or(c_int::MAX);
        let (table, no_hash) = (&run.shared.inputs[place], &run.shared.no_hash);
        if table.get().is_null() || !is_plain(table.get(), count, no_hash.get()) {
            ffi::lua_rawgeti_(state, ffi::LUA_REGISTRYINDEX, run.globals);
            ffi::lua_pushvalue(state, ffi::lua_upvalueindex(1 + place as c_int));
            ffi::lua_createtable(state, count, 0);
            let made = ffi::lua_topointer(state, -1).cast::<u8>();
            ffi::lua_pushvalue(state, -1);
            // Under the two for `rawset`, so that it is not noted before it is set.
            ffi::lua_insert(state, -4);
            ffi::lua_rawset(state, -3);
            ffi::lua_settop(state, -2);
            ffi::lua_replace(state, kept);
            no_hash.set(hash_part(made));
            table.set(made);
        }
        if count > 0 {
            ffi::lua_pushvalue(state, kept);
            fill_strings(state, run.inputs.args, from, count);
            ffi::lua_settop(state, -2);
        }
    }
}

/// Pushes a table of the arguments from `from` up to `to`.
///
/// # Safety
/// As [`push_bytes`].
unsafe fn push_strings(state: *mut lua_State, args: Args<'_>, from: usize, to: usize) {
    // SAFETY: as above.
    unsafe {
        let count = c_int::try_from(to - from).unwrap_or(c_int::MAX);
        ffi::lua_createtable(state, count, 0);
        fill_strings(state, args, from, count);
    }
}

/// Sets the first `count` elements of the table on top to the arguments from `from` on.
///
/// # Safety
/// As [`push_bytes`].
unsafe fn fill_strings(state: *mut lua_State, args: Args<'_>, from: usize, count: c_int) {
    // SAFETY: as above.
    unsafe {
        for index in 0..count {
            push_bytes(state, args.get(from + index as usize).unwrap_or_default());
            ffi::lua_rawseti_(state, -2, index + 1);
        }
    }
}
