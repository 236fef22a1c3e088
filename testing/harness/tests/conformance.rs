//! Every conformance case against the engine in this process, and the proof that the cases name
//! every command.

use std::collections::BTreeSet;

use conformance::{Report, cases_dir, covered_commands, load, run};
use engine::registry::Registry;
use harness::InProcessTarget;

#[test]
fn every_case_passes() {
    let mut total = Report::default();
    let mut differences = Vec::new();
    for case in load(&cases_dir()).unwrap() {
        // An engine of its own, so that a file does not depend on those before it.
        let mut report = run(&case.script, &mut InProcessTarget::default()).unwrap();
        for failure in report.failures.drain(..) {
            differences.push(format!("{}: {failure}", case.path.display()));
        }
        total.absorb(report);
    }
    println!("conformance: {} passed, {} skipped", total.passed, total.skipped);
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
    assert!(total.passed > 380, "only {} tests ran", total.passed);
}

#[test]
fn every_command_has_a_case() {
    let covered = covered_commands(&load(&cases_dir()).unwrap());
    let entries = &Registry::get().entries;
    let names: BTreeSet<String> =
        entries.iter().map(|entry| entry.full_name.to_ascii_uppercase()).collect();
    let missing: Vec<&String> = names.difference(&covered).collect();
    assert!(missing.is_empty(), "commands without a conformance case: {missing:?}");
}
