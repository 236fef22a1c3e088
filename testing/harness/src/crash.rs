//! The crash campaign: servers that lose their power or are killed at any moment, on a disk that
//! fails, and what the next server finds.
//!
//! A run is a seed. From it follow the parameters, what clients do, when time passes and the log's
//! writer gets its turn, when the log is rewritten and what clients do in the middle of that, what
//! fails, and when the machine stops. Every change leaves the dataset in a state that it was never
//! in before, and the digest of each is remembered: so a digest found after a crash says exactly
//! how much of the history survived, or that it is no prefix of it at all.
//!
//! What is demanded:
//! - the dataset is a prefix of the history, with transactions whole;
//! - `appendfsync always`: it contains everything that was acknowledged;
//! - `everysec`: everything older than [`BOUND_MS`], unless the disk failed;
//! - after a `SIGKILL`, everything that was handed to the system;
//! - the server starts, unless a flush has failed before: then a hole is possible, and refusing to
//!   start is right.

mod life;

use std::fmt;
use std::ops::AddAssign;
use std::time::Duration;

use simdisk::{On, SimDisk};
use stdx::clock::Clock;
use stdx::rng::Rng;

use crate::{Background, InProcess, Setup};
use life::{Life, State};

/// The longest time between two turns of the log's writer.
const TURN_MS: u64 = 400;
/// What is older than this survives with `everysec`: a flush is due after a second, and the
/// writer's turn comes later by one turn at most.
pub const BOUND_MS: u64 = 1_000 + TURN_MS;
/// Images of a crash that are looked at, besides the one from which a run goes on.
const IMAGES: usize = 3;
/// Servers one after the other on one disk.
const LIVES: usize = 3;
/// The limit on memory in bytes: far above what is in use, unless a client says otherwise.
const MEMORY_LIMIT: u64 = 100 << 20;

/// `appendfsync`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Policy {
    Always,
    EverySecond,
    Never,
}

/// How a machine stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    Power,
    Kill,
}

/// What runs have seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Runs.
    pub runs: u64,
    /// Changes made by clients.
    pub changes: u64,
    /// Those of them that were evictions.
    pub evictions: u64,
    /// Those of them that were acknowledged as durable with `always`.
    pub acknowledged: u64,
    /// Rewrites that ended well.
    pub rewrites: u64,
    /// Operations of the disk that failed on purpose.
    pub faults: u64,
    /// Losses of power that a server was started after.
    pub power_losses: u64,
    /// Kills that a server was started after.
    pub kills: u64,
    /// Starts that were refused after a failed flush.
    pub refused: u64,
}

impl AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        self.runs += other.runs;
        self.changes += other.changes;
        self.evictions += other.evictions;
        self.acknowledged += other.acknowledged;
        self.rewrites += other.rewrites;
        self.faults += other.faults;
        self.power_losses += other.power_losses;
        self.kills += other.kills;
        self.refused += other.refused;
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} runs: {} changes ({} evictions, {} acknowledged as durable), {} rewrites, \
             {} faults injected, {} losses of power, {} kills, {} starts refused after a \
             failed flush",
            self.runs,
            self.changes,
            self.evictions,
            self.acknowledged,
            self.rewrites,
            self.faults,
            self.power_losses,
            self.kills,
            self.refused
        )
    }
}

/// The parameters of a run.
#[derive(Clone, Debug)]
struct Plan {
    policy: Policy,
    config: String,
    /// The log is switched on only after some changes.
    begins_late: bool,
}

impl Plan {
    fn draw(rng: &mut Rng) -> Self {
        let policies = [Policy::Always, Policy::EverySecond, Policy::Never];
        let policy = policies[rng.index(policies.len())];
        let word = match policy {
            Policy::Always => "always",
            Policy::EverySecond => "everysec",
            Policy::Never => "no",
        };
        let yes_no = |yes: bool| if yes { "yes" } else { "no" };
        let preamble = yes_no(rng.chance(1, 2));
        let timestamps = yes_no(rng.chance(1, 4));
        let least = if rng.chance(1, 3) { 400 } else { 64 << 20 };
        let config = format!(
            "save \"\"\nappendfsync {word}\naof-use-rdb-preamble {preamble}\n\
             aof-timestamp-enabled {timestamps}\nauto-aof-rewrite-min-size {least}\n\
             maxmemory {MEMORY_LIMIT}\nmaxmemory-policy volatile-random\n"
        );
        Self { policy, config, begins_late: rng.chance(1, 8) }
    }

    /// A server on `disk` at `now_ms` after the clock's start.
    fn server(&self, disk: &SimDisk, has_log: bool, now: Duration) -> InProcess {
        let appendonly = if has_log { "yes" } else { "no" };
        let server = InProcess::new(Setup {
            disk: disk.clone(),
            background: Background::Held,
            config: format!("appendonly {appendonly}\n{}", self.config),
            ..Setup::default()
        });
        server.clock.pass(now);
        server.engine.begin_loading();
        server
    }
}

/// One run. What it has seen.
///
/// # Errors
/// What was lost, in words, with the line that runs it again.
pub fn run(seed: u64) -> Result<Figures, String> {
    let mut figures = Figures { runs: 1, ..Figures::default() };
    lives(seed, &mut figures).map(|()| figures).map_err(|what| {
        format!("{what}\n  again: cargo run -p harness --example crash -- --seed {seed} --runs 1")
    })
}

fn lives(seed: u64, figures: &mut Figures) -> Result<(), String> {
    let mut rng = Rng::seed(seed);
    let plan = Plan::draw(&mut rng);
    let mut disk = SimDisk::new();
    let mut elapsed = Duration::ZERO;
    let mut history: Vec<State> = Vec::new();
    for life in 0..LIVES {
        let begins_late = plan.begins_late && life == 0;
        let server = plan.server(&disk, !begins_late, elapsed);
        if server.engine.load_at_start().is_err() {
            return Err(format!("life {life} does not start: {:?}", server.platform.take_log()));
        }
        let begun = server.clock.unix_ms();
        let lived = Life::begin(server, disk.clone(), plan.policy, rng.next_u64(), history);
        let lived = lived.live(begins_late);
        figures.changes += lived.changes;
        figures.evictions += lived.evictions;
        figures.acknowledged += lived.acknowledged_count();
        figures.rewrites += lived.rewrites();
        figures.faults += disk.failures().len() as u64;
        elapsed += Duration::from_millis(lived.now_ms() - begun);
        for _ in 0..IMAGES {
            crash(&plan, &lived, elapsed, &mut rng, figures)?;
        }
        match crash(&plan, &lived, elapsed, &mut rng, figures)? {
            Some((image, survived)) => {
                disk = image;
                history = lived.history;
                history.truncate(survived + 1);
            }
            None => return Ok(()),
        }
    }
    Ok(())
}

/// Stops the machine at some moment, starts a server on what is left, and looks at what it has. The
/// disk, and the number of the state that it holds; none if the start was refused.
fn crash(
    plan: &Plan,
    lived: &Life,
    elapsed: Duration,
    rng: &mut Rng,
    figures: &mut Figures,
) -> Result<Option<(SimDisk, usize)>, String> {
    let range = lived.operations();
    // The end is as likely as all other moments: there, most is at stake.
    let at = if rng.chance(1, 2) { range.end } else { rng.index(range.len() + 1) + range.start };
    let (stop, image) = if rng.chance(1, 3) {
        figures.kills += 1;
        (Stop::Kill, lived.disk.after_kill(at))
    } else {
        figures.power_losses += 1;
        (Stop::Power, lived.disk.after_crash(at, rng.next_u64()))
    };
    let server = plan.server(&image, true, elapsed);
    let place = format!("{stop:?} after operation {at} of {range:?}, {plan:?}");
    if server.engine.load_at_start().is_err() {
        if stop == Stop::Power && lived.disk.failures().contains(&On::Sync) {
            figures.refused += 1;
            return Ok(None);
        }
        return Err(format!(
            "the server does not start, {place}: {:?}",
            server.platform.take_log()
        ));
    }
    let digest = server.connect().text("DEBUG DIGEST");
    let Some(survived) = lived.history.iter().rposition(|state| state.digest == digest) else {
        return Err(format!("no prefix of the history, {place}: {:?}", server.platform.take_log()));
    };
    let due = lived.due(plan.policy, stop, at);
    if survived < due {
        return Err(format!(
            "lost: {survived} of {due} changes that were due survived, {place}: {:?}",
            server.platform.take_log()
        ));
    }
    Ok(Some((image, survived)))
}
