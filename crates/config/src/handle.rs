//! Typed handles: how the server reads a parameter without knowing its name at run time.
//!
//! `config.get(PORT)` is one relaxed atomic load for numbers, switches and words. A handle is a
//! constant that is checked against its row when the crate is compiled: a handle of the wrong
//! type does not build.

use std::marker::PhantomData;
use std::sync::Arc;

use crate::choice::{Choices, ShutdownFlags, WordTable};
use crate::config::Config;
use crate::lists::{self, ClientClass, EventFlags, OutputLimit, SavePoint};
use crate::row::{Kind, List, Row};

/// Position of a row in the table of all rows; also the index of its live value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowId(pub(crate) u16);

impl RowId {
    /// The index as a number, below [`crate::rows`]'s length.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// What is known about the parameter.
    #[must_use]
    pub fn row(self) -> &'static Row {
        crate::rows::TABLE[self.index()]
    }
}

/// A parameter that can be read as a Rust value.
pub trait Parameter: Copy {
    /// What reading gives.
    type Value;

    /// Which row it is.
    fn id(self) -> RowId;

    /// The value of now.
    fn read(self, config: &Config) -> Self::Value;
}

macro_rules! handles {
    ($(
        $(#[$meta:meta])*
        $name:ident($kind:pat, $value:ty, |$config:ident, $id:ident| $read:expr);
    )+) => { $(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name(RowId);

        impl $name {
            /// Ties the handle to its row; called in constants only.
            pub(crate) const fn bind(index: u16, row: &Row) -> Self {
                assert!(matches!(row.kind, $kind), "the handle's type does not fit its row");
                Self(RowId(index))
            }
        }

        impl Parameter for $name {
            type Value = $value;

            fn id(self) -> RowId {
                self.0
            }

            #[inline]
            fn read(self, $config: &Config) -> $value {
                let $id = self.0;
                $read
            }
        }
    )+ };
}

handles! {
    /// A switch.
    Bool(Kind::Bool { .. }, bool, |config, id| config.word(id) != 0);
    /// A whole number.
    Int(Kind::Int { .. } | Kind::Octal { .. }, i64, |config, id| config.word(id));
    /// A number of bytes.
    Bytes(Kind::Bytes { .. }, u64, |config, id| config.word(id).cast_unsigned());
    /// A number of bytes or a share of `maxmemory`.
    BytesOrPercent(Kind::BytesOrPercent { .. }, Amount, |config, id| {
        Amount::from_word(config.word(id))
    });
    /// Any bytes.
    Text(Kind::Text { .. }, Arc<[u8]>, |config, id| config.text(id));
    /// Signal behaviour.
    OnSignal(Kind::Flags { .. }, ShutdownFlags, |config, id| {
        ShutdownFlags::from_bits(config.word(id))
    });
    /// A set of words that nobody asks one by one.
    Bits(Kind::Flags { .. }, i64, |config, id| config.word(id));
    /// Classes of keyspace events.
    Events(Kind::Events, EventFlags, |config, id| EventFlags::from_bits(config.word(id)));
    /// Save points.
    SavePoints(Kind::List { list: List::SavePoints, .. }, Vec<SavePoint>, |config, id| {
        lists::save_points(&config.text(id))
    });
    /// Output buffer limits; [`Config::output_limit`] reads one class without a lock.
    OutputLimits(Kind::List { list: List::OutputLimits, .. }, [OutputLimit; 3], |config, _id| {
        ClientClass::ALL.map(|class| config.output_limit(class))
    });
    /// Scores for the kernel's out-of-memory killer: primary, replica, background child.
    OomScores(Kind::List { list: List::OomScores, .. }, [i64; 3], |config, id| {
        lists::oom_scores(&config.text(id))
    });
    /// Addresses.
    Addresses(Kind::List { list: List::Addresses, .. }, Vec<Vec<u8>>, |config, id| {
        lists::words(&config.text(id))
    });
    /// Host and port of the primary, none for a primary.
    Primary(Kind::List { list: List::Primary, .. }, Option<(Vec<u8>, u16)>, |config, id| {
        lists::primary(&config.text(id))
    });
    /// Percentiles between 0 and 100.
    Percentiles(Kind::List { list: List::Percentiles, .. }, Vec<f64>, |config, id| {
        lists::percentiles(&config.text(id))
    });
}

/// One word of a list, as the enum `T`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice<T>(RowId, PhantomData<T>);

impl<T: Choices> Choice<T> {
    /// Ties the handle to its row; called in constants only.
    pub(crate) const fn bind(index: u16, row: &Row) -> Self {
        match row.kind {
            Kind::Choice { words, .. } => {
                assert!(same_words(words, T::WORDS), "the row has the words of another enum");
            }
            _ => panic!("the handle's type does not fit its row"),
        }
        Self(RowId(index), PhantomData)
    }
}

impl<T: Choices> Parameter for Choice<T> {
    type Value = T;

    fn id(self) -> RowId {
        self.0
    }

    #[inline]
    fn read(self, config: &Config) -> T {
        T::from_number(config.word(self.0))
    }
}

const fn same_words(one: WordTable, other: WordTable) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        let (left, right) = (one[at].0.as_bytes(), other[at].0.as_bytes());
        if left.len() != right.len() || one[at].1 != other[at].1 {
            return false;
        }
        let mut byte = 0;
        while byte < left.len() {
            if left[byte] != right[byte] {
                return false;
            }
            byte += 1;
        }
        at += 1;
    }
    true
}

/// An amount of memory, absolute or relative to `maxmemory`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// Bytes; 0 means no limit.
    Bytes(u64),
    /// Hundredths of `maxmemory`, 1 to 100.
    Percent(u8),
}

impl Amount {
    /// Percentages are stored as negative numbers.
    pub(crate) fn from_word(word: i64) -> Self {
        match u8::try_from(word.wrapping_neg()) {
            Ok(percent @ 1..=100) => Self::Percent(percent),
            _ => Self::Bytes(word.cast_unsigned()),
        }
    }

    /// Bytes, given the memory limit; 0 means no limit.
    #[must_use]
    pub fn resolve(self, maxmemory: u64) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Percent(percent) => maxmemory / 100 * u64::from(percent),
        }
    }
}
