//! `cmsgpack.unpack` and its siblings: bytes to values.
//!
//! The open arrays and maps are a list, so depth costs no stack; there is a limit to it all the
//! same. A count in the input is not believed: tables grow as their items come.

use mlua::{Lua, Table, Value};

use super::{Arguments, Failure};
use crate::libraries::function::Results;

/// Arrays and maps within each other.
const NESTING_MAX: usize = 3_900;

/// All values.
pub(super) fn unpack(call: &Arguments<'_>) -> Result<Results, Failure> {
    let data = call.string(1)?;
    values(call.lua, &data.as_bytes(), None, 0)
}

/// The value at an offset, and in front of it the offset of the next, or -1 if it was the last.
pub(super) fn unpack_one(call: &Arguments<'_>) -> Result<Results, Failure> {
    let offset = call.integer_or(2, 0)?;
    let data = call.string(1)?;
    values(call.lua, &data.as_bytes(), Some(1), offset)
}

/// As many values at an offset as the second argument says, with the offset as above.
pub(super) fn unpack_limit(call: &Arguments<'_>) -> Result<Results, Failure> {
    let limit = call.integer(2)?;
    let offset = call.integer_or(3, 0)?;
    let data = call.string(1)?;
    let limit = (limit != 0 || offset != 0).then_some(limit);
    values(call.lua, &data.as_bytes(), limit, offset)
}

/// Up to `limit` values. Without a limit no offset is returned.
fn values(lua: &Lua, data: &[u8], limit: Option<i64>, offset: i64) -> Result<Results, Failure> {
    let len = data.len();
    // The texts print the low half of the offset.
    let shown = offset as i32;
    if offset < 0 || limit.is_some_and(|limit| limit < 0) {
        let text = format!("Invalid request to unpack with offset of {shown} and limit of {len}.");
        return Err(Failure::error(text));
    }
    let start = usize::try_from(offset).ok().filter(|start| *start <= len).ok_or_else(|| {
        Failure::error(format!("Start offset {shown} greater than input length {len}."))
    })?;
    let mut unpacker = Unpacker { lua, rest: &data[start..], open: Vec::new() };
    let mut results = Results::default();
    let mut left = limit.unwrap_or(i64::MAX);
    while left > 0 && !unpacker.rest.is_empty() {
        let value = unpacker.value()?;
        results.push(value).ok_or_else(too_many)?;
        left -= 1;
    }
    if limit.is_some() {
        let at = len - unpacker.rest.len();
        results.push_front(Value::Integer(if at == len { -1 } else { at as i64 }));
    }
    Ok(results)
}

fn too_many() -> Failure {
    let text = "stack overflow (too many return values at once; \
                use unpack_one or unpack_limit instead.)";
    Failure::error(text)
}

fn missing() -> Failure {
    Failure::error("Missing bytes in input.")
}

struct Unpacker<'a> {
    lua: &'a Lua,
    rest: &'a [u8],
    open: Vec<Open>,
}

/// An array or map of which items are missing.
enum Open {
    Array {
        table: Table,
        len: u32,
        count: u32,
    },
    /// A map, whose next key is wanted.
    Key {
        table: Table,
        left: u32,
    },
    /// A map, whose value for a key is wanted.
    Value {
        table: Table,
        left: u32,
        key: Value,
    },
}

impl Unpacker<'_> {
    fn value(&mut self) -> Result<Value, Failure> {
        loop {
            let Some(mut value) = self.begin()? else {
                continue;
            };
            // Ends as many arrays and maps as this value was the last of.
            loop {
                let Some(open) = self.open.pop() else {
                    return Ok(value);
                };
                match self.store(open, value)? {
                    Some(whole) => value = whole,
                    None => break,
                }
            }
        }
    }

    /// Reads a value, or opens an array or map whose items follow.
    fn begin(&mut self) -> Result<Option<Value>, Failure> {
        let [marker] = self.take()?;
        let value = match marker {
            0x00..=0x7f => Value::Integer(marker.into()),
            0xe0..=0xff => Value::Integer(marker.cast_signed().into()),
            0xc0 => Value::Nil,
            0xc2 => Value::Boolean(false),
            0xc3 => Value::Boolean(true),
            0xca => Value::Number(f32::from_be_bytes(self.take()?).into()),
            0xcb => Value::Number(f64::from_be_bytes(self.take()?)),
            0xcc => Value::Integer(u8::from_be_bytes(self.take()?).into()),
            0xcd => Value::Integer(u16::from_be_bytes(self.take()?).into()),
            0xce => Value::Integer(u32::from_be_bytes(self.take()?).into()),
            0xd0 => Value::Integer(i8::from_be_bytes(self.take()?).into()),
            0xd1 => Value::Integer(i16::from_be_bytes(self.take()?).into()),
            0xd2 => Value::Integer(i32::from_be_bytes(self.take()?).into()),
            // The upper half of the unsigned ones has always come out negative.
            0xcf | 0xd3 => Value::Integer(i64::from_be_bytes(self.take()?)),
            0xa0..=0xbf => self.string((marker & 31).into())?,
            0xd9 => {
                let len = u8::from_be_bytes(self.take()?);
                self.string(len.into())?
            }
            0xda => {
                let len = self.count16()?;
                self.string(len)?
            }
            0xdb => {
                let len = u32::from_be_bytes(self.take()?);
                self.string(len)?
            }
            0x90..=0x9f => return self.array((marker & 15).into()),
            0xdc => {
                let count = self.count16()?;
                return self.array(count);
            }
            0xdd => {
                let count = u32::from_be_bytes(self.take()?);
                return self.array(count);
            }
            0x80..=0x8f => return self.map((marker & 15).into()),
            0xde => {
                let count = self.count16()?;
                return self.map(count);
            }
            0xdf => {
                let count = u32::from_be_bytes(self.take()?);
                return self.map(count);
            }
            // Binary strings, extensions, and the one marker that means nothing.
            0xc1 | 0xc4..=0xc9 | 0xd4..=0xd8 => {
                return Err(Failure::error("Bad data format in input."));
            }
        };
        Ok(Some(value))
    }

    fn array(&mut self, count: u32) -> Result<Option<Value>, Failure> {
        let table = self.open(count, || {
            Failure::error("stack overflow (in function mp_decode_to_lua_array)")
        })?;
        if count == 0 {
            return Ok(Some(Value::Table(table)));
        }
        self.open.push(Open::Array { table, len: 0, count });
        Ok(None)
    }

    fn map(&mut self, count: u32) -> Result<Option<Value>, Failure> {
        let table = self.open(count, too_many)?;
        if count == 0 {
            return Ok(Some(Value::Table(table)));
        }
        self.open.push(Open::Key { table, left: count });
        Ok(None)
    }

    /// The table of an array or map, if there may be one more.
    fn open(&self, count: u32, too_deep: fn() -> Failure) -> Result<Table, Failure> {
        if self.open.len() >= NESTING_MAX && count > 0 {
            return Err(too_deep());
        }
        Ok(self.lua.create_table()?)
    }

    /// Puts a value where it belongs. Returns the array or map if that was the last of it.
    fn store(&mut self, open: Open, value: Value) -> Result<Option<Value>, Failure> {
        match open {
            Open::Array { table, len, count } => {
                let len = len + 1;
                if !value.is_nil() {
                    table.raw_set(len, value)?;
                }
                if len == count {
                    return Ok(Some(Value::Table(table)));
                }
                self.open.push(Open::Array { table, len, count });
            }
            Open::Key { table, left } => self.open.push(Open::Value { table, left, key: value }),
            Open::Value { table, left, key } => {
                check_key(&key)?;
                table.raw_set(key, value)?;
                if left == 1 {
                    return Ok(Some(Value::Table(table)));
                }
                self.open.push(Open::Key { table, left: left - 1 });
            }
        }
        Ok(None)
    }

    fn string(&mut self, len: u32) -> Result<Value, Failure> {
        let (text, rest) = self.rest.split_at_checked(len as usize).ok_or_else(missing)?;
        self.rest = rest;
        match self.lua.create_string(text) {
            Ok(text) => Ok(Value::String(text)),
            Err(mlua::Error::StackError) => Err(too_many()),
            Err(error) => Err(Failure::Lua(error)),
        }
    }

    fn count16(&mut self) -> Result<u32, Failure> {
        Ok(u16::from_be_bytes(self.take()?).into())
    }

    fn take<const LEN: usize>(&mut self) -> Result<[u8; LEN], Failure> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or_else(missing)?;
        self.rest = rest;
        Ok(*bytes)
    }
}

/// Refuses the two values that are no keys, in the words of the interpreter, which does not know
/// of a place for this error.
fn check_key(key: &Value) -> Result<(), Failure> {
    match key {
        Value::Nil => Err(Failure::Unplaced(b"table index is nil".to_vec())),
        Value::Number(number) if number.is_nan() => {
            Err(Failure::Unplaced(b"table index is NaN".to_vec()))
        }
        _ => Ok(()),
    }
}
