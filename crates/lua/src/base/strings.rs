//! The functions of Lua's string library that may take long: they can be stopped.

use std::ffi::c_int;
use std::mem::MaybeUninit;

use mlua::ffi::{self, lua_State, luaL_Buffer};

use crate::patterns::{Capture, Matcher, Trouble, is_plain, up_to_nul};
use crate::stack::{push_bytes, raise, shared};
use crate::stop::{must_stop, raise_stop};

/// The string at `index`; a number becomes one. Raises if it is neither.
///
/// # Safety
/// Called by Lua; the value stays on the stack while the bytes are used.
unsafe fn text<'t>(state: *mut lua_State, index: c_int) -> &'t [u8] {
    // SAFETY: as above.
    unsafe {
        let mut len = 0;
        let start = ffi::luaL_checklstring(state, index, &raw mut len);
        std::slice::from_raw_parts(start.cast(), len)
    }
}

/// Raises what a matcher has come to.
///
/// # Safety
/// As for everything that raises.
unsafe fn trouble(state: *mut lua_State, trouble: Trouble) -> c_int {
    // SAFETY: the caller owns nothing.
    unsafe {
        match trouble {
            Trouble::Pattern(message) => raise(state, message),
            Trouble::Stopped => raise_stop(state, shared(state)),
        }
    }
}

/// Whether a script that is in a single call of a function here may go on.
///
/// # Safety
/// As [`shared`].
unsafe fn goes_on(state: *mut lua_State) -> bool {
    // SAFETY: as above.
    !must_stop(unsafe { shared(state) }, |host| host.tick())
}

pub(super) unsafe extern "C-unwind" fn find(state: *mut lua_State) -> c_int {
    // SAFETY: called by Lua; so for all functions below.
    unsafe { search(state, true) }
}

pub(super) unsafe extern "C-unwind" fn match_(state: *mut lua_State) -> c_int {
    // SAFETY: see `find`.
    unsafe { search(state, false) }
}

/// `string.find` and `string.match`.
unsafe fn search(state: *mut lua_State, finds: bool) -> c_int {
    // SAFETY: see `find`. The matcher owns nothing, and both strings stay on the stack.
    unsafe {
        let (text, pattern) = (text(state, 1), text(state, 2));
        let from = ffi::luaL_optinteger(state, 3, 1) as i64;
        let from = if from < 0 { from + text.len() as i64 } else { from - 1 };
        let from = usize::try_from(from).unwrap_or(0).min(text.len());
        if finds && (ffi::lua_toboolean(state, 4) != 0 || is_plain(pattern)) {
            return push_place(state, position(&text[from..], pattern), from, pattern.len());
        }
        let pattern = up_to_nul(pattern);
        let (pattern, is_anchored) = match pattern.strip_prefix(b"^") {
            Some(rest) => (rest, true),
            None => (pattern, false),
        };
        let mut goes_on = || goes_on(state);
        let mut matcher = Matcher::new(text, pattern, &mut goes_on);
        let last = if is_anchored { from } else { text.len() };
        for start in from..=last {
            match matcher.match_at(start) {
                Ok(None) => {}
                Ok(Some(end)) if finds => {
                    ffi::lua_pushinteger(state, start as i64 + 1);
                    ffi::lua_pushinteger(state, end as i64);
                    return 2 + push_captures(state, &matcher, None);
                }
                Ok(Some(end)) => return push_captures(state, &matcher, Some((start, end))),
                Err(error) => return trouble(state, error),
            }
        }
        ffi::lua_pushnil(state);
        1
    }
}

/// Where `part` is in `text`.
fn position(text: &[u8], part: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, part)
}

/// Pushes first and last place of what was found, counted from one.
unsafe fn push_place(
    state: *mut lua_State,
    found: Option<usize>,
    from: usize,
    len: usize,
) -> c_int {
    // SAFETY: see `find`.
    unsafe {
        let Some(at) = found else {
            ffi::lua_pushnil(state);
            return 1;
        };
        ffi::lua_pushinteger(state, (from + at) as i64 + 1);
        ffi::lua_pushinteger(state, (from + at + len) as i64);
        2
    }
}

/// Pushes the captures of a match; its whole if there are none and it is given.
unsafe fn push_captures(
    state: *mut lua_State,
    matcher: &Matcher<'_>,
    whole: Option<(usize, usize)>,
) -> c_int {
    // SAFETY: see `find`.
    unsafe {
        let count = match matcher.captures_len() {
            0 if whole.is_some() => 1,
            count => count,
        };
        ffi::luaL_checkstack(state, count as c_int, c"too many captures".as_ptr());
        for index in 0..count {
            push_capture(state, matcher, index, whole.unwrap_or_default());
        }
        count as c_int
    }
}

/// Pushes one capture.
unsafe fn push_capture(
    state: *mut lua_State,
    matcher: &Matcher<'_>,
    index: usize,
    whole: (usize, usize),
) {
    // SAFETY: see `find`.
    unsafe {
        match matcher.capture(index, whole) {
            Ok(Capture::Part(start, end)) => push_bytes(state, matcher.part(start, end)),
            Ok(Capture::Open(at) | Capture::Place(at)) => {
                ffi::lua_pushinteger(state, at as i64 + 1);
            }
            Err(error) => {
                trouble(state, error);
            }
        }
    }
}

pub(super) unsafe extern "C-unwind" fn gmatch(state: *mut lua_State) -> c_int {
    // SAFETY: see `find`. The iterator has the machine, both strings, and where to go on.
    unsafe {
        text(state, 1);
        text(state, 2);
        ffi::lua_settop(state, 2);
        ffi::lua_pushvalue(state, ffi::lua_upvalueindex(1));
        ffi::lua_insert(state, 1);
        ffi::lua_pushinteger(state, 0);
        ffi::lua_pushcclosure(state, next_match, 4);
        1
    }
}

unsafe extern "C-unwind" fn next_match(state: *mut lua_State) -> c_int {
    // SAFETY: see `find`; the strings are upvalues of the function that is running.
    unsafe {
        let text = text(state, ffi::lua_upvalueindex(2));
        let pattern = up_to_nul(self::text(state, ffi::lua_upvalueindex(3)));
        let from = ffi::lua_tointeger(state, ffi::lua_upvalueindex(4)) as usize;
        let mut goes_on = || goes_on(state);
        let mut matcher = Matcher::new(text, pattern, &mut goes_on);
        for start in from..=text.len() {
            match matcher.match_at(start) {
                Ok(None) => {}
                Ok(Some(end)) => {
                    let next = end + usize::from(end == start);
                    ffi::lua_pushinteger(state, next as i64);
                    ffi::lua_replace(state, ffi::lua_upvalueindex(4));
                    return push_captures(state, &matcher, Some((start, end)));
                }
                Err(error) => return trouble(state, error),
            }
        }
        0
    }
}

pub(super) unsafe extern "C-unwind" fn gsub(state: *mut lua_State) -> c_int {
    // SAFETY: see `find`. The buffer is Lua's: what it holds lies on the stack.
    unsafe {
        let (text, pattern) = (text(state, 1), up_to_nul(text(state, 2)));
        let kind = ffi::lua_type(state, 3);
        let most = ffi::luaL_optinteger(state, 4, text.len() as i64 + 1);
        let fits = [ffi::LUA_TNUMBER, ffi::LUA_TSTRING, ffi::LUA_TFUNCTION, ffi::LUA_TTABLE];
        let expected = c"string/function/table expected".as_ptr();
        ffi::luaL_argcheck(state, c_int::from(fits.contains(&kind)), 3, expected);
        let (pattern, is_anchored) = match pattern.strip_prefix(b"^") {
            Some(rest) => (rest, true),
            None => (pattern, false),
        };
        let mut out = MaybeUninit::<luaL_Buffer>::uninit();
        let out = out.as_mut_ptr();
        ffi::luaL_buffinit(state, out);
        let mut goes_on = || goes_on(state);
        let mut matcher = Matcher::new(text, pattern, &mut goes_on);
        let (mut at, mut count) = (0, 0);
        while count < most {
            let found = match matcher.match_at(at) {
                Ok(found) => found,
                Err(error) => return trouble(state, error),
            };
            if let Some(end) = found {
                count += 1;
                add_value(state, out, &matcher, (at, end));
            }
            match found {
                Some(end) if end > at => at = end,
                _ if at < text.len() => {
                    add(out, &text[at..=at]);
                    at += 1;
                }
                _ => break,
            }
            if is_anchored {
                break;
            }
        }
        add(out, &text[at..]);
        ffi::luaL_pushresult(out);
        ffi::lua_pushinteger(state, count);
        2
    }
}

unsafe fn add(out: *mut luaL_Buffer, bytes: &[u8]) {
    // SAFETY: see `gsub`.
    unsafe { ffi::luaL_addlstring(out, bytes.as_ptr().cast(), bytes.len()) };
}

/// Adds what is to stand for a match; the third argument says what.
unsafe fn add_value(
    state: *mut lua_State,
    out: *mut luaL_Buffer,
    matcher: &Matcher<'_>,
    whole: (usize, usize),
) {
    // SAFETY: see `gsub`; every value that is pushed is popped or added.
    unsafe {
        match ffi::lua_type(state, 3) {
            ffi::LUA_TFUNCTION => {
                ffi::lua_pushvalue(state, 3);
                let count = push_captures(state, matcher, Some(whole));
                ffi::lua_call(state, count, 1);
            }
            ffi::LUA_TTABLE => {
                push_capture(state, matcher, 0, whole);
                ffi::lua_gettable_(state, 3);
            }
            _ => return add_template(state, out, matcher, whole),
        }
        if ffi::lua_toboolean(state, -1) == 0 {
            ffi::lua_settop(state, -2);
            return add(out, matcher.part(whole.0, whole.1));
        }
        if ffi::lua_isstring(state, -1) == 0 {
            let kind = ffi::luaL_typename(state, -1);
            ffi::luaL_error(state, c"invalid replacement value (a %s)".as_ptr(), kind);
        }
        ffi::luaL_addvalue(out);
    }
}

/// Adds a text with `%0` to `%9` for the match and its captures.
unsafe fn add_template(
    state: *mut lua_State,
    out: *mut luaL_Buffer,
    matcher: &Matcher<'_>,
    whole: (usize, usize),
) {
    // SAFETY: see `gsub`.
    unsafe {
        let mut rest = text(state, 3);
        while let Some(at) = memchr::memchr(b'%', rest) {
            add(out, &rest[..at]);
            match rest.get(at + 1) {
                Some(b'0') => add(out, matcher.part(whole.0, whole.1)),
                Some(digit @ b'1'..=b'9') => {
                    push_capture(state, matcher, usize::from(digit - b'1'), whole);
                    ffi::luaL_addvalue(out);
                }
                Some(other) => add(out, &[*other]),
                // As in Lua, which takes the end of its string for a byte.
                None => return add(out, b"\0"),
            }
            rest = &rest[at + 2..];
        }
        add(out, rest);
    }
}

pub(super) unsafe extern "C-unwind" fn rep(state: *mut lua_State) -> c_int {
    // SAFETY: see `gsub`.
    unsafe {
        let text = text(state, 1);
        let count = usize::try_from(ffi::luaL_checkinteger(state, 2)).unwrap_or(0);
        let total = text.len().checked_mul(count);
        let limit = shared(state).memory_limit.get();
        let max = if limit == 0 { c_int::MAX as usize } else { limit.min(c_int::MAX as usize) };
        let Some(total) = total.filter(|total| *total <= max) else {
            return raise(state, c"not enough memory");
        };
        let mut out = MaybeUninit::<luaL_Buffer>::uninit();
        let out = out.as_mut_ptr();
        ffi::luaL_buffinit(state, out);
        // Short texts are added by the block.
        let mut block = [0; 4096];
        let in_block = if text.is_empty() { 0 } else { block.len() / text.len() };
        if in_block > 1 && count > in_block {
            let used = in_block * text.len();
            block[..used].chunks_exact_mut(text.len()).for_each(|part| part.copy_from_slice(text));
            (0..total / used).for_each(|_| add(out, &block[..used]));
            (0..(total % used) / text.len()).for_each(|_| add(out, text));
        } else if total > 0 {
            (0..count).for_each(|_| add(out, text));
        }
        ffi::luaL_pushresult(out);
        1
    }
}
