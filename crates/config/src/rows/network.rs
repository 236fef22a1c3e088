//! Parameters of listening sockets and connections.

use super::START;
use crate::handle::{Addresses, Bool, Int, Text};
use crate::row::{INT_MAX, List, UINT_MAX, Unit, boolean, int, list, text};

rows! {
    Network after START;

    BIND: Addresses = list("bind", List::Addresses, "* -::*"),
        "Addresses to listen on; a leading minus allows an address to be unavailable.";
    BIND_SOURCE_ADDR: Text = text("bind-source-addr", "").planned(),
        "Local address from which outgoing connections are made.";
    PROTECTED_MODE: Bool = boolean("protected-mode", true),
        "Serve only local connections while every address is open and no password is set.";
    PORT: Int = int("port", 6379, 0, 65535),
        "TCP port; 0 turns plain TCP off.";
    TCP_BACKLOG: Int = int("tcp-backlog", 511, 0, INT_MAX).immutable(),
        "Connections that the kernel queues before they are accepted.";
    UNIXSOCKET: Text = text("unixsocket", "").immutable(),
        "Path of a unix socket to listen on; empty for none.";
    UNIXSOCKETGROUP: Text = text("unixsocketgroup", "").immutable().unlisted(),
        "Group that owns the unix socket.";
    UNIXSOCKETPERM: Int = super::octal("unixsocketperm", 0, 0o777).immutable(),
        "Permissions of the unix socket in octal; 0 leaves what the process's mask gives.";
    TIMEOUT: Int = int("timeout", 0, 0, INT_MAX).unit(Unit::Seconds),
        "Close a client after it was idle for this long; 0 never does.";
    TCP_KEEPALIVE: Int = int("tcp-keepalive", 300, 0, INT_MAX).unit(Unit::Seconds),
        "Idle time before the kernel probes whether a peer still lives; 0 turns probes off.";
    SOCKET_MARK_ID: Int = int("socket-mark-id", 0, 0, UINT_MAX).immutable().planned(),
        "Mark that the kernel puts on the packets of the listening sockets, for routing and \
         filters.";
    MAX_NEW_CONNECTIONS_PER_CYCLE: Int = int("max-new-connections-per-cycle", 10, 1, 1000),
        "Plain connections accepted in one turn of an event loop.";
}
