//! The thread that serves the connections of held-up loops while a script takes long.
//!
//! It executes the few commands that are allowed then, those which end the script above all; the
//! others are told that the server is busy. It sleeps while no script takes long.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use mio::Events;

use super::EventLoop;
use crate::background;
use crate::log_warning;
use crate::log_writer::Bell;
use crate::server::Shared;

/// Pause between two rounds through the loops: what a client waits for its answer at most.
const PAUSE: Duration = Duration::from_millis(2);

/// Sockets that one look at a loop reports at most.
const EVENTS_MAX: usize = 256;

/// Starts the thread; `bell` wakes it.
///
/// # Errors
/// When there are no resources for it.
pub fn start(shared: &Arc<Shared>, bell: &Arc<Bell>) -> io::Result<()> {
    let (shared, bell) = (Arc::clone(shared), Arc::clone(bell));
    background::spawn("ferrite-stand-in", move || {
        loop {
            bell.wait(None);
            stand_in(&shared);
        }
    })
}

/// Serves what is held up until no script takes long any more.
fn stand_in(shared: &Arc<Shared>) {
    let count = shared.desks.len();
    let mut loops: Vec<EventLoop> =
        (0..count).map(|index| EventLoop::stand_in(index, Arc::clone(shared))).collect();
    let mut events = Events::with_capacity(EVENTS_MAX);
    while shared.engine.is_busy() {
        for each in &mut loops {
            if let Err(error) = each.turn_if_held_up(&mut events) {
                log_warning!("Looking for events of a held-up loop failed: {error}");
                return;
            }
        }
        std::thread::sleep(PAUSE);
    }
}
