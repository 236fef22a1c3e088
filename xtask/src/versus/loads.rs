//! What the memory table loads: commands by element number, so that nothing is held in memory here.

use crate::Result;

/// One load: how the table calls it, elements per command sent, and the command of a number.
pub struct Load {
    /// Name on the command line.
    pub name: &'static str,
    /// Heading of its row.
    pub title: &'static str,
    /// Of how many `--elements` one command stands for; a hash of five fields is sent a tenth as
    /// often.
    pub share: u64,
    /// The command that adds element `i`.
    pub command: fn(u64) -> String,
}

/// All loads. Words of a command are separated by one space.
pub const LOADS: &[Load] = &[
    Load {
        name: "string",
        title: "string, 11 B key, 16 B value",
        share: 1,
        command: |i| format!("SET key:{i:07} value:{i:010}"),
    },
    Load {
        name: "string-ttl",
        title: "the same with a TTL",
        share: 1,
        command: |i| format!("SET key:{i:07} value:{i:010} EX {}", 100_000 + i),
    },
    Load {
        name: "integer",
        title: "string, 11 B key, integer value",
        share: 1,
        command: |i| format!("SET key:{i:07} {}", 1_000_000 + i),
    },
    Load {
        name: "string-100",
        title: "string, 11 B key, 100 B value",
        share: 1,
        command: |i| format!("SET key:{i:07} {i:0100}"),
    },
    Load {
        name: "string-1000",
        title: "string, 11 B key, 1,000 B value",
        share: 10,
        command: |i| format!("SET key:{i:07} {i:01000}"),
    },
    Load {
        name: "hash",
        title: "one hash, 13 B field, 13 B value",
        share: 1,
        command: |i| format!("HSET h field:{i:07} value:{i:07}"),
    },
    Load {
        name: "set",
        title: "one set, 14 B members",
        share: 1,
        command: |i| format!("SADD s member:{i:07}"),
    },
    Load {
        name: "zset",
        title: "one sorted set, 14 B members",
        share: 1,
        command: |i| format!("ZADD z {} member:{i:07}", i as f64 * 1.5),
    },
    Load {
        name: "list",
        title: "one list, 15 B elements",
        share: 1,
        command: |i| format!("RPUSH l element:{i:07}"),
    },
    Load {
        name: "stream",
        title: "one stream, 2 fields an entry",
        share: 1,
        command: |i| format!("XADD x {}-1 sensor {:05} value {i}", i + 1, i % 1_000),
    },
    Load {
        name: "small-hash",
        title: "hashes of 5 fields, per hash",
        share: 10,
        command: |i| {
            let mail = format!("a{i}@example.org");
            format!("HSET user:{i:07} name Ann{i} email {mail} age {} city Oslo n {i}", i % 90)
        },
    },
];

/// The names of the loads.
pub fn names() -> Vec<&'static str> {
    LOADS.iter().map(|load| load.name).collect()
}

/// Refuses a name that is no load.
///
/// # Errors
/// The name.
pub fn check_names(wanted: &[String]) -> Result {
    match wanted.iter().find(|name| !names().contains(&name.as_str())) {
        None => Ok(()),
        Some(unknown) => Err(format!("no load `{unknown}`; there are {}", names().join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_the_titles() {
        let words = |name: &str| -> Vec<String> {
            let load = LOADS.iter().find(|load| load.name == name).unwrap();
            (load.command)(1_234).split(' ').map(str::to_owned).collect()
        };
        let sizes = |name: &str| words(name).iter().map(String::len).collect::<Vec<_>>();
        assert_eq!(sizes("string")[1..], [11, 16]);
        assert_eq!(sizes("string-ttl")[1..3], [11, 16]);
        assert_eq!(sizes("string-100")[1..], [11, 100]);
        assert_eq!(sizes("hash")[2..], [13, 13]);
        assert_eq!(words("small-hash").len(), 12);
    }
}
