//! `cmsgpack`: any bytes are refused or unpacked, and what was unpacked is packed to bytes that
//! unpack to the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use script::api::Identity;
use script::{Interpreter, Limits};

const SCRIPT: &str = "
    local data = ...
    pcall(cmsgpack.unpack_one, data, 1)
    pcall(cmsgpack.unpack_limit, data, 3, 2)
    local function again(bytes)
        return cmsgpack.pack(cmsgpack.unpack(bytes))
    end
    local ok, first = pcall(again, data)
    if not ok then return end
    -- Packing cuts what is too deep and unpacking drops what is nil, so the first round may differ;
    -- and a key that was cut is no key.
    local ok, second = pcall(again, first)
    if not ok then return end
    local third = again(second)
    if #second ~= #third then error('unstable') end
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
