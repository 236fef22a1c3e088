//! Listpacks against a vector of strings, and against bytes that other programs wrote.

use stdx::rng::Rng;

use super::*;

fn texts(listpack: &Listpack) -> Vec<Vec<u8>> {
    listpack.iter().map(|item| item.text(&mut itoa::Buffer::new()).to_vec()).collect()
}

fn hex(listpack: &Listpack) -> String {
    let bytes = &listpack.as_bytes()[HEADER_BYTES..];
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn elements_have_the_bytes_of_the_format() {
    for (item, bytes) in [
        ("0", "0001"),
        ("127", "7f01"),
        ("128", "c08002"),
        ("4095", "cfff02"),
        ("-1", "dfff02"),
        ("-4096", "d00002"),
        ("4096", "f1001003"),
        ("-32768", "f1008003"),
        ("32768", "f200800004"),
        ("-8388608", "f200008004"),
        ("8388608", "f30000800005"),
        ("2147483648", "f4000000800000000009"),
        ("9223372036854775807", "f4ffffffffffffff7f09"),
        ("9223372036854775808", "933932323333373230333638353437373538303814"),
        ("-0", "822d3003"),
        ("007", "8330303704"),
        ("", "8001"),
        ("hello", "8568656c6c6f06"),
    ] {
        let listpack: Listpack = [item.as_bytes()].into_iter().collect();
        assert_eq!(hex(&listpack), format!("{bytes}ff"), "{item}");
        assert_eq!(texts(&listpack), [item.as_bytes()]);
        assert_eq!(validate(listpack.as_bytes()), Ok(1));
        assert_eq!(listpack.get(listpack.last().unwrap()).text_len(), item.len());
    }
}

#[test]
fn the_empty_listpack_is_seven_bytes() {
    let empty = Listpack::default();
    assert_eq!(empty.as_bytes(), [7, 0, 0, 0, 0, 0, 0xff]);
    assert_eq!((empty.first(), empty.last(), empty.seek(0)), (None, None, None));
    assert!(
        empty.is_empty() && empty.iter().next().is_none() && empty.iter().next_back().is_none()
    );
}

#[test]
fn long_strings_and_long_backlens_go_both_ways() {
    let sizes = [63, 64, 126, 127, 4095, 4096, 16_377, 16_378, 16_379, 2_097_145, 2_097_146];
    let mut listpack = Listpack::default();
    for size in sizes {
        listpack.push_back(&vec![b'x'; size][..]);
    }
    assert_eq!(validate(listpack.as_bytes()), Ok(sizes.len()));
    assert!(listpack.iter().map(Item::text_len).eq(sizes));
    assert!(listpack.iter().rev().map(Item::text_len).eq(sizes.into_iter().rev()));
}

#[test]
fn beyond_65534_elements_the_count_is_unknown_and_still_right() {
    let mut listpack: Listpack = (0..65_534).map(Item::Int).collect();
    assert_eq!(listpack.as_bytes()[4..6], [0xfe, 0xff]);
    listpack.extend([1, 2, 3]);
    assert_eq!(listpack.as_bytes()[4..6], [0xff, 0xff]);
    assert_eq!(listpack.len(), 65_537);
    assert_eq!(listpack.seek(65_536).map(|at| listpack.get(at)), Some(Item::Int(3)));
    assert_eq!(listpack.seek(-65_537), listpack.first());
    assert_eq!(listpack.seek(65_537), None);
    assert_eq!(listpack.seek(-65_538), None);
    assert_eq!(listpack.remove_range(10, usize::MAX), 65_527);
    assert_eq!(validate(listpack.as_bytes()), Ok(10));
    assert_eq!(listpack.len(), 10);
}

#[test]
fn a_clone_keeps_its_bytes() {
    let mut mine: Listpack = [Item::Bytes(b"a"), Item::Int(5)].into_iter().collect();
    let frozen = mine.clone();
    mine.push_front(Item::Int(1));
    mine.replace(mine.last().unwrap(), &b"b"[..]);
    assert_eq!(texts(&frozen), [&b"a"[..], b"5"]);
    assert_eq!(texts(&mine), [&b"1"[..], b"a", b"b"]);
}

#[test]
fn find_passes_over_values() {
    let pairs = ["a", "x", "x", "1", "1", "a"].map(str::as_bytes);
    let listpack: Listpack = pairs.into_iter().collect();
    let index = |needle: &str, from: i64, skip| {
        let found = listpack.find(listpack.seek(from), Needle::new(needle.as_bytes()), skip)?;
        (0..6).find(|&index| listpack.seek(index) == Some(found))
    };
    assert_eq!(index("x", 0, 0), Some(1));
    assert_eq!(index("x", 0, 1), Some(2));
    assert_eq!(index("1", 0, 1), Some(4));
    assert_eq!(index("a", 1, 1), Some(5));
    assert_eq!(index("b", 0, 0), None);
    assert_eq!(index("01", 0, 0), None);
    assert_eq!(index("a", 6, 0), None);
}

#[test]
fn damaged_bytes_are_refused() {
    let sound: Listpack = ["one", "2", "-300", "four"].map(str::as_bytes).into_iter().collect();
    let bytes = sound.as_bytes();
    for len in 0..bytes.len() {
        assert_eq!(validate(&bytes[..len]), Err(Malformed), "cut at {len}");
    }
    for (at, bad) in [(0, 8), (4, 3), (5, 1), (6, 0xff), (6, 0x84), (6, 0xf5), (10, 5), (12, 2)] {
        let mut damaged = bytes.to_vec();
        assert_ne!(damaged[at], bad);
        damaged[at] = bad;
        assert_eq!(validate(&damaged), Err(Malformed), "byte {at} = {bad}");
        assert!(Listpack::from_untrusted(&damaged).is_err());
    }
    // A string that claims four gigabytes.
    let huge = [17, 0, 0, 0, 1, 0, 0xf0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4, 5, 0xff];
    assert_eq!(validate(&huge), Err(Malformed));
    assert_eq!(Listpack::from_untrusted(bytes).unwrap().as_bytes(), bytes);
}

fn random_text(rng: &mut Rng) -> Vec<u8> {
    match rng.below(6) {
        0..=1 => (rng.next_u64() as i64 >> rng.below(64)).to_string().into_bytes(),
        2 => vec![b'v'; rng.index(5000)],
        _ => (0..rng.index(80)).map(|_| rng.next_u64() as u8).collect(),
    }
}

fn step(rng: &mut Rng, listpack: &mut Listpack, model: &mut Vec<Vec<u8>>) {
    let text = random_text(rng);
    let index = rng.index(model.len().max(1));
    let offset = listpack.seek(index as i64);
    match (rng.below(8), offset) {
        (0, _) => {
            listpack.push_front(&text[..]);
            model.insert(0, text);
        }
        (1, Some(at)) => {
            listpack.insert_before(at, &text[..]);
            model.insert(index, text);
        }
        (2, Some(at)) => {
            let new = listpack.insert_after(at, &text[..]);
            model.insert(index + 1, text);
            assert_eq!(listpack.seek(index as i64 + 1), Some(new));
        }
        (3, Some(at)) => {
            listpack.replace(at, &text[..]);
            model[index] = text;
        }
        (4, Some(at)) => {
            assert_eq!(listpack.remove(at).is_some(), index + 1 < model.len());
            model.remove(index);
        }
        (5, Some(_)) => {
            let count = rng.index(5);
            let removed = listpack.remove_range(index as i64 - model.len() as i64, count);
            assert_eq!(model.drain(index..(index + count).min(model.len())).count(), removed);
        }
        (6, _) if model.len() < 40 => {
            listpack.append_all(&listpack.clone());
            model.extend_from_within(..);
        }
        _ => {
            listpack.push_back(&text[..]);
            model.push(text);
        }
    }
}

#[test]
fn behaves_like_a_vector_of_strings() {
    let seed = std::env::var("SEED").map_or(20_260_101, |seed| seed.parse().unwrap());
    println!("replay with: SEED={seed} cargo test -p collections a_vector_of_strings");
    let mut rng = Rng::seed(seed);
    for _ in 0..100 {
        let (mut listpack, mut model) = (Listpack::default(), Vec::new());
        for _ in 0..200 {
            let (frozen, before) = (listpack.clone(), texts(&listpack));
            step(&mut rng, &mut listpack, &mut model);
            assert_eq!(texts(&listpack), model);
            assert_eq!(texts(&frozen), before);
            assert_eq!(validate(listpack.as_bytes()), Ok(model.len()));
            assert_eq!(listpack.len(), model.len());
            let back: Vec<_> = listpack.iter().rev().map(Item::text_len).collect();
            assert!(back.into_iter().eq(model.iter().rev().map(Vec::len)));
            // What is found has the text, and nothing before it has.
            if let Some(text) = model.get(rng.index(model.len() + 1)) {
                let found = listpack.find(listpack.first(), Needle::new(text), 0);
                let expected = model.iter().position(|other| other == text).unwrap();
                assert_eq!(found, listpack.seek(expected as i64));
            }
        }
    }
}
