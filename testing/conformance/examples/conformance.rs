//! Runs conformance scripts against a server, or records them from one.
//!
//! `cargo run -p conformance --example conformance -- HOST:PORT [--record] [FILE...]`
//!
//! Without files, all cases of the crate.

use std::path::PathBuf;
use std::process::ExitCode;

use conformance::{Report, Script, TcpTarget, cases_dir, load, record, run};

fn main() -> ExitCode {
    match work() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}

fn work() -> Result<bool, String> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().ok_or("usage: conformance HOST:PORT [--record] [FILE...]")?;
    let mut target = TcpTarget::new(address.parse().map_err(|error| format!("{error}"))?);
    let (mut recording, mut files) = (false, Vec::new());
    for argument in arguments {
        match argument.as_str() {
            "--record" => recording = true,
            _ => files.push(PathBuf::from(argument)),
        }
    }
    if files.is_empty() {
        let folder = cases_dir();
        files = load(&folder)?.into_iter().map(|case| folder.join(case.path)).collect();
    }
    let mut total = Report::default();
    for file in &files {
        let shown = file.display();
        let text = std::fs::read_to_string(file).map_err(|error| format!("{shown}: {error}"))?;
        if recording {
            let (recorded, remarks) =
                record::record(&text, &mut target).map_err(|error| format!("{shown}: {error}"))?;
            for remark in remarks {
                println!("{shown}: {remark}");
            }
            std::fs::write(file, recorded).map_err(|error| format!("{shown}: {error}"))?;
            continue;
        }
        let script = Script::parse(&text).map_err(|error| format!("{shown}: {error}"))?;
        let report = run(&script, &mut target).map_err(|error| format!("{shown}: {error}"))?;
        for failure in &report.failures {
            println!("{shown}: {failure}");
        }
        total.absorb(report);
    }
    let Report { passed, skipped, failures } = &total;
    println!("conformance: {passed} passed, {} failed, {skipped} skipped", failures.len());
    Ok(failures.is_empty())
}
