//! The reply parser: pieces give the same values as the whole, and what it accepts is written
//! back in a form that it accepts again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use resp::{Reply, ReplyError, ReplyParser, ReplyStep, Value, Version};

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

fuzz_target!(|input: (u8, &[u8])| {
    let (piece, input) = input;
    let whole = parse(input, input.len().max(1));
    let pieces = parse(input, usize::from(piece).max(1));
    // Not a number differs from itself, so texts are compared.
    assert_eq!(format!("{whole:?}"), format!("{pieces:?}"));
    let Ok(values) = whole else { return };
    for version in [Version::Resp2, Version::Resp3] {
        let written = write(&values, version);
        let reread = parse(&written, written.len().max(1)).expect("what is written parses");
        assert_eq!(write(&reread, version), written);
    }
});
