//! The message that tells a client what to forget.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use resp::{Reply, Version};

/// The channel that a client in RESP2 seems to hear invalidations on.
const CHANNEL: &[u8] = b"__redis__:invalidate";

/// Keys that a client may have cached and that are not what they were.
#[derive(Debug)]
pub struct Invalidation {
    /// None for all keys.
    keys: Option<Vec<Box<[u8]>>>,
    /// The message in RESP2 and RESP3, each written when the first receiver needs it.
    written: [OnceLock<Arc<[u8]>>; 2],
    /// Where it counts as long as it is under way, and the bytes that it counts for.
    under_way: Option<(Arc<AtomicU64>, u64)>,
}

/// What a message takes besides the name of its key, and what a letter with it takes.
const MESSAGE_BYTES: usize = 64;
const LETTER_BYTES: usize = 160;
/// Room that the output of a client has for each byte in it: it doubles as it grows.
const OUTPUT_FACTOR: usize = 2;

impl Invalidation {
    /// Of these keys.
    #[must_use]
    pub fn of(keys: &[&[u8]]) -> Self {
        let keys = keys.iter().map(|key| Box::from(*key)).collect();
        Self { keys: Some(keys), written: Default::default(), under_way: None }
    }

    /// As [`Invalidation::of`] one key for so many clients; counts its memory, and that of their
    /// outputs, in `sum` until it has reached all of them.
    #[must_use]
    pub(crate) fn counted(key: &[u8], clients: usize, sum: &Arc<AtomicU64>) -> Self {
        let message = key.len() + MESSAGE_BYTES;
        let bytes = 2 * message + clients * (LETTER_BYTES + OUTPUT_FACTOR * message);
        sum.fetch_add(bytes as u64, Ordering::Relaxed);
        let mut message = Self::of(&[key]);
        message.under_way = Some((Arc::clone(sum), bytes as u64));
        message
    }

    /// Of everything: databases were flushed.
    #[must_use]
    pub fn everything() -> Self {
        Self { keys: None, written: Default::default(), under_way: None }
    }

    /// The bytes that a client of this protocol version gets.
    #[must_use]
    pub fn bytes(&self, version: Version) -> &Arc<[u8]> {
        let index = usize::from(version == Version::Resp3);
        self.written[index].get_or_init(|| self.write(version).into())
    }

    fn write(&self, version: Version) -> Vec<u8> {
        let mut reply = Reply::new(version);
        match version {
            Version::Resp2 => {
                reply.push(3);
                reply.bulk(b"message");
                reply.bulk(CHANNEL);
            }
            Version::Resp3 => {
                reply.push(2);
                reply.bulk(b"invalidate");
            }
        }
        match &self.keys {
            Some(keys) => {
                reply.array(keys.len());
                keys.iter().for_each(|key| reply.bulk(key));
            }
            None => reply.null(),
        }
        reply.take_bytes()
    }
}

impl Drop for Invalidation {
    fn drop(&mut self) {
        if let Some((sum, bytes)) = &self.under_way {
            sum.fetch_sub(*bytes, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms() {
        let text = |of: &Invalidation, version| {
            String::from_utf8(of.bytes(version).to_vec()).unwrap().replace("\r\n", "|")
        };
        let keys = Invalidation::of(&[b"a", b"bc"]);
        assert_eq!(text(&keys, Version::Resp3), ">2|$10|invalidate|*2|$1|a|$2|bc|");
        assert_eq!(
            text(&keys, Version::Resp2),
            "*3|$7|message|$20|__redis__:invalidate|*2|$1|a|$2|bc|"
        );
        let all = Invalidation::everything();
        assert_eq!(text(&all, Version::Resp3), ">2|$10|invalidate|_|");
        assert!(text(&all, Version::Resp2).ends_with("|$-1|"));
    }
}
