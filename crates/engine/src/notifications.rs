//! Keyspace notifications: events of the edit handle, published as messages.
//!
//! An event that is about elements of its key (fields of a hash) is published on up to four more
//! kinds of channels, which name them.

use std::sync::Arc;

use config::{Config, EventFlags};
use store::consumers::KeyspaceEvents;
use store::effects::{EventClass, KeyEvent};

use crate::platform::Platform;
use crate::pubsub::{Kind, PubSub};

/// Publishes the events whose class `notify-keyspace-events` names.
pub(crate) struct Notifications {
    config: Arc<Config>,
    platform: Arc<dyn Platform>,
    pubsub: Arc<PubSub>,
}

impl Notifications {
    pub(crate) fn new(
        config: Arc<Config>,
        platform: Arc<dyn Platform>,
        pubsub: Arc<PubSub>,
    ) -> Self {
        Self { config, platform, pubsub }
    }

    /// Publishes which elements an event is about. A channel or payload that a listener could not
    /// take apart is left out.
    #[cold]
    fn publish_subkeys(&self, flags: EventFlags, event: &KeyEvent) {
        let (db, key, name) = (event.db, &*event.key, event.event.name.as_bytes());
        let channel = |kind: &str, parts: &[&[u8]]| {
            [format!("__{kind}@{db}__:").as_bytes(), &parts.concat()].concat()
        };
        let names = counted(event.subkeys.iter().map(|name| &**name));
        let separable = !name.contains(&b'|');
        if flags.contains(EventFlags::SUBKEYSPACE) && separable {
            self.publish(&channel("subkeyspace", &[key]), &[name, b"|", &names].concat());
        }
        if flags.contains(EventFlags::SUBKEYEVENT) {
            let payload = [&counted([key]), &b"|"[..], &names].concat();
            self.publish(&channel("subkeyevent", &[name]), &payload);
        }
        if flags.contains(EventFlags::SUBKEYSPACE_ITEM) && !key.contains(&b'\n') {
            for subkey in &event.subkeys {
                self.publish(&channel("subkeyspaceitem", &[key, b"\n", subkey]), name);
            }
        }
        if flags.contains(EventFlags::SUBKEYSPACE_EVENT) && separable {
            self.publish(&channel("subkeyspaceevent", &[name, b"|", key]), &names);
        }
    }

    fn publish(&self, channel: &[u8], payload: &[u8]) {
        self.pubsub.publish(&*self.platform, 0, (Kind::Channel, channel), payload);
    }
}

impl KeyspaceEvents for Notifications {
    fn key_event(&self, event: &KeyEvent) {
        let flags = self.config.get(config::rows::NOTIFY_KEYSPACE_EVENTS);
        if !flags.contains(flag(event.event.class)) || self.pubsub.is_silent() {
            return;
        }
        let (db, name) = (event.db, event.event.name.as_bytes());
        if flags.contains(EventFlags::KEYSPACE) {
            let channel = [format!("__keyspace@{db}__:").as_bytes(), &event.key].concat();
            self.publish(&channel, name);
        }
        if flags.contains(EventFlags::KEYEVENT) {
            let channel = [format!("__keyevent@{db}__:").as_bytes(), name].concat();
            self.publish(&channel, &event.key);
        }
        if !event.subkeys.is_empty() {
            self.publish_subkeys(flags, event);
        }
    }
}

/// Names with their lengths, `2:ab,1:c`.
fn counted<'n>(names: impl IntoIterator<Item = &'n [u8]>) -> Vec<u8> {
    let mut text = Vec::new();
    for name in names {
        if !text.is_empty() {
            text.push(b',');
        }
        stdx::num::write_u64(&mut text, name.len() as u64);
        text.push(b':');
        text.extend_from_slice(name);
    }
    text
}

/// The character of `notify-keyspace-events` that asks for a class.
fn flag(class: EventClass) -> EventFlags {
    match class {
        EventClass::Generic => EventFlags::GENERIC,
        EventClass::String => EventFlags::STRING,
        EventClass::List => EventFlags::LIST,
        EventClass::Set => EventFlags::SET,
        EventClass::Hash => EventFlags::HASH,
        EventClass::SortedSet => EventFlags::ZSET,
        EventClass::Stream => EventFlags::STREAM,
        EventClass::Array => EventFlags::ARRAY,
        EventClass::Module => EventFlags::MODULE,
        EventClass::Expired => EventFlags::EXPIRED,
        EventClass::Evicted => EventFlags::EVICTED,
        EventClass::Miss => EventFlags::KEY_MISS,
        EventClass::New => EventFlags::NEW,
        EventClass::Overwritten => EventFlags::OVERWRITTEN,
        EventClass::TypeChanged => EventFlags::TYPE_CHANGED,
    }
}
