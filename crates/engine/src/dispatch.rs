//! The gates between the wire and a command's handler, in Redis's order: does it exist, is the
//! arity right, is the client allowed, is there memory, is the server paused, is it to be queued.

use std::sync::atomic::Ordering;

use collections::prefetch::LOOK_AHEAD_MAX;
use command::{CommandError, Flags};
use resp::{Args, Mark, Reply, Version};
use store::Position;

use crate::admin::pubsub::allowed_while_subscribed;
use crate::call::{Call, Flow};
use crate::clients::ClientFlags;
use crate::engine::Engine;
use crate::pause::PauseKind;
use crate::registry::{Entry, Exec, Locks, Name, Unknown};
use crate::session::{ReplyMode, Session};
use crate::thread::ThreadContext;

/// A command line that was looked up ahead of its execution.
#[derive(Clone, Copy, Debug)]
pub struct Prepared {
    entry: Result<&'static Entry, Unknown>,
    /// Of its first key.
    pub(crate) position: Option<Position>,
}

/// Where a command line names an element of its only key's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ElementOf {
    /// The key's.
    pub(crate) position: Position,
    /// The argument that is the key.
    pub(crate) key: usize,
    /// The argument that names the element.
    pub(crate) name: usize,
}

impl Prepared {
    /// Where the line names an element, if it does.
    #[inline]
    #[must_use]
    pub(crate) fn element(&self) -> Option<ElementOf> {
        let entry = self.entry.ok()?;
        let (position, name) = (self.position?, usize::from(entry.spec.element?));
        let Locks::One(key) = entry.locks else { return None };
        Some(ElementOf { position, key, name })
    }
}

impl Engine {
    /// Looks up a command and, if it has keys, asks the processor for the lock of the first one's
    /// shard. A pipeline's commands take each of the four steps of preparing together, before the
    /// first is executed, so that their cache misses overlap. `last` is the command before it,
    /// which is probably the same.
    #[inline]
    pub(crate) fn prepare(&self, args: Args<'_>, last: Option<&Prepared>) -> Prepared {
        let same = last
            .and_then(|last| last.entry.ok())
            .filter(|entry| entry.subcommands.is_empty() && entry.called == Name::new(args.name()));
        let prepared = self.look_up(same.map_or_else(|| self.registry.resolve(args), Ok), args);
        if let Some(position) = prepared.position {
            self.store.prefetch_shard(position);
        }
        prepared
    }

    /// The second and the third step of preparing: asks for the places where the look-ups of keys
    /// begin, and then for their entries, of at most [`LOOK_AHEAD_MAX`] commands.
    #[inline]
    pub(crate) fn prepare_keys<'p>(
        &self,
        session: &Session,
        prepared: impl Iterator<Item = &'p Prepared>,
    ) {
        let mut positions = [Position::default(); LOOK_AHEAD_MAX];
        let mut count = 0;
        for (place, position) in positions.iter_mut().zip(prepared.filter_map(|p| p.position)) {
            *place = position;
            count += 1;
        }
        self.store.prefetch_buckets(session.db(), &positions[..count]);
        self.store.prefetch_entries(session.db(), &positions[..count]);
    }

    /// The fourth step of preparing: asks for the elements that commands on one key name.
    pub(crate) fn prepare_elements(
        &self,
        session: &Session,
        key: &[u8],
        at: Position,
        names: &[&[u8]],
    ) {
        self.store.prefetch_elements(session.db(), at, key, names);
    }

    #[inline]
    fn look_up(&self, entry: Result<&'static Entry, Unknown>, args: Args<'_>) -> Prepared {
        let first_key = entry.ok().and_then(|entry| args.get(entry.first_key?));
        let position = first_key.map(|key| self.store.position(key));
        Prepared { entry, position }
    }

    /// Executes one command line of a session and appends the reply.
    ///
    /// [`ThreadContext::begin`] has been called since the thread last waited.
    pub fn execute(
        &self,
        session: &mut Session,
        args: Args<'_>,
        reply: &mut Reply,
        thread: &mut ThreadContext,
    ) -> Flow {
        let prepared = self.look_up(self.registry.resolve(args), args);
        self.execute_prepared(prepared, session, args, reply, thread)
    }

    /// As [`Engine::execute`], for what [`Engine::prepare`] looked up from the same `args`.
    pub fn execute_prepared(
        &self,
        prepared: Prepared,
        session: &mut Session,
        args: Args<'_>,
        reply: &mut Reply,
        thread: &mut ThreadContext,
    ) -> Flow {
        let mark = reply.mark();
        reply.set_version(session.version);
        session.has_pushed = false;
        let flow = match prepared.entry {
            Ok(entry) => {
                let call = Call { entry, args, position: prepared.position };
                self.admit(call, session, reply, thread)
            }
            Err(unknown) => {
                self.refuse_to_queue(session);
                self.fail(&unknown_command(unknown, args), reply, thread.index);
                Flow::Continue
            }
        };
        if session.reply_mode != ReplyMode::On && flow != Flow::Retry {
            silence(session, reply, mark);
        }
        flow
    }

    fn admit(
        &self,
        call: Call<'_>,
        session: &mut Session,
        reply: &mut Reply,
        thread: &mut ThreadContext,
    ) -> Flow {
        let handle = &session.handle;
        handle.command.store(call.entry.index as u32, Ordering::Relaxed);
        handle.count_commands(1);
        if let Err(error) = self.check(call, session, reply, thread) {
            let error = self.refused(call.entry, error, session);
            let stats = self.stats.thread(thread.index);
            stats.commands[call.entry.index].rejected.add(1);
            self.fail(&error, reply, thread.index);
            return Flow::Continue;
        }
        if self.pause.possible() && self.paused(call, session, thread) {
            return Flow::Retry;
        }
        if session.in_multi() && !call.entry.has(Flags::IMMEDIATE) {
            self.queue(session, call.entry, call.args);
            reply.simple("QUEUED");
            return Flow::Continue;
        }
        self.call(call, session, reply, thread)
    }

    /// Whether the command may run or be queued at all.
    #[inline]
    fn check(
        &self,
        call: Call<'_>,
        session: &Session,
        reply: &mut Reply,
        thread: &mut ThreadContext,
    ) -> Result<(), CommandError> {
        let entry = call.entry;
        if !entry.spec.accepts(call.args.len()) {
            return Err(CommandError::arity(entry.full_name));
        }
        if !session.authenticated && !entry.has(Flags::NO_AUTH) && self.password_required() {
            return Err(CommandError::NO_AUTH);
        }
        if session.subscriptions.is_some() && session.version == Version::Resp2 {
            only_for_subscribers(entry)?;
        }
        if entry.has(Flags::NO_MULTI) && session.in_multi() {
            return Err(CommandError::state("ERR Command not allowed inside a transaction"));
        }
        if self.is_loading() {
            self.check_loading(entry, session)?;
        }
        if self.store.is_held_long() && !entry.has(Flags::ALLOW_BUSY) {
            return Err(self.scripting.busy.error());
        }
        let limit = self.config.get(config::rows::MAXMEMORY);
        if limit > 0 && self.lacks_memory(limit, call, session, reply, thread) {
            return Err(CommandError::OUT_OF_MEMORY);
        }
        if let Some(refusal) = self.write_refusal()
            && self.writes(call, session)
        {
            return Err(refusal);
        }
        Ok(())
    }

    /// Why nothing may be changed now, if so: what is changed could not be kept.
    #[inline]
    pub(crate) fn write_refusal(&self) -> Option<CommandError> {
        let has_failed = self.saving.has_failed() || self.aof.has_failed();
        if has_failed { self.failure() } else { None }
    }

    #[cold]
    fn failure(&self) -> Option<CommandError> {
        self.save_refusal().or_else(|| self.log_refusal())
    }

    /// Whether the command, or a command of the transaction it ends, may change something. `PING`
    /// is refused with them, so that whoever watches over the server notices.
    fn writes(&self, call: Call<'_>, session: &Session) -> bool {
        executes(call, session, |entry, _| entry.has(Flags::WRITE))
            || call.entry.full_name == "ping"
    }

    fn paused(&self, call: Call<'_>, session: &Session, thread: &ThreadContext) -> bool {
        let entry = call.entry;
        let writes = executes(call, session, |entry, args| {
            entry.has(Flags::WRITE)
                || (entry.has(Flags::MAY_REPLICATE) && !self.promises_not_to_write(entry, args))
        });
        let held_back = match self.pause.active(thread.now_ms()).0 {
            PauseKind::None => false,
            // As in Redis, a write that would only be queued waits too.
            PauseKind::Write => writes,
            PauseKind::All => entry.full_name != "client|unpause",
        };
        if !held_back {
            return false;
        }
        // Before it waits: whoever resumes it takes the flag back.
        session.handle.set_flag(ClientFlags::BLOCKED, true);
        let waits = self.pause.wait(session.handle.thread, session.id());
        session.handle.set_flag(ClientFlags::BLOCKED, waits);
        waits
    }

    /// What a refused command answers. A refused `EXEC` ends its transaction, any other command
    /// dooms the one that is being queued.
    pub(crate) fn refused(
        &self,
        entry: &Entry,
        error: CommandError,
        session: &mut Session,
    ) -> CommandError {
        if !matches!(entry.exec, Exec::Transaction) {
            self.refuse_to_queue(session);
            return error;
        }
        self.discard(session);
        let cause = error.text().strip_prefix(b"ERR ").unwrap_or(error.text());
        CommandError::quoting("EXECABORT Transaction discarded because of: ", cause, "")
    }

    /// A refused command dooms the transaction that is being queued.
    fn refuse_to_queue(&self, session: &mut Session) {
        if let Some(transaction) = session.transaction.as_deref_mut() {
            transaction.refused |= transaction.queueing;
        }
    }
}

/// Whether the command is such a one, or ends a transaction that has one in its queue.
pub(crate) fn executes(
    call: Call<'_>,
    session: &Session,
    is_such: impl Fn(&Entry, Args<'_>) -> bool,
) -> bool {
    let queue = session.transaction.as_ref().map_or(&[][..], |transaction| &transaction.queue);
    let ends = matches!(call.entry.exec, Exec::Transaction);
    is_such(call.entry, call.args)
        || (ends && queue.iter().any(|queued| is_such(queued.entry, queued.args.as_args())))
}

/// Takes a reply back from a client that wants none, unless it consists of messages.
#[cold]
fn silence(session: &mut Session, reply: &mut Reply, mark: Mark) {
    let has_pushed = session.has_pushed;
    match session.reply_mode {
        ReplyMode::On | ReplyMode::Off => {}
        // The command after `CLIENT REPLY SKIP` begins with `SkipNext` and ends with `Skip`.
        ReplyMode::SkipNext => {
            session.reply_mode = ReplyMode::Skip;
            return;
        }
        ReplyMode::Skip => session.reply_mode = ReplyMode::On,
    }
    if !has_pushed {
        reply.rollback(mark);
    }
}

/// Refuses a command that a client which listens in RESP2 may not send.
#[cold]
fn only_for_subscribers(entry: &Entry) -> Result<(), CommandError> {
    if allowed_while_subscribed(entry.full_name) {
        return Ok(());
    }
    let after = "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in \
                 this context";
    Err(CommandError::quoting("ERR Can't execute '", entry.full_name.as_bytes(), after))
}

/// Bytes of arguments that an error text quotes.
const QUOTED_MAX: usize = 128;

fn unknown_command(unknown: Unknown, args: Args<'_>) -> CommandError {
    if let Unknown::Subcommand(container) = unknown {
        let sub = quotable(args.get(1).unwrap_or_default(), QUOTED_MAX);
        let after = format!("'. Try {} HELP.", container.to_ascii_uppercase());
        return CommandError::quoting("ERR unknown subcommand '", sub, &after);
    }
    let name = quotable(args.name(), QUOTED_MAX);
    if args.len() == 1 {
        return CommandError::quoting("ERR unknown command '", name, "'");
    }
    let mut beginning = Vec::new();
    for arg in args.iter().skip(1) {
        if beginning.len() >= QUOTED_MAX {
            break;
        }
        let arg = quotable(arg, QUOTED_MAX - beginning.len());
        beginning.extend([b"'", arg, b"' "].concat());
    }
    let text = [name, b"', with args beginning with: ", &beginning];
    CommandError::quoting("ERR unknown command '", &text.concat(), "")
}

/// At most `max` bytes of an argument, up to its first NUL, as Redis quotes them.
fn quotable(arg: &[u8], max: usize) -> &[u8] {
    let end = arg.iter().position(|&byte| byte == 0).unwrap_or(arg.len()).min(max);
    &arg[..end]
}
