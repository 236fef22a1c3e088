//! Compiles Lua 5.1 from the sources that `lua-src` carries, with `lua_config.h` before each file.
//!
//! `mlua` would have `lua-src` do it without; it leaves it to us (feature `external`), as its
//! interface has no way to say how Lua is configured.

#![allow(unsafe_code)]

use std::env;
use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=lua_config.h");
    let here = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    // `lua-src` takes no flags, but the compiler's driver reads them from the environment; a path
    // goes into a variable that is not split at spaces.
    let headers = [Path::new(&here).into()]
        .into_iter()
        .chain(env::var_os("CPATH").iter().flat_map(env::split_paths).collect::<Vec<_>>());
    let headers = env::join_paths(headers).expect("paths of the compiler's have no separators");
    let flags = env::var("CFLAGS").unwrap_or_default();
    // Lua finds out that a count overflows (`unpack`) from its sign after the fact, which a
    // compiler may leave out unless integers are said to wrap.
    let ours = "-fwrapv -include lua_config.h";
    // SAFETY: there is no other thread yet.
    unsafe {
        env::set_var("CPATH", headers);
        env::set_var("CFLAGS", format!("{flags} {ours}"));
    }
    let artifacts = lua_src::Build::new().build(lua_src::Lua51);
    println!("cargo::rustc-link-search=native={}", artifacts.lib_dir().display());
    for library in artifacts.libs() {
        // Whole, because `mlua`, which comes later for the linker, names parts of it too.
        println!("cargo::rustc-link-lib=static:+whole-archive={library}");
    }
}
