//! The request parser: pieces give the same commands and the same error as the whole.
#![no_main]

use libfuzzer_sys::fuzz_target;
use resp::{Limits, OwnedArgs, ProtocolError, RequestParser, Step};

/// The commands in `input`, which arrives in pieces of `piece` bytes, and how it ends.
fn parse(
    input: &[u8],
    piece: usize,
    limits: &Limits,
) -> (Vec<OwnedArgs>, Result<usize, ProtocolError>) {
    let mut parser = RequestParser::new();
    let mut commands = Vec::new();
    let mut start = 0;
    for end in (0..input.len()).step_by(piece).chain([input.len()]) {
        loop {
            let rest = &input[start..end];
            match parser.parse(rest, limits) {
                Ok(Step::Incomplete { needed }) => {
                    assert!(needed > 0);
                    break;
                }
                Ok(Step::Skipped { consumed }) => start += consumed,
                Ok(Step::Complete { consumed }) => {
                    let args = parser.args(rest);
                    assert!(!args.is_empty() && args.bytes_len() <= consumed);
                    commands.push(args.to_owned());
                    start += consumed;
                }
                Err(error) => return (commands, Err(error)),
            }
        }
    }
    (commands, Ok(start))
}

fuzz_target!(|input: (u8, bool, u16, &[u8])| {
    let (piece, authenticated, bulk_len_max, input) = input;
    let limits = Limits { bulk_len_max: bulk_len_max.into(), authenticated };
    let whole = parse(input, input.len().max(1), &limits);
    assert_eq!(parse(input, usize::from(piece).max(1), &limits), whole);
});
