//! A queue at work: entries of a stream are read by the consumers of a group and acknowledged.
//!
//! What is acknowledged is what the replies named, so redis-benchmark cannot do it.

use client::Value;

use crate::Result;
use crate::server::Server;

/// Who reads, in turns.
const CONSUMERS: u64 = 4;

/// Half of the requests read an entry each of the stream `events`, the others acknowledge it,
/// `depth` of a kind at once.
///
/// # Errors
/// A reply that is not an entry, or not 1.
pub fn work(server: &Server, requests: u64, depth: u32) -> Result {
    let client = &mut server.connect()?;
    let failed = |error| format!("{}: {error}", server.label);
    let mut left = requests / 2;
    while left > 0 {
        let now = left.min(u64::from(depth));
        left -= now;
        let consumer = format!("c{}", left % CONSUMERS);
        let read = ["XREADGROUP", "GROUP", "g", &consumer, "COUNT", "1", "STREAMS", "events", ">"];
        let replies = client.pipeline((0..now).map(|_| read)).map_err(failed)?;
        let ids = replies.iter().map(|reply| {
            id_in(reply).ok_or_else(|| format!("{}: no entry in {reply:?}", server.label))
        });
        let ids: Vec<&[u8]> = ids.collect::<Result<_>>()?;
        let done = ids.iter().map(|id| [b"XACK", &b"events"[..], b"g", id]);
        let replies = client.pipeline(done).map_err(failed)?;
        if let Some(other) = replies.iter().find(|reply| !matches!(reply, Value::Integer(1))) {
            return Err(format!("{}: acknowledged {other:?}", server.label));
        }
    }
    Ok(())
}

/// The id in the reply to a command that read one entry of one stream.
fn id_in(reply: &Value) -> Option<&[u8]> {
    let mut found = reply;
    // The streams, the first of them, its entries, the first of them, its id.
    for index in [0, 1, 0, 0] {
        let Value::Array(items) = found else { return None };
        found = items.get(index)?;
    }
    let Value::Bulk(id) = found else { return None };
    Some(id)
}
