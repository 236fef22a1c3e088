//! What the debugger says, without a script.

use super::*;

fn lines(debugger: &mut Debugger) -> String {
    let reply = debugger.take_lines();
    String::from_utf8_lossy(&reply).replace("\r\n", "|")
}

#[test]
fn it_stops_where_it_was_asked_to() {
    let mut debugger = Debugger::new(b"one\n\nthree\r\n\n");
    assert_eq!(debugger.source.len(), 3, "what is empty at the end is left out");
    assert!(debugger.stops_at(Pause::Line(1), false));
    assert_eq!(lines(&mut debugger), "*2|+* Stopped at 1, stop reason = step over|+-> 1   one|");
    assert!(!debugger.stops_at(Pause::Line(2), false));
    debugger.breakpoint();
    debugger.breakpoints.push(3);
    assert!(debugger.stops_at(Pause::Line(2), false));
    let said = "*2|+* Stopped at 2, stop reason = redis.breakpoint() called|+-> 2   |";
    assert_eq!(lines(&mut debugger), said);
    assert!(!debugger.stops_at(Pause::Steps(2), false));
    assert!(debugger.stops_at(Pause::Steps(2), true));
    assert!(lines(&mut debugger).contains("timeout reached, infinite loop?"));
    assert!(debugger.stops_at(Pause::Line(3), false));
    let said = "*2|+* Stopped at 3, stop reason = break point|+->#3   three|";
    assert_eq!(lines(&mut debugger), said);
}

#[test]
fn replies_are_shown() {
    for (reply, shown) in [
        ("$3\r\na\"b\r\n", "\"a\\\"b\""),
        ("$-1\r\n", "NULL"),
        ("*-1\r\n", "NULL"),
        ("_\r\n", "(null)"),
        (":12\r\n", "12"),
        ("+OK\r\n", "\"+OK\""),
        ("*2\r\n$1\r\na\r\n*0\r\n", "[\"a\",[]]"),
        ("~1\r\n#t\r\n", "~(#true)"),
        ("%2\r\n:1\r\n#f\r\n:2\r\n,1.5\r\n", "{1 => #false,2 => (double) 1.5}"),
        ("=7\r\ntxt:abc\r\n", ""),
        ("$9\r\nabc", "\"\""),
        ("*3\r\n:1\r\n", "[1,,]"),
    ] {
        let mut out = Vec::new();
        human::write(&mut out, reply.as_bytes());
        assert_eq!(String::from_utf8_lossy(&out), shown, "{reply:?}");
    }
}

#[test]
fn long_values_are_cut() {
    let mut debugger = Debugger::new(b"");
    debugger.shown = 60;
    for _ in 0..2 {
        debugger.show(7, &[b'x'; 100]);
    }
    let cut = format!("+<debug> line 7: {} ...|", "x".repeat(60 - 16));
    let hint = "+<hint> The above reply was trimmed. Use 'maxlen 0' to disable trimming.|";
    assert_eq!(lines(&mut debugger), format!("*3|{cut}{hint}{cut}"));
}
