//! Values carried between the server and redis-server by `DUMP` and `RESTORE`, both ways: every
//! type in every encoding, compressed and not. Each side compares what arrives with what the same
//! commands made of it, by its own digest; and where both keep a value alike, the payloads must be
//! the same bytes.

use client::{Client, Value};

use super::{Bench, Outcome};
use crate::Result;

/// Bytes of a payload's version and checksum.
const FOOTER_BYTES: usize = 10;

/// A value: its name, whether both servers write the same bytes, and the commands that make it.
pub struct Sample {
    /// Its key.
    pub key: &'static str,
    same_bytes: bool,
    /// What makes it.
    pub commands: Vec<Vec<String>>,
}

/// The words of a command.
pub fn line(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// `name key element...` with the elements that `element` makes of numbers.
fn many(name: &str, key: &str, count: usize, element: fn(usize) -> Vec<String>) -> Vec<String> {
    let mut command = line(&[name, key]);
    command.extend((0..count).flat_map(element));
    command
}

fn sample(key: &'static str, same_bytes: bool, command: Vec<String>) -> Sample {
    Sample { key, same_bytes, commands: vec![command] }
}

/// Every type in every encoding.
pub fn samples() -> Vec<Sample> {
    let word = |at: usize| vec![format!("element:{at}")];
    let pair = |at: usize| vec![format!("field:{at}"), at.to_string()];
    let scored = |at: usize| vec![(at as f64 * 0.25).to_string(), format!("member:{at}")];
    let mut stream: Vec<Vec<String>> =
        (1..=250).map(|at| line(&["XADD", "stream", &format!("{at}-1"), "f", "v"])).collect();
    stream.push(line(&["XADD", "stream", "300-1", "other", "field", "f", "17"]));
    stream.push(line(&["XDEL", "stream", "7-1", "101-1"]));
    stream.push(line(&["XGROUP", "CREATE", "stream", "readers", "10-1"]));
    stream.push(line(&["XGROUP", "CREATE", "stream", "idle", "0", "ENTRIESREAD", "3"]));
    let read = ["XREADGROUP", "GROUP", "readers", "alice", "COUNT", "20", "STREAMS", "stream", ">"];
    stream.push(line(&read));
    stream.push(line(&["XACK", "stream", "readers", "12-1"]));
    let emptied = vec![
        line(&["XADD", "emptied", "1-1", "f", "v"]),
        line(&["XDEL", "emptied", "1-1"]),
        line(&["XGROUP", "CREATE", "emptied", "g", "$"]),
    ];
    vec![
        sample("int", true, line(&["SET", "int", "-1234567"])),
        sample("wide-int", true, line(&["SET", "wide-int", "9223372036854775807"])),
        sample("text", true, line(&["SET", "text", "with \r\n bytes"])),
        sample("long-text", true, line(&["SET", "long-text", &"redundant ".repeat(5000)])),
        sample("list", true, many("RPUSH", "list", 100, word)),
        sample("chain", false, many("RPUSH", "chain", 5000, word)),
        sample("large", false, line(&["RPUSH", "large", &"x".repeat(20_000), "y"])),
        sample("intset", true, many("SADD", "intset", 300, |at| vec![(at * 70_000).to_string()])),
        sample("integers", false, many("SADD", "integers", 3000, |at| vec![at.to_string()])),
        sample("members", false, many("SADD", "members", 50, word)),
        sample("many-members", false, many("SADD", "many-members", 3000, word)),
        sample("hash", true, many("HSET", "hash", 50, pair)),
        sample("many-fields", false, many("HSET", "many-fields", 3000, pair)),
        sample("scores", true, many("ZADD", "scores", 50, scored)),
        sample("many-scores", true, many("ZADD", "many-scores", 3000, scored)),
        Sample { key: "stream", same_bytes: true, commands: stream },
        Sample { key: "emptied", same_bytes: true, commands: emptied },
    ]
}

/// The values of [`samples`] from the server to redis-server and back, and the reverse.
pub fn part(bench: &Bench) -> Result<Outcome> {
    let reference = match &bench.reference {
        Ok(reference) => reference,
        Err(reason) => return Ok(Outcome::Skipped(reason.clone())),
    };
    let mut ends = [bench.subject.connect()?, reference.connect()?];
    let samples = samples();
    for compression in ["no", "yes"] {
        for end in &mut ends {
            ok(end, &line(&["FLUSHALL"]))?;
            ok(end, &line(&["CONFIG", "SET", "rdbcompression", compression]))?;
        }
        for sample in &samples {
            let shown = |error| format!("{}, rdbcompression {compression}: {error}", sample.key);
            carry(&mut ends, sample, compression == "no").map_err(shown)?;
        }
    }
    println!("payloads: {} values, both ways, compressed and not", samples.len());
    Ok(Outcome::Passed)
}

/// Makes a value on both servers and carries it from each to the other.
fn carry(ends: &mut [Client; 2], sample: &Sample, plain: bool) -> Result {
    let mut payloads = Vec::new();
    for end in ends.iter_mut() {
        for command in &sample.commands {
            ok(end, command)?;
        }
        payloads.push(dump(end, sample.key)?);
    }
    // Times are in the payloads of streams with consumers.
    let timeless = sample.key != "stream";
    let body = |payload: &Vec<u8>| payload[..payload.len() - FOOTER_BYTES].to_vec();
    // Newer servers write some types in forms that older ones cannot read.
    let same_form = payloads[0][0] == payloads[1][0];
    let same_bytes = plain && sample.same_bytes && timeless && same_form;
    if same_bytes && body(&payloads[0]) != body(&payloads[1]) {
        return Err("the payloads differ".to_owned());
    }
    for (from, to) in [(0, 1), (1, 0)] {
        arrives(&mut ends[to], sample.key, &payloads[from])?;
        // And home again, by way of the other one.
        let returned = dump(&mut ends[to], "carried")?;
        arrives(&mut ends[from], sample.key, &returned)?;
    }
    Ok(())
}

/// Restores a payload beside the value that it must be equal to.
fn arrives(end: &mut Client, key: &str, payload: &[u8]) -> Result {
    let command = [&b"RESTORE"[..], b"carried", b"0", payload, b"REPLACE"];
    ok(end, &command)?;
    let digests = ok(end, &line(&["DEBUG", "DIGEST-VALUE", key, "carried"]))?;
    let same = matches!(&digests, Value::Array(both) if both[0] == both[1]);
    let groups = |end: &mut Client, key: &str| -> Result<Vec<Value>> {
        let lines = [&["XINFO", "GROUPS", key][..], &["XPENDING", key, "readers"]];
        lines.into_iter().map(|words| ok(end, &line(words))).collect()
    };
    if !same {
        return Err(format!("another value arrives: {digests:?}"));
    }
    if key == "stream" && groups(end, key)? != groups(end, "carried")? {
        return Err("other groups arrive".to_owned());
    }
    Ok(())
}

fn dump(end: &mut Client, key: &str) -> Result<Vec<u8>> {
    match ok(end, &line(&["DUMP", key]))? {
        Value::Bulk(payload) if payload.len() > FOOTER_BYTES => Ok(payload),
        other => Err(format!("DUMP says {other:?}")),
    }
}

/// The reply to a command, which must be no error.
pub fn ok<A: AsRef<[u8]>>(end: &mut Client, command: &[A]) -> Result<Value> {
    match end.command(command).map_err(|error| error.to_string())? {
        Value::Error(text) => {
            let name = String::from_utf8_lossy(command[0].as_ref()).into_owned();
            Err(format!("{name}: {}", String::from_utf8_lossy(&text)))
        }
        reply => Ok(reply),
    }
}
