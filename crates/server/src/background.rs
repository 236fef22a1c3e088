//! The threads that serve no connection: periodic work, freeing memory, expiring and evicting keys.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread::Builder;
use std::time::{Duration, Instant};

use engine::stats::Aside;
use engine::{Engine, ThreadContext};
use store::Effects;

use crate::log_writer::Bell;
use crate::os::seed;

/// Pause between two rounds of active expiry: a key that is due is gone after at most this and
/// what the engine lets keys gather.
const EXPIRE_PERIOD: Duration = Duration::from_millis(100);

/// Starts a thread that is named for debuggers, counts for memory figures and can report a stack
/// overflow. The process does not go on without one that panics.
///
/// # Errors
/// When the system has no resources for another thread.
pub fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
    Builder::new().name(name.to_owned()).spawn(move || {
        let _counted = sys::alloc::register_thread();
        // Without it reports of stack overflows are lost, which is no reason not to serve.
        let _signal_stack = sys::crash::SignalStack::install();
        if catch_unwind(AssertUnwindSafe(body)).is_err() {
            crate::crash::give_up("A thread of the server has failed");
        }
    })?;
    Ok(())
}

/// Runs `work` on this thread and on one more for every other processor, until all are done. Where
/// the system has no resources for a thread, there is one less.
pub fn in_parallel(work: &(dyn Fn() + Sync)) {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for index in 1..processors {
            let builder = Builder::new().name(format!("ferrite-load-{index}"));
            let started = builder.spawn_scoped(scope, || {
                let _counted = sys::alloc::register_thread();
                work();
            });
            if started.is_err() {
                break;
            }
        }
        work();
    });
}

/// A task for the thread that frees memory.
pub type Task = Box<dyn FnOnce() + Send>;

/// Hands tasks to the thread that frees memory.
#[derive(Debug)]
pub struct LazyFree {
    tasks: Sender<Task>,
    pending: Arc<AtomicUsize>,
}

impl LazyFree {
    /// Starts the thread.
    ///
    /// # Errors
    /// When there are no resources for it.
    pub fn start() -> io::Result<Self> {
        let (tasks, inbox) = mpsc::channel::<Task>();
        let pending = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&pending);
        spawn("ferrite-free", move || {
            for task in inbox {
                task();
                counter.fetch_sub(1, Ordering::Relaxed);
            }
        })?;
        Ok(Self { tasks, pending })
    }

    /// Gives the thread a task; if the thread is gone, the caller does it.
    pub fn send(&self, task: Task) {
        self.pending.fetch_add(1, Ordering::Relaxed);
        if let Err(mpsc::SendError(task)) = self.tasks.send(task) {
            task();
            self.pending.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Tasks that have not ended.
    pub fn pending(&self) -> usize {
        self.pending.load(Ordering::Relaxed)
    }
}

/// Starts the engine's periodic work, `hz` times a second, and its active expiry.
///
/// # Errors
/// When there are no resources for the threads.
pub fn start(engine: &Arc<Engine>) -> io::Result<()> {
    let cron_engine = Arc::clone(engine);
    spawn("ferrite-cron", move || {
        loop {
            let start = Instant::now();
            cron_engine.cron();
            rest(start, Duration::from_secs(1) / frequency(&cron_engine));
        }
    })?;
    let expire_engine = Arc::clone(engine);
    spawn("ferrite-expire", move || {
        let mut effects = Effects::default();
        loop {
            let start = Instant::now();
            expire_engine.expire_cycle(&mut effects);
            rest(start, EXPIRE_PERIOD);
        }
    })
}

/// Starts the thread that goes on evicting keys where commands have left more to do.
///
/// # Errors
/// When there are no resources for it.
pub fn start_evictor(engine: &Arc<Engine>, bell: &Arc<Bell>) -> io::Result<()> {
    let (engine, bell) = (Arc::clone(engine), Arc::clone(bell));
    let counts = engine.stats.number(Aside::Evictor);
    spawn("ferrite-evict", move || {
        let mut context = ThreadContext::new(counts, seed::fresh()[0]);
        loop {
            bell.wait(None);
            while engine.evict_in_background(&mut context) {
                // Those who serve clients may need the processor.
                std::thread::yield_now();
            }
        }
    })
}

/// `hz`, within the bounds that make sense.
fn frequency(engine: &Engine) -> u32 {
    u32::try_from(engine.config.get(config::rows::HZ)).unwrap_or(u32::MAX).clamp(1, 500)
}

/// Sleeps until `period` has passed since `start`.
fn rest(start: Instant, period: Duration) {
    std::thread::sleep(period.saturating_sub(start.elapsed()));
}
