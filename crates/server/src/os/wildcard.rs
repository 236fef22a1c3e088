//! Paths with wild cards, as `include` takes them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use stdx::glob;

/// The paths that match `pattern`, sorted by name; relative patterns start at `directory`.
///
/// A pattern without wild cards is returned as it is, whether or not the file exists. `*`, `?` and
/// `[...]` match within one component of the path; names with a leading dot only when the pattern
/// has it too.
pub fn expand(directory: &Path, pattern: &[u8]) -> Vec<PathBuf> {
    let pattern = Path::new(OsStr::from_bytes(pattern));
    let mut found = vec![if pattern.is_relative() { directory.to_owned() } else { PathBuf::new() }];
    for component in pattern.components() {
        found = match component {
            Component::Normal(name) if has_wild_cards(name.as_bytes()) => {
                found.iter().flat_map(|parent| matching(parent, name.as_bytes())).collect()
            }
            other => found.iter().map(|parent| parent.join(other)).collect(),
        };
    }
    found
}

fn has_wild_cards(name: &[u8]) -> bool {
    name.iter().any(|byte| b"*?[".contains(byte))
}

fn matching(parent: &Path, pattern: &[u8]) -> Vec<PathBuf> {
    // A directory that cannot be read has nothing that matches.
    let Ok(entries) = std::fs::read_dir(parent) else { return Vec::new() };
    let wants_hidden = pattern.starts_with(b".");
    let mut paths: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.as_bytes();
            (wants_hidden || !name.starts_with(b".")) && glob::matches(pattern, name, false)
        })
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_expand_in_order_and_plain_paths_stay() {
        let root = std::env::temp_dir().join(format!("ferrite-wild-{}", std::process::id()));
        std::fs::create_dir_all(root.join("a1")).unwrap();
        std::fs::create_dir_all(root.join("a2")).unwrap();
        for name in ["a1/x.conf", "a2/x.conf", "a2/w.conf", "a2/.h.conf", "a2/y.txt"] {
            std::fs::write(root.join(name), "").unwrap();
        }
        let names = |pattern: &str| -> Vec<String> {
            expand(&root, pattern.as_bytes())
                .iter()
                .map(|path| path.strip_prefix(&root).unwrap().display().to_string())
                .collect()
        };
        assert_eq!(names("a?/*.conf"), ["a1/x.conf", "a2/w.conf", "a2/x.conf"]);
        assert_eq!(names("a2/.*.conf"), ["a2/.h.conf"]);
        assert_eq!(names("missing.conf"), ["missing.conf"]);
        assert_eq!(names("b*/x.conf"), [""; 0]);
        assert_eq!(expand(&root, b"/etc/passwd"), [Path::new("/etc/passwd")]);
        std::fs::remove_dir_all(&root).unwrap();
    }
}
