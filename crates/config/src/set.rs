//! `CONFIG SET`: several parameters, all or none.
//!
//! First every name is looked up and every rule checked, then every value is parsed, then all are
//! stored, then the server applies each change (opens the new port, tells the kernel...). A
//! refusal at any step leaves every value as it was, and what was applied is applied back.

use std::fmt;

use crate::config::Config;
use crate::handle::RowId;
use crate::lists::Reason;
use crate::names::find;
use crate::row::{Access, Row};
use crate::value::Value;

/// Circumstances that decide what may be set.
#[derive(Clone, Copy, Debug, Default)]
pub struct SetRules {
    /// `enable-protected-configs` lets this client change protected parameters.
    pub protected_allowed: bool,
    /// A dataset is being loaded.
    pub loading: bool,
}

/// A parameter that `CONFIG SET` changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which one.
    pub id: RowId,
    /// What it held.
    pub before: Value,
    /// What it holds now.
    pub after: Value,
}

/// Why `CONFIG SET` changed nothing. `Display` gives the error reply without the leading dash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetError {
    /// No parameter has the name.
    Unknown {
        /// As the client wrote it.
        name: Vec<u8>,
    },
    /// The parameter cannot change while a dataset is being loaded.
    Loading,
    /// A rule, a value or the server says no.
    Refused {
        /// Name of the argument at fault, as the client wrote it.
        name: Vec<u8>,
        /// The reason, in the words of the reply.
        reason: String,
    },
}

impl fmt::Display for SetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { name } => {
                let name = String::from_utf8_lossy(name);
                write!(f, "ERR Unknown option or number of arguments for CONFIG SET - '{name}'")
            }
            Self::Loading => f.write_str("LOADING Redis is loading the dataset in memory"),
            Self::Refused { name, reason } => {
                let name = String::from_utf8_lossy(name);
                write!(
                    f,
                    "ERR CONFIG SET failed (possibly related to argument '{name}') - {reason}"
                )
            }
        }
    }
}

impl std::error::Error for SetError {}

/// The value that one `CONFIG SET` argument or one file argument stands for. Lists are cut at
/// every single space, as in Redis: quotes mean nothing here.
pub(crate) fn parse_one(row: &Row, text: &[u8], current: &Value) -> Result<Value, Reason> {
    if !row.takes_many() {
        return row.parse(&[text], current);
    }
    if text.is_empty() {
        return row.parse(&[], current);
    }
    let args: Vec<&[u8]> = text.split(|&byte| byte == b' ').collect();
    row.parse(&args, current)
}

impl Config {
    /// Sets every pair of name and value, or none. `apply` is told each change once all values
    /// are stored, in the order of `pairs`, and may refuse it with a reason.
    ///
    /// Returns the changes: a parameter set to what it held is none, unless it names a file whose
    /// contents may be new.
    pub fn set(
        &self,
        pairs: &[(&[u8], &[u8])],
        rules: SetRules,
        apply: &mut dyn FnMut(&Change) -> Result<(), String>,
    ) -> Result<Vec<Change>, SetError> {
        let ids = check_rules(pairs, rules)?;
        let _turn = self.take_turn();
        let refused =
            |at: usize, reason: String| SetError::Refused { name: pairs[at].0.to_vec(), reason };

        let mut changes: Vec<(usize, Change)> = Vec::with_capacity(pairs.len());
        for (at, (&id, (_, text))) in ids.iter().zip(pairs).enumerate() {
            // Two aliases of one parameter may both be given: the later one wins.
            let before = self.value(id);
            let earlier = changes.iter().position(|(_, change)| change.id == id);
            let current = earlier.map_or(&before, |earlier| &changes[earlier].1.after);
            let after = parse_one(id.row(), text, current)
                .map_err(|reason| refused(at, reason.into_owned()))?;
            if id.row().indispensable && after != *self.default_value(id) {
                return Err(refused(at, "this version does not support it".to_owned()));
            }
            if let Some(reason) = id.row().only_off
                && after.word() > before.word()
            {
                return Err(refused(at, reason.to_owned()));
            }
            match earlier {
                Some(earlier) => changes[earlier].1.after = after,
                None => changes.push((at, Change { id, before, after })),
            }
        }
        changes.retain(|(_, change)| change.before != change.after || change.id.row().reapplied);
        self.commit(&changes, apply).map_err(|(at, reason)| refused(at, reason))?;
        Ok(changes.into_iter().map(|(_, change)| change).collect())
    }

    /// Stores and applies; undoes both when a change is refused.
    fn commit(
        &self,
        changes: &[(usize, Change)],
        apply: &mut dyn FnMut(&Change) -> Result<(), String>,
    ) -> Result<(), (usize, String)> {
        for (_, change) in changes {
            self.store(change.id, &change.after);
        }
        for (done, (at, change)) in changes.iter().enumerate() {
            let Err(reason) = apply(change) else { continue };
            for (_, change) in changes {
                self.store(change.id, &change.before);
            }
            for (_, change) in changes[..=done].iter().rev() {
                let back = Change {
                    id: change.id,
                    before: change.after.clone(),
                    after: change.before.clone(),
                };
                // What held a moment ago is expected to hold again; if it does not, the client
                // still learns of the refusal that started this.
                drop(apply(&back));
            }
            return Err((*at, reason));
        }
        Ok(())
    }
}

fn check_rules(pairs: &[(&[u8], &[u8])], rules: SetRules) -> Result<Vec<RowId>, SetError> {
    let mut ids: Vec<(RowId, Vec<u8>)> = Vec::with_capacity(pairs.len());
    for &(name, _) in pairs {
        let refused =
            |reason: &str| SetError::Refused { name: name.to_vec(), reason: reason.to_owned() };
        let id = find(name).ok_or_else(|| SetError::Unknown { name: name.to_vec() })?;
        let row = id.row();
        match row.access {
            Access::Immutable => return Err(refused("can't set immutable config")),
            Access::Protected if !rules.protected_allowed => {
                return Err(refused("can't set protected config"));
            }
            Access::Protected | Access::Mutable => {}
        }
        if rules.loading && row.frozen_while_loading {
            return Err(SetError::Loading);
        }
        // Aliases of one parameter count as different names here, as in Redis.
        let folded = name.to_ascii_lowercase();
        if ids.iter().any(|(_, known)| *known == folded) {
            return Err(refused("duplicate parameter"));
        }
        ids.push((id, folded));
    }
    Ok(ids.into_iter().map(|(id, _)| id).collect())
}
