//! A file as a sink: gathers bytes into pieces, and keeps the checksum that ends RDB files.

use std::io;

use format::Sink;
use format::rdb::file::write;
use stdx::crc::crc64;

use super::{SaveError, Step};
use crate::Output;
use crate::flush_ahead::FlushAhead;

/// Bytes that are written at once.
const PIECE_BYTES: usize = 256 * 1024;

/// A file that is being written.
#[derive(Debug)]
pub(crate) struct PieceFile<'o> {
    output: &'o mut dyn Output,
    buffer: Vec<u8>,
    /// Of all bytes that were written; none if nobody wants it.
    crc: Option<u64>,
    written: u64,
    /// None if the disk is left alone until the end.
    ahead: Option<FlushAhead>,
}

impl<'o> PieceFile<'o> {
    /// An empty file.
    pub(crate) fn new(output: &'o mut dyn Output, checksum: bool, incremental: bool) -> Self {
        Self {
            output,
            buffer: Vec::with_capacity(PIECE_BYTES),
            crc: checksum.then_some(0),
            written: 0,
            ahead: incremental.then(FlushAhead::default),
        }
    }

    /// Writes what stands behind the keys of an RDB file.
    pub(crate) fn end_rdb(&mut self) -> io::Result<()> {
        write::end(self)?;
        self.pass_on()?;
        let crc = self.crc.take();
        write::checksum(crc, self)
    }

    /// Writes what has gathered and flushes the file. Returns its length in bytes.
    pub(crate) fn finish(mut self) -> Result<u64, SaveError> {
        self.pass_on().map_err(SaveError::at(Step::Write))?;
        self.output.sync().map_err(SaveError::at(Step::Sync))?;
        Ok(self.written)
    }

    fn pass_on(&mut self) -> io::Result<()> {
        let buffer = std::mem::take(&mut self.buffer);
        let written = self.write(&buffer);
        self.buffer = buffer;
        self.buffer.clear();
        written
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(crc) = &mut self.crc {
            *crc = crc64(*crc, bytes);
        }
        self.output.write_all(bytes)?;
        self.written += bytes.len() as u64;
        match &mut self.ahead {
            Some(ahead) => ahead.advance(self.output, self.written),
            None => Ok(()),
        }
    }
}

impl Sink for PieceFile<'_> {
    type Error = io::Error;

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.buffer.len() + bytes.len() > PIECE_BYTES {
            self.pass_on()?;
            if bytes.len() >= PIECE_BYTES {
                return bytes.chunks(PIECE_BYTES).try_for_each(|piece| self.write(piece));
            }
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }
}
