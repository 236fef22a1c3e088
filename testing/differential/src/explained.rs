//! Differences that are known and meant: each is a predicate with the sentence that
//! `docs/compatibility.md` prints. A difference that no predicate explains is a failure.

use client::Value;

use crate::shape::Command;

/// A known difference between the subject and the reference.
#[derive(Clone, Copy)]
pub struct Explained {
    /// A short name for counts.
    pub name: &'static str,
    /// What differs and why, for users.
    pub sentence: &'static str,
    /// Whether it explains these replies (subject first) to this command.
    pub explains: fn(&Command, &Value, &Value) -> bool,
}

impl std::fmt::Debug for Explained {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// Every known difference.
pub const EXPLAINED: &[Explained] = &[
    Explained {
        name: "newer-option",
        sentence: "Options that came after Redis 7.0 are accepted where Redis 7.0 answers with a \
                   syntax error.",
        explains: |command, subject, reference| {
            is_error(reference, "ERR syntax error")
                && !matches!(subject, Value::Error(text) if text.starts_with(b"ERR syntax"))
                && command.iter().any(|word| {
                    let newer =
                        [&b"IFEQ"[..], b"IFNE", b"IFDEQ", b"IFDNE", b"DIFF", b"DIFF1", b"ANDOR"];
                    newer.contains(&word.to_ascii_uppercase().as_slice())
                })
        },
    },
    Explained {
        name: "getkeys-short-command",
        sentence: "COMMAND GETKEYS and GETKEYSANDFLAGS take a command without arguments, as Redis \
                   7.2 does; Redis 7.0 finds arguments missing.",
        explains: |command, _, reference| {
            is(command, "COMMAND")
                && is_error(reference, "ERR wrong number of arguments for 'command|getkeys")
        },
    },
    Explained {
        name: "newer-choices",
        sentence: "CONFIG SET lists the choices of Redis 8 when it refuses a value.",
        explains: |command, subject, reference| {
            is(command, "CONFIG")
                && ["must be one of the following: ", "Invalid event class character. Use "]
                    .iter()
                    .any(|words| same_until(subject, reference, words))
        },
    },
    Explained {
        name: "client-filters",
        sentence: "CLIENT LIST and CLIENT KILL take several filters, and newer ones.",
        explains: |command, subject, reference| {
            let named = |word: &str| {
                command.get(1).is_some_and(|name| name.eq_ignore_ascii_case(word.as_bytes()))
            };
            let filters = named("LIST") || named("KILL");
            is(command, "CLIENT")
                && filters
                && matches!(reference, Value::Error(_))
                && (command.len() > 4 || is_error(reference, "ERR syntax error"))
                && subject != reference
        },
    },
    Explained {
        name: "command-table",
        sentence: "COMMAND and COMMAND INFO without names list the commands that there are.",
        explains: |command, subject, reference| {
            let both = matches!((subject, reference), (Value::Array(_), Value::Array(_)));
            is(command, "COMMAND") && command.len() <= 2 && both
        },
    },
    Explained {
        name: "scan-cursor",
        sentence: "SCAN, SSCAN, HSCAN and ZSCAN refuse a cursor that is no unsigned number, as \
                   Redis 8 does.",
        explains: |command, subject, _| {
            scan_cursor(command).is_some() && is_error(subject, "ERR invalid cursor")
        },
    },
    Explained {
        name: "scan-unknown-type",
        sentence: "SCAN finds no key of a type that does not exist, as in Redis 8; Valkey refuses \
                   the name.",
        explains: |command, _, reference| {
            is(command, "SCAN") && is_error(reference, "ERR unknown type name")
        },
    },
    Explained {
        name: "scan-made-up-cursor",
        sentence: "A cursor that SCAN, SSCAN or HSCAN never returned visits an unspecified part of \
                   the keys or elements.",
        explains: |command, subject, reference| {
            let made_up = scan_cursor(command).is_some_and(|cursor| cursor != b"0");
            let both = matches!((subject, reference), (Value::Array(_), Value::Array(_)));
            made_up && both
        },
    },
    Explained {
        name: "decimal-numbers",
        sentence: "Bounds of scores and what SORT compares are decimal numbers, as in Redis 8 and \
                   Valkey 9: Redis 7.0 takes hexadecimal ones and white space before them, and \
                   SORT no number that is too large for a double.",
        explains: |command, subject, reference| {
            let is_sort = is(command, "SORT") || is(command, "SORT_RO");
            let refuses = |reply| {
                is_error(reply, "ERR min or max is not a float")
                    || is_error(reply, "ERR One or more scores can't be converted")
            };
            let refused = refuses(subject) && !refuses(reference);
            // What is stored parts the states: see below.
            let stores = command.iter().any(|word| word.eq_ignore_ascii_case(b"STORE"));
            refused || (is_sort && !stores && refuses(reference) && !refuses(subject))
        },
    },
    Explained {
        name: "bitcount-open-end",
        sentence: "BITCOUNT takes a start without an end, as Valkey does; Redis wants both.",
        explains: |command, _, reference| {
            is(command, "BITCOUNT") && command.len() == 3 && is_error(reference, "ERR syntax error")
        },
    },
    Explained {
        name: "bitcount-argument-order",
        sentence: "BITCOUNT reports a bad end before a bad unit, as Redis does; Valkey the unit \
                   first.",
        explains: |command, subject, reference| {
            is(command, "BITCOUNT")
                && is_error(subject, "ERR value is not an integer")
                && is_error(reference, "ERR syntax error")
        },
    },
    Explained {
        name: "rank-with-score",
        sentence: "ZRANK and ZREVRANK take the option WITHSCORE, as Redis 7.2 does.",
        explains: |command, _, reference| {
            (is(command, "ZRANK") || is(command, "ZREVRANK"))
                && command.len() == 4
                && is_error(reference, "ERR wrong number of arguments for 'z")
        },
    },
    Explained {
        name: "idle-time-of-small-integers",
        sentence: "OBJECT IDLETIME and OBJECT REFCOUNT tell of the key alone; in Redis 7 and \
                   Valkey keys that hold the same small integer may share it and its access time.",
        explains: |command, subject, reference| {
            let later =
                matches!((subject, reference), (Value::Integer(a), Value::Integer(b)) if a < b);
            let asked = command.get(1).is_some_and(|word| word.eq_ignore_ascii_case(b"IDLETIME"));
            is(command, "OBJECT") && asked && later
        },
    },
    Explained {
        name: "value-ranges",
        sentence: "CONFIG SET takes the ranges of Redis 8, which differ from Valkey's for some \
                   parameters.",
        explains: |command, subject, reference| {
            is(command, "CONFIG") && same_until(subject, reference, "argument must be between ")
        },
    },
    Explained {
        name: "bitpos-arguments",
        sentence: "BITPOS and BITCOUNT check every argument before they look at the key, as Redis \
                   7.2 does; Redis 7.0 looks first whether it exists and is a string.",
        explains: |command, subject, reference| {
            (is(command, "BITPOS") || is(command, "BITCOUNT"))
                && matches!(subject, Value::Error(_))
                && (matches!(reference, Value::Integer(_)) || is_error(reference, "WRONGTYPE "))
        },
    },
    Explained {
        name: "unknown-alone",
        sentence: "An unknown command without arguments is refused without the words about \
                   arguments, as by Redis 8.6.",
        explains: |_, subject, reference| match (subject, reference) {
            (Value::Error(short), Value::Error(long)) => {
                short.starts_with(b"ERR unknown command '")
                    && long.strip_prefix(short.as_slice()) == Some(b", with args beginning with: ")
            }
            _ => false,
        },
    },
    Explained {
        name: "acl-check-arity",
        sentence: "redis.acl_check_cmd refuses a command with a wrong number of arguments, as \
                   Redis 8.6; Redis 8.0 answers.",
        explains: |_, subject, reference| {
            let text: &[u8] = b"ERR Wrong number of args for redis.acl_check_cmd()";
            matches!(subject, Value::Error(said) if said.starts_with(text))
                && matches!(reference, Value::Integer(_))
        },
    },
    Explained {
        name: "options-of-fields",
        sentence: "HEXPIRE and its siblings, HGETEX and HSETEX take their options in any order and \
                   find other faults first, as in Redis 8.6.",
        explains: |command, _, reference| {
            const NAMES: [&str; 6] =
                ["HEXPIRE", "HEXPIREAT", "HPEXPIRE", "HPEXPIREAT", "HGETEX", "HSETEX"];
            NAMES.iter().any(|name| is(command, name)) && matches!(reference, Value::Error(_))
        },
    },
    Explained {
        name: "encoding-names",
        sentence: "OBJECT ENCODING knows listpack-encoded lists and sets, which came with \
                   Redis 7.2.",
        explains: |command, subject, reference| {
            is(command, "OBJECT")
                && is_bulk(subject, "listpack")
                && (is_bulk(reference, "quicklist") || is_bulk(reference, "hashtable"))
        },
    },
    Explained {
        name: "sort-leaves-encodings",
        sentence: "SORT leaves a sorted set in the encoding that it has; Redis and Valkey make \
                   it a skiplist.",
        explains: |command, subject, reference| {
            is(command, "OBJECT") && is_bulk(subject, "listpack") && is_bulk(reference, "skiplist")
        },
    },
    Explained {
        name: STALE_ERROR,
        sentence: "SORT judges each number by itself; in Redis and Valkey a number out of range \
                   that came before can make it refuse good ones.",
        explains: |command, subject, reference| {
            let sorted = matches!(subject, Value::Array(_) | Value::Integer(_));
            (is(command, "SORT") || is(command, "SORT_RO"))
                && sorted
                && is_error(reference, "ERR One or more scores")
        },
    },
    Explained {
        name: TRIMMED_AT_ONCE,
        sentence: "XREAD and XREADGROUP wait on when XADD trims the entry that it has added, as in \
                   Redis 7.2; Redis 7.0 answers with an empty stream.",
        explains: |command, subject, reference| {
            let empty = |value: &Value| matches!(value, Value::Array(items) if items.is_empty());
            let nothing = match reference {
                Value::Map(streams) => streams.iter().any(|(_, entries)| empty(entries)),
                Value::Array(streams) => streams.iter().any(|stream| {
                    matches!(stream, Value::Array(parts) if parts.get(1).is_some_and(empty))
                }),
                _ => false,
            };
            (is(command, "XREAD") || is(command, "XREADGROUP")) && nothing && is_null(subject)
        },
    },
    Explained {
        name: STORED_OVER,
        sentence: "SORT with STORE serves who waits for the key, whatever was there before; Redis \
                   and Valkey do only if there was nothing.",
        explains: |command, subject, reference| {
            const WAITING: [&str; 5] = ["BLPOP", "BRPOP", "BLMPOP", "BLMOVE", "BRPOPLPUSH"];
            WAITING.iter().any(|name| is(command, name))
                && is_null(reference)
                && (matches!(subject, Value::Array(_) | Value::Bulk(_))
                    || is_error(subject, "WRONGTYPE "))
        },
    },
    Explained {
        name: NEGATIVE_OFFSET,
        sentence: "A negative offset of LIMIT selects nothing of a sorted set, as in Redis 7.0 and \
                   Valkey 9; Redis 8 and Valkey 8 count it from the end of a large one, and select \
                   nothing of a small one.",
        explains: |command, subject, reference| {
            let limit = command.iter().position(|word| word.eq_ignore_ascii_case(b"LIMIT"));
            let offset = limit.and_then(|at| command.get(at + 1));
            let nothing = match subject {
                Value::Array(items) => items.is_empty(),
                other => *other == Value::Integer(0),
            };
            offset.is_some_and(|offset| offset.starts_with(b"-"))
                && nothing
                && matches!(reference, Value::Array(_) | Value::Integer(_))
        },
    },
    Explained {
        name: "unbalanced-streams",
        sentence: "XREAD and XREADGROUP name themselves and all kinds of ids when keys and ids are \
                   not equally many, as Redis 8 does; Redis 7.0 says XREAD for both, and Valkey \
                   knows no `+`.",
        explains: |_, subject, reference| {
            is_error(subject, "ERR Unbalanced 'xread") && is_error(reference, "ERR Unbalanced ")
        },
    },
    Explained {
        name: AWAITED_KEYS,
        sentence: "A command that waits looks at all its keys again once one has changed, as in \
                   Redis 7.2, and tells of one before that is gone or of another type; Redis 7.0 \
                   looks at the one that changed, and says UNBLOCKED if it is gone.",
        explains: |command, subject, reference| {
            const WAITING: [&str; 8] = [
                "XREAD",
                "XREADGROUP",
                "BLPOP",
                "BRPOP",
                "BLMPOP",
                "BZPOPMIN",
                "BZPOPMAX",
                "BZMPOP",
            ];
            let lost = is_error(subject, "NOGROUP ") || is_error(subject, "WRONGTYPE ");
            let served = matches!(reference, Value::Array(_) | Value::Map(_));
            WAITING.iter().any(|name| is(command, name))
                && lost
                && (served || is_error(reference, "UNBLOCKED "))
        },
    },
    Explained {
        name: "stream-id-texts",
        sentence: "XADD calls an id that cannot follow the last one equal or smaller, as Redis 7.2 \
                   does; Redis 7.0 calls the entry too large where a millisecond is full.",
        explains: |command, subject, reference| {
            is(command, "XADD")
                && is_error(subject, "ERR The ID specified in XADD is equal or smaller")
                && is_error(reference, "ERR Elements are too large")
        },
    },
    Explained {
        name: "group-lag",
        sentence: "XINFO GROUPS counts what a group has read and has yet to read as Redis 8 does, \
                   where entries that it had not read were trimmed or deleted, and caps what \
                   ENTRIESREAD claims; Redis 7.0 and Valkey count on.",
        explains: |command, subject, reference| {
            is(command, "XINFO") && without(subject, PROGRESS) == without(reference, PROGRESS)
        },
    },
    Explained {
        name: "idle-consumer",
        sentence: "XCLAIM and XREADGROUP create their consumer even if it gets nothing, as Redis \
                   7.2 does.",
        explains: |command, subject, reference| {
            let created = is(command, "XGROUP")
                && command.get(1).is_some_and(|word| word.eq_ignore_ascii_case(b"CREATECONSUMER"))
                && (subject, reference) == (&Value::Integer(0), &Value::Integer(1));
            let shown = is(command, "XINFO")
                && without(subject, CONSUMERS) == without(reference, CONSUMERS);
            created || shown
        },
    },
    Explained {
        name: "stream-producers",
        sentence: "XINFO STREAM tells of idempotent producers, as Redis 8.6 does.",
        explains: |command, subject, reference| {
            is(command, "XINFO") && without(subject, PRODUCERS) == *reference
        },
    },
    Explained {
        name: "stream-tree",
        sentence: "XINFO STREAM counts the blocks of a stream, and one node of a tree more; how \
                   many nodes Redis counts depends on the bytes that its keys have in common, and \
                   its blocks take fewer entries of some size.",
        explains: |command, subject, reference| {
            let plain = without(&without(subject, PRODUCERS), TREE);
            is(command, "XINFO") && plain == without(reference, TREE)
        },
    },
    Explained {
        name: LOW_STREAM_ID,
        sentence: "XSETID refuses an id below that of the last entry deleted, as Redis 8 does; \
                   Redis 7.0 takes it if it is not below the last entry there is.",
        explains: |command, subject, reference| {
            let deleted = "ERR The ID specified in XSETID is smaller than current max_deleted";
            let top = "ERR The ID specified in XSETID is smaller than the target";
            is(command, "XSETID")
                && is_error(subject, deleted)
                && (is_error(reference, top) || !matches!(reference, Value::Error(_)))
        },
    },
    Explained {
        name: MIXED_SCORES,
        sentence: "Ranges of members (BYLEX, ZLEXCOUNT) are for sets of one score. Over several \
                   scores, where they mean nothing, other members may be in them than in Redis.",
        explains: |command, _, _| {
            let by_lex = |word: &Vec<u8>| {
                let word = word.to_ascii_uppercase();
                word.ends_with(b"BYLEX") || word == b"ZLEXCOUNT"
            };
            // The generator keeps one score in this key.
            command.first().is_some_and(by_lex) && command.get(1).is_some_and(|key| key != b"77")
        },
    },
];

/// Names of the known differences after which the two servers' data may differ: one has stored what
/// the other refused.
const STALE_ERROR: &str = "sort-stale-range-error";
const LOW_STREAM_ID: &str = "stream-id-below-deleted";
const AWAITED_KEYS: &str = "awaited-keys";
const TRIMMED_AT_ONCE: &str = "trimmed-at-once";
const STORED_OVER: &str = "stored-over";
const NEGATIVE_OFFSET: &str = "negative-offset";
const MIXED_SCORES: &str = "members-of-mixed-scores";

const PARTING: &[&str] =
    &[STALE_ERROR, LOW_STREAM_ID, AWAITED_KEYS, STORED_OVER, NEGATIVE_OFFSET, MIXED_SCORES];

impl Explained {
    /// Whether there is nothing to compare any more after it.
    #[must_use]
    pub fn parts_the_states(&self) -> bool {
        PARTING.contains(&self.name)
    }
}

/// The known difference that explains these replies, if one does.
pub fn explanation(
    command: &Command,
    subject: &Value,
    reference: &Value,
) -> Option<&'static Explained> {
    EXPLAINED.iter().find(|known| (known.explains)(command, subject, reference))
}

/// Fields of `XINFO`: how far a group has come, and what a stream remembers of producers.
const PROGRESS: &[&str] = &["entries-read", "lag"];
const CONSUMERS: &[&str] = &["consumers", "entries-read", "lag"];
const TREE: &[&str] = &["radix-tree-keys", "radix-tree-nodes"];
const PRODUCERS: &[&str] = &[
    "idmp-duration",
    "idmp-maxsize",
    "pids-tracked",
    "iids-tracked",
    "iids-added",
    "iids-duplicates",
];

/// A reply without some fields, however deep: a map of RESP3, or names and values by turns.
fn without(value: &Value, fields: &[&str]) -> Value {
    let named = |value: &Value| fields.iter().any(|name| is_bulk(value, name));
    match value {
        Value::Map(pairs) => {
            let kept = pairs.iter().filter(|(name, _)| !named(name));
            Value::Map(kept.map(|(name, value)| (name.clone(), without(value, fields))).collect())
        }
        Value::Array(items) => {
            let (mut kept, mut items) = (Vec::new(), items.iter());
            while let Some(item) = items.next() {
                if named(item) {
                    items.next();
                } else {
                    kept.push(without(item, fields));
                }
            }
            Value::Array(kept)
        }
        other => other.clone(),
    }
}

fn is(command: &Command, name: &str) -> bool {
    command.first().is_some_and(|word| word.eq_ignore_ascii_case(name.as_bytes()))
}

/// The cursor of a walk over keys or over elements.
fn scan_cursor(command: &Command) -> Option<&[u8]> {
    let at = if is(command, "SCAN") {
        1
    } else if is(command, "SSCAN") || is(command, "HSCAN") || is(command, "ZSCAN") {
        2
    } else {
        return None;
    };
    command.get(at).map(Vec::as_slice)
}

fn is_error(value: &Value, start: &str) -> bool {
    matches!(value, Value::Error(text) if text.starts_with(start.as_bytes()))
}

/// Whether both are errors that agree up to and including `words`.
fn same_until(subject: &Value, reference: &Value, words: &str) -> bool {
    let (Value::Error(said), Value::Error(right)) = (subject, reference) else { return false };
    let until = |text: &[u8]| text.windows(words.len()).position(|part| part == words.as_bytes());
    until(said).is_some_and(|at| right.get(..at + words.len()) == Some(&said[..at + words.len()]))
}

const fn is_null(value: &Value) -> bool {
    matches!(value, Value::Null | Value::NullArray | Value::NullBulk)
}

fn is_bulk(value: &Value, text: &str) -> bool {
    matches!(value, Value::Bulk(bytes) if bytes == text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(words: &str) -> Command {
        words.split(' ').map(|word| word.as_bytes().to_vec()).collect()
    }

    #[test]
    fn only_what_is_known_is_explained() {
        let ok = Value::Simple("OK".into());
        let syntax = Value::Error("ERR syntax error".into());
        let named = |words, subject: &Value, reference: &Value| {
            explanation(&command(words), subject, reference).map(|known| known.name)
        };
        assert_eq!(named("SET k v ifeq x", &Value::NullBulk, &syntax), Some("newer-option"));
        assert_eq!(named("SET k v XX", &Value::NullBulk, &syntax), None);
        assert_eq!(named("SET k v IFEQ x", &syntax, &ok), None);
        assert_eq!(
            named("SCAN -1", &Value::Error("ERR invalid cursor".into()), &ok),
            Some("scan-cursor")
        );
        assert_eq!(named("GET k", &ok, &Value::NullBulk), None);
        let refusal = |list: &str| {
            Value::Error(format!("ERR no - must be one of the following: {list}").into())
        };
        assert_eq!(named("CONFIG SET x y", &refusal("a, b"), &refusal("a")), Some("newer-choices"));
        assert_eq!(named("CONFIG SET x y", &refusal("a, b"), &syntax), None);
    }

    #[test]
    fn fields_are_left_out_wherever_they_are() {
        let word = |word: &str| Value::Bulk(word.into());
        let fields = |lag| vec![word("name"), word("lag"), word("lag"), Value::Integer(lag)];
        let groups = |lag| Value::Array(vec![Value::Array(fields(lag))]);
        let explained = explanation(&command("XINFO GROUPS s"), &groups(1), &groups(2));
        assert_eq!(explained.map(|known| known.name), None, "the name looks like a field");
        let groups = |name, lag| {
            let pairs = vec![(word("name"), word(name)), (word("lag"), Value::Integer(lag))];
            Value::Array(vec![Value::Map(pairs)])
        };
        let named = |a: &Value, b: &Value| {
            explanation(&command("XINFO GROUPS s"), a, b).map(|known| known.name)
        };
        assert_eq!(named(&groups("g", 1), &groups("g", 2)), Some("group-lag"));
        assert_eq!(named(&groups("g", 1), &groups("h", 1)), None);
    }

    #[test]
    fn names_are_unique_and_sentences_end() {
        for (index, known) in EXPLAINED.iter().enumerate() {
            assert!(known.sentence.ends_with('.') && !known.sentence.contains("  "));
            assert!(EXPLAINED[..index].iter().all(|other| other.name != known.name));
        }
    }
}
