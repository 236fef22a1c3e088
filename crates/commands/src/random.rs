//! What the commands that return random elements share.

use command::{CommandError, Cx};
use config::ClientClass;

/// Where clients have no hard limit of output, a reply with repetitions ends here, in bytes.
const REPLY_MAX: u64 = 1 << 30;

/// The shortest element of a reply, the empty string.
const ELEMENT_BYTES_MIN: u64 = b"$0\r\n\r\n".len() as u64;

/// A count of random elements: negative if the same one may come more than once. `max` is the
/// largest that is allowed, in either direction.
///
/// # Errors
/// If it is no number, or outside.
pub(crate) fn count(text: &[u8], max: i64) -> Result<i64, CommandError> {
    let count = stdx::num::parse_i64(text).ok_or(CommandError::NOT_INTEGER)?;
    if (-max..=max).contains(&count) {
        return Ok(count);
    }
    Err(CommandError::request(format!(
        "ERR value is out of range, value must between {} and {max}",
        -max
    )))
}

/// Calls `draw`, which replies with one element, `count` times: a number that a client may give as
/// high as 2^63 whatever the collection holds.
///
/// The reply goes to memory first. A client with a hard limit of output is closed when it has
/// that much waiting, so once the reply is as large as that nobody will read it: it is broken
/// off, and the connection closed. Redis does the same, and goes on without end for clients that
/// have no limit; here these have a limit too, far above any reply that is of use. A count that
/// must end there is not begun with: drawing takes seconds, in which nobody else is served.
pub(crate) fn repeat(cx: &mut Cx<'_>, count: usize, mut draw: impl FnMut(&mut Cx<'_>)) {
    let limit = match cx.config.output_limit(ClientClass::Normal).hard_bytes {
        0 => REPLY_MAX,
        bytes => bytes,
    };
    if count as u64 >= limit.div_ceil(ELEMENT_BYTES_MIN) {
        return cx.reply.break_off();
    }
    for _ in 0..count {
        draw(cx);
        if cx.reply.memory_size() as u64 >= limit {
            return cx.reply.break_off();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::testing::Bench;

    /// The names in a reply of RESP2.
    fn names(reply: &str) -> Vec<&str> {
        reply.split_terminator("\r\n").filter(|line| !line.starts_with(['*', '$'])).collect()
    }

    /// The chi-square statistic of a command that draws so many of `total` names, in deviations
    /// from its mean. What `SPOP` takes out is put back.
    fn unevenness(bench: &mut Bench, draw: &str, total: usize, count: i64) -> f64 {
        let many = count.unsigned_abs() as usize;
        let rounds = (30 * total).div_ceil(many);
        let mut counts = BTreeMap::<String, u64>::new();
        for _ in 0..rounds {
            let reply = bench.run(&format!("{draw} {count}"));
            let drawn = names(&reply);
            assert_eq!(drawn.len(), many, "{draw} {count}");
            drawn.iter().for_each(|&name| *counts.entry(name.to_owned()).or_default() += 1);
            if draw.starts_with("SPOP") {
                assert_eq!(
                    bench.run(&format!("SADD k {}", drawn.join(" "))),
                    format!(":{many}\r\n")
                );
            }
        }
        assert_eq!(counts.len(), total, "{draw} {count}");
        // Names of one draw without repetitions exclude one another, and the variance is smaller.
        let (p, n) = match count > 0 {
            true => (many as f64 / total as f64, rounds as f64),
            false => (1.0 / total as f64, (rounds * many) as f64),
        };
        let sum: f64 = counts.values().map(|&seen| (seen as f64 - n * p).powi(2)).sum();
        let freedom = total as f64 - 1.0;
        let statistic = sum / (n * p * (1.0 - p)) * freedom / total as f64;
        (statistic - freedom) / (2.0 * freedom).sqrt()
    }

    #[test]
    fn all_elements_are_drawn_equally_often() {
        // The names of numbers make an intset, the others a listpack or a table.
        for (fill, draws, name) in [
            ("SADD k #", &["SRANDMEMBER k", "SPOP k"][..], ""),
            ("SADD k #", &["SRANDMEMBER k", "SPOP k"], "m"),
            ("HSET k # v", &["HRANDFIELD k"], "m"),
            ("ZADD k 1 #", &["ZRANDMEMBER k"], "m"),
        ] {
            for total in [10, 300] {
                let mut bench = Bench::new();
                for number in 0..total {
                    bench.run(&fill.replace('#', &format!("{name}{number}")));
                }
                for draw in draws {
                    for count in [1, 3, 9, 130, 299, -1, -1000] {
                        let may_repeat = count < 0 && !draw.starts_with("SPOP");
                        if may_repeat || (1..total as i64).contains(&count) {
                            let uneven = unevenness(&mut bench, draw, total, count);
                            assert!(uneven.abs() < 4.5, "{draw} {count} of {total}: {uneven}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_reply_without_end_is_broken_off_at_the_limit() {
        for (fill, draw) in [
            ("HSET k field value", "HRANDFIELD k -9223372036854775807"),
            ("HSET k field value", "HRANDFIELD k -4611686018427387903 WITHVALUES"),
            ("SADD k member", "SRANDMEMBER k -9223372036854775807"),
            ("ZADD k 1 member", "ZRANDMEMBER k -9223372036854775807"),
            ("ZADD k 1 member", "ZRANDMEMBER k -4611686018427387903 WITHSCORES"),
        ] {
            let mut bench = Bench::new();
            bench.config("client-output-buffer-limit", "normal 100000 0 0");
            bench.run(fill);
            assert!(!bench.is_broken_off());
            bench.run_unsent(draw);
            assert!(bench.is_broken_off(), "{draw}");
        }
    }

    #[test]
    fn a_reply_that_must_be_too_large_is_not_begun() {
        let mut bench = Bench::new();
        bench.run("SADD k 1");
        bench.run_unsent("SRANDMEMBER k -9223372036854775807");
        assert!(bench.is_broken_off(), "drawing up to a gigabyte would take seconds");
    }
}
