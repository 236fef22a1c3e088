//! Where encoded bytes go.

use std::convert::Infallible;

/// Takes bytes in order. An encoder hands them over in pieces of bounded size (a number, a string,
/// a packed node), so whoever passes them on needs a buffer of his own.
pub trait Sink {
    /// Why bytes cannot be taken; the encoder gives up then.
    type Error;

    /// Takes the next bytes.
    ///
    /// # Errors
    /// As the sink says.
    fn put(&mut self, bytes: &[u8]) -> Result<(), Self::Error>;
}

impl Sink for Vec<u8> {
    type Error = Infallible;

    fn put(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.extend_from_slice(bytes);
        Ok(())
    }
}

/// Counts bytes and drops them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Count(pub u64);

impl Sink for Count {
    type Error = Infallible;

    fn put(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.0 += bytes.len() as u64;
        Ok(())
    }
}
