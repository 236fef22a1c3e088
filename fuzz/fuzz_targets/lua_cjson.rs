//! `cjson`: any bytes are refused or decoded, and what was decoded is encoded to a text that
//! decodes to the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use script::api::Identity;
use script::{Interpreter, Limits};

const SCRIPT: &str = "
    local text = ...
    local strict = cjson.new()
    strict.decode_invalid_numbers(false)
    pcall(strict.decode, text)
    local ok, value = pcall(cjson.decode, text)
    if not ok then return end
    local codec = cjson.new()
    codec.encode_sparse_array(true)
    codec.encode_invalid_numbers(true)
    local once = codec.encode(value)
    local again = codec.encode(codec.decode(once))
    -- The order of an object's keys is that of its table, so only the lengths are the same.
    if #once ~= #again then error(once .. '\\n' .. again) end
";

thread_local! {
    static INTERPRETER: Interpreter = {
        let identity = Identity { redis_version: "8.8.0", name: "fuzz", version: "0.0.0" };
        let mut interpreter = Interpreter::new(identity, 1).expect("there is memory");
        interpreter.set_limits(Limits { memory: 256 << 20 });
        interpreter
    };
}

fuzz_target!(|bytes: &[u8]| {
    INTERPRETER.with(|interpreter| {
        let lua = interpreter.machine().lua();
        let bytes = lua.create_string(bytes).expect("there is memory");
        lua.load(SCRIPT).call::<()>(bytes).expect("the script says what is wrong");
    });
});
