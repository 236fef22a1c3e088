//! Signals: the main thread waits for them while the others serve.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGALRM, SIGHUP, SIGINT, SIGPIPE, SIGTERM};

use super::Refused;
use crate::server::Shared;
use crate::{logging, shutdown};

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
        for signal in self.waiting.forever() {
            if signal != SIGALRM && shared.engine.is_loading() {
                // There is nothing yet that is not on the disk.
                logging::write_signal("Received shutdown signal during loading, exiting now.");
                std::process::exit(0);
            }
            match signal {
                SIGALRM => sys::crash::log_stack("Received SIGALRM"),
                SIGINT if shared.engine.is_shutting_down() => {
                    logging::write_signal("You insist... exiting now.");
                    shared.engine.remove_temporary_file();
                    std::process::exit(1);
                }
                SIGINT => {
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

/// Has the process end soon, unless something cannot be saved.
fn end(shared: &Shared, is_interrupt: bool) {
    shared.engine.request_shutdown(shutdown::on_signal(&shared.engine.config, is_interrupt));
}
