//! From JSON to values.
//!
//! The open arrays and objects are a list, not calls within calls, so depth costs no stack. Each is
//! a value on the interpreter's side, where its memory limit counts it.

use mlua::{Lua, LuaString, Table, Value};

use super::NESTING_MAX;
use super::settings::Settings;
use super::token::{Token, Tokens};
use crate::libraries::function::Failure;

/// The value of a text.
pub(super) fn decode(
    lua: &Lua,
    text: &[u8],
    settings: &Settings,
    array_metatable: &Table,
) -> Result<Value, Failure> {
    if let [0, _, ..] | [_, 0, ..] = text {
        return Err(Failure::error("JSON parser does not support UTF-16 or UTF-32"));
    }
    let mut decoder = Decoder {
        lua,
        tokens: Tokens::new(text, settings.decode_invalid_numbers),
        depth_max: settings.decode_depth.min(NESTING_MAX) as usize,
        array_metatable: settings.mark_arrays.then_some(array_metatable),
        open: Vec::new(),
    };
    let value = decoder.value()?;
    match decoder.tokens.next() {
        Token::End => Ok(value),
        found => Err(decoder.unexpected("the end", &found)),
    }
}

struct Decoder<'a> {
    lua: &'a Lua,
    tokens: Tokens<'a>,
    depth_max: usize,
    /// What arrays are marked with, if they are.
    array_metatable: Option<&'a Table>,
    open: Vec<Open>,
}

/// An array or an object that has not ended.
enum Open {
    Array { table: Table, len: usize },
    Object { table: Table, key: LuaString },
}

/// What a token makes of a place where a value is wanted.
enum Begun {
    Whole(Value),
    /// An array or object was opened, whose next value comes next.
    Opened,
}

impl Decoder<'_> {
    fn value(&mut self) -> Result<Value, Failure> {
        let mut token = self.tokens.next();
        loop {
            let mut value = match self.begin(token)? {
                Begun::Whole(value) => value,
                Begun::Opened => {
                    token = self.tokens.next();
                    continue;
                }
            };
            // Ends as many arrays and objects as this value was the last of.
            loop {
                let Some(open) = self.open.pop() else {
                    return Ok(value);
                };
                match self.store(open, value)? {
                    Some(whole) => value = whole,
                    None => break,
                }
            }
            token = self.tokens.next();
        }
    }

    fn begin(&mut self, token: Token<'_>) -> Result<Begun, Failure> {
        let value = match token {
            Token::String(text) => Value::String(self.lua.create_string(text)?),
            Token::Number(number) => Value::Number(number),
            Token::Boolean(boolean) => Value::Boolean(boolean),
            Token::Null => Value::NULL,
            Token::ArrayBegin => return self.begin_array(),
            Token::ObjectBegin => return self.begin_object(),
            other => return Err(self.unexpected("value", &other)),
        };
        Ok(Begun::Whole(value))
    }

    fn begin_array(&mut self) -> Result<Begun, Failure> {
        self.descend()?;
        let table = self.lua.create_table()?;
        if let Some(metatable) = self.array_metatable {
            table.set_metatable(Some(metatable.clone()))?;
        }
        if self.tokens.next_if_array_end() {
            return Ok(Begun::Whole(Value::Table(table)));
        }
        self.open.push(Open::Array { table, len: 0 });
        Ok(Begun::Opened)
    }

    fn begin_object(&mut self) -> Result<Begun, Failure> {
        self.descend()?;
        let table = self.lua.create_table()?;
        match self.tokens.next() {
            Token::ObjectEnd => Ok(Begun::Whole(Value::Table(table))),
            token => {
                let key = self.key(token)?;
                self.open.push(Open::Object { table, key });
                Ok(Begun::Opened)
            }
        }
    }

    /// Puts a value where it belongs. Returns the array or object if that ended with it.
    fn store(&mut self, open: Open, value: Value) -> Result<Option<Value>, Failure> {
        match open {
            Open::Array { table, len } => {
                let len = len + 1;
                table.raw_set(len, value)?;
                match self.tokens.next() {
                    Token::ArrayEnd => return Ok(Some(Value::Table(table))),
                    Token::Comma => self.open.push(Open::Array { table, len }),
                    other => return Err(self.unexpected("comma or array end", &other)),
                }
            }
            Open::Object { table, key } => {
                table.raw_set(key, value)?;
                match self.tokens.next() {
                    Token::ObjectEnd => return Ok(Some(Value::Table(table))),
                    Token::Comma => {
                        let token = self.tokens.next();
                        let key = self.key(token)?;
                        self.open.push(Open::Object { table, key });
                    }
                    other => return Err(self.unexpected("comma or object end", &other)),
                }
            }
        }
        Ok(None)
    }

    /// A key and the colon behind it.
    fn key(&mut self, token: Token<'_>) -> Result<LuaString, Failure> {
        let key = match token {
            Token::String(text) => self.lua.create_string(text)?,
            other => return Err(self.unexpected("object key string", &other)),
        };
        match self.tokens.next() {
            Token::Colon => Ok(key),
            other => Err(self.unexpected("colon", &other)),
        }
    }

    fn descend(&self) -> Result<(), Failure> {
        let depth = self.open.len() + 1;
        if depth <= self.depth_max {
            return Ok(());
        }
        let character = self.tokens.character;
        let text =
            format!("Found too many nested data structures ({depth}) at character {character}");
        Err(Failure::error(text))
    }

    fn unexpected(&self, expected: &str, found: &Token<'_>) -> Failure {
        let (found, character) = (found.name(), self.tokens.character);
        Failure::error(format!("Expected {expected} but found {found} at character {character}"))
    }
}
