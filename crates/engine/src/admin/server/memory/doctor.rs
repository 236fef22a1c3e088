//! `MEMORY DOCTOR`: advice in sentences.

use command::CommandError;

use super::figures::{Figures, difference, ratio};
use crate::admin::AdminCx;

/// Below this much data the figures say nothing.
const ENOUGH_BYTES: u64 = 5 << 20;
/// A ratio is only worth a remark if as many bytes stand behind it.
const NOTABLE_BYTES: i64 = 10 << 20;

pub(super) fn doctor(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let clients = admin.engine.clients.len() as u64;
    let text = advice(&Figures::measure(admin), clients);
    admin.cx.reply.verbatim(b"txt", text.as_bytes());
    Ok(())
}

fn advice(figures: &Figures, clients: u64) -> String {
    let os = &figures.os;
    if os.allocated < ENOUGH_BYTES {
        return "This instance is empty or uses very little memory: there is nothing to examine \
                yet. Fill it with some data and ask again.\n"
            .into();
    }
    let mut findings = Vec::new();
    if ratio(figures.peak, os.allocated) > 1.5 {
        findings.push(
            "Peak memory: the instance once used more than 150% of what it uses now. The \
             allocator may keep those pages; MEMORY PURGE returns them.",
        );
    }
    let notable = |high: u64, low: u64, limit: f64| {
        ratio(high, low) > limit && difference(high, low) > NOTABLE_BYTES
    };
    if notable(os.rss, os.allocated, 1.4) {
        findings.push(
            "High total RSS: resident memory is more than 1.4 times the allocated bytes, by \
             fragmentation or because free pages were not returned yet.",
        );
    }
    if notable(os.active, os.allocated, 1.1) {
        findings.push(
            "High allocator fragmentation: pages in use are more than 1.1 times the allocated \
             bytes.",
        );
    }
    if notable(os.resident, os.active, 1.1) {
        findings.push(
            "High allocator RSS overhead: the allocator holds free pages. MEMORY PURGE returns \
             them.",
        );
    }
    if figures.clients / clients.max(1) > 200 << 10 {
        findings.push(
            "Big client buffers: connections use more than 200K each on average. Slow readers or \
             very large commands are the usual reason.",
        );
    }
    if findings.is_empty() {
        return "No memory problem found in this instance.\n".into();
    }
    let listed: Vec<String> = findings.iter().map(|text| format!(" * {text}\n")).collect();
    format!("Memory problems found in this instance:\n\n{}", listed.join("\n"))
}
