//! Signals: the main thread waits for them while the others serve.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGALRM, SIGHUP, SIGINT, SIGPIPE, SIGTERM};

use super::Refused;
use crate::server::Shared;
use crate::{log_warning, logging, shutdown};

/// Handlers that are installed already, so that a signal during the start is not lost.
pub(super) struct Signals {
    waiting: signal_hook::iterator::Signals,
}

impl Signals {
    /// Takes over the signals that end or bother a server.
    pub(super) fn new() -> io::Result<Self> {
        // A handler that does nothing worth the name: the terminal's end and a closed connection
        // are no reason to die.
        for ignored in [SIGHUP, SIGPIPE] {
            signal_hook::flag::register(ignored, Arc::new(AtomicBool::new(false)))?;
        }
        let waiting = signal_hook::iterator::Signals::new([SIGTERM, SIGINT, SIGALRM])?;
        Ok(Self { waiting })
    }

    /// Acts on signals until one of them ends the process.
    pub(super) fn serve(mut self, shared: &Shared) -> Result<Infallible, Refused> {
        let mut was_interrupted = false;
        for signal in self.waiting.forever() {
            if signal != SIGALRM && shared.engine.is_loading() {
                // There is nothing yet that is not on the disk.
                logging::write_signal("Received shutdown signal during loading, exiting now.");
                std::process::exit(0);
            }
            match signal {
                SIGALRM => sys::crash::log_stack("Received SIGALRM"),
                SIGINT if was_interrupted => {
                    logging::write_signal("You insist... exiting now.");
                    std::process::exit(1);
                }
                SIGINT => {
                    was_interrupted = true;
                    logging::write_signal("Received SIGINT scheduling shutdown...");
                    end(shared, true);
                }
                _ => {
                    logging::write_signal("Received SIGTERM scheduling shutdown...");
                    end(shared, false);
                }
            }
        }
        // The iterator ends when its handle is closed, which nobody does.
        Err(Refused)
    }
}

/// Ends the process unless something cannot be saved.
fn end(shared: &Shared, is_interrupt: bool) {
    use engine::Platform;
    let request = shutdown::on_signal(&shared.engine.config, is_interrupt);
    if let Err(reason) = shared.host.shutdown(request) {
        log_warning!("Errors trying to shut down the server: {reason}");
    }
}
