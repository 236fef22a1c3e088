//! `bit`: laws of the operations on any doubles.
#![no_main]

use libfuzzer_sys::fuzz_target;
use script::api::Identity;
use script::{Interpreter, Limits};

const SCRIPT: &str = "
    local x, y, n = ...
    local bits = bit.tobit(x)
    assert(bits >= -2147483648 and bits <= 2147483647 and bit.tobit(bits) == bits)
    assert(bit.bnot(bit.bnot(x)) == bits and bit.bswap(bit.bswap(x)) == bits)
    assert(bit.bxor(x, y, y) == bits and bit.bor(bit.band(x, y), bit.band(x, bit.bnot(y))) == bits)
    assert(bit.ror(bit.rol(x, n), n) == bits)
    assert(bit.lshift(bit.rshift(x, n), n) == bit.band(x, bit.lshift(-1, n)))
    assert(bit.tobit(tonumber(bit.tohex(x), 16)) == bits)
    assert(#bit.tohex(x, n) <= 8)
";

thread_local! {
    static INTERPRETER: Interpreter = {
        let identity = Identity { redis_version: "8.8.0", name: "fuzz", version: "0.0.0" };
        let mut interpreter = Interpreter::new(identity, 1).expect("there is memory");
        interpreter.set_limits(Limits { memory: 256 << 20 });
        interpreter
    };
}

fuzz_target!(|numbers: (f64, f64, f64)| {
    INTERPRETER.with(|interpreter| {
        let script = interpreter.machine().lua().load(SCRIPT);
        script.call::<()>(numbers).expect("the laws hold");
    });
});
