//! The server family.

use super::AdminCommand;

/// The family's table.
pub const COMMANDS: &[&AdminCommand] = &[];
