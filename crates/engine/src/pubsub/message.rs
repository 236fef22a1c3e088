//! A message on its way to its subscribers, written once for all of them.

use std::sync::{Arc, OnceLock};

use resp::{Reply, Version};

use super::Kind;

/// A published message.
#[derive(Debug)]
pub struct Published {
    kind: Kind,
    /// What the subscriber subscribed to: the channel, or a pattern that it matches.
    listened: Box<[u8]>,
    channel: Box<[u8]>,
    payload: Box<[u8]>,
    /// The client that published it; 0 for the server.
    publisher: u64,
    /// The message in RESP2 and RESP3, each written when the first subscriber needs it.
    written: [OnceLock<Arc<[u8]>>; 2],
}

impl Published {
    /// The message that subscribers to `listened` get.
    #[must_use]
    pub fn new(kind: Kind, listened: &[u8], channel: &[u8], payload: &[u8]) -> Self {
        let (listened, channel, payload) = (listened.into(), channel.into(), payload.into());
        Self { kind, listened, channel, payload, publisher: 0, written: Default::default() }
    }

    /// As published by this client.
    #[must_use]
    pub(crate) fn by(self, publisher: u64) -> Self {
        Self { publisher, ..self }
    }

    /// The client that published it; 0 for the server.
    pub(crate) fn publisher(&self) -> u64 {
        self.publisher
    }

    /// What kind of subscription it is sent to.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The channel or pattern that was subscribed to.
    #[must_use]
    pub fn listened(&self) -> &[u8] {
        &self.listened
    }

    /// The bytes that a client of this protocol version gets.
    #[must_use]
    pub fn bytes(&self, version: Version) -> &Arc<[u8]> {
        let index = usize::from(version == Version::Resp3);
        self.written[index].get_or_init(|| self.write(version).into())
    }

    fn write(&self, version: Version) -> Vec<u8> {
        let mut reply = Reply::new(version);
        let parts: &[&[u8]] = match self.kind {
            Kind::Channel => &[b"message", &self.channel, &self.payload],
            Kind::Pattern => &[b"pmessage", &self.listened, &self.channel, &self.payload],
            Kind::Shard => &[b"smessage", &self.channel, &self.payload],
        };
        reply.push(parts.len());
        parts.iter().for_each(|part| reply.bulk(part));
        reply.take_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_is_written_once() {
        let message = Published::new(Kind::Pattern, b"n*", b"news", b"hi");
        let old = message.bytes(Version::Resp2);
        assert_eq!(&old[..], b"*4\r\n$8\r\npmessage\r\n$2\r\nn*\r\n$4\r\nnews\r\n$2\r\nhi\r\n");
        assert!(Arc::ptr_eq(old, message.bytes(Version::Resp2)));
        assert_eq!(message.bytes(Version::Resp3)[0], b'>');
        let shard = Published::new(Kind::Shard, b"c", b"c", b"x");
        assert!(shard.bytes(Version::Resp2).starts_with(b"*3\r\n$8\r\nsmessage\r\n$1\r\nc\r\n"));
    }
}
