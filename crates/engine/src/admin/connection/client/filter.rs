//! Which clients `CLIENT LIST` and `CLIENT KILL` are about: all conditions must hold.
//!
//! `TYPE`, `ID`, `USER`, `ADDR`, `LADDR`, `SKIPME` and `MAXAGE` are Redis's. The others, and their
//! opposites that begin with `NOT-`, are Valkey's.

use std::mem::discriminant;

use command::spec::Arg;
use command::{ArgReader, CommandError};
use stdx::num::parse_i64;

use super::list::ClientType;
use crate::clients::{ClientFlags, ClientHandle};
use crate::engine::Engine;

/// What a client is asked for.
#[derive(Debug)]
enum Condition<'a> {
    Ids(Vec<u64>),
    Type(ClientType),
    User(&'a [u8]),
    Address(&'a [u8]),
    LocalAddress(&'a [u8]),
    Ip(&'a [u8]),
    Name(&'a [u8]),
    LibName(&'a [u8]),
    LibVersion(&'a [u8]),
    /// Letters, all of which it has.
    Flags(&'a [u8]),
    Capabilities(&'a [u8]),
    Db(usize),
    /// Seconds that it is old at least.
    Age(u64),
    /// Seconds since its last command at least.
    Idle(u64),
}

/// The conditions of one command.
#[derive(Debug, Default)]
pub(super) struct Filter<'a> {
    /// Each with whether it has to hold, or not to hold.
    conditions: Vec<(bool, Condition<'a>)>,
    /// Whether the client that asks is left out, if it said so.
    pub(super) skip_me: Option<bool>,
}

/// The command that a filter is for: one error differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    List,
    Kill,
}

const TYPES: &[Arg] = &[
    Arg::word("normal", "NORMAL"),
    Arg::word("master", "MASTER").since("3.2.0"),
    Arg::word("slave", "SLAVE"),
    Arg::word("replica", "REPLICA").since("5.0.0"),
    Arg::word("pubsub", "PUBSUB"),
];

/// The filters of `CLIENT LIST`, which has those that it began with in other versions.
pub(super) const LIST_FILTERS: &[Arg] = {
    const LISTED: [Arg; FILTERS.len()] = {
        let mut filters = *FILTERS.first_chunk().expect("these are all of them");
        filters[0] = filters[0].since("6.2.0");
        filters[1] = filters[1].since("5.0.0");
        filters
    };
    &LISTED
};

/// The filters, for the documentation of both commands.
pub(super) const FILTERS: &[Arg] = &[
    Arg::integer("client-id").token("ID").optional().multiple().since("2.8.12"),
    Arg::one_of("client-type", TYPES).token("TYPE").optional().since("2.8.12"),
    Arg::string("username").token("USER").optional(),
    Arg::string("addr").display("ip:port").token("ADDR").optional(),
    Arg::string("laddr").display("ip:port").token("LADDR").optional().since("6.2.0"),
    Arg::one_of("skipme", &[Arg::word("yes", "YES"), Arg::word("no", "NO")])
        .token("SKIPME")
        .optional(),
    Arg::integer("maxage").token("MAXAGE").optional().since("7.4.0"),
    Arg::integer("idle").token("IDLE").optional(),
    Arg::string("name").token("NAME").optional(),
    Arg::string("flags").token("FLAGS").optional(),
    Arg::string("lib-name").token("LIB-NAME").optional(),
    Arg::string("lib-ver").token("LIB-VER").optional(),
    Arg::integer("db").token("DB").optional(),
    Arg::string("capa").token("CAPA").optional(),
    Arg::string("ip").token("IP").optional(),
    Arg::integer("not-client-id").token("NOT-ID").optional().multiple(),
    Arg::one_of("not-client-type", TYPES).token("NOT-TYPE").optional(),
    Arg::string("not-username").token("NOT-USER").optional(),
    Arg::string("not-addr").display("ip:port").token("NOT-ADDR").optional(),
    Arg::string("not-laddr").display("ip:port").token("NOT-LADDR").optional(),
    Arg::string("not-name").token("NOT-NAME").optional(),
    Arg::string("not-flags").token("NOT-FLAGS").optional(),
    Arg::string("not-lib-name").token("NOT-LIB-NAME").optional(),
    Arg::string("not-lib-ver").token("NOT-LIB-VER").optional(),
    Arg::integer("not-db").token("NOT-DB").optional(),
    Arg::string("not-capa").token("NOT-CAPA").optional(),
    Arg::string("not-ip").token("NOT-IP").optional(),
];

/// Words of filters that take any text, each with what it asks for.
type Named = (&'static [u8], for<'a> fn(&'a [u8]) -> Condition<'a>);

const TEXTS: &[Named] = &[
    (b"addr", |text| Condition::Address(text)),
    (b"laddr", |text| Condition::LocalAddress(text)),
    (b"ip", |text| Condition::Ip(text)),
    (b"name", |text| Condition::Name(text)),
    (b"lib-name", |text| Condition::LibName(text)),
    (b"lib-ver", |text| Condition::LibVersion(text)),
];

/// Letters of capabilities.
const CAPABILITIES: &[u8] = b"r";

impl<'a> Filter<'a> {
    /// The filter that the old form of `CLIENT KILL` means.
    pub(super) fn of_address(address: &'a [u8]) -> Self {
        Self { conditions: vec![(true, Condition::Address(address))], skip_me: Some(false) }
    }

    /// Reads all arguments that are left.
    pub(super) fn parse(
        mut args: ArgReader<'a>,
        purpose: Purpose,
        engine: &Engine,
    ) -> Result<Self, CommandError> {
        let mut filter = Self::default();
        while args.more() {
            if args.remaining() < 2 {
                return Err(CommandError::SYNTAX);
            }
            let word = args.bytes().to_ascii_lowercase();
            match word.as_slice() {
                b"skipme" => {
                    filter.skip_me = Some(args.either("YES", "NO"));
                    args.check()?;
                }
                b"maxage" => filter.require(true, Condition::Age(seconds(args.bytes(), "maxage")?)),
                b"idle" => filter.require(true, Condition::Idle(seconds(args.bytes(), "idle")?)),
                word => {
                    let (wanted, word) =
                        word.strip_prefix(b"not-").map_or((true, word), |rest| (false, rest));
                    let condition = condition(word, wanted, &mut args, purpose, engine)?;
                    filter.require(wanted, condition);
                }
            }
        }
        Ok(filter)
    }

    /// Adds a condition; one of its kind that was named before is forgotten.
    fn require(&mut self, wanted: bool, condition: Condition<'a>) {
        let same = |(is, known): &(bool, Condition<'_>)| {
            *is == wanted && discriminant(known) == discriminant(&condition)
        };
        self.conditions.retain(|known| !same(known));
        self.conditions.push((wanted, condition));
    }

    /// The ids that it names, if it does.
    pub(super) fn ids(&self) -> Option<&[u64]> {
        self.conditions.iter().find_map(|condition| match condition {
            (true, Condition::Ids(ids)) => Some(ids.as_slice()),
            _ => None,
        })
    }

    /// Whether a client meets all conditions, but for the one about who asks.
    pub(super) fn matches(&self, client: &ClientHandle, now_ms: u64) -> bool {
        self.conditions.iter().all(|(wanted, condition)| condition.holds(client, now_ms) == *wanted)
    }
}

/// The condition that `word` names, without `not-`, with its argument.
fn condition<'a>(
    word: &[u8],
    wanted: bool,
    args: &mut ArgReader<'a>,
    purpose: Purpose,
    engine: &Engine,
) -> Result<Condition<'a>, CommandError> {
    if let Some((_, make)) = TEXTS.iter().find(|(name, _)| *name == word) {
        return Ok(make(args.bytes()));
    }
    match word {
        b"id" => ids(args, purpose).map(Condition::Ids),
        b"type" => ClientType::parse(args.bytes()).map(Condition::Type),
        b"user" => {
            let user = args.bytes();
            if user != b"default" {
                return Err(CommandError::quoting("ERR No such user '", user, "'"));
            }
            Ok(Condition::User(user))
        }
        b"flags" => {
            let known = |letter: u8| ClientFlags::is_letter(letter);
            letters(args.bytes(), known, "flags", wanted).map(Condition::Flags)
        }
        b"capa" => {
            let known = |letter: u8| CAPABILITIES.contains(&letter);
            letters(args.bytes(), known, "capa", wanted).map(Condition::Capabilities)
        }
        b"db" => database(args.bytes(), wanted, engine).map(Condition::Db),
        _ => Err(CommandError::SYNTAX),
    }
}

/// One id, and as many more as follow.
fn ids(args: &mut ArgReader<'_>, purpose: Purpose) -> Result<Vec<u64>, CommandError> {
    let error = || match purpose {
        Purpose::List => CommandError::request("ERR Invalid client ID"),
        Purpose::Kill => CommandError::request("ERR client-id should be greater than 0"),
    };
    let mut ids = Vec::new();
    while let Some(word) = args.peek() {
        match parse_i64(word) {
            // Nobody has such an id, which only `CLIENT KILL` minds.
            Some(id) if id < 1 && purpose == Purpose::Kill => return Err(error()),
            Some(id) => ids.push(u64::try_from(id).unwrap_or(0)),
            None if ids.is_empty() => return Err(error()),
            None if purpose == Purpose::List && !is_filter(word) => return Err(error()),
            None => break,
        }
        args.bytes();
    }
    Ok(ids)
}

fn is_filter(word: &[u8]) -> bool {
    FILTERS
        .iter()
        .any(|filter| filter.token.is_some_and(|t| word.eq_ignore_ascii_case(t.as_bytes())))
}

/// A number of seconds above zero.
fn seconds(word: &[u8], name: &str) -> Result<u64, CommandError> {
    let Some(number) = parse_i64(word) else {
        let text = format!("ERR {name} is not an integer or out of range");
        return Err(CommandError::request(text));
    };
    match u64::try_from(number) {
        Ok(seconds @ 1..) => Ok(seconds),
        _ => Err(CommandError::request(format!("ERR {name} should be greater than 0"))),
    }
}

/// Letters that are all known.
fn letters<'a>(
    word: &'a [u8],
    known: impl Fn(u8) -> bool,
    what: &str,
    wanted: bool,
) -> Result<&'a [u8], CommandError> {
    if word.iter().all(|&letter| known(letter)) {
        return Ok(word);
    }
    let which = if wanted { "provided".into() } else { format!("NOT-{}", what.to_uppercase()) };
    let before = format!("ERR Unknown {what} found in the {which} filter: ");
    Err(CommandError::quoting(&before, word, ""))
}

fn database(word: &[u8], wanted: bool, engine: &Engine) -> Result<usize, CommandError> {
    let name = if wanted { "DB" } else { "NOT-DB" };
    let Some(number) = parse_i64(word) else {
        let text = format!("ERR {name} is not an integer or out of range");
        return Err(CommandError::request(text));
    };
    let count = engine.store.databases();
    usize::try_from(number).ok().filter(|&db| db < count).ok_or_else(|| {
        let text = format!("ERR {name} number should be between 0 and {}", count - 1);
        CommandError::request(text)
    })
}

impl Condition<'_> {
    fn holds(&self, client: &ClientHandle, now_ms: u64) -> bool {
        let names = || client.names();
        let has_all = |of: &str, letters: &[u8]| letters.iter().all(|l| of.as_bytes().contains(l));
        match self {
            Self::Ids(ids) => ids.contains(&client.id),
            Self::Type(kind) => ClientType::of(client) == *kind,
            Self::User(user) => names().user.as_bytes() == *user,
            Self::Address(address) => client.endpoint.address.as_bytes() == *address,
            Self::LocalAddress(address) => client.endpoint.local_address.as_bytes() == *address,
            Self::Ip(ip) => client.endpoint.ip().as_bytes() == *ip,
            Self::Name(name) => *names().name == **name,
            Self::LibName(name) => *names().lib_name == **name,
            Self::LibVersion(version) => *names().lib_version == **version,
            Self::Flags(letters) => has_all(&client.flags().letters(), letters),
            Self::Capabilities(letters) => has_all(client.capabilities(), letters),
            Self::Db(db) => client.db() == *db,
            Self::Age(seconds) => client.age_s(now_ms) >= *seconds,
            Self::Idle(seconds) => client.idle_s(now_ms) >= *seconds,
        }
    }
}
