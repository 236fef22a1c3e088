//! The parameters with a grammar of their own: save points, output limits, addresses...
//!
//! Each is stored as the text that `CONFIG GET` shows, which its reader here turns into values.
//! That text is always one that the parser of this file wrote, so the readers cannot fail; on
//! anything else they leave out what they do not understand.

use std::borrow::Cow;

use stdx::size::parse_size;

use crate::row::List;

/// Why a value was refused, in the words of the reply.
pub(crate) type Reason = Cow<'static, str>;

/// Most addresses that `bind` takes.
const ADDRESSES_MAX: usize = 16;
/// Largest magnitude of an out-of-memory score.
const OOM_SCORE_MAX: i64 = 2000;

/// One `save` rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SavePoint {
    /// Seconds since the last snapshot.
    pub seconds: u64,
    /// Changes since the last snapshot.
    pub changes: u64,
}

/// Classes of clients that have output limits of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientClass {
    /// Clients that ask and get.
    Normal,
    /// Replicas.
    Replica,
    /// Clients that are subscribed to something.
    Pubsub,
}

impl ClientClass {
    /// Every class, in the order of `CONFIG GET`.
    pub const ALL: [Self; 3] = [Self::Normal, Self::Replica, Self::Pubsub];

    pub(crate) fn parse(name: &[u8]) -> Option<Self> {
        match name.to_ascii_lowercase().as_slice() {
            b"normal" => Some(Self::Normal),
            b"replica" | b"slave" => Some(Self::Replica),
            b"pubsub" => Some(Self::Pubsub),
            _ => None,
        }
    }

    /// The name in `CONFIG GET`.
    #[must_use]
    pub fn shown_name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Replica => "slave",
            Self::Pubsub => "pubsub",
        }
    }

    /// The name in configuration files.
    #[must_use]
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Replica => "replica",
            other => other.shown_name(),
        }
    }
}

/// How much output may wait for a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputLimit {
    /// Bytes at which the client is closed at once; 0 for no limit.
    pub hard_bytes: u64,
    /// Bytes that may wait for [`OutputLimit::soft_seconds`]; 0 for no limit.
    pub soft_bytes: u64,
    /// Seconds.
    pub soft_seconds: u64,
}

/// A set of event classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventFlags(i64);

macro_rules! events {
    ($($(#[$meta:meta])* $name:ident = $bit:literal, $character:literal;)+) => {
        impl EventFlags {
            $($(#[$meta])* pub const $name: Self = Self(1 << $bit);)+

            /// Characters and classes, in the order in which `CONFIG GET` shows them.
            const CHARACTERS: &[(u8, Self)] = &[$(($character, Self::$name)),+];
        }
    };
}

events! {
    /// `g`: commands that work on every type.
    GENERIC = 2, b'g';
    /// `$`: strings.
    STRING = 3, b'$';
    /// `l`: lists.
    LIST = 4, b'l';
    /// `s`: sets.
    SET = 5, b's';
    /// `h`: hashes.
    HASH = 6, b'h';
    /// `z`: sorted sets.
    ZSET = 7, b'z';
    /// `x`: keys that expired.
    EXPIRED = 8, b'x';
    /// `e`: keys that were evicted.
    EVICTED = 9, b'e';
    /// `t`: streams.
    STREAM = 10, b't';
    /// `d`: module types.
    MODULE = 13, b'd';
    /// `a`: arrays.
    ARRAY = 17, b'a';
    /// `n`: keys that did not exist before.
    NEW = 14, b'n';
    /// `o`: values that were replaced as a whole.
    OVERWRITTEN = 15, b'o';
    /// `c`: keys whose type changed.
    TYPE_CHANGED = 16, b'c';
    /// `K`: publish on `__keyspace@<db>__:<key>`.
    KEYSPACE = 0, b'K';
    /// `E`: publish on `__keyevent@<db>__:<event>`.
    KEYEVENT = 1, b'E';
    /// `m`: reads of keys that do not exist.
    KEY_MISS = 11, b'm';
    /// `S`: publish hash fields on `__subkeyspace@<db>__:<key>`.
    SUBKEYSPACE = 18, b'S';
    /// `T`: publish hash fields on `__subkeyevent@<db>__:<event>`.
    SUBKEYEVENT = 19, b'T';
    /// `I`: publish on a channel for each key and field.
    SUBKEYSPACE_ITEM = 20, b'I';
    /// `V`: publish on a channel for each event and key.
    SUBKEYSPACE_EVENT = 21, b'V';
}

impl EventFlags {
    /// `A`: every class of data events.
    pub const ALL: Self = Self(0b111_1111_1100 | 1 << 13 | 1 << 17);

    pub(crate) fn from_bits(bits: i64) -> Self {
        Self(bits)
    }

    pub(crate) fn bits(self) -> i64 {
        self.0
    }

    /// Whether nothing is published.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether messages are published that name the elements of a value.
    #[must_use]
    pub fn names_subkeys(self) -> bool {
        let channels = Self::SUBKEYSPACE.0 | Self::SUBKEYEVENT.0 | Self::SUBKEYSPACE_ITEM.0;
        self.0 & (channels | Self::SUBKEYSPACE_EVENT.0) != 0
    }

    /// Whether all of `other` is in the set.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Reads the characters of `notify-keyspace-events`; `None` at an unknown one.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut bits = 0;
        for &character in text {
            bits |= match character {
                b'A' => Self::ALL.0,
                _ => Self::CHARACTERS.iter().find(|(known, _)| *known == character)?.1.0,
            };
        }
        Some(Self(bits))
    }

    /// The characters of the set, `A` where it stands for all data events.
    #[must_use]
    pub fn to_text(self) -> Vec<u8> {
        let mut text = Vec::new();
        if self.contains(Self::ALL) {
            text.push(b'A');
        }
        for &(character, class) in Self::CHARACTERS {
            let shown = self.contains(Self::ALL) && Self::ALL.contains(class);
            if self.contains(class) && !shown {
                text.push(character);
            }
        }
        text
    }
}

impl std::ops::BitOr for EventFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The canonical text of `args`; `current` is what the parameter holds now.
pub(crate) fn parse(list: List, args: &[&[u8]], current: &[u8]) -> Result<Vec<u8>, Reason> {
    match list {
        List::SavePoints => parse_save(args),
        List::OutputLimits => parse_limits(args, current),
        List::OomScores => parse_oom_scores(args),
        List::Addresses => parse_addresses(args),
        List::Primary => parse_primary(args),
        List::Percentiles => parse_percentiles(args),
    }
}

fn unsigned(text: &[u8]) -> Option<u64> {
    u64::try_from(crate::value::parse_i64(text)?).ok()
}

fn parse_save(args: &[&[u8]]) -> Result<Vec<u8>, Reason> {
    if matches!(args, [b""]) {
        return Ok(Vec::new());
    }
    let refusal = || Reason::from("Invalid save parameters");
    if !args.len().is_multiple_of(2) {
        return Err(refusal());
    }
    for pair in args.chunks_exact(2) {
        let seconds = unsigned(pair[0]).ok_or_else(refusal)?;
        unsigned(pair[1]).ok_or_else(refusal)?;
        if seconds == 0 {
            return Err(refusal());
        }
    }
    Ok(args.join(&b' '))
}

fn parse_limits(args: &[&[u8]], current: &[u8]) -> Result<Vec<u8>, Reason> {
    if !args.len().is_multiple_of(4) {
        return Err("Wrong number of arguments in buffer limit configuration.".into());
    }
    let mut limits = output_limits(current);
    for four in args.chunks_exact(4) {
        let Some(class) = ClientClass::parse(four[0]) else {
            return Err("Invalid client class specified in buffer limit configuration.".into());
        };
        let limit = parse_size(four[1]).zip(parse_size(four[2])).zip(unsigned(four[3])).map(
            |((hard_bytes, soft_bytes), soft_seconds)| OutputLimit {
                hard_bytes,
                soft_bytes,
                soft_seconds,
            },
        );
        limits[class as usize] = limit
            .ok_or("Error in hard, soft or soft_seconds setting in buffer limit configuration.")?;
    }
    let shown = ClientClass::ALL.map(|class| {
        let limit = limits[class as usize];
        let name = class.shown_name();
        format!("{name} {} {} {}", limit.hard_bytes, limit.soft_bytes, limit.soft_seconds)
    });
    Ok(shown.join(" ").into_bytes())
}

fn parse_oom_scores(args: &[&[u8]]) -> Result<Vec<u8>, Reason> {
    if args.len() != 3 {
        return Err("wrong number of arguments".into());
    }
    for score in args {
        match crate::value::parse_i64(score) {
            Some(score) if score.abs() <= OOM_SCORE_MAX => {}
            _ => {
                let reason =
                    "Invalid oom-score-adj-values, elements must be between -2000 and 2000.";
                return Err(reason.into());
            }
        }
    }
    Ok(args.join(&b' '))
}

fn parse_addresses(args: &[&[u8]]) -> Result<Vec<u8>, Reason> {
    if args.len() > ADDRESSES_MAX {
        return Err("Too many bind addresses specified.".into());
    }
    let args: Vec<&[u8]> = args.iter().copied().filter(|address| !address.is_empty()).collect();
    // No address has them, and a file could not hold them.
    let foreign = |byte: &u8| !byte.is_ascii_graphic() || b"\"'\\".contains(byte);
    if args.iter().any(|address| address.iter().any(foreign)) {
        return Err("Failed to bind to specified addresses.".into());
    }
    Ok(args.join(&b' '))
}

fn parse_primary(args: &[&[u8]]) -> Result<Vec<u8>, Reason> {
    let [host, port] = args else { return Err("wrong number of arguments".into()) };
    if host.eq_ignore_ascii_case(b"no") && port.eq_ignore_ascii_case(b"one") {
        return Ok(Vec::new());
    }
    match crate::value::parse_i64(port) {
        Some(0..=65535) if !host.is_empty() && !host.contains(&b' ') => Ok(args.join(&b' ')),
        _ => Err("Invalid master port".into()),
    }
}

fn parse_percentiles(args: &[&[u8]]) -> Result<Vec<u8>, Reason> {
    if matches!(args, [b""]) {
        return Ok(Vec::new());
    }
    let mut shown = Vec::with_capacity(args.len());
    for text in args {
        let number = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
        match number.filter(|number: &f64| !number.is_nan()) {
            Some(number) if (0.0..=100.0).contains(&number) => shown.push(number.to_string()),
            Some(_) => {
                let reason = "latency-tracking-info-percentiles parameters should sit between \
                              [0.0,100.0]";
                return Err(reason.into());
            }
            None => return Err("Invalid latency-tracking-info-percentiles parameters".into()),
        }
    }
    Ok(shown.join(" ").into_bytes())
}

/// The words of a stored list.
pub(crate) fn words(stored: &[u8]) -> Vec<Vec<u8>> {
    stored.split(|&byte| byte == b' ').filter(|word| !word.is_empty()).map(<[u8]>::to_vec).collect()
}

/// The save points of the stored text.
pub(crate) fn save_points(stored: &[u8]) -> Vec<SavePoint> {
    let numbers: Vec<u64> = words(stored).iter().filter_map(|word| unsigned(word)).collect();
    numbers.chunks_exact(2).map(|pair| SavePoint { seconds: pair[0], changes: pair[1] }).collect()
}

/// The limits of the stored text, by [`ClientClass`].
pub(crate) fn output_limits(stored: &[u8]) -> [OutputLimit; 3] {
    let mut limits = [OutputLimit::default(); 3];
    for four in words(stored).chunks_exact(4) {
        if let Some(class) = ClientClass::parse(&four[0]) {
            let number = |at: usize| parse_size(&four[at]).unwrap_or(0);
            limits[class as usize] = OutputLimit {
                hard_bytes: number(1),
                soft_bytes: number(2),
                soft_seconds: number(3),
            };
        }
    }
    limits
}

/// The scores of the stored text.
pub(crate) fn oom_scores(stored: &[u8]) -> [i64; 3] {
    let mut scores = [0; 3];
    for (score, word) in scores.iter_mut().zip(words(stored)) {
        *score = crate::value::parse_i64(&word).unwrap_or(0);
    }
    scores
}

/// Host and port of the stored text.
pub(crate) fn primary(stored: &[u8]) -> Option<(Vec<u8>, u16)> {
    let [host, port] = words(stored).try_into().ok()?;
    let port = u16::try_from(crate::value::parse_i64(&port)?).ok()?;
    Some((host, port))
}

/// The percentiles of the stored text.
pub(crate) fn percentiles(stored: &[u8]) -> Vec<f64> {
    words(stored).iter().filter_map(|word| std::str::from_utf8(word).ok()?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(list: List, text: &str, current: &str) -> Result<String, String> {
        let args: Vec<&[u8]> = text.split(' ').map(str::as_bytes).collect();
        parse(list, &args, current.as_bytes())
            .map(|text| String::from_utf8(text).unwrap())
            .map_err(|reason| reason.into_owned())
    }

    #[test]
    fn save() {
        assert_eq!(parsed(List::SavePoints, "900 1 3 0", "").unwrap(), "900 1 3 0");
        assert_eq!(parsed(List::SavePoints, "", "9 9").unwrap(), "");
        for bad in ["1", "1 2 3", "0 2", "a b", "10 -1", "900  1"] {
            assert_eq!(parsed(List::SavePoints, bad, "").unwrap_err(), "Invalid save parameters");
        }
        let points = save_points(b"3600 1 300 100");
        assert_eq!(points[1], SavePoint { seconds: 300, changes: 100 });
    }

    #[test]
    fn limits_change_one_class() {
        let default = "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60";
        assert_eq!(
            parsed(List::OutputLimits, "replica 1mb 2k 3 Pubsub 1 2 4", default).unwrap(),
            "normal 0 0 0 slave 1048576 2000 3 pubsub 1 2 4"
        );
        let limits = output_limits(default.as_bytes());
        assert_eq!(limits[ClientClass::Replica as usize].hard_bytes, 256 << 20);
        for bad in ["normal 1", "bad 1 2 3", "normal 1xb 2 3", "normal 1 2 -3", "master 1 2 3"] {
            assert!(parsed(List::OutputLimits, bad, default).is_err(), "{bad}");
        }
    }

    #[test]
    fn events() {
        for (given, shown) in [
            ("", ""),
            ("KEA", "AKE"),
            ("KEAm", "AKEm"),
            ("mnKg", "gnKm"),
            ("Kag$lshzxetdm", "AKm"),
            ("Eo", "oE"),
            ("KhSTIV", "hKSTIV"),
        ] {
            let flags = EventFlags::parse(given.as_bytes()).unwrap();
            assert_eq!(flags.to_text(), shown.as_bytes(), "{given}");
            assert_eq!(EventFlags::parse(&flags.to_text()), Some(flags));
        }
        assert_eq!(EventFlags::parse(b"Kq"), None);
        assert!(EventFlags::ALL.contains(EventFlags::STREAM | EventFlags::MODULE));
        assert!(!EventFlags::ALL.contains(EventFlags::KEY_MISS));
        assert!(!EventFlags::ALL.contains(EventFlags::NEW));
    }

    #[test]
    fn the_others() {
        assert_eq!(
            parsed(List::Percentiles, "50.123456 99.99 100 0", "").unwrap(),
            "50.123456 99.99 100 0"
        );
        assert!(parsed(List::Percentiles, "101", "").unwrap_err().contains("sit between"));
        assert!(parsed(List::Percentiles, "nan", "").is_err());
        assert!(parsed(List::Percentiles, "x", "").is_err());
        assert_eq!(parsed(List::Primary, "NO ONE", "h 1").unwrap(), "");
        assert_eq!(parsed(List::Primary, "h 1", "").unwrap(), "h 1");
        assert_eq!(parsed(List::Primary, "h x", "").unwrap_err(), "Invalid master port");
        assert_eq!(primary(b"host 6379"), Some((b"host".to_vec(), 6379)));
        assert_eq!(primary(b""), None);
        assert_eq!(oom_scores(b"1 -2 3"), [1, -2, 3]);
        assert!(parsed(List::OomScores, "1 2", "").is_err());
        assert!(parsed(List::OomScores, "1 2 2001", "").is_err());
        assert!(parsed(List::Addresses, &["a"; 17].join(" "), "").is_err());
        assert_eq!(words(b"127.0.0.1 -::1"), [b"127.0.0.1".to_vec(), b"-::1".to_vec()]);
    }
}
