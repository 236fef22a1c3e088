//! Two servers driven in lockstep: the same bursts go to both, the replies are compared one by one,
//! and at the end of a stream the whole state is.

use std::time::{Duration, Instant};

use client::{Address, Client, Error, Options, Value};
use conformance::render::render;
use conformance::words;

use crate::explained::{Explained, explanation};
use crate::generate::{CONNECTIONS, Sent, WAITING};
use crate::scripts::LIBRARY_NAMES;
use crate::state;
use crate::table::PARAMETERS;

/// Most commands in flight on a connection.
const BURST_MAX: usize = 256;

/// Patience with a server that does not answer.
const READ_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a server may take to have a command wait or to answer it, and how often to look.
const SETTLING: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(1);

/// Which protocols the connections speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocols {
    /// All RESP2.
    Resp2,
    /// All RESP3.
    Resp3,
    /// The first RESP2, the second RESP3.
    Mixed,
}

impl Protocols {
    fn is_resp3(self, connection: usize) -> bool {
        match self {
            Protocols::Resp2 => false,
            Protocols::Resp3 => true,
            Protocols::Mixed => connection % 2 == 1,
        }
    }
}

/// The two servers.
#[derive(Clone, Debug)]
pub struct Servers {
    /// The one under test.
    pub subject: Address,
    /// The one that is right.
    pub reference: Address,
    /// What the connections speak.
    pub protocols: Protocols,
}

/// A difference between the servers.
#[derive(Clone, Debug, PartialEq)]
pub struct Mismatch {
    /// The index of the command in the stream; its length for a difference of state.
    pub at: usize,
    /// What was compared: the command or the part of the state.
    pub what: String,
    /// What the subject said, in the conformance notation.
    pub subject: String,
    /// What the reference said.
    pub reference: String,
}

/// What a stream showed.
#[derive(Debug, Default)]
pub struct Verdict {
    /// The first unexplained difference.
    pub mismatch: Option<Mismatch>,
    /// Each explained difference that was met.
    pub explained: Vec<&'static Explained>,
}

impl Verdict {
    /// Notes how the answers to a command compare, the explained differences or `None` if they
    /// differ; whether the stream goes on.
    fn note(
        &mut self,
        known: Option<Vec<&'static Explained>>,
        at: usize,
        sent: &Sent,
        said: &Value,
        right: &Value,
    ) -> bool {
        let Some(known) = known else {
            let what = line(&sent.command);
            let (subject, reference) = (render(said), render(right));
            self.mismatch = Some(Mismatch { at, what, subject, reference });
            return false;
        };
        let is_over = known.iter().any(|known| known.parts_the_states());
        self.explained.extend(known);
        !is_over
    }
}

/// One server's side: a connection for each of the stream's.
struct Side {
    clients: Vec<Client>,
    /// Looks after the connection that waits.
    control: Client,
    /// The id of that connection.
    waiting: String,
    /// What it was answered already.
    answer: Option<Value>,
}

impl Side {
    fn open(address: &Address, protocols: Protocols) -> Result<Self, Error> {
        let mut clients = Vec::new();
        for connection in 0..=WAITING {
            let resp3 = protocols.is_resp3(connection);
            let read_timeout = Some(READ_TIMEOUT);
            let options = Options { read_timeout, resp3, ..Options::default() };
            clients.push(Client::connect(address, &options)?);
        }
        let waiting = match clients[WAITING].command(&["CLIENT", "ID"])? {
            Value::Integer(id) => id.to_string(),
            other => return Err(Error::Refused(render(&other))),
        };
        let mut control = Client::connect(address, &Options::default())?;
        control.command(&["FLUSHALL"])?;
        control.command(&["SCRIPT", "FLUSH"])?;
        for name in LIBRARY_NAMES {
            control.command(&["FUNCTION", "DELETE", name])?;
        }
        for (name, default) in PARAMETERS {
            control.command(&["CONFIG", "SET", name, default])?;
        }
        Ok(Side { clients, control, waiting, answer: None })
    }

    /// Sends a command that may wait, and returns once it waits or was answered.
    fn begin_to_wait(&mut self, sent: &Sent) -> Result<(), Error> {
        self.answer = None;
        let client = &mut self.clients[WAITING];
        client.queue(&sent.command);
        client.flush()?;
        let begun = Instant::now();
        while begun.elapsed() < SETTLING {
            self.clients[WAITING].set_read_timeout(Some(LOOK))?;
            let received = self.clients[WAITING].receive();
            self.clients[WAITING].set_read_timeout(Some(READ_TIMEOUT))?;
            match received {
                Ok(answer) => {
                    self.answer = Some(answer);
                    return Ok(());
                }
                Err(Error::TimedOut) => {}
                Err(error) => return Err(error),
            }
            let list = self.control.command(&["CLIENT", "LIST", "ID", &self.waiting])?;
            let list = list.as_bytes().unwrap_or_default();
            let text = String::from_utf8_lossy(list);
            if text.split(' ').any(|field| field.starts_with("flags=") && field.contains('b')) {
                return Ok(());
            }
        }
        Err(Error::TimedOut)
    }

    /// Ends the wait if nobody has, and returns the answer.
    fn end_wait(&mut self) -> Result<Value, Error> {
        if let Some(answer) = self.answer.take() {
            return Ok(answer);
        }
        self.control.command(&["CLIENT", "UNBLOCK", &self.waiting])?;
        self.clients[WAITING].receive()
    }

    fn send(&mut self, burst: &[Sent]) -> Result<(), Error> {
        let client = &mut self.clients[burst[0].connection];
        for sent in burst {
            client.queue(&sent.command);
        }
        client.flush()
    }

    /// The replies to a burst, or what it was that was not answered.
    fn receive(&mut self, burst: &[Sent]) -> Result<Vec<Value>, String> {
        let client = &mut self.clients[burst[0].connection];
        let unanswered = |sent: &Sent, error| format!("{error}, to {}", line(&sent.command));
        burst.iter().map(|sent| client.receive().map_err(|e| unanswered(sent, e))).collect()
    }
}

/// Sends `stream` to both servers from an empty state and compares everything.
///
/// # Errors
/// Which server failed to answer, and how.
pub fn play(servers: &Servers, stream: &[Sent]) -> Result<Verdict, String> {
    let of_subject = |error: Error| format!("the subject: {error}");
    let of_reference = |error: Error| format!("the reference: {error}");
    let mut subject = Side::open(&servers.subject, servers.protocols).map_err(of_subject)?;
    let mut reference = Side::open(&servers.reference, servers.protocols).map_err(of_reference)?;
    let mut verdict = Verdict::default();
    let mut queues: [Vec<Sent>; CONNECTIONS] = Default::default();
    let mut waiting = None;
    let mut at = 0;
    while at < stream.len() {
        let connection = stream[at].connection;
        if connection == WAITING {
            let ended = waiting.replace(&stream[at]).map(|sent| (at - 1, sent));
            if !end_wait(ended, &mut subject, &mut reference, &mut verdict)? {
                return Ok(verdict);
            }
            subject.begin_to_wait(&stream[at]).map_err(of_subject)?;
            reference.begin_to_wait(&stream[at]).map_err(of_reference)?;
            at += 1;
            continue;
        }
        let burst = burst(&stream[at..]);
        subject.send(burst).map_err(of_subject)?;
        reference.send(burst).map_err(of_reference)?;
        let said = subject.receive(burst).map_err(|error| format!("the subject: {error}"))?;
        let right = reference.receive(burst).map_err(|error| format!("the reference: {error}"))?;
        for (offset, sent) in burst.iter().enumerate() {
            let (said, right) = (&said[offset], &right[offset]);
            let known = judge(sent, said, right, &mut queues[connection]);
            if !verdict.note(known, at + offset, sent, said, right) {
                return Ok(verdict);
            }
        }
        at += burst.len();
    }
    let ended = waiting.map(|sent| (at - 1, sent));
    if !end_wait(ended, &mut subject, &mut reference, &mut verdict)? {
        return Ok(verdict);
    }
    let said = state::read(&servers.subject).map_err(of_subject)?;
    let right = state::read(&servers.reference).map_err(of_reference)?;
    verdict.mismatch = state::difference(&said, &right).map(|mut mismatch| {
        mismatch.at = stream.len();
        mismatch
    });
    Ok(verdict)
}

/// The commands at the beginning of a stream that are sent at once, without waiting for replies.
fn burst(stream: &[Sent]) -> &[Sent] {
    let connection = stream[0].connection;
    let joins = |sent: &&Sent| {
        // Redis 7.2 and later say nothing to a wrong user while other replies wait to be sent.
        sent.connection == connection && !sent.command[0].eq_ignore_ascii_case(b"AUTH")
    };
    let count = 1 + stream[1..].iter().take_while(joins).count();
    &stream[..count.min(BURST_MAX)]
}

/// Ends what waits on both servers, if anything does, and compares the answers; whether the stream
/// goes on. Each comes with the index of the last command that may have served it.
fn end_wait(
    ended: Option<(usize, &Sent)>,
    subject: &mut Side,
    reference: &mut Side,
    verdict: &mut Verdict,
) -> Result<bool, String> {
    let Some((at, sent)) = ended else { return Ok(true) };
    let unanswered = |whose: &str, error| format!("{whose}: {error}, to {}", line(&sent.command));
    let said = subject.end_wait().map_err(|error| unanswered("the subject", error))?;
    let right = reference.end_wait().map_err(|error| unanswered("the reference", error))?;
    let known = judge_one(sent, &said, &right).map(|known| known.into_iter().collect());
    Ok(verdict.note(known, at, sent, &said, &right))
}

/// Compares two replies: the explained differences between them, or `None` if there is one that
/// nothing explains. `queue` holds the commands that MULTI queued on this connection, whose replies
/// are the elements of what EXEC answers with.
fn judge(
    sent: &Sent,
    subject: &Value,
    reference: &Value,
    queue: &mut Vec<Sent>,
) -> Option<Vec<&'static Explained>> {
    if matches!(reference, Value::Simple(text) if text == b"QUEUED") {
        queue.push(sent.clone());
        return (subject == reference).then(Vec::new);
    }
    let name = sent.command[0].to_ascii_uppercase();
    let queued = match &name[..] {
        // EXEC ends a transaction even when it is refused for its arguments; the others do not
        // then.
        b"EXEC" => std::mem::take(queue),
        b"DISCARD" | b"RESET" if sent.command.len() == 1 => std::mem::take(queue),
        _ => Vec::new(),
    };
    match (subject, reference) {
        (Value::Array(said), Value::Array(right)) if name == b"EXEC" => {
            if said.len() != right.len() || right.len() != queued.len() {
                return None;
            }
            let each = queued.iter().zip(said.iter().zip(right));
            let known: Option<Vec<_>> = each.map(|(sent, (a, b))| judge_one(sent, a, b)).collect();
            known.map(|known| known.into_iter().flatten().collect())
        }
        _ => judge_one(sent, subject, reference).map(|known| known.into_iter().collect()),
    }
}

/// Compares the two replies of one command: `None` if they differ and nothing explains it, else
/// the explanation if one was needed.
fn judge_one(
    sent: &Sent,
    subject: &Value,
    reference: &Value,
) -> Option<Option<&'static Explained>> {
    if sent.compare.agrees(subject, reference) {
        return Some(None);
    }
    explanation(&sent.command, subject, reference).map(Some)
}

/// A command as a line of a conformance script.
pub fn line(command: &[Vec<u8>]) -> String {
    command.iter().map(|word| words::word(word)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::Compare;

    fn sent(name: &str, compare: Compare) -> Sent {
        Sent { connection: 0, command: vec![name.into()], compare }
    }

    fn agrees(sent: &Sent, subject: &Value, reference: &Value, queue: &mut Vec<Sent>) -> bool {
        judge(sent, subject, reference, queue).is_some_and(|known| known.is_empty())
    }

    #[test]
    fn exec_explains_each_reply_by_its_command() {
        let queued = Value::Simple("QUEUED".into());
        let mut queue = Vec::new();
        let command = ["SCAN", "x"].map(|word| word.as_bytes().to_vec()).to_vec();
        let scan = Sent { connection: 0, command, compare: Compare::Scan };
        assert!(agrees(&scan, &queued, &queued, &mut queue));
        let said = Value::Array(vec![Value::Error("ERR invalid cursor".into())]);
        let right = Value::Array(vec![Value::Array(Vec::new())]);
        let known = judge(&sent("EXEC", Compare::Exact), &said, &right, &mut queue).unwrap();
        assert_eq!(known.iter().map(|known| known.name).collect::<Vec<_>>(), ["scan-cursor"]);
    }

    #[test]
    fn exec_compares_each_reply_by_its_command() {
        let queued = Value::Simple("QUEUED".into());
        let mut queue = Vec::new();
        assert!(agrees(&sent("PTTL", Compare::Millis), &queued, &queued, &mut queue));
        assert!(agrees(&sent("GET", Compare::Exact), &queued, &queued, &mut queue));
        let reply = |pttl, get| Value::Array(vec![Value::Integer(pttl), Value::Integer(get)]);
        let exec = sent("exec", Compare::Exact);
        assert!(agrees(&exec, &reply(1000, 1), &reply(1001, 1), &mut queue.clone()));
        assert!(!agrees(&exec, &reply(1000, 1), &reply(1000, 2), &mut queue));
        assert!(queue.is_empty(), "EXEC forgets the queue");
    }

    #[test]
    fn a_reply_in_place_of_queued_is_a_difference() {
        let queued = Value::Simple("QUEUED".into());
        let mut queue = Vec::new();
        assert!(!agrees(&sent("GET", Compare::Type), &Value::Integer(1), &queued, &mut queue));
    }
}
