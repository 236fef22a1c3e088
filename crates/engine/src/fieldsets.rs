//! Fieldsets: lists of field names that a session has prepared, to send values without them.
//!
//! A client prepares a list once and imports many hashes by it. So the list is brought into the
//! order in which the hashes keep their fields when it is prepared, and an import is one pass.

use std::collections::BTreeMap;

use resp::Args;

/// A list of field names that differ.
#[derive(Debug)]
pub(crate) struct Fieldset {
    /// The names, the shorter ones first and those of one length in the order of their bytes: by
    /// this order Redis shows the hashes. Beside each, which of the values is its.
    fields: Box<[(Box<[u8]>, u32)]>,
}

/// Two names of a list are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Repeated;

impl Fieldset {
    /// The list of these names.
    ///
    /// # Errors
    /// If a name is there twice.
    pub(crate) fn new(names: Args<'_>) -> Result<Self, Repeated> {
        let mut fields: Vec<(Box<[u8]>, u32)> = names.iter().map(Box::from).zip(0..).collect();
        fields.sort_unstable_by(|(a, _), (b, _)| (a.len(), a).cmp(&(b.len(), b)));
        if fields.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(Repeated);
        }
        Ok(Self { fields: fields.into() })
    }

    /// Number of names, at least one.
    pub(crate) const fn len(&self) -> usize {
        self.fields.len()
    }

    /// The names, each with its value out of as many `values` in the order of preparing.
    pub(crate) fn with<'a>(
        &'a self,
        values: Args<'a>,
    ) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        self.fields.iter().filter_map(move |(name, at)| Some((&**name, values.get(*at as usize)?)))
    }

    fn bytes(&self) -> usize {
        let names: usize = self.fields.iter().map(|(name, _)| name.len()).sum();
        names + size_of_val(&*self.fields)
    }
}

/// The fieldsets of a session.
#[derive(Debug, Default)]
pub(crate) struct Fieldsets {
    by_name: BTreeMap<Box<[u8]>, Fieldset>,
    /// What they take.
    bytes: usize,
}

impl Fieldsets {
    /// The fieldset of this name.
    pub(crate) fn get(&self, name: &[u8]) -> Option<&Fieldset> {
        self.by_name.get(name)
    }

    /// Gives a fieldset a name, which it takes from the one that has it.
    pub(crate) fn insert(&mut self, name: &[u8], fieldset: Fieldset) {
        self.remove(name);
        self.bytes += taken(name, &fieldset);
        self.by_name.insert(name.into(), fieldset);
    }

    /// Forgets a fieldset; false if there is none of this name.
    pub(crate) fn remove(&mut self, name: &[u8]) -> bool {
        let removed = self.by_name.remove(name);
        self.bytes -= removed.as_ref().map_or(0, |fieldset| taken(name, fieldset));
        removed.is_some()
    }

    /// Forgets all of them; how many they were.
    pub(crate) fn clear(&mut self) -> usize {
        self.bytes = 0;
        std::mem::take(&mut self.by_name).len()
    }

    /// The bytes that they take; none only if there is none.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }
}

fn taken(name: &[u8], fieldset: &Fieldset) -> usize {
    size_of::<(Box<[u8]>, Fieldset)>() + name.len() + fieldset.bytes()
}

#[cfg(test)]
mod tests {
    use resp::OwnedArgs;

    use super::*;

    fn args(words: &str) -> OwnedArgs {
        OwnedArgs::from_slices(&words.split(' ').collect::<Vec<_>>())
    }

    fn set(words: &str) -> Fieldset {
        Fieldset::new(args(words).as_args()).unwrap()
    }

    #[test]
    fn values_follow_their_names_into_the_order_of_storing() {
        let (fieldset, values) = (set("email b name a"), args("E B N A"));
        let fields: Vec<_> = fieldset.with(values.as_args()).collect();
        let expected = [("a", "A"), ("b", "B"), ("name", "N"), ("email", "E")];
        assert_eq!(fields, expected.map(|(name, value)| (name.as_bytes(), value.as_bytes())));
        assert_eq!(Fieldset::new(args("a b a").as_args()).err(), Some(Repeated));
    }

    #[test]
    fn bytes_are_counted_in_and_out() {
        let mut sets = Fieldsets::default();
        sets.insert(b"", set("a"));
        let one = sets.bytes();
        assert!(one > 0);
        sets.insert(b"two", set("a bbbbbbbb c"));
        sets.insert(b"two", set("a"));
        assert_eq!(sets.bytes(), 2 * one + 3);
        assert!(sets.remove(b"two") && !sets.remove(b"two"));
        assert_eq!((sets.bytes(), sets.clear(), sets.bytes()), (one, 1, 0));
    }
}
