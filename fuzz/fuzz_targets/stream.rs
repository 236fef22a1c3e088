//! The stream against a map: entries of every shape added, deleted and trimmed, groups that read,
//! acknowledge, release and claim, producers that are remembered and forgotten, with a frozen clone
//! looked at again at the end.
#![no_main]

use std::collections::BTreeMap;

use collections::stream::{
    Deletion, Group, Id, Limits, Pending, References, Retention, Stream, Trim, TrimTo,
};
use libfuzzer_sys::fuzz_target;

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

#[derive(Clone, Default)]
struct Model {
    entries: BTreeMap<Id, Pairs>,
    /// The id up to which the group has read, and what is pending: by which consumer.
    read: Id,
    pending: BTreeMap<Id, u8>,
    /// What was released, which is pending by nobody, in order.
    released: Vec<Id>,
    /// Entries by producer and idempotent id, and when the next one is recorded.
    produced: BTreeMap<(u8, u8), Id>,
    now: u64,
}

const TERMS: Retention = Retention { seconds: 1, per_producer: 3 };
/// The consumer that stands for nobody.
const NOBODY: u8 = 0;

impl Model {
    fn acknowledge(&mut self, id: Id) -> bool {
        self.released.retain(|released| *released != id);
        self.pending.remove(&id).is_some()
    }

    fn needs(&self, id: Id) -> bool {
        self.read < id || self.pending.contains_key(&id)
    }

    fn check(&self, stream: &Stream) {
        let pairs = |entry: collections::stream::Entry<'_>| {
            let own = |(name, value): (&[u8], &[u8])| (name.to_vec(), value.to_vec());
            (entry.id, entry.fields.map(own).collect::<Pairs>())
        };
        let log = stream.log();
        assert!(log.range(Id::MIN, Id::MAX).map(pairs).eq(self.entries.clone()));
        let back = log.range_back(Id::MIN, Id::MAX).map(pairs);
        assert!(back.eq(self.entries.clone().into_iter().rev()));
        assert_eq!(log.len(), self.entries.len() as u64);
        assert_eq!(log.first_id(), self.entries.keys().next().copied().unwrap_or_default());
        assert!(log.blocks() <= self.entries.len());
        let group = stream.group(GROUP).expect("it is never destroyed");
        let pending = group.pending_from(Id::MIN).map(|(id, pending)| {
            let name = |id| group.consumer(id).expect("it exists").name()[0];
            (id, pending.consumer.map_or(NOBODY, name))
        });
        assert!(pending.eq(self.pending.clone()));
        let counted: usize = group.consumers().map(|consumer| consumer.pending_len()).sum();
        assert_eq!(counted + group.released_len(), self.pending.len());
        let owned = self.pending.iter().filter(|(_, name)| **name != NOBODY).map(|(id, _)| *id);
        let by_claim = group.claimable(u64::MAX, 0).map(|(id, _)| id);
        assert!(by_claim.eq(self.released.iter().copied().chain(owned)));
        if let Some(producers) = stream.producers() {
            for (&(producer, id), &entry) in &self.produced {
                let known = producers.find(&[producer], &[id], self.now);
                assert_eq!(known, Some(entry).filter(|entry| entry.ms + 1000 > self.now));
            }
            assert_eq!(producers.iter().count(), producers.ids_len());
        }
    }
}

const GROUP: &[u8] = b"group";

fn references(byte: u8) -> References {
    match byte % 3 {
        0 => References::Keep,
        1 => References::Delete,
        _ => References::Acknowledged,
    }
}

fn read(stream: &mut Stream, model: &mut Model, name: u8, count: u8) {
    let (log, group) = stream.group_mut(GROUP).expect("it is never destroyed");
    group.create_consumer(&[name], 0);
    let consumer = group.find_consumer(&[name]).expect("it was created");
    let Some(start) = group.last_id.next() else { return };
    let ids: Vec<Id> = log.range(start, Id::MAX).take(count.into()).map(|e| e.id).collect();
    for id in ids {
        group.set_pending(id, Pending::of(consumer, 0, 1));
        group.last_id = id;
        model.read = id;
        model.acknowledge(id);
        model.pending.insert(id, name);
    }
}

fn delete(stream: &mut Stream, model: &mut Model, id: Id, references: References) {
    let expected = match model.entries.contains_key(&id) {
        // A group may need an entry that is gone already.
        _ if references == References::Acknowledged && model.needs(id) => Deletion::Referenced,
        false => Deletion::Missing,
        true => Deletion::Deleted,
    };
    assert_eq!(stream.delete_with(id, references), expected);
    if expected == Deletion::Deleted {
        model.entries.remove(&id);
    }
    if references == References::Delete {
        model.acknowledge(id);
    }
}

/// A producer adds an entry; time goes on.
fn produce(stream: &mut Stream, model: &mut Model, producer: u8, id: u8) {
    model.now += u64::from(id) * 4;
    let (now, entry) = (model.now, Id::new(model.now, model.produced.len() as u64));
    model.produced.retain(|_, entry| entry.ms + 1000 > now);
    let producers = stream.producers_mut(TERMS);
    let known = producers.find(&[producer], &[id], now);
    assert_eq!(known, model.produced.get(&(producer, id)).copied());
    if known.is_some() {
        return producers.count_duplicate();
    }
    producers.record(&[producer], &[id], entry, now);
    model.produced.insert((producer, id), entry);
    let own = model.produced.range((producer, 0)..=(producer, u8::MAX));
    let own: Vec<((u8, u8), Id)> = own.map(|(key, entry)| (*key, *entry)).collect();
    if own.len() > TERMS.per_producer as usize {
        let oldest = own.iter().min_by_key(|(key, entry)| (*entry, *key)).expect("there are some");
        model.produced.remove(&oldest.0);
    }
}

fn trim(stream: &mut Stream, model: &mut Model, to: TrimTo, references: References) {
    let whole = Trim { to, whole_blocks: false, limit: None, references };
    let (removed, _) = stream.trim(&whole);
    let before = model.entries.len();
    for id in model.entries.keys().copied().collect::<Vec<_>>() {
        let done = match to {
            TrimTo::Len(len) => model.entries.len() as u64 <= len,
            TrimTo::Id(to) => id >= to,
        };
        if done {
            break;
        }
        if references == References::Acknowledged && model.needs(id) {
            continue;
        }
        if references == References::Delete {
            model.acknowledge(id);
        }
        model.entries.remove(&id);
    }
    assert_eq!(removed as usize, before - model.entries.len());
}

fuzz_target!(|input: (u8, u16, Vec<(u8, u8, u8, Pairs)>)| {
    let (block_entries, block_bytes, steps) = input;
    let limits = Limits { block_bytes: block_bytes.into(), block_entries: block_entries.into() };
    let (mut stream, mut model) = (Stream::new(), Model::default());
    assert!(stream.create_group(GROUP, Group::new(Id::MIN, None)));
    let mut frozen = (stream.clone(), model.clone());
    for (step, a, b, fields) in steps {
        let near = Id::new(a.into(), b.into());
        let known = model.entries.range(near..).next().map_or(near, |(id, _)| *id);
        match step % 8 {
            0..=2 if !fields.is_empty() => {
                let last = stream.log().last_id();
                let id = match a {
                    0 => last.next().expect("far from the end"),
                    _ => Id::new(last.ms + u64::from(a), u64::from(b) << (b % 56)),
                };
                let pairs = fields.iter().map(|(name, value)| (&name[..], &value[..]));
                assert_eq!(stream.append(id, pairs, limits), Ok(()));
                model.entries.insert(id, fields);
            }
            3 if step & 8 == 0 => read(&mut stream, &mut model, a.max(1), b),
            3 if step & 16 == 0 => produce(&mut stream, &mut model, a % 4, b),
            3 => {
                let id = model.pending.range(near..).next().map_or(near, |(id, _)| *id);
                let (_, group) = stream.group_mut(GROUP).expect("it is never destroyed");
                if group.pending(id).is_some() {
                    group.set_pending(id, Pending::released(1));
                    model.acknowledge(id);
                    model.released.push(id);
                    model.pending.insert(id, NOBODY);
                }
            }
            4 => delete(&mut stream, &mut model, known, references(step >> 3)),
            5 => {
                let left = (model.entries.len() as u64).saturating_sub(a.into());
                let to = if b % 2 == 0 { TrimTo::Len(left) } else { TrimTo::Id(known) };
                trim(&mut stream, &mut model, to, references(step >> 3));
            }
            6 => {
                let id = model.pending.range(near..).next().map_or(near, |(id, _)| *id);
                let (_, group) = stream.group_mut(GROUP).expect("it is never destroyed");
                assert_eq!(group.acknowledge(id), model.acknowledge(id));
            }
            7 if b == 0 => frozen = (stream.clone(), model.clone()),
            7 => {
                let (_, group) = stream.group_mut(GROUP).expect("it is never destroyed");
                group.delete_consumer(&[a.max(1)]);
                model.pending.retain(|_, name| *name != a.max(1));
            }
            _ => model.check(&stream),
        }
    }
    model.check(&stream);
    frozen.1.check(&frozen.0);
});
