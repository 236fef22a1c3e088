//! The thread that brings the log to the disk, unless event loops do it by themselves.
//!
//! What it does is [`Engine::write_log`]'s business; when it does it is decided here: at once when
//! the bell rings and it sleeps, or when the engine has asked for it.

use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use engine::Engine;
use persistence::aof::Rest;

use crate::background;

/// Wakes the thread.
#[derive(Debug, Default)]
pub struct Bell {
    rung: Mutex<bool>,
    changed: Condvar,
}

impl Bell {
    /// Wakes the thread, or keeps it from falling asleep.
    pub fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_one();
    }

    /// Sleeps until the bell rings, at most so long.
    pub fn wait(&self, patience: Option<Duration>) {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rung = match patience {
            None => {
                self.changed.wait_while(rung, |rung| !*rung).unwrap_or_else(PoisonError::into_inner)
            }
            Some(patience) => {
                self.changed
                    .wait_timeout_while(rung, patience, |rung| !*rung)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0
            }
        };
        *rung = false;
    }
}

/// Starts the thread.
///
/// # Errors
/// When there are no resources for it.
pub fn start(engine: &Arc<Engine>, bell: &Arc<Bell>) -> io::Result<()> {
    let (engine, bell) = (Arc::clone(engine), Arc::clone(bell));
    background::spawn("ferrite-aof", move || {
        loop {
            match engine.write_log() {
                Rest::None => {}
                Rest::Nap(nanos) => std::thread::sleep(Duration::from_nanos(nanos)),
                Rest::For(nanos) => bell.wait(Some(Duration::from_nanos(nanos))),
                Rest::Forever => bell.wait(None),
            }
        }
    })
}
