//! The stream of commands: rows drawn by weight, arguments drawn by shape, now and then spoiled,
//! spread over two connections in bursts so that they can be pipelined.

use conformance::Version;

use crate::compare::Compare;
use crate::rng::Rng;
use crate::shape::{self, Command};
use crate::table::{Row, TIMEOUTS, rows};

/// Number of connections a stream uses that are always answered at once.
pub const CONNECTIONS: usize = 2;

/// The connection behind them whose commands may wait until one of the others serves them.
pub const WAITING: usize = CONNECTIONS;

/// One command of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The connection that sends it, at most [`WAITING`].
    pub connection: usize,
    /// Its words.
    pub command: Command,
    /// How its replies are compared.
    pub compare: Compare,
}

/// What both servers of a run can do.
#[derive(Clone, Debug)]
pub struct Abilities {
    /// The version of the reference.
    pub version: Version,
    /// Names of commands and subcommands (`client|list`) that both have, in lower case.
    pub commands: Vec<String>,
}

impl Abilities {
    fn has(&self, row: &Row) -> bool {
        let name = row.words.join("|").to_ascii_lowercase();
        // The name that no server has is there to be refused by both.
        let known = name.starts_with("nosuch") || self.commands.contains(&name);
        known && self.version >= row.since
    }
}

/// An endless stream of commands.
#[derive(Debug)]
pub struct Generator {
    rng: Rng,
    /// Each usable row as often as its weight says.
    rows: Vec<&'static Row>,
    connection: usize,
    /// Whether each connection is between MULTI and EXEC.
    queueing: [bool; CONNECTIONS],
    /// How many commands a connection sends in a row, on average.
    stretch: usize,
}

/// Averages of [`Generator::stretch`]: connections that alternate find out about WATCH, long rows
/// about pipelines.
const STRETCHES: [usize; 5] = [1, 3, 10, 100, 300];

impl Generator {
    /// The stream of `seed` over the rows that both servers have.
    pub fn new(seed: u64, abilities: &Abilities) -> Self {
        let usable = rows().filter(|row| abilities.has(row));
        let rows = usable.flat_map(|row| std::iter::repeat_n(row, row.weight)).collect();
        Generator {
            rng: Rng::new(seed),
            rows,
            connection: 0,
            queueing: [false; CONNECTIONS],
            stretch: STRETCHES[0],
        }
    }

    /// The next `count` commands.
    pub fn take(&mut self, count: usize) -> Vec<Sent> {
        (0..count).map(|_| self.one()).collect()
    }

    fn one(&mut self) -> Sent {
        let sent = self.draw();
        if sent.connection == WAITING {
            return sent;
        }
        if self.parts_the_states(&sent) || stalls(&sent.command) {
            return self.one();
        }
        let name = sent.command[0].to_ascii_uppercase();
        let queueing = &mut self.queueing[sent.connection];
        match &name[..] {
            b"MULTI" => *queueing |= sent.command.len() == 1,
            b"EXEC" => *queueing = false,
            b"DISCARD" | b"RESET" => *queueing &= sent.command.len() > 1,
            _ => {}
        }
        sent
    }

    /// Whether an explained difference would make the two servers go different ways: one of them
    /// refuses a transaction for such a command and the other does not, or takes a name or a
    /// parameter for valid that has forbidden bytes behind a NUL. Nor may chance
    /// decide which member goes.
    fn parts_the_states(&self, sent: &Sent) -> bool {
        let is = |word: &str| sent.command[0].eq_ignore_ascii_case(word.as_bytes());
        let needless = is("MULTI") || is("WATCH");
        let short = is("COMMAND") && sent.command.len() < 4;
        // Redis 7.2 and later have no reply for it within those of EXEC.
        let unanswered = is("AUTH") && sent.command.len() == 3;
        let with_score = (is("ZRANK") || is("ZREVRANK")) && sent.command.len() == 4;
        // Ranges by member are defined only where all scores are the same: see the key's rows.
        let scores = sent.command.iter().skip(2).step_by(2);
        let mixed = is("ZADD")
            && sent.command.get(1).is_some_and(|key| key == b"77")
            && scores.into_iter().any(|score| score != b"0");
        // Redis wraps this time: 7.0 removes the key, 8 keeps it and forgets the deadline.
        let wraps = is("RESTORE")
            && sent.command.get(2).is_some_and(|time| time == b"9223372036854775807")
            && !sent.command.iter().any(|word| word.eq_ignore_ascii_case(b"ABSTTL"));
        // Redis cuts the errors and statuses that a script makes where they have a NUL.
        let makes_line = |script: &Vec<u8>| {
            let script = String::from_utf8_lossy(script);
            ["error", "status"].iter().any(|word| script.contains(word))
        };
        let cut = is("EVAL") || is("EVAL_RO");
        let cut = cut && sent.command.get(1).is_some_and(makes_line);
        let text = is("CLIENT") || is("HELLO") || is("CONFIG") || cut;
        let has_nul = sent.command.iter().any(|word| word.contains(&0));
        // All or nothing is no matter of chance.
        let certain = |count: &Vec<u8>| count == b"0" || count == b"9223372036854775807";
        let chance = is("SPOP") && !sent.command.get(2).is_some_and(certain);
        chance
            || mixed
            || wraps
            || (self.queueing[sent.connection] && (needless || short || with_score || unanswered))
            || (text && has_nul)
    }

    fn draw(&mut self) -> Sent {
        let rng = &mut self.rng;
        if rng.one_in(self.stretch) {
            self.connection = rng.below(CONNECTIONS);
        }
        if rng.one_in(200) {
            self.stretch = rng.pick(&STRETCHES);
        }
        let row = rng.pick(&self.rows);
        let mut command: Command = row.words.iter().map(|word| word.as_bytes().to_vec()).collect();
        shape::all(row.args, rng, &mut command);
        let mut compare = row.compare;
        if row.waits {
            return Sent { connection: WAITING, command, compare };
        }
        if rng.one_in(20) {
            shape::spoil(rng, &mut command);
            // Spoiled, it may have become a form whose reply is up to chance.
            let by_chance = ["HRANDFIELD", "SRANDMEMBER", "ZRANDMEMBER"];
            if by_chance.iter().any(|name| command[0].eq_ignore_ascii_case(name.as_bytes())) {
                compare = Compare::Presence;
            }
        }
        Sent { connection: self.connection, command, compare }
    }
}

/// Whether a command would wait longer than a stream has time: spoiled, it may have lost its
/// timeout and taken a key for it.
fn stalls(command: &Command) -> bool {
    let timeout = match &command[0].to_ascii_uppercase()[..] {
        b"BLPOP" | b"BRPOP" | b"BZPOPMAX" | b"BZPOPMIN" => command.last(),
        b"BLMPOP" | b"BZMPOP" => command.get(1),
        b"BLMOVE" => command.get(5),
        b"BRPOPLPUSH" => command.get(3),
        _ => None,
    };
    timeout.is_some_and(|word| TIMEOUTS.iter().all(|known| known.as_bytes() != word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn abilities(version: Version) -> Abilities {
        let commands = rows().map(|row| row.words.join("|").to_ascii_lowercase()).collect();
        Abilities { version, commands }
    }

    #[test]
    fn a_seed_replays_its_stream() {
        let abilities = abilities(Version(8, 8, 0));
        let stream = |seed| Generator::new(seed, &abilities).take(500);
        assert_eq!(stream(7), stream(7));
        assert_ne!(stream(7), stream(8));
    }

    #[test]
    fn every_row_is_drawn_and_rows_of_the_future_are_not() {
        let drawn = |version| -> BTreeSet<Vec<u8>> {
            let stream = Generator::new(1, &abilities(version)).take(20_000);
            stream.into_iter().map(|sent| sent.command[0].clone()).collect()
        };
        let names: BTreeSet<Vec<u8>> = rows().map(|row| row.words[0].as_bytes().to_vec()).collect();
        assert_eq!(drawn(Version(8, 8, 0)), names);
        let mut old = Generator::new(1, &abilities(Version(7, 0, 0)));
        let newer = [&b"IFEQ"[..], b"DIFF1"];
        let is_newer = |word: &Vec<u8>| newer.contains(&word.to_ascii_uppercase().as_slice());
        let stream = old.take(20_000);
        let sets = stream.iter().filter(|sent| matches!(&sent.command[0][..], b"SET" | b"BITOP"));
        assert!(!sets.flat_map(|sent| &sent.command).any(is_newer));
    }

    #[test]
    fn commands_one_server_lacks_are_left_out() {
        let abilities = Abilities { version: Version(8, 8, 0), commands: vec!["get".into()] };
        let stream = Generator::new(1, &abilities).take(200);
        assert!(stream.iter().all(|s| matches!(&s.command[0][..], b"GET" | b"NOSUCHCOMMAND")));
    }
}
