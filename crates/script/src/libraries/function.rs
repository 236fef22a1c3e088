//! Functions of libraries: how they read their arguments and how they fail.
//!
//! Scripts match on error texts, so a library's errors are those of Lua's own C libraries: the
//! place of the call in front, `bad argument #2 to 'pack' (number expected, got nil)`. Numbers that
//! are spelled as strings are accepted as numbers and the reverse, as everywhere in Lua.

use lua::PlacedError;
use mlua::{IntoLuaMulti, Lua, LuaString, MultiValue, Table, Value};

use super::cast;

/// Why a function of a library fails.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The argument with this number, from one, is not what the function takes.
    Argument(usize, Vec<u8>),
    /// Something else is wrong. The place of the call goes in front of the text.
    Error(Vec<u8>),
    /// As [`Self::Error`] without the place: what Lua says where it does not know one.
    Unplaced(Vec<u8>),
    /// The interpreter's own failure, such as too little memory.
    Lua(mlua::Error),
}

impl Failure {
    /// An [`Self::Error`].
    pub(crate) fn error(text: impl Into<Vec<u8>>) -> Self {
        Self::Error(text.into())
    }

    /// An [`Self::Argument`].
    pub(crate) fn argument(number: usize, text: impl Into<Vec<u8>>) -> Self {
        Self::Argument(number, text.into())
    }
}

impl From<mlua::Error> for Failure {
    fn from(error: mlua::Error) -> Self {
        Self::Lua(error)
    }
}

/// Adds the function `name` to a library's table.
pub(crate) fn add<F, R>(lua: &Lua, library: &Table, name: &str, function: F) -> mlua::Result<()>
where
    F: Fn(&Arguments<'_>) -> Result<R, Failure> + 'static,
    R: IntoLuaMulti,
{
    let function = lua.create_function(move |lua, values: MultiValue| {
        function(&Arguments { lua, values }).map_err(|failure| raise(lua, failure))
    })?;
    library.raw_set(name, function)
}

/// The arguments of one call. Their numbers count from one, as in error texts.
#[derive(Debug)]
pub(crate) struct Arguments<'a> {
    /// The interpreter that calls.
    pub lua: &'a Lua,
    values: MultiValue,
}

impl Arguments<'_> {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// The argument, none if there are fewer.
    pub(crate) fn get(&self, number: usize) -> Option<&Value> {
        self.values.get(number - 1)
    }

    /// Whether the argument is missing or nil.
    pub(crate) fn is_nil(&self, number: usize) -> bool {
        self.get(number).is_none_or(Value::is_nil)
    }

    /// The argument as a number.
    pub(crate) fn number(&self, number: usize) -> Result<f64, Failure> {
        let value = match self.get(number) {
            Some(Value::Integer(integer)) => Some(*integer as f64),
            Some(Value::Number(float)) => Some(*float),
            Some(Value::String(text)) => self.lua.coerce_number(Value::String(text.clone()))?,
            _ => None,
        };
        value.ok_or_else(|| self.expected("number", number))
    }

    /// The argument as an integer, its fraction dropped.
    pub(crate) fn integer(&self, number: usize) -> Result<i64, Failure> {
        self.number(number).map(cast::to_i64)
    }

    /// The argument as an integer, or `absent` where it is missing or nil.
    pub(crate) fn integer_or(&self, number: usize, absent: i64) -> Result<i64, Failure> {
        if self.is_nil(number) { Ok(absent) } else { self.integer(number) }
    }

    /// The argument as a string.
    pub(crate) fn string(&self, number: usize) -> Result<LuaString, Failure> {
        let value = match self.get(number) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(value @ (Value::Integer(_) | Value::Number(_))) => {
                self.lua.coerce_string(value.clone())?
            }
            _ => None,
        };
        value.ok_or_else(|| self.expected("string", number))
    }

    /// The failure of an argument of the wrong type.
    pub(crate) fn expected(&self, wanted: &str, number: usize) -> Failure {
        let found = self.get(number).map_or("no value", type_name);
        Failure::argument(number, format!("{wanted} expected, got {found}"))
    }
}

/// The type as Lua names it.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Nil => "nil",
        Value::Boolean(_) => "boolean",
        Value::Integer(_) | Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Table(_) => "table",
        Value::Function(_) => "function",
        Value::Thread(_) => "thread",
        _ => "userdata",
    }
}

/// The values of a call that returns many, with what Lua's stack has room for as their limit.
#[derive(Debug, Default)]
pub(crate) struct Results(MultiValue);

impl Results {
    /// A C function of Lua 5.1 has 8,000 slots; the others are for its arguments and for Lua.
    const COUNT_MAX: usize = 7_960;

    /// Appends a value; `None` if there is no room for it.
    #[must_use]
    pub(crate) fn push(&mut self, value: Value) -> Option<()> {
        (self.0.len() < Self::COUNT_MAX).then(|| self.0.push_back(value))
    }

    /// Puts a value in front of all others.
    pub(crate) fn push_front(&mut self, value: Value) {
        self.0.push_front(value);
    }

    /// Takes back the last.
    pub(crate) fn pop(&mut self) -> Option<Value> {
        self.0.pop_back()
    }
}

impl FromIterator<Value> for Results {
    fn from_iter<I: IntoIterator<Item = Value>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

impl IntoLuaMulti for Results {
    fn into_lua_multi(self, _: &Lua) -> mlua::Result<MultiValue> {
        Ok(self.0)
    }
}

/// The error of the interpreter for a failure of the function that is running in it.
fn raise(lua: &Lua, failure: Failure) -> mlua::Error {
    let text = match failure {
        Failure::Lua(error) => return error,
        Failure::Unplaced(text) => return placed(&text),
        Failure::Error(text) => text,
        Failure::Argument(number, text) => bad_argument(lua, number, &text),
    };
    placed(&[place(lua).as_bytes(), &text].concat())
}

fn placed(text: &[u8]) -> mlua::Error {
    mlua::Error::external(PlacedError(String::from_utf8_lossy(text).into_owned()))
}

/// `script:line: ` of the call, or nothing if it was not a line of Lua that called.
fn place(lua: &Lua) -> String {
    let place = lua.inspect_stack(1, |caller| {
        let line = caller.current_line()?;
        let source = caller.source();
        Some(format!("{}:{line}: ", source.short_src.as_deref().unwrap_or("?")))
    });
    place.flatten().unwrap_or_default()
}

/// The words for an argument. The function's name is the one that the caller used, and for
/// `library:function()` the first argument is not counted, as the caller did not write it.
fn bad_argument(lua: &Lua, number: usize, text: &[u8]) -> Vec<u8> {
    let (name, is_method) = lua
        .inspect_stack(0, |function| {
            let names = function.names();
            let is_method = names.name_what == Some("method");
            (names.name.map(|name| name.into_owned()), is_method)
        })
        .unwrap_or_default();
    let name = name.as_deref().unwrap_or("?");
    let mut words = match (is_method, number) {
        (true, 1) => format!("calling '{name}' on bad self ("),
        (true, _) => format!("bad argument #{} to '{name}' (", number - 1),
        (false, _) => format!("bad argument #{number} to '{name}' ("),
    }
    .into_bytes();
    words.extend_from_slice(text);
    words.push(b')');
    words
}
