//! The order of a sort: what elements are compared by, and the sorting itself.

use std::cmp::Ordering;
use std::ops::Range;

use command::CommandError;

use super::request::Request;
use super::texts::Texts;

const NOT_A_NUMBER: &str = "ERR One or more scores can't be converted into double";

/// What the elements are compared by, in the order of the elements.
#[derive(Debug)]
pub(super) enum Weights {
    /// Their own texts.
    Own,
    /// Numbers, none of them a NaN. Equal ones leave it to the texts of the elements.
    Numbers(Vec<f64>),
    /// Other texts; what has none comes first.
    Texts(Vec<Option<Box<[u8]>>>),
}

/// The number that a text is to `SORT`: a decimal one, which a NUL ends. Nothing at all is 0.
pub(super) fn number(text: &[u8]) -> Option<f64> {
    stdx::num::parse_f64_lenient(text)
}

/// Numbers as weights.
///
/// # Errors
/// If one of them is none.
pub(super) fn numbers(numbers: Vec<Option<f64>>) -> Result<Weights, CommandError> {
    let numbers: Option<Vec<f64>> = numbers.into_iter().collect();
    numbers.map(Weights::Numbers).ok_or(CommandError::state(NOT_A_NUMBER))
}

/// How two elements compare.
pub(super) struct Comparison<'a> {
    pub(super) texts: &'a Texts,
    pub(super) weights: &'a Weights,
    pub(super) request: &'a Request<'a>,
}

impl Comparison<'_> {
    fn compare(&self, a: usize, b: usize) -> Ordering {
        let texts = || self.texts.get(a).cmp(self.texts.get(b));
        let ordering = match self.weights {
            Weights::Own => texts(),
            Weights::Numbers(numbers) => {
                // No NaN is among them, so they always compare.
                numbers[a].partial_cmp(&numbers[b]).unwrap_or(Ordering::Equal).then_with(texts)
            }
            Weights::Texts(weights) => weights[a].cmp(&weights[b]).then_with(texts),
        };
        if self.request.descending { ordering.reverse() } else { ordering }
    }
}

/// The numbers of the elements that stand in `window` once all are sorted, in order. What is
/// outside of the window is set apart in linear time and not sorted.
pub(super) fn sort(by: &Comparison<'_>, window: Range<usize>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..by.texts.len()).collect();
    let compare = |a: &usize, b: &usize| by.compare(*a, *b);
    if window.end < order.len() {
        order.select_nth_unstable_by(window.end, compare);
        order.truncate(window.end);
    }
    if 0 < window.start && window.start < order.len() {
        order.select_nth_unstable_by(window.start, compare);
    }
    order.drain(..window.start.min(order.len()));
    order.sort_unstable_by(compare);
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_decimal() {
        for (text, expected) in [
            (&b""[..], Some(0.0)),
            (b" 5", None),
            (b"5 ", None),
            (b" ", None),
            (b"0x10", None),
            (b"-inf", Some(f64::NEG_INFINITY)),
            (b"nan", None),
            (b"1\x00x", Some(1.0)),
            (b"1e999", Some(f64::INFINITY)),
            (b"abc", None),
        ] {
            assert_eq!(number(text), expected, "{text:?}");
        }
    }
}
