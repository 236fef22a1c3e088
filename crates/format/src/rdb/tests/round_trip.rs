//! Random values of every type: what is read is what was written.

use collections::array::Array;
use collections::hash::Hash;
use collections::list::{End, List};
use collections::set::Set;
use collections::sorted_set::SortedSet;
use collections::stream::{self, Group, Id, Pending, Retention, Stream};

use super::*;

fn text(rng: &mut Rng) -> Vec<u8> {
    match rng.below(8) {
        0..=2 => (rng.next_u64() as i64 >> rng.below(64)).to_string().into_bytes(),
        3 => vec![b'x'; rng.index(400)],
        4 if rng.chance(1, 20) => (0..20_000).map(|at| (at / 7) as u8).collect(),
        _ => (0..rng.index(24)).map(|_| rng.next_u64() as u8).collect(),
    }
}

fn number_of_elements(rng: &mut Rng) -> usize {
    1 + match rng.below(4) {
        0 => rng.index(4),
        1..=2 => rng.index(120),
        _ => rng.index(1500),
    }
}

fn random_list(rng: &mut Rng) -> List {
    let depth = rng.below(3) as u32;
    let limits = list::Limits { max_listpack_size: -1, compress_depth: depth };
    let mut list = List::default();
    for _ in 0..number_of_elements(rng) {
        let end = if rng.chance(1, 2) { End::Front } else { End::Back };
        list.push(end, &text(rng), limits);
    }
    list
}

fn random_stream(rng: &mut Rng) -> Stream {
    let mut stream = Stream::new();
    let limits = stream::Limits { block_bytes: 512, block_entries: 10 };
    let (mut ms, mut ids) = (1 + rng.below(100), Vec::new());
    for _ in 0..rng.index(200) {
        ms += rng.below(3);
        let last = stream.log().last_id();
        let id = if last.ms == ms { last.next().unwrap() } else { Id::new(ms, rng.below(9)) };
        let names = if rng.chance(1, 5) { ["odd", "g"] } else { ["f", "g"] };
        let values = [text(rng), text(rng)];
        let count = if rng.chance(1, 6) { 1 } else { 2 };
        let pairs = names.iter().map(|name| name.as_bytes()).zip(values.iter().map(Vec::as_slice));
        stream.append(id, pairs.take(count), limits).unwrap();
        ids.push(id);
    }
    for _ in 0..ids.len() / 4 {
        stream.delete(ids[rng.index(ids.len())]);
    }
    for name in ["g1", "second"].iter().take(rng.index(3)) {
        let mut group = Group::new(Id::new(rng.below(ms), 0), rng.chance(1, 2).then_some(3));
        for consumer in ["alice", "bob"] {
            let number = group.create_consumer(consumer.as_bytes(), rng.below(1000)).unwrap();
            group.consumer_mut(number).unwrap().active_at = rng.chance(1, 2).then_some(77);
            for id in ids.iter().filter(|_| rng.chance(1, 5)) {
                let held = Pending::of(number, 5, 1);
                let record = if id.ms % 9 == 0 { Pending::released(2) } else { held };
                group.set_pending(*id, record);
            }
        }
        stream.create_group(name.as_bytes(), group);
    }
    if rng.chance(1, 2) {
        let terms = Retention { seconds: 1 + rng.below(100) as u32, per_producer: 5 };
        let producers = stream.producers_mut(terms);
        for &id in ids.iter().step_by(3) {
            producers.record(&text(rng), &text(rng), id, 0);
            producers.count_duplicate();
        }
    }
    stream
}

fn random(rng: &mut Rng) -> Decoded<'static> {
    let Limits { set: set_limits, hash: hash_limits, sorted_set: sorted_limits, .. } = limits();
    Decoded::Object(match rng.below(7) {
        0 => return Decoded::String(text(rng).into()),
        1 => random_list(rng).into(),
        2 => {
            let (mut set, integers) = (Set::default(), rng.chance(1, 2));
            for _ in 0..number_of_elements(rng) {
                let member =
                    if integers { rng.below(100_000).to_string().into_bytes() } else { text(rng) };
                set.add(&set_limits, &member);
            }
            set.into()
        }
        3 => {
            let mut hash = Hash::default();
            for _ in 0..number_of_elements(rng) {
                hash.set(&hash_limits, &text(rng), &*text(rng));
            }
            hash.into()
        }
        4 => {
            let mut set = SortedSet::default();
            for _ in 0..number_of_elements(rng) {
                let score = match rng.below(3) {
                    0 => rng.below(50) as f64,
                    1 => f64::from(rng.next_u64() as i32) / 7.0,
                    _ => [f64::INFINITY, f64::NEG_INFINITY, 1e300, -0.5][rng.index(4)],
                };
                set.insert(&text(rng), score, sorted_limits);
            }
            set.into()
        }
        5 => {
            let (mut array, mut index) = (Array::default(), 0);
            for _ in 0..number_of_elements(rng) {
                index += 1 + (rng.next_u64() >> (8 + rng.below(56)));
                array.set(index, &text(rng), &limits().array);
            }
            array.seek(index);
            array.into()
        }
        _ => random_stream(rng).into(),
    })
}

/// What must be the same: where the order means nothing, in one order.
fn comparable(decoded: &Decoded<'_>) -> Vec<String> {
    let mut shown = shown(decoded);
    let Decoded::Object(object) = decoded else { return shown };
    if !object.as_ref().is_ordered() {
        shown[1..].sort();
    }
    shown
}

#[test]
fn what_is_read_is_what_was_written() {
    let seed = std::env::var("SEED").map_or(20_260_601, |seed| seed.parse().unwrap());
    println!("replay with: SEED={seed} cargo test -p format what_is_read_is_what_was_written");
    let mut rng = Rng::seed(seed);
    for _ in 0..400 {
        let value = random(&mut rng);
        for version in [Version::V10, Version::V11] {
            for compress in [false, true] {
                let options = Options { version, compress };
                let written = write(&value, options);
                let again = read(&written).unwrap_or_else(|error| panic!("{error:?}: {value:?}"));
                let mut lines = [comparable(&value), comparable(&again)];
                // A chain of few elements comes back as what it would be if it were made anew.
                lines.iter_mut().for_each(|lines| {
                    if lines[0].starts_with("list ") {
                        lines.remove(0);
                    }
                });
                assert_eq!(lines[0], lines[1]);
                // Tombstones go, and tables may be in another order; the rest is the same to the
                // byte from then on.
                let settled = write(&again, options);
                let twice = read(&settled).expect("it was just written");
                assert_eq!(comparable(&again), comparable(&twice));
            }
        }
    }
}

#[test]
fn compression_makes_it_shorter() {
    let text = vec![b'x'; 100_000];
    let value = Decoded::String(text.into());
    let compressed = write(&value, Options { compress: true, ..PLAIN });
    assert!(compressed.len() < 2000 && write(&value, PLAIN).len() > 100_000);
    assert_eq!(shown(&read(&compressed).unwrap()), shown(&value));
}

#[test]
fn the_encoder_stops_when_its_sink_does() {
    struct Full(usize);
    impl crate::Sink for Full {
        type Error = ();
        fn put(&mut self, bytes: &[u8]) -> Result<(), ()> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(())?;
            Ok(())
        }
    }
    let mut rng = Rng::seed(3);
    for _ in 0..100 {
        let Decoded::Object(object) = random(&mut rng) else { continue };
        let value = ValueRef::Object(object.as_ref());
        let mut count = crate::sink::Count::default();
        let Ok(()) = encode::body(value, PLAIN, &mut count);
        let len = usize::try_from(count.0).unwrap();
        assert_eq!(encode::body(value, PLAIN, &mut Full(len)), Ok(()));
        assert_eq!(encode::body(value, PLAIN, &mut Full(len - 1)), Err(()));
    }
}
