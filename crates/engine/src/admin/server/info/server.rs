//! `INFO server`, `clients`, `threads`, `cpu`.

use std::sync::atomic::Ordering;

use config::rows;
use store::access::lru_clock;

use super::{Source, Text};
use crate::clients::ClientFlags;
use crate::engine::{FERRITE_VERSION, REDIS_VERSION};

pub(super) fn server(text: &mut Text, source: &mut Source<'_, '_>) {
    let engine = source.admin.engine;
    let (process, now_us) = (engine.platform.process(), engine.clock.unix_us());
    let uptime_s = (now_us / 1000).saturating_sub(engine.started_ms) / 1000;
    text.field("redis_version", REDIS_VERSION);
    // No `server_name`: Redis has none, and tools take who has one for a server that they know by
    // that name or not at all.
    text.field("ferrite_version", FERRITE_VERSION);
    text.field("redis_git_sha1", "00000000");
    text.field("redis_git_dirty", 0);
    text.field("redis_build_id", format_args!("{:016x}", build_id()));
    text.field("redis_mode", "standalone");
    text.field("os", &process.os);
    text.field("arch_bits", usize::BITS);
    text.field("monotonic_clock", "POSIX clock_gettime");
    text.field("multiplexing_api", process.multiplexing);
    text.field("atomicvar_api", "rust-atomics");
    text.field("gcc_version", &process.compiler);
    text.field("process_id", process.pid);
    text.field("process_supervised", &process.supervised);
    text.field("run_id", &engine.run_id);
    text.field("tcp_port", engine.config.get(rows::PORT));
    text.field("server_time_usec", now_us);
    text.field("uptime_in_seconds", uptime_s);
    text.field("uptime_in_days", uptime_s / 86_400);
    text.field("hz", engine.config.get(rows::HZ));
    text.field("configured_hz", engine.config.get(rows::HZ));
    text.field("lru_clock", lru_clock(now_us / 1000));
    text.field("executable", &process.executable);
    text.field("config_file", &process.config_file);
    let threads = engine.config.get(rows::IO_THREADS);
    text.field("io_threads_active", u8::from(threads > 1));
    listeners(text, source);
}

/// Differs between builds of different versions; equal builds have equal ids.
fn build_id() -> u64 {
    stdx::crc::crc64(0, concat!(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")).as_bytes())
}

fn listeners(text: &mut Text, source: &Source<'_, '_>) {
    let config = &source.admin.engine.config;
    let (port, mut number) = (config.get(rows::PORT), 0);
    if port != 0 {
        let addresses = config.get(rows::BIND);
        let binds: Vec<String> = addresses
            .iter()
            .map(|address| format!("bind={}", String::from_utf8_lossy(address)))
            .collect();
        let line = format!("name=tcp,{},port={port}", binds.join(","));
        text.field(&format!("listener{number}"), line);
        number += 1;
    }
    let path = config.get(rows::UNIXSOCKET);
    if !path.is_empty() {
        let line = format!("name=unix,bind={}", String::from_utf8_lossy(&path));
        text.field(&format!("listener{number}"), line);
    }
}

pub(super) fn clients(text: &mut Text, source: &mut Source<'_, '_>) {
    let engine = source.admin.engine;
    let all = engine.clients.all();
    let with = |flag| all.iter().filter(|client| client.flags().has(flag)).count();
    let most = |size: fn(&crate::clients::Buffers) -> u64| {
        all.iter().map(|client| size(&client.buffers)).max().unwrap_or(0)
    };
    text.field("connected_clients", all.len());
    text.field("cluster_connections", 0);
    text.field("maxclients", engine.config.get(rows::MAXCLIENTS));
    let input = most(|b| b.query.load(Ordering::Relaxed) + b.query_free.load(Ordering::Relaxed));
    text.field("client_recent_max_input_buffer", input);
    let output = most(|b| b.output.load(Ordering::Relaxed));
    text.field("client_recent_max_output_buffer", output);
    text.field("blocked_clients", with(ClientFlags::BLOCKED));
    text.field("tracking_clients", engine.trackers.len());
    text.field("pubsub_clients", with(ClientFlags::PUBSUB));
    text.field("watching_clients", with(ClientFlags::WATCHING));
    text.field("clients_in_timeout_table", 0);
    text.field("total_watched_keys", engine.store.watched_keys());
    let (keys, on_loss) = engine.suspensions.key_counts();
    text.field("total_blocking_keys", keys);
    text.field("total_blocking_keys_on_nokey", on_loss);
}

pub(super) fn threads(text: &mut Text, source: &mut Source<'_, '_>) {
    let engine = source.admin.engine;
    let all = engine.clients.all();
    let threads = engine.config.get(rows::IO_THREADS).max(1) as usize;
    for index in 0..threads {
        let clients = all.iter().filter(|client| client.thread == index).count();
        let stats = engine.stats.thread(index);
        let (reads, writes) = (stats.reads.get(), stats.writes.get());
        let line = format!("clients={clients},reads={reads},writes={writes}");
        text.field(&format!("io_thread_{index}"), line);
    }
}

pub(super) fn cpu(text: &mut Text, source: &mut Source<'_, '_>) {
    let cpu = source.admin.engine.platform.cpu();
    for (name, us) in [
        ("used_cpu_sys", cpu.system_us),
        ("used_cpu_user", cpu.user_us),
        ("used_cpu_sys_children", cpu.children_system_us),
        ("used_cpu_user_children", cpu.children_user_us),
        ("used_cpu_sys_main_thread", cpu.thread_system_us),
        ("used_cpu_user_main_thread", cpu.thread_user_us),
    ] {
        text.field(name, format_args!("{}.{:06}", us / 1_000_000, us % 1_000_000));
    }
}
