//! Numbers as text, by the rules of the Redis protocol.
//!
//! Three kinds: integers ([`parse_i64`] and friends), doubles (scores, coordinates) and the
//! 80-bit [`LongDouble`] of `INCRBYFLOAT`. Parsing is strict where Redis is strict (a value that
//! is stored as an integer must print back as the same bytes) and lenient where it leans on C's
//! `strtod`. Formatting gives the same bytes as Redis does.

mod float;
mod float_prefix;
mod integer;
mod long_double;

pub use float::{
    parse_f64, parse_f64_lenient, parse_f64_saturating, write_f64, write_f64_17g, write_f64_g,
};
pub use float_prefix::parse_f64_prefix;
pub use integer::{
    decimal_len, parse_i32_prefix, parse_i64, parse_u64, parse_u64_lenient, write_i64, write_u64,
};
pub use long_double::LongDouble;
