//! What the commands that return random elements share.

use command::CommandError;

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
