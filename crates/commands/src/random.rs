//! What the commands that return random elements share.

use command::{CommandError, Cx};
use config::ClientClass;

/// Where clients have no hard limit of output, a reply with repetitions ends here, in bytes.
const REPLY_MAX: u64 = 1 << 30;

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
/// have no limit; here these have a limit too, far above any reply that is of use.
pub(crate) fn repeat(cx: &mut Cx<'_>, count: usize, mut draw: impl FnMut(&mut Cx<'_>)) {
    let limit = match cx.config.output_limit(ClientClass::Normal).hard_bytes {
        0 => REPLY_MAX,
        bytes => bytes,
    };
    for _ in 0..count {
        draw(cx);
        if cx.reply.memory_size() as u64 >= limit {
            return cx.reply.break_off();
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

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
}
