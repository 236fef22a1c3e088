//! What single parameters demand beyond their type. The reasons are Redis's own words, because
//! clients and tests compare them.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Longest hostname that a node may announce, plus one.
const HOSTNAME_END: usize = 256;

/// Variables that `proc-title-template` may use.
pub const PROC_TITLE_VARIABLES: &[&str] =
    &["title", "listen-addr", "server-mode", "port", "tls-port", "unixsocket", "config-file"];

pub(crate) fn proc_title_template(template: &[u8]) -> Result<(), &'static str> {
    const REASON: &str = "template format is invalid or contains unknown variables";
    let mut rest = template;
    let mut is_empty = true;
    while let Some(&first) = rest.first() {
        if first == b'{' && rest.get(1) != Some(&b'{') {
            let end = rest.iter().position(|&byte| byte == b'}').ok_or(REASON)?;
            let name = &rest[1..end];
            if !PROC_TITLE_VARIABLES.iter().any(|known| known.as_bytes() == name) {
                return Err(REASON);
            }
            rest = &rest[end + 1..];
            // The title is a program's name; a template must say more than that.
            is_empty &= name == b"title";
        } else {
            // Two opening braces stand for one.
            rest = &rest[if first == b'{' { 2 } else { 1 }..];
            is_empty &= first.is_ascii_whitespace();
        }
    }
    if is_empty { Err(REASON) } else { Ok(()) }
}

fn base_name(name: &[u8], empty: &'static str, path: &'static str) -> Result<(), &'static str> {
    match name {
        b"" => Err(empty),
        name if name.contains(&b'/') || name.contains(&b'\\') => Err(path),
        _ => Ok(()),
    }
}

pub(crate) fn dbfilename(name: &[u8]) -> Result<(), &'static str> {
    // An empty name is accepted: it keeps replication from writing a file.
    if name.is_empty() {
        return Ok(());
    }
    base_name(name, "", "dbfilename can't be a path, just a filename")
}

pub(crate) fn appendfilename(name: &[u8]) -> Result<(), &'static str> {
    let path = "appendfilename can't be a path, just a filename";
    base_name(name, "appendfilename can't be empty", path)
}

pub(crate) fn appenddirname(name: &[u8]) -> Result<(), &'static str> {
    let path = "appenddirname can't be a path, just a dirname";
    base_name(name, "appenddirname can't be empty", path)
}

pub(crate) fn cluster_config_file(name: &[u8]) -> Result<(), &'static str> {
    if name.is_empty() { Err("cluster-config-file can't be empty") } else { Ok(()) }
}

pub(crate) fn hostname(name: &[u8]) -> Result<(), &'static str> {
    if name.len() >= HOSTNAME_END {
        return Err("Hostnames must be less than 256 characters");
    }
    if name.iter().all(|&byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.') {
        Ok(())
    } else {
        Err("Hostnames may only contain alphanumeric characters, hyphens or dots")
    }
}

pub(crate) fn node_name(name: &[u8]) -> Result<(), &'static str> {
    const REFUSED: &[u8] = b"!#$%&()*+:;<>?@[]^{|}~\"'\\/,=";
    let fine = |byte: &u8| byte.is_ascii_graphic() && !REFUSED.contains(byte);
    if name.iter().all(fine) {
        Ok(())
    } else {
        Err("Announced human node name contained invalid character")
    }
}

fn parses<T: std::str::FromStr>(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| text.parse::<T>().is_ok())
}

pub(crate) fn ipv4(text: &[u8]) -> Result<(), &'static str> {
    if text.is_empty() || parses::<Ipv4Addr>(text) { Ok(()) } else { Err("Invalid IPv4 address") }
}

pub(crate) fn ipv6(text: &[u8]) -> Result<(), &'static str> {
    if text.is_empty() || parses::<Ipv6Addr>(text) { Ok(()) } else { Err("Invalid IPv6 address") }
}

pub(crate) fn announced_address(text: &[u8]) -> Result<(), &'static str> {
    if text.is_empty() || parses::<IpAddr>(text) {
        Ok(())
    } else {
        Err("Cluster announce IP must be a valid IPv4 or IPv6 address")
    }
}

pub(crate) fn shutdown_flags(bits: i64) -> Result<(), &'static str> {
    if bits & 3 == 3 {
        Err("shutdown options SAVE and NOSAVE can't be used simultaneously")
    } else {
        Ok(())
    }
}

pub(crate) fn power_of_two(number: i64) -> Result<(), &'static str> {
    if number.cast_unsigned().is_power_of_two() {
        Ok(())
    } else {
        Err("array-slice-size must be a power of two")
    }
}

pub(crate) fn multiple_of_eight(number: i64) -> Result<(), &'static str> {
    if number % 8 == 0 { Ok(()) } else { Err("argument must be a multiple of 8") }
}

fn number(text: &[u8]) -> Option<f64> {
    let number: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    number.is_finite().then_some(number)
}

pub(crate) fn non_negative(text: &[u8]) -> Result<(), &'static str> {
    match number(text) {
        Some(number) if number >= 0.0 => Ok(()),
        _ => Err("argument must be a number that is not negative"),
    }
}

pub(crate) fn error_rate(text: &[u8]) -> Result<(), &'static str> {
    match number(text) {
        Some(number) if number > 0.0 && number < 1.0 => Ok(()),
        _ => Err("argument must be a number above 0 and below 1"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn process_titles() {
        for fine in ["x", "{title} x", "{title} {listen-addr}:{port}", "a }", "{{literal", "--save"]
        {
            assert_eq!(proc_title_template(fine.as_bytes()), Ok(()), "{fine}");
        }
        for bad in ["", " ", "{", "{title}", "{title} ", "{bad}", "{title", "x {} y"] {
            assert!(proc_title_template(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn names() {
        assert!(dbfilename(b"").is_ok());
        assert!(dbfilename(b"a/b").is_err());
        assert!(appendfilename(b"").is_err());
        assert!(appenddirname(b"a\\b").is_err());
        assert!(hostname(b"a-b.c9").is_ok());
        assert!(hostname(b"a b").is_err());
        assert!(hostname(&[b'a'; 255]).is_ok());
        assert!(hostname(&[b'a'; 256]).is_err());
        assert!(node_name(b"node_1").is_ok());
        assert!(node_name(b"node 1").is_err());
        assert!(ipv4(b"").is_ok() && ipv4(b"1.2.3.4").is_ok() && ipv4(b"1.2.3").is_err());
        assert!(ipv6(b"::1").is_ok() && ipv6(b"1.2.3.4").is_err());
    }

    #[test]
    fn numbers() {
        assert!(power_of_two(1).is_ok() && power_of_two(4096).is_ok() && power_of_two(12).is_err());
        assert!(multiple_of_eight(48).is_ok() && multiple_of_eight(50).is_err());
        assert!(
            error_rate(b"0.01").is_ok() && error_rate(b"1").is_err() && error_rate(b"x").is_err()
        );
        assert!(non_negative(b"0").is_ok() && non_negative(b"nan").is_err());
        assert!(shutdown_flags(1).is_ok() && shutdown_flags(3).is_err());
    }
}
