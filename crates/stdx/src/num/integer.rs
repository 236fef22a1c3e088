//! 64-bit integers: the strict decimal form, and C's lenient one where commands still take it.

/// The longest decimal form of an `i64`: `-9223372036854775808`.
const I64_LEN_MAX: usize = 20;

/// Parses the one canonical decimal form of an `i64`: an optional minus, no plus, no leading
/// zeros, no `-0`, no spaces. So a text that parses is exactly what [`write_i64`] prints.
#[inline]
pub fn parse_i64(text: &[u8]) -> Option<i64> {
    match *text {
        [digit @ b'0'..=b'9'] => Some(i64::from(digit - b'0')),
        [b'-', ref digits @ ..] if text.len() <= I64_LEN_MAX => {
            let magnitude = parse_canonical(digits)?;
            // -0 is not canonical; 2^63 is the one magnitude whose negation alone fits.
            if magnitude == 0 { None } else { 0_i64.checked_sub_unsigned(magnitude) }
        }
        _ => i64::try_from(parse_u64(text)?).ok(),
    }
}

/// Parses the canonical decimal form of a `u64`: digits without sign, spaces or leading zeros.
#[inline]
pub fn parse_u64(text: &[u8]) -> Option<u64> {
    if text.len() > I64_LEN_MAX {
        return None;
    }
    parse_canonical(text)
}

/// Digits only, the first not zero unless it is the only one. At most 20 of them.
#[inline]
fn parse_canonical(digits: &[u8]) -> Option<u64> {
    match *digits {
        [] => None,
        [b'0'] => Some(0),
        [b'0', ..] => None,
        // Nineteen digits cannot overflow, so the usual case needs no checks.
        _ if digits.len() < I64_LEN_MAX => digits.iter().try_fold(0, |value: u64, &byte| {
            let digit = byte.wrapping_sub(b'0');
            (digit <= 9).then(|| value * 10 + u64::from(digit))
        }),
        _ => digits.iter().try_fold(0, |value: u64, &byte| {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 { None } else { value.checked_mul(10)?.checked_add(u64::from(digit)) }
        }),
    }
}

/// Parses a `u64` as stream IDs and cursors are parsed: the canonical form, or else what C's
/// `strtoull` takes: white space before, a plus, leading zeros. Negative numbers are refused,
/// but `-0` with leading zeros, which wraps to zero there, is not.
pub fn parse_u64_lenient(text: &[u8]) -> Option<u64> {
    let start = text.iter().position(|b| !matches!(b, b' ' | b'\t'..=b'\r'))?;
    let (negative, digits) = match text[start..] {
        [b'-', ref digits @ ..] => (true, digits),
        [b'+', ref digits @ ..] => (false, digits),
        ref digits => (false, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let value = digits.iter().try_fold(0, |value: u64, &byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 { None } else { value.checked_mul(10)?.checked_add(u64::from(digit)) }
    })?;
    if negative && value != 0 { None } else { Some(value) }
}

/// The number that a text begins with, as C's `atoi` reads it: white space and a sign before it, 0
/// if there is none, modulo 2^32 if it is large.
#[must_use]
pub fn parse_i32_prefix(text: &[u8]) -> i32 {
    let start = text.iter().position(|b| !matches!(b, b' ' | b'\t'..=b'\r')).unwrap_or(text.len());
    let (sign, digits) = match text[start..] {
        [b'-', ref digits @ ..] => (-1, digits),
        [b'+', ref digits @ ..] => (1, digits),
        ref digits => (1, digits),
    };
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    let value = digits.fold(0i64, |value, &byte| {
        value.saturating_mul(10).saturating_add(sign * i64::from(byte - b'0'))
    });
    value as i32
}

/// Appends the decimal form of `value` to `out`.
#[inline]
pub fn write_i64(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends the decimal form of `value` to `out`.
#[inline]
pub fn write_u64(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// The number of bytes that [`write_i64`] would append.
#[inline]
pub fn decimal_len(value: i64) -> usize {
    let digits = value.unsigned_abs().checked_ilog10().unwrap_or(0) as usize + 1;
    digits + usize::from(value < 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_read_as_by_atoi() {
        let cases: [(&[u8], i32); 12] = [
            (b"", 0),
            (b"a", 0),
            (b"12", 12),
            (b" \t+12x3", 12),
            (b"-7.5", -7),
            (b"--7", 0),
            (b"2147483647", i32::MAX),
            (b"2147483648", i32::MIN),
            (b"4294967297", 1),
            (b"9223372036854775807", -1),
            (b"18446744073709551615", -1),
            (b"-9223372036854775809", 0),
        ];
        for (text, number) in cases {
            assert_eq!(parse_i32_prefix(text), number, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn canonical_integers() {
        for value in [0, 1, -1, 9, 10, -10, 1 << 40, i64::MAX, i64::MIN, i64::MAX - 1] {
            let text = value.to_string();
            assert_eq!(parse_i64(text.as_bytes()), Some(value));
            assert_eq!(decimal_len(value), text.len());
            let mut out = b"x".to_vec();
            write_i64(&mut out, value);
            assert_eq!(out, format!("x{value}").into_bytes());
        }
        assert_eq!(parse_u64(b"18446744073709551615"), Some(u64::MAX));
    }

    #[test]
    fn refused_integers() {
        for text in [
            "",
            "-",
            "+1",
            "01",
            "00",
            "-0",
            "-01",
            " 1",
            "1 ",
            "1a",
            "a1",
            "--1",
            "9223372036854775808",
            "-9223372036854775809",
            "18446744073709551616",
            "99999999999999999999",
            "100000000000000000000",
            "/",
            ":",
        ] {
            assert_eq!(parse_i64(text.as_bytes()), None, "{text:?}");
        }
        for text in ["", "-1", "+1", "01", "18446744073709551616", "99999999999999999999", "1:"] {
            assert_eq!(parse_u64(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn lenient_integers() {
        for (text, value) in [
            ("5", 5),
            ("+5", 5),
            (" \t5", 5),
            ("007", 7),
            ("-00", 0),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(parse_u64_lenient(text.as_bytes()), Some(value), "{text:?}");
        }
        for text in ["", " ", "+", "-1", "5 ", "0x10", "18446744073709551616", "+-1"] {
            assert_eq!(parse_u64_lenient(text.as_bytes()), None, "{text:?}");
        }
    }
}
