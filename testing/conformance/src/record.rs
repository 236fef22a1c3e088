//! Fills a script's replies in from a reference server, so that what the cases demand was seen.
//!
//! Replies that already hold are left as written: placeholders survive, and recording twice changes
//! nothing. Tests that do not apply to the reference keep the replies their author wrote.

use std::collections::BTreeMap;
use std::time::Duration;

use client::Value;

use crate::pattern::{Pattern, Protocol, parse_all};
use crate::render::render;
use crate::runner::{Got, Session, applies, identify, protocols};
use crate::script::{Action, Script, Step, Test};
use crate::target::Target;

/// How long to wait for the first reply of a step, and for one more after it.
const PATIENCE: Duration = Duration::from_millis(1000);
const PATIENCE_MORE: Duration = Duration::from_millis(30);

/// Returns the script with replies as `target` gives them, and remarks on steps whose replies
/// cannot be written so that they hold under both protocols.
///
/// # Errors
/// A sentence when the script cannot be parsed or the target cannot be used.
pub fn record(text: &str, target: &mut dyn Target) -> Result<(String, Vec<String>), String> {
    let script = Script::parse(text).map_err(|error| error.to_string())?;
    let identity = identify(target)?;
    let mut replaced: BTreeMap<usize, (&Step, String)> = BTreeMap::new();
    let mut remarks = Vec::new();
    for test in &script.tests {
        if !applies(&test.scope, &identity) {
            continue;
        }
        let mut takes = Vec::new();
        for protocol in protocols(&test.scope) {
            takes.push((protocol, play(test, protocol, target)?));
        }
        for (index, step) in test.steps.iter().enumerate() {
            let seen: Vec<(Protocol, &[Got])> =
                takes.iter().map(|(protocol, take)| (*protocol, &take[index][..])).collect();
            if matches!(step.action, Action::Sleep(_)) || holds(&step.expected, &seen) {
                continue;
            }
            let (lines, sure) = write_down(&seen);
            if !sure {
                remarks.push(format!(
                    "line {}: the protocols differ; use @resp2 or @resp3",
                    step.line
                ));
            }
            replaced.insert(step.expected_lines.start, (step, lines));
        }
    }
    Ok((splice(text, &replaced), remarks))
}

/// Plays a test and returns what came after each step.
fn play(test: &Test, protocol: Protocol, target: &mut dyn Target) -> Result<Vec<Vec<Got>>, String> {
    let at = |line: usize, message: String| format!("line {line}: {message}");
    let mut session = Session::open(test, protocol, target).map_err(|m| at(test.line, m))?;
    let mut take = Ok(Vec::new());
    for step in &test.steps {
        match (play_step(step, &mut session, target), &mut take) {
            (Ok(seen), Ok(take)) => take.push(seen),
            (Err(message), _) => {
                take = Err(at(step.line, message));
                break;
            }
            (Ok(_), Err(_)) => break,
        }
    }
    // The parameters are put back whatever happened.
    session.close()?;
    take
}

/// Plays one step and returns what came after it.
fn play_step(
    step: &Step,
    session: &mut Session,
    target: &mut dyn Target,
) -> Result<Vec<Got>, String> {
    let line = session.act(step, target)?;
    let mut seen = Vec::new();
    if matches!(step.action, Action::Sleep(_)) {
        return Ok(seen);
    }
    // A command has one reply unless the script already says otherwise.
    let several = step.expected.len() != 1 && !matches!(step.action, Action::Command(_));
    let wanted = if several { usize::MAX } else { step.expected.len().max(1) };
    let mut patience = PATIENCE;
    while seen.len() < wanted {
        let got = line.receive(patience);
        let last = !matches!(got, Got::Reply(_));
        if !last || seen.is_empty() || got == Got::Closed {
            seen.push(got);
        }
        if last {
            break;
        }
        patience = PATIENCE_MORE;
    }
    if let Some(Got::Reply(reply)) = seen.last() {
        session.bind(step, &reply.clone());
    }
    Ok(seen)
}

fn holds(expected: &[Pattern], seen: &[(Protocol, &[Got])]) -> bool {
    seen.iter().all(|(protocol, replies)| {
        expected.len() == replies.len()
            && expected.iter().zip(*replies).all(|pair| match pair {
                (Pattern::Nothing, Got::Quiet) | (Pattern::Closed, Got::Closed) => true,
                (pattern, Got::Reply(value)) => pattern.matches(value, *protocol),
                _ => false,
            })
    })
}

/// The replies as lines, and whether they hold under every protocol they were seen under.
fn write_down(seen: &[(Protocol, &[Got])]) -> (String, bool) {
    // The last take is the one of the richer protocol.
    let richest = seen.last().map_or(&[][..], |(_, replies)| replies);
    let line = |got: &Got| match got {
        Got::Reply(Value::Null) if seen[0].1.contains(&Got::Reply(Value::NullArray)) => {
            "nil-array".to_owned()
        }
        Got::Reply(value) => render(value),
        Got::Quiet => "none".to_owned(),
        Got::Closed => "closed".to_owned(),
        Got::Garbage(what) => format!("# no RESP: {what}"),
    };
    let lines: Vec<String> = richest.iter().map(line).collect();
    let text = lines.join("\n");
    let sure = parse_all(&text).is_ok_and(|patterns| holds(&patterns, seen));
    (text, sure)
}

/// Puts the new replies in the place of the old ones.
fn splice(text: &str, replaced: &BTreeMap<usize, (&Step, String)>) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut out = String::new();
    let mut at = 0;
    for (&start, (step, reply)) in replaced {
        for line in &lines[at..start] {
            out.push_str(line);
            out.push('\n');
        }
        out.push_str(reply);
        if let Some(name) = &step.bind {
            out.push_str(&format!(" as {name}"));
        }
        out.push('\n');
        at = step.expected_lines.end;
    }
    for line in &lines[at..] {
        out.push_str(line);
        out.push('\n');
    }
    out
}
