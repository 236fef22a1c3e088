//! A reply as a debugger shows it.

/// Appends what the reply at the front of `bytes` says, and returns the rest. What is not a whole
/// reply, or is of a type that is not shown, ends the reading. Nesting is that of the engine's own
/// replies, which is bounded.
pub(super) fn write<'b>(out: &mut Vec<u8>, bytes: &'b [u8]) -> &'b [u8] {
    let Some(end) = bytes.iter().position(|&byte| byte == b'\r') else { return b"" };
    let (line, rest) = (&bytes[..end], bytes.get(end + 2..).unwrap_or_default());
    let Some((marker, text)) = line.split_first() else { return b"" };
    let count = stdx::num::parse_i64(text).unwrap_or(-1);
    match marker {
        b'$' | b'*' if count < 0 => out.extend(b"NULL"),
        b'$' => {
            let len = usize::try_from(count).unwrap_or_default();
            stdx::text::quote_into(out, rest.get(..len).unwrap_or_default());
            return rest.get(len + 2..).unwrap_or_default();
        }
        b':' => out.extend_from_slice(text),
        b'+' | b'-' => stdx::text::quote_into(out, line),
        b'*' => return write_all(out, rest, count, ("[", "]")),
        b'~' => return write_all(out, rest, count, ("~(", ")")),
        b'%' => return write_map(out, rest, count),
        b'_' => out.extend(b"(null)"),
        b'#' => out.extend_from_slice(if text == b"t" { b"#true" } else { b"#false" }),
        b',' => {
            out.extend(b"(double) ");
            out.extend_from_slice(text);
        }
        _ => return b"",
    }
    rest
}

fn write_all<'b>(
    out: &mut Vec<u8>,
    mut rest: &'b [u8],
    count: i64,
    (open, close): (&str, &str),
) -> &'b [u8] {
    out.extend_from_slice(open.as_bytes());
    for index in 0..count {
        if index > 0 {
            out.push(b',');
        }
        rest = write(out, rest);
    }
    out.extend_from_slice(close.as_bytes());
    rest
}

fn write_map<'b>(out: &mut Vec<u8>, mut rest: &'b [u8], count: i64) -> &'b [u8] {
    out.push(b'{');
    for index in 0..count {
        if index > 0 {
            out.push(b',');
        }
        rest = write(out, rest);
        out.extend(b" => ");
        rest = write(out, rest);
    }
    out.push(b'}');
    rest
}
