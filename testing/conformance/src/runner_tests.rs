//! The runner against a scripted double, so that no server is needed to trust it.

use std::cell::RefCell;
use std::rc::Rc;

use super::*;
use crate::record::record;
use crate::script::Version;

/// Answers `ECHO x` with a bulk, `N` with its null, `PAIR` with a map; logs commands it was sent.
struct Double {
    version: &'static str,
    log: Rc<RefCell<Vec<String>>>,
}

struct DoubleConnection {
    version: &'static str,
    resp3: bool,
    log: Rc<RefCell<Vec<String>>>,
    replies: Vec<u8>,
    closed: bool,
}

fn double(version: &'static str) -> Double {
    Double { version, log: Rc::default() }
}

impl Target for Double {
    fn connect(&mut self) -> Result<Box<dyn Connection>, String> {
        Ok(Box::new(DoubleConnection {
            version: self.version,
            resp3: false,
            log: Rc::clone(&self.log),
            replies: Vec::new(),
            closed: false,
        }))
    }

    fn sleep(&mut self, time: Duration) {
        self.log.borrow_mut().push(format!("sleep {}", time.as_millis()));
    }
}

impl Connection for DoubleConnection {
    fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        let mut decoder = Decoder::new();
        decoder.feed(bytes);
        let Ok(Some(Value::Array(arguments))) = decoder.decode() else { return Ok(()) };
        let words: Vec<String> = arguments
            .iter()
            .map(|a| String::from_utf8(text_of(a).unwrap().to_vec()).unwrap())
            .collect();
        self.log.borrow_mut().push(words.join(" "));
        let bulk = |text: &str| format!("${}\r\n{text}\r\n", text.len());
        let reply = match words[0].as_str() {
            "INFO" => bulk(&format!("redis_version:{}\r\n", self.version)),
            "CONFIG" if words[1] == "GET" => format!("*2\r\n{}{}", bulk(&words[2]), bulk("old")),
            "ECHO" => bulk(&words[1]),
            "N" if self.resp3 => "_\r\n".to_owned(),
            "N" => "*-1\r\n".to_owned(),
            "PAIR" if self.resp3 => "%1\r\n+a\r\n:1\r\n".to_owned(),
            "PAIR" => "*2\r\n+a\r\n:1\r\n".to_owned(),
            "MUTE" => String::new(),
            _ => "+OK\r\n".to_owned(),
        };
        self.resp3 |= words[0] == "HELLO";
        self.closed |= words[0] == "QUIT";
        self.replies.extend_from_slice(reply.as_bytes());
        Ok(())
    }

    fn receive(&mut self, _: Duration) -> Incoming {
        match std::mem::take(&mut self.replies) {
            bytes if !bytes.is_empty() => Incoming::Bytes(bytes),
            _ if self.closed => Incoming::Closed,
            _ => Incoming::Quiet,
        }
    }
}

fn report(script: &str, target: &mut Double) -> Report {
    run(&Script::parse(script).unwrap(), target).unwrap()
}

#[test]
fn both_protocols_bindings_sleeps_and_closing() {
    let script = "\
# test: all
@config loglevel debug
> ECHO hi
\"hi\" as word
> ECHO ${word}
\"hi\"
@sleep 30
> N
nil-array
> PAIR
{+a => :1}
> MUTE
none
B> QUIT
+OK
closed
";
    // A bound reply is not a quoted one in this notation, so the first step binds by placeholder.
    let script = script.replace("\"hi\" as word", "<bulk> as word");
    let mut target = double("7.0.15");
    let report = report(&script, &mut target);
    assert_eq!(report.failures, []);
    assert_eq!(report.passed, 2);
    let log = target.log.borrow();
    assert!(log.contains(&"sleep 30".to_owned()));
    let sets: Vec<&String> = log.iter().filter(|line| line.starts_with("CONFIG SET")).collect();
    assert_eq!(sets[..2], ["CONFIG SET loglevel debug", "CONFIG SET loglevel old"]);
}

#[test]
fn differences_are_found_and_located() {
    let script = "# test: a\n> ECHO x\n\"y\"\n\n# test: b\n> N\nnil\n\n# test: c\n> ECHO z\n";
    let report = report(script, &mut double("7.0.15"));
    let found: Vec<_> =
        report.failures.iter().map(|failure| (failure.line, failure.protocol)).collect();
    let (two, three) = (Protocol::Resp2, Protocol::Resp3);
    // `nil` is right under RESP3; a step without a reply is an error under both.
    assert_eq!(found, [(2, two), (2, three), (6, two), (10, two), (10, three)]);
    assert_eq!(report.passed, 1);
}

#[test]
fn scopes_skip() {
    let script = "# test: new\n@since 8.4\n> PING\n+OK\n\n# test: old\n@until 7.2\n> PING\n+OK\n\n\
        # test: own\n@only-ferrite\n> PING\n+OK\n";
    let old = report(script, &mut double("7.0.15"));
    assert_eq!((old.passed, old.skipped), (2, 2));
    let new = report(script, &mut double("8.8.0"));
    assert_eq!((new.passed, new.skipped), (2, 2));
    let commands = ["GET".to_owned()].into();
    let ferrite = Identity { version: Version(8, 8, 0), is_ferrite: true, commands };
    assert!(applies(&Scope { only_ferrite: true, ..Scope::default() }, &ferrite));
    let needs = |name: &str| Scope { needs: vec![name.to_owned()], ..Scope::default() };
    assert!(applies(&needs("GET"), &ferrite) && !applies(&needs("RPUSH"), &ferrite));
}

#[test]
fn recording_fills_in_replies_and_keeps_what_holds() {
    let script = "\
# test: a
> ECHO x
> ECHO y
<bulk>
> N
> PAIR

# test: newer
@since 9.0
> NEW
:1
";
    let (text, remarks) = record(script, &mut double("7.0.15")).unwrap();
    assert_eq!(remarks, [""; 0]);
    let wanted = script
        .replace("ECHO x\n", "ECHO x\n\"x\"\n")
        .replace("> N\n", "> N\nnil-array\n")
        .replace("PAIR\n", "PAIR\n{+a => :1}\n");
    assert_eq!(text, wanted);
    assert_eq!(record(&text, &mut double("7.0.15")).unwrap().0, text);
}
