//! Failing on purpose.

use std::io;

/// Operations that can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// Opening a file for reading.
    Open,
    /// Creating a file or a directory, or opening a file for writing.
    Create,
    /// Writing.
    Write,
    /// Flushing a file.
    Sync,
    /// Beginning to flush a file.
    BeginSync,
    /// Renaming.
    Rename,
    /// Removing.
    Remove,
    /// Cutting.
    Truncate,
    /// Flushing a directory.
    SyncDirectory,
    /// Marking a directory: another process has done so, whatever the fault.
    Mark,
}

/// How they fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is no room. A write takes at most so many bytes before it says so.
    Full(usize),
    /// The device does not work.
    Io,
    /// Nothing may be changed.
    ReadOnly,
}

impl Fault {
    fn error(self) -> io::Error {
        match self {
            Self::Full(_) => io::ErrorKind::StorageFull.into(),
            Self::Io => io::Error::other("Input/output error"),
            Self::ReadOnly => io::ErrorKind::ReadOnlyFilesystem.into(),
        }
    }
}

/// What is to fail.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    planned: Vec<Planned>,
    met: Vec<On>,
}

#[derive(Debug)]
struct Planned {
    on: On,
    fault: Fault,
    skip: usize,
    times: usize,
}

impl Faults {
    pub(crate) fn add(&mut self, on: On, fault: Fault, skip: usize, times: usize) {
        self.planned.push(Planned { on, fault, skip, times });
    }

    fn next(&mut self, on: On) -> Option<Fault> {
        let is_next = |planned: &&mut Planned| planned.on == on && planned.times > 0;
        let planned = self.planned.iter_mut().find(is_next)?;
        if planned.skip > 0 {
            planned.skip -= 1;
            return None;
        }
        planned.times -= 1;
        self.met.push(on);
        Some(planned.fault)
    }

    /// Plans nothing more.
    pub(crate) fn clear(&mut self) {
        self.planned.clear();
    }

    /// The operations that have failed.
    pub(crate) fn met(&self) -> &[On] {
        &self.met
    }

    /// Fails if that is what is planned for an operation of this kind.
    pub(crate) fn check(&mut self, on: On) -> io::Result<()> {
        self.next(on).map_or(Ok(()), |fault| Err(fault.error()))
    }

    /// How many of `wanted` bytes are written.
    pub(crate) fn check_write(&mut self, wanted: usize) -> io::Result<usize> {
        match self.next(On::Write) {
            None => Ok(wanted),
            Some(Fault::Full(room)) if room > 0 => Ok(room.min(wanted)),
            Some(fault) => Err(fault.error()),
        }
    }
}
