//! The cases of this repository: where they are, and which commands they exercise.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::script::{Action, Script};
use crate::words;

/// Commands whose second word names a subcommand.
const CONTAINERS: [&str; 21] = [
    "ACL",
    "CLIENT",
    "CLUSTER",
    "COMMAND",
    "COMMANDLOG",
    "CONFIG",
    "DEBUG",
    "FUNCTION",
    "HIMPORT",
    "HOTKEYS",
    "LATENCY",
    "MEMORY",
    "MODULE",
    "OBJECT",
    "PFDEBUG",
    "PUBSUB",
    "SCRIPT",
    "SENTINEL",
    "SLOWLOG",
    "XGROUP",
    "XINFO",
];

/// A script file of the catalogue.
#[derive(Clone, Debug)]
pub struct Case {
    /// Where it is, relative to the folder it was loaded from.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
    /// Its tests.
    pub script: Script,
}

/// The folder of this crate's own cases.
pub fn cases_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")
}

/// Loads every `*.txt` below `folder`, in the order of their paths.
///
/// # Errors
/// The file that cannot be read or parsed, and why.
pub fn load(folder: &Path) -> Result<Vec<Case>, String> {
    let mut paths = Vec::new();
    collect(folder, &mut paths)?;
    paths.sort();
    let mut cases = Vec::new();
    for path in paths {
        let shown = path.strip_prefix(folder).unwrap_or(&path).to_owned();
        let at = |error: &dyn std::fmt::Display| format!("{}: {error}", shown.display());
        let text = std::fs::read_to_string(&path).map_err(|error| at(&error))?;
        let script = Script::parse(&text).map_err(|error| at(&error))?;
        cases.push(Case { path: shown, text, script });
    }
    Ok(cases)
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<(), String> {
    let at = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(at)? {
        let path = entry.map_err(at)?.path();
        if path.is_dir() {
            collect(&path, paths)?;
        } else if path.extension().is_some_and(|extension| extension == "txt") {
            paths.push(path);
        }
    }
    Ok(())
}

/// The commands that `cases` send, in capitals; a subcommand as `CLIENT|KILL`.
pub fn covered_commands(cases: &[Case]) -> BTreeSet<String> {
    let mut covered = BTreeSet::new();
    let steps = cases.iter().flat_map(|case| &case.script.tests).flat_map(|test| &test.steps);
    for step in steps {
        let Action::Command(text) = &step.action else { continue };
        // Bindings do not matter for the first two words of a command.
        let mut words = text.split_ascii_whitespace();
        let Some(first) = words.next().and_then(name) else { continue };
        if CONTAINERS.contains(&first.as_str())
            && let Some(second) = words.next().and_then(name)
        {
            covered.insert(format!("{first}|{second}"));
        }
        covered.insert(first);
    }
    covered
}

fn name(word: &str) -> Option<String> {
    let mut words = words::split(word, &words::Bindings::new()).ok()?;
    Some(String::from_utf8_lossy(&words.pop()?).to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_parses_and_expects_something() {
        let cases = load(&cases_dir()).unwrap();
        assert!(cases.len() > 20, "only {} files", cases.len());
        for case in &cases {
            let mut names = BTreeSet::new();
            for test in &case.script.tests {
                let at = format!("{}:{}", case.path.display(), test.line);
                assert!(names.insert(&test.name), "{at}: the name is taken");
                assert!(!test.steps.is_empty(), "{at}: a test without steps");
                for step in &test.steps {
                    let silent = matches!(step.action, Action::Sleep(_));
                    assert!(silent || !step.expected.is_empty(), "{at}: line {}", step.line);
                }
            }
        }
    }

    #[test]
    fn subcommands_are_covered_by_name() {
        let text = "# test: a\n> client kill x\n:0\n> 'GET' k\nnil\n> object\n-ERR\n".to_owned();
        let script = Script::parse(&text).unwrap();
        let covered = covered_commands(&[Case { path: PathBuf::new(), text, script }]);
        let names: Vec<&str> = covered.iter().map(String::as_str).collect();
        assert_eq!(names, ["CLIENT", "CLIENT|KILL", "GET", "OBJECT"]);
    }
}
