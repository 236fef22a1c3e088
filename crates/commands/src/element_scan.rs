//! What `SSCAN` and `HSCAN` share: a walk over the elements of one collection.
//!
//! Like [`SCAN`](crate::keys) they keep nothing between the calls: the cursor says where to go on.

use collections::listpack::Item;
use command::{ArgReader, CommandError};
use resp::Reply;

/// How many elements a call looks at unless it says otherwise.
const DEFAULT_COUNT: i64 = 10;

/// The next argument as a cursor.
///
/// # Errors
/// If it is none.
pub(crate) fn cursor(reader: &mut ArgReader<'_>) -> Result<u64, CommandError> {
    stdx::num::parse_u64_lenient(reader.bytes())
        .ok_or_else(|| CommandError::request("ERR invalid cursor"))
}

/// The options of a walk.
#[derive(Debug)]
pub(crate) struct Options<'a> {
    pattern: Option<&'a [u8]>,
    /// How many elements are looked at, matching or not.
    pub(crate) count: usize,
    /// Only the names of fields are wanted.
    pub(crate) no_values: bool,
}

impl<'a> Options<'a> {
    /// Reads the rest of the arguments; `NOVALUES` is for hashes alone.
    ///
    /// # Errors
    /// A syntax error, or a count that is no number.
    pub(crate) fn parse(mut reader: ArgReader<'a>, is_hash: bool) -> Result<Self, CommandError> {
        let (mut pattern, mut count, mut no_values) = (None, DEFAULT_COUNT, false);
        while reader.more() {
            if reader.option("COUNT") {
                count = reader.integer();
                if count < 1 {
                    reader.fail(CommandError::SYNTAX);
                }
            } else if reader.option("MATCH") {
                pattern = Some(reader.bytes()).filter(|pattern| pattern != b"*");
            } else if reader.token("NOVALUES") {
                no_values = true;
                if !is_hash {
                    let text = "ERR NOVALUES option can only be used in HSCAN";
                    reader.fail(CommandError::request(text));
                }
            } else {
                reader.unknown();
            }
        }
        reader.finish()?;
        Ok(Self { pattern, count: usize::try_from(count).unwrap_or(usize::MAX), no_values })
    }
}

/// The elements of one call, which stand behind the cursor in the reply but are known before it:
/// two allocations for any number.
#[derive(Debug, Default)]
pub(crate) struct Found {
    bytes: Vec<u8>,
    /// Where each element ends.
    ends: Vec<usize>,
}

impl Found {
    /// Adds an element, and its value if it has one, if its name matches.
    pub(crate) fn push_matching(
        &mut self,
        options: &Options<'_>,
        name: Item<'_>,
        value: Option<Item<'_>>,
    ) {
        let start = self.bytes.len();
        name.write_text(&mut self.bytes);
        let matches = options
            .pattern
            .is_none_or(|pattern| stdx::glob::matches(pattern, &self.bytes[start..], false));
        if !matches {
            return self.bytes.truncate(start);
        }
        self.ends.push(self.bytes.len());
        if let Some(value) = value {
            value.write_text(&mut self.bytes);
            self.ends.push(self.bytes.len());
        }
    }

    /// Replies with the cursor and the elements.
    pub(crate) fn reply(&self, reply: &mut Reply, cursor: u64) {
        let mut text = Vec::new();
        stdx::num::write_u64(&mut text, cursor);
        reply.array(2);
        reply.bulk(&text);
        reply.array(self.ends.len());
        let mut start = 0;
        for &end in &self.ends {
            reply.bulk(&self.bytes[start..end]);
            start = end;
        }
    }
}
