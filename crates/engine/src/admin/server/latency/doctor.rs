//! `LATENCY DOCTOR`: figures of every series, and what an operator may do about it.

use std::fmt::Write;

use ::config::rows;

use crate::engine::Engine;
use crate::latency::Series;

/// The report, as text for people.
pub(super) fn report(engine: &Engine) -> String {
    let all = engine.latency.all();
    if all.is_empty() {
        return match engine.config.get(rows::LATENCY_MONITOR_THRESHOLD) {
            0 => {
                "The latency monitor is off. To have spikes noted, say from how many milliseconds \
                  on: 'CONFIG SET latency-monitor-threshold <milliseconds>'.\n"
                    .to_owned()
            }
            millis => format!("Nothing has taken {millis} milliseconds or more so far.\n"),
        };
    }
    let mut text = "These events took long:\n\n".to_owned();
    for (number, (event, series)) in all.iter().enumerate() {
        let figures = Figures::of(series);
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{}. {event}: {} latency spikes (average {}ms, mean deviation {}ms, period {:.2} sec). \
             Worst all time event {}ms.",
            number + 1,
            series.samples.len(),
            figures.average,
            figures.deviation,
            figures.period_s,
            series.millis_max
        );
    }
    text.push_str("\nWhat may help:\n\n");
    let events: Vec<&str> = all.iter().map(|(event, _)| *event).collect();
    for advice in advices(engine, &events) {
        let _ = writeln!(text, "- {advice}");
    }
    text
}

/// Averages of a series.
struct Figures {
    average: u64,
    deviation: u64,
    period_s: f64,
}

impl Figures {
    fn of(series: &Series) -> Self {
        let count = series.samples.len() as u64;
        let sum: u64 = series.samples.iter().map(|sample| sample.millis).sum();
        let average = sum / count;
        let deviations = series.samples.iter().map(|sample| sample.millis.abs_diff(average));
        let deviation = deviations.sum::<u64>() / count;
        let span_s = series.latest().at_s - series.samples[0].at_s;
        let period_s = if count > 1 { span_s as f64 / (count - 1) as f64 } else { 0.0 };
        Self { average, deviation, period_s }
    }
}

fn advices(engine: &Engine, events: &[&str]) -> Vec<String> {
    let mut advices = Vec::new();
    let is = |wanted: &[&str]| events.iter().any(|event| wanted.contains(event));
    if is(&["command", "fast-command"]) {
        let slow_us = engine.config.get(rows::SLOWLOG_LOG_SLOWER_THAN);
        let spike_ms = engine.config.get(rows::LATENCY_MONITOR_THRESHOLD);
        if slow_us < 0 || slow_us > spike_ms.saturating_mul(1_000) {
            advices.push(
                "The slow log does not keep every command that counts as a spike here. Lower its \
                 threshold with 'CONFIG SET slowlog-log-slower-than'."
                    .to_owned(),
            );
        }
        advices.push("SLOWLOG GET shows which commands they were.".to_owned());
    }
    if is(&["fast-command"]) {
        advices.push(
            "Commands of constant time were held up: by other commands on the same shards, by the \
             scheduler or by swapping. Compare with the figures of the machine."
                .to_owned(),
        );
    }
    if is(&["expire-cycle"]) {
        advices.push(
            "Many keys, or large ones, expire at the same moment. Spread their times, and leave \
             lazyfree-lazy-expire on."
                .to_owned(),
        );
    }
    if events.iter().any(|event| event.starts_with("aof") || event.starts_with("rdb")) {
        advices.push(
            "The disk holds the server up. Look for other writers on it, and at appendfsync."
                .to_owned(),
        );
    }
    if events.iter().any(|event| event.starts_with("eviction")) {
        advices.push(
            "Making room for new keys takes long. Give the dataset more memory, or store smaller \
             values."
                .to_owned(),
        );
    }
    if advices.is_empty() {
        advices.push("No advice for these events.".to_owned());
    }
    advices
}
