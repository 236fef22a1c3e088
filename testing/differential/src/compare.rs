//! When two replies count as equal: exactly, but for what may legitimately differ between two
//! servers that were sent the same commands at nearly the same time.

use client::Value;

use crate::payload;

/// How two replies of one command are compared. Error replies are always compared exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// The same bytes.
    Exact,
    /// Integers, or an array of them, that may be a few seconds apart; negative ones are exact.
    Seconds,
    /// As [`Compare::Seconds`], in milliseconds.
    Millis,
    /// Aggregates whose elements come in no particular order.
    Unordered,
    /// SCAN: the keys come in no particular order, and how many of them a call returns is up to the
    /// server, so they are compared only where both finished in one call.
    Scan,
    /// A map, or an array of pairs, in no particular order.
    Pairs,
    /// Exactly, but a number may be printed in another way: Redis 7.0 prints scores with 17 digits,
    /// later versions the shortest text.
    Scores,
    /// As scores, but Redis 7.0 prints 17 decimals of a coordinate, however small it is.
    Coordinates,
    /// COMMAND INFO: names, arities, flags, positions of keys and ACL categories.
    CommandInfo,
    /// HELLO: all fields but the names and versions of the server and its modules, and the
    /// connection's id.
    Hello,
    /// What chance chose: the RESP type, and how many elements there are.
    Presence,
    /// A payload of `DUMP`: the same value, and the same bytes where it is kept in one block.
    Payload,
    /// Only the RESP type.
    Type,
}

/// Clocks are read at most this far apart, in milliseconds.
const SKEW_MS: u64 = 5_000;

impl Compare {
    /// Whether the two replies agree.
    pub fn agrees(self, subject: &Value, reference: &Value) -> bool {
        if subject == reference {
            return true;
        }
        match (self, subject, reference) {
            (_, Value::Error(_), _) | (_, _, Value::Error(_)) | (Compare::Exact, ..) => false,
            (Compare::Seconds, Value::Integer(a), Value::Integer(b)) => {
                near(*a, *b, SKEW_MS / 1000)
            }
            (Compare::Millis, Value::Integer(a), Value::Integer(b)) => near(*a, *b, SKEW_MS),
            (Compare::Seconds | Compare::Millis, Value::Array(a), Value::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.agrees(a, b))
            }
            (Compare::Unordered, ..) => sorted(subject) == sorted(reference),
            (Compare::Scan, Value::Array(a), Value::Array(b)) => {
                let finished = |reply: &[Value]| reply[0] == Value::Bulk(b"0".to_vec());
                let both = a.len() == 2 && b.len() == 2;
                both && (!finished(a) || !finished(b) || sorted(&a[1]) == sorted(&b[1]))
            }
            (Compare::Pairs, ..) => {
                let sorted = |value| {
                    let mut pairs = pairs(value);
                    pairs.sort_by_key(|pair| format!("{pair:?}"));
                    pairs
                };
                sorted(subject) == sorted(reference)
            }
            (Compare::CommandInfo, Value::Array(a), Value::Array(b)) => {
                a.len() == b.len()
                    && a.iter().zip(b).all(|(a, b)| command_info(a) == command_info(b))
            }
            (Compare::Scores, ..) => same_numbers(subject, reference, 0.0),
            (Compare::Coordinates, ..) => same_numbers(subject, reference, 1e-17),
            (Compare::Payload, Value::Bulk(a), Value::Bulk(b)) => payload::agree(a, b),
            (Compare::Hello, ..) => hello(subject) == hello(reference),
            (Compare::Presence, Value::Array(a), Value::Array(b)) => a.len() == b.len(),
            (Compare::Presence | Compare::Type, ..) => {
                std::mem::discriminant(subject) == std::mem::discriminant(reference)
            }
            _ => false,
        }
    }
}

/// Whether two times differ by no more than the skew. Negative numbers say something else than a
/// time and must be equal.
fn near(a: i64, b: i64, skew: u64) -> bool {
    a >= 0 && b >= 0 && a.abs_diff(b) <= skew
}

/// Whether two replies differ in nothing but the text of numbers, which are no further apart than
/// `apart`.
fn same_numbers(subject: &Value, reference: &Value, apart: f64) -> bool {
    match (subject, reference) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_numbers(a, b, apart))
        }
        (Value::Bulk(a), Value::Bulk(b)) if a != b => {
            let number = |text: &[u8]| std::str::from_utf8(text).ok()?.parse::<f64>().ok();
            let (Some(a), Some(b)) = (number(a), number(b)) else { return false };
            a == b || (a - b).abs() <= apart
        }
        (Value::Double(a), Value::Double(b)) => a == b || (a - b).abs() <= apart,
        _ => subject == reference,
    }
}

/// An aggregate's elements in one fixed order; any other reply as it is.
fn sorted(value: &Value) -> Vec<String> {
    let mut texts: Vec<String> = match value {
        Value::Array(items) | Value::Set(items) => {
            items.iter().map(|item| format!("{item:?}")).collect()
        }
        other => vec![format!("{other:?}")],
    };
    texts.sort();
    texts
}

/// What COMMAND INFO tells of one command, as far as versions agree on it: not its hints and key
/// specifications, nor the flag `no_multi`, which Valkey has on more commands.
fn command_info(value: &Value) -> Vec<Vec<String>> {
    let Value::Array(fields) = value else { return vec![sorted(value)] };
    let is_common = |flag: &&Value| **flag != Value::Simple(b"no_multi".to_vec());
    let field = |field: &Value| match field {
        Value::Array(flags) | Value::Set(flags) => {
            sorted(&Value::Set(flags.iter().filter(is_common).cloned().collect()))
        }
        other => sorted(other),
    };
    fields.iter().take(7).map(field).collect()
}

/// The pairs of a map, or of an array that stands for one under RESP2.
fn pairs(value: &Value) -> Vec<(Value, Value)> {
    match value {
        Value::Map(pairs) => pairs.clone(),
        Value::Array(flat) => {
            flat.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()
        }
        other => vec![(other.clone(), Value::Null)],
    }
}

/// The pairs of a HELLO reply without those that differ between any two servers.
fn hello(value: &Value) -> Vec<(Value, Value)> {
    let private = |key: &Value| {
        let name = key.as_bytes().unwrap_or_default();
        [&b"server"[..], b"version", b"id", b"modules"].contains(&name)
    };
    pairs(value).into_iter().filter(|(key, _)| !private(key)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &str) -> Value {
        Value::Bulk(text.into())
    }

    #[test]
    fn times_may_be_skewed_but_not_their_sentinels() {
        let agrees = |a, b| Compare::Millis.agrees(&Value::Integer(a), &Value::Integer(b));
        assert!(agrees(100_000, 100_900) && !agrees(100_000, 200_000));
        assert!(agrees(-1, -1) && !agrees(-1, -2) && !agrees(-2, 0) && !agrees(-1, 5));
        assert!(!Compare::Exact.agrees(&Value::Integer(1), &Value::Integer(2)));
        let both = |a, b| Value::Array(vec![Value::Integer(a), Value::Integer(b)]);
        assert!(Compare::Millis.agrees(&both(-1, 50_000), &both(-1, 50_001)));
        assert!(!Compare::Millis.agrees(&both(-1, 50_000), &both(-2, 50_000)));
    }

    #[test]
    fn order_is_ignored_only_where_it_has_no_meaning() {
        let ab = Value::Array(vec![bulk("a"), bulk("b")]);
        let ba = Value::Array(vec![bulk("b"), bulk("a")]);
        let aa = Value::Array(vec![bulk("a"), bulk("a")]);
        assert!(Compare::Unordered.agrees(&ab, &ba) && !Compare::Unordered.agrees(&ab, &aa));
        assert!(!Compare::Exact.agrees(&ab, &ba));
        let scan = |cursor, keys: &Value| Value::Array(vec![bulk(cursor), keys.clone()]);
        assert!(Compare::Scan.agrees(&scan("0", &ab), &scan("0", &ba)));
        assert!(!Compare::Scan.agrees(&scan("0", &ab), &scan("0", &aa)));
        assert!(Compare::Scan.agrees(&scan("0", &ab), &scan("7", &aa)));
    }

    #[test]
    fn scores_may_be_printed_in_two_ways() {
        let scores = |text: &str| Value::Array(vec![bulk("m"), bulk(text)]);
        let agrees = |a, b| Compare::Scores.agrees(&scores(a), &scores(b));
        assert!(agrees("0.1", "0.10000000000000001") && agrees("1e+17", "100000000000000000"));
        assert!(agrees("inf", "inf") && !agrees("0.1", "0.2") && !agrees("a", "b"));
        assert!(!Compare::Exact.agrees(&scores("0.1"), &scores("0.10000000000000001")));
        let agrees = |a, b| Compare::Coordinates.agrees(&scores(a), &scores(b));
        assert!(agrees("2.682209014892578e-6", "0.00000268220901489") && !agrees("1", "1.1"));
        assert!(!agrees("2.682209014892578e-6", "0.00000268220901481") && agrees("inf", "inf"));
    }

    #[test]
    fn pairs_have_no_order_but_keep_together() {
        let map = |words: &[&str]| Value::Array(words.iter().map(|word| bulk(word)).collect());
        let agrees = |a: &[&str], b: &[&str]| Compare::Pairs.agrees(&map(a), &map(b));
        assert!(agrees(&["hz", "10", "port", "1"], &["port", "1", "hz", "10"]));
        assert!(!agrees(&["hz", "10", "port", "1"], &["hz", "1", "port", "10"]));
    }

    #[test]
    fn command_info_is_compared_up_to_the_categories() {
        let info = |arity, step, hint: &str| {
            let flags = Value::Set(vec![bulk("fast"), bulk("readonly")]);
            let numbers = [1, 1, step].map(Value::Integer);
            let mut fields = vec![bulk("get"), Value::Integer(arity), flags];
            fields.extend(numbers);
            fields.push(Value::Set(vec![bulk("@read")]));
            fields.push(bulk(hint));
            Value::Array(vec![Value::Array(fields)])
        };
        assert!(Compare::CommandInfo.agrees(&info(2, 1, "a"), &info(2, 1, "b")));
        assert!(!Compare::CommandInfo.agrees(&info(2, 1, "a"), &info(3, 1, "a")));
        assert!(!Compare::CommandInfo.agrees(&info(2, 1, "a"), &info(2, 2, "a")));
    }

    #[test]
    fn errors_are_always_exact() {
        let (one, other) = (Value::Error("ERR a".into()), Value::Error("ERR b".into()));
        for compare in [Compare::Type, Compare::Hello, Compare::Unordered, Compare::Seconds] {
            assert!(!compare.agrees(&one, &other));
            assert!(!compare.agrees(&one, &Value::Integer(1)));
        }
    }

    #[test]
    fn hello_ignores_version_and_id() {
        let hello = |version: &str, mode: &str| {
            Value::Map(vec![(bulk("version"), bulk(version)), (bulk("mode"), bulk(mode))])
        };
        assert!(Compare::Hello.agrees(&hello("7", "standalone"), &hello("8", "standalone")));
        assert!(!Compare::Hello.agrees(&hello("7", "standalone"), &hello("8", "cluster")));
    }
}
