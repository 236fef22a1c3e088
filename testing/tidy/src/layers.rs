//! The layer order: a crate may depend only on crates of strictly lower levels.
//!
//! The table is the one of `ARCHITECTURE.md`. There is no list of exceptions: a dependency that
//! needs one is a design question, to be settled there. Development dependencies count too,
//! because a test that reaches upwards tests the upper layer.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::Violation;
use crate::tree::TextFile;

/// Level of every crate below `crates/`, by name.
const LEVELS: &[(&str, u8)] = &[
    ("stdx", 0),
    ("sys", 0),
    ("resp", 1),
    ("collections", 1),
    ("config", 1),
    ("store", 2),
    ("client", 2),
    ("lua", 2),
    ("command", 3),
    ("format", 3),
    ("persistence", 4),
    ("replication", 3),
    ("cluster", 3),
    ("sentinel", 3),
    ("commands", 4),
    ("script", 4),
    ("engine", 5),
    ("server", 6),
    ("ferrite", 6),
    ("cli", 6),
    ("benchmark", 6),
];

/// Families of commands of their own (`commands-json`...) are siblings of `commands`.
const FAMILY_PREFIX: &str = "commands-";
const FAMILY_LEVEL: u8 = 4;

/// `testing/` stands above everything it tests. Some of its crates are libraries for the others.
const TESTING_LIBRARIES: &[(&str, u8)] =
    &[("conformance", 7), ("differential", 8), ("linearizability", 8), ("simdisk", 7)];
const TESTING_LEVEL: u8 = 9;
const XTASK_LEVEL: u8 = 10;

/// Foreign crates that reach the operating system, and the lowest level that may use them. `sys`
/// is the operating system's own corner and `client` the library of the tools.
const OS_CRATES: &[&str] = &["mio", "socket2", "signal-hook", "rustix", "libc"];
const OS_LEVEL: u8 = 6;
const OS_EXEMPT: &[&str] = &["sys", "client"];

/// The page that gives a reason for each foreign crate.
const DEPENDENCY_PAGE: &str = "docs/dependencies.md";

/// Runs `cargo metadata` for the workspace at `root`.
///
/// # Errors
/// A sentence when cargo cannot be run, fails, or prints what is not JSON.
pub fn metadata(root: &Path) -> Result<Value, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .current_dir(root)
        .output()
        .map_err(|e| format!("cannot run cargo metadata: {e}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr)));
    }
    serde_json::from_slice(&output.stdout).map_err(|e| format!("cargo metadata: {e}"))
}

/// The level of a workspace member, from its name and its folder relative to the root.
fn level(name: &str, folder: &str) -> Option<u8> {
    if folder == "xtask" {
        return Some(XTASK_LEVEL);
    }
    if folder.starts_with("testing/") {
        let library = TESTING_LIBRARIES.iter().find(|(known, _)| *known == name);
        return Some(library.map_or(TESTING_LEVEL, |(_, level)| *level));
    }
    if name.starts_with(FAMILY_PREFIX) {
        return Some(FAMILY_LEVEL);
    }
    LEVELS.iter().find(|(known, _)| *known == name).map(|(_, level)| *level)
}

/// A workspace member as `cargo metadata` describes it.
struct Member<'a> {
    name: &'a str,
    manifest: String,
    level: Option<u8>,
    dependencies: Vec<&'a str>,
}

fn members(metadata: &Value) -> Vec<Member<'_>> {
    let root = metadata["workspace_root"].as_str().unwrap_or_default();
    let text = |value: &'_ Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    packages
        .iter()
        .map(|package| {
            let manifest = text(package, "manifest_path").replace('\\', "/");
            let manifest = manifest.trim_start_matches(root).trim_start_matches('/').to_owned();
            let folder = manifest.trim_end_matches("/Cargo.toml");
            let name = package["name"].as_str().unwrap_or_default();
            let dependencies = package["dependencies"].as_array();
            let dependencies = dependencies.map(Vec::as_slice).unwrap_or_default();
            Member {
                name,
                level: level(name, folder),
                dependencies: dependencies.iter().filter_map(|d| d["name"].as_str()).collect(),
                manifest,
            }
        })
        .collect()
}

/// Checks the layer order over the answer of `cargo metadata --no-deps`.
#[must_use]
pub fn check(metadata: &Value) -> Vec<Violation> {
    let members = members(metadata);
    let mut found = Vec::new();
    for member in &members {
        let mut report = |message: String| {
            let path = member.manifest.clone();
            found.push(Violation { path, line: 0, rule: "layer", message });
        };
        let Some(own) = member.level else {
            report(format!("`{}` has no level: give it one in the layer table", member.name));
            continue;
        };
        for dependency in &member.dependencies {
            let other = members.iter().find(|other| other.name == *dependency);
            if let Some(level) = other.and_then(|other| other.level).filter(|level| *level >= own) {
                let name = member.name;
                report(format!("`{name}` (level {own}) depends on `{dependency}` (level {level})"));
            }
            let reaches_os = own < OS_LEVEL && OS_CRATES.contains(dependency);
            if reaches_os && !OS_EXEMPT.contains(&member.name) {
                report(format!("`{dependency}` reaches the operating system below level 6"));
            }
        }
    }
    found
}

/// Checks that every foreign crate that a member names has its line in the dependency page.
#[must_use]
pub fn check_dependency_page(metadata: &Value, files: &[TextFile]) -> Vec<Violation> {
    let members = members(metadata);
    let page = files.iter().find(|file| file.path == DEPENDENCY_PAGE);
    let page = page.map_or("", |file| file.text.as_str());
    let mut foreign: Vec<&str> = members
        .iter()
        .flat_map(|member| member.dependencies.iter().copied())
        .filter(|dependency| members.iter().all(|member| member.name != *dependency))
        .collect();
    foreign.sort_unstable();
    foreign.dedup();
    let missing = foreign.into_iter().filter(|name| !page.contains(&format!("`{name}`")));
    missing
        .map(|name| Violation {
            path: DEPENDENCY_PAGE.to_owned(),
            line: 0,
            rule: "dependency",
            message: format!("`{name}` has no line: what for, why this one, its licence"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Metadata of a workspace whose members are (name, folder, dependencies).
    fn workspace(members: &[(&str, &str, &[&str])]) -> Value {
        let package = |(name, folder, dependencies): &(&str, &str, &[&str])| {
            let dependencies: Vec<_> = dependencies.iter().map(|d| json!({ "name": d })).collect();
            let manifest = format!("/repo/{folder}/Cargo.toml");
            json!({ "name": name, "manifest_path": manifest, "dependencies": dependencies })
        };
        let packages: Vec<_> = members.iter().map(package).collect();
        json!({ "workspace_root": "/repo", "packages": packages })
    }

    fn messages(members: &[(&str, &str, &[&str])]) -> Vec<String> {
        check(&workspace(members)).into_iter().map(|violation| violation.message).collect()
    }

    #[test]
    fn downward_dependencies_pass() {
        let found = messages(&[
            ("stdx", "crates/stdx", &[]),
            ("resp", "crates/resp", &["stdx", "memchr"]),
            ("commands-json", "crates/commands-json", &["command"]),
            ("command", "crates/command", &["resp"]),
            ("conformance", "testing/conformance", &["resp"]),
            ("differential", "testing/differential", &["conformance"]),
            ("xtask", "xtask", &["differential"]),
        ]);
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn upward_and_sideways_dependencies_are_caught() {
        let upward: &[_] = &[("store", "crates/store", &["engine"][..]), ENGINE];
        assert_eq!(messages(upward), ["`store` (level 2) depends on `engine` (level 5)"]);
        let sideways: &[_] =
            &[("resp", "crates/resp", &["config"][..]), ("config", "crates/config", &[])];
        assert_eq!(messages(sideways), ["`resp` (level 1) depends on `config` (level 1)"]);
        let test: &[_] = &[("tidy", "testing/tidy", &["xtask"][..]), ("xtask", "xtask", &[])];
        assert_eq!(messages(test), ["`tidy` (level 9) depends on `xtask` (level 10)"]);
    }

    const ENGINE: (&str, &str, &[&str]) = ("engine", "crates/engine", &[]);

    #[test]
    fn a_crate_without_a_level_is_caught() {
        assert!(messages(&[("novel", "crates/novel", &[])])[0].contains("has no level"));
    }

    #[test]
    fn the_operating_system_is_caught_below_level_six() {
        assert!(messages(&[("store", "crates/store", &["mio"])])[0].contains("`mio`"));
        assert_eq!(messages(&[("server", "crates/server", &["mio"])]), [""; 0]);
        assert_eq!(messages(&[("sys", "crates/sys", &["libc"])]), [""; 0]);
    }

    #[test]
    fn a_dependency_without_a_reason_is_caught() {
        let metadata = workspace(&[("server", "crates/server", &["mio", "sys"]), SYS]);
        let page = |text: &str| TextFile { path: DEPENDENCY_PAGE.into(), text: text.into() };
        assert_eq!(check_dependency_page(&metadata, &[page("| `mio` | epoll |")]), []);
        assert_eq!(check_dependency_page(&metadata, &[page("mio")]).len(), 1);
        assert_eq!(check_dependency_page(&metadata, &[]).len(), 1);
    }

    const SYS: (&str, &str, &[&str]) = ("sys", "crates/sys", &[]);
}
