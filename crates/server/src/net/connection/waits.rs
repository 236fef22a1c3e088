//! Commands that wait for a key, as their connection sees it.

use engine::{Engine, ThreadContext};
use resp::Reply;

use super::{Connection, State};

impl Connection {
    /// Ends the wait for the engine; `reply` is that of the command that waited.
    pub fn resume(&mut self, engine: &Engine, reply: Option<&[u8]>) {
        engine.wait_ended(&mut self.session);
        if self.state != State::Waiting {
            return;
        }
        self.state = State::Open;
        if let Some(bytes) = reply {
            self.push(bytes);
            self.hold_for_log(engine);
        }
    }

    /// When the loop is to look after the command that waits, if it has not been told yet:
    /// monotonic nanoseconds.
    pub fn new_deadline(&mut self, engine: &Engine) -> Option<u64> {
        let deadline = engine.wait_deadline_ns(&self.session);
        let is_new = deadline != self.deadline_ns;
        self.deadline_ns = deadline;
        deadline.filter(|_| is_new)
    }

    /// Whether this is when the loop is to look after the command that waits: an earlier command's
    /// time may come when another one waits.
    pub fn is_due_at(&self, deadline_ns: u64) -> bool {
        self.deadline_ns == Some(deadline_ns)
    }

    /// Gives up the command that waits if its time is over, or executes it again if it wants that.
    pub fn look_after_wait(&mut self, engine: &Engine, context: &mut ThreadContext) {
        self.deadline_ns = None;
        engine.wait_again(&mut self.session, context);
        let mut reply = Reply::new(self.session.version());
        if engine.wait_timed_out(&mut self.session, &mut reply) {
            let bytes = reply.take_bytes();
            self.resume(engine, Some(&bytes));
        }
    }
}
