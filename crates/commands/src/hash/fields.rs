//! `FIELDS numfields field [field ...]`: how newer commands name fields, and what they answer for
//! each.

use collections::hash::Hash;
use command::{Arg, ArgReader, CommandError, Cx};
use store::UnixMs;

use crate::keys::expire::Unit;

/// A field that is not there.
pub(super) const NO_FIELD: i64 = -2;
/// A field without a deadline.
pub(super) const NO_DEADLINE: i64 = -1;
/// The latest deadline of a field: 46 bits of milliseconds since 1970.
const DEADLINE_MAX: u64 = (1 << 46) - 1;

/// The documented argument.
pub(super) const FIELDS: Arg =
    Arg::block("fields", &[Arg::integer("numfields"), Arg::string("field").multiple()])
        .token("FIELDS");

/// The documented arguments of a command that asks for fields of a key.
pub(super) const KEY_AND_FIELDS: &[Arg] = &[Arg::key("key", 0), FIELDS];

/// The rest of the arguments: the word `FIELDS`, a number and so many fields.
///
/// # Errors
/// If it is anything else.
pub(super) fn named<'a>(mut reader: ArgReader<'a>) -> Result<Vec<&'a [u8]>, CommandError> {
    if !reader.token("FIELDS") {
        let text = "ERR Mandatory argument FIELDS is missing or not at the right position";
        return Err(CommandError::request(text));
    }
    let error = CommandError::request("ERR Number of fields must be a positive integer");
    let count = reader.integer_in(1..=i64::MAX, error);
    reader.check()?;
    if usize::try_from(count) != Ok(reader.remaining()) {
        let text = "ERR The `numfields` parameter must match the number of arguments";
        return Err(CommandError::request(text));
    }
    Ok(std::iter::from_fn(|| reader.more().then(|| reader.bytes())).collect())
}

/// A number and so many fields of `width` words each, which options may follow.
///
/// # Errors
/// `error` if the number is no positive integer; another one if there are fewer words.
pub(super) fn take<'a>(
    reader: &mut ArgReader<'a>,
    width: usize,
    error: CommandError,
) -> Result<Vec<&'a [u8]>, CommandError> {
    let count = reader.integer_in(1..=i64::from(i32::MAX), error);
    reader.check()?;
    let words = usize::try_from(count).unwrap_or(usize::MAX).saturating_mul(width);
    if words > reader.remaining() {
        return Err(CommandError::request("ERR wrong number of arguments"));
    }
    Ok((0..words).map(|_| reader.bytes()).collect())
}

/// The deadline that a time in the command means; it may have passed.
///
/// # Errors
/// If it is no integer, negative, or too late.
pub(super) fn deadline(cx: &Cx<'_>, unit: Unit, time: &[u8]) -> Result<UnixMs, CommandError> {
    let time = stdx::num::parse_i64(time).ok_or(CommandError::NOT_INTEGER)?;
    if time < 0 {
        return Err(CommandError::request("ERR invalid expire time, must be >= 0"));
    }
    let deadline = unit.deadline(time, cx.db.now()).and_then(|at| u64::try_from(at).ok());
    let in_range = deadline.filter(|&deadline| deadline <= DEADLINE_MAX);
    in_range.ok_or_else(|| CommandError::invalid_expire(cx.name))
}

/// The options that give a time, as `SET` has them.
pub(super) const TIMES: [(&str, Unit); 4] = [
    ("EX", Unit { ms: 1000, relative: true }),
    ("PX", Unit { ms: 1, relative: true }),
    ("EXAT", Unit { ms: 1000, relative: false }),
    ("PXAT", Unit { ms: 1, relative: false }),
];

/// The key's type is looked at before the arguments, as in Redis.
///
/// # Errors
/// If it is no hash.
pub(super) fn check_type(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let key = cx.arg(1)?;
    cx.db.edit(key).entry().map_or(Ok(()), |entry| match entry.object::<Hash>() {
        Some(_) => Ok(()),
        None => Err(CommandError::from(store::WrongType)),
    })
}

/// Replicas and the AOF see `name key middle... FIELDS count field...`.
pub(super) fn log(cx: &mut Cx<'_>, name: &[u8], middle: &[&[u8]], fields: &[&[u8]]) {
    let mut count = Vec::new();
    stdx::num::write_u64(&mut count, fields.len() as u64);
    let head = [name, cx.args.get(1).unwrap_or_default()];
    let words: [&[u8]; 2] = [b"FIELDS", &count];
    cx.log(&[&head, middle, &words, fields].concat());
}

/// Replicas and the AOF see the deadline of fields, in absolute time.
pub(super) fn log_deadline(
    cx: &mut Cx<'_>,
    deadline: UnixMs,
    condition: Option<&[u8]>,
    fields: &[&[u8]],
) {
    let mut time = Vec::new();
    stdx::num::write_u64(&mut time, deadline);
    let time = [&time[..]];
    let middle: Vec<&[u8]> = time.into_iter().chain(condition).collect();
    log(cx, b"HPEXPIREAT", &middle, fields);
}

/// Replicas and the AOF see the removal of fields whose deadline has passed already, one by one.
pub(super) fn log_removals(cx: &mut Cx<'_>, fields: &[&[u8]]) {
    let key = cx.args.get(1).unwrap_or_default();
    fields.iter().for_each(|field| cx.log(&[b"HDEL", key, field]));
}
