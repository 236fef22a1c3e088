//! One server for each append-only file.

use config::rows;
use persistence::aof::Names;

use super::load::AofFailure;
use crate::engine::Engine;

impl Engine {
    /// Claims the directory of the log for as long as this server runs. Two servers in one log
    /// would make it useless for both, and neither would notice.
    ///
    /// # Errors
    /// If another server has it.
    pub(super) fn claim_log(&self, names: &Names) -> Result<(), AofFailure> {
        let mut claim = self.aof.claim.lock();
        if claim.is_some() {
            return Ok(());
        }
        // What is wrong with the directory is said by whoever opens files in it.
        let _ = self.storage.create_directory(&names.directory);
        match self.storage.mark_directory(&names.directory) {
            Ok(Some(mark)) => *claim = Some(mark),
            Ok(None) => {
                let dir = self.config.get(rows::DIR);
                return Err(self.fatal(&format!(
                    "Another server is writing the append only file in {}/{}. Give each server a \
                     dir or an appenddirname of its own.",
                    String::from_utf8_lossy(&dir),
                    names.directory
                )));
            }
            // Not every file system has locks.
            Err(_) => {}
        }
        Ok(())
    }
}
