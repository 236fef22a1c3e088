//! The fuzz targets, each for a bounded time. They live in a workspace of their own, because their
//! instrumentation must not leak into ordinary builds; `fuzz/run.sh` knows its flags.

use pico_args::Arguments;

use crate::{Result, finished, option, shell};

/// Runs each target of `fuzz/Cargo.toml`, or the one named by `--only`.
///
/// # Errors
/// A target that does not build, or that found an input it fails on.
pub fn run(arguments: &mut Arguments) -> Result {
    let seconds: u32 = option(arguments, "--seconds", 60)?;
    let only: String = option(arguments, "--only", String::new())?;
    finished(arguments)?;
    let folder = shell::root().join("fuzz");
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml"))
        .map_err(|e| format!("fuzz/Cargo.toml: {e}"))?;
    let mut names = targets(&manifest);
    names.retain(|name| only.is_empty() || *name == only);
    if names.is_empty() {
        return Err(format!("fuzz/Cargo.toml has no target `{only}`"));
    }
    for name in names {
        let mut command = std::process::Command::new(folder.join("run.sh"));
        command.arg(&name).arg(seconds.to_string()).current_dir(&folder);
        // The flags differ from every other build's: a folder of its own keeps both caches warm.
        command.env("CARGO_TARGET_DIR", shell::target_dir().join("fuzz"));
        shell::run(&mut command)?;
    }
    Ok(())
}

/// The names of the `[[bin]]` sections of a manifest.
fn targets(manifest: &str) -> Vec<String> {
    let name = |section: &str| {
        let line = section.lines().find_map(|line| line.trim().strip_prefix("name"))?;
        Some(line.trim_start_matches([' ', '=']).trim().trim_matches('"').to_owned())
    };
    manifest.split("[[bin]]").skip(1).filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_the_bins_of_the_manifest() {
        let manifest = "[package]\nname = \"fuzz\"\n[[bin]]\nname = \"request\"\npath = \"a\"\n\
                        [[bin]]\npath = \"b\"\nname=\"glob\"\n";
        assert_eq!(targets(manifest), ["request", "glob"]);
    }
}
