//! Running other programs, and where things are.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Result;

/// The repository root.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("xtask lies in the repository root").to_path_buf()
}

/// The one target directory that every task shares.
pub fn target_dir() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// `cargo`, run in the repository root.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    command
}

/// Announces and runs a command; its output goes to ours.
///
/// # Errors
/// When it cannot be started or does not succeed.
pub fn run(command: &mut Command) -> Result {
    let line = line(command);
    println!("$ {line}");
    let status = command.stdin(Stdio::null()).status();
    match status.map_err(|e| format!("cannot run `{line}`: {e}"))? {
        status if status.success() => Ok(()),
        status => Err(format!("`{line}` failed: {status}")),
    }
}

/// Runs a command quietly and returns what it printed.
///
/// # Errors
/// When it cannot be started or does not succeed, with the end of its output.
pub fn capture(command: &mut Command) -> Result<String> {
    let line = line(command);
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|e| format!("cannot run `{line}`: {e}"))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(said);
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(format!("`{line}` failed: {}\n{said}{complaint}", output.status))
}

/// Whether a program of that name is on the path.
pub fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Splits a command line given as an option at its spaces.
pub fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

/// Builds the server and returns its path: the release build when it is `best`, else the profile
/// that builds fast.
///
/// # Errors
/// When the build fails.
pub fn build_server(best: bool) -> Result<PathBuf> {
    let profile = if best { "release" } else { "quick" };
    run(&mut cargo(&["build", "--package", "server", "--bin", "ferrite", "--profile", profile]))?;
    Ok(target_dir().join(profile).join("ferrite"))
}

fn line(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy()];
    words.extend(command.get_args().map(std::ffi::OsStr::to_string_lossy));
    words.join(" ")
}
