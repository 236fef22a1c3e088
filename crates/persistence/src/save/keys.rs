//! The keys of a snapshot, on their way into a file of whatever format.

use std::io;

use collections::entry::EntryRef;
use format::Sink;
use store::Store;
use store::shard::Usage;
use store::snapshot::Snapshot;

use super::file::PieceFile;
use super::{Pace, Progress, SaveError, Step};

/// What stands in the file for what is in the snapshot. Small entries were encoded when they were
/// walked over ([`store::snapshot::Encode`]).
pub(crate) trait Form {
    /// What follows is in this database; with its size if that is not known yet.
    fn database(&self, db: usize, size: Option<Usage>, file: &mut PieceFile<'_>) -> io::Result<()>;

    /// A key with a large value.
    fn entry(&self, entry: EntryRef<'_>, file: &mut PieceFile<'_>) -> io::Result<()>;
}

/// Writes all keys of `snapshot`.
pub(crate) fn write_keys(
    (snapshot, store): (&mut Snapshot, &Store),
    form: &impl Form,
    file: &mut PieceFile<'_>,
    pace: &mut Pace<'_>,
) -> Result<(), SaveError> {
    let (mut selected, mut sized) = (None, vec![false; snapshot.usage().len()]);
    while let Some(chunk) = snapshot.next_chunk(store) {
        let progress = Progress {
            keys: chunk.keys,
            copied_bytes: snapshot.copied_bytes(),
            is_behind: snapshot.is_behind(),
        };
        if !pace(progress) {
            return Err(SaveError::Cancelled);
        }
        let mut write = || {
            if selected != Some(chunk.db) {
                selected = Some(chunk.db);
                let is_first = !std::mem::replace(&mut sized[chunk.db], true);
                let size = is_first.then(|| snapshot.usage()[chunk.db]);
                form.database(chunk.db, size, file)?;
            }
            file.put(&chunk.encoded)?;
            chunk.shared.iter().try_for_each(|entry| form.entry(entry.view(), file))
        };
        write().map_err(SaveError::at(Step::Write))?;
        snapshot.recycle(chunk);
    }
    Ok(())
}
