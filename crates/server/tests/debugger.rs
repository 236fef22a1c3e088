//! The step debugger of scripts, as `redis-cli --ldb` uses it. What the sessions show was recorded
//! from Redis 7.0.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use support::{Client, Server, request, wait_for};

const BUSY: &str =
    "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";

/// A client that has begun to debug a script, and what it was shown first.
fn debug(server: &Server, mode: &str, text: &str, inputs: &[&str]) -> (Client, Vec<String>) {
    let mut client = server.connect();
    assert_eq!(client.command(&format!("SCRIPT DEBUG {mode}")), "+OK");
    client.send(&request(&[&["EVAL", text], inputs].concat()));
    let shown = lines(&mut client);
    (client, shown)
}

/// The lines of the debugger's next answer.
fn lines(client: &mut Client) -> Vec<String> {
    let head = client.line();
    let count: usize = head.strip_prefix('*').expect(&head).parse().unwrap();
    (0..count).map(|_| client.line().strip_prefix('+').unwrap().to_owned()).collect()
}

/// What a command of the debugger shows.
fn ask(client: &mut Client, words: &[&str]) -> Vec<String> {
    client.send(&request(words));
    lines(client)
}

const TEXT: &str = "local foo = KEYS[1]
redis.call('set', foo, ARGV[1])
local function f(x)
  local y = x + 1
  redis.debug('in f', x, {1, {a = true}})
  return y
end
local n = f(41)
redis.breakpoint()
return {redis.call('get', foo), n}
";

#[test]
fn a_session_shows_what_it_shows_in_redis() {
    let server = Server::start(&[]);
    let (mut client, shown) = debug(&server, "YES", TEXT, &["1", "k", "v"]);
    assert_eq!(shown, ["* Stopped at 1, stop reason = step over", "-> 1   local foo = KEYS[1]"]);
    for (words, expected) in [
        (
            &["s"][..],
            &["* Stopped at 2, stop reason = step over", "-> 2   redis.call('set', foo, ARGV[1])"]
                [..],
        ),
        (&["p"], &["<value> foo = \"k\""]),
        (&["p", "foo"], &["<value> \"k\""]),
        (&["print", "nope"], &["No such variable."]),
        (&["p", "ARGV"], &["<value> {\"v\"}"]),
        (
            &["n"],
            &[
                "<redis> set k v",
                "<reply> \"+OK\"",
                "* Stopped at 7, stop reason = step over",
                "-> 7   end",
            ],
        ),
        (&["r", "get", "k"], &["<redis> get k", "<reply> \"v\""]),
        (&["r", "nope"], &["<redis> nope", "<error> Unknown Redis command called from script"]),
        (
            &["b", "4", "100"],
            &[
                "   3   local function f(x)",
                "  #4     local y = x + 1",
                "   5     redis.debug('in f', x, {1, {a = true}})",
                "Wrong line number.",
            ],
        ),
        (&["b"], &["1 breakpoints set:", "  #4     local y = x + 1"]),
        (&["c"], &["* Stopped at 4, stop reason = break point", "->#4     local y = x + 1"]),
        (
            &["t"],
            &["In f:", "->#4     local y = x + 1", "From top level:", "   8   local n = f(41)"],
        ),
        (&["p", "foo"], &["<value> \"k\""]),
        (
            &["l", "1", "1"],
            &["   1   local foo = KEYS[1]", "   2   redis.call('set', foo, ARGV[1])"],
        ),
        (&["e", "return", "{1,a=2}"], &["<retval> {[1]=1; [\"a\"]=2}"]),
        (&["e", "1 +"], &["<error> ldb_eval:1: unexpected symbol near '1'"]),
        (
            &["e", "return x"],
            &["<error> ldb_eval:1: Script attempted to access nonexistent global variable 'x'"],
        ),
        (
            &["e", "while true do local a = 1 break end return redis.call('get', 'k')"],
            &["<retval> \"v\""],
        ),
        (&["b", "-4"], &["Breakpoint removed."]),
        (&["m", "0"], &["<value> replies are unlimited."]),
        (&["bogus"], &["<error> Unknown Redis Lua debugger command or wrong number of arguments."]),
        (
            &["c"],
            &[
                "<debug> line 5: \"in f\", 41, {1; {[\"a\"]=true}}",
                "* Stopped at 10, stop reason = redis.breakpoint() called",
                "-> 10  return {redis.call('get', foo), n}",
            ],
        ),
        (&["c"], &["<endsession>"]),
    ] {
        assert_eq!(ask(&mut client, words), expected, "{words:?}");
    }
    let reply: Vec<String> = (0..4).map(|_| client.line()).collect();
    assert_eq!(reply, ["*2", "$1", "v", ":42"]);
    assert_eq!(client.rest(), "");
    assert_eq!(server.connect().command("GET k"), "$-1", "the changes are undone");
}

#[test]
fn others_go_on_and_see_nothing_of_it() {
    // One event loop: the session must not keep it.
    let server = Server::start(&["--io-threads", "1"]);
    let mut other = server.connect();
    assert_eq!(other.command("RPUSH l old"), ":1");
    let text = "redis.call('rpush', 'l', 'a') redis.call('set', 's', '1')
redis.call('publish', 'c', 'm')
return redis.call('llen', 'l')";
    let (mut client, _) = debug(&server, "yes", text, &["0"]);
    assert_eq!(ask(&mut client, &["s"]).len(), 6);
    assert_eq!(other.command("LLEN l"), ":1");
    assert_eq!(other.command("RPUSH l more"), ":2");
    assert_eq!(other.command("EXISTS s"), ":0");
    assert_eq!(ask(&mut client, &["r", "llen", "l"]), ["<redis> llen l", "<reply> 2"]);
    let refused = "<error> This command cannot be undone: debug the script with SYNC";
    assert_eq!(ask(&mut client, &["r", "flushall"]), ["<redis> flushall", refused]);
    assert_eq!(ask(&mut client, &["c"]), ["<endsession>"]);
    assert_eq!(client.line(), ":2", "its own view of the list, to the end");
    assert_eq!(other.command("LLEN l"), ":2");
    assert_eq!(other.command("EXISTS s"), ":0");
    assert_eq!(other.command("EVAL \"return redis.call('incr', 's')\" 0"), ":1");
}

#[test]
fn in_sync_mode_others_are_told_and_the_changes_stay() {
    let server = Server::start(&["--io-threads", "1"]);
    let mut other = server.connect();
    let text = "redis.call('set', 'k', 'v')\nreturn 1";
    let (mut client, _) = debug(&server, "sync", text, &["0"]);
    assert_eq!(other.command("GET k"), BUSY);
    assert_eq!(ask(&mut client, &["s"]).len(), 4);
    assert!(other.command("SCRIPT KILL").starts_with("-UNKILLABLE"));
    assert_eq!(ask(&mut client, &["abort"]), ["<endsession>"]);
    assert!(client.line().starts_with("-ERR script aborted for user request script: "));
    assert_eq!(client.rest(), "");
    wait_for("the locks", || (other.command("GET k") != BUSY).then_some(()));
    assert_eq!(other.command("STRLEN k"), ":1");
    // One that has not written is ended where it stands.
    let (mut client, _) = debug(&server, "sync", "local a = 1\nreturn a", &["0"]);
    assert_eq!(other.command("SCRIPT KILL"), "+OK");
    assert_eq!(lines(&mut client), ["<endsession>"]);
    assert!(client.line().starts_with("-ERR Script killed by user with SCRIPT KILL..."));
    wait_for("the locks", || (other.command("PING") == "+PONG").then_some(()));
}

#[test]
fn a_client_that_leaves_ends_the_session() {
    let server = Server::start(&["--io-threads", "1", "--busy-reply-threshold", "50"]);
    let mut other = server.connect();
    let (client, _) = debug(&server, "sync", "redis.call('set', 'k', 'v')\nreturn 1", &["0"]);
    drop(client);
    wait_for("the script's end", || (other.command("EXISTS k") == ":1").then_some(()));
    // An endless one is stopped where its client could still see it, and ends without one.
    let endless = "redis.call('set', 'gone', '1')\nwhile true do\nlocal a = 1\nend";
    let (mut client, _) = debug(&server, "yes", endless, &["0"]);
    let shown = ask(&mut client, &["c"]);
    assert_eq!(
        shown,
        ["* Stopped at 3, stop reason = timeout reached, infinite loop?", "-> 3   local a = 1"]
    );
    client.send(&request(&["c"]));
    drop(client);
    assert_eq!(other.command("EXISTS gone"), ":0");
    wait_for("nobody to be there but us", || {
        other.command("CLIENT LIST").lines().count().lt(&3).then_some(())
    });
}

#[test]
fn what_cannot_be_debugged_says_so() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    assert_eq!(client.command("SCRIPT DEBUG maybe"), "-ERR Use SCRIPT DEBUG YES/SYNC/NO");
    client.send(&[request(&["PING"]), request(&["SCRIPT", "DEBUG", "YES"])].concat());
    assert_eq!(client.line(), "+PONG");
    assert_eq!(client.line(), "-ERR SCRIPT DEBUG must be called outside a pipeline");
    assert_eq!(client.command("SCRIPT DEBUG YES"), "+OK");
    let digest = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db";
    let refused = "-ERR Please use EVAL instead of EVALSHA for debugging";
    assert_eq!(client.command(&format!("EVALSHA {digest} 0")), refused);
    assert_eq!(client.command("SCRIPT DEBUG NO"), "+OK");
    assert_eq!(client.command("EVAL \"return redis.breakpoint()\" 0"), "$-1");
    assert_eq!(client.command("SCRIPT DEBUG YES"), "+OK");
    client.send(&request(&["EVAL", "no script", "0"]));
    assert_eq!(lines(&mut client), ["<endsession>"]);
    assert!(
        client.line().starts_with("-ERR Error compiling script (new function): user_script:1:")
    );
    assert_eq!(client.rest(), "");
}
