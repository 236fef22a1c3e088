//! Looking at a script that stands still: what a debugger asks between two of its lines.
//!
//! While a machine is watched ([`Machine::watch_lines`](crate::Machine::watch_lines)), Lua calls
//! the hook before each line too, and the hook lends the host a [`Paused`]. Everything that it is
//! asked may raise, for want of memory if nothing else, and the host owns things: so each question
//! is answered inside a protected call of its own, and what it brings lies outside.

use std::ffi::{CStr, c_char, c_int};

use mlua::ffi::{self, lua_Debug, lua_State};
use resp::Version;
use stdx::num::write_f64_g;
use stdx::text::quote_into;

use crate::base::name_error;
use crate::host::{Host, Lent, Shared};
use crate::stack::{bytes, raw_field, shared};
use crate::stop::{STEPS, watch};

/// Tables in tables are shown so deep.
const DEPTH_MAX: usize = 10;

/// The chunk name of a script of a client.
const SCRIPT: &[u8] = b"@user_script";

/// Why a script stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// It is about to execute this line of its text.
    Line(i64),
    /// It has executed [`STEPS`] instructions, and is at this line.
    Steps(i64),
}

/// Who debugs a script, as the script sees it.
pub trait Debugger {
    /// `redis.breakpoint`: asks to stop at the next line.
    fn breakpoint(&mut self);

    /// `redis.debug`: shows values, called at `line`.
    fn show(&mut self, line: i64, values: &[u8]);

    /// `redis.error_reply`: the script has made an error of its own.
    fn show_error(&mut self, text: &[u8]);
}

/// A call that a script is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The function's name, if it has one where it was called.
    pub name: Option<Vec<u8>>,
    /// The line that it is at.
    pub line: i64,
}

/// A script that stands still. Values come as texts: strings quoted, tables with what is in them.
pub struct Paused<'s> {
    state: *mut lua_State,
    shared: &'s Shared,
}

impl std::fmt::Debug for Paused<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Paused")
    }
}

impl<'s> Paused<'s> {
    /// # Safety
    /// Called in a hook of `state`, whose machine `shared` belongs to, and dropped before it ends.
    pub(crate) unsafe fn new(state: *mut lua_State, shared: &'s Shared) -> Self {
        Self { state, shared }
    }

    /// The protocol whose values it sees.
    #[must_use]
    pub fn version(&self) -> Version {
        self.shared.version.get()
    }

    /// The calls that it is in, innermost first; only those of the script's own text.
    pub fn frames(&mut self) -> Vec<Frame> {
        let mut frames = Vec::new();
        self.guarded(&mut |state| each_frame(state, &mut |frame, _| frames.push(frame)));
        frames
    }

    /// The local variables of the innermost call: name and value.
    pub fn locals(&mut self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut locals = Vec::new();
        self.guarded(&mut |state| {
            each_local(state, INNERMOST, &mut |name, state| {
                locals.push((name.to_vec(), Vec::new()));
                if let Some((_, text)) = locals.last_mut() {
                    // SAFETY: the value is on top, and the text lies outside.
                    unsafe { describe(state, 0, text) };
                }
            });
        });
        locals
    }

    /// The value of a variable: of a local one of the innermost call that has it, else of `KEYS` or
    /// `ARGV`.
    pub fn variable(&mut self, name: &[u8]) -> Option<Vec<u8>> {
        let mut found = None;
        self.guarded(&mut |state| {
            let mut level = INNERMOST;
            loop {
                let is_call = each_local(state, level, &mut |local, state| {
                    if local == name {
                        // Of those that have the name the last is the one that the script sees.
                        let text = found.get_or_insert_default();
                        Vec::clear(text);
                        // SAFETY: the value is on top.
                        unsafe { describe(state, 0, text) };
                    }
                });
                if found.is_some() || !is_call {
                    return;
                }
                level += 1;
            }
        });
        if found.is_none() && matches!(name, b"KEYS" | b"ARGV") {
            let globals = self.shared.globals.get();
            self.guarded(&mut |state| {
                let text = found.get_or_insert_default();
                // SAFETY: as for all that `guarded` runs.
                unsafe {
                    ffi::lua_rawgeti_(state, ffi::LUA_REGISTRYINDEX, globals);
                    raw_field(state, 1, name);
                    describe(state, 0, text);
                }
            });
        }
        found
    }

    /// Runs a text, an expression or statements, with `host` behind `redis.call`. It sees the
    /// script's globals and none of its local variables.
    ///
    /// # Errors
    /// The error's text, if it does not compile or raises one.
    pub fn evaluate(&mut self, host: &mut dyn Host, text: &[u8]) -> Result<Vec<u8>, Vec<u8>> {
        let expression = [b"return ", text].concat();
        let (mut value, mut is_well) = (Vec::new(), false);
        let lent = Lent::new(self.shared, host);
        let whole = self.guarded(&mut |state| {
            // SAFETY: as for all that `guarded` runs.
            unsafe { is_well = evaluate(state, [&expression, text], &mut value) };
        });
        drop(lent);
        if !whole {
            return Err(b"not enough memory".to_vec());
        }
        if is_well { Ok(value) } else { Err(value) }
    }

    /// Runs `work` in a protected call. False if that raised an error. What `work` calls may raise
    /// wherever it owns nothing.
    fn guarded(&mut self, work: &mut dyn FnMut(*mut lua_State)) -> bool {
        let mut work: &mut dyn FnMut(*mut lua_State) = work;
        // SAFETY: Lua leaves a hook room for twenty values. `guard` is in the registry as long as
        // the machine lives, and gets the address of `work`, which outlives the call.
        unsafe {
            let state = self.state;
            ffi::lua_rawgeti_(state, ffi::LUA_REGISTRYINDEX, self.shared.guard.get());
            ffi::lua_pushlightuserdata(state, (&raw mut work).cast());
            let status = ffi::lua_pcall(state, 1, 0, 0);
            if status != 0 {
                ffi::lua_settop(state, -2);
            }
            status == 0
        }
    }
}

/// Does the work of [`Paused::guarded`], whose address is the argument.
pub(crate) unsafe extern "C-unwind" fn guard(state: *mut lua_State) -> c_int {
    // SAFETY: `guarded` calls this.
    unsafe {
        let work = ffi::lua_touserdata(state, 1).cast::<&mut dyn FnMut(*mut lua_State)>();
        ffi::lua_settop(state, 0);
        (*work)(state);
        0
    }
}

/// The level of the call that the hook interrupted, seen from inside [`guard`].
const INNERMOST: c_int = 1;

/// Calls `visit` with each call of the script's own text, innermost first, and its level.
fn each_frame(state: *mut lua_State, visit: &mut dyn FnMut(Frame, c_int)) {
    let mut level = INNERMOST;
    // SAFETY: called in `guard`; the second call gets what the first has filled in.
    unsafe {
        let mut at = std::mem::zeroed::<lua_Debug>();
        while ffi::lua_getstack(state, level, &raw mut at) != 0 {
            ffi::lua_getinfo(state, c"nSl".as_ptr(), &raw mut at);
            if text_of(at.source) == Some(SCRIPT) {
                let name = text_of(at.name).map(<[u8]>::to_vec);
                visit(Frame { name, line: at.currentline.into() }, level);
            }
            level += 1;
        }
    }
}

/// The line that a script is at; none if it is in another text, one that it has loaded.
///
/// # Safety
/// Called in a hook of `state`.
pub(crate) unsafe fn line_of_script(state: *mut lua_State) -> Option<i64> {
    // SAFETY: as above; the second call gets what the first has filled in.
    unsafe {
        let mut at = std::mem::zeroed::<lua_Debug>();
        let known = ffi::lua_getstack(state, 0, &raw mut at) != 0
            && ffi::lua_getinfo(state, c"Sl".as_ptr(), &raw mut at) != 0
            && text_of(at.source) == Some(SCRIPT);
        known.then(|| at.currentline.into())
    }
}

/// # Safety
/// As [`CStr::from_ptr`], or null.
unsafe fn text_of<'t>(text: *const c_char) -> Option<&'t [u8]> {
    // SAFETY: as above.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_bytes())
}

/// Calls `visit` with the name of each local variable of a call, its value on top of the stack.
/// False if there is no such call.
fn each_local(
    state: *mut lua_State,
    level: c_int,
    visit: &mut dyn FnMut(&[u8], *mut lua_State),
) -> bool {
    // SAFETY: called in `guard`, which Lua gives room for twenty values.
    unsafe {
        let mut at = std::mem::zeroed::<lua_Debug>();
        if ffi::lua_getstack(state, level, &raw mut at) == 0 {
            return false;
        }
        for index in 1.. {
            let Some(name) = text_of(ffi::lua_getlocal(state, &raw const at, index)) else { break };
            // Values in the middle of an expression have this name.
            if name != b"(*temporary)" {
                visit(name, state);
            }
            ffi::lua_settop(state, -2);
        }
    }
    true
}

/// Appends the value on top as a text. The value stays.
///
/// # Safety
/// Called in `guard`, with room for a value.
unsafe fn describe(state: *mut lua_State, depth: usize, out: &mut Vec<u8>) {
    // SAFETY: as above; only strings are asked for their bytes.
    unsafe {
        if depth == DEPTH_MAX {
            return out.extend_from_slice(b"<max recursion level reached! Nested table?>");
        }
        match ffi::lua_type(state, -1) {
            ffi::LUA_TSTRING => quote_into(out, bytes(state, -1).unwrap_or_default()),
            ffi::LUA_TBOOLEAN if ffi::lua_toboolean(state, -1) != 0 => out.extend(b"true"),
            ffi::LUA_TBOOLEAN => out.extend(b"false"),
            ffi::LUA_TNUMBER => {
                let value = ffi::lua_tonumber(state, -1);
                let sign: &[u8] =
                    if value.is_nan() && value.is_sign_negative() { b"-" } else { b"" };
                out.extend_from_slice(sign);
                write_f64_g(out, value, 6);
            }
            ffi::LUA_TNIL => out.extend(b"nil"),
            ffi::LUA_TTABLE => describe_table(state, depth, out),
            kind => {
                let kind = CStr::from_ptr(ffi::lua_typename(state, kind)).to_bytes();
                let at = format!("@{:p}\"", ffi::lua_topointer(state, -1));
                out.push(b'"');
                out.extend_from_slice(kind);
                out.extend_from_slice(at.as_bytes());
            }
        }
    }
}

/// # Safety
/// As [`describe`], with a table on top.
unsafe fn describe_table(state: *mut lua_State, depth: usize, out: &mut Vec<u8>) {
    // SAFETY: `luaL_checkstack` makes the room; it raises where this frame owns nothing.
    unsafe {
        ffi::luaL_checkstack(state, 4, c"table nested too deeply".as_ptr());
        let table = ffi::lua_gettop(state);
        let is_list = is_list(state, table);
        out.push(b'{');
        let mut is_first = true;
        ffi::lua_pushnil(state);
        while ffi::lua_next(state, table) != 0 {
            if !std::mem::take(&mut is_first) {
                out.extend(b"; ");
            }
            if !is_list {
                out.push(b'[');
                ffi::lua_pushvalue(state, -2);
                describe(state, depth + 1, out);
                ffi::lua_settop(state, -2);
                out.extend(b"]=");
            }
            describe(state, depth + 1, out);
            ffi::lua_settop(state, -2);
        }
        out.push(b'}');
    }
}

/// Whether a table's keys come as 1, 2, 3 and so on.
///
/// # Safety
/// As [`describe_table`], with the table at `table`.
unsafe fn is_list(state: *mut lua_State, table: c_int) -> bool {
    // SAFETY: as above.
    unsafe {
        let mut expected = 1.0;
        ffi::lua_pushnil(state);
        while ffi::lua_next(state, table) != 0 {
            let is_next = ffi::lua_type(state, -2) == ffi::LUA_TNUMBER
                && ffi::lua_tonumber(state, -2) == expected;
            if !is_next {
                ffi::lua_settop(state, table);
                return false;
            }
            ffi::lua_settop(state, -2);
            expected += 1.0;
        }
        true
    }
}

/// Runs the first of two texts that compiles; whether it raised no error. `out` gets the value, or
/// the error's text.
///
/// # Safety
/// As [`describe`].
unsafe fn evaluate(state: *mut lua_State, texts: [&[u8]; 2], out: &mut Vec<u8>) -> bool {
    // SAFETY: as above. Hooks are silent in a thread that is in one, so the text gets a thread of
    // its own, where it can be stopped; that stays on the stack while it is used.
    unsafe {
        let own = ffi::lua_newthread(state);
        watch(own, STEPS);
        ffi::lua_pushcclosure(own, name_error, 0);
        let compiled = texts.into_iter().any(|text| {
            ffi::lua_settop(own, 1);
            let start = text.as_ptr().cast();
            ffi::luaL_loadbuffer(own, start, text.len(), c"@ldb_eval".as_ptr()) == 0
        });
        let is_well = compiled && ffi::lua_pcall(own, 0, 1, 1) == 0;
        if is_well {
            describe(own, 0, out);
        } else if ffi::lua_type(own, -1) == ffi::LUA_TTABLE {
            let error = ffi::lua_gettop(own);
            raw_field(own, error, b"err");
            out.extend_from_slice(bytes(own, -1).unwrap_or(b"unknown error"));
        } else {
            out.extend_from_slice(bytes(own, -1).unwrap_or(b"unknown error"));
        }
        is_well
    }
}

/// `redis.breakpoint`: true if a debugger will stop at the next line.
pub(crate) unsafe extern "C-unwind" fn breakpoint(state: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this as the function that `push_function` made, with room for a value.
    unsafe {
        let stops = shared(state).with_debugger(|debugger| debugger.breakpoint()).is_some();
        ffi::lua_pushboolean(state, stops.into());
        1
    }
}

/// `redis.debug`: shows values to who debugs the script.
pub(crate) unsafe extern "C-unwind" fn debug(state: *mut lua_State) -> c_int {
    // SAFETY: as for `breakpoint`. The buffer is the machine's: nothing here is to be dropped.
    unsafe {
        let shared = shared(state);
        if shared.with_debugger(|_| ()).is_none() {
            return 0;
        }
        let values = &mut *shared.bytes.get();
        values.clear();
        for index in 1..=ffi::lua_gettop(state) {
            values.extend_from_slice(if index > 1 { b", " } else { b"" });
            ffi::lua_pushvalue(state, index);
            describe(state, 0, values);
            ffi::lua_settop(state, -2);
        }
        let mut at = std::mem::zeroed::<lua_Debug>();
        let known = ffi::lua_getstack(state, 1, &raw mut at) != 0
            && ffi::lua_getinfo(state, c"l".as_ptr(), &raw mut at) != 0;
        let line = if known { at.currentline.into() } else { 0 };
        shared.with_debugger(|debugger| debugger.show(line, values));
        0
    }
}
