//! Numbers as strings: what `lua_config.h` writes itself against what `printf` writes.

#![allow(clippy::unwrap_used, reason = "a test")]

use lua::Machine;
use stdx::rng::Rng;

/// Whether both conversions agree, and the implicit one of `..` too.
const COMPARE: &str = r"
    local number = ...
    local expected = string.format('%.14g', number)
    return tostring(number) == expected and number .. '' == expected, tostring(number), expected
";

struct Check {
    _machine: Machine,
    compare: mlua::Function,
}

impl Check {
    fn new() -> Self {
        let machine = Machine::new(1).unwrap();
        let compare = machine.lua().load(COMPARE).into_function().unwrap();
        Self { _machine: machine, compare }
    }

    fn number(&self, number: f64) {
        let (same, ours, printed): (bool, String, String) = self.compare.call(number).unwrap();
        assert!(same, "{number:e}: {ours} and not {printed}");
    }
}

#[test]
fn numbers_become_strings_as_printf_writes_them() {
    let check = Check::new();
    let edges = [0.0, 0.5, 1.0, 9.0, 10.0, 1e13, 1e14, 1e15, 2e14, 1e17, 9.3e18, 1e300, 5e-324];
    for edge in edges.into_iter().chain([f64::INFINITY, f64::NAN, i64::MIN as f64]) {
        for number in [edge, edge + 1.0, edge - 1.0, edge.next_up(), edge.next_down()] {
            check.number(number);
            check.number(-number);
        }
    }
    for power in 0..64 {
        let power = (1_u64 << power) as f64;
        [power - 1.0, power, power + 1.0].into_iter().for_each(|number| check.number(number));
    }
}

#[test]
fn random_numbers_become_strings_as_printf_writes_them() {
    let seed = std::env::var("FERRITE_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(11);
    println!("seed {seed}; replay: FERRITE_SEED={seed} cargo test -p lua --test numbers");
    let (check, mut rng) = (Check::new(), Rng::seed(seed));
    for _ in 0..20_000 {
        let bits = rng.next_u64();
        check.number(f64::from_bits(bits));
        check.number(((bits as i64) >> (rng.next_u64() % 64)) as f64);
    }
}
