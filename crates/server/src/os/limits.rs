//! The limit of open files against `maxclients`.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors the server needs besides those of clients: listeners, epoll instances, log, files.
pub const RESERVED_FILES: u64 = 32;

/// What [`raise_open_files`] achieved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenFiles {
    /// There is room for as many clients as wanted.
    Enough,
    /// The limit was raised to this and suffices.
    Raised(u64),
    /// There is room for this many clients only.
    Only {
        /// The number of clients that fit.
        clients: u64,
        /// The limit of open files as it is now.
        files: u64,
        /// The limit that was wanted.
        wanted: u64,
        /// Why the system refused more.
        reason: String,
    },
    /// Not even one client fits.
    Nothing {
        /// The limit of open files as it is now.
        files: u64,
    },
}

/// Raises the limit of open files so that `clients` connections fit, as far as the system lets.
pub fn raise_open_files(clients: u64) -> OpenFiles {
    let wanted = clients.saturating_add(RESERVED_FILES);
    let before = getrlimit(Resource::Nofile);
    let soft = before.current.unwrap_or(u64::MAX);
    if soft >= wanted {
        return OpenFiles::Enough;
    }
    let hard = before.maximum.unwrap_or(u64::MAX);
    // Raising the hard limit takes a privilege: try, then settle for what is allowed.
    let with_hard = Rlimit { current: Some(wanted), maximum: Some(wanted.max(hard)) };
    let refused = match setrlimit(Resource::Nofile, with_hard) {
        Ok(()) => return OpenFiles::Raised(wanted),
        Err(error) => error,
    };
    if hard > soft {
        let allowed = Rlimit { current: Some(hard.min(wanted)), maximum: before.maximum };
        // When even this fails the limit stays what it was, which is read back below.
        let _ = setrlimit(Resource::Nofile, allowed);
    }
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    if files >= wanted {
        OpenFiles::Raised(files)
    } else if files <= RESERVED_FILES {
        OpenFiles::Nothing { files }
    } else {
        let reason = std::io::Error::from(refused).to_string();
        OpenFiles::Only { clients: files - RESERVED_FILES, files, wanted, reason }
    }
}
