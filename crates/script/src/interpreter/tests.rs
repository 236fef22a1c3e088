//! Scripts against a host that echoes.

use resp::{Args, OwnedArgs, Version};

use super::*;
use crate::{Stop, Verdict};

/// A value that replies share.
struct Shared(Arc<Vec<u8>>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Answers `echo` with its argument, `fail` with an error, and stops at `stop`.
#[derive(Default)]
struct Echo {
    value: Arc<Vec<u8>>,
    ticks_max: Option<usize>,
    ticks: usize,
    lines: Vec<String>,
}

impl Host for Echo {
    fn call(&mut self, args: Args<'_>, reply: &mut Reply) -> Result<(), Stop> {
        match args.name() {
            b"echo" => reply.bulk(&args[1]),
            b"value" => reply.bulk_shared(Box::new(Shared(self.value.clone()))),
            b"fail" => reply.error(b"WRONG thing"),
            b"list" => {
                reply.array(3);
                reply.integer(1);
                reply.null();
                reply.ok();
            }
            b"map" => {
                reply.map(1);
                reply.bulk(b"k");
                reply.double(1.5);
            }
            b"panic" => panic!("as told"),
            _ => return Err(Stop),
        }
        Ok(())
    }

    fn tick(&mut self) -> Verdict {
        self.ticks += 1;
        let over = self.ticks_max.is_some_and(|max| self.ticks > max);
        if over { Verdict::Stop } else { Verdict::Continue }
    }

    fn log(&mut self, level: u8, line: &[u8]) {
        self.lines.push(format!("{level} {}", String::from_utf8_lossy(line)));
    }

    fn set_propagation(&mut self, targets: u8) {
        self.lines.push(format!("repl {targets}"));
    }

    fn is_allowed(&mut self, args: Args<'_>) -> Result<bool, &'static str> {
        if args.name() == b"echo" { Ok(true) } else { Err("no such command") }
    }
}

const IDENTITY: Identity = Identity { redis_version: "8.8.0", name: "test", version: "0.1.0" };

fn interpreter() -> Interpreter {
    Interpreter::new(IDENTITY, 1).unwrap()
}

/// What a script answers, line ends as bars; or how it ended.
fn answer(interpreter: &mut Interpreter, host: &mut Echo, version: Version, text: &str) -> String {
    let bytes = text.as_bytes();
    let script = Arc::new(Script::parse(bytes, Sha::of(bytes)).unwrap());
    let compiled = match interpreter.compile(&script) {
        Ok(compiled) => compiled,
        Err(message) => return format!("compile: {}", String::from_utf8_lossy(&message)),
    };
    let args = OwnedArgs::from_slices(&["eval", text, "1", "key", "arg"]);
    run(interpreter, &compiled, args.as_args(), (1, host), version)
}

/// What a compiled script answers to a command line with so many keys.
fn run(
    interpreter: &Interpreter,
    compiled: &Compiled,
    args: Args<'_>,
    (keys, host): (usize, &mut Echo),
    version: Version,
) -> String {
    let inputs = Inputs { args, first: 3, keys, as_globals: true };
    let mut reply = Reply::new(version);
    let result = interpreter.run(compiled, inputs, host, &mut reply, &mut |_, _| ());
    match result {
        Ok(()) => reply.take_bytes().escape_ascii().to_string().replace(r"\r\n", "|"),
        Err(RunError::Raised(failure)) => {
            assert!(reply.is_empty());
            let line = failure.place.map_or(0, |place| place.line);
            format!("{} @{line}", String::from_utf8_lossy(&failure.message))
        }
        Err(RunError::Stopped(_)) => "stopped".into(),
        Err(RunError::Broken(message)) => format!("broken: {}", String::from_utf8_lossy(&message)),
    }
}

fn eval(text: &str) -> String {
    answer(&mut interpreter(), &mut Echo::default(), Version::Resp2, text)
}

#[test]
fn values_become_replies() {
    for (text, resp2, resp3) in [
        ("return 3.99", ":3|", ":3|"),
        ("return 0/0", ":-9223372036854775808|", ":-9223372036854775808|"),
        ("return {1,nil,3}", "*1|:1|", "*1|:1|"),
        ("return {1,{'a',true,false},{}}", "*3|:1|*3|$1|a|:1|$-1|*0|", "*3|:1|*3|$1|a|:1|_|*0|"),
        ("return {double=3.5}", "$3|3.5|", ",3.5|"),
        ("return {map={a=1}}", "*2|$1|a|:1|", "%1|$1|a|:1|"),
        ("return {set={a=true}}", "*1|$1|a|", "~1|$1|a|"),
        ("return {big_number='12'}", "$2|12|", "(12|"),
        ("return {verbatim_string={format='markdown',string='x'}}", "$1|x|", "=5|mar:x|"),
        ("return {ok='a\\r\\nb'}", "+a  b|", "+a  b|"),
        ("return {err='x', 1}", "-x|", "-x|"),
        ("return {err=5}", "*0|", "*0|"),
        ("redis.setresp(3) return {true,false}", "*2|:1|:0|", "*2|#t|#f|"),
        ("return {KEYS[1], ARGV[1], #KEYS}", "*3|$3|key|$3|arg|:1|", "*3|$3|key|$3|arg|:1|"),
        ("return print == nil", "", ""),
    ] {
        let mut interpreter = interpreter();
        if resp2.is_empty() {
            continue;
        }
        let two = answer(&mut interpreter, &mut Echo::default(), Version::Resp2, text);
        let three = answer(&mut interpreter, &mut Echo::default(), Version::Resp3, text);
        assert_eq!((two.as_str(), three.as_str()), (resp2, resp3), "{text}");
    }
}

#[test]
fn replies_become_values() {
    assert_eq!(eval("return redis.call('echo', 0.1)"), "$3|0.1|");
    assert_eq!(
        eval("local l = redis.call('list') return {#l, l[2] == false, l[3].ok}"),
        "*3|:3|:1|$2|OK|"
    );
    assert_eq!(eval("return redis.call('map')"), "*2|$1|k|$3|1.5|");
    let resp3 = "redis.setresp(3) return tostring(redis.call('map').map.k.double)";
    assert_eq!(eval(resp3), "$3|1.5|");
    assert_eq!(eval("return redis.pcall('fail').err"), "$11|WRONG thing|");
    assert_eq!(eval("\nreturn redis.call('fail')"), "WRONG thing @2");
    assert_eq!(eval("local ok, e = pcall(redis.call, 'fail') return e"), "$11|WRONG thing|");
    let big = "return #redis.call('echo', string.rep('x', 100000))";
    assert_eq!(eval(big), ":100000|");
}

/// A reply that nobody wants is not made a value; an error is one all the same.
#[test]
fn replies_may_be_dropped() {
    for (text, expected) in [
        ("redis.call('list') redis.pcall('map') return 7", ":7|"),
        ("redis.call('list')\nredis.call('fail') return 7", "WRONG thing @2"),
        ("redis.pcall('fail') return 7", ":7|"),
        ("redis.pcall() redis.pcall({}) return 7", ":7|"),
        ("return select('#', redis.call('echo', 'x'))", ":1|"),
        ("local a, b = redis.call('echo', 'x') return {a, tostring(b)}", "*2|$1|x|$3|nil|"),
        ("return (redis.call('echo', 'x'))", "$1|x|"),
        ("pcall(redis.call, 'echo', 'x') return 7", ":7|"),
        ("return {pcall(redis.call, 'echo', 'x')}", "*2|:1|$1|x|"),
        ("return coroutine.wrap(function(...) return redis.call(...) end)('echo', 'x')", "$1|x|"),
        ("coroutine.wrap(function(...) redis.call(...) end)('echo', 'x') return 7", ":7|"),
        ("local f = function() redis.call('echo', 'x') end return {f(), 1}", "*0|"),
        ("local f = function() return redis.call('echo', 'x') end f() return {f()}", "*1|$1|x|"),
    ] {
        assert_eq!(eval(text), expected, "{text}");
    }
}

/// The tables of inputs serve again; whatever a script has made of them, the next one sees what it
/// was given.
#[test]
fn inputs_are_as_if_made_anew() {
    const SHOW: &str = "
        local seen = {}
        for _, inputs in ipairs({KEYS, ARGV}) do
            assert(getmetatable(inputs) == nil)
            for key, value in pairs(inputs) do seen[#seen + 1] = key .. '=' .. value end
            seen[#seen + 1] = '#' .. #inputs
        end
        return table.concat(seen, ' ')";
    let compile = |interpreter: &mut Interpreter, text: &str| {
        let script = Script::parse(text.as_bytes(), Sha::of(text.as_bytes())).unwrap();
        interpreter.compile(&Arc::new(script)).unwrap()
    };
    let mut interpreter = interpreter();
    let show = compile(&mut interpreter, SHOW);
    for spoil in [
        "return 1",
        "KEYS[1] = nil ARGV[1] = 'other'",
        "KEYS.more = 1 ARGV[#ARGV + 1] = 'more'",
        "KEYS.more = 1 KEYS.more = nil ARGV[5] = 1 ARGV[5] = nil",
        "setmetatable(KEYS, {__index = function() return 'x' end})",
        "setmetatable(ARGV, {__mode = 'v'}) setmetatable({}, KEYS)",
        "table.sort(KEYS) table.insert(ARGV, 1, 'first') table.remove(KEYS)",
        "for i = 1, 100 do KEYS[i] = i end for i = 2, 100 do KEYS[i] = nil end",
        "for i = 1, 9 do redis.call('echo', i) KEYS = nil end",
        "collectgarbage() error('over')",
    ] {
        let spoil = compile(&mut interpreter, spoil);
        for (keys, args, expected) in [
            (0, &[][..], "#0 #0"),
            (1, &["a"][..], "1=a #1 #0"),
            (1, &["b", "c"][..], "1=b #1 1=c #1"),
            (2, &["d", "e", "f", "g", "h"][..], "1=d 2=e #2 1=f 2=g 3=h #3"),
            (1, &["i", "j"][..], "1=i #1 1=j #1"),
        ] {
            let mut line = vec!["evalsha", "x", "n"];
            line.extend_from_slice(args);
            let line = OwnedArgs::from_slices(&line);
            for compiled in [&spoil, &show, &show] {
                let mut host = Echo::default();
                let with = (keys, &mut host);
                let answer = run(&interpreter, compiled, line.as_args(), with, Version::Resp2);
                if Rc::ptr_eq(compiled, &show) {
                    assert_eq!(answer, format!("${}|{expected}|", expected.len()));
                }
            }
        }
    }
}

#[test]
fn nothing_can_be_changed() {
    const READONLY: &str = "Attempt to modify a readonly table";
    for text in [
        "a = 1",
        "redis.call = 1",
        "_G.x = 1",
        "getmetatable(_G).__index = {}",
        "getmetatable('').__index = 1",
        "string.x = 1",
    ] {
        assert_eq!(eval(text), format!("ERR user_script:1: {READONLY} @1"), "{text}");
    }
    for text in [
        "setmetatable(_G, {})",
        "rawset(_G, 'x', 1)",
        "table.insert(math, 1)",
        "rawset(getmetatable(''), 'x', 1)",
        "rawset(getmetatable(_G), 'x', 1)",
    ] {
        assert_eq!(eval(text), format!("ERR {READONLY} @1"), "{text}");
    }
    let missing =
        "ERR user_script:1: Script attempted to access nonexistent global variable 'x' @1";
    assert_eq!(eval("return x"), missing);
    assert_eq!(eval("return _G.x"), missing);
    assert_eq!(eval("return rawget(_G, 'redis') == redis"), ":1|");
    assert_eq!(eval("return getmetatable('').__index == string"), ":1|");
    for library in ["cjson", "cmsgpack", "struct", "bit", "string", "redis", "getmetatable('')"] {
        let shown = format!("return {{type(getmetatable({library})), table.remove({library})}}");
        assert_eq!(eval(&shown), "*1|$3|nil|", "{library}");
        let reached = format!("getmetatable({library}).__newindex = nil");
        assert!(eval(&reached).contains("attempt to index a nil value"), "{library}");
    }
    assert_eq!(eval("return type(getmetatable(_G))"), "$5|table|");
    assert_eq!(
        eval("return table.foreach(redis, function(k, v) return type(k) end)"),
        "$6|string|"
    );
    let names = "local n = {} for name in pairs(math) do n[#n + 1] = name end return #n > 20";
    assert_eq!(eval(names), ":1|");
}

#[test]
fn a_script_ends_when_told_whatever_it_catches() {
    for text in [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "local function f() while true do end end while true do pcall(f) end",
        "while true do \
         xpcall(function() while true do end end, function() while true do end end) end",
        "while true do coroutine.resume(coroutine.create(function() while true do end end)) end",
        "while true do pcall(redis.call, 'stop') end",
        "coroutine.wrap(function() redis.call('stop') end)() return 1",
        "pcall(coroutine.wrap(function() redis.call('stop') end)) return 1",
        "return redis.pcall('stop')",
    ] {
        let mut interpreter = interpreter();
        let mut host = Echo { ticks_max: Some(3), ..Echo::default() };
        assert_eq!(answer(&mut interpreter, &mut host, Version::Resp2, text), "stopped", "{text}");
        let after = answer(&mut interpreter, &mut Echo::default(), Version::Resp2, "return 1");
        assert_eq!(after, ":1|", "after {text}");
    }
}

#[test]
fn memory_and_depth_are_bounded() {
    for text in [
        "local t = {} while true do t[#t + 1] = #t .. 'x' end",
        "local s = 'x' while true do s = s .. s end",
        "return string.rep('x', 1e9)",
        "return string.rep('', 1e18)",
        "local function f() return 1 + f() end return f()",
        "local t = {} for i = 1, 1e5 do t = {t} end return t",
        "local a = {} a[1] = a return a",
        "return (string.rep('(', 300) .. string.rep(')', 300)):find(string.rep('(', 300))",
    ] {
        let mut interpreter = interpreter();
        interpreter.set_limits(Limits { memory: 8 << 20 });
        answer(&mut interpreter, &mut Echo::default(), Version::Resp2, text);
        let after = answer(&mut interpreter, &mut Echo::default(), Version::Resp2, "return 1");
        assert_eq!(after, ":1|", "after {text}");
        assert!(interpreter.used_memory() < 9 << 20);
    }
}

#[test]
fn a_panic_of_the_host_goes_on_outside() {
    let mut interpreter = interpreter();
    let mut run = |text| answer(&mut interpreter, &mut Echo::default(), Version::Resp2, text);
    let call = std::panic::AssertUnwindSafe(|| run("pcall(redis.call, 'panic') return 1"));
    assert!(std::panic::catch_unwind(call).is_err());
    assert_eq!(run("return 1"), ":1|");
}

#[test]
fn settings_reach_the_host() {
    let mut host = Echo::default();
    let text = "redis.log(redis.LOG_WARNING, 'a', 'b') redis.set_repl(redis.REPL_AOF)
        return redis.acl_check_cmd('echo')";
    let said = answer(&mut interpreter(), &mut host, Version::Resp2, text);
    assert_eq!((said.as_str(), host.lines), (":1|", vec!["3 a b".into(), "repl 1".into()]));
    assert_eq!(eval("redis.log(1)"), "ERR redis.log() requires two arguments or more. @1");
    assert_eq!(eval("redis.sha1hex()"), "ERR wrong number of arguments @1");
}

#[test]
fn a_value_that_a_script_has_read_is_held_by_nobody_after_it() {
    let mut interpreter = interpreter();
    let mut host = Echo { value: Arc::new(vec![b'x'; 1 << 20]), ..Echo::default() };
    for (text, expected) in [
        ("local value = redis.call('value') return #value", ":1048576|"),
        ("return redis.call('value')", "$1048576|"),
    ] {
        let answer = answer(&mut interpreter, &mut host, Version::Resp2, text);
        assert!(answer.starts_with(expected), "{text}: {} bytes", answer.len());
        assert_eq!(Arc::strong_count(&host.value), 1, "{text}");
    }
}
