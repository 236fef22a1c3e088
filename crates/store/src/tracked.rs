//! Which clients may have cached which keys of a shard: the table behind client-side caching.
//!
//! An entry is a key's [`Position`] and who has read it, twelve bytes; the key itself is not kept.
//! Two keys of one position would be taken for one another, once in 2^64 pairs, and nobody can
//! look for such a pair without knowing the seed of the hash.
//!
//! ```text
//!   position   | ...01 | ...05 | ...05 |   -   | ...0b | ...0c |   -   |   -   |
//!   who        |   7   |   9   | #2    |       |   7   |   9   |       |       |
//!                          ^       `--> groups[2] = [3, 7, 9]
//!                          linear probing in the order of positions, at most 7/8 full
//! ```
//!
//! Most keys are cached by one client, whose number is in the entry. Several are a *group*, a
//! sorted list. A reader's number means nothing here.
//!
//! What invalidates an entry without a command that names the key (the table is too large) needs
//! the name. It is looked up in the key table by its position; only for a key that did not exist
//! when it was read is the name kept ([`Tracked::add`]).

use std::collections::HashMap;

use crate::position::Position;

/// The number of a client that caches keys, below 2^31.
pub type Reader = u32;

/// Who may have cached a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readers {
    /// Nobody.
    None,
    /// One client.
    One(Reader),
    /// Several clients, ascending.
    Many(Vec<Reader>),
}

impl Readers {
    /// The clients.
    #[must_use]
    pub fn as_slice(&self) -> &[Reader] {
        match self {
            Self::None => &[],
            Self::One(reader) => std::slice::from_ref(reader),
            Self::Many(readers) => readers,
        }
    }

    /// Takes one of them out; whether it was among them.
    pub fn remove(&mut self, reader: Reader) -> bool {
        match self {
            Self::None => false,
            Self::One(only) if *only == reader => {
                *self = Self::None;
                true
            }
            Self::One(_) => false,
            Self::Many(readers) => {
                let before = readers.len();
                readers.retain(|known| *known != reader);
                readers.len() < before
            }
        }
    }
}

/// What [`Tracked::add`] has added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// The key was not in the table.
    pub key: bool,
    /// The client was not among its readers.
    pub reader: bool,
}

/// What [`Tracked::evict`] has removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evicted {
    /// Where the key is, if it exists.
    pub position: Position,
    /// The key, if it did not exist when it was read.
    pub name: Option<Box<[u8]>>,
    /// Who may have cached it.
    pub readers: Readers,
}

/// An entry: the two halves of the position, who has read the key.
type Slot = [u32; 3];

/// Who has read it: nobody, the slot is vacant.
const VACANT: u32 = u32::MAX;
/// Set where the number is not a reader's but a group's.
const GROUP: u32 = 1 << 31;
const SLOTS_MIN: usize = 8;

/// The table of one shard.
#[derive(Debug, Default)]
pub struct Tracked {
    /// A power of two of them, or none.
    slots: Box<[Slot]>,
    keys: usize,
    groups: Vec<Vec<Reader>>,
    free_groups: Vec<u32>,
    /// Keys that did not exist when they were read.
    names: HashMap<Position, Box<[u8]>>,
}

impl Tracked {
    /// Number of keys.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.keys
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.keys == 0
    }

    /// Number of pairs of a key and a client.
    #[must_use]
    pub fn pairs(&self) -> usize {
        let grouped = self.groups.len() - self.free_groups.len();
        self.keys - grouped + self.groups.iter().map(Vec::len).sum::<usize>()
    }

    /// Bytes of the table and of what belongs to it.
    #[cfg(test)]
    fn memory_bytes(&self) -> usize {
        let groups: usize = self.groups.iter().map(|group| size_of_val(&**group)).sum();
        let names: usize =
            self.names.values().map(|name| name.len() + size_of::<(Position, &[u8])>()).sum();
        size_of_val(&*self.slots)
            + self.groups.capacity() * size_of::<Vec<Reader>>()
            + groups
            + names
    }

    /// Notes that `reader` may have cached the key at `position`; `missing` is its name if there is
    /// no such key.
    pub fn add(&mut self, position: Position, reader: Reader, missing: Option<&[u8]>) -> Added {
        debug_assert!(reader < GROUP);
        if let Some(name) = missing {
            self.names.entry(position).or_insert_with(|| name.into());
        }
        if (self.keys + 1) * 8 > self.slots.len() * 7 {
            self.resize((self.slots.len() * 2).max(SLOTS_MIN));
        }
        let at = self.find(position);
        let who = self.slots[at][2];
        if who == VACANT {
            self.slots[at] = slot(position, reader);
            self.keys += 1;
            return Added { key: true, reader: true };
        }
        if who & GROUP != 0 {
            let group = &mut self.groups[(who & !GROUP) as usize];
            let place = group.binary_search(&reader);
            if let Err(place) = place {
                group.insert(place, reader);
            }
            return Added { key: false, reader: place.is_err() };
        }
        if who != reader {
            self.slots[at][2] = GROUP | self.new_group(vec![who.min(reader), who.max(reader)]);
        }
        Added { key: false, reader: who != reader }
    }

    /// Removes the key at `position`: who may have cached it.
    pub fn take(&mut self, position: Position) -> Readers {
        if self.is_empty() {
            return Readers::None;
        }
        let at = self.find(position);
        if self.slots[at][2] == VACANT { Readers::None } else { self.remove(at) }
    }

    /// Removes any key; `random` decides which.
    pub fn evict(&mut self, random: u64) -> Option<Evicted> {
        if self.is_empty() {
            return None;
        }
        let mask = self.slots.len() - 1;
        let mut at = random as usize & mask;
        while self.slots[at][2] == VACANT {
            at = (at + 1) & mask;
        }
        let position = position_of(self.slots[at]);
        let name = self.names.remove(&position);
        Some(Evicted { position, name, readers: self.remove(at) })
    }

    /// The slot of a position, or the vacant one where it would be. There is a vacant one.
    fn find(&self, position: Position) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = self.home(position);
        while self.slots[at][2] != VACANT && position_of(self.slots[at]) != position {
            at = (at + 1) & mask;
        }
        at
    }

    /// Where the search for a position begins. Its top byte is the same in the whole shard.
    fn home(&self, position: Position) -> usize {
        ((position << 8) >> (64 - self.slots.len().trailing_zeros())) as usize
    }

    fn remove(&mut self, at: usize) -> Readers {
        let [_, _, who] = self.slots[at];
        self.names.remove(&position_of(self.slots[at]));
        self.close_gap(at);
        self.keys -= 1;
        if self.slots.len() > SLOTS_MIN && self.keys * 8 < self.slots.len() {
            self.resize(self.slots.len() / 4);
        }
        if who & GROUP == 0 {
            return Readers::One(who);
        }
        let group = who & !GROUP;
        self.free_groups.push(group);
        Readers::Many(std::mem::take(&mut self.groups[group as usize]))
    }

    /// Moves the entries behind a gap into it, each as long as its search still passes the gap.
    fn close_gap(&mut self, mut gap: usize) {
        let mask = self.slots.len() - 1;
        let mut at = (gap + 1) & mask;
        while self.slots[at][2] != VACANT {
            let home = self.home(position_of(self.slots[at]));
            let (from_home, from_gap) = (at.wrapping_sub(home) & mask, at.wrapping_sub(gap) & mask);
            if from_home >= from_gap {
                self.slots[gap] = self.slots[at];
                gap = at;
            }
            at = (at + 1) & mask;
        }
        self.slots[gap] = [0, 0, VACANT];
    }

    fn resize(&mut self, slots: usize) {
        let slots = slots.max(SLOTS_MIN);
        let old = std::mem::replace(&mut self.slots, vec![[0, 0, VACANT]; slots].into());
        for entry in old.into_iter().filter(|entry| entry[2] != VACANT) {
            let at = self.find(position_of(entry));
            self.slots[at] = entry;
        }
    }

    fn new_group(&mut self, readers: Vec<Reader>) -> u32 {
        if let Some(free) = self.free_groups.pop() {
            self.groups[free as usize] = readers;
            return free;
        }
        self.groups.push(readers);
        self.groups.len() as u32 - 1
    }
}

const fn slot(position: Position, who: u32) -> Slot {
    [(position >> 32) as u32, position as u32, who]
}

const fn position_of(slot: Slot) -> Position {
    (slot[0] as u64) << 32 | slot[1] as u64
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use stdx::rng::Rng;

    use super::*;

    #[test]
    fn agrees_with_a_map_of_sets() {
        let seed: u64 =
            std::env::var("FERRITE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(77);
        println!("seed {seed}; replay: FERRITE_SEED={seed} cargo test -p store agrees_with_a_map");
        let mut rng = Rng::seed(seed);
        let mut tracked = Tracked::default();
        let mut model: BTreeMap<Position, BTreeSet<Reader>> = BTreeMap::new();
        // Positions that crowd at the end of the table, so that searches go round it.
        let positions: Vec<Position> = (0..600)
            .map(|n| if n % 2 == 0 { (0xff_ffff << 32) | n } else { rng.next_u64() >> 8 })
            .collect();
        for round in 0..60_000 {
            let position = positions[rng.index(positions.len())];
            let grows = round / 10_000 % 2 == 0;
            if rng.below(10) < if grows { 8 } else { 3 } {
                let reader = rng.below(4) as Reader;
                let missing = rng.chance(1, 5).then_some(&b"name"[..]);
                let added = tracked.add(position, reader, missing);
                let is_new = !model.contains_key(&position);
                let pair = model.entry(position).or_default().insert(reader);
                assert_eq!(added, Added { key: is_new, reader: pair });
            } else if rng.chance(1, 4) {
                let evicted = tracked.evict(rng.next_u64());
                assert_eq!(evicted.is_some(), !model.is_empty());
                if let Some(evicted) = evicted {
                    let expected = model.remove(&evicted.position).unwrap();
                    assert!(expected.iter().eq(evicted.readers.as_slice()));
                }
            } else {
                let expected = model.remove(&position).unwrap_or_default();
                assert!(expected.iter().eq(tracked.take(position).as_slice()));
            }
            assert_eq!(tracked.len(), model.len());
            assert_eq!(tracked.pairs(), model.values().map(BTreeSet::len).sum());
        }
        for (position, readers) in model {
            assert!(readers.iter().eq(tracked.take(position).as_slice()));
        }
        assert!(tracked.is_empty() && tracked.names.is_empty());
        assert!(tracked.memory_bytes() < 64 * 1024, "a table that emptied shrinks");
    }

    #[test]
    fn a_key_costs_at_most_thirty_bytes_whatever_its_length() {
        let mut rng = Rng::seed(1);
        let mut tracked = Tracked::default();
        for count in 1..100_000 {
            tracked.add(rng.next_u64() >> 8, 1, None);
            assert!(count < 7 || tracked.memory_bytes() <= count * 30, "{count}");
        }
    }
}
