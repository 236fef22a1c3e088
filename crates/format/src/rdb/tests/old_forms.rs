//! Forms that only older servers wrote, put together by hand.

use super::*;

/// A ziplist of short strings and small integers.
fn ziplist(items: &[&str]) -> Vec<u8> {
    let (mut body, mut before, mut last) = (Vec::new(), 0, 10);
    for item in items {
        let start = body.len();
        last = 10 + start;
        body.push(before);
        match item.parse::<i16>() {
            Ok(number) => body.extend([&[0xc0][..], &number.to_le_bytes()].concat()),
            Err(_) => body.extend([&[item.len() as u8][..], item.as_bytes()].concat()),
        }
        before = (body.len() - start) as u8;
    }
    let total = (10 + body.len() + 1) as u32;
    let count = (items.len() as u16).to_le_bytes();
    [&total.to_le_bytes()[..], &(last as u32).to_le_bytes(), &count, &body, &[0xff]].concat()
}

/// A short string as the format has it.
fn string(bytes: &[u8]) -> Vec<u8> {
    [&[bytes.len() as u8][..], bytes].concat()
}

fn shown_body(kind: ObjectType, body: &[u8]) -> Vec<String> {
    let payload = payload(kind, body);
    shown(&read(&payload).unwrap_or_else(|error| panic!("{kind:?}: {error:?}")))
}

#[test]
fn lists() {
    let elements = ["list listpack", "a", "7", "b"];
    assert_eq!(shown_body(ObjectType::List, b"\x03\x01a\xc0\x07\x01b"), elements);
    let whole = string(&ziplist(&["a", "7", "b"]));
    assert_eq!(shown_body(ObjectType::ListZiplist, &whole), elements);
    let (left, right) = (string(&ziplist(&["a", "7"])), string(&ziplist(&["b"])));
    let nodes = [&b"\x03"[..], &left, &string(&ziplist(&[])), &right].concat();
    let elements = ["list quicklist", "a", "7", "b"];
    assert_eq!(shown_body(ObjectType::ListQuicklist, &nodes), elements);
}

#[test]
fn sorted_sets() {
    let elements = ["zset listpack", "low=-inf", "b=1", "a=2"];
    let packed = string(&ziplist(&["low", "-inf", "b", "1", "a", "2"]));
    assert_eq!(shown_body(ObjectType::SortedSetZiplist, &packed), elements);
    let texts = b"\x03\x01a\x012\x03low\xff\x01b\x031e0";
    assert_eq!(shown_body(ObjectType::SortedSet, texts), elements);
    for not_a_number in [&b"\x01\x01a\xfd"[..], b"\x01\x01a\x03nan", b"\x01\x01a\x00"] {
        assert!(read(&payload(ObjectType::SortedSet, not_a_number)).is_err());
    }
}

#[test]
fn hashes() {
    let fields = ["hash listpack", "f=v", "n=42"];
    let packed = string(&ziplist(&["f", "v", "n", "42"]));
    assert_eq!(shown_body(ObjectType::HashZiplist, &packed), fields);
    // Three unused bytes follow the first value.
    let zipmap = b"\x02\x01f\x01\x03v...\x01n\x02\x0042\xff";
    assert_eq!(shown_body(ObjectType::HashZipmap, &string(zipmap)), fields);
    let unknown_count = b"\xfe\x01f\x01\x00v\x01n\x02\x0042\xff";
    assert_eq!(shown_body(ObjectType::HashZipmap, &string(unknown_count)), fields);
    let more_behind = b"\x02\x01f\x01\x00v\x01n\x02\x0042\xff..\xff";
    assert_eq!(shown_body(ObjectType::HashZipmap, &string(more_behind)), fields);
    let long = [&b"\x01\xfe\xfe\x00\x00\x00"[..], &[b'f'; 254], b"\x01\x00v\xff"].concat();
    let long = [&[0x40 | (long.len() >> 8) as u8, long.len() as u8], &long[..]].concat();
    let shown = shown_body(ObjectType::HashZipmap, &long);
    assert!(shown[1].starts_with("fff"), "{shown:?}");
    let damaged: [&[u8]; 10] = [
        // Lengths in a longer form than they need.
        b"\x01\xfe\x01\x00\x00\x00f\x01\x00v\xff",
        b"\x01\x01f\xfe\x01\x00\x00\x00\x00v\xff",
        b"\xff\x01f\x01\x00v\xff",
        b"\x01\x01f\x01\x00v\xff..",
        b"\x03\x01f\x01\x00v\x01n\x02\x0042\xff",
        b"\x02\x01f\x01\x00v\x01f\x02\x0042\xff",
        b"\x01\x01f\x01\x09v\xff",
        b"\x01\x01f\x01\x00v",
        b"\x01\x01f\xff",
        b"\x00\xff",
    ];
    for zipmap in damaged {
        assert!(read(&payload(ObjectType::HashZipmap, &string(zipmap))).is_err(), "{zipmap:?}");
    }
}

#[test]
fn streams_of_the_first_form_count_what_they_can() {
    // One block of 1-0 and 1-1 with field f; group g has read up to 1-1, with c holding 1-1.
    let block: collections::listpack::Listpack =
        [2, 0, 1].map(collections::listpack::Item::Int).into_iter().collect();
    let mut block = block;
    block.push_back(&b"f"[..]);
    block.extend([0, 2, 0, 0, 1, 4, 2, 0, 1, 2, 4]);
    let id = |seq: u8| [&[0; 7][..], &[1], &[0; 7], &[seq]].concat();
    let mut body = [&[1][..], &string(&id(0)), &string(block.as_bytes())].concat();
    body.extend([2, 1, 1]);
    body.extend([&[1, 1, b'g', 1, 1, 1][..], &id(1), &[9, 0, 0, 0, 0, 0, 0, 0, 3]].concat());
    body.extend([&[1, 1, b'c', 5, 0, 0, 0, 0, 0, 0, 0, 1][..], &id(1)].concat());
    let lines = [
        "stream stream",
        "1-0",
        "f=1",
        "1-1",
        "f=2",
        "len 2 first 1-0 last 1-1 deleted 0-0 added 2",
        "group g at 1-1 read Some(2)",
        "1-1 c 3",
    ];
    assert_eq!(shown_body(ObjectType::StreamListpacks, &body), lines);
}

#[test]
fn modules_and_unknown_types_are_refused() {
    for number in [6, 7, 8, 27, 127, 255] {
        let mut unknown = payload(ObjectType::String, b"\x01a");
        unknown[0] = number;
        let ignored = dump::read(&unknown, Checksum::Ignored, &limits());
        assert!(matches!(ignored, Err(DumpError::Value(DecodeError::Type(n))) if n == number));
    }
}
