//! The buffer between a socket and the reply parser: it keeps what has arrived and is not yet
//! consumed, so that callers think in replies and not in reads.

use resp::{ReplyError, ReplyParser, ReplyStep, Value};

/// Decodes replies from bytes that arrive in any pieces.
#[derive(Debug, Default)]
pub struct Decoder {
    parser: ReplyParser,
    buffer: Vec<u8>,
    /// Bytes at the start of the buffer that the parser has consumed.
    consumed: usize,
}

impl Decoder {
    /// A decoder at the start of a connection.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends received bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        // Dropped here and not reply by reply, or a deep pipeline would move its rest each time.
        self.buffer.drain(..self.consumed);
        self.consumed = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next complete reply or push message; `None` when more bytes must be fed first.
    ///
    /// # Errors
    /// When the bytes are no reply; the decoder is of no use afterwards.
    pub fn decode(&mut self) -> Result<Option<Value>, ReplyError> {
        match self.parser.parse(&self.buffer[self.consumed..])? {
            ReplyStep::Complete { consumed, value } => {
                self.consumed += consumed;
                Ok(Some(value))
            }
            ReplyStep::Incomplete { consumed, .. } => {
                self.consumed += consumed;
                Ok(None)
            }
        }
    }

    /// Takes the bytes that no reply has consumed.
    pub fn take_rest(&mut self) -> Vec<u8> {
        let rest = self.buffer.split_off(self.consumed);
        *self = Self::default();
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_and_several_replies_at_once() {
        let mut decoder = Decoder::new();
        decoder.feed(b"*2\r\n:1\r\n$2\r\nh");
        assert_eq!(decoder.decode(), Ok(None));
        decoder.feed(b"i\r\n+OK\r\n-ERR");
        let pair = Value::Array(vec![Value::Integer(1), Value::Bulk(b"hi".to_vec())]);
        assert_eq!(decoder.decode(), Ok(Some(pair)));
        assert_eq!(decoder.decode(), Ok(Some(Value::Simple(b"OK".to_vec()))));
        assert_eq!(decoder.decode(), Ok(None));
        assert_eq!(decoder.take_rest(), b"-ERR");
    }
}
