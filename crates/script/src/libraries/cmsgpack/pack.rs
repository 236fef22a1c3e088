//! `cmsgpack.pack`: values to bytes, each in the shortest form there is for it.

use lua::behind_seal;
use mlua::{LuaString, Table, Value};

use super::{Arguments, Failure};
use crate::libraries::cast;
use crate::libraries::output::Output;

/// Tables within tables. What is deeper is packed as nil, so tables that contain themselves end.
const NESTING_MAX: usize = 16;

/// The bytes of all arguments, one after the other.
pub(super) fn pack(call: &Arguments<'_>) -> Result<LuaString, Failure> {
    if call.len() == 0 {
        return Err(Failure::argument(0, "MessagePack pack needs input."));
    }
    let mut out = Output::default();
    for number in 1..=call.len() {
        value(&mut out, call.get(number).unwrap_or(&Value::Nil), 0)?;
    }
    out.into_string(call.lua)
}

fn value(out: &mut Output, value: &Value, depth: usize) -> Result<(), Failure> {
    match value {
        Value::Boolean(false) => out.push(0xc2),
        Value::Boolean(true) => out.push(0xc3),
        Value::Integer(number) => integer(out, *number),
        Value::Number(number) => float(out, *number),
        Value::String(text) => string(out, &text.as_bytes()),
        Value::Table(inner) if depth < NESTING_MAX => table(out, inner, depth + 1),
        // Functions and the like have no form either.
        _ => out.push(0xc0),
    }
}

fn integer(out: &mut Output, number: i64) -> Result<(), Failure> {
    let bytes = number.to_be_bytes();
    let (marker, len) = match number {
        -32..=127 => return out.push(bytes[7]),
        128..=0xff => (0xcc, 1),
        0x100..=0xffff => (0xcd, 2),
        0x1_0000..=0xffff_ffff => (0xce, 4),
        0x1_0000_0000.. => (0xcf, 8),
        -0x80..=-33 => (0xd0, 1),
        -0x8000..=-0x81 => (0xd1, 2),
        -0x8000_0000..=-0x8001 => (0xd2, 4),
        ..=-0x8000_0001 => (0xd3, 8),
    };
    out.push(marker)?;
    out.extend(&bytes[8 - len..])
}

/// A number with a fraction, or too large for an integer; in four bytes if they hold it exactly.
fn float(out: &mut Output, number: f64) -> Result<(), Failure> {
    if let Some(whole) = cast::exact_i64(number) {
        return integer(out, whole);
    }
    let single = number as f32;
    if f64::from(single) == number {
        out.push(0xca)?;
        out.extend(&single.to_be_bytes())
    } else {
        out.push(0xcb)?;
        out.extend(&number.to_be_bytes())
    }
}

fn string(out: &mut Output, text: &[u8]) -> Result<(), Failure> {
    let len = text.len();
    match len {
        0..=31 => out.push(0xa0 | len as u8)?,
        32..=0xff => out.extend(&[0xd9, len as u8])?,
        _ => counted(out, [0xda, 0xdb], len)?,
    }
    out.extend(text)
}

fn table(out: &mut Output, table: &Table, depth: usize) -> Result<(), Failure> {
    let behind = behind_seal(table);
    let table = behind.as_ref().unwrap_or(table);
    let shape = Shape::of(table)?;
    let (short, long) = if shape.is_array { (0x90, [0xdc, 0xdd]) } else { (0x80, [0xde, 0xdf]) };
    match shape.count {
        0..=15 => out.push(short | shape.count as u8)?,
        count => counted(out, long, count)?,
    }
    if shape.is_array {
        for index in 1..=shape.count {
            value(out, &table.raw_get(index)?, depth)?;
        }
        return Ok(());
    }
    for pair in table.pairs::<Value, Value>() {
        let (key, item) = pair?;
        value(out, &key, depth)?;
        value(out, &item, depth)?;
    }
    Ok(())
}

/// A marker and a count of two or four bytes, each with its own marker.
fn counted(out: &mut Output, markers: [u8; 2], count: usize) -> Result<(), Failure> {
    if let Ok(count) = u16::try_from(count) {
        out.push(markers[0])?;
        return out.extend(&count.to_be_bytes());
    }
    let count = u32::try_from(count)
        .map_err(|_| Failure::error("the result would be longer than a string may be"))?;
    out.push(markers[1])?;
    out.extend(&count.to_be_bytes())
}

/// What a table is packed as.
struct Shape {
    /// Its keys are 1, 2, 3 and so on.
    is_array: bool,
    count: usize,
}

impl Shape {
    fn of(table: &Table) -> Result<Self, Failure> {
        let (mut count, mut max, mut whole) = (0_usize, 0_i64, true);
        for pair in table.pairs::<Value, Value>() {
            match pair?.0 {
                Value::Integer(index) if index > 0 => max = max.max(index),
                _ => whole = false,
            }
            count += 1;
        }
        Ok(Self { is_array: whole && usize::try_from(max) == Ok(count), count })
    }
}
