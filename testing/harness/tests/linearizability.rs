//! Real threads on few keys of one engine: what they saw must have one order.
//!
//! `LINEARIZABILITY_SEED` chooses the first seed and `LINEARIZABILITY_HISTORIES` how many follow.

use harness::{InProcess, Setup, TestClock};
use linearizability::{Opener, Plan, Session, Verdict, check, record};

/// Most states that the search for one part visits.
const VISITS_MAX: usize = 500_000;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

fn verdict(plan: &Plan) -> Verdict {
    let threads = plan.clients;
    let clock = TestClock::system();
    let server = InProcess::new(Setup { threads, seed: plan.seed, clock, ..Setup::default() });
    let session = |thread| {
        let server = &server;
        Box::new(move || Ok(Box::new(server.connect_on(thread)) as Box<dyn Session>)) as Opener<'_>
    };
    let history = record(plan, (0..threads).map(session).collect()).expect("nobody hangs up");
    check(&history, VISITS_MAX)
}

#[test]
fn every_history_has_one_order() {
    let first = number("LINEARIZABILITY_SEED", 1);
    let histories = number("LINEARIZABILITY_HISTORIES", 24);
    let mut undecided = 0;
    for seed in first..first.saturating_add(histories) {
        let transactions = seed % 2 == 0;
        // A history over all keys at once is searched as a whole, which bounds its length.
        let requests = if transactions { 60 } else { 300 };
        let plan = Plan { seed, clients: 4, requests, keys: 3, transactions, scripts: true };
        match verdict(&plan) {
            Verdict::Linearizable => {}
            Verdict::Undecided => undecided += 1,
            Verdict::Violation { prefix, stuck } => {
                prefix.iter().rev().take(20).rev().for_each(|operation| println!("  {operation}"));
                println!("replay: LINEARIZABILITY_SEED={seed} LINEARIZABILITY_HISTORIES=1");
                panic!("seed {seed} is not linearizable; cannot follow: {stuck}");
            }
        }
    }
    assert!(undecided * 4 <= histories, "{undecided} of {histories} histories went undecided");
}
