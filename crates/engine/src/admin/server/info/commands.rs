//! `INFO commandstats`, `errorstats`, `latencystats`: by command.

use config::rows;

use super::{Source, Text};
use crate::errorstats::ErrorStats;

pub(super) fn command_stats(text: &mut Text, source: &mut Source<'_, '_>) {
    let engine = source.admin.engine;
    for entry in &engine.registry.entries {
        let (mut calls, mut nanos, mut rejected, mut failed) = (0, 0, 0, 0);
        for thread in engine.stats.all() {
            let command = &thread.commands[entry.index];
            calls += command.calls.get();
            nanos += command.nanos.get();
            rejected += command.rejected.get();
            failed += command.failed.get();
        }
        if calls + rejected + failed == 0 {
            continue;
        }
        let us = nanos / 1000;
        let each = if calls == 0 { 0.0 } else { nanos as f64 / 1000.0 / calls as f64 };
        let line = format!(
            "calls={calls},usec={us},usec_per_call={each:.2},rejected_calls={rejected},\
             failed_calls={failed}"
        );
        text.field(&format!("cmdstat_{}", entry.full_name), line);
    }
}

pub(super) fn error_stats(text: &mut Text, source: &mut Source<'_, '_>) {
    let mut all = ErrorStats::default();
    for thread in source.admin.engine.stats.all() {
        all.merge(&thread.errors.lock());
    }
    for (code, count) in all.iter() {
        text.field(&format!("errorstat_{code}"), format_args!("count={count}"));
    }
}

pub(super) fn latency_stats(text: &mut Text, source: &mut Source<'_, '_>) {
    let engine = source.admin.engine;
    if !engine.config.get(rows::LATENCY_TRACKING) {
        return;
    }
    let percentiles = engine.config.get(rows::LATENCY_TRACKING_INFO_PERCENTILES);
    for entry in &engine.registry.entries {
        let sum = engine.stats.latencies(entry.index);
        if sum.total() == 0 {
            continue;
        }
        let values: Vec<String> = percentiles
            .iter()
            .map(|&p| format!("p{p}={:.3}", sum.percentile(p) as f64 / 1000.0))
            .collect();
        text.field(&format!("latency_percentiles_usec_{}", entry.full_name), values.join(","));
    }
}
