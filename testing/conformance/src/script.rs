//! The script format: commands in, replies out, in a text file that a person writes quickly.
//!
//! ```text
//! # A comment. Before the first test, directives hold for the whole file.
//! @since 6.2
//!
//! # test: NX does not overwrite          a test: its own connections, an empty server
//! > SET k v                               a command, words as in redis-cli
//! +OK                                     its reply, in the notation of `pattern`
//! > SET k w NX
//! nil
//! B> GET k                                the same on a second connection, named B
//! "v"
//! > CLIENT ID
//! <int> as id                             binds the reply's text; used as ${id} later
//! B> CLIENT KILL ID ${id}
//! :1
//! <                                       takes the next message of a connection (`B<` of B)
//! closed
//! ```
//!
//! A step's reply is every line up to the next step, directive, comment or blank line; an aggregate
//! may span lines; several replies stand one after the other. `raw> "PING\r\n"` sends bytes as they
//! are.
//!
//! Directives, each on its own line:
//! - `@resp2`, `@resp3`: only under that protocol. By default a test runs under both.
//! - `@since 7.2`, `@until 8.0`: skipped against an older server; against that version or a newer
//!   one.
//! - `@needs RPUSH EVAL`: skipped against a server that lacks one of these commands.
//! - `@only-ferrite`: skipped against any other server.
//! - `@config NAME VALUE`: sets a parameter for the test and puts its old value back afterwards.
//! - `@sleep MS`, between steps: waits (an in-process target may move its clock instead).

use std::ops::Range;

use crate::pattern::{self, Pattern};
use crate::words;

/// A server's version: major, minor, patch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32, pub u32);

impl Version {
    /// Parses `7`, `7.2` or `7.2.4`; what is left out is 0.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(|part| part.parse().ok());
        let version = Version(
            parts.next()??,
            parts.next().unwrap_or(Some(0))?,
            parts.next().unwrap_or(Some(0))?,
        );
        parts.next().is_none().then_some(version)
    }
}

/// Which servers and protocols a test is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Runs under RESP2 only.
    pub resp2_only: bool,
    /// Runs under RESP3 only.
    pub resp3_only: bool,
    /// The first version that behaves so.
    pub since: Option<Version>,
    /// The first version that no longer behaves so.
    pub until: Option<Version>,
    /// Whether no other server behaves so.
    pub only_ferrite: bool,
    /// Commands of other families that the test makes use of, in capitals.
    pub needs: Vec<String>,
    /// Parameters to set meanwhile.
    pub config: Vec<(String, String)>,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Sends the command written on the line; substitutions are expanded when it runs.
    Command(String),
    /// Sends these bytes.
    Raw(Vec<u8>),
    /// Sends nothing and takes the next message.
    Listen,
    /// Waits for that many milliseconds.
    Sleep(u64),
}

/// One step of a test.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The 1-based line it stands on.
    pub line: usize,
    /// The connection's name; empty for the main one.
    pub connection: String,
    /// What it does.
    pub action: Action,
    /// The expected replies, in order.
    pub expected: Vec<Pattern>,
    /// The same as written.
    pub expected_text: String,
    /// The name that the text of the only reply is bound to.
    pub bind: Option<String>,
    /// The 0-based lines of the file that hold the expected replies.
    pub expected_lines: Range<usize>,
}

/// A named test.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    /// What follows `# test:`.
    pub name: String,
    /// The 1-based line of its name.
    pub line: usize,
    /// Where it applies: the file's directives and its own.
    pub scope: Scope,
    /// Its steps.
    pub steps: Vec<Step>,
}

/// A parsed file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script {
    /// Its tests in order.
    pub tests: Vec<Test>,
}

/// A script that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptError {
    /// The 1-based line.
    pub line: usize,
    /// What is wrong there.
    pub message: String,
}

impl std::fmt::Display for ScriptError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for ScriptError {}

impl Script {
    /// Parses a script.
    ///
    /// # Errors
    /// The first line that cannot be read.
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        let mut parser = Parser { lines: text.lines().collect(), ..Parser::default() };
        while parser.at < parser.lines.len() {
            let line = parser.at + 1;
            parser.line().map_err(|message| ScriptError { line, message })?;
        }
        Ok(Script { tests: parser.tests })
    }
}

#[derive(Default)]
struct Parser<'a> {
    lines: Vec<&'a str>,
    at: usize,
    file_scope: Scope,
    tests: Vec<Test>,
}

impl Parser<'_> {
    fn line(&mut self) -> Result<(), String> {
        let line = self.lines[self.at].trim_end();
        if let Some(name) = line.strip_prefix("# test:") {
            self.tests.push(Test {
                name: name.trim().to_owned(),
                line: self.at + 1,
                scope: self.file_scope.clone(),
                steps: Vec::new(),
            });
        } else if let Some(directive) = line.strip_prefix('@') {
            self.directive(directive)?;
        } else if let Some((connection, action)) = action_of(line)? {
            return self.step(connection, action);
        } else if !line.is_empty() && !line.starts_with('#') {
            return Err(format!("neither a command nor its reply: {line}"));
        }
        self.at += 1;
        Ok(())
    }

    fn directive(&mut self, directive: &str) -> Result<(), String> {
        let (name, value) = directive.split_once(' ').unwrap_or((directive, ""));
        let value = value.trim();
        if name == "sleep" {
            let pause = value.parse().map_err(|_| format!("'{value}' is no time in ms"))?;
            let line = self.at + 1;
            let test = self.tests.last_mut().ok_or("@sleep stands before the first test")?;
            test.steps.push(Step {
                line,
                connection: String::new(),
                action: Action::Sleep(pause),
                expected: Vec::new(),
                expected_text: String::new(),
                bind: None,
                expected_lines: line..line,
            });
            return Ok(());
        }
        let version = || Version::parse(value).ok_or_else(|| format!("'{value}' is no version"));
        let scope = self.tests.last_mut().map_or(&mut self.file_scope, |test| &mut test.scope);
        match name {
            "resp2" => scope.resp2_only = true,
            "resp3" => scope.resp3_only = true,
            "only-ferrite" => scope.only_ferrite = true,
            "since" => scope.since = Some(version()?),
            "needs" => scope.needs.extend(value.split(' ').map(str::to_ascii_uppercase)),
            "until" => scope.until = Some(version()?),
            "config" => {
                let (name, value) = value.split_once(' ').ok_or("@config NAME VALUE")?;
                let value = if value == "\"\"" { "" } else { value };
                scope.config.push((name.to_owned(), value.to_owned()));
            }
            _ => return Err(format!("@{name} is no directive")),
        }
        Ok(())
    }

    /// A step and the reply lines below it.
    fn step(&mut self, connection: String, action: Action) -> Result<(), String> {
        let line = self.at + 1;
        let first = line;
        self.at = first;
        while self.at < self.lines.len() && is_reply_line(self.lines[self.at]) {
            self.at += 1;
        }
        let mut text = self.lines[first..self.at].join("\n");
        let mut bind = None;
        if let Some((reply, name)) = text.rsplit_once(" as ") {
            let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric());
            if is_name && !reply.starts_with(['+', '-', '"']) {
                bind = Some(name.to_owned());
                text = reply.to_owned();
            }
        }
        let expected = pattern::parse_all(&text)?;
        let expected_lines = first..self.at;
        let test = self.tests.last_mut().ok_or("a command stands before the first test")?;
        test.steps.push(Step {
            line,
            connection,
            action,
            expected,
            expected_text: text,
            bind,
            expected_lines,
        });
        Ok(())
    }
}

fn is_reply_line(line: &str) -> bool {
    !line.is_empty()
        && !line.starts_with('#')
        && !line.starts_with('@')
        && !matches!(action_of(line), Ok(Some(_)) | Err(_))
}

/// The connection and action of a step's line; `None` for any other line.
fn action_of(line: &str) -> Result<Option<(String, Action)>, String> {
    let is_name = |name: &str| {
        name.len() <= 8
            && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    if let Some(name) = line.strip_suffix('<').filter(|name| is_name(name)) {
        return Ok(Some((name.to_owned(), Action::Listen)));
    }
    let Some((head, rest)) = line.split_once("> ") else { return Ok(None) };
    if let Some(name) = head.strip_suffix("raw").map(str::trim_end).filter(|name| is_name(name)) {
        let (bytes, after) = match rest.starts_with('"') {
            true => words::unquote(rest)?,
            false => return Err("raw> takes a quoted text".to_owned()),
        };
        if !after.trim().is_empty() {
            return Err(format!("text follows the quoted bytes: {after}"));
        }
        return Ok(Some((name.to_owned(), Action::Raw(bytes))));
    }
    Ok(is_name(head).then(|| (head.to_owned(), Action::Command(rest.to_owned()))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use client::Value;

    const SCRIPT: &str = "\
# About
@since 6.2

# test: first
@resp3
@config maxmemory-policy allkeys-lru
> SET k \"a > b\"
+OK
B> CLIENT ID
<int> as id
@sleep 20
raw> \"PING\\r\\n\"
+PONG
B<
closed
> HELLO
{
  \"a\" => [:1
    :2]
}

# test: second
> GET k
nil
nil
";

    #[test]
    fn steps_scopes_and_replies() {
        let script = Script::parse(SCRIPT).unwrap();
        assert_eq!(script.tests.len(), 2);
        let first = &script.tests[0];
        assert_eq!((first.name.as_str(), first.line), ("first", 4));
        assert!(first.scope.resp3_only && !script.tests[1].scope.resp3_only);
        assert_eq!(script.tests[1].scope.since, Some(Version(6, 2, 0)));
        assert_eq!(first.scope.config, [("maxmemory-policy".into(), "allkeys-lru".into())]);
        let actions: Vec<_> = first.steps.iter().map(|s| (&s.connection[..], &s.action)).collect();
        assert_eq!(actions[0], ("", &Action::Command("SET k \"a > b\"".into())));
        assert_eq!(actions[1], ("B", &Action::Command("CLIENT ID".into())));
        assert_eq!(actions[2], ("", &Action::Sleep(20)));
        assert_eq!(actions[3], ("", &Action::Raw(b"PING\r\n".to_vec())));
        assert_eq!(actions[4], ("B", &Action::Listen));
        assert_eq!(first.steps[1].bind.as_deref(), Some("id"));
        assert_eq!(first.steps[0].expected, [Pattern::Exact(Value::Simple(b"OK".to_vec()))]);
        assert_eq!(first.steps[5].expected_lines, 16..20);
        assert_eq!(script.tests[1].steps[0].expected, [Pattern::Nil, Pattern::Nil]);
    }

    #[test]
    fn errors_name_their_line() {
        for (text, line) in [
            ("> GET k\n", 1),
            ("# test: a\n> GET\nhello\n", 2),
            ("# test: a\n@sometimes\n", 2),
            ("# test: a\n\nnil\n", 3),
            ("# test: a\nraw> PING\n", 2),
            ("@since x\n", 1),
        ] {
            assert_eq!(Script::parse(text).unwrap_err().line, line, "{text}");
        }
    }

    #[test]
    fn versions_order_by_number() {
        assert_eq!(Version::parse("7"), Some(Version(7, 0, 0)));
        assert!(Version::parse("7.10.1") > Version::parse("7.2.4"));
        assert_eq!(Version::parse("7.x"), None);
        assert_eq!(Version::parse("1.2.3.4"), None);
    }
}
