//! What the code of a library sees: while it is loaded, and when its functions are called.
//!
//! Lua functions keep the table of globals of the chunk that made them. A library gets an empty one
//! of its own, behind which there is first the table for loading, with nothing but
//! `redis.register_function`, `redis.log` and constants, and afterwards the table that scripts see,
//! without `KEYS` and `ARGV`, which functions get as parameters.

use lua::Machine;
use mlua::{Function as LuaFunction, Table, Value};

use crate::sandbox::Inner;

/// Fields of `redis` that there are while a library is loaded.
const WHILE_LOADING: &[&str] = &[
    "log",
    "LOG_DEBUG",
    "LOG_VERBOSE",
    "LOG_NOTICE",
    "LOG_WARNING",
    "REDIS_VERSION",
    "REDIS_VERSION_NUM",
    "SERVER_NAME",
    "SERVER_VERSION",
    "SERVER_VERSION_NUM",
];

/// Fields of `redis` that scripts have and functions have not.
const SCRIPTS_ALONE: &[&str] = &["breakpoint", "debug", "replicate_commands"];

/// The tables behind those of libraries.
#[derive(Debug)]
pub(crate) struct Environment {
    loading: Table,
    running: Table,
    /// What refuses writes.
    refuse: Value,
}

impl Environment {
    /// The tables, from the globals of scripts and the table `redis` before that was sealed.
    pub(crate) fn new(
        machine: &Machine,
        Inner { own, missing }: &Inner,
        redis: &Table,
        register: LuaFunction,
    ) -> mlua::Result<Self> {
        let lua = machine.lua();
        let api = lua.create_table()?;
        for &name in WHILE_LOADING {
            api.raw_set(name, redis.raw_get::<Value>(name)?)?;
        }
        api.raw_set("register_function", register)?;
        api.set_metatable(Some(missing.clone()))?;
        let api = machine.seal(&api)?;
        let loading = lua.create_table()?;
        loading.raw_set("redis", &api)?;
        loading.raw_set("server", api)?;
        loading.set_metatable(Some(missing.clone()))?;

        let running = lua.create_table()?;
        own.for_each(|name: Value, value: Value| running.raw_set(name, value))?;
        let api = lua.create_table()?;
        redis.for_each(|name: Value, value: Value| api.raw_set(name, value))?;
        for &name in SCRIPTS_ALONE {
            api.raw_set(name, Value::Nil)?;
        }
        let api = machine.seal(&api)?;
        running.raw_set("redis", &api)?;
        running.raw_set("server", api)?;
        running.set_metatable(Some(missing.clone()))?;
        let shown = machine.seal(&running)?;
        running.raw_set("_G", &shown)?;
        let meta = shown.metatable().expect("a sealed table has a metatable");
        Ok(Self { loading, running, refuse: meta.raw_get("__newindex")? })
    }

    /// The globals of a new library.
    pub(crate) fn begin(&self, machine: &Machine) -> mlua::Result<Table> {
        let lua = machine.lua();
        let meta = lua.create_table()?;
        meta.raw_set("__index", &self.loading)?;
        meta.raw_set("__newindex", &self.refuse)?;
        let globals = lua.create_table()?;
        globals.set_metatable(Some(meta))?;
        Ok(globals)
    }

    /// Puts what functions see behind the globals of a library that was loaded.
    pub(crate) fn finish(&self, globals: &Table) -> mlua::Result<()> {
        let meta = globals.metatable().expect("`begin` set it");
        meta.raw_set("__index", &self.running)
    }
}
