//! The ziplist, forerunner of the listpack, in payloads and files of Redis up to 6.2.
//!
//! ```text
//!   bytes u32 │ offset of the last entry u32 │ count u16 │ entry ... │ 0xFF
//!   entry   size of the one before: below 254, or 254 and u32
//!           00nnnnnn                      string of up to 63 bytes
//!           01nnnnnn n8                   string of up to 16,383 bytes, big-endian length
//!           10...... n32                  longer string, big-endian length
//!           0xC0, 0xD0, 0xE0              integer of 16, 32 and 64 bits, little-endian
//!           0xF0, 0xFE                    integer of 24 and 8 bits
//!           0xF1 .. 0xFD                  0 to 12
//! ```
//!
//! All is checked on the way through: sizes, the offset, the count and every entry's backward link.

use collections::listpack::{Item, Listpack};

use super::decode::DecodeError;
use super::reader::Reader;

const HEADER_BYTES: usize = 10;
const END: u8 = 0xff;
/// This count means that there are as many or more.
const COUNT_UNKNOWN: u16 = u16::MAX;
const DAMAGED: DecodeError = DecodeError::Corrupt("a ziplist is damaged");

/// The entries of a ziplist as a listpack.
///
/// # Errors
/// If it is not well-formed, or too large for a listpack.
pub(super) fn to_listpack(bytes: &[u8]) -> Result<Listpack, DecodeError> {
    let (head, body) = bytes.split_at_checked(HEADER_BYTES).ok_or(DAMAGED)?;
    let mut head = Reader::new(head);
    let total = u32::from_le_bytes(head.array()?) as usize;
    let last = u32::from_le_bytes(head.array()?) as usize;
    let stated = u16::from_le_bytes(head.array()?);
    let (end, body) = body.split_last().ok_or(DAMAGED)?;
    if total != bytes.len() || *end != END {
        return Err(DAMAGED);
    }
    let mut packed = Listpack::with_capacity(body.len());
    let mut reader = Reader::new(body);
    let (mut count, mut size_before, mut last_at) = (0, 0, HEADER_BYTES);
    while !reader.rest().is_empty() {
        let before = reader.rest().len();
        last_at = HEADER_BYTES + body.len() - before;
        if backward(&mut reader)? != size_before {
            return Err(DAMAGED);
        }
        let item = entry(&mut reader)?;
        if !packed.has_room_for(item.packed_bytes()) {
            return Err(DecodeError::Corrupt("a ziplist is too large"));
        }
        packed.push_back(item);
        size_before = before - reader.rest().len();
        count += 1;
    }
    let agrees = last == last_at && (stated == COUNT_UNKNOWN || usize::from(stated) == count);
    if agrees { Ok(packed) } else { Err(DAMAGED) }
}

/// The size of the entry before.
fn backward(reader: &mut Reader<'_>) -> Result<usize, DecodeError> {
    match reader.byte()? {
        END => Err(DAMAGED),
        254 => Ok(u32::from_le_bytes(reader.array()?) as usize),
        size => Ok(usize::from(size)),
    }
}

fn entry<'a>(reader: &mut Reader<'a>) -> Result<Item<'a>, DecodeError> {
    let first = reader.byte()?;
    let low = u64::from(first & 0x3f);
    let integer = match first {
        0..0x40 => return reader.take(low).map(Item::Bytes),
        0x40..0x80 => {
            let len = low << 8 | u64::from(reader.byte()?);
            return reader.take(len).map(Item::Bytes);
        }
        0x80..0xc0 => {
            let len = u32::from_be_bytes(reader.array()?);
            return reader.take(len.into()).map(Item::Bytes);
        }
        0xc0 => i64::from(i16::from_le_bytes(reader.array()?)),
        0xd0 => i64::from(i32::from_le_bytes(reader.array()?)),
        0xe0 => i64::from_le_bytes(reader.array()?),
        0xf0 => {
            let [a, b, c] = reader.array()?;
            i64::from(i32::from_le_bytes([0, a, b, c]) >> 8)
        }
        0xfe => i64::from(i8::from_le_bytes(reader.array()?)),
        0xf1..=0xfd => i64::from(first - 0xf1),
        _ => return Err(DAMAGED),
    };
    Ok(Item::Int(integer))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ziplist of entries without their backward links, which are added.
    fn ziplist(entries: &[&[u8]]) -> Vec<u8> {
        let (mut body, mut before, mut last) = (Vec::new(), 0, HEADER_BYTES);
        for entry in entries {
            last = HEADER_BYTES + body.len();
            let start = body.len();
            match before {
                0..254 => body.push(before as u8),
                _ => body.extend([&[254][..], &(before as u32).to_le_bytes()].concat()),
            }
            body.extend_from_slice(entry);
            before = body.len() - start;
        }
        let total = HEADER_BYTES + body.len() + 1;
        let numbers = [(total as u32).to_le_bytes(), (last as u32).to_le_bytes()].concat();
        let count = (entries.len() as u16).to_le_bytes();
        [&numbers[..], &count, &body, &[END]].concat()
    }

    #[test]
    fn every_form_of_entry_is_read() {
        let long = [&[0x41, 0x2c][..], &[b'x'; 300]].concat();
        let longer = [&[0x80, 0, 0, 1, 0][..], &[b'y'; 256]].concat();
        let entries: [&[u8]; 12] = [
            b"\x03abc",
            &long,
            &longer,
            &[0xc0, 0xff, 0x7f],
            &[0xd0, 0, 0, 0, 0x80],
            &[0xe0, 1, 0, 0, 0, 0, 0, 0, 0x80],
            &[0xf0, 0xff, 0xff, 0xff],
            &[0xf0, 0, 0, 0x40],
            &[0xfe, 0x80],
            &[0xf1],
            &[0xfd],
            b"\x00",
        ];
        let packed = to_listpack(&ziplist(&entries)).unwrap();
        let texts: Vec<Vec<u8>> =
            packed.iter().map(|item| item.text(&mut itoa::Buffer::new()).to_vec()).collect();
        let numbers =
            ["32767", "-2147483648", "-9223372036854775807", "-1", "4194304", "-128", "0", "12"];
        assert_eq!((texts[0].as_slice(), texts[1].len(), texts[2].len()), (&b"abc"[..], 300, 256));
        assert_eq!(texts[3..11], numbers.map(|text| text.as_bytes().to_vec()));
        assert!(texts[11].is_empty());
    }

    #[test]
    fn damage_is_found_wherever_it_is() {
        let sound = ziplist(&[b"\x03one", &[0xc0, 1, 1], b"\x04four"]);
        assert_eq!(to_listpack(&sound).unwrap().len(), 3);
        assert!((0..sound.len()).all(|len| to_listpack(&sound[..len]).is_err()));
        let text_bytes = [12, 13, 14, 17, 18, 21, 22, 23, 24];
        for at in (0..sound.len()).filter(|at| !text_bytes.contains(at)) {
            let mut damaged = sound.clone();
            damaged[at] ^= 0x04;
            assert!(to_listpack(&damaged).is_err(), "byte {at}");
        }
    }
}
