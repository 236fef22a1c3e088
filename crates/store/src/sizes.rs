//! How many keys of each type there are of each size.
//!
//! Every key table counts its own ([`collections::table::Sizes`]); here they are added up.

use collections::entry::ObjectKind;
use collections::table::{self, KeyTable, Sizes, TYPES};

use crate::keyspace::Keyspace;
use crate::lock::each_shard;
use crate::shard::Store;
use crate::value_type::ValueType;

/// The histograms of one database: by bin, then by row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SizeHistograms(Vec<[u64; TYPES]>);

impl SizeHistograms {
    /// The counts of one type: the least size of each bin that is not empty, and how many values
    /// have that size or more, but less than twice as much. Size 0 has a bin of its own.
    pub fn of(&self, value_type: ValueType) -> impl Iterator<Item = (u64, u64)> {
        let row = table::row(match value_type {
            ValueType::String => None,
            ValueType::List => Some(ObjectKind::List),
            ValueType::Set => Some(ObjectKind::Set),
            ValueType::Hash => Some(ObjectKind::Hash),
            ValueType::SortedSet => Some(ObjectKind::SortedSet),
            ValueType::Stream => Some(ObjectKind::Stream),
            ValueType::Array => Some(ObjectKind::Array),
        });
        let least = std::iter::once(0).chain((0..).map(|exponent| 1 << exponent));
        let counts = self.0.iter().map(move |bin| bin[row]);
        least.zip(counts).filter(|&(_, count)| count > 0)
    }

    fn add(&mut self, sizes: &Sizes) {
        for (index, bin) in sizes.bins().enumerate() {
            if index == self.0.len() {
                self.0.push([0; TYPES]);
            }
            self.0[index].iter_mut().zip(bin).for_each(|(sum, count)| *sum += u64::from(*count));
        }
    }
}

impl Store {
    /// Whether all histograms are what counting the keys gives: for tests, since it visits all.
    #[must_use]
    pub fn sizes_are_right(&self) -> bool {
        let mut shards = self.shards.iter();
        shards.all(|shard| shard.lock().databases.iter().all(KeyTable::sizes_are_right))
    }
}

impl Keyspace<'_> {
    /// The histograms of each database, each shard counted at its own moment.
    pub fn sizes(&mut self) -> Vec<SizeHistograms> {
        let mut sizes = vec![SizeHistograms::default(); self.store.databases()];
        each_shard(&self.store.shards, &mut self.held, |_, shard| {
            for (sum, table) in sizes.iter_mut().zip(shard.databases.iter()) {
                sum.add(table.sizes());
            }
        });
        sizes
    }
}
