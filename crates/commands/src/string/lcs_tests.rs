//! `LCS`: known answers, the bit-parallel table against the textbook one, limits.

use stdx::rng::Rng;

use super::{Match, Row, matches};
use crate::testing::Bench;

#[test]
fn replies_of_the_documentation() {
    let mut bench = Bench::new();
    bench.run("MSET s1 ohmytext s2 mynewtext");
    assert_eq!(bench.run("LCS s1 s2"), "$6\r\nmytext\r\n");
    assert_eq!(bench.run("LCS s1 s2 LEN"), ":6\r\n");
    bench.resp3();
    assert_eq!(
        bench.run("LCS s1 s2 IDX WITHMATCHLEN MINMATCHLEN 4"),
        "%2\r\n$7\r\nmatches\r\n*1\r\n*3\r\n*2\r\n:4\r\n:7\r\n*2\r\n:5\r\n:8\r\n:4\r\n\
         $3\r\nlen\r\n:6\r\n"
    );
    assert_eq!(bench.run("LCS s1 nothing"), "$0\r\n\r\n");
    assert_eq!(
        bench.run("LCS none nothing IDX"),
        "%2\r\n$7\r\nmatches\r\n*0\r\n$3\r\nlen\r\n:0\r\n"
    );
}

#[test]
fn refusals() {
    let mut bench = Bench::new();
    assert_eq!(bench.run("LCS a b FOO"), "-ERR syntax error\r\n");
    assert_eq!(
        bench.run("LCS a b LEN IDX"),
        "-ERR If you want both the length and indexes, please just use IDX.\r\n"
    );
    bench.run("SETRANGE a 15000 x");
    bench.run("SETRANGE b 15000 x");
    assert_eq!(
        bench.run("LCS a b LEN"),
        "-ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len\r\n"
    );
}

/// The textbook way: a table of lengths, walked back.
fn textbook(a: &[u8], b: &[u8]) -> (usize, Vec<Match>) {
    let mut table = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            table[i][j] = if a[i - 1] == b[j - 1] {
                table[i - 1][j - 1] + 1
            } else {
                table[i - 1][j].max(table[i][j - 1])
            };
        }
    }
    let mut pairs = Vec::new();
    let (mut i, mut j) = (a.len(), b.len());
    while i > 0 && j > 0 {
        if a[i - 1] == b[j - 1] {
            (i, j) = (i - 1, j - 1);
            pairs.push((i, j));
        } else if table[i - 1][j] > table[i][j - 1] {
            i -= 1;
        } else {
            j -= 1;
        }
    }
    let mut runs: Vec<Match> = Vec::new();
    for (a, b) in pairs {
        match runs.last_mut() {
            Some(run) if run.a == a + 1 && run.b == b + 1 => {
                *run = Match { a, b, len: run.len + 1 };
            }
            _ => runs.push(Match { a, b, len: 1 }),
        }
    }
    (table[a.len()][b.len()], runs)
}

#[test]
fn agrees_with_the_textbook() {
    let seed = 20_260_101;
    let mut rng = Rng::seed(seed);
    for round in 0..600 {
        let letters = 1 + rng.below(5);
        let mut text = |max: u64| -> Vec<u8> {
            let len = rng.below(max);
            (0..len).map(|_| b'a' + rng.below(letters) as u8).collect()
        };
        let (a, b) = (text(200), text(200));
        let (len, runs) = textbook(&a, &b);
        let replay = format!("seed {seed} round {round}: {a:?} {b:?}");
        assert_eq!(matches(&a, &b), runs, "{replay}");
        let (rows, columns) = if a.len() < b.len() { (&b, &a) } else { (&a, &b) };
        assert_eq!(Row::last(rows, columns), len, "{replay}");
    }
}
