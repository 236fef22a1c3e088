//! The crash campaign, for a minute's patience; `cargo xtask soak` runs it at length.

use harness::crash::{self, Figures};

#[test]
fn nothing_that_was_promised_is_lost() {
    let mut figures = Figures::default();
    for seed in 0..300 {
        match crash::run(seed) {
            Ok(seen) => figures += seen,
            Err(what) => panic!("seed {seed}: {what}"),
        }
    }
    println!("{figures}");
    // A campaign that meets nothing proves nothing.
    assert!(figures.rewrites > 100 && figures.faults > 50, "{figures}");
    assert!(figures.acknowledged > 500 && figures.power_losses > 500, "{figures}");
}
