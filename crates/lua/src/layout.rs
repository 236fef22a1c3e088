//! What Lua knows and its interface does not show: what the caller of the running function does
//! with its results, and whether a table has the shape that it was made with.
//!
//! A script that calls `redis.call('set', ...)` as a statement has no use for the reply, and a
//! table made of it would cost as much as the command. One that ends with `return redis.call(...)`
//! hands the reply on. And the tables `KEYS` and `ARGV` need not be made anew for each script that
//! has left them as they were. Where the fields lie is told by the compiler of Lua itself
//! (`lua_config.h`), when the first state is made.

use std::ffi::c_int;
use std::sync::OnceLock;

use mlua::ffi::lua_State;

/// Bytes from the beginning of a structure to one of its fields.
#[repr(C)]
#[derive(Clone, Copy)]
struct Layout {
    /// In a state: the pointers to the frame of its running function, and to the first frame.
    frame: usize,
    frames: usize,
    /// Bytes of a frame.
    frame_size: usize,
    /// In a frame: the pointer to its function's place on the stack, which begins with a pointer to
    /// the function; and in that: the byte that tells one of C.
    function: usize,
    is_c: usize,
    /// In a frame: the number of results that the caller wants, and the pointer to its function's
    /// next instruction.
    wanted: usize,
    next: usize,
    /// What the instruction `return f(...)` has in its lowest six bits. (No offset.)
    tail_call: usize,
    /// In a table: its metatable, its hash part, the number of places in its array part.
    metatable: usize,
    node: usize,
    sizearray: usize,
}

/// The bits of an instruction that say what it does.
const OPCODE: u32 = 0x3f;

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
    unsafe { *frame(state, layout).add(layout.wanted).cast::<c_int>() == 0 }
}

/// The frame of the running function.
///
/// # Safety
/// The state is valid.
unsafe fn frame(state: *mut lua_State, layout: &Layout) -> *const u8 {
    // SAFETY: the offset is that of a pointer.
    unsafe { *state.cast::<u8>().add(layout.frame).cast::<*const u8>() }
}

/// The place of the running function's frame among all of the state, in bytes from the first.
///
/// # Safety
/// The state is valid.
pub(crate) unsafe fn depth(state: *mut lua_State) -> usize {
    let layout = layout();
    // SAFETY: the offset is that of a pointer, to the beginning of what `frame` points into.
    unsafe {
        let frames = *state.cast::<u8>().add(layout.frames).cast::<*const u8>();
        frame(state, layout).addr() - frames.addr()
    }
}

/// Whether the running function was called by `return f(...)`, in a function of Lua that was called
/// by the one at depth `outer`: what it returns is what that gets.
///
/// # Safety
/// Called in a function that Lua called on this state.
pub(crate) unsafe fn is_returned_to(state: *mut lua_State, outer: usize) -> bool {
    let layout = layout();
    // SAFETY: so deep the running function has a caller; the offsets are those of pointers and of a
    // byte. A function of Lua that has called another one has its next instruction noted, and the
    // call before it.
    unsafe {
        if depth(state) != outer + 2 * layout.frame_size {
            return false;
        }
        let caller = frame(state, layout).sub(layout.frame_size);
        let place = *caller.add(layout.function).cast::<*const *const u8>();
        if *(*place).add(layout.is_c) != 0 {
            return false;
        }
        let next = *caller.add(layout.next).cast::<*const u32>();
        *next.sub(1) & OPCODE == layout.tail_call as u32
    }
}

/// The hash part of a table, by its address: tables with none have one in common.
///
/// # Safety
/// `table` is what `lua_topointer` says of one that Lua still has.
pub(crate) unsafe fn hash_part(table: *const u8) -> *const u8 {
    // SAFETY: as above; the offset is that of a pointer.
    unsafe { *table.add(layout().node).cast::<*const u8>() }
}

/// Whether a table has no metatable, `len` places in its array part, and the hash part that tables
/// without one share, which is `empty`: it can hold nothing but these elements.
///
/// # Safety
/// `table` is what `lua_topointer` says of one that Lua still has.
pub(crate) unsafe fn is_plain(table: *const u8, len: c_int, empty: *const u8) -> bool {
    let layout = layout();
    // SAFETY: as above; the offsets are those of two pointers and of a number.
    unsafe {
        let metatable = *table.add(layout.metatable).cast::<*const u8>();
        let places = *table.add(layout.sizearray).cast::<c_int>();
        metatable.is_null() && places == len && hash_part(table) == empty
    }
}
