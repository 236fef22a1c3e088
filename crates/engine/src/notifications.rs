//! Keyspace notifications: events of the edit handle, published as messages.

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

    fn publish(&self, channel: &[u8], payload: &[u8]) {
        self.pubsub.publish(&*self.platform, Kind::Channel, channel, payload);
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
    }
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
