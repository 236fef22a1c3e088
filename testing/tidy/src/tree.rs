//! The repository as a tree of text files, and the rules about sizes and words.

use std::path::Path;

use crate::Violation;
use crate::source::Source;

/// Lines of a file outside its tests beyond which it needs a reason in [`LONG_FILES`].
pub const FILE_LINES_SOFT: usize = 500;
/// Lines of a file outside its tests beyond which only a flat table may go.
pub const FILE_LINES_HARD: usize = 1_000;

/// Files between the soft and the hard limit, with the reason that keeps each in one piece.
const LONG_FILES: &[(&str, &str)] = &[];

/// Flat tables, that is rows of data without logic: the one kind of file without a limit.
const FLAT_TABLES: &[(&str, &str)] = &[(
    "testing/differential/src/table.rs",
    "one row for each form of a command, and the words its arguments are drawn from",
)];

/// Folders that are not source: build outputs, foreign code, and version control (which is a file
/// where the tree is a second one of its repository).
const SKIPPED_FOLDERS: &[&str] = &["target", ".git", "node_modules", "venv", "artifacts", "corpus"];

/// Marks of unfinished work, and paths that exist on one developer's machine only. They are
/// written in two halves, so that this file does not contain what it forbids.
const FORBIDDEN: &[(&str, &str)] = &[
    (concat!("/wo", "rk/"), "a path of one machine"),
    (concat!("/op", "t/"), "a path of one machine"),
    (concat!("/ho", "me/"), "a path of one machine"),
    (concat!("/ro", "ot/"), "a path of one machine"),
    (concat!("TO", "DO"), "unfinished work: finish it or leave it out"),
    (concat!("FIX", "ME"), "unfinished work: finish it or leave it out"),
    (concat!("XX", "X:"), "unfinished work: finish it or leave it out"),
    (concat!("unimplemented", "!("), "unfinished work: finish it or leave it out"),
];

/// A text file of the repository.
pub struct TextFile {
    /// Path relative to the root, with `/` between its parts.
    pub path: String,
    /// The contents.
    pub text: String,
}

/// Reads every text file below `root`, sorted by path. Files that are not UTF-8 are left out.
///
/// # Errors
/// A sentence naming the path that cannot be read.
pub fn read(root: &Path) -> Result<Vec<TextFile>, String> {
    let mut files = Vec::new();
    let mut pending = vec![root.to_path_buf()];
    while let Some(folder) = pending.pop() {
        let failed = |e: std::io::Error| format!("cannot read {}: {e}", folder.display());
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let kind = entry.file_type().map_err(failed)?;
            if kind.is_dir() && !SKIPPED_FOLDERS.contains(&name.as_str()) {
                pending.push(entry.path());
            } else if kind.is_file() && name != ".git" {
                let bytes = std::fs::read(entry.path()).map_err(failed)?;
                let path = entry.path();
                let path = path.strip_prefix(root).expect("the walk stays below the root");
                let path = path.to_string_lossy().replace('\\', "/");
                files.extend(String::from_utf8(bytes).ok().map(|text| TextFile { path, text }));
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// Checks sizes and words of all files.
#[must_use]
pub fn check(files: &[TextFile]) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in files {
        forbidden_words(file, &mut found);
    }
    file_lengths(files, LONG_FILES, FLAT_TABLES, &mut found);
    found
}

fn forbidden_words(file: &TextFile, found: &mut Vec<Violation>) {
    // Written by cargo and npm, not by us.
    if file.path.ends_with(".lock") || file.path.ends_with("package-lock.json") {
        return;
    }
    for (index, line) in file.text.lines().enumerate() {
        for (word, reason) in FORBIDDEN.iter().filter(|(word, _)| line.contains(word)) {
            found.push(Violation {
                path: file.path.clone(),
                line: index + 1,
                rule: "word",
                message: format!("`{word}`: {reason}"),
            });
        }
    }
}

/// Holds the two limits. `long` and `tables` list (path, reason); an entry that is no longer
/// needed is a violation too, so that the lists only shrink.
fn file_lengths(
    files: &[TextFile],
    long: &[(&str, &str)],
    tables: &[(&str, &str)],
    found: &mut Vec<Violation>,
) {
    let mut needed = Vec::new();
    for file in files.iter().filter(|file| file.path.ends_with(".rs")) {
        let lines = Source::new(&file.path, &file.text).lines_outside_tests();
        let listed = |list: &[(&str, &str)]| list.iter().any(|(path, _)| *path == file.path);
        if lines > FILE_LINES_SOFT {
            needed.push(file.path.as_str());
        }
        let message = if lines > FILE_LINES_HARD && !listed(tables) {
            format!("{lines} lines outside tests, never more than {FILE_LINES_HARD}: split it")
        } else if lines > FILE_LINES_SOFT && !listed(long) && !listed(tables) {
            format!(
                "{lines} lines outside tests, more than {FILE_LINES_SOFT}: split it, or list it"
            )
        } else {
            continue;
        };
        found.push(Violation { path: file.path.clone(), line: 0, rule: "file-length", message });
    }
    for (path, _) in long.iter().chain(tables).filter(|(path, _)| !needed.contains(path)) {
        let message = "listed as a long file, which it is not: drop it from the list".to_owned();
        found.push(Violation { path: (*path).to_owned(), line: 0, rule: "file-length", message });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> TextFile {
        TextFile { path: path.into(), text: text.into() }
    }

    fn lengths(lines: usize, long: &[(&str, &str)], tables: &[(&str, &str)]) -> Vec<String> {
        let text = format!("//! About.\n{}", "//\n".repeat(lines - 1));
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "//\n".repeat(1_500));
        let mut found = Vec::new();
        file_lengths(&[file("a.rs", &(text + &tests))], long, tables, &mut found);
        found.into_iter().map(|violation| violation.message).collect()
    }

    #[test]
    fn the_soft_limit_needs_a_reason_and_the_hard_one_takes_none() {
        const LISTED: &[(&str, &str)] = &[("a.rs", "one state machine")];
        assert_eq!(lengths(500, &[], &[]), [""; 0]);
        assert!(lengths(501, &[], &[])[0].contains("more than 500"));
        assert_eq!(lengths(1_000, LISTED, &[]), [""; 0]);
        assert!(lengths(1_001, LISTED, &[])[0].contains("never more than 1000"));
        assert_eq!(lengths(2_000, &[], LISTED), [""; 0]);
        assert!(lengths(500, LISTED, &[])[0].contains("drop it"));
        assert!(lengths(500, &[], &[("gone.rs", "was long")])[0].contains("drop it"));
    }

    #[test]
    fn test_files_have_no_length_limit() {
        let mut found = Vec::new();
        let text = "//\n".repeat(2_000);
        file_lengths(&[file("crates/x/tests/a.rs", &text)], &[], &[], &mut found);
        assert_eq!(found, []);
    }

    fn words(path: &str, text: &str) -> Vec<Violation> {
        let mut found = Vec::new();
        forbidden_words(&file(path, text), &mut found);
        found
    }

    #[test]
    fn every_forbidden_word_is_caught_in_any_file() {
        for (word, _) in FORBIDDEN {
            let found = words("README.md", &format!("fine\nsee {word}x\n"));
            assert_eq!(found.len(), 1, "{word}");
            assert_eq!((found[0].line, found[0].rule), (2, "word"));
        }
        assert_eq!(words("a.md", "network/options, framework/x\n"), []);
        assert_eq!(words("Cargo.lock", concat!("TO", "DO")), []);
    }
}
