//! What Lua knows and its interface does not show: how many results the caller of the running
//! function wants, and whether a table has the shape that it was made with.
//!
//! A script that calls `redis.call('set', ...)` as a statement has no use for the reply, and a
//! table made of it would cost as much as the command. And the tables `KEYS` and `ARGV` need not be
//! made anew for each script that has left them as they were. Where the fields lie is told by the
//! compiler of Lua itself (`lua_config.h`), when the first state is made.

use std::ffi::c_int;
use std::sync::OnceLock;

use mlua::ffi::{self, lua_State};

/// Bytes from the beginning of a structure to one of its fields.
#[repr(C)]
#[derive(Clone, Copy)]
struct Layout {
    /// In a state: the pointer to the frame of its running function.
    frame: usize,
    /// In a frame: the number of results that the caller wants.
    wanted: usize,
    /// In a table: its metatable, its hash part, the number of places in its array part.
    metatable: usize,
    node: usize,
    sizearray: usize,
}

static LAYOUT: OnceLock<Layout> = OnceLock::new();

/// Called by Lua's own code for each state that is made, always with the same numbers.
#[unsafe(no_mangle)]
extern "C" fn ferrite_lua_layout(layout: Layout) {
    LAYOUT.get_or_init(|| layout);
}

fn layout() -> &'static Layout {
    LAYOUT.get().expect("Lua tells its layout before there is a state")
}

/// Whether the caller of the running function drops what it returns.
///
/// # Safety
/// Called in a function that Lua called on this state.
pub(crate) unsafe fn is_statement(state: *mut lua_State) -> bool {
    let layout = layout();
    // SAFETY: while a function runs a state has a frame. Both offsets are those of fields of these
    // types.
    unsafe {
        let frame = *state.cast::<u8>().add(layout.frame).cast::<*const u8>();
        *frame.add(layout.wanted).cast::<c_int>() == 0
    }
}

/// The hash part of the table at `index`, by its address: tables with none have one in common.
///
/// # Safety
/// `index` is valid, and there is a table.
pub(crate) unsafe fn hash_part(state: *mut lua_State, index: c_int) -> *const u8 {
    // SAFETY: as above; the offset is that of a pointer.
    unsafe {
        let table = ffi::lua_topointer(state, index).cast::<u8>();
        *table.add(layout().node).cast::<*const u8>()
    }
}

/// Whether the table at `index` has no metatable, `len` places in its array part, and the hash
/// part that tables without one share, which is `empty`: it can hold nothing but these elements.
///
/// # Safety
/// `index` is valid, and there is a table.
pub(crate) unsafe fn is_plain(
    state: *mut lua_State,
    index: c_int,
    len: c_int,
    empty: *const u8,
) -> bool {
    let layout = layout();
    // SAFETY: as above; the offsets are those of a pointer and of a number.
    unsafe {
        let table = ffi::lua_topointer(state, index).cast::<u8>();
        let metatable = *table.add(layout.metatable).cast::<*const u8>();
        let places = *table.add(layout.sizearray).cast::<c_int>();
        metatable.is_null() && places == len && hash_part(state, index) == empty
    }
}
