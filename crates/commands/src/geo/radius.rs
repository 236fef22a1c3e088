//! `GEORADIUS`, `GEORADIUSBYMEMBER` and their reading forms: searches as they were before
//! `GEOSEARCH`. The forms that can store are writers even if they do not, hence the others.

use command::spec::{Begin, Find};
use command::{Arg, Categories, DataCommand, Flags, Group, KeySpec, Spec};

use super::query::Form;
use super::search::{COUNT_ANY_LATER as COUNT, ORDER, search};
use super::unit::Unit;
use super::{ONE_READ, OVERWRITE, READ_DATA};

const COMPLEXITY: &str = "O(N + log(M)) with N the number of members in the cells around it \
                          and M the number of members in the index.";
const AROUND_A_POINT: &str = "Returns, or stores, the members of an index that lie in a circle.";
const AROUND_A_MEMBER: &str =
    "Returns, or stores, the members of an index that lie in a circle around one of them.";
const READ_AROUND_A_POINT: &str = "Returns the members of an index that lie in a circle.";
const READ_AROUND_A_MEMBER: &str =
    "Returns the members of an index that lie in a circle around one of them.";

const WRITER: Flags = Flags::WRITE.union(Flags::DENYOOM).union(Flags::MOVABLE_KEYS);

/// The key after a word.
const fn named(word: &'static str, from: i16) -> KeySpec {
    let find = Find::Range { last: 0, step: 1, limit: 0 };
    KeySpec { flags: OVERWRITE, begin: Begin::Keyword { word, from }, find, notes: None }
}

const POINT_KEYS: &[KeySpec] =
    &[KeySpec::first(READ_DATA), named("STORE", 6), named("STOREDIST", 6)];
const MEMBER_KEYS: &[KeySpec] =
    &[KeySpec::first(READ_DATA), named("STORE", 5), named("STOREDIST", 5)];

const KEY: Arg = Arg::key("key", 0);
const LONGITUDE: Arg = Arg::double("longitude");
const LATITUDE: Arg = Arg::double("latitude");
const MEMBER: Arg = Arg::string("member");
const RADIUS: Arg = Arg::double("radius");
const UNIT: Arg = Arg::one_of("unit", Unit::ARGS);
const WITH_COORD: Arg = Arg::word("withcoord", "WITHCOORD").optional();
const WITH_DIST: Arg = Arg::word("withdist", "WITHDIST").optional();
const WITH_HASH: Arg = Arg::word("withhash", "WITHHASH").optional();
const STORE: Arg = Arg::one_of(
    "store",
    &[
        Arg::key("storekey", 1).display("key").token("STORE"),
        Arg::key("storedistkey", 2).display("key").token("STOREDIST"),
    ],
)
.optional();

const fn older(
    name: &'static str,
    since: &'static str,
    arity: i16,
    summary: &'static str,
    instead: &'static str,
) -> Spec {
    Spec::new(name, Group::Geo, since, arity, COMPLEXITY, summary)
        .acl(Categories::GEO)
        .deprecated("6.2.0", instead)
        .history(&[
            ("6.2.0", "Takes the option `ANY`."),
            ("7.0.0", "Takes names of units in upper case."),
        ])
}

/// `GEORADIUS key longitude latitude radius unit [options] [STORE key | STOREDIST key]`.
pub(super) static GEORADIUS: DataCommand = DataCommand::new(
    older(
        "georadius",
        "3.2.0",
        -6,
        AROUND_A_POINT,
        "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument",
    )
    .flags(WRITER)
    .keys(POINT_KEYS)
    .args(&[
        KEY, LONGITUDE, LATITUDE, RADIUS, UNIT, WITH_COORD, WITH_DIST, WITH_HASH, COUNT, ORDER,
        STORE,
    ]),
    |cx| search(cx, Form::Radius, true),
);

/// `GEORADIUS_RO key longitude latitude radius unit [options]`.
pub(super) static GEORADIUS_RO: DataCommand = DataCommand::new(
    older(
        "georadius_ro",
        "3.2.10",
        -6,
        READ_AROUND_A_POINT,
        "`GEOSEARCH` with the `BYRADIUS` argument",
    )
    .flags(Flags::READONLY)
    .keys(ONE_READ)
    .args(&[
        KEY, LONGITUDE, LATITUDE, RADIUS, UNIT, WITH_COORD, WITH_DIST, WITH_HASH, COUNT, ORDER,
    ]),
    |cx| search(cx, Form::Radius, false),
);

/// `GEORADIUSBYMEMBER key member radius unit [options] [STORE key | STOREDIST key]`.
pub(super) static GEORADIUSBYMEMBER: DataCommand = DataCommand::new(
    older(
        "georadiusbymember",
        "3.2.0",
        -5,
        AROUND_A_MEMBER,
        "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments",
    )
    .flags(WRITER)
    .keys(MEMBER_KEYS)
    .args(&[KEY, MEMBER, RADIUS, UNIT, WITH_COORD, WITH_DIST, WITH_HASH, COUNT, ORDER, STORE]),
    |cx| search(cx, Form::RadiusByMember, true),
);

/// `GEORADIUSBYMEMBER_RO key member radius unit [options]`.
pub(super) static GEORADIUSBYMEMBER_RO: DataCommand = DataCommand::new(
    older(
        "georadiusbymember_ro",
        "3.2.10",
        -5,
        READ_AROUND_A_MEMBER,
        "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments",
    )
    .flags(Flags::READONLY)
    .keys(ONE_READ)
    .args(&[KEY, MEMBER, RADIUS, UNIT, WITH_COORD, WITH_DIST, WITH_HASH, COUNT, ORDER]),
    |cx| search(cx, Form::RadiusByMember, false),
);

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn reads_and_stores() {
        let mut bench = Bench::new();
        bench.run("GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania");
        bench.clear();
        let catania = "*1\r\n$7\r\nCatania\r\n";
        for line in [
            "GEORADIUS g 15 37 100 km",
            "GEORADIUS_RO g 15 37 100 km",
            "GEORADIUSBYMEMBER g Catania 100 km",
            "GEORADIUSBYMEMBER_RO g Catania 100 km",
        ] {
            assert_eq!(bench.run(line), catania, "{line}");
        }
        assert_eq!(bench.run("GEORADIUS g 15 37 200 km STORE a STOREDIST b"), ":2\r\n");
        assert_eq!(bench.events(), ["new b", "georadiusstore b"]);
        assert_eq!(bench.run("GEORADIUSBYMEMBER g Catania 1 km STORE g"), ":1\r\n");
        assert_eq!(bench.run("ZCARD g"), ":1\r\n");
    }

    #[test]
    fn refusals() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("GEORADIUS_RO g 1 1 1 m STORE d"), "-ERR syntax error\r\n");
        assert_eq!(bench.run("GEORADIUS g 1 1 1 m STORE"), "-ERR syntax error\r\n");
        assert_eq!(
            bench.run("GEORADIUS g 1 1 1 m STORE d WITHDIST"),
            "-ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and \
             WITHCOORD options\r\n"
        );
        assert_eq!(bench.run("GEORADIUSBYMEMBER none x y z"), "*0\r\n");
        bench.run("SET s x");
        let wrong = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
        assert_eq!(bench.run("GEORADIUS s x y z u"), wrong);
    }
}
