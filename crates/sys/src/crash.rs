//! Crash reports: what the process says before it dies of a signal, and after a panic.
//!
//! A report goes through [`Hooks::write`] to the log, between two marker lines that tools look
//! for, in the order of rising risk: first what only needs the signal's own data, then the stack
//! trace, then what asks the rest of the program (server information, the client being served).
//! A handler of a fatal signal may legally do almost nothing; symbolizing a stack and printing
//! server information allocate and may wait for a lock that the crashed thread itself holds. The
//! process is lost anyway, so the report tries, with two nets below it: a second fault inside the
//! report ends it with a reduced one, and an alarm kills the process when the report hangs.
//!
//! After the report the signal is raised again with its default action, so that the exit status
//! and the core file are those of an unhandled signal.

mod registers;
mod stack;

pub use stack::SignalStack;

use std::backtrace::Backtrace;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

/// What a report needs from the program. Functions, not closures: they run in signal handlers.
#[derive(Debug, Clone, Copy)]
pub struct Hooks {
    /// The name in the marker lines, in capitals.
    pub program: &'static str,
    /// The program's version, for the first line.
    pub version: &'static str,
    /// Writes bytes to the log as they are.
    pub write: fn(&[u8]),
    /// Writes one log line with the log's usual prefix.
    pub log: fn(&str),
    /// Titled sections after the stack trace, such as the server information. They must wait for
    /// no lock that a thread may hold for long.
    pub sections: fn(Section<'_>),
}

/// Receives the title and the text of one section of a report.
pub type Section<'a> = &'a mut dyn FnMut(&str, &str);

static HOOKS: OnceLock<Hooks> = OnceLock::new();

/// The thread that is writing the report of a fatal signal, 0 while none does.
static REPORTER: AtomicI32 = AtomicI32::new(0);

/// The signal that the report is about.
static CAUSE: AtomicI32 = AtomicI32::new(0);

/// Whether fatal signals print a report (the `crash-log-enabled` parameter).
static ENABLED: AtomicBool = AtomicBool::new(true);

/// The signals that end the process with a report.
const FATAL: [i32; 5] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGABRT];

/// Seconds after which a report that hangs is given up.
const REPORT_SECONDS_MAX: u32 = 5;

/// Installs the handlers of fatal signals and the panic hook. Later calls change nothing.
///
/// Each thread should also hold a [`SignalStack`], or else a stack overflow on it dies silently.
pub fn install(hooks: Hooks) {
    if HOOKS.set(hooks).is_err() {
        return;
    }
    for signal in FATAL {
        // `SA_NODEFER`: a fault inside the handler must reach the handler again.
        set_action(signal, on_signal as *const () as usize, libc::SA_NODEFER);
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(String::new, ToString::to_string);
        let payload = panic.payload();
        let reason = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("a value that is not a text");
        report_failure(&place, reason);
    }));
}

/// Turns the reports of fatal signals on or off; the signals' effect stays.
pub fn set_enabled(enabled: bool) {
    ENABLED.store(enabled, Ordering::Relaxed);
}

/// Writes the report of a broken invariant (a panic) without ending the process.
fn report_failure(place: &str, reason: &str) {
    let Some(hooks) = HOOKS.get() else { return };
    if REPORTER.load(Ordering::Relaxed) == thread_id() {
        // A panic inside a crash report: the report's own frame deals with it.
        return;
    }
    let thread = std::thread::current();
    begin(hooks);
    (hooks.log)("=== ASSERTION FAILED ===");
    (hooks.log)(&format!(
        "==> {place} '{reason}' on thread {}",
        thread.name().unwrap_or("without name")
    ));
    stack_trace(hooks);
    end(hooks);
}

/// Ends the process because it cannot go on, with a report that begins with `headline`: by
/// `SIGABRT`, or with exit status 1 if `exits`.
pub fn fail(headline: &[&str], exits: bool) -> ! {
    limit_time(libc::SIGABRT);
    if let Some(hooks) = HOOKS.get() {
        begin(hooks);
        headline.iter().for_each(|line| (hooks.log)(line));
        if ENABLED.load(Ordering::Relaxed) {
            stack_trace(hooks);
            sections(hooks);
        }
        end(hooks);
    }
    if exits {
        std::process::exit(1);
    }
    // The report is written; the signal must not add a second one.
    set_action(libc::SIGABRT, libc::SIG_DFL, 0);
    std::process::abort()
}

/// Raises `SIGSEGV` at the calling thread, for trying out crash reports.
pub fn segfault() -> ! {
    // SAFETY: raising a signal at the calling thread; its handler, ours or the default one, ends
    // the process.
    unsafe { libc::raise(libc::SIGSEGV) };
    std::process::abort()
}

/// Writes the stack of the calling thread to the log (what `SIGALRM` asks for).
pub fn log_stack(reason: &str) {
    if let Some(hooks) = HOOKS.get() {
        (hooks.log)(reason);
        stack_trace(hooks);
        (hooks.write)(b"--------\n");
    }
}

fn begin(hooks: &Hooks) {
    let marker = "BUG REPORT START: Cut & paste starting from here";
    (hooks.write)(format!("\n\n=== {} {marker} ===\n", hooks.program).as_bytes());
}

fn end(hooks: &Hooks) {
    let marker = "BUG REPORT END. Make sure to include from START to END.";
    (hooks.write)(format!("\n=== {} {marker} ===\n\n", hooks.program).as_bytes());
}

fn stack_trace(hooks: &Hooks) {
    (hooks.write)(b"\n------ STACK TRACE ------\n");
    (hooks.write)(format!("{}\n", Backtrace::force_capture()).as_bytes());
    (hooks.write)(b"------ STACK TRACE DONE ------\n");
}

fn sections(hooks: &Hooks) {
    (hooks.sections)(&mut |title, text| {
        (hooks.write)(format!("\n------ {title} ------\n{text}\n").as_bytes());
    });
}

fn thread_id() -> i32 {
    // SAFETY: takes nothing, cannot fail.
    unsafe { libc::gettid() }
}

fn set_action(signal: i32, handler: usize, extra_flags: i32) {
    // SAFETY: an all-zero `sigaction` is a valid value of that C structure; the handler is
    // `SIG_DFL` or a function of the signature that `SA_SIGINFO` asks for; the old action is not
    // wanted. The call fails only for signals that cannot be caught, which we do not pass.
    unsafe {
        let mut action: libc::sigaction = MaybeUninit::zeroed().assume_init();
        action.sa_sigaction = handler;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | extra_flags;
        libc::sigaction(signal, &action, ptr::null_mut());
    }
}

/// Ends the process by `signal` with its default action.
fn die(signal: i32) {
    set_action(signal, libc::SIG_DFL, 0);
    // SAFETY: raising a signal at the calling thread; with `SA_NODEFER` it is not blocked, and
    // where it was (nested handlers), it takes effect when the handler returns.
    unsafe { libc::raise(signal) };
}

/// Has the process end by `signal` when the report takes too long.
fn limit_time(signal: i32) {
    CAUSE.store(signal, Ordering::Relaxed);
    set_action(libc::SIGALRM, on_timeout as *const () as usize, libc::SA_NODEFER);
    // SAFETY: takes a number, cannot fail; the handler of its signal ends the process.
    unsafe { libc::alarm(REPORT_SECONDS_MAX) };
}

/// The handler of fatal signals.
extern "C" fn on_signal(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let me = thread_id();
    match REPORTER.compare_exchange(0, me, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => {}
        Err(owner) if owner == me => return on_fault_in_report(signal),
        Err(_) => loop {
            // Another thread reports and will end the process; this one must not go on.
            std::thread::park();
        },
    }
    limit_time(signal);
    if let Some(hooks) = HOOKS.get()
        && ENABLED.load(Ordering::Relaxed)
    {
        // SAFETY: the kernel passes valid pointers to both structures, alive during the handler.
        let (info, context) = unsafe { (&*info, &*context.cast::<libc::ucontext_t>()) };
        let report = || report_signal(hooks, signal, info, context);
        // A panic must not unwind out of a signal handler.
        if std::panic::catch_unwind(report).is_err() {
            end(hooks);
        }
    }
    die(signal);
}

fn report_signal(hooks: &Hooks, signal: i32, info: &libc::siginfo_t, context: &libc::ucontext_t) {
    begin(hooks);
    (hooks.log)(&format!(
        "{} {} crashed by signal: {signal}, si_code: {}",
        capitalized(hooks.program),
        hooks.version,
        info.si_code
    ));
    // Codes up to 0 mean a signal that a process sent, positive ones a fault of the program.
    if info.si_code <= 0 {
        // SAFETY: signals sent by a process carry the sender's ids.
        let (pid, uid) = unsafe { (info.si_pid(), info.si_uid()) };
        (hooks.log)(&format!("Killed by PID: {pid}, UID: {uid}"));
    } else {
        // SAFETY: the fault signals carry the faulting address.
        let address = unsafe { info.si_addr() };
        (hooks.log)(&format!("Accessing address: {address:p}"));
    }
    if let Some(address) = registers::instruction(context) {
        (hooks.log)(&format!("Crashed running the instruction at: {address:#x}"));
    }
    let name = std::thread::current().name().map_or_else(String::new, str::to_owned);
    (hooks.log)(&format!("On thread {} {name}", thread_id()));
    registers::each(context, &mut |name, value| {
        (hooks.write)(format!("{name:>8}:{value:016x}\n").as_bytes());
    });
    stack_trace(hooks);
    sections(hooks);
    end(hooks);
}

/// The report took too long: it waits for something that the crash left locked.
extern "C" fn on_timeout(_signal: i32, _info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    if let Some(hooks) = HOOKS.get() {
        (hooks.log)("The report is incomplete: it could not go on.");
        end(hooks);
    }
    die(CAUSE.load(Ordering::Relaxed));
}

/// A fault while the same thread was writing a report.
fn on_fault_in_report(signal: i32) {
    if let Some(hooks) = HOOKS.get() {
        (hooks.log)(
            "Crashed running signal handler. Providing reduced version of recursive crash report.",
        );
        (hooks.log)(&format!("crashed by signal: {signal}"));
        end(hooks);
    }
    die(signal);
}

/// The program's name as in running text: `FERRITE` gives `Ferrite`.
fn capitalized(name: &str) -> String {
    let mut chars = name.chars();
    let first = chars.next().map(String::from).unwrap_or_default();
    first + &chars.as_str().to_lowercase()
}
