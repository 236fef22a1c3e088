//! The files that are generated from the code: `ferrite.conf` from the rows of the parameters,
//! `docs/compatibility.md` from the command table.

mod compatibility;
mod surface;

use pico_args::Arguments;

use crate::{Result, finished, shell};

/// A generated file: its path below the root, and what makes its text.
type Generated = (&'static str, fn() -> String);

const GENERATED: &[Generated] =
    &[("ferrite.conf", config::sample_conf), ("docs/compatibility.md", compatibility::page)];

/// Writes the generated files, or with `--check` only compares them.
///
/// # Errors
/// With `--check`, the files that are not what the code says.
pub fn run(arguments: &mut Arguments) -> Result {
    let check = arguments.contains("--check");
    finished(arguments)?;
    let mut stale = Vec::new();
    for (path, text) in GENERATED {
        let (file, text) = (shell::root().join(path), text());
        if std::fs::read_to_string(&file).is_ok_and(|current| current == text) {
            println!("{path}: up to date");
        } else if check {
            stale.push(*path);
        } else {
            std::fs::write(&file, text).map_err(|e| format!("{path}: {e}"))?;
            println!("{path}: written");
        }
    }
    if stale.is_empty() {
        return Ok(());
    }
    Err(format!("not up to date: {}; run `cargo xtask docs`", stale.join(", ")))
}
