//! What only a process of its own can show: crash reports and exit signals.
//!
//! Each test starts this test binary again with a scenario in the environment; [`child`] plays it.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};

const SCENARIO: &str = "FERRITE_TEST_SCENARIO";

fn play(scenario: &str) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env(SCENARIO, scenario)
        .output()
        .unwrap()
}

fn write(bytes: &[u8]) {
    use std::io::Write;
    std::io::stderr().write_all(bytes).unwrap();
}

fn install() -> sys::crash::SignalStack {
    sys::crash::install(sys::crash::Hooks {
        program: "FERRITE",
        version: "1.2.3",
        write,
        log: |line| write(format!("log: {line}\n").as_bytes()),
        sections: |section| {
            section("INFO OUTPUT", "some:info");
            match std::env::var(SCENARIO).as_deref() {
                Ok("nested") => std::process::abort(),
                Ok("stuck") => loop {
                    std::thread::park();
                },
                _ => {}
            }
        },
    });
    sys::crash::SignalStack::install().unwrap()
}

#[inline(never)]
#[allow(unconditional_recursion, reason = "the overflow is the point")]
fn overflow(depth: u64) -> u64 {
    let block = std::hint::black_box([depth; 64]);
    overflow(depth + 1) + block[depth as usize % 64]
}

#[test]
fn child() {
    let Ok(scenario) = std::env::var(SCENARIO) else { return };
    let _stack = install();
    match scenario.as_str() {
        "abort" | "nested" | "stuck" => std::process::abort(),
        "overflow" => assert_eq!(overflow(0), 0),
        "panic" => {
            assert!(std::thread::spawn(|| panic!("invariant {}", 7)).join().is_err());
            write(b"still alive\n");
        }
        "disabled" => {
            sys::crash::set_enabled(false);
            std::process::abort();
        }
        other => panic!("unknown scenario {other}"),
    }
}

fn occurrences(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

#[test]
fn a_fatal_signal_leaves_a_report_and_its_exit_status() {
    let output = play("abort");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.signal(), Some(6), "{text}");
    let start = "=== FERRITE BUG REPORT START: Cut & paste starting from here ===";
    let end = "=== FERRITE BUG REPORT END. Make sure to include from START to END. ===";
    let parts = [
        start,
        "log: Ferrite 1.2.3 crashed by signal: 6, si_code: -6",
        "log: Killed by PID: ",
        "log: Crashed running the instruction at: 0x",
        "STACK TRACE -",
        "STACK TRACE DONE",
        "------ INFO OUTPUT ------\nsome:info\n",
        end,
    ];
    let mut from = 0;
    for part in parts {
        let at = text[from..].find(part);
        from += at.unwrap_or_else(|| panic!("{part:?} is missing or out of order in\n{text}"));
        assert_eq!(occurrences(&text, part), 1, "{part}");
    }
}

#[test]
fn a_stack_overflow_is_reported() {
    let output = play("overflow");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.signal(), Some(11), "{text}");
    assert!(text.contains("crashed by signal: 11"), "{text}");
    assert!(text.contains("Accessing address: 0x"), "{text}");
    assert!(text.contains("BUG REPORT END"), "{text}");
}

#[test]
fn a_fault_inside_the_report_ends_it() {
    let output = play("nested");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.signal(), Some(6), "{text}");
    assert_eq!(occurrences(&text, "Crashed running signal handler. Providing reduced"), 1);
    assert_eq!(occurrences(&text, "BUG REPORT END"), 1, "{text}");
}

#[test]
fn a_report_that_hangs_is_given_up() {
    let output = play("stuck");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.signal(), Some(6), "{text}");
    assert!(text.contains("log: The report is incomplete"), "{text}");
    assert_eq!(occurrences(&text, "BUG REPORT END"), 1, "{text}");
}

#[test]
fn a_panic_is_reported_and_survived() {
    let output = play("panic");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("ASSERTION FAILED"), "{text}");
    assert!(text.contains("'invariant 7'"), "{text}");
    assert!(text.contains("BUG REPORT END"), "{text}");
    assert!(text.contains("still alive"), "{text}");
}

#[test]
fn reports_can_be_turned_off() {
    let output = play("disabled");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.signal(), Some(6), "{text}");
    assert!(!text.contains("BUG REPORT"), "{text}");
}
