//! A file as a sink: gathers bytes into pieces, and keeps the checksum that ends RDB files.

use std::io;

use format::Sink;
use format::rdb::file::write;
use stdx::crc::crc64;

use super::{SaveError, Step};
use crate::Output;

/// Bytes that are written at once.
const PIECE_BYTES: usize = 256 * 1024;
/// Bytes after which the disk is told to begin with them, so that the last flush is short.
pub(crate) const FLUSH_BYTES: u64 = 4 * 1024 * 1024;

/// A file that is being written.
#[derive(Debug)]
pub(crate) struct PieceFile<'o> {
    output: &'o mut dyn Output,
    buffer: Vec<u8>,
    /// Of all bytes that were written; none if nobody wants it.
    crc: Option<u64>,
    written: u64,
    /// Bytes that the disk was told to begin with; none if it is left alone until the end.
    begun: Option<u64>,
}

impl<'o> PieceFile<'o> {
    /// An empty file.
    pub(crate) fn new(output: &'o mut dyn Output, checksum: bool, incremental: bool) -> Self {
        Self {
            output,
            buffer: Vec::with_capacity(PIECE_BYTES),
            crc: checksum.then_some(0),
            written: 0,
            begun: incremental.then_some(0),
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
        if let Some(begun) = &mut self.begun
            && self.written - *begun >= FLUSH_BYTES
        {
            self.output.begin_sync(*begun..self.written)?;
            *begun = self.written;
        }
        Ok(())
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
