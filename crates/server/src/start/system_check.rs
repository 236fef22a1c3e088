//! `--check-system`: settings of the machine that make a data store slow.

use std::process::ExitCode;

/// One thing to look at: its name, and what is wrong with it, if anything.
type Check = (&'static str, fn() -> Option<String>);

const CHECKS: [Check; 3] =
    [("slow-clocksource", clock_source), ("backlog", backlog), ("THP", huge_pages)];

/// Prints what was found; succeeds if all is well.
pub(super) fn run() -> ExitCode {
    let mut is_well = true;
    for (name, check) in CHECKS {
        match check() {
            None => println!("[{name}]...OK"),
            Some(advice) => {
                println!("[{name}]...WARNING:\n{advice}\n");
                is_well = false;
            }
        }
    }
    if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

fn clock_source() -> Option<String> {
    let current = read("/sys/devices/system/clocksource/clocksource0/current_clocksource")?;
    let current = current.trim();
    // These are read without entering the kernel.
    let is_fast = ["tsc", "kvm-clock", "hyperv_clocksource_tsc_page", "arch_sys_counter"];
    (!is_fast.contains(&current)).then(|| {
        format!(
            "The clock source '{current}' is read through a system call, which every command \
             pays for. Look for 'tsc' in /sys/devices/system/clocksource/clocksource0/\
             available_clocksource."
        )
    })
}

fn backlog() -> Option<String> {
    let limit: u32 = read("/proc/sys/net/core/somaxconn")?.trim().parse().ok()?;
    (limit < 511).then(|| {
        format!(
            "The kernel limits the queue of connections to {limit}, below the default \
             tcp-backlog of 511. Raise net.core.somaxconn."
        )
    })
}

fn huge_pages() -> Option<String> {
    let setting = read("/sys/kernel/mm/transparent_hugepage/enabled")?;
    setting.contains("[always]").then(|| {
        "Transparent huge pages are always on: freed memory goes back to the system later, and \
         the process looks larger than it is. Consider 'madvise'."
            .to_owned()
    })
}
