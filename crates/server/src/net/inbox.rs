//! What other threads tell an event loop.

use std::io;
use std::mem;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use engine::{Endpoint, Message};
use mio::{Registry, Token, Waker};

/// One letter.
#[derive(Debug)]
pub enum Mail {
    /// The engine's business with one client.
    Engine(Message),
    /// A new connection, already counted in the inbox's load.
    Connection {
        /// The socket, non-blocking.
        socket: OwnedFd,
        /// Where it comes from.
        endpoint: Endpoint,
    },
    /// Parameters changed: look at them again.
    Reconfigured,
}

/// A queue and a way to wake its reader.
///
/// The waker is rung only for the first letter after the reader looked, so a burst of messages
/// costs one system call.
#[derive(Debug)]
pub struct Inbox {
    letters: Mutex<Vec<Mail>>,
    /// Whether the waker was rung since the reader last took the letters.
    rung: AtomicBool,
    waker: Waker,
    connections: AtomicUsize,
}

impl Inbox {
    /// An inbox whose reader polls `registry` and sees `token` when there are letters.
    ///
    /// # Errors
    /// When the system has no descriptor left for the waker.
    pub fn new(registry: &Registry, token: Token) -> io::Result<Self> {
        Ok(Self {
            letters: Mutex::default(),
            rung: AtomicBool::new(false),
            waker: Waker::new(registry, token)?,
            connections: AtomicUsize::new(0),
        })
    }

    /// Puts a letter in and wakes the reader.
    pub fn send(&self, mail: Mail) {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner).push(mail);
        // The letter is in before the flag is set, and the reader clears the flag before it takes
        // the letters: whoever finds the flag set knows that the reader is yet to look.
        if !self.rung.swap(true, Ordering::AcqRel) {
            // Writing to an eventfd fails only when its counter is full: then it is readable.
            let _ = self.waker.wake();
        }
    }

    /// Takes all letters, in order.
    pub fn take(&self) -> Vec<Mail> {
        if !self.rung.swap(false, Ordering::AcqRel) {
            return Vec::new();
        }
        mem::take(&mut *self.letters.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The connections that the loop has or that are on their way to it.
    pub fn load(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Counts a connection in.
    pub fn load_up(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a connection out.
    pub fn load_down(&self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn letters_arrive_in_order_and_wake_once_per_batch() {
        let mut poll = mio::Poll::new().unwrap();
        let mut events = mio::Events::with_capacity(8);
        let inbox = Inbox::new(poll.registry(), Token(5)).unwrap();
        let kill = |client| Mail::Engine(Message::Kill { client, flush: false });
        assert!(inbox.take().is_empty());
        inbox.send(kill(1));
        inbox.send(kill(2));
        poll.poll(&mut events, Some(Duration::from_secs(5))).unwrap();
        assert_eq!(events.iter().map(|event| event.token()).collect::<Vec<_>>(), [Token(5)]);
        let letters = inbox.take();
        assert!(
            matches!(&letters[..], [Mail::Engine(Message::Kill { client: 1, .. }), _]),
            "{letters:?}"
        );
        assert!(inbox.take().is_empty());
        inbox.send(kill(3));
        assert_eq!(inbox.take().len(), 1);
    }
}
