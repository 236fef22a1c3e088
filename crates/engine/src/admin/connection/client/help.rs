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
    "    Close connections. Options are those of LIST, with SKIPME YES by default.",
    "LIST [<option> <value> ...]",
    "    List connections: all, or those for which every option holds. Options are:",
    "    * ADDR (<ip:port>|<unixsocket>:0), LADDR (<ip:port>|<unixsocket>:0), IP <ip>",
    "      Those made from this address, to this local address, from this machine.",
    "    * CAPA <letters>, FLAGS <letters>",
    "      Those that have all these capabilities or flags.",
    "    * DB <database>",
    "      Those that have selected this database.",
    "    * ID <client-id> [<client-id> ...]",
    "      Those with these ids.",
    "    * IDLE <seconds>, MAXAGE <seconds>",
    "      Those idle for at least so long, or at least this old.",
    "    * NAME <name>, LIB-NAME <name>, LIB-VER <version>",
    "      Those that gave themselves this name, or named this library or version.",
    "    * SKIPME (YES|NO)",
    "      Whether to leave this connection out (default: no).",
    "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
    "      Those of this type.",
    "    * USER <username>",
    "      Those authenticated as this user.",
    "    * NOT-<option> <value>, of all but IDLE, MAXAGE and SKIPME",
    "      Those for which the option does not hold.",
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
