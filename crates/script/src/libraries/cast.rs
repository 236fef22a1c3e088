//! Conversions of doubles to integers as the processor does them for C.
//!
//! All numbers of Lua 5.1 are doubles and its libraries cast them. C leaves open what happens to
//! those that do not fit; the servers that exist are compiled for x86-64, where the instruction
//! gives the smallest integer for them, and scripts may have come to rely on what follows.

/// The integer, its fraction dropped; `i64::MIN` for what is no 64-bit integer.
pub(crate) const fn to_i64(number: f64) -> i64 {
    const END: f64 = 9_223_372_036_854_775_808.0;
    if number >= -END && number < END { number as i64 } else { i64::MIN }
}

/// The unsigned integer, its fraction dropped. Negative numbers wrap around.
pub(crate) const fn to_u64(number: f64) -> u64 {
    const HALF: f64 = 9_223_372_036_854_775_808.0;
    if number >= HALF { to_i64(number - HALF) as u64 ^ (1 << 63) } else { to_i64(number) as u64 }
}

/// The integer if the number is one of 64 bits.
pub(crate) fn exact_i64(number: f64) -> Option<i64> {
    let integer = to_i64(number);
    (integer as f64 == number).then_some(integer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_the_smallest_integer() {
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, 9.3e18, -9.3e18] {
            assert_eq!(to_i64(number), i64::MIN, "{number}");
        }
        assert_eq!(to_i64(-1.9), -1);
        assert_eq!(to_i64(-9_223_372_036_854_775_808.0), i64::MIN);
    }

    #[test]
    fn the_upper_half_of_unsigned_integers() {
        assert_eq!(to_u64(9_223_372_036_854_775_808.0), 1 << 63);
        assert_eq!(to_u64(18_446_744_073_709_549_568.0), u64::MAX - 2047);
        assert_eq!(to_u64(18_446_744_073_709_551_616.0), 0);
        assert_eq!(to_u64(-1.0), u64::MAX);
        assert_eq!(to_u64(f64::NAN), 1 << 63);
    }

    #[test]
    fn exactness() {
        assert_eq!(exact_i64(-0.0), Some(0));
        assert_eq!(exact_i64(1.5), None);
        assert_eq!(exact_i64(9_223_372_036_854_775_808.0), None);
        assert_eq!(exact_i64(-9_223_372_036_854_775_808.0), Some(i64::MIN));
        assert_eq!(exact_i64(f64::NAN), None);
    }
}
