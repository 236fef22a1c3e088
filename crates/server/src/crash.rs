//! What crash reports say about the server.

use std::cell::Cell;
use std::sync::mpsc;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use config::rows::USE_EXIT_ON_PANIC;
use engine::{Engine, ThreadContext};
use sys::crash::{Hooks, Section};

use crate::logging::{self, Level};

/// How long a report waits for the text of `INFO`.
const INFO_PATIENCE: Duration = Duration::from_secs(1);

/// The engine to ask, once there is one.
static ENGINE: OnceLock<Arc<Engine>> = OnceLock::new();

thread_local! {
    /// The client whose turn it is on this thread, 0 for none.
    static SERVING: Cell<u64> = const { Cell::new(0) };
}

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

/// Ends the process with a report, after a panic that it cannot go on from.
pub fn give_up(reason: &str) -> ! {
    let exits = ENGINE.get().is_some_and(|engine| engine.config.get(USE_EXIT_ON_PANIC));
    sys::crash::fail(&[reason], exits)
}

/// Notes whose turn it is on the calling thread.
#[inline]
pub fn serving(client: u64) {
    SERVING.set(client);
}

/// From what hardly fails to what may hang when the thread that crashed holds locks.
fn sections(section: Section<'_>) {
    let Some(engine) = ENGINE.get() else { return };
    if let Some(client) = engine.clients.get(SERVING.get()) {
        section("CURRENT CLIENT INFO", &engine.describe(&client));
    }
    let clients: Vec<String> =
        engine.clients.all().iter().map(|client| engine.describe(client)).collect();
    section("CLIENT LIST OUTPUT", &clients.join("\n"));
    section("INFO OUTPUT", &info(engine));
}

/// The text of `INFO`, asked for by another thread, because it looks at the dataset: if the thread
/// that crashed holds locks, nobody gets an answer, and the report goes on without.
fn info(engine: &Arc<Engine>) -> String {
    let (sender, receiver) = mpsc::channel();
    let engine = Arc::clone(engine);
    let asked = std::thread::Builder::new().name("ferrite-report".to_owned()).spawn(move || {
        let mut context = ThreadContext::new(0, 0);
        context.begin(&*engine.clock);
        // The report may have gone on meanwhile.
        let _ = sender.send(engine.info(&mut context));
    });
    let answer = asked.ok().and_then(|_| receiver.recv_timeout(INFO_PATIENCE).ok());
    answer.unwrap_or_else(|| "not available: the dataset was locked".to_owned())
}
