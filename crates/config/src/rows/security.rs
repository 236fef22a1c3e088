//! Parameters that decide who may do what.

use super::clients::END as PREVIOUS;
use crate::choice::{AclPubsubDefault, Choices, ProtectedAction};
use crate::handle::{Choice, Int, Text};
use crate::row::{choice, int, text};

rows! {
    Security after PREVIOUS;

    REQUIREPASS: Text = text("requirepass", "").sensitive(),
        "Password of the default user; empty for none.";
    ACLFILE: Text = text("aclfile", "").immutable().indispensable(),
        "File with the users.";
    ACLLOG_MAX_LEN: Int = int("acllog-max-len", 128, 0, i64::MAX).planned(),
        "Entries that ACL LOG keeps.";
    ACL_PUBSUB_DEFAULT: Choice<AclPubsubDefault> =
        choice("acl-pubsub-default", AclPubsubDefault::WORDS, 0).planned(),
        "Channels that a new user may use.";
    ENABLE_PROTECTED_CONFIGS: Choice<ProtectedAction> =
        choice("enable-protected-configs", ProtectedAction::WORDS, 0).immutable(),
        "Who may change parameters that could endanger the machine.";
    ENABLE_DEBUG_COMMAND: Choice<ProtectedAction> =
        choice("enable-debug-command", ProtectedAction::WORDS, 0).immutable(),
        "Who may use DEBUG.";
    ENABLE_MODULE_COMMAND: Choice<ProtectedAction> =
        choice("enable-module-command", ProtectedAction::WORDS, 0).immutable().planned(),
        "Who may use MODULE.";
}
