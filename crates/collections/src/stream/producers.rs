//! Idempotent producers: who has added which entry, so that adding it again adds nothing.
//!
//! A *producer* names itself, and each of its entries by an *idempotent id*. Both are strings that
//! a client chose. A stream remembers for a while which entry of the log the two stand for:
//!
//! ```text
//!   named:     producer -> { ids: idempotent id -> entry id,  by_age: (entry id, idempotent id) }
//!   by_oldest: (oldest entry id, producer)
//! ```
//!
//! An entry's id tells when it was added, so nothing else needs to be remembered to forget in time.
//! What is forgotten is bounded twice: each producer has at most so many ids, of which the oldest
//! makes room; and what is older than the time set is forgotten, a few ids with each new one,
//! whichever producer they belong to. A producer of which nothing is remembered is gone. So a
//! stream never remembers more than was added within that time and not yet swept up, and a sweep
//! takes more than is added.

use std::hash::Hasher;
use std::sync::Arc;

use siphasher::sip128::{Hasher128, SipHasher13};

use super::Id;
use crate::Pieces;
use crate::tree::Tree;

/// Ids that are swept up with each new one.
const SWEPT: usize = 16;

/// How long and how much a stream remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Seconds after which an idempotent id is forgotten.
    pub seconds: u32,
    /// The most idempotent ids of each producer.
    pub per_producer: u32,
}

impl Retention {
    /// What holds where nobody says anything else.
    pub const DEFAULT: Self = Self { seconds: 100, per_producer: 100 };
    /// The longest time, in seconds.
    pub const SECONDS_MAX: u32 = 86_400;
    /// The most idempotent ids of a producer.
    pub const IDS_MAX: u32 = 10_000;
}

/// The producers of a stream; see the module page. A clone is O(1).
#[derive(Clone, Debug)]
pub struct Producers {
    retention: Retention,
    named: Tree<Arc<[u8]>, Producer>,
    by_oldest: Tree<(Id, Arc<[u8]>), ()>,
    /// Idempotent ids of all producers, and the bytes of their names.
    ids: usize,
    bytes: usize,
    added: u64,
    duplicates: u64,
}

#[derive(Clone, Debug, Default)]
struct Producer {
    ids: Tree<Arc<[u8]>, Id>,
    by_age: Tree<(Id, Arc<[u8]>), ()>,
}

impl Producer {
    fn oldest(&self) -> Option<Id> {
        self.by_age.first_from(|_| false).map(|((id, _), ())| *id)
    }
}

/// What is known.
impl Producers {
    /// Nothing is remembered yet.
    #[must_use]
    pub fn new(retention: Retention) -> Self {
        Self {
            retention,
            named: Tree::default(),
            by_oldest: Tree::default(),
            ids: 0,
            bytes: 0,
            added: 0,
            duplicates: 0,
        }
    }

    /// How long and how much is remembered.
    #[must_use]
    pub fn retention(&self) -> Retention {
        self.retention
    }

    /// The number of producers of which something is remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.named.len()
    }

    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.named.is_empty()
    }

    /// The number of idempotent ids that are remembered.
    #[must_use]
    pub fn ids_len(&self) -> usize {
        self.ids
    }

    /// How many idempotent ids were ever recorded.
    #[must_use]
    pub fn added(&self) -> u64 {
        self.added
    }

    /// How often an entry was not added since it had been.
    #[must_use]
    pub fn duplicates(&self) -> u64 {
        self.duplicates
    }

    /// The entry for which `producer` used `id`, unless that was too long ago at `now`, unix time
    /// in milliseconds.
    #[must_use]
    pub fn find(&self, producer: &[u8], id: &[u8], now: u64) -> Option<Id> {
        let entry = self.named.get(producer)?.ids.get(id).copied();
        entry.filter(|entry| !self.is_old(*entry, now))
    }

    /// All that is remembered: producer, idempotent id and entry.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8], Id)> {
        self.named.iter().flat_map(|(name, producer)| {
            producer.by_age.iter().map(|((entry, id), ())| (&**name, &**id, *entry))
        })
    }

    /// The producers by name, each with its idempotent ids and their entries, oldest first.
    pub fn each(
        &self,
    ) -> impl Iterator<Item = (&[u8], impl ExactSizeIterator<Item = (&[u8], Id)>)> {
        self.named.iter().map(|(name, producer)| {
            let ids: Vec<_> =
                producer.by_age.iter().map(|((entry, id), ())| (&**id, *entry)).collect();
            (&**name, ids.into_iter())
        })
    }

    /// Whether it is as new under `terms`: nothing is remembered nor was ever counted.
    #[must_use]
    pub fn is_new(&self, terms: Retention) -> bool {
        self.retention == terms && self.is_empty() && (self.added, self.duplicates) == (0, 0)
    }

    fn is_old(&self, entry: Id, now: u64) -> bool {
        entry.ms.saturating_add(u64::from(self.retention.seconds) * 1000) <= now
    }

    /// An estimate of the memory, in bytes.
    pub(super) fn allocated_bytes(&self) -> usize {
        let reference = size_of::<Arc<[u8]>>() + size_of::<Id>();
        let names = 2 * size_of::<usize>() * (self.len() + self.ids) + self.bytes;
        let producer = 2 * reference + size_of::<Producer>();
        size_of::<Self>() + names + self.len() * producer + self.ids * 2 * reference
    }
}

impl Pieces for Producers {
    fn pieces(&self) -> usize {
        1 + 3 * self.len() + self.ids
    }
}

/// Remembering and forgetting.
impl Producers {
    /// Changes how long and how much is remembered. What is remembered so far was under other
    /// terms: it is forgotten, and returned for whoever frees it. Nothing happens if the terms are
    /// the same.
    pub fn set_retention(&mut self, retention: Retention) -> Option<Self> {
        if self.retention == retention {
            return None;
        }
        let (added, duplicates) = (self.added, self.duplicates);
        let old = std::mem::replace(self, Self::new(retention));
        (self.added, self.duplicates) = (added, duplicates);
        Some(old)
    }

    /// Counts an entry that was not added again.
    pub fn count_duplicate(&mut self) {
        self.duplicates = self.duplicates.saturating_add(1);
    }

    /// Sets both counts, to what a payload says.
    pub fn set_counts(&mut self, added: u64, duplicates: u64) {
        (self.added, self.duplicates) = (added, duplicates);
    }

    /// Remembers that `producer` used `id` for `entry`; it must not know that id. Forgets what is
    /// too old at `now` or too much.
    pub fn record(&mut self, producer: &[u8], id: &[u8], entry: Id, now: u64) {
        self.forget_old(now, SWEPT);
        // An id that was too old to be found, and is still here.
        self.forget(producer, id);
        let (name, id) = (Arc::<[u8]>::from(producer), Arc::<[u8]>::from(id));
        if self.named.get(producer).is_none() {
            self.named.insert(Arc::clone(&name), Producer::default());
            self.bytes += name.len();
        }
        let known = self.named.get_mut(producer).expect("it was just created");
        let before = known.oldest();
        known.ids.insert(Arc::clone(&id), entry);
        known.by_age.insert((entry, Arc::clone(&id)), ());
        let (len, after) = (known.ids.len(), known.oldest());
        self.ids += 1;
        self.bytes += id.len();
        self.added = self.added.saturating_add(1);
        self.reorder(&name, before, after);
        if len > self.retention.per_producer as usize {
            self.forget_oldest(&name);
        }
    }

    /// Forgets what is too old at `now`, at most `most` ids.
    pub fn forget_old(&mut self, now: u64, most: usize) {
        for _ in 0..most {
            let Some(((oldest, name), ())) = self.by_oldest.first_from(|_| false) else { return };
            if !self.is_old(*oldest, now) {
                return;
            }
            let name = Arc::clone(name);
            self.forget_oldest(&name);
        }
    }

    fn forget_oldest(&mut self, producer: &[u8]) {
        let oldest = self.named.get(producer).and_then(|p| p.by_age.first_from(|_| false));
        let id = oldest.map(|((_, id), ())| Arc::clone(id));
        self.forget(producer, &id.expect("a producer that is there has ids"));
    }

    /// Forgets one idempotent id, if it is known, and its producer with the last one.
    fn forget(&mut self, producer: &[u8], id: &[u8]) {
        let Some(known) = self.named.get_mut(producer) else { return };
        let before = known.oldest();
        let Some(entry) = known.ids.remove(id) else { return };
        known.by_age.remove(&(entry, Arc::from(id))).expect("both have all ids");
        let after = known.oldest();
        self.ids -= 1;
        self.bytes -= id.len();
        if after.is_none() {
            self.named.remove(producer);
            self.bytes -= producer.len();
        }
        self.reorder(&Arc::from(producer), before, after);
    }

    /// Puts a producer of which the oldest entry was `before` in the place of one with `after`.
    fn reorder(&mut self, producer: &Arc<[u8]>, before: Option<Id>, after: Option<Id>) {
        if before == after {
            return;
        }
        if let Some(before) = before {
            self.by_oldest.remove(&(before, Arc::clone(producer)));
        }
        if let Some(after) = after {
            self.by_oldest.insert((after, Arc::clone(producer)), ());
        }
    }

    #[cfg(test)]
    pub(super) fn check(&self) {
        let mut ids = 0;
        for (name, producer) in self.named.iter() {
            assert!(producer.ids.len() <= self.retention.per_producer as usize);
            assert_eq!(producer.ids.len(), producer.by_age.len());
            let oldest = producer.oldest().expect("a producer has ids");
            assert!(self.by_oldest.get(&(oldest, Arc::clone(name))).is_some());
            ids += producer.ids.len();
            for ((entry, id), ()) in producer.by_age.iter() {
                assert_eq!(producer.ids.get(&**id), Some(entry));
            }
        }
        assert_eq!((ids, self.by_oldest.len()), (self.ids, self.named.len()));
        let lens = self.iter().map(|(_, id, _)| id.len()).sum::<usize>();
        assert_eq!(lens + self.named.iter().map(|(name, _)| name.len()).sum::<usize>(), self.bytes);
    }
}

/// An idempotent id for an entry of `fields`, pairs of name and value, made from what they say: the
/// same for the same pairs in any order.
///
/// It is logged and kept, so it does not depend on the process: the keys of the hash are fixed, and
/// a producer that sets out to find two entries with one id deceives nobody but itself.
pub fn fingerprint<'a>(fields: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> [u8; 16] {
    let pair = |(name, value): (&[u8], &[u8])| {
        let mut hasher = SipHasher13::new_with_keys(0x6964_656d_706f_7465, 0x6e74_2066_6965_6c64);
        hasher.write_u64(name.len() as u64);
        hasher.write(name);
        hasher.write(value);
        hasher.finish128().as_u128()
    };
    fields.map(pair).fold(0u128, u128::wrapping_add).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use stdx::rng::Rng;

    use super::*;

    fn producers(seconds: u32, per_producer: u32) -> Producers {
        Producers::new(Retention { seconds, per_producer })
    }

    #[test]
    fn an_id_is_known_for_its_time() {
        let mut known = producers(2, 9);
        known.record(b"p", b"a", Id::new(1_000, 0), 1_000);
        assert_eq!(known.find(b"p", b"a", 2_999), Some(Id::new(1_000, 0)));
        assert_eq!(known.find(b"p", b"a", 3_000), None);
        assert_eq!((known.find(b"p", b"b", 0), known.find(b"q", b"a", 0)), (None, None));
        known.record(b"q", b"b", Id::new(3_000, 0), 3_000);
        assert_eq!((known.len(), known.ids_len(), known.added()), (1, 1, 2), "p is forgotten");
        known.check();
    }

    #[test]
    fn the_oldest_makes_room() {
        let mut known = producers(100, 2);
        for (n, id) in [b"a", b"b", b"c"].into_iter().enumerate() {
            known.record(b"p", id, Id::new(1, n as u64), 1);
        }
        assert_eq!(known.find(b"p", b"a", 1), None);
        assert_eq!(known.find(b"p", b"b", 1), Some(Id::new(1, 1)));
        known.check();
    }

    #[test]
    fn other_terms_forget_all_but_the_counts() {
        let mut known = producers(100, 2);
        known.record(b"p", b"a", Id::new(1, 0), 1);
        known.count_duplicate();
        assert!(known.set_retention(Retention { seconds: 100, per_producer: 2 }).is_none());
        assert_eq!(known.ids_len(), 1);
        let old = known.set_retention(Retention { seconds: 99, per_producer: 2 }).unwrap();
        assert_eq!((old.ids_len(), known.ids_len()), (1, 0));
        assert_eq!((known.added(), known.duplicates()), (1, 1));
    }

    #[test]
    fn fingerprints_tell_contents_and_not_orders_apart() {
        let of = |pairs: &[(&str, &str)]| {
            fingerprint(pairs.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())))
        };
        assert_eq!(of(&[("a", "1"), ("b", "2")]), of(&[("b", "2"), ("a", "1")]));
        assert_ne!(of(&[("a", "1")]), of(&[("a1", "")]));
        assert_ne!(of(&[("a", "1"), ("a", "1")]), of(&[]));
        assert_ne!(of(&[("a", "2"), ("b", "1")]), of(&[("a", "1"), ("b", "2")]));
    }

    #[test]
    fn behaves_as_a_map_that_forgets() {
        for seed in 1..=20 {
            println!("seed {seed}");
            let mut rng = Rng::seed(seed);
            let (seconds, most) = (1 + rng.below(3) as u32, 1 + rng.below(4) as u32);
            let mut known = producers(seconds, most);
            let mut model: BTreeMap<(u8, u8), Id> = BTreeMap::new();
            let mut now = 10_000;
            let mut frozen = known.clone();
            for step in 0..2_000 {
                now += rng.below(120);
                let key = (rng.below(5) as u8, rng.below(12) as u8);
                let entry = Id::new(now - rng.below(3) * 1_500, step);
                model.retain(|_, id| id.ms + u64::from(seconds) * 1000 > now);
                let found = known.find(&[key.0], &[key.1], now);
                assert_eq!(found, model.get(&key).copied());
                if found.is_none() {
                    known.record(&[key.0], &[key.1], entry, now);
                    model.insert(key, entry);
                    let of = |(known, _): &(&(u8, u8), &Id)| known.0 == key.0;
                    if model.iter().filter(of).count() > most as usize {
                        let oldest = model.iter().filter(of).min_by_key(|(_, id)| **id);
                        let oldest = *oldest.unwrap().0;
                        model.remove(&oldest);
                    }
                }
                if step % 50 == 0 {
                    known.check();
                    frozen.check();
                    frozen = known.clone();
                }
            }
            known.forget_old(now + 1_000_000, usize::MAX);
            assert!(known.is_empty() && known.by_oldest.is_empty() && known.bytes == 0);
        }
    }
}
