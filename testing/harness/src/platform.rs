//! The program around the engine, as far as a test needs one: it records what it is asked.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use config::Change;
use engine::platform::{
    CpuUse, Crash, LogLevel, MemoryUse, Message, Platform, ProcessInfo, ShutdownRequest,
};
use parking_lot::{Condvar, Mutex};

use crate::clock::TestClock;

/// A task that the engine wants done apart from its threads.
type Task = Box<dyn FnOnce() + Send>;

/// When background tasks run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Background {
    /// At once, on the thread that hands them over.
    #[default]
    Inline,
    /// When the test says so: [`TestPlatform::run_background`].
    Held,
}

/// The messages for one client that it has not taken yet.
#[derive(Debug, Default)]
pub struct Inbox {
    messages: Mutex<VecDeque<Message>>,
    arrived: Condvar,
}

impl Inbox {
    /// The oldest message.
    pub fn take(&self) -> Option<Message> {
        self.messages.lock().pop_front()
    }

    /// The oldest message, if it is one for the client itself.
    pub fn take_push(&self) -> Option<Message> {
        let mut messages = self.messages.lock();
        let is_push = matches!(messages.front(), Some(Message::Push { .. }));
        is_push.then(|| messages.pop_front()).flatten()
    }

    /// As [`Inbox::take`], waiting at most `patience` for one.
    pub fn wait(&self, patience: Duration) -> Option<Message> {
        let mut messages = self.messages.lock();
        if messages.is_empty() {
            let _ = self.arrived.wait_for(&mut messages, patience);
        }
        messages.pop_front()
    }

    fn put(&self, message: Message) {
        self.messages.lock().push_back(message);
        self.arrived.notify_all();
    }
}

/// What a [`TestPlatform`] was asked, and how it is to answer.
#[derive(Default)]
struct Notes {
    log: Vec<(LogLevel, String)>,
    shutdowns: Vec<ShutdownRequest>,
    crashes: Vec<Crash>,
    applied: Vec<Change>,
    refusal: Option<String>,
    config_file: Option<String>,
    memory: MemoryUse,
    held: Vec<Task>,
    purges: usize,
    aborted: bool,
}

/// An [`engine::Platform`] that touches nothing outside the test.
pub struct TestPlatform {
    clock: Arc<TestClock>,
    background: Background,
    notes: Mutex<Notes>,
    inboxes: Mutex<HashMap<u64, Arc<Inbox>>>,
    woken: AtomicBool,
}

impl std::fmt::Debug for TestPlatform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestPlatform").field("background", &self.background).finish_non_exhaustive()
    }
}

/// What the allocator says in a test that does not care.
const MEMORY: MemoryUse = MemoryUse {
    allocated: 1 << 20,
    active: 1 << 20,
    resident: 2 << 20,
    retained: 0,
    muzzy: 0,
    metadata: 1 << 16,
    rss: 3 << 20,
    system_total: 1 << 33,
};

impl TestPlatform {
    /// A platform whose sleeps move `clock`.
    #[must_use]
    pub fn new(clock: Arc<TestClock>, background: Background) -> Self {
        let notes = Mutex::new(Notes { memory: MEMORY, ..Notes::default() });
        Self { clock, background, notes, inboxes: Mutex::default(), woken: AtomicBool::new(false) }
    }

    /// The inbox of a client, made at need: a message may come before the client asks for it.
    #[must_use]
    pub fn inbox(&self, client: u64) -> Arc<Inbox> {
        self.inboxes.lock().entry(client).or_default().clone()
    }

    /// Forgets the inbox of a client that is gone.
    pub fn forget(&self, client: u64) {
        self.inboxes.lock().remove(&client);
    }

    /// Takes the log lines written so far.
    #[must_use]
    pub fn take_log(&self) -> Vec<(LogLevel, String)> {
        std::mem::take(&mut self.notes.lock().log)
    }

    /// Takes the shutdown requests made so far.
    #[must_use]
    pub fn take_shutdowns(&self) -> Vec<ShutdownRequest> {
        std::mem::take(&mut self.notes.lock().shutdowns)
    }

    /// Takes the deaths asked for so far.
    #[must_use]
    pub fn take_crashes(&self) -> Vec<Crash> {
        std::mem::take(&mut self.notes.lock().crashes)
    }

    /// Takes the parameters applied so far.
    #[must_use]
    pub fn take_applied(&self) -> Vec<Change> {
        std::mem::take(&mut self.notes.lock().applied)
    }

    /// Whether the writer of the log was woken since this was last asked.
    pub fn take_woken(&self) -> bool {
        self.woken.swap(false, Ordering::Relaxed)
    }

    /// Whether the process was to end at once.
    #[must_use]
    pub fn aborted(&self) -> bool {
        self.notes.lock().aborted
    }

    /// Refuses parameters with this reason from now on, or none.
    pub fn refuse_config(&self, reason: Option<&str>) {
        self.notes.lock().refusal = reason.map(str::to_owned);
    }

    /// Sets the text of the configuration file; none for a server started without one.
    pub fn set_config_file(&self, text: Option<&str>) {
        self.notes.lock().config_file = text.map(str::to_owned);
    }

    /// Sets the bytes in use that the allocator reports.
    pub fn set_allocated(&self, bytes: u64) {
        self.notes.lock().memory.allocated = bytes;
    }

    /// How often the allocator was asked to return memory.
    #[must_use]
    pub fn purges(&self) -> usize {
        self.notes.lock().purges
    }

    /// Runs the background tasks that are held back; the number of them.
    pub fn run_background(&self) -> usize {
        let tasks = std::mem::take(&mut self.notes.lock().held);
        let count = tasks.len();
        tasks.into_iter().for_each(|task| task());
        count
    }
}

impl Platform for TestPlatform {
    fn send(&self, _thread: usize, message: Message) {
        match message {
            Message::Push { clients, push } => {
                for &client in &*clients {
                    let (clients, push) = (clients.clone(), push.clone());
                    self.inbox(client).put(Message::Push { clients, push });
                }
            }
            // Connections of tests keep no replies back, and each has its own interpreter.
            Message::LogAdvanced | Message::ScriptsForgotten => {}
            Message::Kill { client, .. }
            | Message::Resume { client, .. }
            | Message::Rearm { client } => self.inbox(client).put(message),
        }
    }

    fn log(&self, level: LogLevel, text: &str) {
        self.notes.lock().log.push((level, text.to_owned()));
    }

    fn shutdown(&self, request: ShutdownRequest) -> Result<(), String> {
        self.notes.lock().shutdowns.push(request);
        Ok(())
    }

    fn apply_config(&self, change: &Change) -> Result<(), String> {
        let mut notes = self.notes.lock();
        if let Some(reason) = &notes.refusal {
            return Err(reason.clone());
        }
        notes.applied.push(change.clone());
        Ok(())
    }

    fn read_config_file(&self) -> Result<Option<String>, String> {
        Ok(self.notes.lock().config_file.clone())
    }

    fn write_config_file(&self, text: &str) -> Result<(), String> {
        self.notes.lock().config_file = Some(text.to_owned());
        Ok(())
    }

    fn memory(&self) -> MemoryUse {
        self.notes.lock().memory
    }

    fn allocator_report(&self) -> String {
        "no allocator is asked in this test".to_owned()
    }

    fn purge_memory(&self) {
        self.notes.lock().purges += 1;
    }

    fn cpu(&self) -> CpuUse {
        CpuUse::default()
    }

    fn process(&self) -> ProcessInfo {
        ProcessInfo {
            pid: std::process::id(),
            os: "TestOS 1 x86_64".to_owned(),
            executable: "/usr/bin/ferrite".to_owned(),
            supervised: "no".to_owned(),
            compiler: "0.0.0".to_owned(),
            allocator: "test-1.0".to_owned(),
            multiplexing: "epoll",
            ..ProcessInfo::default()
        }
    }

    fn background(&self, task: Task) {
        match self.background {
            Background::Inline => task(),
            Background::Held => self.notes.lock().held.push(task),
        }
    }

    fn background_pending(&self) -> usize {
        self.notes.lock().held.len()
    }

    fn spawn(&self, _name: &str, task: Task) -> Result<(), String> {
        self.background(task);
        Ok(())
    }

    /// The test calls the writer when it wants to, and may ask whether it was woken.
    fn wake_log_writer(&self) {
        self.woken.store(true, Ordering::Relaxed);
    }

    fn sleep(&self, duration: Duration) {
        self.clock.pass(duration);
    }

    fn abort(&self) {
        self.notes.lock().aborted = true;
    }

    fn crash(&self, how: Crash) {
        self.notes.lock().crashes.push(how);
    }
}
