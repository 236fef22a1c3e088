//! The step debugger of scripts, as `redis-cli --ldb` speaks to it: where it stops, what it
//! answers.
//!
//! It is a state machine. The engine asks it before each line whether to stop there, hands it the
//! commands of the client, and sends what it has to say: lists of lines. Waiting for the client is
//! the engine's part.
//!
//! ```text
//!    a line of the script -> `stops_at` -> no: on with the script
//!                                |
//!                               yes: what it has to say goes to the client
//!                                |
//!              .-----------------'
//!              v
//!    the client's command -> `command` -> Stay: the answer goes to the client, the next command
//!                                     -> Go: on with the script
//!                                     -> Abort: the script ends
//! ```

use lua::{Debugger as Debugs, Host, Pause, Paused};
use resp::{Args, Reply, Version};

mod commands;
mod human;

/// Lines of the script's own that are shown around the one it stops at.
const CONTEXT: i64 = 5;
/// Bytes of a value that are shown, unless the client asks for another number.
const SHOWN: usize = 256;
/// The client cannot ask for fewer.
const SHOWN_MIN: usize = 60;
/// Breakpoints of one session.
const BREAKPOINTS_MAX: usize = 64;

/// What becomes of the script after a command of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It stands still: the client has more to say.
    Stay,
    /// It goes on.
    Go,
    /// It ends.
    Abort,
}

/// Where the commands of a debugged script, and of its debugger, go.
pub trait Target: Host {
    /// Whether the last command was refused before it was executed.
    fn was_refused(&self) -> bool;
}

/// One debugging session.
#[derive(Debug)]
pub struct Debugger {
    /// The script's lines.
    source: Vec<Vec<u8>>,
    /// It stops at the next line.
    steps: bool,
    /// `redis.breakpoint` was called: it stops at the next line.
    asked: bool,
    breakpoints: Vec<i64>,
    /// The line that the script stands at.
    line: i64,
    /// Bytes of a value that are shown; all if zero.
    shown: usize,
    /// The client was told how to see more.
    has_hinted: bool,
    /// What was not sent yet.
    lines: Vec<Vec<u8>>,
}

impl Debugger {
    /// For a script of this text; it stops at the first line.
    #[must_use]
    pub fn new(text: &[u8]) -> Self {
        let end = text.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n'));
        let text = &text[..end.map_or(0, |end| end + 1)];
        Self {
            source: text.split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect(),
            steps: true,
            asked: false,
            breakpoints: Vec::new(),
            line: 0,
            shown: SHOWN,
            has_hinted: false,
            lines: Vec::new(),
        }
    }

    /// Whether the script is to stand still here; if so, that is said. `is_long` if it has run for
    /// long since it last stood still.
    pub fn stops_at(&mut self, why: Pause, is_long: bool) -> bool {
        let (line, reason) = match why {
            Pause::Line(line) if self.breakpoints.contains(&line) => (line, "break point"),
            Pause::Line(line) if self.asked => (line, "redis.breakpoint() called"),
            Pause::Line(line) if self.steps => (line, "step over"),
            Pause::Steps(line) if is_long && !self.steps => {
                (line, "timeout reached, infinite loop?")
            }
            Pause::Line(_) | Pause::Steps(_) => return false,
        };
        (self.line, self.steps, self.asked) = (line, false, false);
        self.say(format!("* Stopped at {line}, stop reason = {reason}"));
        self.say_line(line);
        true
    }

    /// Executes a command of the client.
    pub fn command(
        &mut self,
        words: Args<'_>,
        script: &mut Paused<'_>,
        host: &mut dyn Target,
    ) -> Next {
        commands::execute(self, words, script, host)
    }

    /// Whether each command of the script is shown.
    #[must_use]
    pub const fn shows_commands(&self) -> bool {
        self.steps
    }

    /// A command was called: what it answered, in the protocol's own bytes, or with which error it
    /// was refused.
    pub fn note_call(&mut self, args: Args<'_>, reply: &[u8], was_refused: bool) {
        let line = args.iter().fold(b"<redis>".to_vec(), |line, word| [&line, word].join(&b' '));
        self.say(line);
        if reply.first() == Some(&b'-') {
            let end = reply.iter().position(|&byte| byte == b'\r').unwrap_or(reply.len());
            let error = &reply[..end];
            let shown = if was_refused { error.strip_prefix(b"-ERR ") } else { None };
            self.say([b"<error> ", shown.unwrap_or(error)].concat());
        }
        if !was_refused {
            let mut line = b"<reply> ".to_vec();
            human::write(&mut line, reply);
            self.say_shortened(line);
        }
    }

    /// The last thing that is said.
    pub fn end(&mut self) {
        self.say("<endsession>");
    }

    /// What was said since the last time, as a reply: a list of lines.
    #[must_use]
    pub fn take_lines(&mut self) -> Vec<u8> {
        let mut reply = Reply::new(Version::Resp2);
        reply.array(self.lines.len());
        for line in self.lines.drain(..) {
            reply.simple_bytes(&line);
        }
        reply.take_bytes()
    }

    fn say(&mut self, line: impl Into<Vec<u8>>) {
        let mut line = line.into();
        let breaks = line.iter_mut().filter(|byte| matches!(byte, b'\r' | b'\n'));
        breaks.for_each(|byte| *byte = b' ');
        self.lines.push(line);
    }

    /// Says what may be too much to show.
    fn say_shortened(&mut self, mut line: Vec<u8>) {
        let is_cut = self.shown > 0 && line.len() > self.shown;
        if is_cut {
            line.truncate(self.shown);
            line.extend_from_slice(b" ...");
        }
        self.say(line);
        if is_cut && !self.has_hinted {
            self.has_hinted = true;
            self.say("<hint> The above reply was trimmed. Use 'maxlen 0' to disable trimming.");
        }
    }

    /// Says a line of the script, with marks: whether it stands there, whether it would stop there.
    fn say_line(&mut self, number: i64) {
        let text = usize::try_from(number - 1).ok().and_then(|index| self.source.get(index));
        let text = text.map_or(&b"<out of range source code line>"[..], |text| text);
        let marks = match (number == self.line, self.breakpoints.contains(&number)) {
            (true, true) => "->#",
            (true, false) => "-> ",
            (false, true) => "  #",
            (false, false) => "   ",
        };
        self.say([format!("{marks}{number:<4}").as_bytes(), text].concat());
    }

    /// Says the lines from `first` to `last` that there are.
    fn say_lines(&mut self, first: i64, last: i64) {
        let last = last.min(self.source.len() as i64);
        (first.max(1)..=last).for_each(|line| self.say_line(line));
    }
}

impl Debugs for Debugger {
    fn breakpoint(&mut self) {
        self.asked = true;
    }

    fn show(&mut self, line: i64, values: &[u8]) {
        self.say_shortened([format!("<debug> line {line}: ").as_bytes(), values].concat());
    }

    fn show_error(&mut self, text: &[u8]) {
        if self.steps {
            self.say([b"<error> -", text].concat());
        }
    }
}

#[cfg(test)]
mod tests;
