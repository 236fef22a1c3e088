//! `ARGREP`: the elements of a range for which predicates hold.

use collections::array::{Array, Digits, INDEX_MAX};
use command::{Arg, ArgReader, CommandError, Cx, DataCommand, Flags};
use resp::Length;

use super::predicate::{Language, Predicate, check_expression};
use super::scan::limit;
use super::{READ, Span, held, parse_index, reply_element, reply_unsigned, spec};

const PREDICATES_MAX: usize = 250;

/// `ARGREP key start end EXACT|MATCH|GLOB|RE pattern [...] [AND|OR] [LIMIT limit] [WITHVALUES]
/// [NOCASE]`.
pub(super) static ARGREP: DataCommand = DataCommand::new(
    spec(
        "argrep",
        -6,
        "O(N*C) for N elements and slices in the range and a cost of C for the predicates.",
        "Returns the indices of the elements of a range of an array that match patterns.",
        Flags::READONLY,
    )
    .keys(READ)
    .args(&[
        Arg::key("key", 0),
        Arg::string("start"),
        Arg::string("end"),
        Arg::one_of(
            "predicate",
            &[
                Arg::block("exact", &[Arg::word("exact", "EXACT"), Arg::string("string")]),
                Arg::block("match", &[Arg::word("match", "MATCH"), Arg::string("string")]),
                Arg::block("glob", &[Arg::word("glob", "GLOB"), Arg::pattern("pattern")]),
                Arg::block("re", &[Arg::word("re", "RE"), Arg::pattern("pattern")]),
            ],
        )
        .multiple(),
        Arg::one_of(
            "options",
            &[
                Arg::word("and", "AND"),
                Arg::word("or", "OR"),
                Arg::integer("limit").token("LIMIT"),
                Arg::word("withvalues", "WITHVALUES"),
                Arg::word("nocase", "NOCASE"),
            ],
        )
        .optional()
        .multiple(),
    ]),
    run,
);

/// An end of the range.
#[derive(Clone, Copy, Debug)]
enum Bound {
    Index(u64),
    /// `-`: the first index.
    First,
    /// `+`: the last index of the array.
    Last,
}

impl Bound {
    fn read(reader: &mut ArgReader<'_>) -> Self {
        match reader.bytes() {
            b"-" => Self::First,
            b"+" => Self::Last,
            word => Self::Index(parse_index(word).unwrap_or_else(|error| {
                reader.fail(error);
                0
            })),
        }
    }

    fn of(self, array: &Array) -> u64 {
        match self {
            Self::Index(index) => index,
            Self::First => 0,
            Self::Last => array.last_index().unwrap_or(INDEX_MAX),
        }
    }
}

/// What is looked for.
struct Request<'a> {
    patterns: Vec<(Language, &'a [u8])>,
    all: bool,
    any_case: bool,
    with_values: bool,
    limit: usize,
}

impl<'a> Request<'a> {
    /// Takes the remaining arguments: predicates and options in any order, of which the last word
    /// counts.
    fn read(reader: &mut ArgReader<'a>) -> Self {
        let (mut all, mut any_case, mut with_values) = (false, false, false);
        let (mut patterns, mut max) = (Vec::new(), usize::MAX);
        while reader.more() {
            if let Some(language) = language(reader) {
                let pattern = reader.bytes();
                if patterns.len() == PREDICATES_MAX {
                    let text = format!("ERR too many predicates, maximum is {PREDICATES_MAX}");
                    reader.fail(CommandError::request(text));
                } else if language == Language::Expression
                    && let Err(error) = check_expression(pattern)
                {
                    reader.fail(error);
                }
                patterns.push((language, pattern));
            } else if reader.option("LIMIT") {
                max = limit(reader);
            } else if reader.token("AND") {
                all = true;
            } else if reader.token("OR") {
                all = false;
            } else if reader.token("WITHVALUES") {
                with_values = true;
            } else if reader.token("NOCASE") {
                any_case = true;
            } else {
                reader.unknown();
            }
        }
        if patterns.is_empty() {
            reader.fail(CommandError::SYNTAX);
        }
        Self { patterns, all, any_case, with_values, limit: max }
    }

    fn predicates(&self) -> Result<Vec<Predicate<'a>>, CommandError> {
        let patterns = self.patterns.iter();
        patterns.map(|(language, text)| Predicate::new(*language, text, self.any_case)).collect()
    }
}

/// Takes the name of a language if a pattern follows it.
fn language(reader: &mut ArgReader<'_>) -> Option<Language> {
    let languages = [
        ("EXACT", Language::Exact),
        ("MATCH", Language::Match),
        ("GLOB", Language::Glob),
        ("RE", Language::Expression),
    ];
    languages.into_iter().find(|(name, _)| reader.option(name)).map(|(_, language)| language)
}

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let key = reader.bytes();
    let (start, end) = (Bound::read(&mut reader), Bound::read(&mut reader));
    reader.check()?;
    let request = Request::read(&mut reader);
    reader.finish()?;
    let predicates = request.predicates()?;
    let array = held(cx, key)?.unwrap_or_default();
    let span = Span::new(start.of(&array), end.of(&array));
    let (mut digits, mut scratch, mut count) = (Digits::default(), Vec::new(), 0);
    let mark = cx.reply.begin_deferred();
    array.visit(span.range(), span.backwards, |index, element| {
        let text = element.text(&mut digits);
        let mut holds = predicates.iter().map(|predicate| predicate.holds(text, &mut scratch));
        let found = if request.all { holds.all(|it| it) } else { holds.any(|it| it) };
        if !found {
            return None;
        }
        if request.with_values {
            cx.reply.array(2);
        }
        reply_unsigned(cx.reply, index);
        if request.with_values {
            reply_element(cx.reply, element, &mut digits);
        }
        count += 1;
        (count == request.limit).then_some(())
    });
    cx.reply.end_deferred(mark, Length::Array, count);
    Ok(())
}
