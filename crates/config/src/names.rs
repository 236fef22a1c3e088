//! From names to rows, and `CONFIG GET`.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::config::{Config, ids};
use crate::handle::RowId;

/// Every name of every parameter in lower case.
static BY_NAME: LazyLock<HashMap<&'static str, RowId>> =
    LazyLock::new(|| ids().flat_map(|id| id.row().names().map(move |name| (name, id))).collect());

/// The parameter called `name`, in any case; aliases and hidden names included.
#[must_use]
pub fn find(name: &[u8]) -> Option<RowId> {
    let name = std::str::from_utf8(name).ok()?.to_ascii_lowercase();
    BY_NAME.get(name.as_str()).copied()
}

fn is_pattern(text: &[u8]) -> bool {
    text.iter().any(|byte| matches!(byte, b'*' | b'?' | b'['))
}

impl Config {
    /// `CONFIG GET`: the names that match any of `patterns` with their values, each name once.
    ///
    /// A pattern matches today's names and aliases alike. A name without wild cards also finds
    /// hidden parameters, and is answered as it was asked.
    #[must_use]
    pub fn matching(&self, patterns: &[&[u8]]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut found: Vec<(Vec<u8>, RowId)> = Vec::new();
        let mut add = |name: &[u8], id| {
            if !found.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
                found.push((name.to_vec(), id));
            }
        };
        for &pattern in patterns {
            if !is_pattern(pattern) {
                if let Some(id) = find(pattern) {
                    add(pattern, id);
                }
                continue;
            }
            for id in ids() {
                for name in id.row().listed_names() {
                    if stdx::glob::matches(pattern, name.as_bytes(), true) {
                        add(name.as_bytes(), id);
                    }
                }
            }
        }
        found.into_iter().map(|(name, id)| (name, self.show(id))).collect()
    }
}
