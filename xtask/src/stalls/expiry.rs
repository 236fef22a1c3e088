//! How promptly expired keys are reclaimed, and what that costs: all keys fall due evenly over a
//! window, and `DBSIZE` is compared with what is left by the calendar.

use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use super::Plan;
use super::scenarios::{set, unix_ms};
use crate::Result;
use crate::server::{ask_integer, pump};

/// Over how long the keys fall due.
const WINDOW_MS: u64 = 10_000;
/// Slowest loading that the window waits for, in keys per second.
const LOAD_RATE_MIN: u64 = 120_000;
/// How often the keyspace is counted.
const PACE: Duration = Duration::from_millis(50);
/// How long after the window the server may take before the measurement ends.
const PATIENCE_MS: u64 = 60_000;

/// Measures the lag in milliseconds and the CPU share of one core.
///
/// # Errors
/// A server that fails, or loads too slowly.
pub fn measure(plan: &Plan) -> Result<Value> {
    let server = plan.launch.start()?;
    let mut client = server.connect()?;
    let start = unix_ms() + 5_000 + plan.keys * 1_000 / LOAD_RATE_MIN;
    let due = |i: u64| start + i % WINDOW_MS;
    pump(&mut client, (0..plan.keys).map(|i| set(i, Some(due(i)))))?;
    let lead = start.saturating_sub(unix_ms());
    if lead == 0 {
        return Err(format!("loading {} keys took longer than their time to live", plan.keys));
    }
    sleep(Duration::from_millis(lead));
    let before = server.cpu_ns();
    let mut lag_ms_max = 0;
    let mut left;
    loop {
        let now = unix_ms();
        left = ask_integer(&mut client, &["DBSIZE"])?.unsigned_abs();
        lag_ms_max = lag_ms_max.max(lag_ms(now - start, left, plan.keys));
        if left == 0 || now > start + WINDOW_MS + PATIENCE_MS {
            break;
        }
        sleep(PACE);
    }
    let elapsed_ms = unix_ms() - start;
    let cpu_ms = (server.cpu_ns() - before) as f64 / 1e6;
    let share = cpu_ms / elapsed_ms as f64;
    println!("\n{} keys due over {} s:", plan.keys, WINDOW_MS / 1_000);
    println!("  longest lag {lag_ms_max} ms, all gone after {elapsed_ms} ms, {left} left");
    println!("  server CPU {:.1} % of one core, {cpu_ms:.0} ms", share * 100.0);
    Ok(json!({ "keys": plan.keys, "lag_ms_max": lag_ms_max, "gone_after_ms": elapsed_ms,
        "left": left, "cpu_ms": cpu_ms, "cpu_share": share }))
}

/// How long ago, in milliseconds, the calendar had as many keys left as the server has.
fn lag_ms(elapsed_ms: u64, left: u64, keys: u64) -> u64 {
    let reached_ms = WINDOW_MS.saturating_sub(left.saturating_mul(WINDOW_MS) / keys.max(1));
    elapsed_ms.saturating_sub(if left == 0 { elapsed_ms } else { reached_ms })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lag_is_the_time_since_the_calendar_stood_there() {
        assert_eq!(lag_ms(5_000, 500, 1_000), 0);
        assert_eq!(lag_ms(5_000, 600, 1_000), 1_000);
        assert_eq!(lag_ms(12_000, 100, 1_000), 3_000);
        assert_eq!(lag_ms(12_000, 0, 1_000), 0);
    }
}
