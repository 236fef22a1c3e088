//! One Lua interpreter: its standard libraries, ours, and its bounds.

use mlua::{Lua, LuaOptions, StdLib};

use crate::libraries::LIBRARIES;

/// What an interpreter may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that all its values together may have; no limit if zero.
    pub memory: usize,
}

/// An interpreter of one thread.
#[derive(Debug)]
pub struct Interpreter {
    lua: Lua,
}

impl Interpreter {
    /// An interpreter with every library.
    ///
    /// # Errors
    /// If memory is not enough for that.
    pub fn new(limits: Limits) -> mlua::Result<Self> {
        let standard = StdLib::STRING | StdLib::TABLE | StdLib::MATH;
        let lua = Lua::new_with(standard, LuaOptions::default())?;
        for register in LIBRARIES {
            register(&lua)?;
        }
        lua.set_memory_limit(limits.memory)?;
        Ok(Self { lua })
    }

    /// The Lua state behind it.
    #[must_use]
    pub const fn lua(&self) -> &Lua {
        &self.lua
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_without_end_is_an_error() {
        let interpreter = Interpreter::new(Limits { memory: 1 << 20 }).unwrap();
        let endless = "local t = {} while true do t[#t + 1] = #t end";
        let error = interpreter.lua().load(endless).exec().unwrap_err();
        assert!(error.to_string().contains("not enough memory"), "{error}");
        assert_eq!(interpreter.lua().load("return 1 + 1").eval::<i64>().unwrap(), 2);
    }
}
