//! What crash reports say about the server.

use std::sync::{Arc, OnceLock};

use engine::Engine;
use sys::crash::{Hooks, Section};

use crate::logging::{self, Level};

/// The engine to ask, once there is one.
static ENGINE: OnceLock<Arc<Engine>> = OnceLock::new();

/// Makes crashes of this process leave a report in the log.
pub fn install() {
    sys::crash::install(Hooks {
        program: "FERRITE",
        version: engine::engine::FERRITE_VERSION,
        write: logging::raw,
        log: |line| logging::write(Level::Warning, line),
        sections,
    });
}

/// Lets reports show the state of `engine`.
pub fn observe(engine: &Arc<Engine>) {
    // There is one server in a process.
    let _ = ENGINE.set(Arc::clone(engine));
}

fn sections(section: Section<'_>) {
    let Some(engine) = ENGINE.get() else { return };
    section("CLIENT LIST OUTPUT", &client_list(engine));
}

fn client_list(engine: &Engine) -> String {
    engine
        .clients
        .all()
        .iter()
        .map(|client| format!("id={} addr={}\n", client.id, client.endpoint.address))
        .collect()
}
