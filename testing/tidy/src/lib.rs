//! Tidy: the house rules that neither the compiler, clippy nor rustfmt can hold.
//!
//! Every rule is a ratchet that was strict from the first commit, because that was the cheapest
//! moment to have it. `cargo xtask tidy` prints what is broken; `tests/tree.rs` makes the same
//! check an ordinary test, so no change can pass `cargo test` and break a rule.
//!
//! The parts, in reading order:
//! - [`source`] reads a Rust file and tells code from comments, strings and tests;
//! - [`rules`] are the rules about one Rust file;
//! - [`tree`] walks the repository, and holds the rules about sizes and words;
//! - [`layers`] compares `cargo metadata` with the level of every crate.

pub mod layers;
pub mod rules;
pub mod source;
pub mod tree;

use std::fmt;
use std::path::Path;

/// One broken rule at one place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// Path relative to the repository root, with `/` between its parts.
    pub path: String,
    /// Line, counted from 1; 0 when the whole file is meant.
    pub line: usize,
    /// The rule's name, one word or two joined by `-`.
    pub rule: &'static str,
    /// What is wrong, and what to do instead.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: [{}] {}", self.path, self.line, self.rule, self.message)
    }
}

/// Checks the repository at `root` against every rule.
///
/// Returns the violations sorted by path and line.
///
/// # Errors
/// A sentence when the tree cannot be read or `cargo metadata` fails.
pub fn check(root: &Path) -> Result<Vec<Violation>, String> {
    let files = tree::read(root)?;
    let mut found = tree::check(&files);
    for file in files.iter().filter(|file| file.path.ends_with(".rs")) {
        found.extend(rules::check(&source::Source::new(&file.path, &file.text)));
    }
    let metadata = layers::metadata(root)?;
    found.extend(layers::check(&metadata));
    found.extend(layers::check_dependency_page(&metadata, &files));
    found.sort();
    Ok(found)
}
