//! What the client of a debugger can ask for.

use lua::Paused;
use resp::{Args, Reply, Version};

use super::{BREAKPOINTS_MAX, CONTEXT, Debugger, Next, SHOWN_MIN, Target};

const UNKNOWN: &str = "<error> Unknown Redis Lua debugger command or wrong number of arguments.";

/// What `help` says.
const HELP: &[&str] = &[
    "Commands of the Lua debugger:",
    "[h]elp               Show this list.",
    "[s]tep               Execute this line and stop at the next one.",
    "[n]ext               The same as step.",
    "[c]ontinue           Go on to the next breakpoint.",
    "[l]ist               Show the source around this line.",
    "[l]ist [line]        Show the source around [line];",
    "                     0 is the line where the script stands.",
    "[l]ist [line] [ctx]  Show [ctx] lines before and after [line].",
    "[w]hole              Show all of the source.",
    "[p]rint              Show all local variables.",
    "[p]rint <var>        Show one variable, KEYS and ARGV included.",
    "[b]reak              Show the breakpoints.",
    "[b]reak <line>       Stop at <line> from now on.",
    "[b]reak -<line>      Do not stop at <line> any more.",
    "[b]reak 0            Forget all breakpoints.",
    "[t]race              Show which calls the script is in.",
    "[e]val <code>        Run Lua code, outside of the script's calls.",
    "[r]edis <cmd>        Execute a command.",
    "[m]axlen [len]       Show at most [len] bytes of a value or reply;",
    "                     0 shows them whole.",
    "[a]bort              End the script. What it has changed in sync",
    "                     mode stays.",
    "",
    "What scripts can call:",
    "redis.debug()        Show values here.",
    "redis.breakpoint()   Stop at the next line.",
];

pub(super) fn execute(
    debugger: &mut Debugger,
    words: Args<'_>,
    script: &mut Paused<'_>,
    host: &mut dyn Target,
) -> Next {
    let name = words.name().to_ascii_lowercase();
    let rest = words.tail(1);
    match name.as_slice() {
        b"s" | b"step" | b"n" | b"next" => {
            debugger.steps = true;
            return Next::Go;
        }
        b"c" | b"continue" => return Next::Go,
        b"a" | b"abort" => return Next::Abort,
        b"h" | b"help" => HELP.iter().for_each(|line| debugger.say(*line)),
        b"l" | b"list" => list(debugger, rest),
        b"w" | b"whole" => debugger.say_lines(1, i64::MAX),
        b"p" | b"print" => print(debugger, rest, script),
        b"b" | b"break" => breaks(debugger, rest),
        b"t" | b"trace" => trace(debugger, script),
        b"e" | b"eval" => evaluate(debugger, rest, script, host),
        b"r" | b"redis" | b"server" if !rest.is_empty() => {
            call(debugger, rest, script.version(), host)
        }
        b"m" | b"maxlen" => shorten(debugger, rest),
        _ => debugger.say(UNKNOWN),
    }
    Next::Stay
}

/// A number as C's `atoi` reads it: what comes before anything else, or zero.
fn leading_number(word: &[u8]) -> i64 {
    let digits = word.iter().skip(usize::from(word.first() == Some(&b'-')));
    let len = digits.take_while(|byte| byte.is_ascii_digit()).count();
    let end = len + usize::from(word.first() == Some(&b'-'));
    stdx::num::parse_i64(&word[..end]).unwrap_or(0)
}

fn list(debugger: &mut Debugger, words: Args<'_>) {
    let number = |index| words.get(index).map(leading_number);
    let around = number(0).filter(|line| *line > 0).unwrap_or(debugger.line);
    let context = number(1).unwrap_or(CONTEXT);
    debugger.say_lines(around.saturating_sub(context), around.saturating_add(context));
}

fn print(debugger: &mut Debugger, words: Args<'_>, script: &mut Paused<'_>) {
    let (Some(name), 1) = (words.get(0), words.len()) else {
        let locals = script.locals();
        if locals.is_empty() {
            debugger.say("No local variables in the current context.");
        }
        for (name, value) in locals {
            debugger.say_shortened([b"<value> ", &name[..], b" = ", &value].concat());
        }
        return;
    };
    match script.variable(name) {
        Some(value) => debugger.say_shortened([b"<value> ", &value[..]].concat()),
        None => debugger.say("No such variable."),
    }
}

fn breaks(debugger: &mut Debugger, words: Args<'_>) {
    if words.is_empty() {
        let lines = debugger.breakpoints.clone();
        if lines.is_empty() {
            return debugger.say("No breakpoints set. Use 'b <line>' to add one.");
        }
        debugger.say(format!("{} breakpoints set:", lines.len()));
        lines.into_iter().for_each(|line| debugger.say_line(line));
    }
    for word in words {
        let Some(number) = stdx::num::parse_i64(word) else {
            debugger.say(format!("Invalid argument:'{}'", String::from_utf8_lossy(word)));
            continue;
        };
        match number {
            0 => {
                debugger.breakpoints.clear();
                debugger.say("All breakpoints removed.");
            }
            1.. => add_break(debugger, number),
            _ => {
                let before = debugger.breakpoints.len();
                debugger.breakpoints.retain(|line| *line != -number);
                debugger.say(if debugger.breakpoints.len() < before {
                    "Breakpoint removed."
                } else {
                    "No breakpoint in the specified line."
                });
            }
        }
    }
}

fn add_break(debugger: &mut Debugger, line: i64) {
    if debugger.breakpoints.len() == BREAKPOINTS_MAX {
        debugger.say("Too many breakpoints set.");
    } else if line > debugger.source.len() as i64 || debugger.breakpoints.contains(&line) {
        debugger.say("Wrong line number.");
    } else {
        debugger.breakpoints.push(line);
        debugger.say_lines(line - 1, line + 1);
    }
}

fn trace(debugger: &mut Debugger, script: &mut Paused<'_>) {
    for (index, frame) in script.frames().into_iter().enumerate() {
        let name = frame.name.unwrap_or_else(|| b"top level".to_vec());
        let before: &[u8] = if index == 0 { b"In " } else { b"From " };
        debugger.say([before, &name, b":"].concat());
        debugger.say_line(frame.line);
    }
}

fn evaluate(
    debugger: &mut Debugger,
    words: Args<'_>,
    script: &mut Paused<'_>,
    host: &mut dyn Target,
) {
    let words: Vec<&[u8]> = words.iter().collect();
    match script.evaluate(host, &words.join(&b' ')) {
        Ok(value) => debugger.say_shortened([b"<retval> ", &value[..]].concat()),
        Err(error) => debugger.say([b"<error> ", &error[..]].concat()),
    }
}

/// Executes a command, which is shown as those of the script are.
fn call(debugger: &mut Debugger, words: Args<'_>, version: Version, host: &mut dyn Target) {
    let mut reply = Reply::new(version);
    if host.call(words, &mut reply).is_ok() {
        debugger.note_call(words, &reply.take_bytes(), host.was_refused());
    } else {
        debugger.say("<error> The script is being stopped.");
    }
}

fn shorten(debugger: &mut Debugger, words: Args<'_>) {
    if let Some(word) = words.get(0) {
        let wanted = usize::try_from(leading_number(word)).unwrap_or(0);
        debugger.shown = if wanted == 0 { 0 } else { wanted.max(SHOWN_MIN) };
    }
    match debugger.shown {
        0 => debugger.say("<value> replies are unlimited."),
        shown => debugger.say(format!("<value> replies are truncated at {shown} bytes.")),
    }
}
