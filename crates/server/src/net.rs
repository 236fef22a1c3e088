//! Sockets: listeners, event loops, connections.
//!
//! Every event loop owns its connections for life; what others want from a connection goes
//! through the loop's [`Inbox`]. Loop 0 also accepts, and hands each new connection to the loop
//! that has the fewest. Notification is edge-triggered for reading and writing at once, so that
//! the interest of a socket is set when it arrives and never again: a turn costs one wait, and one
//! read and one write for each active connection, however many commands it brought.
//!
//! Reading order: [`event_loop`] (a turn), [`floor`] (what a loop owns) and
//! [`stand_in`], [`connection`] (what a connection does in a turn), [`input`] and [`output`] (its
//! buffers), [`accept`] and [`listener`], [`inbox`].

pub mod accept;
pub mod address;
pub mod connection;
pub mod event_loop;
pub mod floor;
pub mod inbox;
pub mod input;
pub mod listener;
pub mod output;
mod slots;
pub mod stand_in;

pub use event_loop::EventLoop;
pub use inbox::{Inbox, Mail};
pub use listener::{Listeners, SocketAccess};
