//! The bytes that an encoder writes, up to a limit.
//!
//! A table may hold another one many times over, so a few lines of script describe an output that
//! grows beyond all bounds. What no string value may be, no encoder makes.

use mlua::{Lua, LuaString};

use super::function::Failure;

/// Bytes of an output at most: the longest string that the protocol carries. Tests need not wait
/// until there are so many.
const LEN_MAX: usize = if cfg!(test) { 8 << 20 } else { 512 << 20 };

/// An output under way.
#[derive(Debug, Default)]
pub(crate) struct Output(Vec<u8>);

impl Output {
    /// How many bytes there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Appends a byte.
    pub(crate) fn push(&mut self, byte: u8) -> Result<(), Failure> {
        self.extend(&[byte])
    }

    /// Appends bytes.
    pub(crate) fn extend(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.room(bytes.len() as u64)?;
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    /// Appends a byte many times.
    pub(crate) fn fill(&mut self, byte: u8, count: u64) -> Result<(), Failure> {
        self.room(count)?;
        self.0.resize(self.0.len() + count as usize, byte);
        Ok(())
    }

    /// The vector itself, for writers of a few bytes.
    pub(crate) fn short(&mut self) -> Result<&mut Vec<u8>, Failure> {
        self.room(0)?;
        Ok(&mut self.0)
    }

    /// All of it.
    pub(crate) fn into_string(self, lua: &Lua) -> Result<LuaString, Failure> {
        Ok(lua.create_string(self.0)?)
    }

    fn room(&self, more: u64) -> Result<(), Failure> {
        if self.0.len() as u64 + more > LEN_MAX as u64 {
            return Err(Failure::error("the result would be longer than a string may be"));
        }
        Ok(())
    }
}
