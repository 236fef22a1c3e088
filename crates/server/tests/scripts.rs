//! Scripts that do not end, against a real server: whatever they do, other clients are heard, and
//! one of them can end the script.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::thread;
use std::time::Duration;

use support::{Client, Server, request, wait_for};

const OPTIONS: &[&str] = &["--busy-reply-threshold", "20", "--lua-memory-limit", "64mb"];
const BUSY: &str =
    "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";

/// Sends a script whose answer nobody waits for yet.
fn eval(client: &mut Client, text: &str, keys: &[&str]) {
    let count = keys.len().to_string();
    let parts: Vec<&str> = ["EVAL", text, &count].into_iter().chain(keys.iter().copied()).collect();
    client.send(&request(&parts));
}

/// Waits until others are told of the script.
fn wait_until_busy(other: &mut Client) {
    wait_for("the server to be busy", || (other.command("PING") == BUSY).then_some(()));
}

/// Ends the script, and sees its client told.
fn kill(server: &Server, text: &str) {
    let (mut client, mut other) = (server.connect(), server.connect());
    eval(&mut client, text, &[]);
    wait_until_busy(&mut other);
    assert_eq!(other.command("SCRIPT KILL"), "+OK", "{text}");
    let answer = client.line();
    assert!(
        answer.starts_with("-ERR Error running script") || answer.contains("killed"),
        "{answer}"
    );
    assert_eq!(other.command("PING"), "+PONG");
    assert_eq!(client.command("PING"), "+PONG", "the connection lives on");
}

#[test]
fn a_script_without_end_is_ended_whatever_it_catches() {
    // One event loop: the script's own has to hear the others.
    for threads in ["1", "2"] {
        let options = [OPTIONS, &["--io-threads", threads]].concat();
        let server = Server::start(&options);
        for text in [
            "while true do end",
            // Ones that Lua's own matcher would be at for ever, in a single call.
            "return string.find(('a'):rep(40), ('a-'):rep(40) .. 'b')",
            "return pcall(string.match, ('a'):rep(40), ('(a*)'):rep(30) .. 'b')",
            "return (('a'):rep(40):gsub(('a*'):rep(40) .. 'b', 'x'))",
            "for part in ('a'):rep(40):gmatch(('a*'):rep(40) .. 'b') do end",
            "while true do pcall(function() while true do end end) end",
            "local function f() while true do end end while true do xpcall(f, f) end",
            "while true do pcall(error, 'x') end",
            "while true do redis.pcall('get', 'x') end",
            "while true do redis.pcall('nonsense') end",
            "local f = coroutine.wrap(function() while true do end end) while true do pcall(f) end",
            "local c = coroutine.create(function() while true do coroutine.yield() end end) \
             while true do coroutine.resume(c) end",
            "local function again() return again() end again()",
            "for i = 1, 1e18 do local s = string.rep('x', 100) end",
            "setmetatable({}, {__index = function(t, k) return t[k .. 'x'] end}) while true do end",
        ] {
            kill(&server, text);
        }
    }
}

#[test]
fn nobody_who_leaves_something_behind_under_a_scripts_locks_waits_for_them() {
    for (threads, command, answer) in [
        // The thread that hears the others must not wait for the script that they are to end.
        ("1", "CLIENT TRACKING ON", "+OK"),
        // Nor must a loop, in which others are served.
        ("2", "BLPOP k 0", ""),
        ("2", "BLPOP k 0.2", ""),
    ] {
        let server = Server::start(&[OPTIONS, &["--io-threads", threads]].concat());
        // Some of each in every loop.
        let mut others = [(); 4].map(|()| server.connect());
        let mut leaving = [(); 4].map(|()| server.connect());
        for client in &mut leaving {
            client.send(request(&command.split(' ').collect::<Vec<_>>()).as_slice());
            if !answer.is_empty() {
                assert_eq!(client.line(), answer);
            }
        }
        if answer.is_empty() {
            wait_for("them to wait", || (server.info("blocked_clients") == 4).then_some(()));
        }
        let mut client = server.connect();
        eval(&mut client, "while true do end", &["k"]);
        wait_until_busy(&mut others[0]);
        if !answer.is_empty() {
            leaving.iter_mut().for_each(|client| assert_eq!(client.command("RESET"), "+RESET"));
        } else if command.ends_with(" 0") {
            drop(leaving);
        } else {
            std::thread::sleep(Duration::from_millis(300));
        }
        others.iter_mut().for_each(|other| assert_eq!(other.command("PING"), BUSY, "{command}"));
        assert_eq!(server.connect().command("SCRIPT KILL"), "+OK");
        assert!(client.line().starts_with("-ERR"));
        wait_for("the waits to end", || (server.info("blocked_clients") == 0).then_some(()));
        assert_eq!(others[0].command("RPUSH k v"), ":1");
        assert_eq!(others[1].command("LLEN k"), ":1", "nobody waits for it any more");
    }
}

#[test]
fn a_script_that_breaks_off_is_over() {
    let server = Server::start(&[OPTIONS, &["--enable-debug-command", "yes"]].concat());
    let (mut client, mut other) = (server.connect(), server.connect());
    assert_eq!(client.command("DEBUG SET-DISABLE-DENY-SCRIPTS 1"), "+OK");
    let now = "local function now() local t = redis.call('TIME') return t[1] + t[2] / 1e6 end ";
    let text =
        "local till = now() + 0.3 repeat until now() >= till redis.call('DEBUG', 'BREAK-OFF')";
    eval(&mut client, &format!("{now}{text}"), &[]);
    wait_until_busy(&mut other);
    assert_eq!(client.rest(), "");
    assert_eq!(other.command("PING"), "+PONG");
    assert_eq!(other.command("SCRIPT KILL"), "-NOTBUSY No scripts in execution right now.");
}

#[test]
fn a_script_is_seen_and_ended_before_others_are_told_of_it() {
    let threads = ["--io-threads", "2", "--busy-reply-threshold", "60000"];
    let server = Server::start(&threads);
    let (mut client, mut other) = (server.connect(), server.connect());
    let library =
        "#!lua name=lib\nredis.register_function('endless', function() while true do end end)";
    client.send(&request(&["FUNCTION", "LOAD", library]));
    assert_eq!([client.line(), client.line()], ["$3", "lib"]);
    client.send(&request(&["FCALL", "endless", "0"]));
    let running = |other: &mut Client| {
        other.send(&request(&["FUNCTION", "STATS"]));
        let head: Vec<_> = (0..4).map(|_| other.line()).collect();
        let rest = if head[3] == "$-1" { 12 } else { 28 };
        let lines: Vec<_> = (0..rest).map(|_| other.line()).collect();
        lines.contains(&"endless".to_owned()).then_some(())
    };
    wait_for("the function to be seen", || running(&mut other));
    assert!(other.command("SCRIPT KILL").starts_with("-NOTBUSY"), "it is no script");
    assert_eq!(other.command("FUNCTION KILL"), "+OK");
    assert!(client.line().contains("killed"));
    eval(&mut client, "while true do end", &[]);
    wait_for("the script to be ended", || (other.command("SCRIPT KILL") == "+OK").then_some(()));
    assert!(client.line().contains("killed"), "nobody was told that the server is busy");
    assert!(other.command("SCRIPT KILL").starts_with("-NOTBUSY"));
}

#[test]
fn a_script_that_has_written_is_left_alone() {
    for threads in ["1", "2"] {
        let options = [OPTIONS, &["--io-threads", threads]].concat();
        let mut server = Server::start(&options);
        let (mut client, mut other) = (server.connect(), server.connect());
        assert_eq!(other.command("SCRIPT KILL"), "-NOTBUSY No scripts in execution right now.");
        eval(&mut client, "redis.call('set', KEYS[1], 1) while true do end", &["k"]);
        wait_until_busy(&mut other);
        assert!(other.command("SCRIPT KILL").starts_with("-UNKILLABLE Sorry the script already"));
        assert_eq!(other.command("SHUTDOWN"), BUSY);
        assert_eq!(other.command("WATCH k"), BUSY, "its lock is not to be had");
        assert_eq!(other.command("MULTI"), "+OK");
        assert_eq!(other.command("GET k"), BUSY);
        assert!(other.command("EXEC").starts_with("-EXECABORT Transaction discarded because of"));
        other.send(b"SHUTDOWN NOSAVE\r\n");
        assert!(server.wait().success());
    }
}

#[test]
fn who_waits_for_the_locks_of_such_a_script_is_told_too() {
    let server = Server::start(&[OPTIONS, &["--busy-reply-threshold", "2000"]].concat());
    // Two loops: of so many clients some are on the other one, and wait for the key's lock.
    let mut clients: Vec<Client> = (0..4).map(|_| server.connect()).collect();
    let mut watcher = server.connect();
    assert_eq!(watcher.command("WATCH k"), "+OK");
    let (runner, waiters) = clients.split_first_mut().unwrap();
    eval(runner, "while true do end", &["k"]);
    // Nobody can see when the script has its locks; a loaded machine takes its time.
    thread::sleep(Duration::from_millis(500));
    for (index, client) in waiters.iter_mut().enumerate() {
        client.send(match index {
            0 => b"GET k\r\n",
            1 => b"MGET k l\r\n",
            _ => b"EVAL 'return 1' 1 k\r\n",
        });
    }
    for client in waiters {
        assert_eq!(client.line(), BUSY);
    }
    assert_eq!(watcher.command("UNWATCH"), "+OK", "at once, whoever holds the key");
    // A client that goes meanwhile is no trouble.
    drop(watcher);
    let mut other = server.connect();
    assert_eq!(other.command("SCRIPT KILL"), "+OK");
    assert!(clients[0].line().starts_with("-ERR"));
    assert_eq!(other.command("GET k"), "$-1");
    wait_for("the watch to be gone", || (server.info("watching_clients") == 0).then_some(()));
}

#[test]
fn memory_and_depth_have_limits() {
    let server = Server::start(OPTIONS);
    let mut client = server.connect();
    for (text, expected) in [
        ("local t = {} for i = 1, 1e9 do t[i] = i end", "not enough memory"),
        ("local t = {} for i = 1, 1e9 do t[i] = {} end", "not enough memory"),
        ("return #string.rep('x', 1e9)", "not enough memory"),
        ("local s = 'x' while true do s = s .. s end", "not enough memory"),
        (
            "local s = 'x' while true do pcall(function() s = s .. s end) if #s > 1e7 then \
          error('grown') end end",
            "grown",
        ),
        ("local function f() return 1 + f() end return f()", "stack overflow"),
        ("return string.rep('x', -1)", "$0"),
        ("error({err = 'MINE is this'})", "-MINE is this"),
        ("error({})", "-ERR unknown error"),
        ("error()", "-ERR nil"),
        ("error(setmetatable({}, {__tostring = function() error('x') end}))", "-ERR unknown error"),
    ] {
        eval(&mut client, text, &[]);
        let answer = client.line();
        assert!(answer.contains(expected), "{text}: {answer}");
        if answer == "$0" {
            assert_eq!(client.line(), "");
        }
        assert_eq!(client.command("PING"), "+PONG");
    }
}

#[test]
fn time_stands_for_a_script_until_it_is_slow() {
    let threshold = ["--busy-reply-threshold", "50"];
    let server = Server::start(&[OPTIONS, &threshold].concat());
    let mut client = server.connect();
    let now = "local function now() local t = redis.call('TIME') return t[1] + t[2] / 1e6 end ";
    let still = "local start = now() for i = 1, 1000 do end return now() == start";
    eval(&mut client, &format!("{now}{still}"), &[]);
    assert_eq!(client.line(), ":1");
    eval(&mut client, &format!("{now}local till = now() + 0.2 repeat until now() >= till"), &[]);
    assert_eq!(client.line(), "$-1");
}

#[test]
fn what_is_no_script_is_refused() {
    let server = Server::start(OPTIONS);
    let mut client = server.connect();
    for (parts, expected) in [
        (&["EVAL", "return 1"][..], "-ERR wrong number of arguments for 'eval' command"),
        (&["EVAL", "return 1", "x"], "-ERR value is not an integer or out of range"),
        (&["EVAL", "return 1", "-1"], "-ERR Number of keys can't be negative"),
        (&["EVAL", "return 1", "1"], "-ERR Number of keys can't be greater than number of args"),
        (
            &["EVAL", "return 1", "9223372036854775807"],
            "-ERR Number of keys can't be greater than number of args",
        ),
        (&["EVAL", "return", "0"], "$-1"),
        (&["EVAL", "return )", "0"], "-ERR Error compiling script (new function)"),
        (
            &["EVAL", "#!lua flags=nonsense\nreturn 1", "0"],
            "-ERR Unexpected flag in script shebang: nonsense",
        ),
        (
            &["EVAL", "#!python\nreturn 1", "0"],
            "-ERR Unexpected engine in script shebang: #!python",
        ),
        (&["EVAL", "#!lua name=x\nreturn 1", "0"], "-ERR Unknown lua shebang option: name=x"),
        (&["EVAL", "#!lua", "0"], "-ERR Invalid script shebang"),
        (&["EVALSHA", "short", "0"], "-NOSCRIPT No matching script. Please use EVAL."),
        (&["EVAL", "\x1bLua", "0"], "-ERR Error compiling script (new function)"),
    ] {
        client.send(&request(parts));
        let answer = client.line();
        assert!(answer.starts_with(expected), "{parts:?}: {answer}");
    }
    // Bytes that are no text in any encoding: in the script, its keys, its answer, its error.
    client.send(
        b"*4\r\n$4\r\nEVAL\r\n$20\r\nreturn KEYS[1]..'\xff\xfe'\r\n$1\r\n1\r\n$2\r\n\x80\x00\r\n",
    );
    client.expect(b"$4\r\n\x80\x00\xff\xfe\r\n");
    client.send(b"*3\r\n$4\r\nEVAL\r\n$14\r\nerror({'\xff\xfe'} )\r\n$1\r\n0\r\n");
    assert!(client.line().starts_with("-ERR"));
    assert_eq!(client.command("PING"), "+PONG");
}

#[test]
fn a_reply_that_is_too_large_ends_its_client_and_nothing_else() {
    let limit = ["--client-output-buffer-limit", "normal 1mb 0 0"];
    let server = Server::start(&[OPTIONS, &limit].concat());
    let mut other = server.connect();
    for text in [
        "return string.rep('x', 4000000)",
        "local t = {} for i = 1, 500000 do t[i] = 'some text' end return t",
        "local t = {} for i = 1, 1000 do t[i] = string.rep('y', 5000) end return {t, {ok = 'end'}}",
    ] {
        let mut client = server.connect();
        eval(&mut client, text, &[]);
        assert!(client.rest().len() < 2_000_000, "{text}");
        assert_eq!(other.command("PING"), "+PONG", "{text}");
    }
    assert_eq!(server.info("client_output_buffer_limit_disconnections"), 3);
    // What does not fit into the interpreter is an error and no reply.
    let mut client = server.connect();
    eval(&mut client, "return string.rep('x', 100000000)", &[]);
    assert!(client.line().starts_with("-ERR user_script:1: not enough memory"));
    assert_eq!(client.command("PING"), "+PONG");
}

#[test]
fn forgotten_scripts_give_their_memory_back() {
    let server = Server::start(&["--io-threads", "2"]);
    let mut clients: Vec<Client> = (0..8).map(|_| server.connect()).collect();
    let text = "local t = {} for i = 1, 100000 do t[i] = i end return 1";
    for client in &mut clients {
        eval(client, text, &[]);
        assert_eq!(client.line(), ":1");
    }
    assert!(server.info("used_memory_vm_eval") > 1_000_000);
    assert_eq!(clients[0].command("SCRIPT FLUSH"), "+OK");
    wait_for("the memory", || (server.info("used_memory_vm_eval") == 0).then_some(()));
    eval(&mut clients[0], text, &[]);
    assert_eq!(clients[0].line(), ":1");
}
