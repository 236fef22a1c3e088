//! The table `redis`, which is `server` too: everything in it but `call` and `pcall`, which are on
//! the quick path and come from [`lua::Machine`].

use lua::{Access, Machine};
use mlua::{Error, Lua, MultiValue, Table, Value, Variadic};
use resp::{OwnedArgs, Version};

use crate::script::Sha;

/// What scripts are told of the server.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    /// The version of Redis that it behaves as, `8.8.0`.
    pub redis_version: &'static str,
    /// What the server calls itself.
    pub name: &'static str,
    /// Its own version.
    pub version: &'static str,
}

/// Targets of `redis.set_repl`, as bits.
const TARGETS: &[(&str, u8)] =
    &[("REPL_NONE", 0), ("REPL_AOF", 1), ("REPL_SLAVE", 2), ("REPL_REPLICA", 2), ("REPL_ALL", 3)];

const LEVELS: &[(&str, u8)] =
    &[("LOG_DEBUG", 0), ("LOG_VERBOSE", 1), ("LOG_NOTICE", 2), ("LOG_WARNING", 3)];

/// Makes the table.
pub(crate) fn table(machine: &Machine, identity: Identity) -> mlua::Result<Table> {
    let lua = machine.lua();
    let table = lua.create_table()?;
    let (call, pcall) = machine.call_functions()?;
    table.raw_set("call", call)?;
    table.raw_set("pcall", pcall)?;
    for &(name, value) in TARGETS.iter().chain(LEVELS) {
        table.raw_set(name, value)?;
    }
    for prefix in ["REDIS", "VALKEY"] {
        let (version, number) = (format!("{prefix}_VERSION"), format!("{prefix}_VERSION_NUM"));
        table.raw_set(version, identity.redis_version)?;
        table.raw_set(number, version_number(identity.redis_version))?;
    }
    table.raw_set("SERVER_NAME", identity.name)?;
    table.raw_set("SERVER_VERSION", identity.version)?;
    table.raw_set("SERVER_VERSION_NUM", version_number(identity.version))?;
    add_replies(lua, &table, machine.access())?;
    add_settings(lua, &table, machine.access())?;
    let (breakpoint, debug) = machine.debug_functions()?;
    table.raw_set("breakpoint", breakpoint)?;
    table.raw_set("debug", debug)?;
    Ok(table)
}

/// The table `os`, of which scripts have the clock alone.
pub(crate) fn os(machine: &Machine) -> mlua::Result<Table> {
    let (table, access) = (machine.lua().create_table()?, machine.access());
    let clock =
        move |_: &Lua, _: MultiValue| Ok(access.host(|host| host.seconds()).unwrap_or_default());
    table.raw_set("clock", machine.lua().create_function(clock)?)?;
    Ok(table)
}

/// `7.2.11` as `0x0007020b`.
fn version_number(version: &str) -> u32 {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let mut part = || parts.next().unwrap_or(0);
    (part() << 16) | (part() << 8) | part()
}

/// `status_reply`, `error_reply`, `sha1hex`.
fn add_replies(lua: &Lua, table: &Table, access: Access) -> mlua::Result<()> {
    let status = |lua: &Lua, args: MultiValue| reply_table(lua, &args, "ok", <[u8]>::to_vec);
    table.raw_set("status_reply", lua.create_function(status)?)?;
    let error = move |lua: &Lua, args: MultiValue| {
        reply_table(lua, &args, "err", |text| {
            let text = error_text(text);
            access.host(|host| host.debugger().map(|debugger| debugger.show_error(&text)));
            text
        })
    };
    table.raw_set("error_reply", lua.create_function(error)?)?;
    let sha = |lua: &Lua, args: MultiValue| {
        let (Some(value), 1) = (args.front(), args.len()) else {
            return raise("wrong number of arguments");
        };
        let text = lua.coerce_string(value.clone())?;
        let sha = text.map_or_else(|| Sha::of(b""), |text| Sha::of(&text.as_bytes()));
        lua.create_string(sha.hex()).map(Value::String)
    };
    table.raw_set("sha1hex", lua.create_function(sha)?)
}

/// A table that is a reply, of the one string given.
fn reply_table(
    lua: &Lua,
    args: &MultiValue,
    field: &str,
    text: impl Fn(&[u8]) -> Vec<u8>,
) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    match (args.front(), args.len()) {
        (Some(Value::String(value)), 1) => {
            table.raw_set(field, lua.create_string(text(&value.as_bytes()))?)?;
        }
        _ => table.raw_set("err", "ERR wrong number or type of arguments")?,
    }
    Ok(table)
}

/// An error with a code: a first word alone is a message and no code.
fn error_text(text: &[u8]) -> Vec<u8> {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    if text.contains(&b' ') { text.to_vec() } else { [b"ERR ", text].concat() }
}

/// An error of the kind that `redis.call` raises: with a code, and without a place in its text.
pub(crate) fn raise<R>(text: &str) -> mlua::Result<R> {
    Err(Error::external(lua::CodedError(format!("ERR {text}"))))
}

/// `log`, `setresp`, `set_repl`, `replicate_commands`, `acl_check_cmd`.
fn add_settings(lua: &Lua, table: &Table, access: Access) -> mlua::Result<()> {
    let host = access.clone();
    let log = move |lua: &Lua, args: Variadic<Value>| {
        if args.len() < 2 {
            return raise("redis.log() requires two arguments or more.");
        }
        let Some(level) = lua.coerce_number(args[0].clone())? else {
            return raise("First argument must be a number (log level).");
        };
        if !(0.0..=3.0).contains(&level) {
            return raise("Invalid debug level.");
        }
        let mut line = Vec::new();
        for value in &args[1..] {
            if let Some(text) = lua.coerce_string(value.clone())? {
                line.extend_from_slice(if line.is_empty() { b"" } else { b" " });
                line.extend_from_slice(&text.as_bytes());
            }
        }
        host.host(|host| host.log(level as u8, &line));
        Ok(())
    };
    table.raw_set("log", lua.create_function(log)?)?;
    let host = access.clone();
    let set_version = move |lua: &Lua, args: Variadic<Value>| {
        if args.len() != 1 {
            return raise("redis.setresp() requires one argument.");
        }
        let number = lua.coerce_number(args[0].clone())?.unwrap_or(0.0);
        host.set_version(match number as i64 {
            2 => Version::Resp2,
            3 => Version::Resp3,
            _ => return raise("RESP version must be 2 or 3."),
        });
        Ok(())
    };
    table.raw_set("setresp", lua.create_function(set_version)?)?;
    let host = access.clone();
    let set_repl = move |lua: &Lua, args: Variadic<Value>| {
        if args.len() != 1 {
            return raise("redis.set_repl() requires two arguments.");
        }
        let targets = lua.coerce_number(args[0].clone())?.unwrap_or(0.0);
        if !(0.0..4.0).contains(&targets) {
            let names = "Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.";
            return raise(&format!("Invalid replication flags. {names}"));
        }
        host.host(|host| host.set_propagation(targets as u8));
        Ok(())
    };
    table.raw_set("set_repl", lua.create_function(set_repl)?)?;
    let always = lua.create_function(|_, _: MultiValue| Ok(true))?;
    table.raw_set("replicate_commands", always)?;
    let check = move |lua: &Lua, args: Variadic<Value>| is_allowed(lua, &access, &args);
    table.raw_set("acl_check_cmd", lua.create_function(check)?)
}

fn is_allowed(lua: &Lua, access: &Access, args: &[Value]) -> mlua::Result<bool> {
    if args.is_empty() {
        return raise("Please specify at least one argument for this redis lib call");
    }
    let mut words = Vec::new();
    for value in args {
        if !matches!(value, Value::String(_) | Value::Number(_) | Value::Integer(_)) {
            return raise("Lua redis lib command arguments must be strings or integers");
        }
        let text = lua.coerce_string(value.clone())?;
        words.push(text.map_or_else(Vec::new, |text| text.as_bytes().to_vec()));
    }
    let line = OwnedArgs::from_slices(&words);
    match access.host(|host| host.is_allowed(line.as_args())) {
        Some(Ok(allowed)) => Ok(allowed),
        Some(Err(why)) => raise(why),
        None => raise("Invalid command passed to redis.acl_check_cmd()"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_without_a_code_gets_one() {
        assert_eq!(error_text(b"MY Err"), b"MY Err");
        assert_eq!(error_text(b"-MY Err"), b"MY Err");
        assert_eq!(error_text(b"MYERR"), b"ERR MYERR");
        assert_eq!(error_text(b""), b"ERR ");
    }

    #[test]
    fn versions_are_numbers_of_three_bytes() {
        assert_eq!(version_number("7.2.11"), 0x0007_020b);
    }
}
