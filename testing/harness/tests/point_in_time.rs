//! What is saved, rewritten or left by a kill is one prefix of what happened.
//!
//! `POINT_IN_TIME_SEED` chooses the first seed and `POINT_IN_TIME_RUNS` how many follow.

use harness::point_in_time::{Plan, Report, check};

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

#[test]
fn what_is_saved_is_one_prefix_of_the_history() {
    let first = number("POINT_IN_TIME_SEED", 1);
    let runs = number("POINT_IN_TIME_RUNS", 4);
    let (mut all, mut evicting) = (Report::default(), false);
    for seed in first..first.saturating_add(runs) {
        println!("seed {seed}; replay: POINT_IN_TIME_SEED={seed} POINT_IN_TIME_RUNS=1");
        let plan = Plan::of(seed);
        evicting |= plan.evicts;
        let report = check(plan).unwrap_or_else(|problem| panic!("seed {seed}: {problem}"));
        all = all.and(report);
    }
    println!("{all:?}");
    assert!(all.saves > 0 && all.rewrites > 0 && all.transactions > 100 * runs, "{all:?}");
    assert_eq!(all.evicted > 0, evicting, "{all:?}");
}
