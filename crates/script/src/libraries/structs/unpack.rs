//! `struct.unpack`.

use mlua::Value;

use super::format::{Format, Item, Member};
use super::{Arguments, Failure};
use crate::libraries::cast;
use crate::libraries::function::Results;

/// The values in a string by a format, and the position after them. The third argument is the
/// position, from one, at which to begin.
pub(super) fn unpack(call: &Arguments<'_>) -> Result<Results, Failure> {
    let text = call.string(1)?;
    let text = text.as_bytes();
    let data = call.string(2)?;
    let data = data.as_bytes();
    let position = call.integer_or(3, 1)?;
    if position == 0 {
        return Err(Failure::argument(3, "offset must be 1 or greater"));
    }
    let at = position.wrapping_sub(1).cast_unsigned();
    let mut unpacker =
        Unpacker { call, format: Format::new(&text), data: &data, at, results: Results::default() };
    while let Some(item) = unpacker.format.next()? {
        unpacker.item(&item)?;
    }
    let after = Value::Number(unpacker.at.wrapping_add(1) as f64);
    unpacker.push(after)?;
    Ok(unpacker.results)
}

struct Unpacker<'a> {
    call: &'a Arguments<'a>,
    format: Format<'a>,
    data: &'a [u8],
    /// Where the next item begins. It may lie outside of the data until something is read.
    at: u64,
    results: Results,
}

impl<'a> Unpacker<'a> {
    fn item(&mut self, item: &Item) -> Result<(), Failure> {
        self.at = self.at.wrapping_add(self.format.padding(self.at, item));
        let bytes = self.ahead(item.size)?;
        let value = match item.member {
            Member::Padding => None,
            Member::Integer { signed } => {
                let integer = integer(bytes, self.format.big_endian);
                Some(Value::Number(match signed {
                    true => sign_extended(integer, item.size) as f64,
                    false => integer as f64,
                }))
            }
            Member::Float => {
                Some(Value::Number(f64::from(f32::from_be_bytes(self.ordered(bytes)))))
            }
            Member::Double => Some(Value::Number(f64::from_be_bytes(self.ordered(bytes)))),
            Member::Bytes if item.size == 0 => return self.counted(),
            Member::Bytes => Some(self.string(bytes)?),
            Member::Terminated => return self.terminated(),
            Member::Other(letter) => return self.format.control(letter),
        };
        self.at += item.size;
        value.map_or(Ok(()), |value| self.push(value))
    }

    /// The bytes here, without going past them.
    fn ahead(&self, size: u64) -> Result<&'a [u8], Failure> {
        let range = usize::try_from(self.at).ok().zip(usize::try_from(size).ok());
        range
            .and_then(|(at, size)| self.data.get(at..)?.get(..size))
            .ok_or_else(|| Failure::argument(2, "data string too short"))
    }

    /// As many bytes as the value before says, which is taken back.
    fn counted(&mut self) -> Result<(), Failure> {
        let size = match self.results.pop() {
            Some(value) => self.call.lua.coerce_number(value)?,
            None => None,
        };
        let Some(size) = size.map(cast::to_u64) else {
            return Err(Failure::error("format 'c0' needs a previous size"));
        };
        let bytes = self.ahead(size)?;
        self.at += size;
        let value = self.string(bytes)?;
        self.push(value)
    }

    fn terminated(&mut self) -> Result<(), Failure> {
        let rest = self.ahead(0).map(|_| &self.data[self.at as usize..])?;
        let len = rest
            .iter()
            .position(|byte| *byte == 0)
            .ok_or_else(|| Failure::error("unfinished string in data"))?;
        self.at += len as u64 + 1;
        let value = self.string(&rest[..len])?;
        self.push(value)
    }

    fn string(&self, bytes: &[u8]) -> Result<Value, Failure> {
        match self.call.lua.create_string(bytes) {
            Ok(text) => Ok(Value::String(text)),
            Err(mlua::Error::StackError) => Err(too_many()),
            Err(error) => Err(Failure::Lua(error)),
        }
    }

    fn push(&mut self, value: Value) -> Result<(), Failure> {
        self.results.push(value).ok_or_else(too_many)
    }

    /// The bytes of a float in the order that the format says, highest first.
    fn ordered<const LEN: usize>(&self, bytes: &[u8]) -> [u8; LEN] {
        let mut big: [u8; LEN] = bytes.try_into().expect("a member has as many bytes as its size");
        if !self.format.big_endian {
            big.reverse();
        }
        big
    }
}

fn too_many() -> Failure {
    Failure::error("stack overflow (too many results)")
}

/// The low 64 bits of an integer of any size.
fn integer(bytes: &[u8], big_endian: bool) -> u64 {
    let append = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    if big_endian { bytes.iter().fold(0, append) } else { bytes.iter().rev().fold(0, append) }
}

/// The integer with its sign bit spread over all bits above. For sizes other than 1 to 8 bytes the
/// bit that counts as the sign is found modulo 64, as the processor shifts.
fn sign_extended(integer: u64, size: u64) -> i64 {
    let sign = (size * 8).wrapping_sub(1) % 64;
    let mask = u64::MAX << sign;
    let extended = if integer & mask == 0 { integer } else { integer | mask };
    extended.cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs() {
        assert_eq!(sign_extended(0xff, 1), -1);
        assert_eq!(sign_extended(0x7f, 1), 127);
        assert_eq!(sign_extended(0x00ff_ffff, 3), -1);
        assert_eq!(sign_extended(u64::MAX, 8), -1);
        assert_eq!(sign_extended(9, 16), 9);
        assert_eq!(sign_extended(0, 0), 0);
    }

    #[test]
    fn the_low_bytes_of_long_integers() {
        let mut bytes = [0; 16];
        bytes[15] = 9;
        assert_eq!(integer(&bytes, true), 9);
        assert_eq!(integer(&bytes, false), 0);
    }
}
