//! Configuration files: text in, values set, everything else handed back.
//!
//! A file is a sequence of lines `name argument...`, with the quoting rules of
//! [`stdx::text::split_args`]. A later line wins over an earlier one, except for the directives
//! that add up: `save`, `client-output-buffer-limit` and those that are no parameters (`user`,
//! `loadmodule`, `rename-command`). Command-line options are lines too, after the file.
//!
//! The crate reads no files: `include` asks the caller for the texts.

use std::collections::HashMap;
use std::fmt;

use stdx::text::split_args;

use crate::config::Config;
use crate::handle::{Parameter, RowId};
use crate::names::find;
use crate::rows;
use crate::value::Value;

/// How deep files may include files. A file that includes itself ends here.
const INCLUDE_DEPTH_MAX: usize = 16;
/// How many files may be included in all, as a bound on files that include each other twice.
const INCLUDED_FILES_MAX: usize = 1_000;

/// Directives of older versions and of other servers that are read and ignored, each with one
/// argument.
const IGNORED: &[&[u8]] = &[
    b"list-max-ziplist-entries",
    b"list-max-ziplist-value",
    b"lua-replicate-commands",
    // Valkey's, about features that do not exist or that need none.
    b"active-defrag-cycle-us",
    b"cluster-announce-client-port",
    b"cluster-announce-client-tls-port",
    b"cluster-config-save-behavior",
    b"cluster-databases",
    b"cluster-manual-failover-timeout",
    b"cluster-slot-migration-log-max-len",
    b"hash-seed",
    b"mptcp",
    b"repl-mptcp",
    b"slot-migration-max-failover-repl-bytes",
    b"tls-auto-reload-interval",
];

/// Gives the texts of the files that match a path with wild cards, in the order of their names.
/// A path without wild cards that cannot be read is an error, whose text is shown to the user.
/// The values set so far are at hand, `dir` among them, to which paths are relative.
pub type Includes<'a> = dyn FnMut(&[u8], &Config) -> Result<Vec<Vec<u8>>, String> + 'a;

/// A line of a file that the caller must carry out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// Number of the line, from 1.
    pub line_number: usize,
    /// The line without white space around it.
    pub line: Vec<u8>,
    /// The arguments after the name.
    pub args: Vec<Vec<u8>>,
}

impl Directive {
    /// The report that this line is wrong.
    #[must_use]
    pub fn error(&self, reason: impl Into<String>) -> LoadError {
        LoadError::Line {
            line_number: self.line_number,
            line: self.line.clone(),
            reason: reason.into(),
        }
    }
}

/// What a file says beyond the values of parameters.
#[derive(Debug, Default)]
pub struct Loaded {
    /// `user` lines: name and rules.
    pub users: Vec<Directive>,
    /// `loadmodule` lines: path and arguments.
    pub modules: Vec<Directive>,
    /// `rename-command` lines: old name and new name, which is empty to remove the command.
    pub renamed_commands: Vec<Directive>,
    /// The last line that set each parameter.
    origins: HashMap<RowId, Directive>,
}

impl Loaded {
    /// The last line that set `parameter`, for reports about a value that cannot be applied;
    /// none when it has its default.
    pub fn origin<P: Parameter>(&self, parameter: P) -> Option<&Directive> {
        self.origin_of(parameter.id())
    }

    /// The same by the row.
    #[must_use]
    pub fn origin_of(&self, id: RowId) -> Option<&Directive> {
        self.origins.get(&id)
    }
}

/// Why a configuration cannot be used. The process ends, so there is nothing to undo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// A line is wrong.
    Line {
        /// Number of the line in its file, from 1.
        line_number: usize,
        /// The line without white space around it.
        line: Vec<u8>,
        /// What is wrong with it.
        reason: String,
    },
    /// Lines contradict each other.
    Whole {
        /// How.
        reason: String,
    },
    /// A file cannot be read.
    Include {
        /// Which and why.
        reason: String,
    },
}

impl LoadError {
    /// What to print on standard error; `server` is name and version, as in `Redis 8.8.0`.
    #[must_use]
    pub fn report(&self, server: &str) -> String {
        let heading = format!("\n*** FATAL CONFIG FILE ERROR ({server}) ***\n");
        match self {
            Self::Line { line_number, line, reason } => {
                let line = String::from_utf8_lossy(line);
                format!(
                    "{heading}Reading the configuration file, at line {line_number}\n\
                     >>> '{line}'\n{reason}\n"
                )
            }
            Self::Whole { reason } => format!("{heading}{reason}\n"),
            Self::Include { reason } => format!("Fatal error, {reason}\n"),
        }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { line_number, reason, .. } => write!(f, "line {line_number}: {reason}"),
            Self::Whole { reason } | Self::Include { reason } => f.write_str(reason),
        }
    }
}

impl std::error::Error for LoadError {}

impl Config {
    /// Sets what `text` says. At an error the values before it remain set.
    pub fn load(&self, text: &[u8], includes: &mut Includes<'_>) -> Result<Loaded, LoadError> {
        let _turn = self.take_turn();
        let mut loader = Loader {
            config: self,
            includes,
            loaded: Loaded::default(),
            save_seen: false,
            included_files: 0,
        };
        loader.text(text, 0)?;
        let loaded = loader.loaded;
        let is_replica = self.get(rows::REPLICAOF).is_some();
        if is_replica && self.get(rows::CLUSTER_ENABLED) {
            let reason = "replicaof directive not allowed in cluster mode".to_owned();
            return Err(LoadError::Whole { reason });
        }
        Ok(loaded)
    }
}

struct Loader<'a, 'b> {
    config: &'a Config,
    includes: &'a mut Includes<'b>,
    loaded: Loaded,
    /// The first `save` line replaces the default, the next ones add to it.
    save_seen: bool,
    included_files: usize,
}

impl Loader<'_, '_> {
    fn text(&mut self, text: &[u8], depth: usize) -> Result<(), LoadError> {
        for (at, line) in text.split(|&byte| byte == b'\n').enumerate() {
            let line = trim(line);
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let mut directive =
                Directive { line_number: at + 1, line: line.to_vec(), args: Vec::new() };
            let Some(mut words) = split_args(line) else {
                return Err(directive.error("Unbalanced quotes in configuration line"));
            };
            if words.is_empty() {
                continue;
            }
            let name = words.remove(0).to_ascii_lowercase();
            directive.args = words;
            self.line(&name, directive, depth)?;
        }
        Ok(())
    }

    fn line(&mut self, name: &[u8], line: Directive, depth: usize) -> Result<(), LoadError> {
        if let Some(id) = find(name) {
            return self.parameter(id, line);
        }
        match (name, line.args.len()) {
            (b"include", 1) => self.include(&line, depth)?,
            (b"user", 1..) => self.loaded.users.push(line),
            (b"loadmodule", 1..) => self.loaded.modules.push(line),
            (b"rename-command", 2) => self.loaded.renamed_commands.push(line),
            (b"sentinel", _) => {
                return Err(line.error("sentinel directive while not in sentinel mode"));
            }
            (name, 1) if IGNORED.contains(&name) => {}
            _ => return Err(line.error("Bad directive or wrong number of arguments")),
        }
        Ok(())
    }

    fn parameter(&mut self, id: RowId, line: Directive) -> Result<(), LoadError> {
        let current = self.config.value(id);
        let parsed = parse_arguments(id, &line.args, &current);
        let mut value = parsed.map_err(|reason| line.error(reason))?;
        if id == rows::SAVE.id() {
            value = self.add_save(&current, value);
        }
        self.config.store(id, &value);
        self.loaded.origins.insert(id, line);
        Ok(())
    }

    fn add_save(&mut self, current: &Value, added: Value) -> Value {
        let first = !std::mem::replace(&mut self.save_seen, true);
        if first || added.text().is_empty() || current.text().is_empty() {
            return added;
        }
        Value::from_text(&[current.text(), added.text()].join(&b' '))
    }

    fn include(&mut self, line: &Directive, depth: usize) -> Result<(), LoadError> {
        let texts = (self.includes)(&line.args[0], self.config)
            .map_err(|reason| LoadError::Include { reason })?;
        self.included_files += texts.len();
        if depth == INCLUDE_DEPTH_MAX || self.included_files > INCLUDED_FILES_MAX {
            return Err(line.error("Too many included files"));
        }
        for text in texts {
            self.text(&text, depth + 1)?;
        }
        Ok(())
    }
}

/// The value that the arguments of a line stand for. A single argument of a list is a list in
/// quotes.
pub(crate) fn parse_arguments(
    id: RowId,
    args: &[Vec<u8>],
    current: &Value,
) -> Result<Value, String> {
    let row = id.row();
    let inner = match args {
        [only] if row.takes_many() && !only.is_empty() => {
            Some(split_args(only).ok_or("Unbalanced quotes in configuration line")?)
        }
        _ => None,
    };
    let args: Vec<&[u8]> = inner.as_deref().unwrap_or(args).iter().map(Vec::as_slice).collect();
    row.parse(&args, current).map_err(std::borrow::Cow::into_owned)
}

pub(crate) fn trim(line: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let start = line.iter().position(|byte| !is_space(byte)).unwrap_or(line.len());
    let end = line.iter().rposition(|byte| !is_space(byte)).map_or(start, |last| last + 1);
    &line[start..end]
}
