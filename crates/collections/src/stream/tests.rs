//! Tests of the stream against an obvious model, with frozen clones looked at again later.

use std::collections::BTreeMap;

use stdx::rng::Rng;

use super::*;

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// What a stream should be.
#[derive(Clone, Debug, Default, PartialEq)]
struct Model {
    entries: BTreeMap<Id, Pairs>,
    added: u64,
    last: Id,
    max_deleted: Id,
    groups: BTreeMap<Vec<u8>, ModelGroup>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct ModelGroup {
    last: Id,
    consumers: BTreeMap<Vec<u8>, u64>,
    /// By whom, when and how often; by the empty name if released.
    pending: BTreeMap<Id, (Vec<u8>, u64, u64)>,
    /// What was released, in order.
    released: Vec<Id>,
}

impl ModelGroup {
    fn set(&mut self, id: Id, record: (Vec<u8>, u64, u64)) {
        self.acknowledge(id);
        if record.0.is_empty() {
            self.released.push(id);
        }
        self.pending.insert(id, record);
    }

    fn acknowledge(&mut self, id: Id) -> bool {
        self.released.retain(|released| *released != id);
        self.pending.remove(&id).is_some()
    }

    /// All pending entries in the order in which they are claimed.
    fn by_claim(&self) -> Vec<Id> {
        let owned = self.pending.iter().filter(|(_, record)| !record.0.is_empty());
        let mut owned: Vec<(u64, Id)> = owned.map(|(id, record)| (record.1, *id)).collect();
        owned.sort_unstable();
        self.released.iter().copied().chain(owned.into_iter().map(|(_, id)| id)).collect()
    }
}

impl Model {
    fn needs(&self, id: Id) -> bool {
        self.groups.values().any(|g| g.last < id || g.pending.contains_key(&id))
    }

    fn forget(&mut self, id: Id) {
        for group in self.groups.values_mut() {
            group.acknowledge(id);
        }
    }

    /// Exact trimming without a limit.
    fn trim(&mut self, to: TrimTo, references: References) -> u64 {
        let (ids, before): (Vec<Id>, _) =
            (self.entries.keys().copied().collect(), self.entries.len());
        for id in ids {
            let done = match to {
                TrimTo::Len(len) => self.entries.len() as u64 <= len,
                TrimTo::Id(to) => id >= to,
            };
            if done {
                break;
            }
            match references {
                References::Acknowledged if self.needs(id) => continue,
                References::Delete => self.forget(id),
                _ => {}
            }
            self.entries.remove(&id);
        }
        (before - self.entries.len()) as u64
    }
}

fn pairs(entry: Entry<'_>) -> (Id, Pairs) {
    (entry.id, entry.fields.map(|(name, value)| (name.to_vec(), value.to_vec())).collect())
}

fn append(stream: &mut Stream, id: Id, fields: &Pairs, limits: Limits) -> Result<(), AppendError> {
    stream.append(id, fields.iter().map(|(name, value)| (&name[..], &value[..])), limits)
}

/// Everything that can be seen of a stream is as the model says.
fn check(stream: &Stream, model: &Model) {
    let log = stream.log();
    let all: BTreeMap<Id, Pairs> = log.range(Id::MIN, Id::MAX).map(pairs).collect();
    assert_eq!(all, model.entries);
    let back: Vec<Id> = log.range_back(Id::MIN, Id::MAX).map(|entry| entry.id).collect();
    assert!(back.iter().eq(model.entries.keys().rev()));
    assert_eq!(log.len(), model.entries.len() as u64);
    assert_eq!(log.is_empty(), model.entries.is_empty());
    assert_eq!(log.first_id(), model.entries.keys().next().copied().unwrap_or_default());
    let marks = (log.last_id(), log.entries_added(), log.max_deleted_id());
    assert_eq!(marks, (model.last, model.added, model.max_deleted));
    assert!(log.blocks() as u64 <= log.len(), "no block is without an entry");
    let groups: BTreeMap<Vec<u8>, ModelGroup> = stream
        .groups()
        .map(|(name, group)| {
            group.check();
            let name_of = |id: Option<ConsumerId>| {
                id.map_or(Vec::new(), |id| group.consumer(id).unwrap().name().to_vec())
            };
            let pending = group
                .pending_from(Id::MIN)
                .map(|(id, p)| (id, (name_of(p.consumer), p.delivered_at, p.deliveries)));
            let consumers = group.consumers().map(|c| (c.name().to_vec(), c.seen_at));
            let (consumers, pending) = (consumers.collect(), pending.collect());
            let claimable = group.claimable(u64::MAX, 0).map(|(id, _)| id);
            let released = claimable.take(group.released_len()).collect();
            let seen = ModelGroup { last: group.last_id, consumers, pending, released };
            let claimable = group.claimable(u64::MAX, 0).map(|(id, _)| id);
            assert!(claimable.eq(seen.by_claim()));
            let idle = group.claimable(9_000, 5_000).map(|(_, pending)| pending.delivered_at);
            assert!(
                idle.is_sorted()
                    && group.claimable(9_000, 5_000).all(|(_, p)| p.idle(9_000) >= 5_000)
            );
            (name.to_vec(), seen)
        })
        .collect();
    assert_eq!(groups, model.groups);
}

/// A random walk over all operations.
struct Walk {
    rng: Rng,
    stream: Stream,
    model: Model,
    frozen: Vec<(Stream, Model)>,
    limits: Limits,
}

impl Walk {
    fn name(&mut self, letter: u8) -> Vec<u8> {
        vec![letter, b'0' + self.rng.below(4) as u8]
    }

    /// An id at or near one that exists, or did.
    fn some_id(&mut self) -> Id {
        let near = self.rng.below(self.model.last.ms + 2);
        let near = Id::new(near, self.rng.below(3));
        let known = self.model.entries.range(near..).next().map_or(near, |(id, _)| *id);
        if self.rng.chance(3, 4) { known } else { near }
    }

    fn append(&mut self) {
        let last = self.model.last;
        let step = self.rng.below(4);
        let seq = if step == 0 { last.seq + 1 } else { self.rng.below(3) };
        let id = Id::new(last.ms + step, seq);
        let usual = self.rng.chance(4, 5);
        let count = if usual { 2 } else { 1 + self.rng.below(4) };
        let fields: Pairs = (0..count)
            .map(|n| {
                let name = if usual { n } else { self.rng.below(4) };
                let bound = if self.rng.chance(1, 50) { 300 } else { 20 };
                let len = self.rng.below(bound);
                (format!("field{name}").into_bytes(), vec![b'v'; len as usize])
            })
            .collect();
        assert_eq!(append(&mut self.stream, id, &fields, self.limits), Ok(()));
        self.model.entries.insert(id, fields);
        self.model.added += 1;
        self.model.last = id;
        let refused = append(&mut self.stream, id, &vec![Default::default()], self.limits);
        assert_eq!(refused, Err(AppendError::NotAboveLast));
    }

    fn delete(&mut self) {
        let id = self.some_id();
        let references = self.references();
        let expected = match self.model.entries.contains_key(&id) {
            _ if references == References::Acknowledged && self.model.needs(id) => {
                Deletion::Referenced
            }
            false => Deletion::Missing,
            true => Deletion::Deleted,
        };
        assert_eq!(self.stream.delete_with(id, references), expected);
        if expected == Deletion::Deleted {
            self.model.entries.remove(&id);
            self.model.max_deleted = self.model.max_deleted.max(id);
        }
        if references == References::Delete {
            self.model.forget(id);
        }
    }

    fn references(&mut self) -> References {
        match self.rng.below(3) {
            0 => References::Keep,
            1 => References::Delete,
            _ => References::Acknowledged,
        }
    }

    fn trim(&mut self) {
        let len = self.model.entries.len() as u64;
        let to = if self.rng.chance(1, 2) {
            TrimTo::Len(len.saturating_sub(self.rng.below(30)))
        } else {
            let at = self.rng.below(30) as usize;
            TrimTo::Id(self.model.entries.keys().nth(at).copied().unwrap_or(Id::new(3, 0)))
        };
        let references = self.references();
        let exact = Trim { to, whole_blocks: false, limit: None, references };
        if self.rng.chance(1, 2) {
            assert_eq!(self.stream.trim(&exact).0, self.model.trim(to, references));
            return;
        }
        // Approximate: not more than exact, within the limit, and it is repeatable as an exact one.
        let limit = self.rng.below(40);
        let trim = Trim { whole_blocks: true, limit: Some(limit), ..exact };
        let (removed, _) = self.stream.trim(&trim);
        assert!(removed <= limit);
        let left = len - removed;
        match (to, references) {
            (TrimTo::Len(len), _) => assert!(left >= len.min(len + removed)),
            (TrimTo::Id(id), References::Keep | References::Delete) => {
                let below = self.model.entries.range(..id).count() as u64;
                assert!(removed <= below);
            }
            _ => {}
        }
        if references == References::Acknowledged {
            // Which entries went is the block's business: take it over from the stream.
            let stream = &self.stream;
            let kept = |id: &Id, _: &mut Pairs| stream.log().contains(*id);
            let mut entries = self.model.entries.clone();
            entries.retain(kept);
            let gone = self.model.entries.keys().filter(|id| !entries.contains_key(id));
            assert!(gone.into_iter().all(|id| !self.model.needs(*id)));
            self.model.entries = entries;
        } else {
            assert_eq!(self.model.trim(TrimTo::Len(left), references), removed);
        }
    }

    fn group(&mut self) {
        let name = self.name(b'g');
        if self.rng.chance(1, 20) {
            let destroyed = self.stream.destroy_group(&name).is_some();
            assert_eq!(destroyed, self.model.groups.remove(&name).is_some());
            return;
        }
        let last = if self.rng.chance(1, 2) { Id::MIN } else { self.model.last };
        let new = self.stream.create_group(&name, Group::new(last, None));
        assert_eq!(new, !self.model.groups.contains_key(&name));
        self.model.groups.entry(name).or_insert(ModelGroup { last, ..Default::default() });
    }

    fn in_group(&mut self, now: u64) {
        let (name, consumer) = (self.name(b'g'), self.name(b'c'));
        let (id, kind) = (self.some_id(), self.rng.below(11));
        let found = (self.stream.group_mut(&name), self.model.groups.get_mut(&name));
        let (Some((log, group)), Some(model)) = found else { return };
        match kind {
            0..=5 => {
                let created = group.create_consumer(&consumer, now);
                assert_eq!(created.is_some(), !model.consumers.contains_key(&consumer));
                model.consumers.entry(consumer.clone()).or_insert(now);
                let number = group.find_consumer(&consumer).unwrap();
                let next: Vec<Id> = match group.last_id.next() {
                    Some(start) => log.range(start, Id::MAX).take(5).map(|e| e.id).collect(),
                    None => Vec::new(),
                };
                for id in next {
                    group.set_pending(id, Pending::of(number, now, 1));
                    group.last_id = id;
                    model.set(id, (consumer.clone(), now, 1));
                    model.last = id;
                }
            }
            6 | 7 => {
                let id = model.pending.range(id..).next().map_or(id, |(id, _)| *id);
                assert_eq!(group.acknowledge(id), model.acknowledge(id));
            }
            8 => {
                let Some(number) = group.find_consumer(&consumer) else { return };
                if let Some(deliveries) = model.pending.get(&id).map(|record| record.2) {
                    let mut pending = *group.pending(id).unwrap();
                    (pending.consumer, pending.delivered_at) = (Some(number), now);
                    pending.deliveries += 1;
                    group.set_pending(id, pending);
                    model.set(id, (consumer, now, deliveries + 1));
                }
            }
            9 => {
                if let Some(deliveries) = model.pending.get(&id).map(|record| record.2) {
                    group.set_pending(id, Pending::released(deliveries));
                    model.set(id, (Vec::new(), 0, deliveries));
                }
            }
            _ => {
                let count = model.pending.values().filter(|p| p.0 == consumer).count();
                let existed = model.consumers.remove(&consumer).is_some();
                model.pending.retain(|_, p| p.0 != consumer);
                let departed = group.delete_consumer(&consumer);
                assert_eq!(departed.map(|d| d.pending_len()), existed.then_some(count));
            }
        }
    }

    fn look(&mut self) {
        let (a, b) = (self.some_id(), self.some_id());
        let (start, end) = (a.min(b), a.max(b));
        let log = self.stream.log();
        let expected = || self.model.entries.range(start..=end);
        assert!(log.range(start, end).map(|e| e.id).eq(expected().map(|(id, _)| *id)));
        assert!(log.range_back(start, end).map(|e| e.id).eq(expected().rev().map(|(id, _)| *id)));
        assert!(log.range(end.next().unwrap(), start).next().is_none());
        assert_eq!(log.contains(a), self.model.entries.contains_key(&a));
    }
}

fn walk(seed: u64, steps: u64, limits: Limits) {
    println!("seed {seed}; replay: walk({seed}, {steps}, {limits:?})");
    let mut walk = Walk {
        rng: Rng::seed(seed),
        stream: Stream::new(),
        model: Model::default(),
        frozen: Vec::new(),
        limits,
    };
    for step in 0..steps {
        match walk.rng.below(100) {
            0..=54 => walk.append(),
            55..=69 => walk.delete(),
            70..=71 => walk.trim(),
            72..=73 => walk.group(),
            74..=89 => walk.in_group(step),
            90..=98 => walk.look(),
            _ => {
                walk.frozen.truncate(2);
                walk.frozen.insert(0, (walk.stream.clone(), walk.model.clone()));
            }
        }
        if step % 101 == 0 {
            check(&walk.stream, &walk.model);
        }
    }
    check(&walk.stream, &walk.model);
    walk.frozen.iter().for_each(|(stream, model)| check(stream, model));
    let all =
        Trim { to: TrimTo::Len(0), whole_blocks: false, limit: None, references: References::Keep };
    assert_eq!(walk.stream.trim(&all).0, walk.model.entries.len() as u64);
    assert_eq!((walk.stream.log().blocks(), walk.stream.log().first_id()), (0, Id::MIN));
}

#[test]
fn behaves_as_the_model() {
    walk(1, 8_000, Limits { block_bytes: 0, block_entries: 5 });
    walk(2, 8_000, Limits { block_bytes: 100, block_entries: 0 });
    walk(3, 8_000, Limits::default());
    walk(4, 8_000, Limits { block_bytes: 1, block_entries: 1 });
}

#[test]
fn a_million_short_entries_fit_their_budget() {
    let mut stream = Stream::new();
    for n in 0..1_000_000u64 {
        let value = format!("value:{n:06}");
        let fields = [(&b"field"[..], value.as_bytes())];
        let id = Id::new(1_700_000_000_000 + n, 0);
        stream.append(id, fields.into_iter(), Limits::default()).unwrap();
    }
    let each = stream.allocated_bytes() as f64 / 1e6;
    println!("{each:.2} bytes for each entry");
    assert!(each < 22.0, "{each} bytes for each entry");
    assert_eq!(stream.log().blocks(), 10_000);
}

#[test]
fn appending_to_a_clone_copies_one_block() {
    let mut stream = Stream::new();
    let fields = [(&b"f"[..], &b"v"[..])];
    for ms in 1..=1_050 {
        stream.append(Id::new(ms, 0), fields.into_iter(), Limits::default()).unwrap();
    }
    let frozen = stream.clone();
    stream.append(Id::new(2_000, 0), fields.into_iter(), Limits::default()).unwrap();
    let value = |stream: &Stream, ms| {
        let entry = stream.log().first_in(Id::new(ms, 0), Id::MAX).unwrap();
        entry.fields.clone().next().unwrap().1.as_ptr()
    };
    assert_eq!(value(&stream, 1_000), value(&frozen, 1_000), "sealed blocks are shared");
    assert_ne!(value(&stream, 1_001), value(&frozen, 1_001), "the tail was copied");
    assert_eq!((frozen.log().len(), stream.log().len()), (1_050, 1_051));
}

#[test]
fn an_entry_too_large_is_refused() {
    let large = vec![0u8; 1 << 20];
    let fields = std::iter::repeat_n((&b"f"[..], &large[..]), 1_100);
    let mut stream = Stream::new();
    let refused = stream.append(Id::new(1, 0), fields, Limits::default());
    assert_eq!((refused, stream.log().len()), (Err(AppendError::TooLarge), 0));
}
