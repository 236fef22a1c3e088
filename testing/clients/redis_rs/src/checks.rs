//! Counted checks of whole replies. The first difference ends the run with its line.

use std::fmt::Debug;
use std::panic::Location;

use redis::{Connection, RedisResult};

/// What a check or a family of checks gives: nothing, or what differed.
pub type Outcome = Result<(), String>;

/// The checks made so far over one protocol version.
pub struct Checks {
    port: u16,
    resp3: bool,
    count: usize,
}

impl Checks {
    /// Checks against the server on `port` of the loopback interface.
    pub fn new(port: u16, resp3: bool) -> Self {
        Checks { port, resp3, count: 0 }
    }

    /// Name in the output.
    pub fn label(&self) -> String {
        format!("redis-rs 1.8 RESP{}", if self.resp3 { 3 } else { 2 })
    }

    /// How many replies were checked.
    pub fn count(&self) -> usize {
        self.count
    }

    /// A new connection.
    pub fn connect(&self) -> Result<Connection, String> {
        self.connect_with("")
    }

    /// A new connection whose URL holds `credentials` (`user:password@`).
    pub fn connect_with(&self, credentials: &str) -> Result<Connection, String> {
        let protocol = if self.resp3 { "?protocol=resp3" } else { "" };
        let url = format!("redis://{credentials}127.0.0.1:{}/{protocol}", self.port);
        let client = redis::Client::open(url).map_err(|e| e.to_string())?;
        client.get_connection().map_err(|e| e.to_string())
    }

    /// The reply is exactly `want`.
    #[track_caller]
    pub fn eq<T: PartialEq + Debug>(&mut self, got: RedisResult<T>, want: T) -> Outcome {
        self.count += 1;
        match got {
            Ok(got) if got == want => Ok(()),
            other => at(format!("got {other:?}, wanted {want:?}")),
        }
    }

    /// The reply is a number in a closed range.
    #[track_caller]
    pub fn within(&mut self, got: RedisResult<i64>, low: i64, high: i64) -> Outcome {
        self.count += 1;
        match got {
            Ok(got) if (low..=high).contains(&got) => Ok(()),
            other => at(format!("got {other:?}, wanted {low}..={high}")),
        }
    }

    /// The reply is an error with exactly these words (without its code).
    #[track_caller]
    pub fn error<T: Debug>(&mut self, words: &str, got: RedisResult<T>) -> Outcome {
        self.count += 1;
        match &got {
            Err(error) if error.detail() == Some(words) => Ok(()),
            other => at(format!("got {other:?}, wanted the error {words:?}")),
        }
    }

    /// Something holds for a reply that cannot be spelled out.
    #[track_caller]
    pub fn holds(&mut self, condition: bool, what: &str) -> Outcome {
        self.count += 1;
        if condition { Ok(()) } else { at(what.to_owned()) }
    }
}

#[track_caller]
fn at(message: String) -> Outcome {
    let place = Location::caller();
    Err(format!("{}:{}: {message}", place.file(), place.line()))
}
