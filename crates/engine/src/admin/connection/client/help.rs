//! `CLIENT HELP`.

use command::{Command, CommandError, Flags, Group, Spec};

use crate::admin::connection::CONNECTION;
use crate::admin::{AdminCommand, AdminCx, AdminHandler, write_help};

/// `CLIENT HELP`
pub static HELP: AdminCommand = Command::new(
    Spec::new("help", Group::Connection, "5.0.0", 2, "O(1)", "Lists the subcommands.")
        .flags(Flags::LOADING.union(Flags::STALE))
        .acl(CONNECTION),
    help as AdminHandler,
);

const LINES: &[&str] = &[
    "CACHING (YES|NO)",
    "    Say whether the keys of the next command are tracked.",
    "CAPA <option> [options...]",
    "    Tell the server what the client is capable of.",
    "GETNAME",
    "    Tell the name of this connection.",
    "GETREDIR",
    "    Tell which client gets the invalidations of this connection.",
    "ID",
    "    Tell the id of this connection.",
    "IMPORT-SOURCE (ON|OFF)",
    "    Mark this connection as an import source.",
    "INFO",
    "    Tell everything about this connection.",
    "KILL <ip:port>",
    "    Close the connection made from <ip:port>.",
    "KILL <option> <value> [<option> <value> [...]]",
    "    Close connections. Options are:",
    "    * ADDR (<ip:port>|<unixsocket>:0)",
    "      Those made from this address.",
    "    * ID <client-id>",
    "      The one with this id.",
    "    * LADDR (<ip:port>|<unixsocket>:0)",
    "      Those made to this local address.",
    "    * MAXAGE <seconds>",
    "      Those at least this old.",
    "    * SKIPME (YES|NO)",
    "      Whether to spare this connection (default: yes).",
    "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
    "      Those of this type.",
    "    * USER <username>",
    "      Those authenticated as this user.",
    "LIST [options ...]",
    "    List connections. Options:",
    "    * ID <client-id> [<client-id> ...]",
    "      Those with these ids.",
    "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
    "      Those of this type.",
    "NO-EVICT (ON|OFF)",
    "    Protect this connection from client eviction.",
    "NO-TOUCH (ON|OFF)",
    "    Leave the access clocks of keys alone.",
    "PAUSE <timeout> [WRITE|ALL]",
    "    Put off all commands, or those that write, for <timeout> milliseconds.",
    "REPLY (ON|OFF|SKIP)",
    "    Say which replies are sent to this connection.",
    "SETINFO <option> <value>",
    "    Tell about the client library. Options are:",
    "    * LIB-NAME: the name of the library.",
    "    * LIB-VER: its version.",
    "SETNAME <name>",
    "    Name this connection.",
    "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]",
    "         [OPTIN] [OPTOUT] [NOLOOP]",
    "    Tell this connection when keys change that it may have cached.",
    "TRACKINGINFO",
    "    Tell the tracking state of this connection.",
    "UNBLOCK <clientid> [TIMEOUT|ERROR]",
    "    Wake a client that waits in a blocking command.",
    "UNPAUSE",
    "    End a pause.",
];

fn help(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    write_help(admin.cx.reply, "CLIENT", LINES);
    Ok(())
}
