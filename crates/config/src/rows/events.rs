//! Keyspace notifications.

use super::latency::END as PREVIOUS;
use crate::handle::Events;
use crate::row::{Kind, Row};

rows! {
    Events after PREVIOUS;

    NOTIFY_KEYSPACE_EVENTS: Events = Row::new("notify-keyspace-events", Kind::Events),
        "Classes of events to publish, one character each; empty publishes none.";
}
