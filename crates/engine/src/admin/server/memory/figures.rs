//! The memory figures that `INFO`, `MEMORY STATS` and `MEMORY DOCTOR` share, measured at one
//! moment.

use std::sync::atomic::Ordering;

use store::shard::Usage;

use crate::admin::AdminCx;
use crate::platform::MemoryUse;

/// Everything known about memory, in bytes unless said otherwise.
pub(in crate::admin::server) struct Figures {
    pub(in crate::admin::server) os: MemoryUse,
    pub(in crate::admin::server) peak: u64,
    pub(in crate::admin::server) startup: u64,
    pub(in crate::admin::server) clients: u64,
    /// Texts of scripts.
    scripts: u64,
    /// Libraries of functions.
    functions: u64,
    pub(in crate::admin::server) databases: Vec<Usage>,
}

/// How many of [`Figures::integers`] stand before the databases in `MEMORY STATS`.
pub(super) const BEFORE_DATABASES: usize = 10;

impl Figures {
    pub(in crate::admin::server) fn measure(admin: &mut AdminCx<'_>) -> Self {
        let engine = admin.engine;
        engine.measure_memory();
        Self {
            os: engine.platform.memory(),
            peak: engine.used_memory_peak.load(Ordering::Relaxed),
            startup: engine.startup_memory.load(Ordering::Relaxed),
            clients: engine.clients.all().iter().map(|client| client.memory()).sum(),
            scripts: engine.scripting.cache.bytes(),
            functions: engine.scripting.libraries.figures().bytes as u64,
            databases: admin.cx.db.usage(),
        }
    }

    pub(in crate::admin::server) fn keys(&self) -> u64 {
        self.databases.iter().map(|usage| usage.keys as u64).sum()
    }

    fn tables(&self) -> u64 {
        self.databases.iter().map(|usage| usage.table_bytes as u64).sum()
    }

    pub(in crate::admin::server) fn overhead(&self) -> u64 {
        self.startup + self.clients + self.scripts + self.functions + self.tables()
    }

    pub(in crate::admin::server) fn dataset(&self) -> u64 {
        self.os.allocated.saturating_sub(self.overhead())
    }

    pub(in crate::admin::server) fn dataset_percent(&self) -> f64 {
        let net = self.os.allocated.saturating_sub(self.startup);
        percent(self.dataset(), net)
    }

    pub(super) fn integers(&self) -> Vec<(&'static str, i64)> {
        let per_key = |bytes: u64| bytes.checked_div(self.keys()).unwrap_or(0);
        let net = self.os.allocated.saturating_sub(self.startup);
        let rows = [
            ("peak.allocated", self.peak),
            ("total.allocated", self.os.allocated),
            ("startup.allocated", self.startup),
            ("replication.backlog", 0),
            ("clients.slaves", 0),
            ("clients.normal", self.clients),
            ("cluster.links", 0),
            ("aof.buffer", 0),
            ("lua.caches", self.scripts),
            ("functions.caches", self.functions),
            ("overhead.db.hashtable.lut", self.tables()),
            ("overhead.db.hashtable.rehashing", 0),
            ("db.dict.rehashing.count", 0),
            ("overhead.total", self.overhead()),
            ("keys.count", self.keys()),
            ("keys.bytes-per-key", per_key(net)),
            ("dataset.bytes", self.dataset()),
            ("allocator.allocated", self.os.allocated),
            ("allocator.active", self.os.active),
            ("allocator.resident", self.os.resident),
            ("allocator.muzzy", self.os.muzzy),
        ];
        let mut rows: Vec<_> = rows.map(|(name, value)| (name, value as i64)).into();
        rows.extend([
            ("allocator-fragmentation.bytes", difference(self.os.active, self.os.allocated)),
            ("allocator-rss.bytes", difference(self.os.resident, self.os.active)),
            ("rss-overhead.bytes", difference(self.os.rss, self.os.resident)),
            ("fragmentation.bytes", difference(self.os.rss, self.os.allocated)),
        ]);
        rows
    }

    pub(super) fn ratios(&self) -> [(&'static str, f64); 6] {
        [
            ("dataset.percentage", self.dataset_percent()),
            ("peak.percentage", percent(self.os.allocated, self.peak)),
            ("allocator-fragmentation.ratio", ratio(self.os.active, self.os.allocated)),
            ("allocator-rss.ratio", ratio(self.os.resident, self.os.active)),
            ("rss-overhead.ratio", ratio(self.os.rss, self.os.resident)),
            ("fragmentation", ratio(self.os.rss, self.os.allocated)),
        ]
    }
}

/// `part` of `whole` in percent; 0 of nothing.
pub(in crate::admin::server) fn percent(part: u64, whole: u64) -> f64 {
    ratio(part, whole) * 100.0
}

/// `part / whole`; 0 for nothing.
pub(in crate::admin::server) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// `a - b`, which may be negative.
pub(in crate::admin::server) fn difference(a: u64, b: u64) -> i64 {
    (a as i64).wrapping_sub(b as i64)
}
