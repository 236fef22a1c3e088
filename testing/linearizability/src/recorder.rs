//! Makes histories: client threads that send requests at once and note when each was sent and
//! answered.
//!
//! Time is a shared counter and not a clock: it is drawn right before a request is sent and right
//! after its reply has come, so "returned before the other was invoked" is exact.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};

use client::{Address, Client, Error, Options, Value, encode_command};

use crate::checker::Operation;
use crate::generate::{Plan, requests};
use crate::model::{LIST, Op, Request, key_name};

/// A connection that a client thread sends its requests on; the engine implements it in-process.
pub trait Session {
    /// Sends these commands as one pipeline and returns their replies.
    ///
    /// # Errors
    /// A sentence when the server is gone.
    fn pipeline(&mut self, commands: &[Vec<Vec<u8>>]) -> Result<Vec<Value>, String>;
}

impl Session for Client {
    fn pipeline(&mut self, commands: &[Vec<Vec<u8>>]) -> Result<Vec<Value>, String> {
        let mut bytes = Vec::new();
        for command in commands {
            encode_command(command, &mut bytes);
        }
        self.queue_raw(&bytes);
        let failed = |error: Error| error.to_string();
        self.flush().map_err(failed)?;
        commands.iter().map(|_| self.receive().map_err(failed)).collect()
    }
}

/// Makes a session, in the thread that will use it: a session need not be one that may travel.
pub type Opener<'a> = Box<dyn FnOnce() -> Result<Box<dyn Session>, String> + Send + 'a>;

/// What connects the clients of `plan` to the server at `address`.
#[must_use]
pub fn connect<'a>(address: &'a Address, plan: &Plan) -> Vec<Opener<'a>> {
    let open = move || {
        let client = Client::connect(address, &Options::default());
        let client = client.map_err(|error| format!("{address}: {error}"))?;
        Ok(Box::new(client) as Box<dyn Session>)
    };
    (0..plan.clients).map(|_| Box::new(open) as Opener<'a>).collect()
}

/// Opens a session; the first deletes the keys of the plan.
fn open(plan: &Plan, client: usize, opener: Opener<'_>) -> Result<Box<dyn Session>, String> {
    let mut session = opener()?;
    if client == 0 {
        let names = (0..plan.keys).chain([LIST]).map(key_name);
        session.pipeline(&[std::iter::once(b"DEL".to_vec()).chain(names).collect()])?;
    }
    Ok(session)
}

/// Deletes the keys of `plan` and runs it with one thread for each session.
///
/// # Errors
/// The first failure of a session.
pub fn record(plan: &Plan, sessions: Vec<Opener<'_>>) -> Result<Vec<Operation>, String> {
    let time = AtomicU64::new(0);
    let start = Barrier::new(sessions.len());
    std::thread::scope(|scope| {
        let threads: Vec<_> = sessions
            .into_iter()
            .enumerate()
            .map(|(client, opener)| {
                let (time, start) = (&time, &start);
                scope.spawn(move || {
                    let requests = requests(plan, client);
                    let session = open(plan, client, opener);
                    // Whoever has no session lets the others go on too.
                    start.wait();
                    drive(client, requests, &mut *session?, time)
                })
            })
            .collect();
        let mut history = Vec::new();
        for thread in threads {
            let part = thread.join().map_err(|_| "a client thread panicked".to_owned())?;
            history.extend(part?);
        }
        Ok(history)
    })
}

fn drive(
    client: usize,
    requests: Vec<Request>,
    session: &mut dyn Session,
    time: &AtomicU64,
) -> Result<Vec<Operation>, String> {
    let mut operations = Vec::new();
    for request in requests {
        let invoked = time.fetch_add(1, Ordering::SeqCst);
        let reply = ask(&request, session)?;
        let returned = time.fetch_add(1, Ordering::SeqCst);
        operations.push(Operation { client, invoked, returned, request, reply });
    }
    Ok(operations)
}

fn ask(request: &Request, session: &mut dyn Session) -> Result<Value, String> {
    let word = |word: &str| vec![word.as_bytes().to_vec()];
    let last = |replies: Vec<Value>| replies.into_iter().last().unwrap_or(Value::Null);
    match request {
        Request::One(op) => Ok(last(session.pipeline(&[op.words()])?)),
        Request::Block(ops) => {
            let mut commands = vec![word("MULTI")];
            commands.extend(ops.iter().map(Op::words));
            commands.push(word("EXEC"));
            Ok(last(session.pipeline(&commands)?))
        }
        Request::Script { ops, declared, salt } => {
            Ok(last(session.pipeline(&[script(ops, *declared, *salt)])?))
        }
        Request::CompareAndSet(key, value) => {
            let watch = vec![b"WATCH".to_vec(), key_name(*key)];
            let get = vec![b"GET".to_vec(), key_name(*key)];
            let seen = last(session.pipeline(&[watch, get])?);
            let set = vec![b"SET".to_vec(), key_name(*key), value.clone()];
            let exec = last(session.pipeline(&[word("MULTI"), set, word("EXEC")])?);
            Ok(Value::Array(vec![seen, exec]))
        }
    }
}

/// A script that executes the commands which it gets as arguments, each with its length before it.
fn script(ops: &[Op], declared: bool, salt: u64) -> Vec<Vec<u8>> {
    const TEXT: &str = "local replies, at = {}, 1 \
        while ARGV[at] do \
            local last = at + tonumber(ARGV[at]) \
            replies[#replies + 1] = redis.pcall(unpack(ARGV, at + 1, last)) \
            at = last + 1 \
        end \
        return replies";
    let mut keys: Vec<_> = ops.iter().flat_map(Op::keys).map(key_name).collect();
    keys.truncate(if declared { keys.len() } else { 0 });
    let count = keys.len().to_string().into_bytes();
    let mut words = vec![b"EVAL".to_vec(), format!("{TEXT} -- {salt}").into_bytes(), count];
    words.extend(keys);
    for op in ops {
        let command = op.words();
        words.push(command.len().to_string().into_bytes());
        words.extend(command);
    }
    words
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::checker::{Verdict, check};
    use crate::model::State;

    /// A store behind one lock. With `torn`, INCR reads and writes under two acquisitions.
    struct Locked {
        state: Arc<Mutex<State>>,
        torn: bool,
    }

    impl Session for Locked {
        fn pipeline(&mut self, commands: &[Vec<Vec<u8>>]) -> Result<Vec<Value>, String> {
            let mut replies = Vec::new();
            let mut queued = false;
            for command in commands {
                let name = command.get(1).map_or(&b""[..], |name| name);
                let number = name.rsplit(|&byte| byte == b':').next();
                let number = number.and_then(|digits| std::str::from_utf8(digits).ok());
                let key = number.and_then(|digits| digits.parse().ok()).unwrap_or_default();
                let value = command.get(2).cloned().unwrap_or_default();
                let op = match &command[0][..] {
                    b"SET" if queued => continue,
                    b"INCR" if self.torn => {
                        let old = Op::Get(key).apply(&mut self.state.lock().unwrap());
                        std::thread::sleep(std::time::Duration::from_micros(50));
                        let mut scratch = State::new();
                        if let Value::Bulk(old) = old {
                            scratch.insert(key, old);
                        }
                        replies.push(Op::Incr(key).apply(&mut scratch));
                        self.state.lock().unwrap().extend(scratch);
                        continue;
                    }
                    b"INCR" => Op::Incr(key),
                    b"GET" => Op::Get(key),
                    b"SET" => Op::Set(key, value),
                    b"SETNX" => Op::SetNx(key, value),
                    b"GETSET" => Op::GetSet(key, value),
                    b"APPEND" => Op::Append(key, value),
                    b"DEL" => Op::Del(key),
                    b"RPUSH" => Op::Push(value),
                    b"BLPOP" => Op::Pop,
                    b"MULTI" => {
                        queued = true;
                        continue;
                    }
                    // A compare-and-set that always fails is allowed.
                    b"EXEC" => {
                        replies.push(Value::NullArray);
                        continue;
                    }
                    _ => Op::Get(key),
                };
                replies.push(op.apply(&mut self.state.lock().unwrap()));
            }
            Ok(replies)
        }
    }

    fn verdict(seed: u64, torn: bool) -> Verdict {
        let plan =
            Plan { seed, clients: 4, requests: 100, keys: 2, transactions: false, scripts: false };
        let state = Arc::new(Mutex::new(State::new()));
        let session = || Locked { state: Arc::clone(&state), torn };
        let open = || Ok(Box::new(session()) as Box<dyn Session>);
        let sessions = (0..plan.clients).map(|_| Box::new(open) as Opener<'_>);
        let history = record(&plan, sessions.collect()).unwrap();
        check(&history, 1_000_000)
    }

    #[test]
    fn a_locked_store_is_linearizable() {
        for seed in 0..20 {
            assert_eq!(verdict(seed, false), Verdict::Linearizable, "seed {seed}");
        }
    }

    #[test]
    fn a_torn_increment_is_caught() {
        // Losing an update takes two clients in the same microseconds: several seeds are tried.
        let caught = (0..20).any(|seed| matches!(verdict(seed, true), Verdict::Violation { .. }));
        assert!(caught, "no seed of 0..20 showed the lost update");
    }
}
