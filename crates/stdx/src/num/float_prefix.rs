//! The number at the start of a text, as C's `strtod` finds it.
//!
//! [`super::parse_f64`] wants a text that is a number and nothing else; a tokenizer wants the
//! longest start of its input that is one, and how long that is.

use rustc_apfloat::Float;
use rustc_apfloat::ieee::Double;

use super::float::with_exponent;

/// The number at the start of `text` and how many bytes it takes: an optional sign, then `inf`,
/// `infinity`, `nan`, `nan(...)` in any case, a decimal or a hexadecimal number. Too large a number
/// is infinity, too small a one is zero. White space is not skipped, unlike in C.
///
/// ```
/// # use stdx::num::parse_f64_prefix;
/// assert_eq!(parse_f64_prefix(b"1.5e3,2"), Some((1500.0, 5)));
/// assert_eq!(parse_f64_prefix(b"0x"), Some((0.0, 1)));
/// assert_eq!(parse_f64_prefix(b"-"), None);
/// ```
#[must_use]
pub fn parse_f64_prefix(text: &[u8]) -> Option<(f64, usize)> {
    let (negative, sign_len) = match text {
        [b'-', ..] => (true, 1),
        [b'+', ..] => (false, 1),
        _ => (false, 0),
    };
    let unsigned = &text[sign_len..];
    let (magnitude, len) = word(unsigned).or_else(|| digits(unsigned))?;
    Some((if negative { -magnitude } else { magnitude }, sign_len + len))
}

/// The numbers that are words.
fn word(text: &[u8]) -> Option<(f64, usize)> {
    let starts =
        |word: &[u8]| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    if starts(b"infinity") {
        return Some((f64::INFINITY, 8));
    }
    if starts(b"inf") {
        return Some((f64::INFINITY, 3));
    }
    if !starts(b"nan") {
        return None;
    }
    let payload_len = match &text[3..] {
        [b'(', rest @ ..] => {
            let name = rest.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
            if rest.get(name) == Some(&b')') { name + 2 } else { 0 }
        }
        _ => 0,
    };
    Some((f64::NAN, 3 + payload_len))
}

/// The numbers that have digits.
fn digits(text: &[u8]) -> Option<(f64, usize)> {
    if let [b'0', b'x' | b'X', rest @ ..] = text
        && let Some(len) = span(rest, u8::is_ascii_hexdigit, b'p')
    {
        let len = 2 + len;
        let text = str::from_utf8(&text[..len]).expect("digits, points and signs are ASCII");
        let value: Double = with_exponent(text).parse().ok()?;
        return Some((f64::from_bits(value.to_bits() as u64), len));
    }
    let len = span(text, u8::is_ascii_digit, b'e')?;
    let text = str::from_utf8(&text[..len]).expect("digits, points and signs are ASCII");
    Some((text.parse().ok()?, len))
}

/// How long a run of digits with at most one point is, an exponent behind it included; none if
/// there is no digit.
fn span(text: &[u8], is_digit: fn(&u8) -> bool, exponent_mark: u8) -> Option<usize> {
    let count =
        |text: &[u8], is_digit: fn(&u8) -> bool| text.iter().take_while(|b| is_digit(b)).count();
    let whole = count(text, is_digit);
    let fraction = match &text[whole..] {
        [b'.', rest @ ..] => Some(count(rest, is_digit)),
        _ => None,
    };
    if whole + fraction.unwrap_or(0) == 0 {
        return None;
    }
    let len = whole + fraction.map_or(0, |digits| 1 + digits);
    let exponent = match &text[len..] {
        [mark, sign, rest @ ..] if mark.eq_ignore_ascii_case(&exponent_mark) => {
            let signed = matches!(sign, b'+' | b'-');
            let from = if signed { rest } else { &text[len + 1..] };
            match count(from, u8::is_ascii_digit) {
                0 => 0,
                digits => 1 + usize::from(signed) + digits,
            }
        }
        _ => 0,
    };
    Some(len + exponent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::num::parse_f64;
    use crate::rng::Rng;

    /// What glibc's `strtod` says.
    #[test]
    fn as_c_reads_them() {
        for (text, value, len) in [
            ("1", 1.0, 1),
            ("-1.5e3x", -1500.0, 6),
            ("1.", 1.0, 2),
            (".5", 0.5, 2),
            ("1e", 1.0, 1),
            ("1e+", 1.0, 1),
            ("1e+2", 100.0, 4),
            ("1.5e400", f64::INFINITY, 7),
            ("1e-400", 0.0, 6),
            ("0x", 0.0, 1),
            ("0x1F", 31.0, 4),
            ("-0x.8", -0.5, 5),
            ("0x1.8p1z", 3.0, 7),
            ("0x1p", 1.0, 3),
            ("infinit", f64::INFINITY, 3),
            ("-INFINITY", f64::NEG_INFINITY, 9),
            ("01", 1.0, 2),
            ("1.2.3", 1.2, 3),
        ] {
            assert_eq!(parse_f64_prefix(text.as_bytes()), Some((value, len)), "{text}");
        }
        for text in ["", "-", "+", ".", "-.e5", "e5", "x", "in", "na", "--1", " 1"] {
            assert_eq!(parse_f64_prefix(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn not_a_number_with_and_without_a_payload() {
        for (text, sign, len) in [("nan", false, 3), ("-NaN(1_a)", true, 9), ("nan(1", false, 3)] {
            let (value, taken) = parse_f64_prefix(text.as_bytes()).unwrap();
            assert!(value.is_nan() && value.is_sign_negative() == sign && taken == len, "{text}");
        }
    }

    #[test]
    fn agrees_with_the_strict_reader() {
        let seed = 0x5eed;
        let mut rng = Rng::seed(seed);
        let alphabet = b"0123456789.eE+-xXpPaf";
        for _ in 0..200_000 {
            let len = 1 + rng.below(8) as usize;
            let text: Vec<u8> =
                (0..len).map(|_| alphabet[rng.below(alphabet.len() as u64) as usize]).collect();
            if let Some(strict) = parse_f64(&text) {
                assert_eq!(
                    parse_f64_prefix(&text),
                    Some((strict, len)),
                    "{:?}, seed {seed}",
                    String::from_utf8_lossy(&text)
                );
            }
        }
    }
}
