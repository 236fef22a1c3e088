//! Having the disk begin with a file before it is flushed, so that the flush is short.

use std::io;

use crate::Output;

/// Bytes after which the disk is told to begin with them.
const STEP_BYTES: u64 = 4 * 1024 * 1024;

/// How far the disk was told to begin with a file.
#[derive(Debug, Default)]
pub(crate) struct FlushAhead {
    begun: u64,
}

impl FlushAhead {
    /// Of a file that has so many bytes already, which are left alone.
    pub(crate) const fn behind(length: u64) -> Self {
        Self { begun: length }
    }

    /// Has the disk begin with what was written up to `end`, if that is much.
    ///
    /// # Errors
    /// As [`Output::begin_sync`].
    pub(crate) fn advance(&mut self, output: &mut dyn Output, end: u64) -> io::Result<()> {
        if end - self.begun < STEP_BYTES {
            return Ok(());
        }
        output.begin_sync(std::mem::replace(&mut self.begun, end)..end)
    }
}
