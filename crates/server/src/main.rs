//! The `ferrite` binary: every program of the project under one roof, told apart by the name it
//! is called by or by its first argument.

use std::process::ExitCode;

fn main() -> ExitCode {
    server::program::main()
}
