//! What every change must pass, from the quickest check to the slowest.

use pico_args::Arguments;

use crate::{Result, compat, docs, shell};

/// Runs every check and stops at the first that fails.
///
/// # Errors
/// The check that failed.
pub fn run() -> Result {
    shell::run(&mut shell::cargo(&["fmt", "--all", "--check"]))?;
    let clippy = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
    shell::run(&mut shell::cargo(&clippy))?;
    tidy()?;
    docs::run(&mut Arguments::from_vec(vec!["--check".into()]))?;
    deny()?;
    shell::run(&mut shell::cargo(&["test", "--workspace", "--locked"]))?;
    compat::run(&mut Arguments::from_vec(Vec::new()))
}

/// Prints what breaks the house rules.
///
/// # Errors
/// When anything does.
pub fn tidy() -> Result {
    let found = tidy::check(&shell::root())?;
    for violation in &found {
        println!("{violation}");
    }
    match found.len() {
        0 => {
            println!("tidy: nothing to say");
            Ok(())
        }
        count => Err(format!("tidy: {count} violations")),
    }
}

/// Licences and advisories. Building cargo-deny takes longer than all our tests, so a machine
/// without it skips the check and says so.
fn deny() -> Result {
    if shell::has("cargo-deny") {
        shell::run(&mut shell::cargo(&["deny", "check"]))
    } else {
        println!("skipped: cargo deny (not installed: `cargo install cargo-deny --locked`)");
        Ok(())
    }
}
