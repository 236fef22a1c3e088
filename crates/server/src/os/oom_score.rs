//! How readily the kernel kills the process when memory runs out (`oom-score-adj`).

use std::io;
use std::sync::Mutex;

use config::OomScoreAdj;

const FILE: &str = "/proc/self/oom_score_adj";

/// The score the process was started with, read before the first change: `relative` scores are
/// added to it, and turning the parameter off restores it.
static INHERITED: Mutex<Option<i64>> = Mutex::new(None);

/// Sets the process's score from the parameters; `score` is the one of the server's role.
///
/// # Errors
/// When the file cannot be read or written; lowering a score takes a privilege.
pub fn apply(mode: OomScoreAdj, score: i64) -> io::Result<()> {
    let mut inherited = INHERITED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let base = match (*inherited, mode) {
        (Some(base), _) => base,
        (None, OomScoreAdj::No) => return Ok(()),
        (None, _) => {
            let text = std::fs::read_to_string(FILE)?;
            let base = text.trim().parse().map_err(|_| io::ErrorKind::InvalidData)?;
            *inherited.insert(base)
        }
    };
    let wanted = match mode {
        OomScoreAdj::No => {
            *inherited = None;
            base
        }
        OomScoreAdj::Absolute => score,
        OomScoreAdj::Relative => base.saturating_add(score),
    };
    std::fs::write(FILE, wanted.clamp(-1000, 1000).to_string())
}
