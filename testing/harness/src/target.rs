//! The in-process engine as a target of the conformance scripts.
//!
//! Its clock stands still but for the script's sleeps and the runner's waiting, so no script takes
//! real time. After each step every other connection does what the engine told it, as event loops
//! would.

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::time::Duration;

use conformance::{Incoming, Target};

use crate::connection::{Connection, State};
use crate::in_process::InProcess;

/// How far the clock moves at a time while a reply is awaited.
const TICK: Duration = Duration::from_millis(10);

type Shared = Rc<RefCell<Connection>>;
type Everyone = Rc<RefCell<Vec<Weak<RefCell<Connection>>>>>;

/// An engine that scripts run against.
#[derive(Debug, Default)]
pub struct InProcessTarget {
    server: InProcess,
    everyone: Everyone,
}

impl InProcessTarget {
    /// A target over `server`, whose clock is manual.
    #[must_use]
    pub fn new(server: InProcess) -> Self {
        Self { server, everyone: Everyone::default() }
    }
}

impl Target for InProcessTarget {
    fn connect(&mut self) -> Result<Box<dyn conformance::Connection>, String> {
        let own = Rc::new(RefCell::new(self.server.connect()));
        let mut everyone = self.everyone.borrow_mut();
        everyone.retain(|connection| connection.strong_count() > 0);
        everyone.push(Rc::downgrade(&own));
        let (server, everyone) = (self.server.clone(), self.everyone.clone());
        Ok(Box::new(Line { server, own, everyone }))
    }

    fn sleep(&mut self, time: Duration) {
        self.server.pass(time);
        serve(&self.everyone);
    }
}

/// Lets every connection do what the engine told it.
fn serve(everyone: &Everyone) {
    for connection in everyone.borrow().iter().filter_map(Weak::upgrade) {
        connection.borrow_mut().serve();
    }
}

struct Line {
    server: InProcess,
    own: Shared,
    everyone: Everyone,
}

impl Line {
    fn incoming(&self) -> Option<Incoming> {
        serve(&self.everyone);
        let mut own = self.own.borrow_mut();
        let bytes = own.take_bytes();
        match own.state() {
            _ if !bytes.is_empty() => Some(Incoming::Bytes(bytes)),
            State::Closed => Some(Incoming::Closed),
            State::Open => Some(Incoming::Quiet),
            State::Waiting => None,
        }
    }
}

impl conformance::Connection for Line {
    fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.own.borrow_mut().send(bytes);
        serve(&self.everyone);
        Ok(())
    }

    fn receive(&mut self, patience: Duration) -> Incoming {
        let mut waited = Duration::ZERO;
        loop {
            if let Some(incoming) = self.incoming() {
                return incoming;
            }
            if waited >= patience {
                return Incoming::Quiet;
            }
            self.server.pass(TICK);
            waited += TICK;
        }
    }
}
