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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Adds the sources below `directory` to `text`, those of the parameters themselves excepted.
    fn collect(directory: &Path, text: &mut String) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("crates/config") && !path.ends_with("tests") {
                collect(&path, text);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text.push_str(&std::fs::read_to_string(&path).unwrap());
            }
        }
    }

    /// Parameters of missing features that are read all the same, to be reported.
    const REPORTED: [&str; 6] = [
        "repl-backlog-size",
        "tls-port",
        "min-replicas-to-write",
        "min-replicas-max-lag",
        "cluster-compatibility-sample-ratio",
        "locale-collate",
    ];

    #[test]
    fn a_parameter_says_that_nothing_reads_it_if_nothing_does() {
        let mut sources = String::new();
        collect(&shell::root().join("crates"), &mut sources);
        let word = |byte: char| !byte.is_ascii_alphanumeric() && byte != '_';
        let words: std::collections::HashSet<&str> = sources.split(word).collect();
        for row in config::ids().map(|id| id.row()) {
            // What has a sentence in the documentation which says that it has no effect.
            if row.doc.starts_with("Has no effect:") || row.doc.starts_with("Accepted for") {
                continue;
            }
            let is_read = words.contains(&*row.name.to_uppercase().replace('-', "_"));
            assert!(is_read || !row.implemented, "{}: nothing reads it", row.name);
            let is_reported = REPORTED.contains(&row.name);
            assert!(!is_read || is_reported || row.implemented, "{} is read", row.name);
        }
    }
}
