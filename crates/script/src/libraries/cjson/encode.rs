//! From values to JSON.

use lua::behind_seal;
use mlua::{LuaString, Table, Value};
use stdx::num::{write_f64_g, write_i64};

use super::NESTING_MAX;
use super::settings::{InvalidNumbers, Settings};
use crate::libraries::function::{Arguments, Failure, type_name};
use crate::libraries::output::Output;

/// The text of the call's argument.
pub(super) fn encode(
    call: &Arguments<'_>,
    settings: &Settings,
    array_metatable: &Table,
) -> Result<LuaString, Failure> {
    let mut encoder = Encoder { settings, array_metatable, out: Output::default() };
    encoder.value(call.get(1).unwrap_or(&Value::Nil), 0)?;
    encoder.out.into_string(call.lua)
}

struct Encoder<'a> {
    settings: &'a Settings,
    array_metatable: &'a Table,
    out: Output,
}

impl Encoder<'_> {
    fn value(&mut self, value: &Value, depth: i32) -> Result<(), Failure> {
        match value {
            Value::Nil => self.out.extend(b"null"),
            Value::LightUserData(pointer) if pointer.0.is_null() => self.out.extend(b"null"),
            Value::Boolean(true) => self.out.extend(b"true"),
            Value::Boolean(false) => self.out.extend(b"false"),
            Value::Integer(integer) => self.integer(*integer),
            Value::Number(number) => self.number(*number),
            Value::String(text) => self.string(&text.as_bytes()),
            Value::Table(table) => self.table(table, depth + 1),
            other => Err(unsupported(other, "type not supported")),
        }
    }

    fn table(&mut self, table: &Table, depth: i32) -> Result<(), Failure> {
        if depth > self.settings.encode_depth.min(NESTING_MAX) {
            return Err(Failure::error(format!("Cannot serialise, excessive nesting ({depth})")));
        }
        if let Some(behind) = behind_seal(table) {
            return self.table(&behind, depth);
        }
        let is_marked = || table.metatable().is_some_and(|found| found == *self.array_metatable);
        let array_len = if table.has_metatable() && is_marked() {
            Some(table.raw_len())
        } else {
            self.array_len(table)?.filter(|len| *len > 0)
        };
        match array_len {
            Some(len) => self.array(table, len, depth),
            None => self.object(table, depth),
        }
    }

    /// The largest index if the table is an array: all its keys are whole numbers from 1 to 2^31-1,
    /// and it is not too sparse.
    fn array_len(&self, table: &Table) -> Result<Option<usize>, Failure> {
        const INDEX_MAX: i64 = i32::MAX as i64;
        let (mut max, mut count) = (0_i64, 0_i64);
        for pair in table.pairs::<Value, Value>() {
            match pair?.0 {
                Value::Integer(index @ 1..=INDEX_MAX) => {
                    max = max.max(index);
                    count += 1;
                }
                _ => return Ok(None),
            }
        }
        let (ratio, safe) = (self.settings.sparse_ratio, self.settings.sparse_safe);
        let sparse = ratio > 0 && max > i64::from(safe) && max > count * i64::from(ratio);
        match (sparse, self.settings.sparse_convert) {
            (true, true) => Ok(None),
            (true, false) => {
                Err(Failure::error("Cannot serialise table: excessively sparse array"))
            }
            (false, _) => Ok(usize::try_from(max).ok()),
        }
    }

    fn array(&mut self, table: &Table, len: usize, depth: i32) -> Result<(), Failure> {
        self.out.push(b'[')?;
        for index in 1..=len {
            if index > 1 {
                self.out.push(b',')?;
            }
            let value: Value = table.raw_get(index)?;
            self.value(&value, depth)?;
        }
        self.out.push(b']')
    }

    fn object(&mut self, table: &Table, depth: i32) -> Result<(), Failure> {
        self.out.push(b'{')?;
        let mut first = true;
        for pair in table.pairs::<Value, Value>() {
            let (key, value) = pair?;
            if !first {
                self.out.push(b',')?;
            }
            first = false;
            self.key(&key)?;
            self.out.push(b':')?;
            self.value(&value, depth)?;
        }
        self.out.push(b'}')
    }

    fn key(&mut self, key: &Value) -> Result<(), Failure> {
        match key {
            Value::String(text) => return self.string(&text.as_bytes()),
            Value::Integer(_) | Value::Number(_) => {}
            other => return Err(unsupported(other, "table key must be a number or string")),
        }
        self.out.push(b'"')?;
        self.value(key, 0)?;
        self.out.push(b'"')
    }

    fn integer(&mut self, integer: i64) -> Result<(), Failure> {
        let digits = self.settings.precision as u32;
        // Up to so many digits the number is printed as it is.
        if integer.unsigned_abs() < 10_u64.pow(digits) {
            write_i64(self.out.short()?, integer);
            return Ok(());
        }
        self.number(integer as f64)
    }

    fn number(&mut self, number: f64) -> Result<(), Failure> {
        if !number.is_finite() {
            match self.settings.encode_invalid_numbers {
                InvalidNumbers::Written => {}
                InvalidNumbers::Null => return self.out.extend(b"null"),
                InvalidNumbers::Refused => {
                    let text = "Cannot serialise number: must not be NaN or Inf";
                    return Err(Failure::error(text));
                }
            }
        }
        write_f64_g(self.out.short()?, number, self.settings.precision as u8);
        Ok(())
    }

    /// A string in quotes. Bytes from 128 on stay as they are, whatever they mean.
    fn string(&mut self, text: &[u8]) -> Result<(), Failure> {
        self.out.push(b'"')?;
        let mut rest = text;
        while let Some(at) = rest.iter().position(|byte| is_escaped(*byte)) {
            self.out.extend(&rest[..at])?;
            self.escape(rest[at])?;
            rest = &rest[at + 1..];
        }
        self.out.extend(rest)?;
        self.out.push(b'"')
    }

    fn escape(&mut self, byte: u8) -> Result<(), Failure> {
        let short: &[u8; 2] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'/' => b"\\/",
            8 => b"\\b",
            b'\t' => b"\\t",
            b'\n' => b"\\n",
            12 => b"\\f",
            b'\r' => b"\\r",
            _ => return self.out.extend(format!("\\u{byte:04x}").as_bytes()),
        };
        self.out.extend(short)
    }
}

const fn is_escaped(byte: u8) -> bool {
    matches!(byte, 0..=31 | 127 | b'"' | b'\\' | b'/')
}

fn unsupported(value: &Value, why: &str) -> Failure {
    Failure::error(format!("Cannot serialise {}: {why}", type_name(value)))
}
