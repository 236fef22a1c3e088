//! The patterns of `BY` and `GET`: names of keys, or of a field of hashes, with an element in place
//! of the first `*`.

use collections::hash::Hash;
use resp::Reply;
use store::{EntryRef, Keyspace, ObjectRef, StringRef, ValueRef};

use crate::string::value;

/// A pattern with a `*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pattern<'a> {
    prefix: &'a [u8],
    suffix: &'a [u8],
    /// The field to take from the hash, as `->field` behind the name says.
    field: Option<&'a [u8]>,
}

/// What `GET` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Get<'a> {
    /// `#`: the element itself.
    Element,
    /// A name without a `*`, which is no key of any element.
    Nothing,
    /// The value of a key.
    Pattern(Pattern<'a>),
}

/// A value that a pattern led to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found<'v> {
    String(StringRef<'v>),
    /// A field that is not due, so it need not be asked again.
    Field(&'v Hash, &'v [u8]),
}

impl<'a> Pattern<'a> {
    /// The pattern in `text`; none if that has no `*`.
    pub(super) fn parse(text: &'a [u8]) -> Option<Self> {
        let star = memchr::memchr(b'*', text)?;
        let (prefix, rest) = (&text[..star], &text[star + 1..]);
        let arrow = rest.windows(2).position(|pair| pair == b"->");
        Some(match arrow.filter(|&at| at + 2 < rest.len()) {
            Some(at) => Self { prefix, suffix: &rest[..at], field: Some(&rest[at + 2..]) },
            None => Self { prefix, suffix: rest, field: None },
        })
    }

    /// Calls `work` with the value that the pattern leads to for an element; none if there is no
    /// such key or field, or the key holds another type. A field whose time has come is removed.
    /// `scratch` lends the room for the name.
    pub(super) fn find<R>(
        &self,
        keys: &mut Keyspace<'_>,
        element: &[u8],
        scratch: &mut Vec<u8>,
        work: impl FnOnce(Option<Found<'_>>) -> R,
    ) -> R {
        scratch.clear();
        for part in [self.prefix, element, self.suffix] {
            scratch.extend_from_slice(part);
        }
        let now = keys.now();
        match (keys.read(scratch).map(EntryRef::value), self.field) {
            (Some(ValueRef::String(string)), None) => work(Some(Found::String(string))),
            (Some(ValueRef::Object(ObjectRef::Hash(hash))), Some(field)) => {
                let may_be_due = hash.may_be_due(now);
                let result = work(hash.get(field, now).map(|_| Found::Field(hash, field)));
                if may_be_due && let Some(mut edit) = keys.expiring(scratch) {
                    edit.expire_fields([field]);
                }
                result
            }
            _ => work(None),
        }
    }
}

impl<'a> Get<'a> {
    /// What the argument of a `GET` asks for.
    pub(super) fn parse(text: &'a [u8]) -> Self {
        match Pattern::parse(text) {
            _ if text == b"#" => Self::Element,
            Some(pattern) => Self::Pattern(pattern),
            None => Self::Nothing,
        }
    }
}

impl Found<'_> {
    /// The value's text; `digits` lends the room for that of an integer.
    pub(super) fn text<'b>(self, digits: &'b mut itoa::Buffer) -> Option<&'b [u8]>
    where
        Self: 'b,
    {
        match self {
            Self::String(string) => Some(value::bytes(string, digits)),
            Self::Field(hash, field) => Some(hash.find(field)?.value.text(digits)),
        }
    }

    /// Replies with the value.
    pub(super) fn reply(self, reply: &mut Reply) {
        match self {
            Self::String(string) => value::reply(reply, string),
            Self::Field(hash, field) => crate::hash::reply_value(reply, Some(hash), field, 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_have_an_element_and_perhaps_a_field() {
        let parts = |text| {
            let pattern = Pattern::parse(text)?;
            Some((pattern.prefix, pattern.suffix, pattern.field))
        };
        assert_eq!(parts(b"w_*"), Some((&b"w_"[..], &b""[..], None)));
        assert_eq!(parts(b"a*b*c"), Some((&b"a"[..], &b"b*c"[..], None)));
        assert_eq!(parts(b"*->f"), Some((&b""[..], &b""[..], Some(&b"f"[..]))));
        assert_eq!(parts(b"a->b*c->d"), Some((&b"a->b"[..], &b"c"[..], Some(&b"d"[..]))));
        assert_eq!(parts(b"*->"), Some((&b""[..], &b"->"[..], None)));
        assert_eq!(parts(b"nosort"), None);
        assert_eq!(Get::parse(b"#"), Get::Element);
        assert_eq!(Get::parse(b"key"), Get::Nothing);
    }
}
