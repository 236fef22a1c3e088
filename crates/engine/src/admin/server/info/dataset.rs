//! `INFO persistence`, `replication`, `cluster`, `keyspace`, `keysizes`.

use config::rows;
use store::ValueType;
use store::shard::Usage;

use super::{Source, Text};
use crate::aof::LogFigures;
use crate::engine::Engine;
use crate::saving::SaveProgress;

pub(super) fn persistence(text: &mut Text, source: &mut Source<'_, '_>) {
    let engine = source.admin.engine;
    text.field("loading", u8::from(engine.is_loading()));
    text.field("async_loading", 0);
    saves(text, engine);
    let (keys_expired, keys_loaded) = engine.last_load();
    text.field("rdb_last_load_keys_expired", keys_expired);
    text.field("rdb_last_load_keys_loaded", keys_loaded);
    log(text, &engine.log_figures());
    if let Some(load) = engine.load_figures() {
        text.field("loading_start_time", load.start_s);
        text.field("loading_total_bytes", load.total_bytes);
        text.field("loading_rdb_used_mem", load.used_memory);
        text.field("loading_loaded_bytes", load.loaded_bytes);
        text.field("loading_loaded_perc", format_args!("{:.2}", load.loaded_percent));
        text.field("loading_eta_seconds", load.eta_s);
    }
}

/// The append-only file.
fn log(text: &mut Text, log: &LogFigures) {
    let status = |ok| if ok { "ok" } else { "err" };
    text.field("aof_enabled", u8::from(log.enabled));
    text.field("aof_rewrite_in_progress", u8::from(log.in_progress));
    text.field("aof_rewrite_scheduled", u8::from(log.scheduled));
    text.field("aof_last_rewrite_time_sec", signed(log.last_seconds));
    text.field("aof_current_rewrite_time_sec", signed(log.current_seconds));
    text.field("aof_last_bgrewrite_status", status(log.last_ok));
    text.field("aof_rewrites", log.rewrites);
    text.field("aof_rewrites_consecutive_failures", log.failures);
    text.field("aof_last_write_status", status(log.write_ok));
    text.field("aof_last_cow_size", log.copied_bytes);
    text.zeros(&["module_fork_in_progress", "module_fork_last_cow_size"]);
    if log.enabled {
        text.field("aof_current_size", log.size);
        text.field("aof_base_size", log.base_size);
        text.field("aof_pending_rewrite", u8::from(log.scheduled));
        text.field("aof_buffer_length", log.waiting_bytes);
        text.field("aof_pending_bio_fsync", u8::from(log.waits_for_flush));
        text.field("aof_delayed_fsync", log.delayed);
    }
}

/// The save in progress and the last one. Nothing is forked, so what Redis calls copy-on-write is
/// what was copied for the snapshot.
fn saves(text: &mut Text, engine: &Engine) {
    let (figures, running) = (engine.saving.figures(), engine.saving.progress());
    let running = running.filter(|running| running.is_background);
    let SaveProgress { started_ms, keys_total, keys_done, copied_bytes, .. } =
        running.unwrap_or_default();
    let elapsed_s = engine.clock.unix_ms().saturating_sub(started_ms) / 1000;
    let done = if keys_total == 0 { 0.0 } else { keys_done as f64 / keys_total as f64 * 100.0 };
    text.field("current_cow_peak", copied_bytes);
    text.field("current_cow_size", copied_bytes);
    text.field("current_cow_size_age", 0);
    text.field("current_fork_perc", format_args!("{done:.2}"));
    text.field("current_save_keys_processed", keys_done);
    text.field("current_save_keys_total", keys_total);
    text.field("rdb_changes_since_last_save", engine.changes_since_save());
    text.field("rdb_bgsave_in_progress", u8::from(running.is_some()));
    text.field("rdb_last_save_time", engine.saving.last_save_s());
    text.field("rdb_last_bgsave_status", if engine.saving.has_failed() { "err" } else { "ok" });
    text.field("rdb_last_bgsave_time_sec", signed(figures.took_s));
    text.field("rdb_current_bgsave_time_sec", signed(running.map(|_| elapsed_s)));
    text.field("rdb_saves", figures.saves);
    text.field("rdb_saves_consecutive_failures", figures.failures);
    text.field("rdb_last_cow_size", figures.copied_bytes);
}

/// A number of seconds, -1 if there is none.
fn signed(seconds: Option<u64>) -> i64 {
    seconds.and_then(|seconds| i64::try_from(seconds).ok()).unwrap_or(-1)
}

pub(super) fn replication(text: &mut Text, source: &mut Source<'_, '_>) {
    let engine = source.admin.engine;
    text.field("role", "master");
    text.field("connected_slaves", 0);
    let wanted = [rows::MIN_REPLICAS_TO_WRITE, rows::MIN_REPLICAS_MAX_LAG];
    if wanted.iter().all(|row| engine.config.get(*row) > 0) {
        text.field("min_slaves_good_slaves", 0);
    }
    text.field("master_failover_state", "no-failover");
    text.field("master_replid", &engine.run_id);
    text.field("master_replid2", "0".repeat(40));
    text.field("master_repl_offset", 0);
    text.field("second_repl_offset", -1);
    text.field("repl_backlog_active", 0);
    text.field("repl_backlog_size", engine.config.get(rows::REPL_BACKLOG_SIZE));
    text.zeros(&["repl_backlog_first_byte_offset", "repl_backlog_histlen"]);
}

pub(super) fn cluster(text: &mut Text, _: &mut Source<'_, '_>) {
    text.field("cluster_enabled", 0);
}

pub(super) fn keyspace(text: &mut Text, source: &mut Source<'_, '_>) {
    let databases = source.figures.databases.clone();
    for (db, usage) in databases.iter().enumerate().filter(|(_, usage)| usage.keys > 0) {
        let ttl = if usage.expiring > 0 { source.admin.cx.db.average_ttl(db) } else { 0 };
        let Usage { keys, expiring: expires, hashes_expiring: hashes, .. } = usage;
        let line = format!("keys={keys},expires={expires},avg_ttl={ttl},subexpiry={hashes}");
        text.field(&format!("db{db}"), line);
    }
}

/// How many values of a type have which size, by powers of two.
pub(super) fn keysizes(text: &mut Text, source: &mut Source<'_, '_>) {
    const FIELDS: [(&str, ValueType); 5] = [
        ("strings_sizes", ValueType::String),
        ("lists_items", ValueType::List),
        ("sets_items", ValueType::Set),
        ("zsets_items", ValueType::SortedSet),
        ("hashes_items", ValueType::Hash),
    ];
    for (db, sizes) in source.admin.cx.db.sizes().iter().enumerate() {
        for (name, value_type) in FIELDS {
            let bins = sizes.of(value_type);
            let bins: Vec<_> = bins.map(|(least, n)| format!("{}={n}", units(least))).collect();
            let bins = bins.join(",");
            if !bins.is_empty() {
                text.field(&format!("db{db}_distrib_{name}"), bins);
            }
        }
    }
}

/// Zero or a power of two, in the largest unit that it is a multiple of.
fn units(number: u64) -> String {
    const UNITS: [&str; 7] = ["", "K", "M", "G", "T", "P", "E"];
    let exponent = number.checked_ilog2().unwrap_or(0);
    let unit = exponent / 10;
    format!("{}{}", number >> (unit * 10), UNITS[unit as usize])
}
