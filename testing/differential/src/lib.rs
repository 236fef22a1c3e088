//! The differential tester: the same random commands go to a subject and to a reference server, and
//! whatever one says that the other does not is a failure, shrunk to a few lines.
//!
//! A run is cut into episodes. Each starts from FLUSHALL and fresh connections and ends with a
//! comparison of the whole state, so a failure needs only its episode to be replayed. Keys expire
//! in the past or in the far future only: nothing falls due while a stream runs, which two servers
//! would notice at different moments.
//!
//! Reading order: [`table`] and [`scripts`] (what is sent), [`shape`] (the arguments), [`generate`]
//! (the stream), [`compare`] and [`explained`] (what counts as equal), [`lockstep`] and [`state`]
//! (the comparison), [`shrink`].

pub mod compare;
pub mod explained;
pub mod generate;
pub mod lockstep;
pub mod payload;
mod rng;
pub mod scripts;
pub mod shape;
pub mod shrink;
pub mod state;
pub mod table;

use std::collections::BTreeMap;

use client::{Client, Options, Value};
use conformance::{Identity, TcpTarget, runner};

use crate::generate::{Abilities, Generator, Sent};
use crate::lockstep::{Mismatch, Servers, line, play};

/// Commands between two comparisons of the whole state.
pub const EPISODE_COMMANDS: usize = 4_000;

/// Most candidates that shrinking plays.
const SHRINK_TRIES_MAX: usize = 2_000;

/// Characters of a reply that a failure shows.
const SHOWN_CHARS_MAX: usize = 2_000;

/// What to run.
#[derive(Clone, Debug)]
pub struct Config {
    /// The servers.
    pub servers: Servers,
    /// The seed of the first episode; later ones count up.
    pub seed: u64,
    /// How many commands to send at least.
    pub commands: u64,
    /// The groups of commands to draw from, as `COMMAND DOCS` names them; all if empty.
    pub groups: Vec<String>,
}

/// A failure, ready to be printed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The seed that replays the episode.
    pub seed: u64,
    /// What differed at the end of the shrunk stream.
    pub mismatch: Mismatch,
    /// The shrunk stream.
    pub stream: Vec<Sent>,
}

/// What a run showed.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Commands sent to each server, shrinking not counted.
    pub commands: u64,
    /// How often each explained difference was met, by name.
    pub explained: BTreeMap<&'static str, u64>,
    /// Episodes that differed once and not when they were replayed, by seed.
    pub unreproduced: Vec<u64>,
    /// The failure that ended the run.
    pub failure: Option<Failure>,
}

/// Runs episodes until enough commands were sent or a difference was found.
///
/// # Errors
/// A sentence when a server cannot be reached or stops answering.
pub fn run(config: &Config) -> Result<Outcome, String> {
    let abilities = abilities(config)?;
    let mut outcome = Outcome::default();
    let mut seed = config.seed;
    while outcome.commands < config.commands {
        let stream = Generator::new(seed, &abilities).take(EPISODE_COMMANDS);
        let verdict = play(&config.servers, &stream).map_err(|error| at_seed(seed, &error))?;
        outcome.commands += EPISODE_COMMANDS as u64;
        for known in verdict.explained {
            *outcome.explained.entry(known.name).or_default() += 1;
        }
        if verdict.mismatch.is_some() {
            match minimize(&config.servers, stream, seed)? {
                Some(failure) => {
                    outcome.failure = Some(failure);
                    return Ok(outcome);
                }
                None => outcome.unreproduced.push(seed),
            }
        }
        seed = seed.wrapping_add(1);
    }
    Ok(outcome)
}

fn at_seed(seed: u64, error: &str) -> String {
    format!("{error} (replay with --seed {seed} --commands {EPISODE_COMMANDS})")
}

/// Replays a stream that differed and shrinks it; `None` when it does not differ again.
fn minimize(servers: &Servers, stream: Vec<Sent>, seed: u64) -> Result<Option<Failure>, String> {
    let again = play(servers, &stream).map_err(|error| at_seed(seed, &error))?;
    let Some(first) = again.mismatch else { return Ok(None) };
    let until = stream.len().min(first.at + 1);
    // A candidate fails for the same reason: the same command, or the same part of the state.
    let same = |mismatch: &Mismatch| {
        let name = |what: &str| what.split_whitespace().next().unwrap_or_default().to_owned();
        name(&mismatch.what) == name(&first.what)
    };
    let shrunk = shrink::shrink(&stream[..until], SHRINK_TRIES_MAX, |candidate| {
        Ok::<bool, String>(play(servers, candidate)?.mismatch.is_some_and(|m| same(&m)))
    })?;
    let mismatch = play(servers, &shrunk)?.mismatch.unwrap_or(first);
    Ok(Some(Failure { seed, mismatch, stream: shrunk }))
}

/// What both servers can do, of the groups asked for.
fn abilities(config: &Config) -> Result<Abilities, String> {
    let Servers { subject, reference, .. } = &config.servers;
    let mut target = TcpTarget::new(reference.clone());
    let Identity { version, .. } = runner::identify(&mut target)?;
    let subject = commands(subject)?;
    let mut commands = commands(reference)?;
    commands.retain(|name| subject.contains(name));
    if !config.groups.is_empty() {
        let grouped = groups(reference)?;
        commands.retain(|name| {
            let container = name.split('|').next().expect("a split has a first part");
            grouped.get(container).is_some_and(|group| config.groups.contains(group))
        });
    }
    Ok(Abilities { version, commands })
}

/// The group of each command, by name.
fn groups(address: &client::Address) -> Result<BTreeMap<String, String>, String> {
    let failed = |error: client::Error| format!("{address}: {error}");
    let options = Options { resp3: true, ..Options::default() };
    let mut client = Client::connect(address, &options).map_err(failed)?;
    let text = |value: &Value| {
        value.as_bytes().map(|bytes| String::from_utf8_lossy(bytes).to_ascii_lowercase())
    };
    let Value::Map(docs) = client.command(&["COMMAND", "DOCS"]).map_err(failed)? else {
        return Err(format!("{address}: no COMMAND DOCS"));
    };
    let group = |doc: &Value| match doc {
        Value::Map(fields) => fields
            .iter()
            .find(|(field, _)| field.as_bytes() == Some(b"group"))
            .and_then(|(_, group)| text(group)),
        _ => None,
    };
    Ok(docs.iter().filter_map(|(name, doc)| Some((text(name)?, group(doc)?))).collect())
}

fn commands(address: &client::Address) -> Result<Vec<String>, String> {
    let failed = |error: client::Error| format!("{address}: {error}");
    let mut client = Client::connect(address, &Options::default()).map_err(failed)?;
    match client.command(&["COMMAND", "LIST"]).map_err(failed)? {
        Value::Array(names) => Ok(names
            .iter()
            .filter_map(Value::as_bytes)
            .map(|name| String::from_utf8_lossy(name).to_ascii_lowercase())
            .collect()),
        other => Err(format!("{address}: COMMAND LIST answered {other:?}")),
    }
}

/// As much of a reply as a person reads.
fn beginning(reply: &str) -> &str {
    let end = reply.char_indices().nth(SHOWN_CHARS_MAX).map_or(reply.len(), |(at, _)| at);
    &reply[..end]
}

impl std::fmt::Display for Failure {
    /// A conformance test of the shrunk stream, and the line that replays the episode.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Failure { seed, mismatch, stream } = self;
        writeln!(f, "# test: seed {seed}")?;
        for sent in stream {
            let connection = ["", "B", "C"][sent.connection];
            writeln!(f, "{connection}> {}", line(&sent.command))?;
        }
        writeln!(f, "# compared: {}", mismatch.what)?;
        writeln!(f, "# the reference said:\n{}", beginning(&mismatch.reference))?;
        writeln!(f, "# the subject said:\n{}", beginning(&mismatch.subject))?;
        write!(f, "# replay: --seed {seed} --commands {EPISODE_COMMANDS}")
    }
}
