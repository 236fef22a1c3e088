//! The crash campaign, for a minute's patience; `cargo xtask soak` runs it at length.

use harness::crash::{self, Figures};

#[test]
fn nothing_that_was_promised_is_lost() {
    let mut figures = Figures::default();
    for seed in 0..60 {
        match crash::run(seed) {
            Ok(seen) => figures += seen,
            Err(what) => panic!("seed {seed}: {what}"),
        }
    }
    println!("{figures}");
    // A campaign that meets nothing proves nothing.
    assert!(figures.rewrites > 50 && figures.faults > 20 && figures.evictions > 100, "{figures}");
    assert!(figures.acknowledged > 500 && figures.power_losses > 200, "{figures}");
}
