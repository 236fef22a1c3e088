//! The allocator's size classes: how many bytes a request really takes.
//!
//! jemalloc (like its rivals) rounds a request up to one of four classes per doubling. Structures
//! here ask for whole classes, so that the slack at the end of an allocation can be used (a value
//! may grow in place inside its class) and so that memory accounting adds up to what is resident.

/// The bytes that an allocation of `bytes` occupies.
///
/// Classes: 8, then multiples of 16 up to 128, then four per doubling (160, 192, 224, 256, 320...).
/// Sizes of which the class would overflow are returned unchanged: no allocator can serve them.
#[must_use]
pub const fn allocation_bytes(bytes: usize) -> usize {
    if bytes <= 8 {
        return 8;
    }
    if bytes <= 128 {
        return (bytes + 15) & !15;
    }
    // `bytes - 1` keeps a power of two in its own doubling; the group has four steps.
    let doubling = usize::BITS - 1 - (bytes - 1).leading_zeros();
    let step = 1usize << (doubling - 2);
    match bytes.checked_add(step - 1) {
        Some(sum) => sum & !(step - 1),
        None => bytes,
    }
}

/// The number of a size class from 16 bytes on: 1 is 16 bytes, 2 is 32, and so on.
#[must_use]
pub const fn class_of(class_bytes: usize) -> u8 {
    if class_bytes <= 64 {
        return (class_bytes / 16) as u8;
    }
    // Each group of four ends with a power of two; the steps in it are an eighth of that.
    let group = usize::BITS - (class_bytes - 1).leading_zeros() - 6;
    (4 * group as usize + (class_bytes >> (group + 3)) - 4) as u8
}

/// The bytes of the size class with this number.
#[must_use]
pub const fn bytes_of_class(class: u8) -> usize {
    let (group, step) = ((class - 1) / 4, (class as usize - 1) % 4 + 1);
    if group == 0 { 16 * step } else { (4 + step) << (group + 3) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_those_of_the_allocator() {
        let classes = [
            8, 16, 32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640, 768,
            896, 1024, 1280, 1536, 1792, 2048, 2560, 3072, 3584, 4096, 5120,
        ];
        let mut expected = classes.iter();
        let mut class = *expected.next().unwrap();
        for bytes in 1..=5120 {
            if bytes > class {
                class = *expected.next().unwrap();
            }
            assert_eq!(allocation_bytes(bytes), class, "{bytes} bytes");
        }
        assert_eq!(allocation_bytes(usize::MAX), usize::MAX);
        let mut bytes = 16;
        for class in 1..=116 {
            assert_eq!((class_of(bytes), bytes_of_class(class)), (class, bytes));
            bytes = allocation_bytes(bytes + 1);
        }
        assert!(bytes > u32::MAX as usize);
    }
}
