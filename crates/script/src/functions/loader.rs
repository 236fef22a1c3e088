//! Loading a library: its code is run once and registers functions.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::AtomicBool;

use lua::{Chunk, Host, Inputs, Machine, RunError, Stop, Verdict};
use mlua::{Error, Function as LuaFunction, Lua, MultiValue, Table, Value};
use resp::{Args, OwnedArgs, Reply, Version};

use super::environment::Environment;
use super::library::{Function, Header, valid_name};
use crate::api::raise;
use crate::script::Flags;

/// Why a library is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// Its code is no Lua: the interpreter's message.
    Compile(Vec<u8>),
    /// Its code failed when it was run: the error's text.
    Register(Vec<u8>),
    /// Its code ran and registered nothing.
    NoFunctions,
}

/// Functions that a library is registering, if one is being loaded.
pub(crate) type Slot = Rc<RefCell<Option<Vec<Registered>>>>;

/// A function as it was registered.
#[derive(Debug)]
pub(crate) struct Registered {
    pub(crate) function: Function,
    callback: LuaFunction,
}

/// Runs the code of a library: its functions with their code, in the order in which it registered
/// them.
pub(crate) fn load(
    machine: &Machine,
    environment: &Environment,
    slot: &Slot,
    header: &Header,
    text: &[u8],
    watch: &mut dyn Watch,
) -> Result<Vec<(Function, Chunk)>, LoadError> {
    let internal = |error: Error| LoadError::Register(error.to_string().into_bytes());
    let globals = environment.begin(machine).map_err(internal)?;
    let chunk = machine.lua().load(&text[header.body..]).set_name("@user_function");
    let chunk = chunk.set_environment(globals.clone());
    let main = chunk.into_function().map_err(|error| LoadError::Compile(compile_text(&error)))?;
    let main = machine.adopt(main).map_err(internal)?;
    *slot.borrow_mut() = Some(Vec::new());
    let result = run(machine, &main, watch);
    let registered = slot.take().unwrap_or_default();
    machine.forget(main);
    result?;
    if registered.is_empty() {
        return Err(LoadError::NoFunctions);
    }
    environment.finish(&globals).map_err(internal)?;
    let adopted = registered.into_iter().map(|Registered { function, callback }| {
        machine.adopt(callback).map(|chunk| (function, chunk)).map_err(internal)
    });
    adopted.collect()
}

/// What the code of a library reaches while it is loaded.
pub trait Watch {
    /// Whether it may go on.
    fn goes_on(&mut self) -> bool;

    /// A line for the server's log; see [`Host::log`].
    fn log(&mut self, level: u8, line: &[u8]);
}

/// The host of a library that is loaded: no commands.
struct Loading<'w>(&'w mut dyn Watch);

impl Host for Loading<'_> {
    fn call(&mut self, _: Args<'_>, _: &mut Reply) -> Result<(), Stop> {
        Err(Stop)
    }

    fn tick(&mut self) -> Verdict {
        if self.0.goes_on() { Verdict::Continue } else { Verdict::Stop }
    }

    fn log(&mut self, level: u8, line: &[u8]) {
        self.0.log(level, line);
    }
}

fn run(machine: &Machine, main: &Chunk, watch: &mut dyn Watch) -> Result<(), LoadError> {
    let nothing = OwnedArgs::from_slices::<&[u8]>(&[]);
    let inputs = Inputs { args: nothing.as_args(), first: 0, keys: 0, as_globals: false };
    let mut unread = Reply::new(Version::Resp2);
    let mut host = Loading(watch);
    match machine.run(main, inputs, &mut host, &mut unread, &mut |_, _| ()) {
        Ok(()) => Ok(()),
        Err(RunError::Raised(failure)) => Err(LoadError::Register(failure.message)),
        Err(RunError::Stopped(_)) => {
            Err(LoadError::Register(b"ERR FUNCTION LOAD timeout".to_vec()))
        }
        Err(RunError::Broken(message)) => {
            Err(LoadError::Register([b"ERR ", &message[..]].concat()))
        }
    }
}

/// The interpreter's message for a text that is no Lua.
fn compile_text(error: &Error) -> Vec<u8> {
    match error {
        Error::SyntaxError { message, .. } => message.clone().into_bytes(),
        other => other.to_string().into_bytes(),
    }
}

/// `redis.register_function`: `(name, callback)`, or a table of named arguments.
pub(crate) fn register_function(lua: &Lua, slot: &Slot) -> mlua::Result<LuaFunction> {
    let slot = slot.clone();
    lua.create_function(move |lua, args: MultiValue| {
        let mut slot = slot.borrow_mut();
        let Some(registered) = slot.as_mut() else {
            return raise("redis.register_function can only be called on FUNCTION LOAD command");
        };
        let new = match (args.len(), args.front()) {
            (2, _) => positional(lua, &args)?,
            (1, Some(Value::Table(table))) => named(lua, table)?,
            (1, _) => {
                return raise(
                    "calling redis.register_function with a single argument is only applicable \
                     to Lua table (representing named arguments).",
                );
            }
            _ => return raise("wrong number of arguments to redis.register_function"),
        };
        let name = &new.function.name;
        if registered.iter().any(|other| other.function.name.eq_ignore_ascii_case(name)) {
            return raise("Function already exists in the library");
        }
        registered.push(new);
        Ok(())
    })
}

fn positional(lua: &Lua, args: &MultiValue) -> mlua::Result<Registered> {
    let Some(name) = args.front().map_or(Ok(None), |name| text(lua, name))? else {
        return raise("first argument to redis.register_function must be a string");
    };
    let Some(Value::Function(callback)) = args.get(1) else {
        return raise("second argument to redis.register_function must be a function");
    };
    registered(&name, None, Flags::NONE, callback.clone())
}

fn named(lua: &Lua, table: &Table) -> mlua::Result<Registered> {
    let (mut name, mut description, mut callback, mut flags) = (None, None, None, Flags::NONE);
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair?;
        let Some(key) = text(lua, &key)? else {
            return raise("named argument key given to redis.register_function is not a string");
        };
        match (key.to_ascii_lowercase().as_slice(), value) {
            (b"function_name", value) => match text(lua, &value)? {
                Some(text) => name = Some(text),
                None => {
                    return raise(
                        "function_name argument given to redis.register_function must be a string",
                    );
                }
            },
            (b"description", value) => match text(lua, &value)? {
                Some(text) => description = Some(text),
                None => {
                    return raise(
                        "description argument given to redis.register_function must be a string",
                    );
                }
            },
            (b"callback", Value::Function(function)) => callback = Some(function),
            (b"callback", _) => {
                return raise(
                    "callback argument given to redis.register_function must be a function",
                );
            }
            (b"flags", Value::Table(list)) => flags = read_flags(lua, &list)?,
            (b"flags", _) => {
                return raise(
                    "flags argument to redis.register_function must be a table representing \
                     function flags",
                );
            }
            _ => return raise("unknown argument given to redis.register_function"),
        }
    }
    let Some(name) = name else {
        return raise("redis.register_function must get a function name argument");
    };
    let Some(callback) = callback else {
        return raise("redis.register_function must get a callback argument");
    };
    registered(&name, description, flags, callback)
}

fn registered(
    name: &[u8],
    description: Option<Vec<u8>>,
    flags: Flags,
    callback: LuaFunction,
) -> mlua::Result<Registered> {
    let Some(name) = valid_name(name) else {
        return raise(
            "Library names can only contain letters, numbers, or underscores(_) and must be at \
             least one character long",
        );
    };
    let function = Function {
        name: name.into(),
        description: description.map(Into::into),
        flags,
        reaches: AtomicBool::new(false),
    };
    Ok(Registered { function, callback })
}

/// The flags in a list, up to its first gap.
fn read_flags(lua: &Lua, list: &Table) -> mlua::Result<Flags> {
    let mut flags = Flags::NONE;
    for index in 1.. {
        let word: Value = list.raw_get(index)?;
        if word.is_nil() {
            break;
        }
        match text(lua, &word)?.and_then(|word| Flags::from_word(&word)) {
            Some(flag) => flags = flags.with(flag),
            None => return raise("unknown flag given"),
        }
    }
    Ok(flags)
}

/// The bytes of a string or a number.
fn text(lua: &Lua, value: &Value) -> mlua::Result<Option<Vec<u8>>> {
    match value {
        Value::String(text) => Ok(Some(text.as_bytes().to_vec())),
        Value::Integer(_) | Value::Number(_) => {
            let text = lua.coerce_string(value.clone())?;
            Ok(text.map(|text| text.as_bytes().to_vec()))
        }
        _ => Ok(None),
    }
}
