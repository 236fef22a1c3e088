//! How far a group has come: counting what it has read, and what lies ahead of it.
//!
//! A group remembers an id and, if it can, how many entries from the first ever it has read. As
//! long as nothing behind that id was deleted out of order, what it has yet to read is a
//! subtraction. Where entries were deleted one by one, the count is lost until the group is at a
//! place of which the count is known: the end of the log, or its first entry with no gap behind.
//! And where all that is left lies ahead of the group, what it has yet to read is the log itself.
//!
//! Clients and files may set the counts to anything. They wrap, as Redis's do, and one less than
//! zero is what files and clients know as unknown.

use super::{Group, Id, Log};

impl Log {
    /// How many of the entries ever added are at or before `id`; none if that cannot be told.
    #[must_use]
    pub fn count_up_to(&self, id: Id) -> Option<u64> {
        let (added, len) = (self.entries_added(), self.len());
        if added == 0 {
            return Some(0);
        }
        if id == self.last_id() || self.is_empty() && id < self.last_id() {
            return known(added);
        }
        let has_gaps = self.max_deleted_id() != Id::MIN && self.max_deleted_id() >= self.first_id();
        if id > self.last_id() || has_gaps {
            return None;
        }
        match id.cmp(&self.first_id()) {
            std::cmp::Ordering::Less => known(added.wrapping_sub(len)),
            std::cmp::Ordering::Equal => known(added.wrapping_sub(len).wrapping_add(1)),
            std::cmp::Ordering::Greater => None,
        }
    }

    /// Whether an entry at or behind `id` that was not the first may have been deleted, which
    /// breaks counting from there.
    fn has_gap_from(&self, id: Id) -> bool {
        let deleted = self.max_deleted_id();
        deleted != Id::MIN && id <= deleted && deleted >= self.first_id()
    }
}

/// A count, unless it is the one that means that there is none.
const fn known(count: u64) -> Option<u64> {
    if count == u64::MAX { None } else { Some(count) }
}

impl Group {
    /// How many entries the group has yet to read; none if that cannot be told. Negative if it was
    /// told to have read more than there ever were.
    #[must_use]
    pub fn lag(&self, log: &Log) -> Option<i64> {
        if log.is_empty() {
            return Some(0);
        }
        if self.last_id < log.first_id() && !log.has_gap_from(Id::MIN) {
            return Some(log.len() as i64);
        }
        let counted = self.entries_read.filter(|_| !log.has_gap_from(self.last_id));
        let read = counted.or_else(|| log.count_up_to(self.last_id))?;
        Some((log.entries_added() as i64).wrapping_sub(read as i64))
    }

    /// The group goes on to the entry `id`, the first one above its last id.
    pub fn advance(&mut self, log: &Log, id: Id) {
        // What was trimmed or deleted since the group was here was skipped.
        let skipped = self.last_id < log.first_id() || self.last_id <= log.max_deleted_id();
        let counted = self.entries_read.filter(|_| !skipped);
        self.entries_read = match counted {
            Some(read) => known(read.wrapping_add(1)),
            None if log.entries_added() == 0 => None,
            None => log.count_up_to(id),
        };
        self.last_id = id;
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Limits, References, Stream, Trim, TrimTo};
    use super::*;

    fn stream(len: u64) -> Stream {
        let mut stream = Stream::new();
        for ms in 1..=len {
            let fields = [(&b"f"[..], &b"v"[..])];
            stream.append(Id::new(ms, 0), fields.into_iter(), Limits::default()).unwrap();
        }
        stream
    }

    #[test]
    fn an_untouched_log_is_counted_at_its_ends() {
        let stream = stream(5);
        let log = stream.log();
        let counts = [0, 1, 2, 5, 6].map(|ms| log.count_up_to(Id::new(ms, 0)));
        assert_eq!(counts, [Some(0), Some(1), None, Some(5), None]);
        let mut group = Group::new(Id::MIN, None);
        assert_eq!(group.lag(log), Some(5));
        (1..=3).for_each(|ms| group.advance(log, Id::new(ms, 0)));
        assert_eq!((group.entries_read, group.lag(log)), (Some(3), Some(2)));
    }

    #[test]
    fn what_was_trimmed_was_skipped() {
        let mut stream = stream(5);
        let mut group = Group::new(Id::MIN, None);
        group.advance(stream.log(), Id::new(1, 0));
        let to = TrimTo::Id(Id::new(4, 0));
        let references = References::Keep;
        stream.trim(&Trim { to, whole_blocks: false, limit: None, references });
        assert_eq!((group.entries_read, group.lag(stream.log())), (Some(1), Some(2)));
        group.advance(stream.log(), Id::new(4, 0));
        assert_eq!((group.entries_read, group.lag(stream.log())), (Some(4), Some(1)));
        assert!(stream.delete(Id::new(4, 0)) && stream.delete(Id::new(5, 0)));
        assert_eq!(group.lag(stream.log()), Some(0), "nothing is left");
    }

    #[test]
    fn counts_wrap() {
        let mut stream = stream(1);
        stream.set_entries_added(u64::MAX);
        let mut group = Group::new(Id::new(1, 0), None);
        assert_eq!(group.lag(stream.log()), None);
        let mut read = |ms| {
            let fields = [(&b"f"[..], &b"v"[..])];
            stream.append(Id::new(ms, 0), fields.into_iter(), Limits::default()).unwrap();
            group.advance(stream.log(), Id::new(ms, 0));
            (stream.log().entries_added(), group.entries_read, group.lag(stream.log()))
        };
        assert_eq!(read(2), (0, None, Some(0)));
        assert_eq!(read(3), (1, Some(1), Some(0)));
        group.entries_read = Some(u64::MAX - 1);
        group.advance(stream.log(), Id::new(4, 0));
        assert_eq!(group.entries_read, None);
    }

    #[test]
    fn a_gap_ahead_hides_the_lag_until_the_end() {
        let mut stream = stream(5);
        assert!(stream.delete(Id::new(3, 0)));
        let log = stream.log();
        let mut group = Group::new(Id::MIN, Some(0));
        assert_eq!(group.lag(log), None);
        group.advance(log, Id::new(1, 0));
        assert_eq!((group.entries_read, group.lag(log)), (None, None));
        group.advance(log, Id::new(5, 0));
        assert_eq!((group.entries_read, group.lag(log)), (Some(5), Some(0)));
    }
}
