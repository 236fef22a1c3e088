//! Doubles: C's `strtod` grammar in, two decimal forms out.

use rustc_apfloat::Float;
use rustc_apfloat::ieee::Double;

use super::write_i64;

/// What the digits of an accepted number looked like, before anything was rounded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// `inf` or `infinity` in any case, with or without sign.
    Infinity,
    /// Digits with an optional point and exponent.
    Decimal,
    /// `0x`, hexadecimal digits, an optional binary exponent.
    Hexadecimal,
}

/// Checks `text` against the grammar of C's `strtod`, without the leading white space that Redis
/// refuses: an optional sign, then infinity, a decimal or a hexadecimal number. Not-a-number is
/// refused. Returns the shape and whether any digit of the significand is other than zero.
pub(super) fn classify(text: &[u8]) -> Option<(Shape, bool)> {
    let unsigned = match text {
        [b'+' | b'-', rest @ ..] => rest,
        _ => text,
    };
    if unsigned.eq_ignore_ascii_case(b"inf") || unsigned.eq_ignore_ascii_case(b"infinity") {
        return Some((Shape::Infinity, true));
    }
    let (shape, digits, exponent_mark) = match unsigned {
        [b'0', b'x' | b'X', rest @ ..] => (Shape::Hexadecimal, rest, b'p'),
        _ => (Shape::Decimal, unsigned, b'e'),
    };
    let is_digit = |b: &u8| match shape {
        Shape::Hexadecimal => b.is_ascii_hexdigit(),
        _ => b.is_ascii_digit(),
    };
    let (mut seen, mut nonzero, mut point) = (false, false, false);
    let mut at = 0;
    while let Some(byte) = digits.get(at) {
        if is_digit(byte) {
            seen = true;
            nonzero |= *byte != b'0';
        } else if *byte == b'.' && !point {
            point = true;
        } else {
            break;
        }
        at += 1;
    }
    let valid_end = match digits[at..] {
        [] => true,
        [mark, ref exponent @ ..] if mark.eq_ignore_ascii_case(&exponent_mark) => {
            let exponent = match exponent {
                [b'+' | b'-', rest @ ..] => rest,
                _ => exponent,
            };
            !exponent.is_empty() && exponent.iter().all(u8::is_ascii_digit)
        }
        _ => false,
    };
    (seen && valid_end).then_some((shape, nonzero))
}

/// `text`, known to be a hexadecimal number, with the exponent that the float library demands.
pub(super) fn with_exponent(text: &str) -> String {
    let mark = if text.contains(['p', 'P']) { "" } else { "p0" };
    format!("{text}{mark}")
}

/// Parses a double as Redis parses scores, increments and coordinates.
///
/// The grammar is that of C's `strtod`: `3`, `-3.5e2`, `.5`, `5.`, `+inf`, `0x1p-3`. Refused are
/// not-a-number, spaces, anything after the number, and numbers whose magnitude is too large or
/// so small that it would become zero.
pub fn parse_f64(text: &[u8]) -> Option<f64> {
    if let Some(value) = parse_short_decimal(text) {
        return Some(value);
    }
    let (shape, nonzero) = classify(text)?;
    let text = str::from_utf8(text).ok()?;
    let value = match shape {
        Shape::Hexadecimal => {
            let value: Double = with_exponent(text).parse().ok()?;
            f64::from_bits(value.to_bits() as u64)
        }
        Shape::Infinity | Shape::Decimal => text.parse().ok()?,
    };
    let out_of_range =
        (value.is_infinite() && shape != Shape::Infinity) || (value == 0.0 && nonzero);
    (!out_of_range).then_some(value)
}

/// Parses a decimal number, or an infinite one: what is too large is infinite and what is too small
/// is zero. Refused are not-a-number, hexadecimal numbers, spaces, and anything after the number.
pub fn parse_f64_saturating(text: &[u8]) -> Option<f64> {
    parse_short_decimal(text).or_else(|| {
        let value: f64 = str::from_utf8(text).ok()?.parse().ok()?;
        (!value.is_nan()).then_some(value)
    })
}

/// As [`parse_f64_saturating`], as bounds of scores and weights of `SORT` are read: no text at all
/// is zero, and nothing behind a NUL is seen.
pub fn parse_f64_lenient(text: &[u8]) -> Option<f64> {
    let end = memchr::memchr(0, text).unwrap_or(text.len());
    if end == 0 { Some(0.0) } else { parse_f64_saturating(&text[..end]) }
}

/// Parses a decimal number of at most 15 digits without an exponent, which by far the most are: the
/// digits and the power of ten behind the point are both exact as doubles, so that their quotient
/// is the double nearest to the number. `None` says nothing of the text but that it is not so.
fn parse_short_decimal(text: &[u8]) -> Option<f64> {
    const DIGITS_MAX: usize = 15;
    const POWERS: [f64; DIGITS_MAX + 1] =
        [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    let (is_negative, unsigned) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    // One more for the point.
    if unsigned.len() > DIGITS_MAX + 1 {
        return None;
    }
    let (mut significand, mut digits, mut point) = (0_u64, 0, None);
    for &byte in unsigned {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            significand = significand * 10 + u64::from(digit);
            digits += 1;
        } else if byte == b'.' && point.is_none() {
            point = Some(digits);
        } else {
            return None;
        }
    }
    if digits == 0 || digits > DIGITS_MAX {
        return None;
    }
    let value = significand as f64 / POWERS[digits - point.unwrap_or(digits)];
    Some(if is_negative { -value } else { value })
}

/// Appends the shortest text that reads back as `value`, laid out as Redis prints scores and
/// RESP3 doubles since version 7.2: whole numbers up to 2^62 as integers, `inf`, `-inf`, `nan`,
/// an exponent only where the plain form would be long (`1e+21`, `1.5e-7`).
///
/// The text is always the shortest and, of those, the nearest. The algorithm of the original
/// misses it for a few numbers in a thousand and prints one digit more, or another last digit;
/// both texts read back as the same number.
pub fn write_f64(out: &mut Vec<u8>, value: f64) {
    const INTEGER_MAX: f64 = (1_u64 << 62) as f64;
    if write_special(out, value) {
        return;
    }
    if value.abs() <= INTEGER_MAX && value == value.trunc() {
        return write_i64(out, value as i64);
    }
    let mut buffer = zmij::Buffer::new();
    let (digits, digit_len, exponent) = decompose(buffer.format_finite(value.abs()));
    if value < 0.0 {
        out.push(b'-');
    }
    layout_shortest(out, &digits[..digit_len], exponent);
}

/// Appends `value` as C's `%.17g` prints it, the form that Redis 7.0 uses on the wire: up to 17
/// significant digits, no trailing zeros, an exponent below 10^-4 and from 10^17 on.
pub fn write_f64_17g(out: &mut Vec<u8>, value: f64) {
    write_f64_g(out, value, 17);
}

/// Appends `value` as C's `%.<precision>g` prints it, but for not-a-number, whose sign it drops.
/// The precision counts significant digits, 1 to 17. Lua prints its numbers with 14.
pub fn write_f64_g(out: &mut Vec<u8>, value: f64, precision: u8) {
    if write_special(out, value) {
        return;
    }
    let precision = usize::from(precision.clamp(1, 17));
    // So many digits, correctly rounded, always with an exponent.
    let text = format!("{:.*e}", precision - 1, value.abs());
    let (digits, digit_len, exponent) = decompose(&text);
    let digits = &digits[..digit_len];
    if value < 0.0 {
        out.push(b'-');
    }
    if (-4..precision as i32).contains(&exponent) {
        write_plain(out, digits, exponent);
    } else {
        write_scientific(out, digits, exponent, 2);
    }
}

/// Writes what has no digits: not-a-number, the infinities, and the zeros.
fn write_special(out: &mut Vec<u8>, value: f64) -> bool {
    let word: &[u8] = match value {
        _ if value.is_nan() => b"nan",
        f64::INFINITY => b"inf",
        f64::NEG_INFINITY => b"-inf",
        _ if value == 0.0 && value.is_sign_negative() => b"-0",
        0.0 => b"0",
        _ => return false,
    };
    out.extend_from_slice(word);
    true
}

/// Splits the text of a positive finite number into its significant digits, without zeros at
/// either end, and the decimal exponent of the first: 0.0123 is 123 and -2.
fn decompose(text: &str) -> ([u8; 20], usize, i32) {
    let (significand, exponent) = match text.split_once('e') {
        Some((head, tail)) => (head, tail.parse().expect("the formatter wrote the exponent")),
        None => (text, 0),
    };
    let mut digits = [0; 20];
    let mut len = 0;
    let mut point = None;
    let mut skipped_zeros = 0;
    for byte in significand.bytes() {
        match byte {
            b'.' => point = Some(len + skipped_zeros),
            b'0' if len == 0 => skipped_zeros += 1,
            _ => {
                // Zeros after the last digit that is not zero are cut off below; a formatter
                // that writes large numbers plainly may have more of them than fit.
                if len < digits.len() {
                    digits[len] = byte;
                }
                len += 1;
            }
        }
    }
    let before_point = point.unwrap_or(len + skipped_zeros) as i32;
    let kept =
        digits[..len.min(digits.len())].iter().rposition(|&d| d != b'0').map_or(0, |i| i + 1);
    (digits, kept, exponent + before_point - skipped_zeros as i32 - 1)
}

/// The layout of the shortest form. `exponent` is that of the first digit.
fn layout_shortest(out: &mut Vec<u8>, digits: &[u8], exponent: i32) {
    let len = digits.len() as i32;
    // The power of ten that the digits, read as an integer, are multiplied with.
    let scale = exponent - len + 1;
    let plain = if scale >= 0 { exponent < len + 7 } else { scale > -7 || exponent.abs() < 4 };
    if plain {
        write_plain(out, digits, exponent)
    } else {
        write_scientific(out, digits, exponent, 1)
    }
}

/// Digits with a point where it belongs and zeros as needed.
fn write_plain(out: &mut Vec<u8>, digits: &[u8], exponent: i32) {
    let Ok(last_integer_digit) = usize::try_from(exponent) else {
        out.extend_from_slice(b"0.");
        out.extend(std::iter::repeat_n(b'0', exponent.unsigned_abs() as usize - 1));
        return out.extend_from_slice(digits);
    };
    let integer_len = last_integer_digit + 1;
    if digits.len() <= integer_len {
        out.extend_from_slice(digits);
        out.extend(std::iter::repeat_n(b'0', integer_len - digits.len()));
    } else {
        out.extend_from_slice(&digits[..integer_len]);
        out.push(b'.');
        out.extend_from_slice(&digits[integer_len..]);
    }
}

/// One digit, the others after a point, and a signed exponent of at least `exponent_width` digits.
fn write_scientific(out: &mut Vec<u8>, digits: &[u8], exponent: i32, exponent_width: usize) {
    out.push(digits[0]);
    if digits.len() > 1 {
        out.push(b'.');
        out.extend_from_slice(&digits[1..]);
    }
    out.extend_from_slice(if exponent < 0 { b"e-" } else { b"e+" });
    let exponent = exponent.unsigned_abs();
    if exponent_width == 2 && exponent < 10 {
        out.push(b'0');
    }
    write_i64(out, i64::from(exponent));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    fn shortest(value: f64) -> String {
        let mut out = Vec::new();
        write_f64(&mut out, value);
        String::from_utf8(out).unwrap()
    }

    fn seventeen(value: f64) -> String {
        let mut out = Vec::new();
        write_f64_17g(&mut out, value);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_servers_accept() {
        for (text, value) in [
            ("3", 3.0),
            ("-3.5e2", -350.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("+7", 7.0),
            ("007", 7.0),
            ("inf", f64::INFINITY),
            ("-INF", f64::NEG_INFINITY),
            ("+Infinity", f64::INFINITY),
            ("0x1p-3", 0.125),
            ("-0X1F", -31.0),
            ("0x.8", 0.5),
            ("4.9e-324", 5e-324),
            ("0e-99999999999", 0.0),
            ("1.7976931348623158e308", f64::MAX),
            ("12345678901234567890", 12345678901234567890.0),
        ] {
            assert_eq!(parse_f64(text.as_bytes()), Some(value), "{text}");
        }
        assert!(parse_f64(b"-0").is_some_and(|zero| zero == 0.0 && zero.is_sign_negative()));
    }

    /// Short texts take a short way, which must lead to the same place.
    #[test]
    fn short_decimals_are_rounded_like_long_ones() {
        let seed = std::env::var("SEED").map_or(20_261_121, |seed| seed.parse().unwrap());
        println!("replay with: SEED={seed} cargo test -p stdx short_decimals");
        let mut rng = Rng::seed(seed);
        for _ in 0..200_000 {
            let digits = 1 + rng.index(17);
            let mut text: Vec<u8> = (0..digits).map(|_| b'0' + rng.index(10) as u8).collect();
            if rng.chance(2, 3) {
                text.insert(rng.index(digits + 1), b'.');
            }
            if rng.chance(1, 3) {
                text.insert(0, b"+-"[rng.index(2)]);
            }
            let text = String::from_utf8(text).unwrap();
            let expected: f64 = text.parse().unwrap();
            let parsed = parse_f64(text.as_bytes()).unwrap();
            assert_eq!(parsed.to_bits(), expected.to_bits(), "{text}");
        }
    }

    #[test]
    fn what_servers_refuse() {
        for text in [
            "",
            " 1",
            "1 ",
            "nan",
            "-nan",
            "nan(1)",
            "infin",
            "1e",
            "1e+",
            "0x",
            "0x1p",
            ".",
            "+",
            "-",
            "1_0",
            "1,0",
            "--1",
            "1e400",
            "-1e400",
            "1e-400",
            "0x1p1024",
            "0x1p-1080",
            "1.2.3",
            "1f",
            "0x1e1p",
            "1\0",
            "e5",
            ".e5",
        ] {
            assert_eq!(parse_f64(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(parse_f64(b"\xff"), None);
    }

    /// The pairs were printed by Valkey 8.1 and by Redis 7.0.
    #[test]
    fn both_forms_of_reference_servers() {
        for (value, short, long) in [
            (0.0, "0", "0"),
            (-0.0, "-0", "-0"),
            (3.0, "3", "3"),
            (-1.5, "-1.5", "-1.5"),
            (0.1, "0.1", "0.10000000000000001"),
            (1e17, "100000000000000000", "1e+17"),
            (4e18, "4000000000000000000", "4e+18"),
            (1e21, "1e+21", "1e+21"),
            (1e-5, "0.00001", "1.0000000000000001e-05"),
            (1e-6, "0.000001", "9.9999999999999995e-07"),
            (1e-7, "1e-7", "9.9999999999999995e-08"),
            (1.5e-7, "1.5e-7", "1.4999999999999999e-07"),
            (123_456_789.123_456_7, "1.234567891234567e+8", "123456789.1234567"),
            (1.25e300, "1.25e+300", "1.2500000000000001e+300"),
            (5e-324, "5e-324", "4.9406564584124654e-324"),
            (f64::MAX, "1.7976931348623157e+308", "1.7976931348623157e+308"),
            (f64::INFINITY, "inf", "inf"),
            (f64::NEG_INFINITY, "-inf", "-inf"),
            (f64::NAN, "nan", "nan"),
        ] {
            assert_eq!((shortest(value).as_str(), seventeen(value).as_str()), (short, long));
        }
    }

    /// As Lua 5.1 prints them.
    #[test]
    fn fourteen_digits() {
        for (value, expected) in [
            (1.0 / 3.0, "0.33333333333333"),
            (123_456_789_012_345.0, "1.2345678901234e+14"),
            (99_999_999_999_999.0, "99999999999999"),
            (99_999_999_999_999.9, "1e+14"),
            (1e15, "1e+15"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (-2.5, "-2.5"),
            (9_007_199_254_740_992.0, "9.007199254741e+15"),
        ] {
            let mut out = Vec::new();
            write_f64_g(&mut out, value, 14);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
        let mut out = Vec::new();
        write_f64_g(&mut out, 3.54159, 3);
        assert_eq!(out, b"3.54");
    }

    #[test]
    fn both_forms_read_back() {
        let seed = 0x5eed;
        let mut rng = Rng::seed(seed);
        for round in 0..200_000 {
            let value = match round % 3 {
                0 => f64::from_bits(rng.next_u64()),
                1 => rng.unit_f64() * 1e6 - 5e5,
                _ => (rng.below(1 << 40) as f64) / 10_f64.powi(rng.below(12) as i32),
            };
            if value.is_nan() {
                continue;
            }
            for text in [shortest(value), seventeen(value)] {
                assert_eq!(parse_f64(text.as_bytes()), Some(value), "{text}, seed {seed}");
            }
        }
    }
}
