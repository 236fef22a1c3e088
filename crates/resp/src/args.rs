//! The arguments of one command, as views into the bytes they arrived in.
//!
//! A command is a buffer and a list of spans within it. [`Args`] borrows both and is copied
//! freely; [`OwnedArgs`] owns them, for commands that outlive their request: the queue of
//! `MULTI`, the slow log, blocked clients.

use std::fmt;
use std::ops::Index;

use stdx::{num, text};

use crate::command_line::find_header;

/// What ends an argument.
pub(crate) const LINE_END: &[u8] = b"\r\n";

/// An argument that is longer costs more to copy than to frame anew.
const ENCODED_LEN_MAX: usize = 999;

/// Where an argument lies: offsets from the start of the buffer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// The arguments of a command, its name first. Cheap to copy; the bytes belong to someone else.
#[derive(Clone, Copy)]
pub struct Args<'a> {
    bytes: &'a [u8],
    spans: &'a [Span],
}

impl<'a> Args<'a> {
    /// The spans must lie within `bytes`, as those of the parser do.
    #[inline]
    pub(crate) fn new(bytes: &'a [u8], spans: &'a [Span]) -> Self {
        Self { bytes, spans }
    }

    /// The number of arguments, the name included.
    #[inline]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether every argument ends with CRLF. The parser steps over these two bytes whatever they
    /// are, as all servers do; in a file other bytes there mean damage. For arguments that still
    /// lie where the parser found them.
    pub fn are_terminated(&self) -> bool {
        let ends_well = |span: &Span| self.bytes.get(span.end..span.end + 2) == Some(LINE_END);
        self.spans.iter().all(ends_well)
    }

    /// The bytes of the whole command, if the arguments lie among bytes that are just what
    /// [`encode_command`](crate::encode_command) would write, and all are short.
    ///
    /// Arguments that do not touch lie where the parser found them, with headers before them that
    /// it has read: of these the mark and the number are known, and a number has one form only.
    /// What the parser has stepped over is looked at here.
    #[inline]
    pub(crate) fn as_encoded(&self) -> Option<&'a [u8]> {
        let (first, others) = self.spans.split_first()?;
        let header_len = match first.end - first.start {
            0..10 => 4,
            10..100 => 5,
            // Names are short.
            _ => return None,
        };
        let header = first.start.checked_sub(header_len)?;
        let start = find_header(self.bytes, header, b'*', self.len())?;
        if self.bytes.get(first.start - 1) != Some(&b'\n') {
            return None;
        }
        let mut end = first.end;
        for span in others {
            let is_short = span.end - span.start <= ENCODED_LEN_MAX;
            match self.bytes.get(end..span.start)? {
                [b'\r', b'\n', _, .., b'\n'] if is_short => end = span.end,
                _ => return None,
            }
        }
        let encoded = self.bytes.get(start..end + LINE_END.len())?;
        encoded.ends_with(LINE_END).then_some(encoded)
    }

    /// Whether there is no argument, not even a name. Never so for what the parser returns.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Argument number `index`; zero is the name.
    #[inline]
    pub fn get(&self, index: usize) -> Option<&'a [u8]> {
        self.spans.get(index).map(|span| &self.bytes[span.start..span.end])
    }

    /// The name of the command as the client wrote it; empty if there are no arguments at all.
    #[inline]
    pub fn name(&self) -> &'a [u8] {
        self.get(0).unwrap_or_default()
    }

    /// The arguments from number `from` on; none if there are fewer.
    #[inline]
    #[must_use]
    pub fn tail(&self, from: usize) -> Self {
        Self { bytes: self.bytes, spans: self.spans.get(from..).unwrap_or_default() }
    }

    /// The arguments in order.
    #[inline]
    pub fn iter(&self) -> Iter<'a> {
        Iter { bytes: self.bytes, spans: self.spans.iter() }
    }

    /// The arguments by twos; an odd one at the end is left out.
    #[inline]
    #[must_use]
    pub fn pairs(&self) -> impl ExactSizeIterator<Item = (&'a [u8], &'a [u8])> + Clone + use<'a> {
        let (bytes, (pairs, _)) = (self.bytes, self.spans.as_chunks::<2>());
        let text = |span: &Span| &bytes[span.start..span.end];
        pairs.iter().map(move |[first, second]| (text(first), text(second)))
    }

    /// The sum of the arguments' lengths in bytes.
    pub fn bytes_len(&self) -> usize {
        self.spans.iter().map(|span| span.end - span.start).sum()
    }

    /// At least the number of bytes that the arguments have in a request, in constant time.
    #[inline]
    #[must_use]
    pub fn request_len_max(&self) -> usize {
        /// Digits of a length, its marker and two line ends.
        const FRAME_LEN_MAX: usize = 25;
        let (Some(first), Some(last)) = (self.spans.first(), self.spans.last()) else { return 0 };
        last.end.saturating_sub(first.start) + FRAME_LEN_MAX * (self.len() + 1)
    }

    /// The number of bytes that the arguments have in a request.
    #[must_use]
    pub fn request_len(&self) -> usize {
        let framed = |len: usize| 1 + num::decimal_len(len as i64) + 2 + len + 2;
        let header = 1 + num::decimal_len(self.len() as i64) + 2;
        header + self.spans.iter().map(|span| framed(span.end - span.start)).sum::<usize>()
    }

    /// A copy that owns its bytes.
    pub fn to_owned(&self) -> OwnedArgs {
        OwnedArgs::collect(self.len(), self.bytes_len(), self.iter())
    }
}

impl Index<usize> for Args<'_> {
    type Output = [u8];

    /// Argument number `index`.
    ///
    /// # Panics
    /// If there are not that many: for callers that have checked the number of arguments.
    #[inline]
    fn index(&self, index: usize) -> &[u8] {
        let span = self.spans[index];
        &self.bytes[span.start..span.end]
    }
}

impl<'a> IntoIterator for Args<'a> {
    type Item = &'a [u8];
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl fmt::Debug for Args<'_> {
    /// The arguments quoted and separated by spaces, as `MONITOR` shows them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, argument) in self.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            write!(f, "{space}{}", String::from_utf8_lossy(&text::quote(argument)))?;
        }
        Ok(())
    }
}

impl PartialEq for Args<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Args<'_> {}

/// Iterator over the arguments of [`Args`].
#[derive(Clone)]
pub struct Iter<'a> {
    bytes: &'a [u8],
    spans: std::slice::Iter<'a, Span>,
}

impl<'a> Iterator for Iter<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        self.spans.next().map(|span| &self.bytes[span.start..span.end])
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.spans.size_hint()
    }
}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.spans.next_back().map(|span| &self.bytes[span.start..span.end])
    }
}

impl ExactSizeIterator for Iter<'_> {}

/// Arguments that own their bytes: all of them in one buffer of the exact size.
#[derive(Clone, Default)]
pub struct OwnedArgs {
    bytes: Box<[u8]>,
    spans: Box<[Span]>,
}

impl OwnedArgs {
    /// Copies `arguments`.
    pub fn from_slices<T: AsRef<[u8]>>(arguments: &[T]) -> Self {
        let bytes_len = arguments.iter().map(|argument| argument.as_ref().len()).sum();
        Self::collect(arguments.len(), bytes_len, arguments.iter().map(AsRef::as_ref))
    }

    fn collect<'a>(
        count: usize,
        bytes_len: usize,
        arguments: impl Iterator<Item = &'a [u8]>,
    ) -> Self {
        let mut bytes = Vec::with_capacity(bytes_len);
        let mut spans = Vec::with_capacity(count);
        for argument in arguments {
            let start = bytes.len();
            bytes.extend_from_slice(argument);
            spans.push(Span { start, end: bytes.len() });
        }
        Self { bytes: bytes.into_boxed_slice(), spans: spans.into_boxed_slice() }
    }

    /// The view that handlers take.
    #[inline]
    pub fn as_args(&self) -> Args<'_> {
        Args::new(&self.bytes, &self.spans)
    }

    /// The bytes of memory behind these arguments, this value itself included.
    pub fn memory_size(&self) -> usize {
        size_of::<Self>() + self.bytes.len() + size_of_val(&*self.spans)
    }
}

/// Arguments collected one by one, in buffers that serve again and again.
#[derive(Debug, Default)]
pub struct ArgsBuffer {
    bytes: Vec<u8>,
    spans: Vec<Span>,
}

impl ArgsBuffer {
    /// Forgets all arguments; memory beyond `keep_bytes` is given back.
    pub fn clear(&mut self, keep_bytes: usize) {
        self.bytes.clear();
        self.spans.clear();
        if self.memory_size() > keep_bytes {
            self.bytes.shrink_to(keep_bytes / 2);
            self.spans.shrink_to(keep_bytes / 2 / size_of::<Span>());
        }
    }

    /// The bytes of memory that it owns.
    #[must_use]
    pub fn memory_size(&self) -> usize {
        self.bytes.capacity() + self.spans.capacity() * size_of::<Span>()
    }

    /// Adds an argument that `write` appends to the bytes.
    pub fn push_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        write(&mut self.bytes);
        self.spans.push(Span { start, end: self.bytes.len() });
    }

    /// Adds an argument.
    #[inline]
    pub fn push(&mut self, argument: &[u8]) {
        self.push_with(|bytes| bytes.extend_from_slice(argument));
    }

    /// The view that handlers take.
    #[inline]
    pub fn as_args(&self) -> Args<'_> {
        Args::new(&self.bytes, &self.spans)
    }
}

impl fmt::Debug for OwnedArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_args().fmt(f)
    }
}

impl PartialEq for OwnedArgs {
    fn eq(&self, other: &Self) -> bool {
        self.as_args() == other.as_args()
    }
}

impl Eq for OwnedArgs {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_and_copies_agree() {
        let owned = OwnedArgs::from_slices(&[&b"SET"[..], b"key", b"", b"v\n"]);
        let args = owned.as_args();
        assert_eq!((args.len(), args.name(), &args[3]), (4, &b"SET"[..], &b"v\n"[..]));
        assert_eq!((args.get(2), args.get(4)), (Some(&b""[..]), None));
        assert_eq!(args.tail(1).iter().collect::<Vec<_>>(), [&b"key"[..], b"", b"v\n"]);
        assert_eq!(args.iter().next_back(), Some(&b"v\n"[..]));
        assert!(args.tail(9).is_empty() && args.tail(4).name().is_empty());
        assert_eq!(args.tail(1).to_owned().as_args(), args.tail(1));
        assert_ne!(args, args.tail(1));
        assert_eq!(format!("{args:?}"), r#""SET" "key" "" "v\n""#);
        assert_eq!(args.tail(1).to_owned().bytes.len(), 5);
    }

    #[test]
    fn memory_size_counts_bytes_and_spans() {
        let empty = OwnedArgs::from_slices::<&[u8]>(&[]).memory_size();
        let one = OwnedArgs::from_slices(&[&[b'x'; 100][..]]).memory_size();
        assert_eq!(one - empty, 100 + size_of::<Span>());
    }
}
