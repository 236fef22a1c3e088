//! The report for programs: one JSON object.

use serde_json::{Value, json};

use super::stats::{Stats, Sum, form_name};
use super::walk::{Counts, Failure};

/// The report.
pub fn report(
    file: &str,
    len: u64,
    counts: &Counts,
    stats: Option<&Stats>,
    failure: Option<&Failure>,
) -> Value {
    let mut report = json!({
        "file": file,
        "bytes": len,
        "ok": failure.is_none(),
        "keys": counts.keys,
        "expires": counts.expires,
        "already_expired": counts.already_expired,
        "functions": counts.functions,
        "empty": counts.empty,
    });
    if let Some(Failure { offset, reason, doing, key, kind }) = failure {
        report["error"] = json!({
            "offset": offset,
            "reason": reason,
            "doing": doing,
            "key": key.as_deref().map(text),
            "type": kind.map(form_name),
        });
    }
    if let Some(stats) = stats {
        report["databases"] =
            stats.databases.iter().map(|(db, of)| with(json!({ "db": db }), of)).collect();
        report["types"] = stats
            .types
            .iter()
            .map(|((name, form), of)| with(json!({ "type": name, "form": form }), of))
            .collect();
        report["largest"] = stats
            .largest()
            .into_iter()
            .map(|large| {
                json!({
                    "key": text(&large.key),
                    "db": large.db,
                    "type": large.type_name,
                    "elements": large.elements,
                    "file_bytes": large.file_bytes,
                    "memory_bytes": large.memory_bytes,
                })
            })
            .collect();
    }
    report
}

/// Adds sums to a row.
fn with(mut row: Value, sum: &Sum) -> Value {
    row["keys"] = sum.keys.into();
    row["expires"] = sum.expires.into();
    row["elements"] = sum.elements.into();
    row["file_bytes"] = sum.file_bytes.into();
    row["memory_bytes"] = sum.memory_bytes.into();
    row
}

/// A key; bytes that are no text are escaped.
fn text(key: &[u8]) -> String {
    String::from_utf8(key.to_vec()).unwrap_or_else(|_| key.escape_ascii().to_string())
}
