//! A bar that says how far a long check is, for whoever looks at a terminal.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// Short checks are over before anybody has seen a bar.
const SHOWN_AFTER: Duration = Duration::from_millis(500);
const SHOWN_EVERY: Duration = Duration::from_millis(100);
const WIDTH: u64 = 40;

/// A bar on standard error, if that is a terminal.
#[derive(Debug)]
pub struct Progress {
    total: u64,
    next: Option<Instant>,
    is_shown: bool,
}

impl Progress {
    /// Of so many bytes.
    pub fn new(total: u64) -> Self {
        let wanted = total > 0 && std::io::stderr().is_terminal();
        Self { total, next: wanted.then(|| Instant::now() + SHOWN_AFTER), is_shown: false }
    }

    /// Says that so many bytes are behind.
    pub fn show(&mut self, done: u64) {
        let now = Instant::now();
        if self.next.is_some_and(|next| next <= now) {
            eprint!("\r{}", bar(done, self.total));
            // The terminal is gone, perhaps: the check goes on.
            let _ = std::io::stderr().flush();
            self.next = Some(now + SHOWN_EVERY);
            self.is_shown = true;
        }
    }

    /// Makes room for a line.
    pub fn hide(&mut self) {
        if std::mem::take(&mut self.is_shown) {
            eprint!("\r\x1b[K");
        }
    }
}

fn bar(done: u64, total: u64) -> String {
    let done = done.min(total);
    let full = (u128::from(done) * u128::from(WIDTH) / u128::from(total)) as usize;
    let percent = done as f64 / total as f64 * 100.0;
    let empty = WIDTH as usize - full;
    format!("[{}{}] {percent:5.1} %", "#".repeat(full), ".".repeat(empty))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills() {
        assert_eq!(bar(0, 10), format!("[{}]   0.0 %", ".".repeat(40)));
        assert_eq!(bar(5, 10), format!("[{}{}]  50.0 %", "#".repeat(20), ".".repeat(20)));
        assert_eq!(bar(11, 10), format!("[{}] 100.0 %", "#".repeat(40)));
    }
}
