//! The reply writer and the reply parser against each other: what one writes the other reads,
//! however the network cuts the bytes.

use proptest::prelude::*;
use resp::{Reply, ReplyError, ReplyParser, ReplyStep, Value, Version};

/// All values in `input`, which arrives in pieces of `piece` bytes.
fn parse(input: &[u8], piece: usize) -> Result<Vec<Value>, ReplyError> {
    let mut parser = ReplyParser::new();
    let mut values = Vec::new();
    let mut start = 0;
    for end in (0..input.len()).step_by(piece).chain([input.len()]) {
        loop {
            match parser.parse(&input[start..end])? {
                ReplyStep::Incomplete { consumed, needed } => {
                    assert!(needed > 0);
                    start += consumed;
                    break;
                }
                ReplyStep::Complete { consumed, value } => {
                    start += consumed;
                    values.push(value);
                }
            }
        }
    }
    Ok(values)
}

fn write(values: &[Value], version: Version) -> Vec<u8> {
    let mut reply = Reply::new(version);
    values.iter().for_each(|value| value.write(&mut reply));
    reply.take_bytes()
}

fn bulk(text: &str) -> Value {
    Value::Bulk(text.into())
}

#[test]
fn every_type() {
    use Value as V;
    let input =
        b"+OK\r\n-ERR no\r\n:-5\r\n:+7\r\n$3\r\na\r\n\r\n$-1\r\n*-1\r\n_\r\n,1.5\r\n,inf\r\n\
        #t\r\n#f\r\n(-123456789012345678901234567890\r\n!5\r\nERR x\r\n=6\r\ntxt:hi\r\n*0\r\n\
        ~1\r\n:1\r\n>2\r\n+a\r\n*1\r\n:2\r\n%1\r\n+k\r\n*2\r\n:1\r\n:2\r\n\
        |1\r\n+ttl\r\n:9\r\n$1\r\nv\r\n|0\r\n+x\r\n";
    let expected = vec![
        V::Simple(b"OK".into()),
        V::Error(b"ERR no".into()),
        V::Integer(-5),
        V::Integer(7),
        bulk("a\r\n"),
        V::NullBulk,
        V::NullArray,
        V::Null,
        V::Double(1.5),
        V::Double(f64::INFINITY),
        V::Boolean(true),
        V::Boolean(false),
        V::BigNumber(b"-123456789012345678901234567890".into()),
        V::Error(b"ERR x".into()),
        V::Verbatim(*b"txt", b"hi".into()),
        V::Array(vec![]),
        V::Set(vec![V::Integer(1)]),
        V::Push(vec![V::Simple(b"a".into()), V::Array(vec![V::Integer(2)])]),
        V::Map(vec![(V::Simple(b"k".into()), V::Array(vec![V::Integer(1), V::Integer(2)]))]),
        V::Attributed(vec![(V::Simple(b"ttl".into()), V::Integer(9))], Box::new(bulk("v"))),
        V::Attributed(vec![], Box::new(V::Simple(b"x".into()))),
    ];
    for piece in 1..input.len() {
        assert_eq!(parse(input, piece).as_deref(), Ok(&expected[..]), "pieces of {piece}");
    }
    assert!(matches!(parse(b",nan\r\n", 9).as_deref(), Ok([V::Double(x)]) if x.is_nan()));
}

#[test]
fn malformed_replies() {
    use ReplyError as E;
    for (input, error) in [
        (&b"?\r\n"[..], E::UnknownType(b'?')),
        (b"\r\n", E::UnknownType(b'\r')),
        (b"+OK\n", E::MissingLineEnd),
        (b"$1\r\nabc", E::MissingLineEnd),
        (b"$-2\r\n", E::InvalidLength),
        (b"$?\r\n", E::InvalidLength),
        (b"*x\r\n", E::InvalidLength),
        (b"%9223372036854775807\r\n", E::InvalidLength),
        (b":1.5\r\n", E::InvalidScalar),
        (b"#x\r\n", E::InvalidScalar),
        (b"_x\r\n", E::InvalidScalar),
        (b",x\r\n", E::InvalidScalar),
        (b"(\r\n", E::InvalidScalar),
        (b"(1.5\r\n", E::InvalidScalar),
        (b"=3\r\ntxt\r\n", E::InvalidVerbatim),
        (b"=4\r\ntxt;\r\n", E::InvalidVerbatim),
    ] {
        for piece in 1..=input.len() {
            assert_eq!(parse(input, piece), Err(error), "{}", input.escape_ascii());
        }
    }
    assert_eq!(parse(&b"*1\r\n".repeat(65), 7), Err(E::TooDeep));
    assert_eq!(parse(&b"|0\r\n".repeat(65), 7), Err(E::TooDeep));
    assert_eq!(parse(&[b'+'; (1 << 20) + 1], 1 << 16), Err(E::LineTooLong));
}

#[test]
fn what_is_announced_is_not_believed() {
    for input in ["*4000000000\r\n", "$4000000000\r\n", "%2000000000000\r\n*2000000000000\r\n"] {
        assert_eq!(parse(input.as_bytes(), 3), Ok(vec![]));
    }
}

#[test]
fn values_are_read_through_attributes() {
    let value = Value::Attributed(vec![], Box::new(Value::Integer(3)));
    assert_eq!((value.as_i64(), value.as_bytes(), value.as_slice()), (Some(3), None, None));
    assert!(Value::NullBulk.is_null() && Value::NullArray.is_null() && Value::Null.is_null());
    assert_eq!(bulk("x").as_bytes(), Some(&b"x"[..]));
    assert_eq!(Value::Array(vec![bulk("x")]).as_slice(), Some(&[bulk("x")][..]));
}

/// A value of any type, as RESP3 carries it.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        "[ -~]{0,10}".prop_map(|text| Value::Simple(text.into())),
        "[A-Z]{1,5} [a-z ]{0,10}".prop_map(|text| Value::Error(text.into())),
        any::<i64>().prop_map(Value::Integer),
        proptest::collection::vec(any::<u8>(), 0..30).prop_map(Value::Bulk),
        Just(Value::Null),
        any::<f64>()
            .prop_filter("NaN differs from itself", |x| !x.is_nan())
            .prop_map(Value::Double),
        any::<bool>().prop_map(Value::Boolean),
        "-?[0-9]{1,40}".prop_map(|digits| Value::BigNumber(digits.into())),
        proptest::collection::vec(any::<u8>(), 0..9)
            .prop_map(|text| Value::Verbatim(*b"txt", text)),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        let items = proptest::collection::vec(inner.clone(), 0..5);
        let pairs = proptest::collection::vec((inner.clone(), inner.clone()), 0..4);
        prop_oneof![
            items.clone().prop_map(Value::Array),
            items.clone().prop_map(Value::Set),
            items.prop_map(Value::Push),
            pairs.clone().prop_map(Value::Map),
            (pairs, inner).prop_map(|(pairs, value)| Value::Attributed(pairs, Box::new(value))),
        ]
    })
}

/// A byte, often one that means something.
fn any_byte() -> impl Strategy<Value = u8> {
    const MEANINGFUL: &[u8] = b"\r\n\r\n*$:0123456789|%~>-+_#=!(,";
    prop_oneof![any::<u8>(), proptest::sample::select(MEANINGFUL)]
}

proptest! {
    #[test]
    fn what_is_written_comes_back(
        values in proptest::collection::vec(any_value(), 0..4),
        piece in 1_usize..40,
    ) {
        let bytes = write(&values, Version::Resp3);
        prop_assert_eq!(parse(&bytes, piece), Ok(values.clone()));
        // RESP2 has fewer types, so values change once, and never again.
        let once = write(&values, Version::Resp2);
        let reread = parse(&once, piece).expect("RESP2 is well-formed");
        prop_assert_eq!(reread.len(), values.len());
        prop_assert_eq!(write(&reread, Version::Resp2), once);
    }

    #[test]
    fn garbage_is_no_panic_and_cuts_do_not_matter(
        input in proptest::collection::vec(any_byte(), 0..200),
        piece in 1_usize..20,
    ) {
        prop_assert_eq!(format!("{:?}", parse(&input, piece)), format!("{:?}", parse(&input, 1)));
    }
}
