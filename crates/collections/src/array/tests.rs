//! The array beside a map: random changes with all sizes of slices and limits, clones that must not
//! change, and what rings and the cursor make of them.

use std::collections::BTreeMap;

use stdx::rng::Rng;

use super::*;

type Model = BTreeMap<u64, Vec<u8>>;

fn text(element: Element<'_>) -> Vec<u8> {
    element.text(&mut Digits::default()).to_vec()
}

fn contents(array: &Array, range: RangeInclusive<u64>, backwards: bool) -> Vec<(u64, Vec<u8>)> {
    let mut out = Vec::new();
    array.visit(range, backwards, |index, element| -> Option<()> {
        out.push((index, text(element)));
        None
    });
    out
}

fn random_text(rng: &mut Rng) -> Vec<u8> {
    let number = rng.below(100_000) as i64 - 50_000;
    match rng.below(4) {
        0 => number.to_string().into_bytes(),
        1 => format!("{number}.{:03}", rng.below(1000)).into_bytes(),
        2 => format!("t{}", rng.below(1000)).into_bytes(),
        _ => vec![b'x'; rng.below(40) as usize],
    }
}

/// An index that is often near others: in a few slices, at their ends, or far away.
fn random_index(rng: &mut Rng) -> u64 {
    match rng.below(10) {
        0..=3 => rng.below(200),
        4..=5 => 4096 * (1 + rng.below(4)) - 4 + rng.below(9),
        6..=7 => (1 << 33) + rng.below(3000),
        8 => INDEX_MAX - rng.below(70),
        _ => rng.next_u64().min(INDEX_MAX),
    }
}

fn random_limits(rng: &mut Rng) -> Limits {
    let slice_size = [64, 256, 4096, 1 << 20, 1][rng.below(5) as usize];
    let sparse_max = [0, 3, 10, 1000][rng.below(4) as usize];
    Limits { slice_size, sparse_max, sparse_min: rng.below(u64::from(sparse_max) + 1) as u32 }
}

fn compare(array: &Array, model: &Model, rng: &mut Rng) {
    array.check();
    assert_eq!(array.count(), model.len() as u64);
    assert_eq!(array.len(), model.last_key_value().map_or(0, |(index, _)| index + 1));
    let (a, b) = (random_index(rng), random_index(rng));
    let range = a.min(b)..=a.max(b);
    let mut expected: Vec<_> =
        model.range(range.clone()).map(|(index, text)| (*index, text.clone())).collect();
    assert_eq!(contents(array, range.clone(), false), expected);
    expected.reverse();
    assert_eq!(contents(array, range, true), expected);
    assert_eq!(array.get(a).map(text), model.get(&a).cloned());
}

fn run(seed: u64) {
    println!("seed {seed}");
    let rng = &mut Rng::seed(seed);
    let (mut array, mut model) = (Array::default(), Model::new());
    let mut frozen: Vec<(Array, Model)> = Vec::new();
    let limits = random_limits(rng);
    let mut removed = Removed::default();
    for step in 0..1500 {
        let (index, other) = (random_index(rng), random_index(rng));
        match rng.below(40) {
            0..=23 => {
                let text = random_text(rng);
                assert_eq!(array.set(index, &text, &limits), !model.contains_key(&index));
                model.insert(index, text);
            }
            24..=31 => {
                assert_eq!(array.remove(index, &limits), model.remove(&index).is_some());
            }
            32 => {
                let range = index.min(other)..=index.max(other);
                let gone: Vec<u64> = model.range(range.clone()).map(|(index, _)| *index).collect();
                gone.iter().for_each(|index| assert!(model.remove(index).is_some()));
                assert_eq!(array.remove_range(range, &limits, &mut removed), gone.len() as u64);
            }
            33..=37 => {
                let start = index.min(INDEX_MAX - 100);
                for index in start..start + 1 + rng.below(100) {
                    let text = random_text(rng);
                    array.set(index, &text, &limits);
                    model.insert(index, text);
                }
            }
            38 if frozen.len() < 8 => frozen.push((array.clone(), model.clone())),
            _ => compare(&array, &model, rng),
        }
        if step % 100 == 0 {
            array.check();
        }
    }
    frozen.push((array, model));
    for (array, model) in &frozen {
        array.check();
        assert!(contents(array, 0..=INDEX_MAX, false).into_iter().eq(model.clone()));
    }
}

#[test]
fn agrees_with_a_map_and_clones_stay_as_they_were() {
    (0..40).for_each(run);
}

/// The ring as a plain description: the texts by position and the cursor.
fn model_ring(model: &mut Model, cursor: &mut Option<u64>, size: u64, texts: &[Vec<u8>]) {
    let span = model.last_key_value().map_or(0, |(index, _)| index + 1);
    let inside = cursor.is_some_and(|last| last + 1 < span);
    if size < span || (size > span && inside) {
        let mut at = cursor.map_or(span - 1, |last| last % span);
        let mut latest = Vec::new();
        while let Some(text) = model.get(&at).filter(|_| (latest.len() as u64) < size.min(span)) {
            latest.push(text.clone());
            at = (at + span - 1) % span;
        }
        latest.reverse();
        *cursor = (latest.len() as u64).checked_sub(1);
        *model = (0..).zip(latest).collect();
    }
    for text in texts {
        let at = cursor.map_or(0, |last| last + 1) % size;
        model.insert(at, text.clone());
        *cursor = Some(at);
    }
}

#[test]
fn rings_agree_with_their_description() {
    for seed in 0..300 {
        println!("seed {seed}");
        let rng = &mut Rng::seed(seed);
        let limits = random_limits(rng);
        let (mut array, mut model, mut cursor) = (Array::default(), Model::new(), None);
        for _ in 0..60 {
            let texts: Vec<_> = (0..1 + rng.below(5)).map(|_| random_text(rng)).collect();
            match rng.below(6) {
                0 => {
                    let index = rng.below(30);
                    array.remove(index, &limits);
                    model.remove(&index);
                }
                1 if rng.below(3) == 0 => {
                    let index = rng.below(40);
                    array.seek(index);
                    cursor = index.checked_sub(1);
                }
                2 => {
                    let start = cursor.map_or(0, |last: u64| last + 1);
                    let last = array.append(texts.iter().map(|text| &text[..]), &limits);
                    assert_eq!(last, Ok(start + texts.len() as u64 - 1));
                    model.extend((start..).zip(texts));
                    cursor = last.ok();
                }
                _ => {
                    let size = 1 + rng.below(25);
                    let (last, _) = array.ring(size, texts.iter().map(|text| &text[..]), &limits);
                    model_ring(&mut model, &mut cursor, size, &texts);
                    assert_eq!(Some(last), cursor);
                }
            }
            array.check();
            assert_eq!(array.next_index(), Some(cursor.map_or(0, |last| last + 1)));
            assert!(contents(&array, 0..=INDEX_MAX, false).into_iter().eq(model.clone()));
        }
    }
}

#[test]
fn the_latest_elements_stand_before_the_cursor() {
    let latest = |array: &Array, count: u64| {
        let mut out = Vec::new();
        let show = |element: Option<Element<'_>>| {
            out.push(element.map_or("-".into(), |e| String::from_utf8(text(e)).unwrap()));
        };
        array.latest(count, show);
        out.concat()
    };
    let limits = Limits::default();
    let texts = |texts: &'static [&'static str]| texts.iter().map(|text| text.as_bytes());
    let mut array = Array::default();
    array.append(texts(&["a", "b", "c", "d", "e"]), &limits).unwrap();
    assert_eq!(latest(&array, 3), "edc");
    array.remove(1, &limits);
    assert_eq!(latest(&array, 5), "edc-a");
    array.remove(4, &limits);
    assert_eq!(latest(&array, 4), "dc-a", "the cursor is beyond the end");
    array.seek(0);
    assert_eq!(latest(&array, 2), "dc");
    let mut ring = Array::default();
    ring.ring(3, texts(&["a", "b", "c", "d"]), &limits);
    assert_eq!(latest(&ring, 3), "dcb");
}

#[test]
fn the_cursor_ends_at_the_greatest_index() {
    let (mut array, limits) = (Array::default(), Limits::default());
    assert_eq!(array.append([&b"a"[..]].into_iter(), &limits), Ok(0));
    array.seek(INDEX_MAX);
    assert_eq!(array.append([&b"a"[..], b"b"].into_iter(), &limits), Err(Full));
    assert_eq!(array.append([&b"a"[..]].into_iter(), &limits), Ok(INDEX_MAX));
    assert_eq!((array.next_index(), array.len()), (None, u64::MAX));
    array.seek(u64::MAX);
    assert_eq!(array.next_index(), None);
    assert_eq!(array.ring(2, [&b"r"[..]].into_iter(), &limits).0, 1);
    assert_eq!(array.count(), 2, "what was far away is gone");
}

#[test]
fn slices_change_their_form_at_the_limits() {
    let (mut array, limits) = (Array::default(), Limits::default());
    let dense = |array: &Array| array.full_layout().dense;
    (0..10).for_each(|index| assert!(array.set(index * 100, b"x", &limits)));
    assert_eq!(dense(&array), 0);
    array.set(4095, b"x", &limits);
    assert_eq!(dense(&array), 1);
    (0..6).for_each(|index| assert!(array.remove(index * 100, &limits)));
    assert_eq!(dense(&array), 1);
    array.remove(600, &limits);
    assert_eq!((dense(&array), array.count()), (0, 4));
    let other = Limits { slice_size: 64, ..limits };
    array.set(5000, b"x", &other);
    assert_eq!(array.layout().slice_size, 4096, "the size of slices stays");
}

#[test]
fn memory_is_bounded_by_what_is_set() {
    let (mut array, limits) = (Array::default(), Limits::default());
    let count = 100_000_u64;
    (0..count).for_each(|index| assert!(array.set(index, index.to_string().as_bytes(), &limits)));
    let each = array.allocated_bytes() as f64 / count as f64;
    assert!(each < 10.0, "{each} bytes for a small number in a row");
    // As far apart as they can be, and spread so that every slice is dense.
    let rng = &mut Rng::seed(1);
    let (mut far, mut spread) = (Array::default(), Array::default());
    for index in 0..10_000_u64 {
        far.set(rng.next_u64().min(INDEX_MAX), b"x", &limits);
        spread.set(index * 4096 / 11, b"x", &limits);
    }
    let each = far.allocated_bytes() / 10_000;
    assert!(each < 200, "{each} bytes for an element alone");
    let each = spread.allocated_bytes() / 10_000;
    assert!(each < 250, "{each} bytes for an element alone in its chunk");
}
