//! `MULTI`, `EXEC`, `WATCH`: the state of a session's transaction and its execution.
//!
//! `EXEC` locks the union of its commands' and watched keys' shards, looks whether a watched key
//! changed, and runs the queue under those locks: nothing else can come between.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use command::{CommandError, Flags};
use resp::{Args, OwnedArgs, Reply};
use store::{Held, HeldLong, WatchFlag};

use crate::call::{Call, Flow};
use crate::clients::ClientFlags;
use crate::engine::Engine;
use crate::registry::{Entry, Exec, Locks};
use crate::scripting::GivenUp;
use crate::session::Session;
use crate::thread::ThreadContext;

/// A watched key.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) db: usize,
    pub(crate) key: Box<[u8]>,
}

/// A command that waits for `EXEC`.
#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) entry: &'static Entry,
    pub(crate) args: OwnedArgs,
}

/// Transaction state of a session.
#[derive(Debug, Default)]
pub(crate) struct Transaction {
    /// Between `MULTI` and `EXEC`.
    pub(crate) queueing: bool,
    /// A command was refused while queueing: `EXEC` will refuse too.
    pub(crate) refused: bool,
    pub(crate) queue: Vec<Queued>,
    pub(crate) queue_bytes: usize,
    pub(crate) watched: Vec<Watched>,
    pub(crate) watched_bytes: usize,
    /// Raised when a watched key changes.
    pub(crate) flag: Arc<WatchFlag>,
}

impl Transaction {
    /// Notes that a key is watched from now on.
    pub(crate) fn watch(&mut self, watched: Watched) {
        self.watched_bytes += size_of::<Watched>() + watched.key.len();
        self.watched.push(watched);
    }

    /// Memory of what is queued and watched, in bytes.
    fn bytes(&self) -> u64 {
        (self.queue_bytes + self.watched_bytes) as u64
    }
}

const EXECABORT: CommandError = CommandError::State(std::borrow::Cow::Borrowed(
    b"EXECABORT Transaction discarded because of previous errors.",
));

impl Engine {
    /// Queues a command of a session in `MULTI`.
    pub(crate) fn queue(&self, session: &mut Session, entry: &'static Entry, args: Args<'_>) {
        let transaction = session.transaction_mut();
        let args = args.to_owned();
        transaction.queue_bytes += args.memory_size();
        transaction.queue.push(Queued { entry, args });
        let (count, bytes) = (transaction.queue.len(), transaction.bytes());
        session.handle.multi.store(count as i64, Ordering::Relaxed);
        session.handle.buffers.multi.store(bytes, Ordering::Relaxed);
    }

    /// Ends a transaction, executed or not: forgets the queue and the watched keys.
    pub(crate) fn discard(&self, session: &mut Session) {
        self.unwatch(session);
        session.transaction = None;
        self.show_transaction(session);
    }

    /// Updates what other threads see of the session's transaction.
    pub(crate) fn show_transaction(&self, session: &Session) {
        let handle = &session.handle;
        let transaction = session.transaction.as_deref();
        let queueing = transaction.is_some_and(|t| t.queueing);
        let count = transaction.map_or(0, |t| t.queue.len() as i64);
        let watched = transaction.map_or(0, |t| t.watched.len() as u32);
        handle.multi.store(if queueing { count } else { -1 }, Ordering::Relaxed);
        handle.watched.store(watched, Ordering::Relaxed);
        handle.set_flag(ClientFlags::MULTI, queueing);
        handle.set_flag(ClientFlags::WATCHING, watched > 0);
        let bytes = transaction.map_or(0, Transaction::bytes);
        handle.buffers.multi.store(bytes, Ordering::Relaxed);
    }

    /// Takes the session's watches back, each under its shard's lock.
    pub(crate) fn unwatch(&self, session: &mut Session) {
        let Some(transaction) = session.transaction.as_deref_mut() else { return };
        for watched in transaction.watched.drain(..) {
            if self.store.unwatch(watched.db, &watched.key, &transaction.flag).is_err() {
                self.take_back_later(GivenUp::Watch(watched, transaction.flag.clone()));
            }
        }
        // A flag that was raised belongs to the watches that are gone.
        transaction.flag = Arc::default();
        transaction.watched_bytes = 0;
        session.handle.buffers.multi.store(transaction.bytes(), Ordering::Relaxed);
        session.handle.watched.store(0, Ordering::Relaxed);
        session.handle.set_flag(ClientFlags::WATCHING, false);
    }

    /// `EXEC`.
    pub(crate) fn exec(
        &self,
        call: Call<'_>,
        session: &mut Session,
        reply: &mut Reply,
        thread: &mut ThreadContext,
    ) -> Result<Flow, CommandError> {
        if !session.in_multi() {
            return Err(CommandError::state("ERR EXEC without MULTI"));
        }
        let mut transaction = session.transaction.take().unwrap_or_default();
        let outcome = if transaction.refused {
            Err(EXECABORT)
        } else {
            let queue = std::mem::take(&mut transaction.queue);
            let held = match self.lock_transaction(&queue, &transaction) {
                Ok(held) => held,
                Err(HeldLong) => {
                    session.transaction = Some(transaction);
                    let error = self.scripting.busy.error();
                    return Err(self.refused(call.entry, error, session));
                }
            };
            // Under the locks: who loads another dataset has had them all since it says so.
            let refused = self.is_loading() && !thread.replays;
            if refused && !queue.iter().all(|queued| queued.entry.has(Flags::LOADING)) {
                Err(CommandError::LOADING)
            } else if transaction.flag.is_raised()
                || self.watched_expired(&transaction, thread, &held)
            {
                reply.null_array();
                Ok(Flow::Continue)
            } else {
                self.run_queue(call, session, reply, thread, held, &queue)
            }
        };
        session.transaction = Some(transaction);
        self.discard(session);
        self.after_script();
        outcome
    }

    fn lock_transaction(
        &self,
        queue: &[Queued],
        transaction: &Transaction,
    ) -> Result<Held<'_>, HeldLong> {
        let everything = |q: &Queued| {
            q.entry.locks == Locks::All
                || matches!(q.entry.exec, Exec::Script(_))
                || q.entry.has(Flags::KEYSPACE_WALK)
                || q.entry.reaches_anywhere(q.args.as_args())
        };
        if queue.iter().any(everything) {
            return Held::all_soon(&self.store);
        }
        let mut positions = Vec::new();
        for queued in queue {
            let found = |key: &[u8]| positions.push(self.store.position(key));
            queued.entry.keys(queued.args.as_args(), found);
        }
        positions.extend(transaction.watched.iter().map(|w| self.store.position(&w.key)));
        let held = Held::keys_soon(&self.store, positions)?;
        if self.store.waiters() > 0 && held.has_wide_waiters() {
            drop(held);
            return Held::all_soon(&self.store);
        }
        Ok(held)
    }

    /// Whether a key that was alive when it was watched has passed its time since, though nobody
    /// has removed it yet.
    fn watched_expired(
        &self,
        transaction: &Transaction,
        thread: &ThreadContext,
        held: &Held<'_>,
    ) -> bool {
        let now = thread.now_ms();
        transaction
            .watched
            .iter()
            .any(|w| held.watched_expired(&self.store, w.db, &w.key, &transaction.flag, now))
    }
}
