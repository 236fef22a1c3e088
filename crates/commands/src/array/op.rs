//! `AROP`: one number from the elements of a range.

use collections::array::{Array, Digits, Element};
use command::{Arg, ArgReader, CommandError, Cx, DataCommand, Flags};
use stdx::num::{parse_f64, write_f64_17g};

use super::{READ, Span, held, reply_unsigned, spec};

/// `AROP key start end SUM|MIN|MAX|AND|OR|XOR|MATCH value|USED`.
pub(super) static AROP: DataCommand = DataCommand::new(
    spec(
        "arop",
        -5,
        "O(N) for N elements and slices in the range, however far apart its ends are.",
        "Returns the sum, or another aggregate, of the elements of a range of an array.",
        Flags::READONLY,
    )
    .keys(READ)
    .args(&[
        Arg::key("key", 0),
        Arg::integer("start"),
        Arg::integer("end"),
        Arg::one_of(
            "operation",
            &[
                Arg::word("sum", "SUM"),
                Arg::word("min", "MIN"),
                Arg::word("max", "MAX"),
                Arg::word("and", "AND"),
                Arg::word("or", "OR"),
                Arg::word("xor", "XOR"),
                Arg::block("match", &[Arg::word("match", "MATCH"), Arg::string("value")]),
                Arg::word("used", "USED"),
            ],
        ),
    ]),
    run,
);

/// What is made of the elements.
#[derive(Clone, Copy, Debug)]
enum Operation<'a> {
    Numbers(fn(f64, f64) -> f64),
    Bits(fn(i64, i64) -> i64),
    Match(&'a [u8]),
    Used,
}

impl<'a> Operation<'a> {
    fn read(reader: &mut ArgReader<'a>, name: &str) -> Self {
        let word = reader.bytes();
        let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        let operation = match () {
            () if is("SUM") => Self::Numbers(|a, b| a + b),
            () if is("MIN") => Self::Numbers(f64::min),
            () if is("MAX") => Self::Numbers(f64::max),
            () if is("AND") => Self::Bits(|a, b| a & b),
            () if is("OR") => Self::Bits(|a, b| a | b),
            () if is("XOR") => Self::Bits(|a, b| a ^ b),
            () if is("USED") => Self::Used,
            () if is("MATCH") => {
                if reader.remaining() != 1 {
                    let text = "ERR MATCH requires a value argument";
                    reader.fail(CommandError::request(text));
                }
                return Self::Match(reader.bytes());
            }
            () => {
                reader.fail(CommandError::request("ERR unknown operation"));
                Self::Used
            }
        };
        if reader.remaining() > 0 {
            reader.fail(CommandError::arity(name));
        }
        operation
    }
}

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let (key, span) = (reader.bytes(), Span::read(&mut reader));
    let operation = Operation::read(&mut reader, cx.name);
    reader.check()?;
    let array = held(cx, key)?.unwrap_or_default();
    match operation {
        Operation::Used => reply_unsigned(cx.reply, count(&array, span, |_| true)),
        Operation::Match(text) => {
            let mut digits = Digits::default();
            let same = |element: Element<'_>| element.text(&mut digits) == text;
            reply_unsigned(cx.reply, count(&array, span, same));
        }
        Operation::Numbers(join) => match fold(&array, span, join) {
            Some(number) => {
                let mut text = Vec::new();
                write_f64_17g(&mut text, number);
                cx.reply.bulk(&text);
            }
            None => cx.reply.null(),
        },
        Operation::Bits(join) => {
            let join = |a: Number, b: Number| Number::Integer(join(a.truncated(), b.truncated()));
            match fold_numbers(&array, span, join) {
                Some(number) => cx.reply.integer(number.truncated()),
                None => cx.reply.null(),
            }
        }
    }
    Ok(())
}

/// A number as the element says it.
#[derive(Clone, Copy)]
enum Number {
    Integer(i64),
    Float(f64),
}

impl Number {
    fn of(element: Element<'_>, digits: &mut Digits) -> Option<Self> {
        match element {
            Element::Integer(number) => Some(Self::Integer(number)),
            element => {
                let text = element.text(digits);
                let integer = stdx::num::parse_i64(text).map(Self::Integer);
                integer.or_else(|| parse_f64(text).map(Self::Float))
            }
        }
    }

    const fn float(self) -> f64 {
        match self {
            Self::Integer(number) => number as f64,
            Self::Float(number) => number,
        }
    }

    /// Cut towards zero, and at the ends of what 64 bits can say.
    const fn truncated(self) -> i64 {
        match self {
            Self::Integer(number) => number,
            Self::Float(number) => number as i64,
        }
    }
}

/// How many elements of a range are so.
fn count(array: &Array, span: Span, mut is: impl FnMut(Element<'_>) -> bool) -> u64 {
    let mut count = 0;
    array.visit(span.range(), false, |_, element| -> Option<()> {
        count += u64::from(is(element));
        None
    });
    count
}

/// What joining the numbers of a range gives; none if there is no number.
fn fold_numbers(
    array: &Array,
    span: Span,
    mut join: impl FnMut(Number, Number) -> Number,
) -> Option<Number> {
    let (mut digits, mut sum) = (Digits::default(), None);
    array.visit(span.range(), false, |_, element| -> Option<()> {
        if let Some(number) = Number::of(element, &mut digits) {
            sum = Some(sum.map_or(number, |sum| join(sum, number)));
        }
        None
    });
    sum
}

fn fold(array: &Array, span: Span, join: fn(f64, f64) -> f64) -> Option<f64> {
    let join = |a: Number, b: Number| Number::Float(join(a.float(), b.float()));
    fold_numbers(array, span, join).map(Number::float)
}
