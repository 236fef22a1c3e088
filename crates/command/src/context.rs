//! What a handler may touch: its arguments, its locked keys, the reply, the clock of the command.

use config::Config;
use resp::{Args, Reply};
use store::Keyspace;

use crate::error::CommandError;
use crate::reader::ArgReader;

/// The context of one data command.
///
/// The fields are separate on purpose: a handler reads a key through `db` and writes the reply
/// while it still holds the value.
#[derive(Debug)]
pub struct Cx<'a> {
    /// The command line, name included.
    pub args: Args<'a>,
    /// Where the reply goes; it knows the protocol version.
    pub reply: &'a mut Reply,
    /// The locked keys, the time, the random numbers and the effects.
    pub db: Keyspace<'a>,
    /// The server's parameters.
    pub config: &'a Config,
    /// The command's full name for error texts: `set`, or `object|encoding`.
    pub name: &'static str,
}

impl<'a> Cx<'a> {
    /// A reader over the arguments after the command's name.
    #[must_use]
    pub fn reader(&self) -> ArgReader<'a> {
        ArgReader::new(self.args, 1)
    }

    /// The argument at `index`; the arity has been checked against the spec before the handler ran.
    ///
    /// # Errors
    /// A syntax error if there are not so many.
    pub fn arg(&self, index: usize) -> Result<&'a [u8], CommandError> {
        self.args.get(index).ok_or(CommandError::SYNTAX)
    }

    /// Replaces what replicas and the AOF see of this command.
    pub fn log(&mut self, args: &[&[u8]]) {
        let db = self.db.scope.db;
        self.db.effects.log(db, args);
    }

    /// As [`Cx::log`], of arguments in two parts.
    pub fn log_parts<'b>(&mut self, head: &[&[u8]], tail: impl ExactSizeIterator<Item = &'b [u8]>) {
        let db = self.db.scope.db;
        self.db.effects.log_parts(db, head, tail);
    }
}
