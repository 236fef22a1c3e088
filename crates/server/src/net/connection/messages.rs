//! Messages that a client did not ask for just then.
//!
//! Most of them are published messages for a subscriber that has read everything before. Such a
//! message goes to the socket as it is, shared by all who get it, without a buffer or a copy.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use engine::Push;
use engine::clients::ClientFlags;
use resp::Reply;
use rustix::io::Errno;
use rustix::net::SendFlags;

use super::{Connection, State, Turn, Verdict};

impl Connection {
    /// Adds whole replies to the output; [`Self::serve`] sends them.
    pub fn push(&mut self, bytes: &[u8]) {
        self.output_mut().raw(bytes);
    }

    /// Takes a message if it is for this client still; [`Self::serve`] sends it.
    pub fn deliver(&mut self, push: &Push) -> bool {
        if self.state == State::Closing {
            return false;
        }
        let Some(bytes) = self.session.receive(push) else { return false };
        if matches!(push, Push::Invalidated(_) | Push::Redirected(_)) {
            self.invalidations.push(push.clone());
        }
        if self.output.is_none() && self.message.is_none() {
            self.message = Some(bytes);
        } else {
            self.output_mut().raw_shared(bytes);
        }
        true
    }

    /// Whether messages wait that may be for this client; `listened` if it did before its last
    /// command. They come before its next one: what it says to itself it hears behind the reply,
    /// and not once it listens no more.
    #[inline]
    pub(super) fn has_messages(&self, listened: bool, turn: &Turn<'_>) -> bool {
        (listened || self.session.is_subscribed())
            && turn.inboxes[self.session.handle.thread].has_letters()
    }

    /// Whether messages may come for it.
    pub(super) fn listens(&self) -> bool {
        self.session.handle.flags().has(ClientFlags::PUBSUB)
    }

    /// What waits for the socket, a message that came first included.
    pub(super) fn output_mut(&mut self) -> &mut Reply {
        let version = self.session.version();
        let output = self.output.get_or_insert_with(|| Box::new(Reply::new(version)));
        if let Some(message) = self.message.take() {
            output.raw_shared(message);
        }
        output
    }

    /// Sends the message that waits, if that is all there is to do. None if the turn goes on: then
    /// what is left of the message has joined the output.
    pub(super) fn send_message(&mut self, turn: &Turn<'_>) -> Option<Verdict> {
        let is_idle = !self.readable && self.input.is_none() && self.state == State::Open;
        let message = self.message.take()?;
        if !is_idle || turn.engine.limits_client_memory() {
            self.output_mut().raw_shared(message);
            return None;
        }
        match rustix::net::send(&self.socket, &message, SendFlags::NOSIGNAL) {
            Ok(sent) => {
                self.count_sent(turn, 1, sent);
                self.keep_rest(message, sent)
            }
            Err(Errno::AGAIN | Errno::INTR) => self.keep_rest(message, 0),
            Err(_) => Some(Verdict::Close),
        }
    }

    /// Keeps what the socket did not take.
    fn keep_rest(&mut self, message: Arc<[u8]>, sent: usize) -> Option<Verdict> {
        match sent {
            0 => self.output_mut().raw_shared(message),
            _ if sent == message.len() => {
                self.invalidations = Vec::new();
                return Some(Verdict::Rest);
            }
            _ => self.output_mut().raw(&message[sent..]),
        }
        None
    }

    /// Counts what was handed to the system.
    pub(super) fn count_sent(&self, turn: &Turn<'_>, writes: u64, bytes: usize) {
        let stats = turn.engine.stats.thread(turn.context.index);
        stats.writes.add(writes);
        stats.net_out.add(bytes as u64);
        let buffers = &self.session.handle.buffers;
        let sent = buffers.sent.load(Ordering::Relaxed) + bytes as u64;
        buffers.sent.store(sent, Ordering::Relaxed);
    }
}
