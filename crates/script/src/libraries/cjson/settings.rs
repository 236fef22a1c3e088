//! What scripts may set, and the functions that set it. Each returns the values that then hold;
//! an argument that is nil leaves its setting alone.

use std::cell::Cell;
use std::rc::Rc;

use mlua::{Lua, Table, Value};

use crate::libraries::function::{Arguments, Failure, Results, add};

/// What becomes of infinity and not-a-number, which JSON has no words for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InvalidNumbers {
    Refused,
    /// `inf`, `-inf` and `nan`.
    Written,
    /// `null`.
    Null,
}

/// The settings of one table of the library.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// Whether a table too sparse for an array becomes an object; otherwise it is refused.
    pub(super) sparse_convert: bool,
    /// A table is too sparse if its largest index is more than so many times its count of items.
    /// No table is if zero.
    pub(super) sparse_ratio: i32,
    /// An index up to which no table is too sparse.
    pub(super) sparse_safe: i32,
    pub(super) encode_depth: i32,
    pub(super) decode_depth: i32,
    pub(super) encode_invalid_numbers: InvalidNumbers,
    pub(super) decode_invalid_numbers: bool,
    /// Significant digits of numbers that are written.
    pub(super) precision: i32,
    /// Kept for its value alone: nothing is reused between calls.
    pub(super) keep_buffer: bool,
    /// Whether decoded arrays get the metatable that tells the encoder that they are arrays.
    pub(super) mark_arrays: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            sparse_convert: false,
            sparse_ratio: 2,
            sparse_safe: 10,
            encode_depth: super::NESTING_MAX,
            decode_depth: super::NESTING_MAX,
            encode_invalid_numbers: InvalidNumbers::Refused,
            decode_invalid_numbers: true,
            precision: 14,
            keep_buffer: true,
            mark_arrays: false,
        }
    }
}

/// A setting function: what it does to the settings, and what it returns.
type Set = fn(&mut Settings, &Arguments<'_>) -> Result<Results, Failure>;

const FUNCTIONS: [(&str, usize, Set); 8] = [
    ("encode_sparse_array", 3, sparse_array),
    ("encode_max_depth", 1, |settings, call| depth(&mut settings.encode_depth, call)),
    ("decode_max_depth", 1, |settings, call| depth(&mut settings.decode_depth, call)),
    ("encode_number_precision", 1, |settings, call| {
        integer(&mut settings.precision, call, 1, 1, 14)?;
        Ok(returned([Value::Integer(settings.precision.into())]))
    }),
    ("encode_keep_buffer", 1, |settings, call| switch(&mut settings.keep_buffer, call)),
    ("encode_invalid_numbers", 1, encode_invalid_numbers),
    ("decode_invalid_numbers", 1, |settings, call| {
        switch(&mut settings.decode_invalid_numbers, call)
    }),
    ("decode_array_with_array_mt", 1, |settings, call| switch(&mut settings.mark_arrays, call)),
];

/// Adds the functions to a table of the library.
pub(super) fn register(
    lua: &Lua,
    library: &Table,
    settings: &Rc<Cell<Settings>>,
) -> mlua::Result<()> {
    for (name, arguments_max, set) in FUNCTIONS {
        let settings = Rc::clone(settings);
        add(lua, library, name, move |call| {
            if call.len() > arguments_max {
                return Err(Failure::argument(arguments_max + 1, "found too many arguments"));
            }
            let mut changed = settings.get();
            // What was right in front of a wrong argument holds.
            let result = set(&mut changed, call);
            settings.set(changed);
            result
        })?;
    }
    Ok(())
}

fn sparse_array(settings: &mut Settings, call: &Arguments<'_>) -> Result<Results, Failure> {
    set_switch(&mut settings.sparse_convert, call)?;
    integer(&mut settings.sparse_ratio, call, 2, 0, i32::MAX)?;
    integer(&mut settings.sparse_safe, call, 3, 0, i32::MAX)?;
    Ok(returned([
        Value::Boolean(settings.sparse_convert),
        Value::Integer(settings.sparse_ratio.into()),
        Value::Integer(settings.sparse_safe.into()),
    ]))
}

fn encode_invalid_numbers(
    settings: &mut Settings,
    call: &Arguments<'_>,
) -> Result<Results, Failure> {
    let setting = &mut settings.encode_invalid_numbers;
    match option(call, &["off", "on", "null"])? {
        None => {}
        Some(0) => *setting = InvalidNumbers::Refused,
        Some(1) => *setting = InvalidNumbers::Written,
        Some(_) => *setting = InvalidNumbers::Null,
    }
    Ok(returned([match setting {
        InvalidNumbers::Refused => Value::Boolean(false),
        InvalidNumbers::Written => Value::Boolean(true),
        InvalidNumbers::Null => Value::String(call.lua.create_string("null")?),
    }]))
}

fn depth(setting: &mut i32, call: &Arguments<'_>) -> Result<Results, Failure> {
    integer(setting, call, 1, 1, i32::MAX)?;
    Ok(returned([Value::Integer((*setting).into())]))
}

fn switch(setting: &mut bool, call: &Arguments<'_>) -> Result<Results, Failure> {
    set_switch(setting, call)?;
    Ok(returned([Value::Boolean(*setting)]))
}

fn set_switch(setting: &mut bool, call: &Arguments<'_>) -> Result<(), Failure> {
    if let Some(choice) = option(call, &["off", "on"])? {
        *setting = choice == 1;
    }
    Ok(())
}

/// Which of the words the first argument is; a boolean stands for the first two.
fn option(call: &Arguments<'_>, words: &[&str]) -> Result<Option<usize>, Failure> {
    if call.is_nil(1) {
        return Ok(None);
    }
    if let Some(Value::Boolean(on)) = call.get(1) {
        return Ok(Some(usize::from(*on)));
    }
    let word = call.string(1)?;
    let word = word.as_bytes();
    if let Some(choice) = words.iter().position(|known| known.as_bytes() == &*word) {
        return Ok(Some(choice));
    }
    let mut text = b"invalid option '".to_vec();
    text.extend_from_slice(&word);
    text.push(b'\'');
    Err(Failure::argument(1, text))
}

/// Sets an integer that must be in a range. The error calls it the first argument wherever it is.
fn integer(
    setting: &mut i32,
    call: &Arguments<'_>,
    number: usize,
    min: i32,
    max: i32,
) -> Result<(), Failure> {
    if call.is_nil(number) {
        return Ok(());
    }
    // The low 32 bits are what counts.
    let value = call.integer(number)? as i32;
    if !(min..=max).contains(&value) {
        let text = format!("expected integer between {min} and {max}");
        return Err(Failure::argument(1, text));
    }
    *setting = value;
    Ok(())
}

fn returned<const COUNT: usize>(values: [Value; COUNT]) -> Results {
    Results::from_iter(values)
}
