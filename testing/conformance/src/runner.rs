//! Runs scripts against a target and says what differed.

use std::collections::BTreeMap;
use std::time::Duration;

use client::{Decoder, Value, encode_command};

use crate::pattern::{Pattern, Protocol, text_of};
use crate::render::render;
use crate::script::{Action, Scope, Script, Step, Test};
use crate::target::{Connection, Identity, Incoming, Target};
use crate::words::{self, Bindings};

/// How long an expected reply may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long nothing must come where `none` is expected.
const QUIET: Duration = Duration::from_millis(60);

/// How often, and how long after one another, is looked whether listeners have gone.
const LOOKS: usize = 500;
const LOOK: Duration = Duration::from_millis(10);

/// One difference between a script and a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The test's name.
    pub test: String,
    /// The 1-based line of the step.
    pub line: usize,
    /// The protocol it ran under.
    pub protocol: Protocol,
    /// What differed, in sentences and the reply notation.
    pub message: String,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Failure { test, line, protocol, message } = self;
        write!(f, "line {line}, test '{test}', {protocol:?}: {message}")
    }
}

/// What became of a script.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Tests that passed; one that runs under both protocols counts twice.
    pub passed: usize,
    /// Tests that do not apply to the target.
    pub skipped: usize,
    /// The first difference of each test that failed.
    pub failures: Vec<Failure>,
}

impl Report {
    /// Adds another report's counts and failures.
    pub fn absorb(&mut self, other: Report) {
        self.passed += other.passed;
        self.skipped += other.skipped;
        self.failures.extend(other.failures);
    }
}

/// A connection with the decoder of its replies.
pub(crate) struct Line {
    connection: Box<dyn Connection>,
    decoder: Decoder,
}

/// What came on a connection.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Got {
    Reply(Value),
    Quiet,
    Closed,
    Garbage(String),
}

impl Line {
    pub(crate) fn open(target: &mut dyn Target, protocol: Protocol) -> Result<Self, String> {
        let mut line = Line { connection: target.connect()?, decoder: Decoder::new() };
        if protocol == Protocol::Resp3 {
            line.ask(&["HELLO", "3"])?;
        }
        Ok(line)
    }

    /// Sends a command of the runner itself, which must not fail.
    pub(crate) fn ask<A: AsRef<[u8]>>(&mut self, arguments: &[A]) -> Result<Value, String> {
        let mut bytes = Vec::new();
        encode_command(arguments, &mut bytes);
        self.connection.send(&bytes)?;
        let name = String::from_utf8_lossy(arguments[0].as_ref()).into_owned();
        match self.receive(PATIENCE) {
            Got::Reply(Value::Error(text)) => {
                Err(format!("{name} failed: {}", String::from_utf8_lossy(&text)))
            }
            Got::Reply(value) => Ok(value),
            other => Err(format!("{name} got no reply: {other:?}")),
        }
    }

    /// Waits until the server has noticed that the listeners of earlier tests have gone.
    fn wait_for_listeners_to_go(&mut self, target: &mut dyn Target) -> Result<(), String> {
        for _ in 0..LOOKS {
            let listeners = self.ask(&["CLIENT", "LIST", "TYPE", "pubsub"])?;
            if text_of(&listeners).is_none_or(<[u8]>::is_empty) {
                return Ok(());
            }
            target.sleep(LOOK);
        }
        Err("listeners of an earlier test are still there".to_owned())
    }

    pub(crate) fn receive(&mut self, patience: Duration) -> Got {
        loop {
            match self.decoder.decode() {
                Ok(Some(value)) => return Got::Reply(value),
                Ok(None) => {}
                Err(error) => return Got::Garbage(error.to_string()),
            }
            match self.connection.receive(patience) {
                Incoming::Bytes(bytes) => self.decoder.feed(&bytes),
                Incoming::Quiet => return Got::Quiet,
                Incoming::Closed => return Got::Closed,
            }
        }
    }
}

/// Whether the reply to a step says how many clients listen.
fn counts_listeners(step: &Step) -> bool {
    let Action::Command(line) = &step.action else { return false };
    ["PUBLISH", "SPUBLISH", "PUBSUB"].iter().any(|word| line.contains(word))
}

/// Asks a target who it is.
///
/// # Errors
/// A sentence when it cannot be connected to or its `INFO server` names no version.
pub fn identify(target: &mut dyn Target) -> Result<Identity, String> {
    let mut line = Line::open(target, Protocol::Resp2)?;
    let (info, list) = (line.ask(&["INFO", "server"])?, line.ask(&["COMMAND", "LIST"])?);
    let identity = Identity::from_replies(&info, &list);
    identity.ok_or_else(|| "INFO server names no redis_version".to_owned())
}

/// Runs every test of `script` under each protocol it is for.
///
/// # Errors
/// A sentence when the target cannot be used at all; differences are in the report.
pub fn run(script: &Script, target: &mut dyn Target) -> Result<Report, String> {
    let identity = identify(target)?;
    let mut report = Report::default();
    for test in &script.tests {
        if !applies(&test.scope, &identity) {
            report.skipped += 1;
            continue;
        }
        for protocol in protocols(&test.scope) {
            match run_test(test, protocol, target) {
                Ok(()) => report.passed += 1,
                Err(failure) => report.failures.push(failure),
            }
        }
    }
    Ok(report)
}

/// Whether a test with that scope is meant for that server.
pub fn applies(scope: &Scope, identity: &Identity) -> bool {
    (identity.is_ferrite || !scope.only_ferrite)
        && scope.needs.iter().all(|name| identity.commands.contains(name))
        && scope.since.is_none_or(|since| identity.version >= since)
        && scope.until.is_none_or(|until| identity.version < until)
}

pub(crate) fn protocols(scope: &Scope) -> impl Iterator<Item = Protocol> {
    let resp2 = (!scope.resp3_only).then_some(Protocol::Resp2);
    let resp3 = (!scope.resp2_only).then_some(Protocol::Resp3);
    resp2.into_iter().chain(resp3)
}

fn run_test(test: &Test, protocol: Protocol, target: &mut dyn Target) -> Result<(), Failure> {
    let fail = |line, message| Failure { test: test.name.clone(), line, protocol, message };
    let mut session = Session::open(test, protocol, target).map_err(|m| fail(test.line, m))?;
    let mut result = Ok(());
    for step in &test.steps {
        if let Err(message) = session.check(step, target) {
            result = Err(fail(step.line, message));
            break;
        }
    }
    session.close().map_err(|m| fail(test.line, m))?;
    result
}

/// The connections and bindings of one test under way.
pub(crate) struct Session {
    protocol: Protocol,
    control: Line,
    saved: Vec<(String, Vec<u8>)>,
    lines: BTreeMap<String, Line>,
    bindings: Bindings,
}

impl Session {
    /// Empties the server and sets the test's parameters.
    pub(crate) fn open(
        test: &Test,
        protocol: Protocol,
        target: &mut dyn Target,
    ) -> Result<Self, String> {
        let mut control = Line::open(target, Protocol::Resp2)?;
        control.ask(&["FLUSHALL"])?;
        if test.steps.iter().any(counts_listeners) {
            control.wait_for_listeners_to_go(target)?;
        }
        let mut saved = Vec::new();
        for (name, value) in &test.scope.config {
            let Value::Array(old) = control.ask(&["CONFIG", "GET", name])? else {
                return Err("CONFIG GET gave no array".to_owned());
            };
            let old = old.get(1).and_then(text_of).unwrap_or_default().to_vec();
            control.ask(&["CONFIG", "SET", name, value])?;
            saved.push((name.clone(), old));
        }
        let lines = BTreeMap::new();
        Ok(Session { protocol, control, saved, lines, bindings: Bindings::new() })
    }

    /// Puts the parameters back.
    pub(crate) fn close(mut self) -> Result<(), String> {
        for (name, value) in &self.saved {
            self.control.ask(&[b"CONFIG", &b"SET"[..], name.as_bytes(), value])?;
        }
        Ok(())
    }

    /// Carries out a step without reading its replies; returns the connection to read them from.
    pub(crate) fn act(
        &mut self,
        step: &Step,
        target: &mut dyn Target,
    ) -> Result<&mut Line, String> {
        let line = match self.lines.entry(step.connection.clone()) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(Line::open(target, self.protocol)?)
            }
        };
        // A send that fails is no failure of the step: the script may expect `closed`.
        match &step.action {
            Action::Sleep(pause) => target.sleep(Duration::from_millis(*pause)),
            Action::Listen => {}
            Action::Raw(bytes) => drop(line.connection.send(bytes)),
            Action::Command(text) => {
                let mut bytes = Vec::new();
                encode_command(&words::split(text, &self.bindings)?, &mut bytes);
                drop(line.connection.send(&bytes));
            }
        }
        Ok(line)
    }

    /// Binds the step's name to the text of its reply.
    pub(crate) fn bind(&mut self, step: &Step, reply: &Value) {
        let Some(name) = &step.bind else { return };
        let text = match reply {
            Value::Integer(number) => number.to_string().into_bytes(),
            other => text_of(other).unwrap_or_default().to_vec(),
        };
        self.bindings.insert(name.clone(), text);
    }

    fn check(&mut self, step: &Step, target: &mut dyn Target) -> Result<(), String> {
        let protocol = self.protocol;
        let line = self.act(step, target)?;
        if step.expected.is_empty() && !matches!(step.action, Action::Sleep(_)) {
            return Err("the step has no expected reply; record it or write `none`".to_owned());
        }
        let mut bound = None;
        for pattern in &step.expected {
            let patience = if *pattern == Pattern::Nothing { QUIET } else { PATIENCE };
            let got = line.receive(patience);
            let agrees = match (pattern, &got) {
                (Pattern::Nothing, Got::Quiet) | (Pattern::Closed, Got::Closed) => true,
                (pattern, Got::Reply(value)) => pattern.matches(value, protocol),
                _ => false,
            };
            if !agrees {
                return Err(difference(step, &got));
            }
            if let Got::Reply(value) = got {
                bound = Some(value);
            }
        }
        if let Some(reply) = bound {
            self.bind(step, &reply);
        }
        Ok(())
    }
}

fn difference(step: &Step, got: &Got) -> String {
    let asked = match &step.action {
        Action::Command(text) => text.clone(),
        Action::Raw(bytes) => words::quote(bytes),
        Action::Listen | Action::Sleep(_) => "(listening)".to_owned(),
    };
    let got = match got {
        Got::Reply(value) => render(value),
        Got::Quiet => "none".to_owned(),
        Got::Closed => "closed".to_owned(),
        Got::Garbage(what) => format!("no RESP: {what}"),
    };
    let wanted = &step.expected_text;
    format!("{asked}\n  expected {wanted}\n  got      {got}")
}

#[cfg(test)]
#[path = "runner_tests.rs"]
mod tests;
