//! The dataset as commands: a base that people can read and edit (`aof-use-rdb-preamble no`).
//!
//! A value becomes the commands that build it, some elements at a time, as no server likes commands
//! of a million arguments. Streams and arrays have more to them than elements (ids, groups, who has
//! which entry pending), so they become `RESTORE` with their payload, which loses nothing.

use std::ops::ControlFlow;

use collections::entry::{EntryRef, ObjectRef, StringRef, ValueRef};
use collections::hash::Hash;
use collections::list::{End, List};
use collections::listpack::Item;
use collections::set::Set;
use collections::sorted_set::SortedSet;
use format::rdb::Options;
use resp::encode_command;
use stdx::num;
use store::snapshot::Encode;

/// Elements of one command.
const ELEMENTS_MAX: usize = 64;

/// Writes entries as commands.
#[derive(Clone, Copy, Debug)]
pub struct Commands {
    /// How payloads are written.
    pub payloads: Options,
}

impl Commands {
    /// Selects the database of what follows.
    pub fn select(db: usize, out: &mut Vec<u8>) {
        encode_command([&b"SELECT"[..], db.to_string().as_bytes()].into_iter(), out);
    }

    /// Appends the command that loads a library of functions.
    pub fn library(source: &[u8], out: &mut Vec<u8>) {
        encode_command([&b"FUNCTION"[..], b"LOAD", source].into_iter(), out);
    }

    /// Appends the commands that create a key.
    pub fn write(&self, key: &[u8], value: ValueRef<'_>, deadline: Option<u64>, out: &mut Vec<u8>) {
        match value {
            ValueRef::String(text) => write_string(key, text, out),
            ValueRef::Object(ObjectRef::List(list)) => write_list(key, list, out),
            ValueRef::Object(ObjectRef::Set(set)) => write_set(key, set, out),
            ValueRef::Object(ObjectRef::Hash(hash)) => write_hash(key, hash, out),
            ValueRef::Object(ObjectRef::SortedSet(set)) => write_sorted_set(key, set, out),
            ValueRef::Object(ObjectRef::Stream(_) | ObjectRef::Array(_)) => {
                let payload = format::dump::write(value, self.payloads);
                encode_command([&b"RESTORE"[..], key, b"0", &payload].into_iter(), out);
            }
        }
        if let Some(deadline) = deadline {
            let deadline = deadline.to_string();
            encode_command([&b"PEXPIREAT"[..], key, deadline.as_bytes()].into_iter(), out);
        }
    }
}

impl Encode for Commands {
    fn encode(&self, entry: EntryRef<'_>, out: &mut Vec<u8>) {
        self.write(entry.key(), entry.value(), entry.deadline(), out);
    }
}

/// Collects elements of a key and writes a command whenever there are enough.
struct Batches<'k, 'o> {
    head: [&'k [u8]; 2],
    /// The arguments, one behind the other, and where each ends.
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// Arguments of an element.
    width: usize,
    out: &'o mut Vec<u8>,
}

impl<'k, 'o> Batches<'k, 'o> {
    fn new(name: &'k [u8], key: &'k [u8], width: usize, out: &'o mut Vec<u8>) -> Self {
        Self { head: [name, key], bytes: Vec::new(), ends: Vec::new(), width, out }
    }

    fn argument(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        self.ends.push(self.bytes.len());
        if self.ends.len() == ELEMENTS_MAX * self.width {
            self.flush();
        }
    }

    fn item(&mut self, item: Item<'_>) {
        self.argument(|bytes| write_item(bytes, item));
    }

    fn flush(&mut self) {
        if self.ends.is_empty() {
            return;
        }
        let mut arguments: Vec<&[u8]> = self.head.to_vec();
        let mut start = 0;
        for &end in &self.ends {
            arguments.push(&self.bytes[start..end]);
            start = end;
        }
        encode_command(arguments.into_iter(), self.out);
        self.bytes.clear();
        self.ends.clear();
    }
}

impl Drop for Batches<'_, '_> {
    fn drop(&mut self) {
        self.flush();
    }
}

fn write_item(out: &mut Vec<u8>, item: Item<'_>) {
    match item {
        Item::Int(number) => num::write_i64(out, number),
        Item::Bytes(bytes) => out.extend_from_slice(bytes),
    }
}

fn write_string(key: &[u8], text: StringRef<'_>, out: &mut Vec<u8>) {
    let mut digits = Vec::new();
    let text = match text {
        StringRef::Int(number) => {
            num::write_i64(&mut digits, number);
            &digits
        }
        StringRef::Inline { bytes, .. } => bytes,
        StringRef::Shared { bytes, .. } => bytes.as_slice(),
    };
    encode_command([&b"SET"[..], key, text].into_iter(), out);
}

fn write_list(key: &[u8], list: &List, out: &mut Vec<u8>) {
    let mut batches = Batches::new(b"RPUSH", key, 1, out);
    let _ = list.visit(0, End::Front, &mut |item| {
        batches.item(item);
        ControlFlow::<()>::Continue(())
    });
}

fn write_set(key: &[u8], set: &Set, out: &mut Vec<u8>) {
    let mut batches = Batches::new(b"SADD", key, 1, out);
    set.iter().for_each(|member| batches.item(member));
}

fn write_sorted_set(key: &[u8], set: &SortedSet, out: &mut Vec<u8>) {
    let mut batches = Batches::new(b"ZADD", key, 2, out);
    for element in set.range(0..set.len()) {
        batches.argument(|bytes| num::write_f64_17g(bytes, element.score));
        batches.item(element.member);
    }
}

/// The fields, then the deadlines of those that have one.
fn write_hash(key: &[u8], hash: &Hash, out: &mut Vec<u8>) {
    let mut batches = Batches::new(b"HMSET", key, 2, out);
    for field in hash.fields() {
        batches.item(field.name);
        batches.item(field.value);
    }
    drop(batches);
    for field in hash.fields() {
        let Some(deadline) = field.deadline else { continue };
        let (deadline, mut name) = (deadline.to_string(), Vec::new());
        write_item(&mut name, field.name);
        let words =
            [&b"HPEXPIREAT"[..], key, deadline.as_bytes(), b"FIELDS", b"1", name.as_slice()];
        encode_command(words.into_iter(), out);
    }
}
