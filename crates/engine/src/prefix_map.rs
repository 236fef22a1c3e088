//! Values by the prefix of the names that they are for.
//!
//! A name is looked up once for each length that any prefix has, however many prefixes there are.
//! Patterns of channels are kept so by what they begin with, and caching clients by the prefixes
//! that they want to hear of.

use std::collections::BTreeMap;

use hashbrown::HashMap;

/// A map from prefixes.
#[derive(Debug)]
pub(crate) struct PrefixMap<V> {
    by_prefix: HashMap<Box<[u8]>, V>,
    /// Number of prefixes by their length.
    lengths: BTreeMap<usize, usize>,
}

impl<V> Default for PrefixMap<V> {
    fn default() -> Self {
        Self { by_prefix: HashMap::default(), lengths: BTreeMap::new() }
    }
}

impl<V> PrefixMap<V> {
    /// Number of prefixes.
    pub(crate) fn len(&self) -> usize {
        self.by_prefix.len()
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_prefix.is_empty()
    }

    /// The prefixes that `name` begins with and their values, the shorter ones first.
    pub(crate) fn matching<'m>(
        &'m self,
        name: &'m [u8],
    ) -> impl Iterator<Item = (&'m [u8], &'m V)> {
        let prefixes = self.lengths.keys().map_while(|&length| name.get(..length));
        prefixes.filter_map(|prefix| Some((prefix, self.by_prefix.get(prefix)?)))
    }

    /// The value of a prefix.
    pub(crate) fn get_mut(&mut self, prefix: &[u8]) -> Option<&mut V> {
        self.by_prefix.get_mut(prefix)
    }

    /// The value of a prefix, made at need.
    pub(crate) fn get_or_default(&mut self, prefix: &[u8]) -> &mut V
    where
        V: Default,
    {
        self.by_prefix.entry(prefix.into()).or_insert_with(|| {
            *self.lengths.entry(prefix.len()).or_insert(0) += 1;
            V::default()
        })
    }

    /// Forgets a prefix.
    pub(crate) fn remove(&mut self, prefix: &[u8]) {
        if self.by_prefix.remove(prefix).is_none() {
            return;
        }
        let count = self.lengths.get_mut(&prefix.len()).expect("every prefix is counted");
        *count -= 1;
        if *count == 0 {
            self.lengths.remove(&prefix.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_finds_every_prefix_it_begins_with() {
        let mut map = PrefixMap::default();
        for (number, prefix) in ["", "a", "abc", "b", "ax"].iter().enumerate() {
            *map.get_or_default(prefix.as_bytes()) = number;
        }
        let found = |map: &PrefixMap<usize>, name: &str| -> Vec<usize> {
            map.matching(name.as_bytes()).map(|(_, number)| *number).collect()
        };
        assert_eq!(found(&map, "abcd"), [0, 1, 2]);
        assert_eq!(found(&map, "ab"), [0, 1]);
        map.remove(b"a");
        map.remove(b"nosuch");
        assert_eq!(found(&map, "ab"), [0]);
        assert_eq!(map.len(), 4);
    }
}
