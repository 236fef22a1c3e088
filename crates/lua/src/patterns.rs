//! Lua's patterns: a matcher that can be stopped, and that recursion cannot break.
//!
//! The one that Lua brings works inside a single call, where no hook runs, so that a text and a
//! pattern made for it (`string.find(('a'):rep(30), ('a-'):rep(30) .. 'b')`) hold the server up
//! for hours, and it recurses for each `?` of the pattern, until the thread's stack ends and the
//! process with it. This one asks every so many steps whether it may go on, and recurses only so
//! deep.
//!
//! A pattern is read as it is matched: an error in it shows when the matcher comes to it. It ends
//! at a NUL, as in Lua 5.1.

/// Captures of one pattern.
pub(crate) const CAPTURES_MAX: usize = 32;
/// What still is to be matched after repetitions and captures, each in the one before.
const DEPTH_MAX: usize = 200;
/// Steps between two questions whether to go on: some tens of microseconds.
const STEPS: usize = 10_000;

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The pattern is none: why.
    Pattern(&'static std::ffi::CStr),
    /// Somebody wants an end.
    Stopped,
}

const ENDS_WITH_ESCAPE: Trouble = Trouble::Pattern(c"malformed pattern (ends with '%')");
const NO_BRACKET: Trouble = Trouble::Pattern(c"malformed pattern (missing ']')");
const UNBALANCED: Trouble = Trouble::Pattern(c"unbalanced pattern");
const NO_FRONTIER: Trouble = Trouble::Pattern(c"missing '[' after '%f' in pattern");
const BAD_INDEX: Trouble = Trouble::Pattern(c"invalid capture index");
const UNFINISHED: Trouble = Trouble::Pattern(c"unfinished capture");
const NOT_OPEN: Trouble = Trouble::Pattern(c"invalid pattern capture");
const TOO_MANY: Trouble = Trouble::Pattern(c"too many captures");
const TOO_COMPLEX: Trouble = Trouble::Pattern(c"pattern too complex");

/// A part of the text that a pattern remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Capture {
    /// Begun here, and not ended.
    Open(usize),
    /// From here to there.
    Part(usize, usize),
    /// `()`: this place.
    Place(usize),
}

type Found = Result<Option<usize>, Trouble>;

/// A text, a pattern, and how far the one has matched the other.
pub(crate) struct Matcher<'a> {
    text: &'a [u8],
    pattern: &'a [u8],
    captures: [Capture; CAPTURES_MAX],
    captures_len: usize,
    depth: usize,
    steps: usize,
    /// Whether to go on.
    goes_on: &'a mut dyn FnMut() -> bool,
}

/// The pattern as far as it counts.
pub(crate) fn up_to_nul(pattern: &[u8]) -> &[u8] {
    let end = pattern.iter().position(|&byte| byte == 0);
    &pattern[..end.unwrap_or(pattern.len())]
}

/// Whether a pattern is nothing but its text.
pub(crate) fn is_plain(pattern: &[u8]) -> bool {
    !up_to_nul(pattern).iter().any(|byte| b"^$*+?.([%-".contains(byte))
}

impl<'a> Matcher<'a> {
    pub(crate) fn new(
        text: &'a [u8],
        pattern: &'a [u8],
        goes_on: &'a mut dyn FnMut() -> bool,
    ) -> Self {
        let captures = [Capture::Open(0); CAPTURES_MAX];
        Self { text, pattern, captures, captures_len: 0, depth: 0, steps: STEPS, goes_on }
    }

    /// Matches the pattern where `at` is: where the match ends.
    pub(crate) fn match_at(&mut self, at: usize) -> Found {
        (self.captures_len, self.depth) = (0, 0);
        self.rest(at, 0)
    }

    /// A part of the text.
    pub(crate) fn part(&self, start: usize, end: usize) -> &'a [u8] {
        &self.text[start..end]
    }

    /// Number of captures of the last match.
    pub(crate) fn captures_len(&self) -> usize {
        self.captures_len
    }

    /// A capture of the last match, which went from `start` to `end`. The first of a pattern
    /// without any is the whole match.
    pub(crate) fn capture(
        &self,
        index: usize,
        (start, end): (usize, usize),
    ) -> Result<Capture, Trouble> {
        match self.captures[..self.captures_len].get(index) {
            Some(Capture::Open(_)) => Err(UNFINISHED),
            Some(capture) => Ok(*capture),
            None if index == 0 => Ok(Capture::Part(start, end)),
            None => Err(BAD_INDEX),
        }
    }

    #[inline]
    fn step(&mut self) -> Result<(), Trouble> {
        self.steps(1)
    }

    #[inline]
    fn steps(&mut self, count: usize) -> Result<(), Trouble> {
        match self.steps.checked_sub(count) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => self.ask(),
        }
    }

    #[cold]
    fn ask(&mut self) -> Result<(), Trouble> {
        self.steps = STEPS;
        if (self.goes_on)() { Ok(()) } else { Err(Trouble::Stopped) }
    }

    #[inline]
    fn byte(&self, at: usize) -> Option<u8> {
        self.pattern.get(at).copied()
    }

    /// Matches what the pattern has from `p` on; the text from `s` on.
    fn rest(&mut self, s: usize, p: usize) -> Found {
        if self.depth == DEPTH_MAX {
            return Err(TOO_COMPLEX);
        }
        self.depth += 1;
        let found = self.items(s, p);
        self.depth -= 1;
        found
    }

    /// As [`Self::rest`], item for item as long as none branches.
    fn items(&mut self, mut s: usize, mut p: usize) -> Found {
        loop {
            self.step()?;
            let Some(first) = self.byte(p) else { return Ok(Some(s)) };
            match (first, self.byte(p + 1)) {
                (b'(', Some(b')')) => return self.captured(Capture::Place(s), s, p + 2),
                (b'(', _) => return self.captured(Capture::Open(s), s, p + 1),
                (b')', _) => return self.close(s, p + 1),
                (b'$', None) => return Ok((s == self.text.len()).then_some(s)),
                (b'%', Some(b'b')) => match self.balance(s, p + 2)? {
                    Some(end) => (s, p) = (end, p + 4),
                    None => return Ok(None),
                },
                (b'%', Some(b'f')) => match self.frontier(s, p + 2)? {
                    Some(end) => p = end,
                    None => return Ok(None),
                },
                (b'%', Some(digit @ b'0'..=b'9')) => match self.again(s, digit)? {
                    Some(end) => (s, p) = (end, p + 2),
                    None => return Ok(None),
                },
                _ => {
                    let end = self.end_of_class(p)?;
                    match self.byte(end) {
                        Some(b'*') => return self.most(s, p, end, 0),
                        Some(b'+') => return self.most(s, p, end, 1),
                        Some(b'-') => return self.fewest(s, p, end),
                        Some(b'?') => {
                            if self.matches(s, p, end)
                                && let Some(found) = self.rest(s + 1, end + 1)?
                            {
                                return Ok(Some(found));
                            }
                            p = end + 1;
                        }
                        _ if self.matches(s, p, end) => (s, p) = (s + 1, end),
                        _ => return Ok(None),
                    }
                }
            }
        }
    }

    /// As often as possible, at least `min` times, and then the rest.
    fn most(&mut self, s: usize, p: usize, end: usize, min: usize) -> Found {
        let mut count = self.run(&self.text[s..], p, end);
        self.steps(count)?;
        while count >= min {
            if let Some(found) = self.rest(s + count, end + 1)? {
                return Ok(Some(found));
            }
            if count == 0 {
                break;
            }
            count -= 1;
        }
        Ok(None)
    }

    /// As seldom as possible, and then the rest.
    fn fewest(&mut self, mut s: usize, p: usize, end: usize) -> Found {
        loop {
            if let Some(found) = self.rest(s, end + 1)? {
                return Ok(Some(found));
            }
            if !self.matches(s, p, end) {
                return Ok(None);
            }
            s += 1;
        }
    }

    /// Remembers a capture, unless the rest does not match.
    fn captured(&mut self, capture: Capture, s: usize, p: usize) -> Found {
        if self.captures_len == CAPTURES_MAX {
            return Err(TOO_MANY);
        }
        self.captures[self.captures_len] = capture;
        self.captures_len += 1;
        let found = self.rest(s, p)?;
        if found.is_none() {
            self.captures_len -= 1;
        }
        Ok(found)
    }

    /// Ends the last capture that was begun, unless the rest does not match.
    fn close(&mut self, s: usize, p: usize) -> Found {
        let open = self.captures[..self.captures_len]
            .iter()
            .rposition(|capture| matches!(capture, Capture::Open(_)));
        let index = open.ok_or(NOT_OPEN)?;
        let before = self.captures[index];
        if let Capture::Open(start) = before {
            self.captures[index] = Capture::Part(start, s);
        }
        let found = self.rest(s, p)?;
        if found.is_none() {
            self.captures[index] = before;
        }
        Ok(found)
    }

    /// `%b()`: a balanced pair; `p` is at its first byte. Where it ends.
    fn balance(&mut self, s: usize, p: usize) -> Found {
        let (Some(open), Some(close)) = (self.byte(p), self.byte(p + 1)) else {
            return Err(UNBALANCED);
        };
        if self.text.get(s) != Some(&open) {
            return Ok(None);
        }
        let mut depth = 1;
        for at in s + 1..self.text.len() {
            self.step()?;
            let byte = self.text[at];
            if byte == close {
                depth -= 1;
                if depth == 0 {
                    return Ok(Some(at + 1));
                }
            } else if byte == open {
                depth += 1;
            }
        }
        Ok(None)
    }

    /// `%f[set]`: the set begins here; `p` is at its bracket. Where the set ends in the pattern.
    fn frontier(&mut self, s: usize, p: usize) -> Found {
        if self.byte(p) != Some(b'[') {
            return Err(NO_FRONTIER);
        }
        let end = self.end_of_class(p)?;
        let before = if s == 0 { 0 } else { self.text[s - 1] };
        let here = self.text.get(s).copied().unwrap_or(0);
        let set = &self.pattern[p + 1..end - 1];
        Ok((!in_set(before, set) && in_set(here, set)).then_some(end))
    }

    /// `%1`: what a capture has matched once more. Where it ends.
    fn again(&mut self, s: usize, digit: u8) -> Found {
        let index = usize::from(digit).checked_sub(usize::from(b'1')).ok_or(BAD_INDEX)?;
        match self.captures[..self.captures_len].get(index) {
            None | Some(Capture::Open(_)) => Err(BAD_INDEX),
            Some(Capture::Place(_)) => Ok(None),
            Some(&Capture::Part(start, end)) => {
                let same = self.text[s..].starts_with(&self.text[start..end]);
                Ok(same.then_some(s + (end - start)))
            }
        }
    }

    /// Where the class at `p` ends: one byte, an escaped one, or a set.
    #[inline]
    fn end_of_class(&self, p: usize) -> Result<usize, Trouble> {
        match self.byte(p) {
            Some(b'%') if p + 1 == self.pattern.len() => Err(ENDS_WITH_ESCAPE),
            Some(b'%') => Ok(p + 2),
            Some(b'[') => {
                let mut at = p + 1 + usize::from(self.byte(p + 1) == Some(b'^'));
                // A bracket that comes first is one of the set.
                loop {
                    let byte = self.byte(at).ok_or(NO_BRACKET)?;
                    at += 1;
                    if byte == b'%' && at < self.pattern.len() {
                        at += 1;
                    }
                    if self.byte(at) == Some(b']') {
                        return Ok(at + 1);
                    }
                }
            }
            _ => Ok(p + 1),
        }
    }

    /// Number of bytes at the beginning of `text` that are of the class from `p` to `end`.
    #[inline]
    fn run(&self, text: &[u8], p: usize, end: usize) -> usize {
        let other = match self.pattern[p] {
            b'.' => None,
            b'%' => {
                let letter = self.pattern[p + 1];
                text.iter().position(|&byte| !in_class(byte, letter))
            }
            b'[' => {
                let set = &self.pattern[p + 1..end - 1];
                text.iter().position(|&byte| !in_set(byte, set))
            }
            literal => text.iter().position(|&byte| byte != literal),
        };
        other.unwrap_or(text.len())
    }

    /// Whether the byte of the text at `s` is of the class from `p` to `end`.
    #[inline]
    fn matches(&self, s: usize, p: usize, end: usize) -> bool {
        let Some(&byte) = self.text.get(s) else { return false };
        match self.pattern[p] {
            b'.' => true,
            b'%' => in_class(byte, self.pattern[p + 1]),
            b'[' => in_set(byte, &self.pattern[p + 1..end - 1]),
            literal => literal == byte,
        }
    }
}

/// Whether a byte is of the class that a letter names, or is that very byte.
#[inline]
fn in_class(byte: u8, letter: u8) -> bool {
    let is_in = match letter.to_ascii_lowercase() {
        b'a' => byte.is_ascii_alphabetic(),
        b'c' => byte.is_ascii_control(),
        b'd' => byte.is_ascii_digit(),
        b'l' => byte.is_ascii_lowercase(),
        b'p' => byte.is_ascii_punctuation(),
        b's' => matches!(byte, b' ' | 9..=13),
        b'u' => byte.is_ascii_uppercase(),
        b'w' => byte.is_ascii_alphanumeric(),
        b'x' => byte.is_ascii_hexdigit(),
        b'z' => byte == 0,
        _ => return letter == byte,
    };
    is_in != letter.is_ascii_uppercase()
}

/// Whether a byte is in a set, given by what is between its brackets.
#[inline]
fn in_set(byte: u8, set: &[u8]) -> bool {
    let (mut set, is_in) = match set.strip_prefix(b"^") {
        Some(rest) => (rest, false),
        None => (set, true),
    };
    loop {
        set = match set {
            [] => return !is_in,
            // A range has taken what it escapes: Lua goes on with the bracket behind the set.
            [b'%'] => return (byte == b']') == is_in,
            [b'%', letter, rest @ ..] => {
                if in_class(byte, *letter) {
                    return is_in;
                }
                rest
            }
            [first, b'-', last, rest @ ..] => {
                if (*first..=*last).contains(&byte) {
                    return is_in;
                }
                rest
            }
            [one, rest @ ..] => {
                if *one == byte {
                    return is_in;
                }
                rest
            }
        };
    }
}
