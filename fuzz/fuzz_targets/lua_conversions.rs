//! Replies as values of Lua and back: whatever a command replies and whatever a script returns, the
//! script's reply is one well-formed reply, the same whether a command's reply was a value in
//! between or not, and in RESP2 going round twice changes nothing more.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use resp::{Args, OwnedArgs, Reply, ReplyError, ReplyParser, ReplyStep, Value, Version};
use script::api::Identity;
use script::{Host, Inputs, Interpreter, Limits, Script, Sha, Stop, Verdict};

/// What a command replied comes back, seen in either version, at once and by way of a variable.
const CALLS: [[&str; 2]; 2] = [
    [
        "redis.setresp(2) return redis.pcall('x')",
        "redis.setresp(2) local reply = redis.pcall('x') return reply",
    ],
    [
        "redis.setresp(3) return redis.pcall('x')",
        "redis.setresp(3) local reply = redis.pcall('x') return reply",
    ],
];
/// Tables that bytes describe are returned.
const RETURNS: [&str; 2] = [
    "redis.setresp(2) return select(2, pcall(cmsgpack.unpack, ARGV[1]))",
    "redis.setresp(3) return select(2, pcall(cmsgpack.unpack, ARGV[1]))",
];

/// Replies the same to every command.
struct Echo<'v>(&'v Value);

impl Host for Echo<'_> {
    fn call(&mut self, _: Args<'_>, reply: &mut Reply) -> Result<(), Stop> {
        self.0.write(reply);
        Ok(())
    }

    fn tick(&mut self) -> Verdict {
        Verdict::Continue
    }
}

fn interpreter() -> Interpreter {
    let identity = Identity { redis_version: "8.8.0", name: "fuzz", version: "0.0.0" };
    let mut interpreter = Interpreter::new(identity, 1).expect("there is memory");
    interpreter.set_limits(Limits { memory: 256 << 20 });
    interpreter
}

/// The only value in `bytes`, if they are one. One that is nested too deeply for the parser, which
/// scripts may well return, is taken for null.
fn parsed(bytes: &[u8]) -> Option<Value> {
    match ReplyParser::new().parse(bytes) {
        Err(ReplyError::TooDeep) => Some(Value::Null),
        Ok(ReplyStep::Complete { value, consumed }) if consumed == bytes.len() => Some(value),
        _ => None,
    }
}

/// What a script replies to a client of `version`.
fn replied(
    interpreter: &mut Interpreter,
    text: &str,
    (value, argument): (&Value, &[u8]),
    version: Version,
) -> Option<Vec<u8>> {
    let script = Script::parse(text.as_bytes(), Sha::of(text.as_bytes())).expect("it is a script");
    let script = Arc::new(script);
    let known = interpreter.find(&script.sha);
    let compiled = known.unwrap_or_else(|| interpreter.compile(&script).expect("it compiles"));
    let args = OwnedArgs::from_slices(&[&b"eval"[..], b"", b"0", argument]);
    let inputs = Inputs { args: args.as_args(), first: 3, keys: 0, as_globals: true };
    let mut reply = Reply::new(version);
    let mut host = Echo(value);
    let run = interpreter.run(&compiled, inputs, &mut host, &mut reply, &mut |_, _| ());
    run.ok().map(|()| reply.take_bytes())
}

/// The lines of a reply in some order: the elements of a set that are tables have none.
fn lines(reply: &[u8]) -> Vec<&[u8]> {
    let mut lines: Vec<&[u8]> = reply.split(|&byte| byte == b'\n').collect();
    lines.sort_unstable();
    lines
}

thread_local! {
    static INTERPRETER: std::cell::RefCell<Interpreter> = interpreter().into();
}

fuzz_target!(|bytes: &[u8]| {
    INTERPRETER.with_borrow_mut(|interpreter| {
        let value = parsed(bytes);
        for version in [Version::Resp2, Version::Resp3] {
            for text in RETURNS {
                let nothing = (&Value::Null, bytes);
                if let Some(reply) = replied(interpreter, text, nothing, version) {
                    parsed(&reply).unwrap_or_else(|| panic!("{}", reply.escape_ascii()));
                }
            }
            let Some(value) = &value else { continue };
            for [text, stored] in CALLS {
                let once = replied(interpreter, text, (value, b""), version);
                let Some(once) = once else { continue };
                let by_variable = replied(interpreter, stored, (value, b""), version);
                let same = by_variable.is_none_or(|reply| lines(&reply) == lines(&once));
                assert!(same, "{}", once.escape_ascii());
                let value = parsed(&once).unwrap_or_else(|| panic!("{}", once.escape_ascii()));
                if version == Version::Resp2 && text == CALLS[0][0] {
                    let twice = replied(interpreter, text, (&value, b""), version);
                    let too_deep = value == Value::Null;
                    assert!(too_deep || twice.as_deref() == Some(&once[..]));
                }
            }
        }
    });
});
