//! `struct`: any format on any bytes is refused or unpacked, and what was unpacked is packed to
//! bytes that unpack to the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use script::api::Identity;
use script::{Interpreter, Limits};

const SCRIPT: &str = "
    local format, data = ...
    local function position(...)
        return (select(select('#', ...), ...))
    end
    local function again(bytes)
        return struct.pack(format, struct.unpack(format, bytes))
    end
    local sized, size = pcall(struct.size, format)
    local ok, at = pcall(function() return position(struct.unpack(format, data)) end)
    if not (ok and sized) then return end
    assert(at == size + 1)
    local first = again(data)
    assert(#first == size)
    if again(first) ~= first then error('unstable') end
";

thread_local! {
    static INTERPRETER: Interpreter = {
        let identity = Identity { redis_version: "8.8.0", name: "fuzz", version: "0.0.0" };
        let mut interpreter = Interpreter::new(identity, 1).expect("there is memory");
        interpreter.set_limits(Limits { memory: 256 << 20 });
        interpreter
    };
}

fuzz_target!(|input: (&[u8], &[u8])| {
    INTERPRETER.with(|interpreter| {
        let lua = interpreter.machine().lua();
        let string = |bytes| lua.create_string(bytes).expect("there is memory");
        let input = (string(input.0), string(input.1));
        lua.load(SCRIPT).call::<()>(input).expect("the script says what is wrong");
    });
});
