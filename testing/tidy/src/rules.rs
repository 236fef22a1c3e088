//! The rules about one Rust file.

use crate::Violation;
use crate::source::{Source, closing, find_words, is_word_byte};

/// Longest function outside tests, in lines from `fn` to the closing brace.
pub const FUNCTION_LINES_MAX: usize = 70;
/// Longest line, in characters.
pub const LINE_CHARS_MAX: usize = 100;

/// Crates that may contain `unsafe`.
const UNSAFE_ALLOWED: [&str; 3] = ["crates/collections/", "crates/lua/", "crates/sys/"];

/// Where clocks, threads, sockets, files and the environment may be touched: level 6 and the
/// tools. `client` is the library of the tools, and `sys` *is* the operating system's corner.
const OS_ALLOWED: [&str; 8] = [
    "crates/server/",
    "crates/cli/",
    "crates/benchmark/",
    "crates/client/",
    "crates/sys/",
    "testing/",
    "fuzz/",
    "xtask/",
];

/// Paths, as one writes them after their `use` is resolved, that reach the outside world.
const OS_PATHS: [&str; 13] = [
    "std::time::Instant",
    "std::time::SystemTime",
    "std::thread",
    "std::net",
    "std::os",
    "std::fs",
    "std::io::stdin",
    "std::process::Command",
    "std::process::exit",
    "std::env",
    "rand::thread_rng",
    "rand::rng",
    "getrandom",
];

/// Runs every rule on one file.
#[must_use]
pub fn check(source: &Source) -> Vec<Violation> {
    let mut found = Vec::new();
    has_head(source, &mut found);
    line_length(source, &mut found);
    function_length(source, &mut found);
    no_unwrap(source, &mut found);
    unsafe_in_its_place(source, &mut found);
    no_outside_world(source, &mut found);
    // A path written out inside a `use` is seen by both searches.
    found.sort();
    found.dedup();
    found
}

fn push(source: &Source, at: usize, rule: &'static str, message: String, to: &mut Vec<Violation>) {
    to.push(Violation { path: source.path.clone(), line: source.line_of(at), rule, message });
}

/// Every file says in its first lines what it is.
fn has_head(source: &Source, found: &mut Vec<Violation>) {
    let first =
        source.text.lines().find(|line| !line.trim().is_empty() && !line.starts_with("#!["));
    if !first.is_some_and(|line| line.starts_with("//! ")) {
        push(source, 0, "head", "open the file with `//!`: what it is and why".into(), found);
    }
}

/// rustfmt leaves comments, strings and macros alone; this does not. A line that is long because
/// of one unbreakable address passes.
fn line_length(source: &Source, found: &mut Vec<Violation>) {
    let mut at = 0;
    for line in source.text.split_inclusive('\n') {
        let chars = line.trim_end().chars().count();
        if chars > LINE_CHARS_MAX && !line.contains("https://") {
            let message = format!("{chars} characters, at most {LINE_CHARS_MAX}");
            push(source, at, "line-length", message, found);
        }
        at += line.len();
    }
}

fn function_length(source: &Source, found: &mut Vec<Violation>) {
    let code = &source.code;
    for at in source.words("fn").filter(|&at| !source.in_test(at)) {
        let Some(open) = body_start(code, at) else { continue };
        let end = closing(code, open);
        let lines = source.line_of(end - 1) + 1 - source.line_of(at);
        if lines > FUNCTION_LINES_MAX {
            let name: String =
                code[at + 2..].trim_start().chars().take_while(|c| *c != '(').collect();
            let message = format!("`{name}` has {lines} lines, at most {FUNCTION_LINES_MAX}");
            push(source, at, "function-length", message, found);
        }
    }
}

/// The opening brace of the function whose `fn` is at `at`; none for a declaration or a type.
fn body_start(code: &str, at: usize) -> Option<usize> {
    let bytes = code.as_bytes();
    let mut i = at + 2;
    // A function has a name; the type `fn(u8)` has none.
    let name = code[i..].trim_start().bytes().next()?;
    if !is_word_byte(name) {
        return None;
    }
    while i < bytes.len() {
        match bytes[i] {
            b'{' => return Some(i),
            b';' => return None,
            b'(' | b'[' => i = closing(code, i),
            _ => i += 1,
        }
    }
    None
}

fn no_unwrap(source: &Source, found: &mut Vec<Violation>) {
    for at in source.words("unwrap").filter(|&at| !source.in_test(at)) {
        if source.code[..at].trim_end().ends_with('.') {
            let message = "no `unwrap` outside tests: `expect` that spells the invariant".into();
            push(source, at, "unwrap", message, found);
        }
    }
    for at in source.words("expect").filter(|&at| !source.in_test(at)) {
        let after = &source.text[at + "expect".len()..];
        let Some(literal) = after.strip_prefix("(\"") else { continue };
        let said = literal.split('"').next().unwrap_or_default();
        if !said.trim().contains(' ') {
            let message = format!("`expect({said:?})` does not spell the invariant");
            push(source, at, "expect", message, found);
        }
    }
}

fn unsafe_in_its_place(source: &Source, found: &mut Vec<Violation>) {
    if UNSAFE_ALLOWED.iter().any(|allowed| source.path.starts_with(allowed)) {
        return;
    }
    for at in source.words("unsafe") {
        let message = "`unsafe` belongs to the crates collections, lua and sys only".into();
        push(source, at, "unsafe", message, found);
    }
}

fn no_outside_world(source: &Source, found: &mut Vec<Violation>) {
    // A build script runs when the crate is compiled, and cargo speaks to it by its environment.
    let is_build_script = source.path.ends_with("/build.rs");
    if is_build_script || OS_ALLOWED.iter().any(|allowed| source.path.starts_with(allowed)) {
        return;
    }
    for (at, path) in used_paths(&source.code).into_iter().chain(written_paths(&source.code)) {
        let outside = OS_PATHS.iter().find(|os| {
            path.strip_prefix(**os).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        });
        if let Some(os) = outside.filter(|_| !source.in_test(at)) {
            let message = format!("`{os}` below level 6: take it as an argument instead");
            push(source, at, "outside-world", message, found);
        }
    }
}

/// Every path that the file's `use` items import, braces resolved.
fn used_paths(code: &str) -> Vec<(usize, String)> {
    let mut paths = Vec::new();
    for at in find_words(code, "use") {
        let from = at + "use".len();
        let end = code[from..].find(';').map_or(code.len(), |semicolon| from + semicolon);
        let tree: String = code[from..end].split_whitespace().collect::<Vec<_>>().join(" ");
        expand(&tree, "", &mut |path| paths.push((at, path)));
    }
    paths
}

/// Resolves the braces of a `use` tree: `a::{b, c::d as e}` gives `a::b` and `a::c::d`.
fn expand(tree: &str, prefix: &str, each: &mut impl FnMut(String)) {
    let tree = tree.trim().trim_start_matches("::");
    let Some(open) = tree.find('{') else {
        let path = tree.split(" as ").next().unwrap_or(tree).trim();
        let path = path.trim_end_matches("::*").trim_end_matches("::self");
        let joined = format!("{prefix}{path}");
        each(if path == "self" { prefix.trim_end_matches("::").to_owned() } else { joined });
        return;
    };
    let prefix = format!("{prefix}{}", tree[..open].trim());
    let inside = &tree[open + 1..closing(tree, open).saturating_sub(1).max(open + 1)];
    let mut depth = 0_usize;
    let mut start = 0;
    for (at, byte) in inside.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                expand(&inside[start..at], &prefix, each);
                start = at + 1;
            }
            _ => {}
        }
    }
    if !inside[start..].trim().is_empty() {
        expand(&inside[start..], &prefix, each);
    }
}

/// Every path that is written out in code, `std::fs::read` and the like.
fn written_paths(code: &str) -> Vec<(usize, String)> {
    let is_path_char = |c: char| c == ':' || c == '_' || c.is_alphanumeric();
    ["std", "rand", "getrandom"]
        .iter()
        .flat_map(|root| find_words(code, root))
        .map(|at| (at, code[at..].chars().take_while(|c| is_path_char(*c)).collect()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of the rules that `text` at `path` breaks.
    fn broken(path: &str, text: &str) -> Vec<&'static str> {
        check(&Source::new(path, text)).into_iter().map(|violation| violation.rule).collect()
    }

    fn broken_in_store(body: &str) -> Vec<&'static str> {
        broken("crates/store/src/x.rs", &format!("//! About.\n{body}\n"))
    }

    #[test]
    fn a_clean_file_passes() {
        assert_eq!(broken_in_store("fn f() { g().expect(\"the key exists\"); }"), [""; 0]);
    }

    #[test]
    fn a_file_without_head_is_caught() {
        assert_eq!(broken("crates/store/src/x.rs", "// About.\n"), ["head"]);
        assert_eq!(broken("crates/store/src/x.rs", ""), ["head"]);
        assert_eq!(broken("crates/store/src/x.rs", "#![no_std]\n//! About.\n"), [""; 0]);
    }

    #[test]
    fn long_lines_are_caught_in_code_comments_and_tests() {
        let long = format!("// {}", "x".repeat(98));
        assert_eq!(broken_in_store(&long), ["line-length"]);
        assert_eq!(broken_in_store(&long[..100]), [""; 0]);
        assert_eq!(broken_in_store(&format!("// {}", "é".repeat(97))), [""; 0]);
        let test = format!("#[cfg(test)]\nmod tests {{\n{long}\n}}");
        assert_eq!(broken_in_store(&test), ["line-length"]);
    }

    #[test]
    fn long_functions_are_caught_outside_tests() {
        let body = |lines: usize| format!("fn f(a: [u8; 2]) {{\n{}}}", "    g();\n".repeat(lines));
        assert_eq!(broken_in_store(&body(68)), [""; 0]);
        assert_eq!(broken_in_store(&body(69)), ["function-length"]);
        let declared = format!("trait T {{ fn f(x: fn(u8)); }}\n{}", body(68));
        assert_eq!(broken_in_store(&declared), [""; 0]);
        let test = format!("#[cfg(test)]\nmod tests {{\n{}\n}}", body(69));
        assert_eq!(broken_in_store(&test), [""; 0]);
    }

    #[test]
    fn unwrap_is_caught_outside_tests() {
        assert_eq!(broken_in_store("fn f() { g().unwrap(); }"), ["unwrap"]);
        assert_eq!(broken_in_store("fn f() { g()\n    .unwrap(); }"), ["unwrap"]);
        assert_eq!(broken_in_store("fn f() { g().unwrap_or(1); unwrap(2); }"), [""; 0]);
        assert_eq!(broken_in_store("#[cfg(test)]\nfn f() { g().unwrap(); }"), [""; 0]);
        assert_eq!(broken("crates/x/tests/a.rs", "//! T.\nfn f() { g().unwrap(); }"), [""; 0]);
    }

    #[test]
    fn expect_must_say_something() {
        assert_eq!(broken_in_store("fn f() { g().expect(\"ok\"); }"), ["expect"]);
        assert_eq!(broken_in_store("fn f() { g().expect(\"\"); }"), ["expect"]);
    }

    #[test]
    fn unsafe_is_caught_outside_its_two_crates() {
        let text = "//! About.\nfn f() { unsafe { g() } }\n";
        assert_eq!(broken("crates/store/src/x.rs", text), ["unsafe"]);
        assert_eq!(broken("crates/server/tests/x.rs", text), ["unsafe"]);
        assert_eq!(broken("crates/collections/src/x.rs", text), [""; 0]);
        assert_eq!(broken("crates/sys/src/x.rs", text), [""; 0]);
        assert_eq!(broken_in_store("#![deny(unsafe_code)] // unsafe"), [""; 0]);
    }

    #[test]
    fn the_outside_world_is_caught_below_level_six() {
        for body in [
            "use std::time::Instant;",
            "use std::time::{Duration, SystemTime};",
            "use std::{collections::HashMap, fs::{self, File}};",
            "use std::thread as t;",
            "use ::std::net::*;",
            "fn f() { std::thread::sleep(d); }",
            "fn f() { let x = rand::thread_rng(); }",
            "fn f() -> std::time::SystemTime { g() }",
            "use std::env;",
        ] {
            let rules = broken_in_store(body);
            assert!(!rules.is_empty() && rules.iter().all(|r| *r == "outside-world"), "{body}");
        }
        for body in [
            "use std::time::Duration;",
            "use std::{collections::HashMap, fmt};",
            "// std::thread is not for us",
            "#[cfg(test)]\nmod tests {\n use std::thread;\n}",
            "use core::net::IpAddr;",
        ] {
            assert_eq!(broken_in_store(body), [""; 0], "{body}");
        }
        let text = "//! About.\nuse std::thread;\n";
        assert_eq!(broken("crates/server/src/x.rs", text), [""; 0]);
        assert_eq!(broken("crates/engine/src/x.rs", text), ["outside-world"]);
        assert_eq!(broken("crates/lua/build.rs", text), [""; 0]);
    }
}
