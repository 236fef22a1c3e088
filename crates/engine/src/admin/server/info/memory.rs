//! `INFO memory`.

use std::sync::atomic::Ordering;

use config::rows;
use script::functions::Figures;

use super::text::human;
use super::{Source, Text};
use crate::admin::server::memory::figures::{difference, percent, ratio};
use crate::engine::Engine;

pub(super) fn memory(text: &mut Text, source: &mut Source<'_, '_>) {
    let (engine, figures) = (source.admin.engine, &source.figures);
    let os = &figures.os;
    text.bytes("used_memory", os.allocated);
    text.bytes("used_memory_rss", os.rss);
    text.bytes("used_memory_peak", figures.peak);
    text.field("used_memory_peak_time", engine.used_memory_peak_ms.load(Ordering::Relaxed) / 1000);
    let peak_percent = percent(os.allocated, figures.peak);
    text.field("used_memory_peak_perc", format_args!("{peak_percent:.2}%"));
    text.field("used_memory_overhead", figures.overhead());
    text.field("used_memory_startup", figures.startup);
    text.field("used_memory_dataset", figures.dataset());
    let dataset_percent = figures.dataset_percent();
    text.field("used_memory_dataset_perc", format_args!("{dataset_percent:.2}%"));
    text.field("allocator_allocated", os.allocated);
    text.field("allocator_active", os.active);
    text.field("allocator_resident", os.resident);
    text.field("allocator_muzzy", os.muzzy);
    text.bytes("total_system_memory", os.system_total);
    scripts(text, engine);
    let limit = engine.config.get(rows::MAXMEMORY);
    text.bytes("maxmemory", limit);
    let policy = engine.config.show(config::Parameter::id(rows::MAXMEMORY_POLICY));
    text.field("maxmemory_policy", String::from_utf8_lossy(&policy));
    text.field("allocator_frag_ratio", format_args!("{:.2}", ratio(os.active, os.allocated)));
    text.field("allocator_frag_bytes", difference(os.active, os.allocated));
    text.field("allocator_rss_ratio", format_args!("{:.2}", ratio(os.resident, os.active)));
    text.field("allocator_rss_bytes", difference(os.resident, os.active));
    text.field("rss_overhead_ratio", format_args!("{:.2}", ratio(os.rss, os.resident)));
    text.field("rss_overhead_bytes", difference(os.rss, os.resident));
    text.field("mem_fragmentation_ratio", format_args!("{:.2}", ratio(os.rss, os.allocated)));
    text.field("mem_fragmentation_bytes", difference(os.rss, os.allocated));
    text.field("mem_not_counted_for_evict", engine.not_counted_bytes());
    text.zeros(&[
        "mem_replication_backlog",
        "mem_total_replication_buffers",
        "mem_replica_full_sync_buffer",
        "mem_clients_slaves",
    ]);
    text.field("mem_clients_normal", figures.clients);
    text.zeros(&[
        "mem_cluster_slot_migration_output_buffer",
        "mem_cluster_slot_migration_input_buffer",
        "mem_cluster_slot_migration_input_buffer_peak",
        "mem_cluster_links",
    ]);
    text.field("mem_aof_buffer", engine.aof.log.buffer_bytes());
    text.field("mem_allocator", engine.platform.process().allocator);
    text.zeros(&["mem_overhead_db_hashtable_rehashing", "active_defrag_running"]);
    text.field("lazyfree_pending_objects", engine.platform.background_pending());
    text.field("lazyfreed_objects", engine.lazy_freed.load(Ordering::Relaxed));
}

/// What interpreters and the texts of scripts hold.
fn scripts(text: &mut Text, engine: &Engine) {
    let (interpreters, cache) = (engine.scripting.interpreter_bytes(), &engine.scripting.cache);
    let Figures { libraries, functions, bytes } = engine.scripting.libraries.figures();
    let texts = cache.bytes() + bytes as u64;
    text.field("used_memory_lua", interpreters);
    text.field("used_memory_vm_eval", interpreters);
    text.field("used_memory_lua_human", human(interpreters));
    text.field("used_memory_scripts_eval", cache.bytes());
    text.field("number_of_cached_scripts", cache.len());
    text.field("number_of_functions", functions);
    text.field("number_of_libraries", libraries);
    // Functions run in the interpreters that scripts run in.
    text.zeros(&["used_memory_vm_functions"]);
    text.field("used_memory_vm_total", interpreters);
    text.field("used_memory_vm_total_human", human(interpreters));
    text.field("used_memory_functions", bytes);
    text.field("used_memory_scripts", texts);
    text.field("used_memory_scripts_human", human(texts));
}
