//! A connection whose script is being debugged: what the client sends is for the debugger, which
//! has a thread of its own and answers by messages.

use std::io;

use resp::Step;

use super::execute::limits;
use super::{Connection, State, Turn, Verdict};
use crate::net::input::Input;

impl Connection {
    /// Reads, and hands on what is complete.
    pub(super) fn debug(&mut self, turn: &mut Turn<'_>) -> io::Result<Verdict> {
        if self.input.is_none() && !self.readable {
            return Ok(Verdict::Rest);
        }
        let mut input = self.borrow_input(turn);
        let is_open = if self.readable && input.wants_more() {
            self.read(turn, &mut input)
        } else {
            Ok(true)
        };
        let goes_on = is_open.map(|is_open| {
            is_open && !self.input_too_large(turn, &input) && self.hand_on(turn, &mut input)
        });
        self.return_input(turn, input);
        match goes_on? {
            true if self.readable => Ok(Verdict::Again),
            true => Ok(Verdict::Rest),
            false => Ok(Verdict::Close),
        }
    }

    /// Hands the complete commands of the input to the debugger. False if that has come to an end.
    fn hand_on(&mut self, turn: &Turn<'_>, input: &mut Input) -> bool {
        debug_assert_eq!(self.state, State::Debugging);
        loop {
            let limits = limits(&turn.engine.config, &self.session);
            let (bytes, parser) = input.pending();
            match parser.parse(bytes, &limits) {
                Ok(Step::Incomplete { needed }) => {
                    input.lacks(needed);
                    return true;
                }
                Ok(Step::Skipped { consumed }) => input.consume(consumed),
                Ok(Step::Complete { consumed }) => {
                    if !self.session.tell_debugger(parser.args(bytes)) {
                        return false;
                    }
                    input.consume(consumed);
                }
                Err(_) => return false,
            }
        }
    }
}
