//! `struct.pack`.

use mlua::LuaString;

use super::format::{Format, Item, Member};
use super::{Arguments, Failure};
use crate::libraries::cast;
use crate::libraries::output::Output;

/// The bytes of the values by the format in front of them.
pub(super) fn pack(call: &Arguments<'_>) -> Result<LuaString, Failure> {
    let text = call.string(1)?;
    let text = text.as_bytes();
    let mut packer =
        Packer { call, format: Format::new(&text), out: Output::default(), argument: 1 };
    while let Some(item) = packer.format.next()? {
        let padding = packer.format.padding(packer.out.len() as u64, &item);
        packer.out.fill(0, padding)?;
        packer.item(&item)?;
    }
    packer.out.into_string(call.lua)
}

struct Packer<'a> {
    call: &'a Arguments<'a>,
    format: Format<'a>,
    out: Output,
    /// The last argument that was used.
    argument: usize,
}

impl Packer<'_> {
    fn item(&mut self, item: &Item) -> Result<(), Failure> {
        match item.member {
            Member::Padding => self.out.push(0),
            Member::Integer { .. } => {
                let number = self.number()?;
                let value =
                    if number < 0.0 { cast::to_i64(number) as u64 } else { cast::to_u64(number) };
                self.integer(value, item.size as usize)
            }
            Member::Float => {
                let bytes = (self.number()? as f32).to_be_bytes();
                self.ordered(bytes)
            }
            Member::Double => {
                let bytes = self.number()?.to_be_bytes();
                self.ordered(bytes)
            }
            Member::Bytes => {
                let value = self.string()?;
                let value = value.as_bytes();
                let size = if item.size == 0 { value.len() } else { item.size as usize };
                let bytes = value
                    .get(..size)
                    .ok_or_else(|| Failure::argument(self.argument + 1, "string too short"))?;
                self.out.extend(bytes)
            }
            Member::Terminated => {
                let value = self.string()?;
                self.out.extend(&value.as_bytes())?;
                self.out.push(0)
            }
            Member::Other(letter) => self.format.control(letter),
        }
    }

    fn number(&mut self) -> Result<f64, Failure> {
        self.next_argument("number")?;
        self.call.number(self.argument)
    }

    fn string(&mut self) -> Result<LuaString, Failure> {
        self.next_argument("string")?;
        self.call.string(self.argument)
    }

    /// Goes to the next argument. One too few is called nil, not missing.
    fn next_argument(&mut self, wanted: &str) -> Result<(), Failure> {
        self.argument += 1;
        if self.argument <= self.call.len() {
            return Ok(());
        }
        Err(Failure::argument(self.argument, format!("{wanted} expected, got nil")))
    }

    /// Writes an integer of any size. One longer than 8 bytes is filled with zeros, even if it
    /// is negative.
    fn integer(&mut self, value: u64, size: usize) -> Result<(), Failure> {
        let bytes = value.to_le_bytes();
        let mut little = [0; 32];
        little[..bytes.len()].copy_from_slice(&bytes);
        let little = &mut little[..size];
        if self.format.big_endian {
            little.reverse();
        }
        self.out.extend(little)
    }

    fn ordered<const LEN: usize>(&mut self, mut big: [u8; LEN]) -> Result<(), Failure> {
        if !self.format.big_endian {
            big.reverse();
        }
        self.out.extend(&big)
    }
}
