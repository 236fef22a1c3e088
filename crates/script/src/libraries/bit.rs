//! `bit`: operations on the bits of 32-bit integers.
//!
//! A number is first *normalized*: rounded to the nearest integer, halves to even, and reduced to
//! its low 32 bits. Results are signed. Shift distances count modulo 32.

use mlua::Lua;

use super::function::{Arguments, Failure, add};

/// Makes one number of two.
type Combine = fn(u32, u32) -> u32;

/// Registers the library.
pub(crate) fn register(lua: &Lua) -> mlua::Result<()> {
    let library = lua.create_table()?;
    add(lua, &library, "tobit", |call| Ok(signed(operand(call, 1)?)))?;
    add(lua, &library, "bnot", |call| Ok(signed(!operand(call, 1)?)))?;
    add(lua, &library, "bswap", |call| Ok(signed(operand(call, 1)?.swap_bytes())))?;
    add(lua, &library, "tohex", to_hex)?;
    let folds: [(&str, Combine); 3] =
        [("band", |a, b| a & b), ("bor", |a, b| a | b), ("bxor", |a, b| a ^ b)];
    for (name, combine) in folds {
        add(lua, &library, name, move |call| fold(call, combine))?;
    }
    let shifts: [(&str, Combine); 5] = [
        ("lshift", |bits, by| bits << by),
        ("rshift", |bits, by| bits >> by),
        ("arshift", |bits, by| (bits.cast_signed() >> by).cast_unsigned()),
        ("rol", u32::rotate_left),
        ("ror", u32::rotate_right),
    ];
    for (name, shift) in shifts {
        add(lua, &library, name, move |call| {
            let (bits, by) = (operand(call, 1)?, operand(call, 2)?);
            Ok(signed(shift(bits, by % u32::BITS)))
        })?;
    }
    lua.globals().raw_set("bit", library)
}

/// The low 32 bits of the number, rounded.
fn normalize(number: f64) -> u32 {
    // A double of this size has steps of one, so the addition rounds and leaves the integer in the
    // low bits of the significand. For numbers beyond 2^51 the result is as arbitrary as it is in
    // every implementation of the library.
    const SHIFTED_POINT: f64 = 6_755_399_441_055_744.0; // 2^52 + 2^51
    (number + SHIFTED_POINT).to_bits() as u32
}

fn operand(call: &Arguments<'_>, number: usize) -> Result<u32, Failure> {
    call.number(number).map(normalize)
}

const fn signed(bits: u32) -> i32 {
    bits.cast_signed()
}

fn fold(call: &Arguments<'_>, combine: fn(u32, u32) -> u32) -> Result<i32, Failure> {
    let mut bits = operand(call, 1)?;
    for number in 2..=call.len() {
        bits = combine(bits, operand(call, number)?);
    }
    Ok(signed(bits))
}

/// The lowest digits, as many as the second argument says; a negative count asks for capitals.
fn to_hex(call: &Arguments<'_>) -> Result<String, Failure> {
    const DIGITS: usize = 8;
    let bits = operand(call, 1)?;
    let count = if call.len() < 2 { DIGITS as i32 } else { signed(operand(call, 2)?) };
    let text = if count < 0 { format!("{bits:08X}") } else { format!("{bits:08x}") };
    let shown = DIGITS.min(count.unsigned_abs() as usize);
    Ok(text[DIGITS - shown..].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_to_even_numbers() {
        let rounded = [0.5, 1.5, 2.5, -0.5, -1.5].map(|number| signed(normalize(number)));
        assert_eq!(rounded, [0, 2, 2, 0, -2]);
    }

    #[test]
    fn only_the_low_bits_count() {
        assert_eq!(signed(normalize(4_294_967_295.0)), -1);
        assert_eq!(normalize(4_294_967_296.0), 0);
        assert_eq!(signed(normalize(-1_099_511_627_781.0)), -5);
    }
}
