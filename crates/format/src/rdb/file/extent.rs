//! Where a record's value ends, found without decoding it.
//!
//! A body is a sequence of few kinds of parts; a count says how often a part of the sequence
//! repeats. So each type has a shape, and one small machine walks them all. Its place is a stack of
//! counters: when the bytes end too early, it stops before the part that is not whole and goes on
//! there when there are more. However large a value is, every byte is stepped over once.

use super::super::ObjectType;
use super::super::decode::DecodeError;
use super::super::reader::Reader;
use super::module;

/// A part of a body.
#[derive(Debug)]
enum Part {
    /// A length or another number.
    Length,
    /// So many of them.
    Lengths(u8),
    /// A string in any form.
    Text,
    /// So many bytes.
    Raw(u64),
    /// A score as text.
    Score,
    /// A count, and so many times the parts.
    Repeat(&'static [Part]),
    /// A count, a number, and so many times the parts.
    RepeatAfterLength(&'static [Part]),
    /// Pieces of a module, up to the mark of their end.
    Pieces,
}

use Part::{Length, Lengths, Pieces, Raw, Repeat, RepeatAfterLength, Score, Text};

/// What modules attach to a key: ids, each with pieces.
const KEY_META: &[Part] = &[Repeat(&[Raw(4), Pieces])];
/// A name, then pairs of slots.
const SLOT_IMPORT: &[Part] = &[Text, Repeat(&[Lengths(2)])];
/// Whose it is, when it is to be loaded (a piece), then its pieces.
const MODULE_AUX: &[Part] = &[Lengths(3), Pieces];

const BLOCKS: Part = Repeat(&[Text, Text]);
const PENDING: Part = Repeat(&[Raw(24), Length]);
const PENDING_OF_CONSUMER: Part = Repeat(&[Raw(16)]);
/// Consumers with one time and with two.
const CONSUMERS: Part = Repeat(&[Text, Raw(8), PENDING_OF_CONSUMER]);
const CONSUMERS_3: Part = Repeat(&[Text, Raw(16), PENDING_OF_CONSUMER]);
const STREAM: &[Part] = &[BLOCKS, Lengths(3), Repeat(&[Text, Lengths(2), PENDING, CONSUMERS])];
const STREAM_2: &[Part] = &[BLOCKS, Lengths(8), Repeat(&[Text, Lengths(3), PENDING, CONSUMERS])];
const STREAM_3: &[Part] = &[BLOCKS, Lengths(8), Repeat(&[Text, Lengths(3), PENDING, CONSUMERS_3])];
const PRODUCERS: Part = Repeat(&[Text, Repeat(&[Text, Lengths(2)])]);
const STREAM_4: &[Part] = &[
    BLOCKS,
    Lengths(8),
    Repeat(&[Text, Lengths(3), PENDING, CONSUMERS_3]),
    Lengths(2),
    PRODUCERS,
    Lengths(2),
];

/// The shape of a value's body.
fn shape(kind: ObjectType) -> &'static [Part] {
    match kind {
        ObjectType::String
        | ObjectType::HashZipmap
        | ObjectType::ListZiplist
        | ObjectType::SetIntset
        | ObjectType::SortedSetZiplist
        | ObjectType::HashZiplist
        | ObjectType::HashListpack
        | ObjectType::SortedSetListpack
        | ObjectType::SetListpack => &[Text],
        ObjectType::List | ObjectType::Set | ObjectType::ListQuicklist => &[Repeat(&[Text])],
        ObjectType::SortedSet => &[Repeat(&[Text, Score])],
        ObjectType::SortedSet2 => &[Repeat(&[Text, Raw(8)])],
        ObjectType::Hash => &[Repeat(&[Text, Text])],
        ObjectType::HashDeadlines => &[Repeat(&[Text, Text, Raw(8)])],
        ObjectType::HashTimed => &[Raw(8), Repeat(&[Length, Text, Text])],
        ObjectType::HashTimedListpack => &[Raw(8), Text],
        ObjectType::ListQuicklist2 => &[Repeat(&[Length, Text])],
        ObjectType::StreamListpacks => STREAM,
        ObjectType::StreamListpacks2 => STREAM_2,
        ObjectType::StreamListpacks3 => STREAM_3,
        ObjectType::StreamListpacks4 => STREAM_4,
        ObjectType::Module => &[Length, Pieces],
        ObjectType::Array => &[RepeatAfterLength(&[Length, Text])],
    }
}

/// Parts that are under way.
#[derive(Clone, Copy, Debug)]
struct Frame {
    parts: &'static [Part],
    /// Which is next.
    next: usize,
    /// How often they are still to be begun from the first.
    rounds: u64,
}

/// A walk to the end of a record.
#[derive(Clone, Debug, Default)]
pub(super) struct Extent {
    frames: Vec<Frame>,
}

impl Extent {
    /// A walk over a key and the body of its value.
    pub(super) fn of_entry(kind: ObjectType) -> Self {
        Self { frames: vec![Frame::once(shape(kind)), Frame::once(&[Text])] }
    }

    /// A walk over what modules attach to a key.
    pub(super) fn of_key_meta() -> Self {
        Self { frames: vec![Frame::once(KEY_META)] }
    }

    /// A walk over the state of a slot's migration.
    pub(super) fn of_slot_import() -> Self {
        Self { frames: vec![Frame::once(SLOT_IMPORT)] }
    }

    /// A walk over what a module keeps beside the keys.
    pub(super) fn of_module_aux() -> Self {
        Self { frames: vec![Frame::once(MODULE_AUX)] }
    }

    /// Steps over parts until the record ends.
    ///
    /// # Errors
    /// If it is damaged. If it is only cut off, `reader` stands where the walk goes on when there
    /// are more bytes.
    pub(super) fn advance(&mut self, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        while let Some(frame) = self.frames.last_mut() {
            let Some(part) = frame.parts.get(frame.next) else {
                frame.rounds -= 1;
                frame.next = 0;
                if frame.rounds == 0 {
                    self.frames.pop();
                }
                continue;
            };
            let before = reader.clone();
            match step(part, reader) {
                Ok(Stepped::Over) => frame.next += 1,
                Ok(Stepped::Within) => {}
                Ok(Stepped::Into { parts, rounds }) => {
                    frame.next += 1;
                    if rounds > 0 {
                        self.frames.push(Frame { parts, next: 0, rounds });
                    }
                }
                Err(error) => {
                    *reader = before;
                    return Err(error);
                }
            }
        }
        Ok(())
    }
}

impl Frame {
    const fn once(parts: &'static [Part]) -> Self {
        Self { parts, next: 0, rounds: 1 }
    }
}

/// What a step did.
enum Stepped {
    /// The part lies behind.
    Over,
    /// A piece of it does, and the part goes on.
    Within,
    /// It is so many times these parts.
    Into { parts: &'static [Part], rounds: u64 },
}

fn step(part: &Part, reader: &mut Reader<'_>) -> Result<Stepped, DecodeError> {
    match *part {
        Length => drop(reader.length()?),
        Lengths(count) => (0..count).try_for_each(|_| reader.length().map(drop))?,
        Text => reader.skip_string()?,
        Raw(len) => drop(reader.take(len)?),
        Score => reader.skip_double_text()?,
        Repeat(parts) => return Ok(Stepped::Into { parts, rounds: reader.length()? }),
        RepeatAfterLength(parts) => {
            let rounds = reader.length()?;
            reader.length()?;
            return Ok(Stepped::Into { parts, rounds });
        }
        Pieces => return piece(reader),
    }
    Ok(Stepped::Over)
}

/// A piece of a module's data.
fn piece(reader: &mut Reader<'_>) -> Result<Stepped, DecodeError> {
    match reader.length()? {
        module::END => return Ok(Stepped::Over),
        module::SIGNED | module::UNSIGNED => drop(reader.length()?),
        module::FLOAT => drop(reader.take(4)?),
        module::DOUBLE => drop(reader.take(8)?),
        module::STRING => reader.skip_string()?,
        _ => return Err(DecodeError::Corrupt("a piece of a module's data is of no known kind")),
    }
    Ok(Stepped::Within)
}
