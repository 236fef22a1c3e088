//! The 80-bit extended double of x86 C compilers, which `INCRBYFLOAT` and `HINCRBYFLOAT` compute
//! with. Its 64 significant bits are why `0.1 + 0.2` is `0.3` there; results must agree to the
//! last digit, for they are stored and replicated as text.

use std::ops::{Add, Neg, Sub};

use rustc_apfloat::ieee::X87DoubleExtended;
use rustc_apfloat::{Float, Round, Status};

use super::float::{Shape, classify, with_exponent};
use super::write_u64;

/// Longer texts are refused, as the buffer of the original does.
const TEXT_LEN_MAX: usize = 5 * 1024 - 1;
/// Digits after the point of the printed form.
const FRACTION_DIGITS: usize = 17;
/// `10^FRACTION_DIGITS`.
const FRACTION_SCALE: u128 = 100_000_000_000_000_000;
/// The exponent field's bias, plus the 63 fraction bits of the significand.
const EXPONENT_BIAS: i32 = 16_383 + 63;

/// An 80-bit floating-point number. Never a signalling NaN; may be infinite.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct LongDouble(X87DoubleExtended);

impl LongDouble {
    /// The largest finite number; its negation is the smallest.
    pub fn largest() -> Self {
        Self(X87DoubleExtended::largest())
    }

    /// Parses the texts that `INCRBYFLOAT` accepts: C's `strtold` grammar, without spaces around
    /// it and without NaN. Refused are numbers too large, numbers so small that they would become
    /// zero, and texts of 5 KiB and more.
    pub fn parse(text: &[u8]) -> Option<Self> {
        if text.len() > TEXT_LEN_MAX {
            return None;
        }
        let (shape, nonzero) = classify(text)?;
        let text = str::from_utf8(text).ok()?;
        let parsed = match shape {
            Shape::Infinity => {
                let infinity = X87DoubleExtended::INFINITY;
                let negative = text.starts_with('-');
                return Some(Self(if negative { -infinity } else { infinity }));
            }
            Shape::Decimal => X87DoubleExtended::from_str_r(text, Round::NearestTiesToEven).ok()?,
            Shape::Hexadecimal => {
                let text = with_exponent(text);
                X87DoubleExtended::from_str_r(&text, Round::NearestTiesToEven).ok()?
            }
        };
        let value = parsed.value;
        let out_of_range = value.is_infinite()
            || parsed.status.contains(Status::OVERFLOW)
            || (value.is_zero() && nonzero);
        (!out_of_range).then_some(Self(value))
    }

    /// The exact value of `integer`.
    pub fn from_i64(integer: i64) -> Self {
        // Sixty-four significant bits hold every 64-bit integer.
        Self(X87DoubleExtended::from_i128(i128::from(integer)).value)
    }

    /// Whether this is not a number.
    pub fn is_nan(self) -> bool {
        self.0.is_nan()
    }

    /// Whether this is one of the infinities.
    pub fn is_infinite(self) -> bool {
        self.0.is_infinite()
    }

    /// Appends the form that is stored and replied: `%.17Lf` without trailing zeros, so never an
    /// exponent, and `0` rather than `-0`. At most 5 KiB.
    pub fn write(self, out: &mut Vec<u8>) {
        if self.is_nan() {
            return out.extend_from_slice(b"nan");
        }
        let start = out.len();
        if self.0.is_negative() {
            out.push(b'-');
        }
        if self.is_infinite() {
            return out.extend_from_slice(b"inf");
        }
        let bits = self.0.to_bits();
        let significand = bits as u64;
        // The value is `significand * 2^exponent`; subnormals share the smallest exponent.
        let biased = ((bits >> 64) & 0x7fff) as i32;
        let exponent = biased.max(1) - EXPONENT_BIAS;
        if exponent >= 0 {
            write_shifted(out, significand, exponent as u32);
        } else {
            write_fraction(out, significand, exponent.unsigned_abs());
        }
        if &out[start..] == b"-0" {
            out.remove(start);
        }
    }
}

impl Add for LongDouble {
    type Output = Self;

    /// The sum, rounded to nearest, ties to even. `inf + -inf` is NaN.
    fn add(self, other: Self) -> Self {
        Self((self.0 + other.0).value)
    }
}

impl Sub for LongDouble {
    type Output = Self;

    /// The difference, rounded as the sum is. `inf - inf` is NaN.
    fn sub(self, other: Self) -> Self {
        Self((self.0 - other.0).value)
    }
}

impl Neg for LongDouble {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

/// Appends `significand / 2^shift` with at most 17 digits after the point.
fn write_fraction(out: &mut Vec<u8>, significand: u64, shift: u32) {
    // 64 bits times 57 bits: the scaled value is exact in 128, so the rounding is exact too.
    let scaled = u128::from(significand) * FRACTION_SCALE;
    let rounded = match shift {
        // Below half a unit of the last digit.
        122.. => 0,
        _ => {
            let quotient = scaled >> shift;
            let remainder = scaled & ((1 << shift) - 1);
            let half = 1 << (shift - 1);
            let up = remainder > half || (remainder == half && quotient & 1 == 1);
            quotient + u128::from(up)
        }
    };
    // At most 2^63 before the point.
    write_u64(out, (rounded / FRACTION_SCALE) as u64);
    let mut fraction = (rounded % FRACTION_SCALE) as u64;
    if fraction == 0 {
        return;
    }
    let mut digits = [b'0'; FRACTION_DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (fraction % 10) as u8;
        fraction /= 10;
    }
    let kept = digits.iter().rposition(|&d| d != b'0').map_or(0, |last| last + 1);
    out.push(b'.');
    out.extend_from_slice(&digits[..kept]);
}

/// Appends the integer `significand * 2^shift`, which may have almost 5,000 digits.
fn write_shifted(out: &mut Vec<u8>, significand: u64, shift: u32) {
    const LIMB: u64 = 1_000_000_000;
    const STEP_MAX: u32 = 32;
    // Base 10^9, least significant first.
    let mut limbs = vec![significand % LIMB, significand / LIMB % LIMB, significand / LIMB / LIMB];
    let mut left = shift;
    while left > 0 {
        let step = left.min(STEP_MAX);
        left -= step;
        let mut carry = 0;
        for limb in &mut limbs {
            // Below 2^30 * 2^32 + 2^33: no overflow.
            let value = (*limb << step) + carry;
            *limb = value % LIMB;
            carry = value / LIMB;
        }
        while carry > 0 {
            limbs.push(carry % LIMB);
            carry /= LIMB;
        }
    }
    let top = limbs.iter().rposition(|&limb| limb != 0).unwrap_or(0);
    write_u64(out, limbs[top]);
    for &limb in limbs[..top].iter().rev() {
        // Nine digits with their leading zeros: drop the marker digit of limb + 10^9.
        let padded = limb + LIMB;
        out.extend_from_slice(&itoa::Buffer::new().format(padded).as_bytes()[1..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(a: &str, b: &str) -> String {
        let sum =
            LongDouble::parse(a.as_bytes()).unwrap() + LongDouble::parse(b.as_bytes()).unwrap();
        let mut out = Vec::new();
        sum.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn sums_of_a_reference_server() {
        for (a, b, expected) in [
            ("0.1", "0.2", "0.3"),
            ("10.50", "0.1", "10.6"),
            ("5.0e3", "2.0e2", "5200"),
            ("1", "-1", "0"),
            ("-0", "-0", "0"),
            ("3", "1.1", "4.1"),
            ("9223372036854775807", "1", "9223372036854775808"),
            ("1e-18", "0", "0"),
            ("1e25", "0.5", "10000000000000000000000000"),
            ("0x10", "0x1p-1", "16.5"),
        ] {
            assert_eq!(sum(a, b), expected, "{a} + {b}");
        }
    }

    #[test]
    fn limits_of_the_format() {
        let refused = ["1e5000", "-1e5000", "1e-5000", "0x1p16384", "0x1p-16447", "nan", "", " 1"];
        for text in refused {
            assert_eq!(LongDouble::parse(text.as_bytes()), None, "{text}");
        }
        assert!(LongDouble::parse(&[b'1'; TEXT_LEN_MAX + 1]).is_none());
        assert!(LongDouble::parse(b"1e-99999999999999999999").is_none());
        assert!(LongDouble::parse(b"0e99999999999999999999").is_some());
        let infinity = LongDouble::parse(b"-Infinity").unwrap();
        assert!(infinity.is_infinite() && !infinity.is_nan());
        assert!((infinity + LongDouble::parse(b"inf").unwrap()).is_nan());
    }

    #[test]
    fn the_largest_number_is_printed_in_full() {
        let mut out = Vec::new();
        LongDouble::parse(b"0x1.fffffffffffffffep16383").unwrap().write(&mut out);
        assert_eq!(out.len(), 4_933);
        assert!(out.starts_with(b"11897314953572317650212638530309702051690633222946"));
        assert!(out.ends_with(b"52086811989770240"));
    }

    #[test]
    fn integers_are_exact() {
        for value in [0, 1, -1, i64::MAX, i64::MIN, 999_999_999, 1_000_000_000] {
            let mut out = Vec::new();
            LongDouble::from_i64(value).write(&mut out);
            assert_eq!(out, value.to_string().into_bytes());
        }
    }
}
