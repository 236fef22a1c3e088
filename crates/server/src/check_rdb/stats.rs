//! What keys a file has: how many of which type, how large, and which are the largest.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use format::rdb::file::Entry;
use format::rdb::{Decoded, ObjectType};
use store::ObjectRef;

/// How many of the largest keys are named.
const LARGEST: usize = 10;

/// A key that was read.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    /// Its database.
    pub db: u64,
    /// Its name.
    pub key: &'a [u8],
    /// Its record.
    pub entry: &'a Entry<'a>,
    /// Its value; none for those of modules.
    pub value: Option<&'a Decoded<'a>>,
}

/// Sums over keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Number of keys.
    pub keys: u64,
    /// Number of those that expire.
    pub expires: u64,
    /// Elements of all of them; a string is one.
    pub elements: u64,
    /// Bytes that keys and values take in the file.
    pub file_bytes: u64,
    /// Bytes that they take in this server's memory.
    pub memory_bytes: u64,
}

/// A large key. They are ordered by size.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Large {
    /// Bytes in memory.
    pub memory_bytes: u64,
    /// Bytes in the file.
    pub file_bytes: u64,
    /// Number of elements.
    pub elements: u64,
    /// Its database.
    pub db: u64,
    /// Its type.
    pub type_name: &'static str,
    /// Its name.
    pub key: Vec<u8>,
}

/// What keys a file has.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// By database.
    pub databases: BTreeMap<u64, Sum>,
    /// By type and how the file holds the value.
    pub types: BTreeMap<(&'static str, &'static str), Sum>,
    /// The largest so far, the smallest of them on top.
    largest: BinaryHeap<Reverse<Large>>,
}

impl Stats {
    /// Adds a key.
    pub fn add(&mut self, key: Key<'_>) {
        let (type_name, elements, memory_bytes) = measure(&key);
        let sum = Sum {
            keys: 1,
            expires: u64::from(key.entry.attributes.deadline.is_some()),
            elements,
            file_bytes: key.entry.bytes.len() as u64,
            memory_bytes,
        };
        self.databases.entry(key.db).or_default().add(&sum);
        self.types.entry((type_name, form_name(key.entry.kind))).or_default().add(&sum);
        let smallest = self.largest.peek().map_or(0, |Reverse(large)| large.memory_bytes);
        if self.largest.len() == LARGEST && memory_bytes <= smallest {
            return;
        }
        self.largest.push(Reverse(Large {
            memory_bytes,
            file_bytes: sum.file_bytes,
            elements,
            db: key.db,
            type_name,
            key: key.key.to_vec(),
        }));
        if self.largest.len() > LARGEST {
            self.largest.pop();
        }
    }

    /// Sums over all keys.
    pub fn total(&self) -> Sum {
        let mut total = Sum::default();
        self.databases.values().for_each(|sum| total.add(sum));
        total
    }

    /// The largest keys, the largest of all first.
    pub fn largest(&self) -> Vec<Large> {
        self.largest.clone().into_sorted_vec().into_iter().map(|Reverse(large)| large).collect()
    }
}

impl Sum {
    fn add(&mut self, other: &Self) {
        self.keys += other.keys;
        self.expires += other.expires;
        self.elements += other.elements;
        self.file_bytes += other.file_bytes;
        self.memory_bytes += other.memory_bytes;
    }
}

/// Name of the type, number of elements, bytes of memory with the key.
fn measure(key: &Key<'_>) -> (&'static str, u64, u64) {
    let overhead = key.key.len() as u64;
    match key.value {
        None => ("module", 1, overhead + key.entry.bytes.len() as u64),
        Some(Decoded::String(text)) => ("string", 1, overhead + text.len() as u64),
        Some(Decoded::Object(object)) => {
            let object = object.as_ref();
            let bytes = overhead + object.allocated_bytes() as u64;
            (object.type_name(), elements(object), bytes)
        }
    }
}

fn elements(object: ObjectRef<'_>) -> u64 {
    match object {
        ObjectRef::List(list) => list.len() as u64,
        ObjectRef::Set(set) => set.len() as u64,
        ObjectRef::Hash(hash) => hash.len() as u64,
        ObjectRef::SortedSet(set) => set.len() as u64,
        ObjectRef::Stream(stream) => stream.log().len(),
        ObjectRef::Array(array) => array.count(),
    }
}

/// How redis-check-rdb calls the forms in which values stand in a file.
pub fn form_name(kind: ObjectType) -> &'static str {
    match kind {
        ObjectType::String => "string",
        ObjectType::List => "list-linked",
        ObjectType::Set => "set-hashtable",
        ObjectType::SortedSet => "zset-v1",
        ObjectType::Hash => "hash-hashtable",
        ObjectType::SortedSet2 => "zset-v2",
        ObjectType::Module => "module-value",
        ObjectType::HashZipmap => "hash-zipmap",
        ObjectType::ListZiplist => "list-ziplist",
        ObjectType::SetIntset => "set-intset",
        ObjectType::SortedSetZiplist => "zset-ziplist",
        ObjectType::HashZiplist => "hash-ziplist",
        ObjectType::ListQuicklist => "quicklist",
        ObjectType::StreamListpacks => "stream",
        ObjectType::HashListpack => "hash-listpack",
        ObjectType::SortedSetListpack => "zset-listpack",
        ObjectType::ListQuicklist2 => "quicklist-v2",
        ObjectType::StreamListpacks2 => "stream-v2",
        ObjectType::SetListpack => "set-listpack",
        ObjectType::StreamListpacks3 => "stream-v3",
        ObjectType::StreamListpacks4 => "stream-v4",
        ObjectType::HashDeadlines => "hash-volatile-items",
        ObjectType::HashTimed => "hash-hashtable-md",
        ObjectType::HashTimedListpack => "hash-listpack-md",
        ObjectType::Array => "array",
    }
}
