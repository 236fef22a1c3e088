//! Libraries that are loaded and called; the errors are those of Redis 7.0.15.

use std::sync::Arc;

use lua::{Host, Inputs, RunError, Stop, Verdict};
use resp::{Args, OwnedArgs, Reply, Version};

use super::*;
use crate::Interpreter;
use crate::api::Identity;

/// Goes on for so many questions.
struct Patience(usize);

impl Watch for Patience {
    fn goes_on(&mut self) -> bool {
        self.0 = self.0.saturating_sub(1);
        self.0 > 0
    }

    fn log(&mut self, _: u8, _: &[u8]) {}
}

/// Has no commands.
struct Alone;

impl Host for Alone {
    fn call(&mut self, _: Args<'_>, _: &mut Reply) -> Result<(), Stop> {
        Err(Stop)
    }

    fn tick(&mut self) -> Verdict {
        Verdict::Continue
    }
}

fn interpreter() -> Interpreter {
    let identity = Identity { redis_version: "8.8.0", name: "test", version: "0.1.0" };
    Interpreter::new(identity, 1).unwrap()
}

fn library(interpreter: &Interpreter, code: &str) -> Result<Arc<Library>, String> {
    let text = format!("#!lua name=lib\n{code}");
    let header = Header::parse(text.as_bytes()).unwrap();
    let functions = interpreter.examine(&header, text.as_bytes(), &mut Patience(9));
    let functions = functions.map_err(|error| match error {
        LoadError::Compile(message) => format!("compile: {}", String::from_utf8_lossy(&message)),
        LoadError::Register(message) => String::from_utf8_lossy(&message).into_owned(),
        LoadError::NoFunctions => "none".to_owned(),
    })?;
    Ok(Arc::new(Library::new(header, text.as_bytes(), functions)))
}

/// What the first function of a library answers to one key and one argument.
fn answer(interpreter: &mut Interpreter, library: &Arc<Library>) -> String {
    interpreter.load_library(library, &mut Patience(9)).unwrap();
    let args = OwnedArgs::from_slices(&["fcall", "f", "1", "key", "arg"]);
    let inputs = Inputs { args: args.as_args(), first: 3, keys: 1, as_globals: false };
    let mut reply = Reply::new(Version::Resp2);
    match interpreter.call(library, 0, inputs, &mut Alone, &mut reply, &mut |_, _| ()) {
        Ok(()) => reply.take_bytes().escape_ascii().to_string().replace(r"\r\n", "|"),
        Err(RunError::Raised(failure)) => String::from_utf8_lossy(&failure.message).into_owned(),
        Err(other) => panic!("{other:?}"),
    }
}

fn refused(code: &str) -> String {
    library(&interpreter(), code).unwrap_err()
}

const PREFIX: &str = "ERR user_function:2: ";
const MISSING: &str = "Script attempted to access nonexistent global variable";

#[test]
fn code_that_is_loaded_can_only_register() {
    assert_eq!(refused("bad script"), "compile: user_function:2: '=' expected near 'script'");
    assert_eq!(refused(""), "none");
    for name in ["x", "string", "error", "KEYS", "_G", "loadstring", "setmetatable"] {
        assert_eq!(refused(&format!("local a = {name}")), format!("{PREFIX}{MISSING} '{name}'"));
    }
    for name in ["call", "pcall", "sha1hex", "setresp", "breakpoint"] {
        assert_eq!(refused(&format!("redis.{name}()")), format!("{PREFIX}{MISSING} '{name}'"));
    }
    for code in ["x = 1", "redis.x = 1", "redis.REPL_ALL = 1", "server.register_function = 1"] {
        assert_eq!(refused(code), format!("{PREFIX}Attempt to modify a readonly table"), "{code}");
    }
    assert_eq!(refused("while true do end"), "ERR FUNCTION LOAD timeout");
}

#[test]
fn wrong_registrations() {
    let call = |arguments: &str| refused(&format!("redis.register_function({arguments})"));
    let callback = "callback = function() end";
    let must = "given to redis.register_function must be a";
    for (arguments, error) in [
        ("", "wrong number of arguments to redis.register_function"),
        ("1, 2, 3", "wrong number of arguments to redis.register_function"),
        ("{}, function() end", "first argument to redis.register_function must be a string"),
        ("'f', 1", "second argument to redis.register_function must be a function"),
        ("{}", "redis.register_function must get a function name argument"),
        ("{function_name = 'f'}", "redis.register_function must get a callback argument"),
        ("{[1] = 1}", "unknown argument given to redis.register_function"),
        ("{function_name = {}}", &format!("function_name argument {must} string")),
        ("{description = {}}", &format!("description argument {must} string")),
        ("{callback = 1}", &format!("callback argument {must} function")),
        (&format!("{{flags = {{'x'}}, {callback}}}"), "unknown flag given"),
    ] {
        assert_eq!(call(arguments), format!("ERR {error}"), "{arguments}");
    }
    assert!(call("'f'").contains("single argument is only applicable to Lua table"));
    assert!(call("'f-g', function() end").contains("can only contain letters, numbers"));
    let twice = "redis.register_function('f', function() end) \
                 redis.register_function('F', function() end)";
    assert_eq!(refused(twice), "ERR Function already exists in the library");
}

#[test]
fn functions_get_parameters_and_see_what_scripts_see() {
    let run = |body: &str| {
        let mut interpreter = interpreter();
        let code = format!("redis.register_function('f', function(keys, args) {body} end)");
        let library = library(&interpreter, &code).unwrap();
        answer(&mut interpreter, &library)
    };
    assert_eq!(run("return {keys, args}"), "*2|*1|$3|key|*1|$3|arg|");
    assert_eq!(run("return string.upper('a') .. cjson.encode({1})"), "$4|A[1]|");
    assert_eq!(run("return KEYS"), format!("{PREFIX}{MISSING} 'KEYS'"));
    assert_eq!(run("x = 1"), format!("{PREFIX}Attempt to modify a readonly table"));
    assert_eq!(run("_G.x = 1"), format!("{PREFIX}Attempt to modify a readonly table"));
    let gone = "attempt to call field 'register_function' (a nil value)";
    assert_eq!(run("redis.register_function('g', 1)"), format!("{PREFIX}{gone}"));
}

#[test]
fn what_is_registered_is_what_was_said() {
    let code = "local count = 0
        redis.register_function{function_name = 'f', description = 'counts',
            flags = {'no-writes', 'allow-oom'}, callback = function() count = count + 1
            return count end}
        redis.register_function(2, function() end)";
    let mut interpreter = interpreter();
    let library = library(&interpreter, code).unwrap();
    let [first, second] = &library.functions[..] else { panic!("{library:?}") };
    assert_eq!((&*first.name, first.description.as_deref()), ("f", Some(&b"counts"[..])));
    let flags = crate::Flags::NO_WRITES.with(crate::Flags::ALLOW_OOM);
    assert_eq!((first.flags, &*second.name), (flags, "2"));
    assert_eq!(answer(&mut interpreter, &library), ":1|");
    assert_eq!(answer(&mut interpreter, &library), ":2|", "local variables stay");
}
