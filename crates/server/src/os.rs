//! What the server asks of the operating system apart from sockets.

pub mod calendar;
pub mod clock;
pub mod daemon;
pub mod disk;
pub mod files;
pub mod limits;
pub mod oom_score;
pub mod pid_file;
pub mod seed;
pub mod supervisor;
pub mod usage;
pub mod wildcard;
