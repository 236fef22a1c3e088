//! What other threads tell an event loop.

use std::io;
use std::mem;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

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
    /// A loop that this one waits for has passed on what it was sent.
    Delivered,
}

/// What a loop has been sent up to some moment.
#[derive(Debug)]
pub struct Receipt {
    inbox: Arc<Inbox>,
    letters: u64,
}

impl Receipt {
    /// What the loop of this inbox has been sent so far.
    pub fn of(inbox: &Arc<Inbox>) -> Self {
        Self { inbox: Arc::clone(inbox), letters: inbox.sent.load(Ordering::Acquire) }
    }

    /// Whether the loop has still to pass it on to its clients. Then `who` gets a
    /// [`Mail::Delivered`] when it is worth asking again.
    pub fn is_outstanding(&self, who: &Arc<Inbox>) -> bool {
        let is_delivered = || self.inbox.delivered.load(Ordering::SeqCst) >= self.letters;
        if is_delivered() {
            return false;
        }
        let mut waiting = self.inbox.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if !waiting.iter().any(|other| Arc::ptr_eq(other, who)) {
            waiting.push(Arc::clone(who));
        }
        self.inbox.has_waiting.store(true, Ordering::SeqCst);
        drop(waiting);
        !is_delivered()
    }
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
    /// Letters ever put in.
    sent: AtomicU64,
    /// So many of them the reader has taken and passed on.
    delivered: AtomicU64,
    /// Who wants to know when that changes.
    waiting: Mutex<Vec<Arc<Inbox>>>,
    /// Whether there is anybody.
    has_waiting: AtomicBool,
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
            sent: AtomicU64::new(0),
            delivered: AtomicU64::new(0),
            waiting: Mutex::default(),
            has_waiting: AtomicBool::new(false),
        })
    }

    /// Puts a letter in and wakes the reader.
    pub fn send(&self, mail: Mail) {
        let mut letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        letters.push(mail);
        self.sent.fetch_add(1, Ordering::AcqRel);
        drop(letters);
        // The letter is in before the flag is set, and the reader clears the flag before it takes
        // the letters: whoever finds the flag set knows that the reader is yet to look.
        if !self.rung.swap(true, Ordering::AcqRel) {
            // Writing to an eventfd fails only when its counter is full: then it is readable.
            let _ = self.waker.wake();
        }
    }

    /// Whether letters wait to be taken.
    pub fn has_letters(&self) -> bool {
        self.rung.load(Ordering::Acquire)
    }

    /// Takes all letters, in order.
    pub fn take(&self) -> Vec<Mail> {
        if !self.rung.swap(false, Ordering::AcqRel) {
            return Vec::new();
        }
        mem::take(&mut *self.letters.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The reader has passed on what was in the first `letters` letters.
    pub fn acknowledge(&self, letters: u64) {
        if self.delivered.load(Ordering::Relaxed) == letters {
            return;
        }
        self.delivered.store(letters, Ordering::SeqCst);
        if self.has_waiting.swap(false, Ordering::SeqCst) {
            let waiting =
                mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
            waiting.iter().for_each(|inbox| inbox.send(Mail::Delivered));
        }
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

    #[test]
    fn who_waits_for_letters_hears_when_they_are_delivered() {
        let polls = [mio::Poll::new().unwrap(), mio::Poll::new().unwrap()];
        let [target, own] =
            [&polls[0], &polls[1]].map(|p| Arc::new(Inbox::new(p.registry(), Token(5)).unwrap()));
        assert!(!Receipt::of(&target).is_outstanding(&own), "nothing was sent");
        target.send(Mail::Reconfigured);
        let receipt = Receipt::of(&target);
        target.send(Mail::Reconfigured);
        assert!(receipt.is_outstanding(&own) && receipt.is_outstanding(&own));
        assert_eq!(target.take().len(), 2);
        assert!(own.take().is_empty(), "they are read, and not yet passed on");
        target.acknowledge(2);
        assert!(matches!(own.take()[..], [Mail::Delivered]), "once, however often it asked");
        assert!(!receipt.is_outstanding(&own));
        target.acknowledge(2);
        assert!(own.take().is_empty());
    }
}
