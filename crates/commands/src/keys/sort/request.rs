//! What a `SORT` asks for. The words are cut into clauses in one place, so that the keys that are
//! locked before the command runs are those that it then finds.

use std::ops::Range;

use command::CommandError;
use resp::Args;
use stdx::num::parse_i64;

use super::pattern::{Get, Pattern};

/// A word with its arguments.
#[derive(Clone, Copy)]
enum Clause<'a> {
    Asc,
    Desc,
    Alpha,
    Limit(&'a [u8], &'a [u8]),
    By(&'a [u8]),
    Get(&'a [u8]),
    /// The number of the argument that names the destination.
    Store(usize),
    /// A word that is none of these, or lacks its argument.
    Unknown,
}

/// The clauses behind the key.
fn clauses<'a>(args: Args<'a>) -> impl Iterator<Item = Clause<'a>> {
    let mut next = 2;
    std::iter::from_fn(move || {
        let word = args.get(next)?;
        let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        let (clause, arguments) = match (args.get(next + 1), args.get(next + 2)) {
            _ if is("ASC") => (Clause::Asc, 0),
            _ if is("DESC") => (Clause::Desc, 0),
            _ if is("ALPHA") => (Clause::Alpha, 0),
            (Some(offset), Some(count)) if is("LIMIT") => (Clause::Limit(offset, count), 2),
            (Some(_), _) if is("STORE") => (Clause::Store(next + 1), 1),
            (Some(pattern), _) if is("BY") => (Clause::By(pattern), 1),
            (Some(pattern), _) if is("GET") => (Clause::Get(pattern), 1),
            _ => (Clause::Unknown, 0),
        };
        next += 1 + arguments;
        Some(clause)
    })
}

/// The number of the argument that names the destination; of several the last one counts.
pub(super) fn destination(args: Args<'_>) -> Option<usize> {
    let stores = clauses(args).filter_map(|clause| match clause {
        Clause::Store(index) => Some(index),
        _ => None,
    });
    stores.last()
}

/// Whether there is a pattern that leads to other keys.
pub(super) fn follows_patterns(args: Args<'_>) -> bool {
    clauses(args).any(|clause| match clause {
        Clause::By(text) | Clause::Get(text) => Pattern::parse(text).is_some(),
        _ => false,
    })
}

/// What decides the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order<'a> {
    /// The elements themselves.
    Elements,
    /// The values that a pattern leads to.
    By(Pattern<'a>),
    /// Nothing: `BY` a name without `*` keeps the elements as they are.
    AsTheyAre,
}

/// A parsed command line.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) key: &'a [u8],
    pub(super) order: Order<'a>,
    pub(super) descending: bool,
    pub(super) alpha: bool,
    pub(super) gets: Vec<Get<'a>>,
    pub(super) store: Option<&'a [u8]>,
    offset: i64,
    count: i64,
}

impl<'a> Request<'a> {
    /// Reads the arguments.
    ///
    /// # Errors
    /// The first thing that is wrong with them.
    pub(super) fn parse(args: Args<'a>, may_store: bool) -> Result<Self, CommandError> {
        let key = args.get(1).ok_or(CommandError::SYNTAX)?;
        let mut request = Self {
            key,
            order: Order::Elements,
            descending: false,
            alpha: false,
            gets: Vec::new(),
            store: None,
            offset: 0,
            count: -1,
        };
        let integer = |text: &[u8]| parse_i64(text).ok_or(CommandError::NOT_INTEGER);
        for clause in clauses(args) {
            match clause {
                Clause::Asc => request.descending = false,
                Clause::Desc => request.descending = true,
                Clause::Alpha => request.alpha = true,
                Clause::Limit(offset, count) => {
                    (request.offset, request.count) = (integer(offset)?, integer(count)?);
                }
                Clause::Get(text) => request.gets.push(Get::parse(text)),
                Clause::Store(index) if may_store => request.store = args.get(index),
                Clause::Store(_) | Clause::Unknown => return Err(CommandError::SYNTAX),
                // Once the elements are to stay as they are, no later pattern changes that.
                Clause::By(text) => {
                    request.order = match (Pattern::parse(text), request.order) {
                        (Some(_), Order::AsTheyAre) | (None, _) => Order::AsTheyAre,
                        (Some(pattern), _) => Order::By(pattern),
                    }
                }
            }
        }
        Ok(request)
    }

    /// Whether the elements stay in the order that they have. Those of a set have none that would
    /// be the same on a replica: when they are stored, or a script gets them, they are sorted as
    /// texts after all.
    pub(super) fn settle_order(&mut self, is_set: bool, in_script: bool) -> bool {
        if self.order == Order::AsTheyAre && is_set && (self.store.is_some() || in_script) {
            (self.order, self.alpha) = (Order::Elements, true);
        }
        self.order == Order::AsTheyAre
    }

    /// Which of `len` sorted elements are asked for.
    pub(super) fn window(&self, len: usize) -> Range<usize> {
        let bounded = |number: i64| usize::try_from(number).unwrap_or(usize::MAX).min(len);
        let start = if self.offset < 0 { 0 } else { bounded(self.offset) };
        let end = if self.count < 0 { len } else { (start + bounded(self.count)).min(len) };
        start..end
    }

    /// Whether nothing but the elements and their weights is needed any more.
    pub(super) fn needs_no_more_keys(&self) -> bool {
        self.store.is_none() && !self.gets.iter().any(|get| matches!(get, Get::Pattern(_)))
    }
}

#[cfg(test)]
mod tests {
    use resp::OwnedArgs;

    use super::*;

    fn with<R>(line: &str, look: impl FnOnce(Args<'_>) -> R) -> R {
        let words: Vec<&str> = line.split(' ').collect();
        look(OwnedArgs::from_slices(&words).as_args())
    }

    #[test]
    fn keys_are_found_as_the_parser_finds_them() {
        for (line, store, anywhere) in [
            ("SORT a", None, false),
            ("SORT a BY w_* GET x_* STORE d", Some(7), true),
            ("SORT a BY store GET # LIMIT 0 5", None, false),
            ("SORT a store b STORE c", Some(5), false),
            ("SORT a STORE", None, false),
            ("SORT a FOO STORE b", Some(4), false),
            ("SORT a LIMIT store b", None, false),
            ("SORT a BY nosort GET #", None, false),
            ("SORT a GET *", None, true),
        ] {
            assert_eq!(with(line, destination), store, "{line}");
            assert_eq!(with(line, follows_patterns), anywhere, "{line}");
        }
    }

    #[test]
    fn windows() {
        for (limit, len, expected) in [
            ("0 -1", 3, 0..3),
            ("-1 2", 3, 0..2),
            ("1 -5", 3, 1..3),
            ("5 1", 3, 3..3),
            ("1 9223372036854775807", 3, 1..3),
            ("9223372036854775807 9223372036854775807", 3, 3..3),
            ("0 0", 3, 0..0),
            ("0 5", 0, 0..0),
        ] {
            let window = with(&format!("SORT a LIMIT {limit}"), |args| {
                Request::parse(args, true).unwrap().window(len)
            });
            assert_eq!(window, expected, "{limit} of {len}");
        }
    }
}
