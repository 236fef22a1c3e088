//! `INFO persistence`, `replication`, `cluster`, `keyspace`.

use std::sync::atomic::Ordering;

use config::rows;
use store::shard::Usage;

use super::{Source, Text};
use crate::aof::LogFigures;

pub(super) fn persistence(text: &mut Text, source: &mut Source<'_, '_>) {
    let engine = source.admin.engine;
    text.field("loading", u8::from(engine.is_loading()));
    text.zeros(&["async_loading", "current_cow_peak", "current_cow_size"]);
    text.field("current_cow_size_age", 0);
    text.field("current_fork_perc", "0.00");
    text.zeros(&["current_save_keys_processed", "current_save_keys_total"]);
    text.field("rdb_changes_since_last_save", engine.stats.sum(|t| &t.dirty));
    text.field("rdb_bgsave_in_progress", 0);
    text.field("rdb_last_save_time", engine.last_save.load(Ordering::Relaxed));
    text.field("rdb_last_bgsave_status", "ok");
    text.field("rdb_last_bgsave_time_sec", -1);
    text.field("rdb_current_bgsave_time_sec", -1);
    text.zeros(&["rdb_saves", "rdb_last_cow_size"]);
    let (keys_expired, keys_loaded) = engine.last_load();
    text.field("rdb_last_load_keys_expired", keys_expired);
    text.field("rdb_last_load_keys_loaded", keys_loaded);
    log(text, &engine.log_figures());
    text.zeros(&["module_fork_in_progress", "module_fork_last_cow_size"]);
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
    let seconds = |seconds: Option<u64>| seconds.map_or(-1, |seconds| seconds as i64);
    let status = |ok| if ok { "ok" } else { "err" };
    text.field("aof_enabled", u8::from(log.enabled));
    text.field("aof_rewrite_in_progress", u8::from(log.in_progress));
    text.field("aof_rewrite_scheduled", u8::from(log.scheduled));
    text.field("aof_last_rewrite_time_sec", seconds(log.last_seconds));
    text.field("aof_current_rewrite_time_sec", seconds(log.current_seconds));
    text.field("aof_last_bgrewrite_status", status(log.last_ok));
    text.field("aof_rewrites", log.rewrites);
    text.field("aof_rewrites_consecutive_failures", log.failures);
    text.field("aof_last_write_status", status(log.write_ok));
    text.field("aof_last_cow_size", log.copied_bytes);
    if log.enabled {
        text.field("aof_current_size", log.size);
        text.field("aof_base_size", log.base_size);
        text.field("aof_pending_rewrite", u8::from(log.scheduled));
        text.field("aof_buffer_length", log.waiting_bytes);
        text.field("aof_pending_bio_fsync", u8::from(log.waits_for_flush));
        text.field("aof_delayed_fsync", log.delayed);
    }
}

pub(super) fn replication(text: &mut Text, source: &mut Source<'_, '_>) {
    let engine = source.admin.engine;
    text.field("role", "master");
    text.field("connected_slaves", 0);
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
