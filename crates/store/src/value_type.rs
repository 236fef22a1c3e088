//! What users call a value: its type (`TYPE`, `SCAN ... TYPE`) and its encoding
//! (`OBJECT ENCODING`, `DEBUG OBJECT`). Both names are Redis's; what is behind them is not.

use collections::entry::{StringRef, ValueRef};

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// Strings, integers and bitmaps included.
    String,
    /// Lists.
    List,
    /// Sets.
    Set,
    /// Sorted sets.
    SortedSet,
    /// Hashes.
    Hash,
    /// Streams.
    Stream,
    /// Arrays.
    Array,
}

impl ValueType {
    const ALL: [Self; 7] = [
        Self::String,
        Self::List,
        Self::Set,
        Self::SortedSet,
        Self::Hash,
        Self::Stream,
        Self::Array,
    ];

    /// The type of a value.
    #[must_use]
    pub fn of(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::String(_) => Self::String,
            ValueRef::Object(object) => {
                let name = object.type_name().as_bytes();
                Self::from_name(name).expect("every collection's type is one of these")
            }
        }
    }

    /// The name that `TYPE` prints.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::List => "list",
            Self::Set => "set",
            Self::SortedSet => "zset",
            Self::Hash => "hash",
            Self::Stream => "stream",
            Self::Array => "array",
        }
    }

    /// The type called `name`, in any case.
    #[must_use]
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| name.eq_ignore_ascii_case(kind.name().as_bytes()))
    }
}

/// Strings up to this many bytes are called `embstr`, unless they were built by editing in place.
const EMBEDDED_BYTES_MAX: usize = 44;

/// The name of a value's encoding.
#[must_use]
pub fn encoding_name(value: ValueRef<'_>) -> &'static str {
    let (len, raw) = match value {
        ValueRef::Object(object) => return object.encoding(),
        ValueRef::String(StringRef::Int(_)) => return "int",
        ValueRef::String(StringRef::Inline { bytes, raw }) => (bytes.len(), raw),
        // Under a long key even a short string has a buffer of its own.
        ValueRef::String(StringRef::Shared { bytes, raw }) => (bytes.len(), raw),
    };
    if len <= EMBEDDED_BYTES_MAX && !raw { "embstr" } else { "raw" }
}

#[cfg(test)]
mod tests {
    use collections::bytes::SharedBytes;

    use super::*;

    #[test]
    fn names_lead_back_to_their_type() {
        for kind in ValueType::ALL {
            let upper = kind.name().to_ascii_uppercase();
            assert_eq!(ValueType::from_name(upper.as_bytes()), Some(kind));
        }
        assert_eq!(ValueType::from_name(b"none"), None);
    }

    #[test]
    fn strings_are_embedded_up_to_44_bytes_wherever_they_are() {
        let string = |string: StringRef<'_>| encoding_name(ValueRef::String(string));
        let long = [b'x'; 45];
        let inline = |len: usize, raw| string(StringRef::Inline { bytes: &long[..len], raw });
        assert_eq!(
            [inline(44, false), inline(45, false), inline(1, true)],
            ["embstr", "raw", "raw"]
        );
        let shared = |len: usize, raw| {
            let bytes = SharedBytes::from(&long[..len]);
            string(StringRef::Shared { bytes: &bytes, raw })
        };
        assert_eq!(
            [shared(44, false), shared(45, false), shared(1, true)],
            ["embstr", "raw", "raw"]
        );
        assert_eq!(string(StringRef::Int(7)), "int");
    }
}
