//! The libraries against what Redis answered: the files in `golden`.

use crate::api::Identity;
use crate::{Interpreter, Limits};

const SHOW: &str = include_str!("golden/show.lua");

fn interpreter(memory: usize) -> Interpreter {
    let identity = Identity { redis_version: "8.8.0", name: "test", version: "0.1.0" };
    let mut interpreter = Interpreter::new(identity, 1).unwrap();
    interpreter.set_limits(Limits { memory });
    interpreter
}

/// What a call gives, printed as in the golden files.
fn evaluate(expression: &str) -> String {
    let interpreter = interpreter(256 << 20);
    let source =
        format!("local function go() return {expression} end {SHOW} return show_all(pcall(go))");
    interpreter.machine().lua().load(source).set_name("@user_script").eval().unwrap()
}

fn check(golden: &str) {
    let mut lines = golden.lines().skip(1);
    let (mut checked, mut wrong) = (0, Vec::new());
    while let (Some(expression), Some(expected)) = (lines.next(), lines.next()) {
        let found = evaluate(expression);
        if found != expected.trim_start() {
            wrong.push(format!("{expression}\n  found    {found}\n  expected {}", expected.trim()));
        }
        checked += 1;
    }
    assert!(checked > 30, "the file is not what it was: {checked} calls");
    assert!(wrong.is_empty(), "{} of {checked} calls:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn bit() {
    check(include_str!("golden/bit.txt"));
}

#[test]
fn structs() {
    check(include_str!("golden/struct.txt"));
}

#[test]
fn cjson() {
    check(include_str!("golden/cjson.txt"));
}

#[test]
fn cmsgpack() {
    check(include_str!("golden/cmsgpack.txt"));
}

/// What a bomb gives: an error, whatever it is, and an interpreter that goes on.
fn refused(source: &str) -> String {
    let interpreter = interpreter(64 << 20);
    let lua = interpreter.machine().lua();
    let error = lua.load(source).exec().unwrap_err();
    lua.gc_collect().unwrap();
    assert_eq!(lua.load("return 1 + 1").eval::<i64>().unwrap(), 2);
    error.to_string()
}

/// Each table holds the one before sixteen times: text of 16^n bytes from a few hundred.
const FOLDED: &str = "local t = {1} for i = 1, 14 do local u = {} for j = 1, 16 do u[j] = t end \
                      t = u end ";

#[test]
fn output_that_explodes() {
    for call in ["cjson.encode(t)", "cmsgpack.pack(t)"] {
        let error = refused(&format!("{FOLDED} return {call}"));
        assert!(error.contains("longer than a string may be"), "{error}");
    }
    let sparse = "cjson.encode_sparse_array(false, 0) return cjson.encode({[1e9] = 1})";
    assert!(refused(sparse).contains("longer than a string may be"));
    let padded = "return struct.pack(string.rep('c0', 100), string.rep('a', 1e6):rep(9))";
    assert!(refused(padded).contains("longer than a string may be"));
}

#[test]
fn depth_beyond_the_limit() {
    let deep = "local t = {} for i = 1, 5000 do t = {t} end cjson.encode_max_depth(1e6) \
                return cjson.encode(t)";
    assert!(refused(deep).contains("excessive nesting (1001)"));
    let text = "cjson.decode_max_depth(1e6) return cjson.decode(string.rep('[', 20000))";
    assert!(refused(text).contains("too many nested data structures (1001)"));
    let packed = "return cmsgpack.unpack(string.rep('\\145', 100000))";
    assert!(refused(packed).contains("mp_decode_to_lua_array"));
}

#[test]
fn decoded_values_count_against_the_limit_of_memory() {
    for source in [
        "local s = '[' .. string.rep('{},', 4e6) .. '{}]' return cjson.decode(s)",
        "return cmsgpack.unpack('\\221\\255\\255\\255\\255' .. string.rep('\\144', 8e6))",
    ] {
        assert!(refused(source).contains("not enough memory"), "{source}");
    }
}

#[test]
fn arrays_that_are_marked() {
    let found: String = interpreter(0)
        .machine()
        .lua()
        .load(
            "local j = cjson.new() \
             local plain = j.encode(j.decode('[[],{}]')) \
             j.decode_array_with_array_mt(true) \
             return plain .. j.encode(j.decode('[[],{}]'))",
        )
        .eval()
        .unwrap();
    assert_eq!(found, "[{},{}][[],{}]");
}

#[test]
fn results_that_fill_the_stack() {
    let interpreter = interpreter(0);
    let lua = interpreter.machine().lua();
    for count in 1..200 {
        let call = format!(
            "local packed = string.rep('\\1', {count}) \
             local direct = select('#', pcall(cmsgpack.unpack, packed)) \
             local handled = function() return cmsgpack.unpack(packed) end \
             return direct + select('#', xpcall(handled, error))"
        );
        assert_eq!(lua.load(call).eval::<usize>().unwrap(), 2 * (count + 1));
    }
}
