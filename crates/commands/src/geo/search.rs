//! `GEOSEARCH` and `GEOSEARCHSTORE`, and how every search runs.
//!
//! The cells around the centre are ranges of scores. What is in them is looked at once, and what
//! lies in the shape is kept.

use collections::sorted_set::{Element, SortedSet};
use command::{Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeySpec, Spec};
use stdx::geo::{Point, cover};
use store::{Deadline, Event, NewValue};

use super::position::write_position;
use super::query::{Form, Order, Parser, Query};
use super::unit::Unit;
use super::{ONE_READ, OVERWRITE, READ_DATA, position};
use crate::zset;

const COMPLEXITY: &str = "O(N + log(M)) with N the number of members in the cells around the shape \
                          and M the number of members in the index.";
const HISTORY: &[(&str, &str)] = &[("7.0.0", "Takes names of units in upper case.")];

/// `GEOSEARCH key FROMMEMBER member | FROMLONLAT longitude latitude BYRADIUS radius unit |
/// BYBOX width height unit [ASC | DESC] [COUNT count [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH]`.
pub(super) static GEOSEARCH: DataCommand = DataCommand::new(
    Spec::new(
        "geosearch",
        Group::Geo,
        "6.2.0",
        -7,
        COMPLEXITY,
        "Returns the members of an index that lie in a circle or a box.",
    )
    .acl(Categories::GEO)
    .flags(Flags::READONLY)
    .keys(ONE_READ)
    .args(&[
        Arg::key("key", 0),
        FROM,
        BY,
        ORDER,
        COUNT,
        Arg::word("withcoord", "WITHCOORD").optional(),
        Arg::word("withdist", "WITHDIST").optional(),
        Arg::word("withhash", "WITHHASH").optional(),
    ])
    .history(HISTORY),
    |cx| search(cx, Form::Search, false),
);

/// `GEOSEARCHSTORE destination source ... [STOREDIST]`.
pub(super) static GEOSEARCHSTORE: DataCommand = DataCommand::new(
    Spec::new(
        "geosearchstore",
        Group::Geo,
        "6.2.0",
        -8,
        COMPLEXITY,
        "Stores the members of an index that lie in a circle or a box as another index.",
    )
    .acl(Categories::GEO)
    .flags(Flags::WRITE.union(Flags::DENYOOM))
    .keys(&[KeySpec::first(OVERWRITE), KeySpec::range(READ_DATA, 2, 0, 1)])
    .args(&[
        Arg::key("destination", 0),
        Arg::key("source", 1),
        FROM,
        BY,
        ORDER,
        COUNT,
        Arg::word("storedist", "STOREDIST").optional(),
    ])
    .history(HISTORY),
    |cx| search(cx, Form::SearchStore, false),
);

const FROM: Arg = Arg::one_of(
    "from",
    &[
        Arg::string("member").token("FROMMEMBER"),
        Arg::block("fromlonlat", &[Arg::double("longitude"), Arg::double("latitude")])
            .token("FROMLONLAT"),
    ],
);

const BY: Arg = Arg::one_of(
    "by",
    &[
        Arg::block(
            "circle",
            &[Arg::double("radius").token("BYRADIUS"), Arg::one_of("unit", Unit::ARGS)],
        ),
        Arg::block(
            "box",
            &[
                Arg::double("width").token("BYBOX"),
                Arg::double("height"),
                Arg::one_of("unit", Unit::ARGS),
            ],
        ),
    ],
);

/// The documented order of results.
pub(super) const ORDER: Arg =
    Arg::one_of("order", &[Arg::word("asc", "ASC"), Arg::word("desc", "DESC")]).optional();

/// The documented number of results.
pub(super) const COUNT: Arg =
    Arg::block("count-block", &[NUMBER, Arg::word("any", "ANY").optional()]).optional();

/// The same, of commands that are older than `ANY`.
pub(super) const COUNT_ANY_LATER: Arg =
    Arg::block("count-block", &[NUMBER, Arg::word("any", "ANY").since("6.2.0").optional()])
        .optional();

const NUMBER: Arg = Arg::integer("count").token("COUNT");

/// Runs a search in any of its forms.
pub(super) fn search(cx: &mut Cx<'_>, form: Form, may_store: bool) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let destination = (form == Form::SearchStore).then(|| reader.bytes());
    let key = reader.bytes();
    // A clone costs nothing, and is searched while others write.
    let set = cx.db.get::<SortedSet>(key)?.cloned();
    let parser = Parser::new(form, may_store, set.as_ref(), destination);
    let query = parser.parse(reader, cx.args.name())?;
    if query.destination.is_none() {
        cx.db.release();
    }
    let mut found = match (&set, query.centre) {
        (Some(set), Some(centre)) => members_inside(set, centre, &query),
        _ => Vec::new(),
    };
    match query.order {
        Some(Order::NearestFirst) => found.sort_by(|a, b| a.distance.total_cmp(&b.distance)),
        Some(Order::FarthestFirst) => found.sort_by(|a, b| b.distance.total_cmp(&a.distance)),
        None => {}
    }
    found.truncate(query.count.unwrap_or(usize::MAX));
    match query.destination {
        Some(destination) => store(cx, destination, form, &query, &found),
        None => write(cx, &query, &found),
    }
    Ok(())
}

/// A member inside the shape.
struct Found<'a> {
    element: Element<'a>,
    point: Point,
    /// From the centre, in metres.
    distance: f64,
}

/// For how many results there is room from the start.
const FOUND_USUALLY: usize = 32;

/// The members inside the shape, cell by cell.
fn members_inside<'a>(set: &'a SortedSet, centre: Point, query: &Query<'_>) -> Vec<Found<'a>> {
    let limit = query.count.filter(|_| query.any).unwrap_or(usize::MAX);
    let area = query.shape.around(centre);
    let mut found = Vec::with_capacity(FOUND_USUALLY.min(set.len()));
    for cell in cover(centre, query.shape) {
        let hashes = cell.hashes();
        let elements = set.range_from_score(|score| score < hashes.start as f64);
        let inside = elements.take_while(|element| element.score < hashes.end as f64).filter_map(
            |element| {
                let point = position(element.score);
                let distance = area.distance(point)?;
                Some(Found { element, point, distance })
            },
        );
        found.extend(inside.take(limit - found.len()));
    }
    found
}

fn write(cx: &mut Cx<'_>, query: &Query<'_>, found: &[Found<'_>]) {
    let shown = [query.with_distance, query.with_hash, query.with_position];
    let parts = shown.into_iter().filter(|&shown| shown).count();
    let reply = &mut *cx.reply;
    reply.array(found.len());
    let mut digits = itoa::Buffer::new();
    for Found { element, point, distance } in found {
        if parts > 0 {
            reply.array(1 + parts);
        }
        reply.bulk(element.member.text(&mut digits));
        if query.with_distance {
            reply.bulk(query.unit.distance(*distance).as_bytes());
        }
        if query.with_hash {
            reply.integer(element.score as i64);
        }
        if query.with_position {
            write_position(reply, *point);
        }
    }
}

/// Makes the results the value of `destination`, or deletes the key if there are none.
fn store(cx: &mut Cx<'_>, destination: &[u8], form: Form, query: &Query<'_>, found: &[Found<'_>]) {
    cx.reply.integer(found.len() as i64);
    if found.is_empty() {
        cx.db.edit(destination).remove(Event::generic("del"));
        return;
    }
    let limits = zset::limits(cx);
    let mut set = SortedSet::default();
    let mut digits = itoa::Buffer::new();
    for Found { element, distance, .. } in found {
        let score =
            if query.store_distance { query.unit.of_metres(*distance) } else { element.score };
        set.insert(element.member.text(&mut digits), score, limits);
    }
    let name = if form == Form::SearchStore { "geosearchstore" } else { "georadiusstore" };
    let mut edit = cx.db.edit(destination);
    edit.set(NewValue::Object(set.into()), Deadline::Clear, zset::event(name));
    // Each member counts as a change; the edit has counted one.
    edit.effects().dirty += found.len() as u64 - 1;
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    fn sicily() -> Bench {
        let mut bench = Bench::new();
        bench.run("GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania");
        bench.clear();
        bench
    }

    #[test]
    fn circles_and_boxes_with_every_part() {
        let mut bench = sicily();
        assert_eq!(
            bench.run("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 100 km WITHHASH WITHDIST WITHCOORD"),
            "*1\r\n*4\r\n$7\r\nCatania\r\n$7\r\n56.4413\r\n:3479447370796909\r\n\
             *2\r\n$18\r\n15.087267458438873\r\n$17\r\n37.50266842333162\r\n"
        );
        let both = "*2\r\n$7\r\nCatania\r\n$7\r\nPalermo\r\n";
        assert_eq!(bench.run("GEOSEARCH g FROMLONLAT 15 37 BYBOX 400 400 KM ASC"), both);
        assert_eq!(bench.run("GEOSEARCH g FROMMEMBER Palermo BYRADIUS 200 km DESC"), both);
        let nearest = "*1\r\n$7\r\nPalermo\r\n";
        assert_eq!(bench.run("GEOSEARCH g FROMMEMBER Palermo BYRADIUS 200 km COUNT 1"), nearest);
        assert_eq!(bench.run("GEOSEARCH none FROMMEMBER x BYRADIUS 200 km"), "*0\r\n");
        assert_eq!(bench.dirty(), 0);
    }

    #[test]
    fn results_are_stored_as_hashes_or_distances() {
        let mut bench = sicily();
        bench.run("SET d x PXAT 4000000000000");
        bench.clear();
        let search = "FROMLONLAT 15 37 BYRADIUS 200 km";
        assert_eq!(bench.run(&format!("GEOSEARCHSTORE d g {search}")), ":2\r\n");
        assert_eq!(bench.run("ZSCORE d Catania"), "$16\r\n3479447370796909\r\n");
        assert_eq!((bench.deadline("d"), bench.dirty()), (None, 2));
        bench.run(&format!("GEOSEARCHSTORE d g {search} STOREDIST"));
        assert!(bench.run("ZSCORE d Catania").contains("56.44125787015"));
        assert_eq!(bench.run("GEOSEARCHSTORE d g FROMLONLAT 1 1 BYRADIUS 1 m"), ":0\r\n");
        assert_eq!(bench.run("GEOSEARCHSTORE d none FROMLONLAT 1 1 BYRADIUS 1 m"), ":0\r\n");
        assert_eq!(bench.events(), ["geosearchstore d", "geosearchstore d", "del d"]);
    }

    #[test]
    fn refusals() {
        let mut bench = sicily();
        for (line, error) in [
            ("FROMMEMBER x BYRADIUS 1 m", "could not decode requested zset member"),
            ("FROMMEMBER Palermo BYRADIUS x m", "need numeric radius"),
            ("FROMMEMBER Palermo BYRADIUS -1 x", "radius cannot be negative"),
            ("FROMMEMBER Palermo BYBOX 1 x m", "need numeric height"),
            ("FROMMEMBER Palermo BYBOX 1 -1 m", "height or width cannot be negative"),
            ("FROMMEMBER Palermo BYRADIUS 1 m ANY", "the ANY argument requires COUNT argument"),
            ("FROMMEMBER Palermo BYRADIUS 1 m COUNT 0", "COUNT must be > 0"),
            ("FROMMEMBER Palermo BYRADIUS 1 m STORE x", "syntax error"),
            ("FROMMEMBER Palermo FROMLONLAT 1 1 BYRADIUS 1 m", "syntax error"),
            ("FROMMEMBER Palermo BYRADIUS 1 m BYBOX 1 1 m", "syntax error"),
            (
                "BYRADIUS 1 m ASC WITHDIST",
                "exactly one of FROMMEMBER or FROMLONLAT can be specified for GEOSEARCH",
            ),
            (
                "FROMMEMBER Palermo ASC DESC ASC",
                "exactly one of BYRADIUS and BYBOX can be specified for GEOSEARCH",
            ),
        ] {
            assert_eq!(bench.run(&format!("GEOSEARCH g {line}")), format!("-ERR {error}\r\n"));
        }
        assert_eq!(
            bench.run("GEOSEARCHSTORE d g FROMLONLAT 1 1 BYRADIUS 1 m WITHDIST"),
            "-ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD \
             options\r\n"
        );
    }
}
