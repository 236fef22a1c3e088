//! `INFO stats` and `debug`.

use std::sync::atomic::Ordering;

use super::{Source, Text};
use crate::Engine;
use crate::pubsub::Kind;
use crate::rates::Metric;
use crate::stats::{Counter, ThreadStats};

/// `name:sum over the threads`.
type Sum = (&'static str, fn(&ThreadStats) -> &Counter);

const TRAFFIC: &[Sum] =
    &[("total_net_input_bytes", |t| &t.net_in), ("total_net_output_bytes", |t| &t.net_out)];

pub(super) fn stats(text: &mut Text, source: &mut Source<'_, '_>) {
    let engine = source.admin.engine;
    let (stats, rates) = (&engine.stats, &engine.rates);
    let kilobytes = |metric| format!("{:.2}", rates.get(metric) as f64 / 1024.0);
    text.field("total_connections_received", stats.sum(|t| &t.accepted));
    text.field("total_commands_processed", stats.sum(|t| &t.executed));
    text.field("instantaneous_ops_per_sec", rates.get(Metric::Commands));
    TRAFFIC.iter().for_each(|(name, counter)| text.field(name, stats.sum(counter)));
    text.zeros(&["total_net_repl_input_bytes", "total_net_repl_output_bytes"]);
    text.field("instantaneous_input_kbps", kilobytes(Metric::NetIn));
    text.field("instantaneous_output_kbps", kilobytes(Metric::NetOut));
    text.field("instantaneous_input_repl_kbps", "0.00");
    text.field("instantaneous_output_repl_kbps", "0.00");
    text.field("rejected_connections", stats.sum(|t| &t.rejected_connections));
    text.zeros(&["sync_full", "sync_partial_ok", "sync_partial_err"]);
    text.field("expired_subkeys", stats.sum(|t| &t.expired_fields));
    text.field("expired_subkeys_active", stats.sum(|t| &t.fields_expired_actively));
    text.field("expired_keys", stats.sum(|t| &t.expired));
    text.field("expired_keys_active", stats.sum(|t| &t.expired_actively));
    text.field("expired_stale_perc", "0.00");
    text.field("expired_time_cap_reached_count", 0);
    let expire_ms = engine.expire_us.load(Ordering::Relaxed) / 1000;
    text.field("expire_cycle_cpu_milliseconds", expire_ms);
    text.field("evicted_keys", stats.sum(|t| &t.evicted));
    text.field("evicted_clients", engine.client_memory.evicted());
    text.field("evicted_scripts", engine.scripting.cache.evicted());
    let [total_ns, current_ns] = engine.eviction.above_limit_ns(engine.clock.monotonic_ns());
    text.field("total_eviction_exceeded_time", total_ns / 1_000_000);
    text.field("current_eviction_exceeded_time", current_ns / 1_000_000);
    text.field("keyspace_hits", stats.sum(|t| &t.hits));
    text.field("keyspace_misses", stats.sum(|t| &t.misses));
    text.field("pubsub_channels", engine.pubsub.count(Kind::Channel));
    text.field("pubsub_patterns", engine.pubsub.count(Kind::Pattern));
    text.field("pubsubshard_channels", engine.pubsub.count(Kind::Shard));
    text.zeros(&[
        "latest_fork_usec",
        "total_forks",
        "migrate_cached_sockets",
        "slave_expires_tracked_keys",
        "active_defrag_hits",
        "active_defrag_misses",
        "active_defrag_key_hits",
        "active_defrag_key_misses",
        "total_active_defrag_time",
        "current_active_defrag_time",
    ]);
    text.field("tracking_total_keys", engine.store.tracked_keys());
    text.field("tracking_total_items", engine.store.tracked_pairs());
    text.field("tracking_total_prefixes", engine.trackers.prefixes());
    text.field("unexpected_error_replies", 0);
    text.field("total_error_replies", stats.sum(|t| &t.error_replies));
    text.field("dump_payload_sanitizations", stats.sum(|t| &t.sanitized));
    text.field("total_reads_processed", stats.sum(|t| &t.reads));
    text.field("total_writes_processed", stats.sum(|t| &t.writes));
    text.zeros(&[
        "io_threaded_reads_processed",
        "io_threaded_writes_processed",
        "io_threaded_total_prefetch_batches",
        "io_threaded_total_prefetch_entries",
    ]);
    let query_closed = stats.sum(|t| &t.query_limit_closed);
    text.field("client_query_buffer_limit_disconnections", query_closed);
    let output_closed = stats.sum(|t| &t.output_limit_closed);
    text.field("client_output_buffer_limit_disconnections", output_closed);
    text.zeros(&["reply_buffer_shrinks", "reply_buffer_expands"]);
    event_loop(text, source);
    refusals(text, engine);
}

/// What ACL has refused, and what a cluster would refuse if that is watched for.
fn refusals(text: &mut Text, engine: &Engine) {
    text.zeros(&DENIED);
    if engine.config.get(config::rows::CLUSTER_COMPATIBILITY_SAMPLE_RATIO) > 0 {
        text.field("cluster_incompatible_ops", 0);
    }
}

const DENIED: [&str; 5] = [
    "acl_access_denied_auth",
    "acl_access_denied_cmd",
    "acl_access_denied_key",
    "acl_access_denied_channel",
    "acl_access_denied_tls_cert",
];

fn event_loop(text: &mut Text, source: &Source<'_, '_>) {
    let engine = source.admin.engine;
    let (stats, rates) = (&engine.stats, &engine.rates);
    let (turns, turn_nanos) = (stats.sum(|t| &t.turns), stats.sum(|t| &t.turn_nanos));
    let command_nanos: u64 =
        stats.all().flat_map(|t| &t.commands).map(|command| command.nanos.get()).sum();
    text.field("eventloop_cycles", turns);
    text.field("eventloop_duration_sum", turn_nanos / 1000);
    text.field("eventloop_duration_cmd_sum", command_nanos / 1000);
    text.field("instantaneous_eventloop_cycles_per_sec", rates.get(Metric::Turns));
    let average = (turn_nanos / 1000).checked_div(turns).unwrap_or(0);
    text.field("instantaneous_eventloop_duration_usec", average);
}

pub(super) fn debug(text: &mut Text, source: &mut Source<'_, '_>) {
    let stats = &source.admin.engine.stats;
    text.zeros(&["eventloop_duration_aof_sum"]);
    text.field("eventloop_duration_cron_sum", stats.background().turn_nanos.get() / 1000);
    text.field("eventloop_duration_max", stats.max(|t| &t.turn_nanos_max) / 1000);
    text.field("eventloop_cmd_per_cycle_max", stats.max(|t| &t.turn_commands_max));
    text.field("lock_hold_duration_max", stats.max(|t| &t.lock_nanos_max) / 1000);
}
