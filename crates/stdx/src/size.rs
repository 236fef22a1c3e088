//! Memory sizes as configuration and commands write them: `512`, `10k`, `100mb`, `1gb`.

/// The number of bytes that `text` stands for, or `None` when it is no size or does not fit.
///
/// Digits, then a unit in any case: none or `b` for bytes; `k`, `m`, `g` for powers of 1,000;
/// `kb`, `mb`, `gb` for powers of 1,024. No sign, space or fraction.
pub fn parse_size(text: &[u8]) -> Option<u64> {
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let (number, unit) = text.split_at(digits);
    let factor: u64 = match unit.to_ascii_lowercase().as_slice() {
        b"" | b"b" => 1,
        b"k" => 1_000,
        b"kb" => 1 << 10,
        b"m" => 1_000_000,
        b"mb" => 1 << 20,
        b"g" => 1_000_000_000,
        b"gb" => 1 << 30,
        _ => return None,
    };
    if number.is_empty() {
        return None;
    }
    let mut value: u64 = 0;
    for &digit in number {
        value = value.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
    }
    value.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        for (text, bytes) in [
            ("0", 0),
            ("007", 7),
            ("512", 512),
            ("5b", 5),
            ("10k", 10_000),
            ("10KB", 10_240),
            ("3m", 3_000_000),
            ("3Mb", 3 << 20),
            ("1g", 1_000_000_000),
            ("1gB", 1 << 30),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(parse_size(text.as_bytes()), Some(bytes), "{text}");
        }
    }

    #[test]
    fn refusals() {
        for text in [
            "",
            "gb",
            "-1",
            "+1",
            " 1",
            "1 ",
            "1 gb",
            "1.5gb",
            "1tb",
            "1kk",
            "18446744073709551616",
            "99999999999gb",
        ] {
            assert_eq!(parse_size(text.as_bytes()), None, "{text}");
        }
    }
}
