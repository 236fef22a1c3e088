//! `struct`: values as the bytes of C structures, and back.
//!
//! A format names the members one after the other ([`format`]). Packing writes them with the
//! padding that the chosen alignment asks for ([`pack`]); unpacking reads them ([`unpack`]) and
//! returns, behind the values, the position after the last.

mod format;
mod pack;
mod unpack;

use mlua::Lua;

use self::format::{Format, Member};
use super::function::{Arguments, Failure, add};

/// Registers the library.
pub(crate) fn register(lua: &Lua) -> mlua::Result<()> {
    let library = lua.create_table()?;
    add(lua, &library, "pack", pack::pack)?;
    add(lua, &library, "unpack", unpack::unpack)?;
    add(lua, &library, "size", size)?;
    lua.globals().raw_set("struct", library)
}

/// The bytes that a format takes, padding included.
fn size(call: &Arguments<'_>) -> Result<f64, Failure> {
    let text = call.string(1)?;
    let text = text.as_bytes();
    let mut format = Format::new(&text);
    // A member is shorter than 2^31 bytes and a format than 2^32, so this stays below 2^63.
    let mut total = 0_u64;
    while let Some(item) = format.next()? {
        match item.member {
            Member::Terminated => {
                return Err(Failure::argument(1, "option 's' has no fixed size"));
            }
            Member::Bytes if item.size == 0 => {
                return Err(Failure::argument(1, "option 'c0' has no fixed size"));
            }
            // Letters and digits that mean nothing are let pass here, though not elsewhere.
            Member::Other(letter) if letter.is_ascii_alphanumeric() => {}
            Member::Other(letter) => format.control(letter)?,
            _ => {}
        }
        total += format.padding(total, &item) + item.size;
    }
    Ok(total as f64)
}
