//! `PFSELFTEST`: whether sketches work on this machine, in a few milliseconds.

use stdx::rng::Rng;

use super::{DENSE_VALUE_BYTES, Element, Encoding, REGISTERS, Registers, Sketch, raise_dense};

/// Elements of the accuracy test: enough that every register is used.
const ELEMENTS: u64 = 100_000;
/// Longest sparse value of the test, in bytes.
const SPARSE_BYTES_MAX: u64 = 3000;
/// How far an estimate may be off: five standard errors, in parts of a hundred thousand.
const TOLERANCE: u64 = 5 * 812;

/// Fills sketches with numbers and checks that each form holds what it is given, that both agree,
/// and that estimates are as close as they should be.
///
/// # Errors
/// What is wrong, in a sentence.
pub fn self_test() -> Result<(), String> {
    registers_hold_what_they_are_given()?;
    estimates_are_close()
}

fn registers_hold_what_they_are_given() -> Result<(), String> {
    let mut rng = Rng::seed(0x4859_4c4c);
    let mut sketch = Sketch::new();
    sketch.make_dense().map_err(|error| error.to_string())?;
    let mut model = [0; REGISTERS];
    let mut value = sketch.view().bytes.to_vec();
    for _ in 0..2 * REGISTERS {
        let index = rng.index(REGISTERS) as u16;
        let element = Element { index, rank: 1 + rng.index(63) as u8 };
        let slot = &mut model[usize::from(index)];
        if raise_dense(&mut value, element) != (element.rank > *slot) {
            return Err(format!("register {index} was {slot} and did not take {}", element.rank));
        }
        *slot = element.rank.max(*slot);
    }
    let mut registers = Registers::default();
    let view = super::View::new(&value).ok_or("a dense sketch is not recognized")?;
    registers.merge(view).map_err(|error| error.to_string())?;
    match registers.values().iter().zip(&model).position(|(got, expected)| got != expected) {
        Some(index) => Err(format!("register {index} does not hold what it was given")),
        None => Ok(()),
    }
}

fn estimates_are_close() -> Result<(), String> {
    let mut sketch = Sketch::new();
    let mut dense = vec![0; DENSE_VALUE_BYTES];
    dense[..super::HEADER_BYTES].copy_from_slice(&super::header::of_empty());
    super::header::set_encoding(&mut dense, Encoding::Dense);
    let mut checkpoint = 1;
    for number in 1..=ELEMENTS {
        let element = Element::of(&number.to_le_bytes());
        let raised = sketch.add(element, SPARSE_BYTES_MAX).map_err(|error| error.to_string())?;
        if raised != raise_dense(&mut dense, element) {
            return Err(format!("the forms disagree about element {number}"));
        }
        if number != checkpoint {
            continue;
        }
        let view = super::View::new(&dense).ok_or("a dense sketch is not recognized")?;
        let counts = [sketch.view().count(), view.count()];
        let [Ok(count), Ok(of_dense)] = counts else { return Err("a sketch is broken".into()) };
        if count != of_dense {
            return Err(format!("of {number} elements the forms count {count} and {of_dense}"));
        }
        let tolerance = (number * TOLERANCE).div_ceil(100_000);
        if count.abs_diff(number) > tolerance {
            return Err(format!("{number} elements are counted as {count}"));
        }
        checkpoint *= 10;
    }
    Ok(())
}
