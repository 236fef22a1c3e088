//! The request parser against the answers of a reference server, and against itself: however the
//! network cuts the bytes, the commands and the error are the same.

use proptest::prelude::*;
use resp::{Limits, OwnedArgs, ProtocolError, RequestParser, Step};

/// Everything in `input`, given at once; what is left at the end is an incomplete command.
fn parse_whole(input: &[u8], limits: &Limits) -> (Vec<OwnedArgs>, Option<ProtocolError>) {
    let mut parser = RequestParser::new();
    let mut commands = Vec::new();
    let mut rest = input;
    loop {
        match parser.parse(rest, limits) {
            Ok(Step::Incomplete { needed }) => {
                assert!(needed > 0);
                return (commands, None);
            }
            Ok(Step::Skipped { consumed }) => rest = &rest[consumed..],
            Ok(Step::Complete { consumed }) => {
                commands.push(parser.args(rest).to_owned());
                rest = &rest[consumed..];
            }
            Err(error) => return (commands, Some(error)),
        }
    }
}

/// The same in pieces that end at `cuts`, in a buffer of which only consumed bytes are dropped.
fn parse_pieces(
    input: &[u8],
    cuts: impl IntoIterator<Item = usize>,
    limits: &Limits,
) -> (Vec<OwnedArgs>, Option<ProtocolError>) {
    let mut parser = RequestParser::new();
    let mut commands = Vec::new();
    let mut start = 0;
    for end in cuts.into_iter().chain([input.len()]) {
        loop {
            match parser.parse(&input[start..end], limits) {
                Ok(Step::Incomplete { .. }) => break,
                Ok(Step::Skipped { consumed }) => start += consumed,
                Ok(Step::Complete { consumed }) => {
                    commands.push(parser.args(&input[start..end]).to_owned());
                    start += consumed;
                }
                Err(error) => return (commands, Some(error)),
            }
        }
    }
    (commands, None)
}

fn command<const N: usize>(words: [&str; N]) -> OwnedArgs {
    OwnedArgs::from_slices(&words)
}

#[track_caller]
fn commands(input: &[u8], expected: &[OwnedArgs]) {
    assert_eq!(parse_whole(input, &Limits::default()), (expected.to_vec(), None));
    assert_eq!(parse_pieces(input, 0..input.len(), &Limits::default()), (expected.to_vec(), None));
}

#[track_caller]
fn fails(input: &[u8], expected: ProtocolError, limits: &Limits) {
    let whole = parse_whole(input, limits);
    assert_eq!(whole.1, Some(expected), "{}", input[..input.len().min(60)].escape_ascii());
    if input.len() < 1_000 {
        assert_eq!(parse_pieces(input, 0..input.len(), limits), whole);
    }
}

#[test]
fn multibulk_commands() {
    commands(
        b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*1\r\n$4\r\nPING\r\n",
        &[command(["GET", "k"]), command(["PING"])],
    );
    commands(b"*2\r\n$3\r\nGET\r\n$0\r\n\r\n", &[command(["GET", ""])]);
    commands(b"*1\r\n$12\r\n\r\n*1\r\n$4\r\nP\r\r\n", &[command(["\r\n*1\r\n$4\r\nP\r"])]);
    let long = "x".repeat(12_345);
    let input = format!("*2\r\n$4\r\nECHO\r\n$12345\r\n{long}\r\n");
    assert_eq!(
        parse_whole(input.as_bytes(), &Limits::default()),
        (vec![command(["ECHO", &long])], None)
    );
}

#[test]
fn inline_commands() {
    commands(b"PING\r\n", &[command(["PING"])]);
    commands(b"  set  k \"a\\x20b\"\n", &[command(["set", "k", "a b"])]);
    commands(b"PING\r\r\nPING 'a b'\r\n", &[command(["PING"]), command(["PING", "a b"])]);
    commands(b"\"\" x\r\n", &[command(["", "x"])]);
    commands(b"$3\r\n", &[command(["$3"])]);
}

#[test]
fn nothing_to_execute_is_skipped() {
    commands(b"\r\n\n  \r\n*0\r\n*-1\r\n*-10\r\nPING\r\n", &[command(["PING"])]);
}

#[test]
fn line_ends_are_skipped_unseen() {
    commands(b"*1\rX$4\rXPINGXXPING\r\n", &[command(["PING"]), command(["PING"])]);
}

#[test]
fn protocol_errors() {
    use ProtocolError as E;
    let limits = Limits::default();
    for (input, error) in [
        (&b"*\r\n"[..], E::InvalidMultibulkLength),
        (b"*01\r\n", E::InvalidMultibulkLength),
        (b"*+1\r\n", E::InvalidMultibulkLength),
        (b"*1x\r\n", E::InvalidMultibulkLength),
        (b"*2147483648\r\n", E::InvalidMultibulkLength),
        (b"*3000000000\r\n", E::InvalidMultibulkLength),
        (b"*99999999999999999999\r\n", E::InvalidMultibulkLength),
        (b"*1\r\nfoo\r\n", E::ExpectedBulk(b'f')),
        (b"*1\r\n\r\n", E::ExpectedBulk(b'\r')),
        (b"*1\r\n:5\r\n", E::ExpectedBulk(b':')),
        (b"*1\r\n$-1\r\n", E::InvalidBulkLength),
        (b"*1\r\n$04\r\n", E::InvalidBulkLength),
        (b"*1\r\n$\r\n", E::InvalidBulkLength),
        (b"*1\r\n$x\r\n", E::InvalidBulkLength),
        (b"*1\r\n$536870913\r\n", E::InvalidBulkLength),
        (b"*1\r\n$9223372036854775807\r\n", E::InvalidBulkLength),
        (b"PING \"abc\r\n", E::UnbalancedQuotes),
        (b"PING \"abc\"d\r\n", E::UnbalancedQuotes),
        (b"set \"\"\"test-key\"\"\" test-value\r\n", E::UnbalancedQuotes),
    ] {
        fails(input, error, &limits);
    }
}

#[test]
fn numbers_of_any_length_mean_the_same() {
    for len in [0, 9, 10, 99, 100, 999, 1_000, 9_999] {
        let word = "x".repeat(len);
        let request = format!("*2\r\n$3\r\nGET\r\n${len}\r\n{word}\r\n");
        commands(request.as_bytes(), &[command(["GET", &word])]);
    }
    // A zero in front is refused in any position.
    let limits = Limits::default();
    fails(b"*01\r\n$4\r\nPING\r\n", ProtocolError::InvalidMultibulkLength, &limits);
    fails(b"*1\r\n$04\r\nPING\r\n", ProtocolError::InvalidBulkLength, &limits);
}

#[test]
fn a_bulk_length_may_not_overflow_whatever_the_limit() {
    let limits = Limits { bulk_len_max: u64::MAX, ..Limits::default() };
    let parsed = parse_whole(b"*1\r\n$9223372036854775807\r\nabc", &limits);
    assert_eq!(parsed, (Vec::new(), None));
}

#[test]
fn lines_are_limited() {
    use ProtocolError as E;
    let limits = Limits::default();
    let long = |prefix: &str, len: usize| [prefix.as_bytes(), &vec![b'1'; len]].concat();
    fails(&long("*", 65_536), E::MultibulkCountTooBig, &limits);
    fails(&long("*1\r\n$", 65_536), E::BulkCountTooBig, &limits);
    fails(&long("PING ", 65_536 - 4), E::InlineTooBig, &limits);
    // Even if the line is complete: what is refused must not depend on how it arrived.
    fails(&[&long("PING ", 65_536 - 4)[..], b"\r\n"].concat(), E::InlineTooBig, &limits);
    let longest = [&long("PING ", 65_536 - 5)[..], b"\n"].concat();
    assert_eq!(parse_whole(&longest, &limits).0.len(), 1);
    fails(&[&long("*", 65_535)[..], b"\r\n"].concat(), E::InvalidMultibulkLength, &limits);
}

#[test]
fn a_zero_byte_makes_a_line_endless() {
    use ProtocolError as E;
    let limits = Limits::default();
    for (start, error) in [
        (&b"\0\r\nPING\r\n"[..], E::InlineTooBig),
        (b"PI\0NG\r\nPING\r\n", E::InlineTooBig),
        (b"*\0\r\nPING\r\n", E::MultibulkCountTooBig),
        (b"$\0\r\nPING\r\n", E::InlineTooBig),
        (b"*1\r\n$\0\r\nPING\r\n", E::BulkCountTooBig),
    ] {
        assert_eq!(parse_whole(start, &limits), (Vec::new(), None));
        let payload = b"payload\n".repeat(10_000);
        fails(&[start, &payload[..]].concat(), error, &limits);
    }
}

#[test]
fn strangers_may_send_little() {
    use ProtocolError as E;
    let stranger = Limits { authenticated: false, ..Limits::default() };
    fails(b"*11\r\n", E::UnauthenticatedMultibulkLength, &stranger);
    fails(b"*1\r\n$16385\r\n", E::UnauthenticatedBulkLength, &stranger);
    let largest = format!("*1\r\n$16384\r\n{}\r\n", "x".repeat(16_384));
    assert_eq!(parse_whole(largest.as_bytes(), &stranger).0.len(), 1);
    let most = format!("*10\r\n{}", "$1\r\nx\r\n".repeat(10));
    assert_eq!(parse_whole(most.as_bytes(), &stranger).0.len(), 1);
}

#[test]
fn the_rest_of_an_argument_is_announced_exactly() {
    let mut parser = RequestParser::new();
    let limits = Limits::default();
    let mut input = b"*2\r\n$3\r\nGET\r\n$1000000\r\nabc".to_vec();
    let missing = 1_000_000 - 3 + 2;
    assert_eq!(parser.parse(&input, &limits), Ok(Step::Incomplete { needed: missing }));
    assert!(parser.is_midway());
    input.resize(input.len() + missing - 1, b'x');
    assert_eq!(parser.parse(&input, &limits), Ok(Step::Incomplete { needed: 1 }));
    input.push(b'\n');
    assert_eq!(parser.parse(&input, &limits), Ok(Step::Complete { consumed: input.len() }));
    assert!(!parser.is_midway());
    assert_eq!(parser.args(&input)[1].len(), 1_000_000);
    parser.shrink();
    assert!(parser.args(&input).is_empty());
}

#[test]
fn error_words() {
    assert_eq!(
        ProtocolError::ExpectedBulk(0x80).message(),
        b"Protocol error: expected '$', got '\x80'"
    );
    assert_eq!(ProtocolError::InvalidBulkLength.to_string(), "Protocol error: invalid bulk length");
}

/// Bytes that often make sense to the parser.
fn plausible_input() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 0..5)
            .prop_map(encode),
        2 => "[a-z\"'\\\\x ]{0,12}\r?\n".prop_map(String::into_bytes),
        2 => "[*$]-?[0-9]{0,3}\r\n".prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..8),
        1 => Just(b"\r\n".to_vec()),
    ];
    proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

/// A multibulk command.
fn encode(words: Vec<Vec<u8>>) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend(format!("${}\r\n", word.len()).into_bytes());
        bytes.extend(word);
        bytes.extend(b"\r\n");
    }
    bytes
}

proptest! {
    #[test]
    fn cuts_do_not_matter(
        input in plausible_input(),
        mut cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
        authenticated in any::<bool>(),
    ) {
        let limits = Limits { authenticated, bulk_len_max: 500 };
        let whole = parse_whole(&input, &limits);
        prop_assert_eq!(&parse_pieces(&input, 0..input.len(), &limits), &whole);
        if !input.is_empty() {
            cuts.sort_by_key(|cut| cut.index(input.len()));
            let cuts: Vec<_> = cuts.iter().map(|cut| cut.index(input.len())).collect();
            prop_assert_eq!(parse_pieces(&input, cuts, &limits), whole);
        }
    }

    #[test]
    fn what_is_encoded_comes_back(
        words in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 1..20),
    ) {
        let expected = OwnedArgs::from_slices(&words);
        let parsed = parse_whole(&encode(words), &Limits::default());
        prop_assert_eq!(parsed, (vec![expected], None));
    }

    #[test]
    fn garbage_is_no_panic(input in proptest::collection::vec(any::<u8>(), 0..400)) {
        parse_whole(&input, &Limits::default());
    }
}
