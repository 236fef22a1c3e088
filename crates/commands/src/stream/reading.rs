//! What `XREAD` and `XREADGROUP` share: their options, the shape of their replies, and waiting.
//!
//! A read that finds nothing waits if it was told to; the engine then executes it again when one of
//! its keys has changed. So a place relative to the present (`$`) is made absolute first.

use collections::stream::Id;
use command::{ArgReader, CommandError, Cx};
use resp::Length;
use resp::Version;
use store::ValueType;
use store::effects::{Awaited, Denied, Wait};

/// What the command line says.
pub(super) struct Request<'a> {
    /// The most entries of each stream; none for all.
    pub(super) count: Option<usize>,
    /// For how many milliseconds to wait, 0 for ever; none for not at all.
    pub(super) block: Option<u64>,
    /// Whether entries are not to become pending.
    pub(super) no_ack: bool,
    /// For how many milliseconds a pending entry must have been idle to be claimed before new ones
    /// are read; none to claim nothing.
    pub(super) claim: Option<u64>,
    /// The group and the consumer.
    pub(super) group: Option<(&'a [u8], &'a [u8])>,
    /// The keys, each with the place to read from.
    pub(super) streams: Streams<'a>,
}

/// Keys, each with the place to read from.
type Streams<'a> = Vec<(&'a [u8], &'a [u8])>;

impl Request<'_> {
    /// The most entries of each stream.
    pub(super) fn limit(&self) -> usize {
        self.count.unwrap_or(usize::MAX)
    }
}

/// Reads the options up to the end of the line. `in_group` says that this is `XREADGROUP`.
///
/// # Errors
/// If they do not fit together or are unknown.
pub(super) fn parse<'a>(cx: &Cx<'a>, in_group: bool) -> Result<Request<'a>, CommandError> {
    let mut reader = cx.reader();
    let (mut count, mut block, mut no_ack, mut claim, mut group) = (None, None, false, None, None);
    while reader.more() {
        if reader.option("BLOCK") {
            block = Some(milliseconds(&mut reader)?);
        } else if reader.option("COUNT") {
            let number = reader.integer();
            reader.check()?;
            count = usize::try_from(number).ok().filter(|&count| count > 0);
        } else if reader.option("STREAMS") {
            let streams = streams(cx, &mut reader, in_group)?;
            if in_group && group.is_none() {
                return Err(CommandError::request("ERR Missing GROUP option for XREADGROUP"));
            }
            return Ok(Request { count, block, no_ack, claim, group, streams });
        } else if reader.remaining() > 2 && reader.token("GROUP") {
            only_in_group(in_group, "GROUP")?;
            group = Some((reader.bytes(), reader.bytes()));
        } else if reader.option("CLAIM") {
            only_in_group(in_group, "CLAIM")?;
            claim = Some(min_idle(&mut reader)?);
        } else if reader.token("NOACK") {
            only_in_group(in_group, "NOACK")?;
            no_ack = true;
        } else {
            return Err(CommandError::SYNTAX);
        }
    }
    reader.check()?;
    Err(CommandError::SYNTAX)
}

fn only_in_group(in_group: bool, option: &str) -> Result<(), CommandError> {
    if in_group {
        return Ok(());
    }
    Err(CommandError::request(format!(
        "ERR The {option} option is only supported by XREADGROUP. You called XREAD instead."
    )))
}

fn milliseconds(reader: &mut ArgReader<'_>) -> Result<u64, CommandError> {
    let text = "ERR timeout is not an integer or out of range";
    let timeout = reader.integer_or(CommandError::request(text));
    reader.check()?;
    u64::try_from(timeout).map_err(|_| CommandError::request("ERR timeout is negative"))
}

fn min_idle(reader: &mut ArgReader<'_>) -> Result<u64, CommandError> {
    let min_idle = reader.integer_or(CommandError::request("ERR min-idle-time is not an integer"));
    reader.check()?;
    let negative = |_| CommandError::request("ERR min-idle-time must be a positive integer");
    u64::try_from(min_idle).map_err(negative)
}

/// The keys, and as many places after them.
fn streams<'a>(
    cx: &Cx<'a>,
    reader: &mut ArgReader<'a>,
    in_group: bool,
) -> Result<Streams<'a>, CommandError> {
    if !reader.remaining().is_multiple_of(2) {
        let (name, ids) = (cx.name, if in_group { "ID or '>'" } else { "ID, '+', or '$'" });
        return Err(CommandError::request(format!(
            "ERR Unbalanced '{name}' list of streams: for each stream key an {ids} must be \
             specified."
        )));
    }
    let half = reader.remaining() / 2;
    let keys: Vec<&[u8]> = (0..half).map(|_| reader.bytes()).collect();
    Ok(keys.into_iter().map(|key| (key, reader.bytes())).collect())
}

/// Writes the streams that have something, each by `write`, which says whether it had. False if
/// none had; then nothing was written.
///
/// # Errors
/// Those of `write`.
pub(super) fn reply<T>(
    cx: &mut Cx<'_>,
    streams: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut Cx<'_>, T) -> Result<bool, CommandError>,
) -> Result<bool, CommandError> {
    let (mark, mut len) = (cx.reply.begin_deferred(), 0);
    for stream in streams {
        len += usize::from(write(cx, stream)?);
    }
    if len > 0 {
        let is_map = cx.reply.version() >= Version::Resp3;
        let kind = if is_map { Length::Map } else { Length::Array };
        cx.reply.end_deferred(mark, kind, len);
    }
    Ok(len > 0)
}

/// Writes the name of a stream; its entries follow. A pair of a map in RESP3, an array in RESP2.
pub(super) fn name(reply: &mut resp::Reply, key: &[u8]) {
    if reply.version() < Version::Resp3 {
        reply.array(2);
    }
    reply.bulk(key);
}

/// What follows when there was nothing to read: the command waits, or says so. `places` are where
/// it will go on, where that differs from what the client said; after `again_ms` milliseconds there
/// may be something even if nobody has changed the streams.
pub(super) fn nothing(
    cx: &mut Cx<'_>,
    request: &Request<'_>,
    places: &[Option<Id>],
    again_ms: Option<u64>,
) {
    let Some(milliseconds) = request.block else {
        return cx.reply.null_array();
    };
    cx.db.effects.wait_again_ms = again_ms;
    let mut args: Vec<Box<[u8]>> = cx.args.iter().map(Box::from).collect();
    let first = args.len() - places.len();
    for (arg, place) in args[first..].iter_mut().zip(places) {
        if let Some(id) = place {
            *arg = super::id::Text::of(*id).as_bytes().into();
        }
    }
    cx.db.effects.wait = Some(Wait {
        keys: request.streams.iter().map(|(key, _)| Box::from(*key)).collect(),
        wanted: ValueType::Stream,
        on_loss: request.group.is_some(),
        timeout_ms: Some(milliseconds).filter(|&milliseconds| milliseconds > 0),
        denied: Denied::NullArray,
        args: Some(args),
        awaited: Awaited::Keys,
    });
}
