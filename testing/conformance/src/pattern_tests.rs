//! Tests of the reply notation: what parses, what matches, what must not.

use super::*;
use crate::render::render;

fn one(text: &str) -> Pattern {
    let mut patterns = parse_all(text).unwrap();
    assert_eq!(patterns.len(), 1, "{text}");
    patterns.remove(0)
}

fn bulk(text: &str) -> Value {
    Value::Bulk(text.into())
}

#[test]
fn scalars_distinguish_their_types() {
    let values = [
        Value::Simple("1".into()),
        Value::Error("1".into()),
        Value::Integer(1),
        bulk("1"),
        Value::Double(1.0),
        Value::BigNumber("1".into()),
        Value::Verbatim(*b"txt", "1".into()),
        Value::Boolean(true),
        Value::Null,
    ];
    let texts = ["+1", "-1", ":1", "\"1\"", ",1", "(1", "=txt:\"1\"", "true", "nil"];
    for (row, text) in texts.iter().enumerate() {
        for (column, value) in values.iter().enumerate() {
            let agree = one(text).matches(value, Protocol::Resp3);
            assert_eq!(agree, row == column, "{text} against {value:?}");
        }
    }
}

#[test]
fn resp2_takes_what_it_is_sent_instead() {
    let resp2 = |text, value: &Value| one(text).matches(value, Protocol::Resp2);
    assert!(resp2(",1.5", &bulk("1.5")) && !resp2(",1.5", &bulk("1.75")));
    assert!(resp2("true", &Value::Integer(1)) && !resp2("true", &Value::Integer(0)));
    assert!(resp2("nil", &Value::NullBulk) && !resp2("nil", &Value::NullArray));
    assert!(resp2("nil-array", &Value::NullArray) && !resp2("nil-array", &Value::Null));
    let flat = Value::Array(vec![bulk("a"), Value::Integer(1)]);
    assert!(resp2("{\"a\" => :1}", &flat) && !resp2("{\"a\" => :2}", &flat));
    assert!(resp2("~[:1 \"a\"]", &flat));
    assert!(!one("~[:1 \"a\"]").matches(&flat, Protocol::Resp3));
}

#[test]
fn placeholders_ranges_and_open_ends() {
    let array = Value::Array(vec![Value::Integer(7), bulk("abcbd"), bulk("x")]);
    for (text, wanted) in [
        ("<any>", true),
        ("<array>", true),
        ("<map>", false),
        ("[<int 1..7> like\"a*b*d\" <bulk>]", true),
        ("[<int 1..6> <any> <any>]", false),
        ("[:7 like\"*c\" <any>]", false),
        ("[:7 ...]", true),
        ("[:7 <any>]", false),
        ("unordered[\"x\" \"abcbd\" :7]", true),
        ("unordered[\"x\" \"x\" :7]", false),
    ] {
        assert_eq!(one(text).matches(&array, Protocol::Resp3), wanted, "{text}");
    }
    let map = Value::Map(vec![(bulk("a"), Value::Integer(1)), (bulk("b"), Value::Integer(2))]);
    assert!(one("{\"b\" => :2 ...}").matches(&map, Protocol::Resp3));
    assert!(!one("{\"b\" => :2}").matches(&map, Protocol::Resp3));
    assert!(!one("{\"b\" => :1 ...}").matches(&map, Protocol::Resp3));
    assert!(one("-like\"ERR*x\"").matches(&Value::Error("ERR abx".into()), Protocol::Resp2));
}

#[test]
fn broken_notation_is_refused() {
    for wrong in
        ["[", "[:1", "{\"a\" :1}", "{\"a\" => :1", "<tall>", "hello", ":x", "\"a", "[... :1]"]
    {
        assert!(parse_all(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn rendered_values_match_themselves() {
    let long = bulk(&"long ".repeat(30));
    let values = [
        Value::Simple("OK".into()),
        Value::Error("ERR a ] b".into()),
        Value::Array(vec![
            Value::Error("ERR two words".into()),
            long.clone(),
            Value::Array(vec![]),
        ]),
        Value::Map(vec![
            (bulk("k"), Value::Set(vec![Value::Integer(1), long])),
            (bulk("n"), Value::Null),
        ]),
        Value::Push(vec![bulk("message"), bulk("\r\n\u{1}")]),
        Value::Verbatim(*b"txt", "two\nlines".into()),
    ];
    for value in values {
        let text = render(&value);
        assert!(one(&text).matches(&value, Protocol::Resp3), "{text}");
    }
}
