//! Members by name: `GEOPOS`, `GEOHASH`, `GEODIST`.

use collections::sorted_set::SortedSet;
use command::{Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, Spec};
use resp::Reply;
use stdx::geo::{self, Point};

use super::unit::Unit;
use super::{ONE_READ, position};
use crate::zset;

/// `GEOPOS key [member ...]`.
pub(super) static GEOPOS: DataCommand = DataCommand::new(
    Spec::new(
        "geopos",
        Group::Geo,
        "3.2.0",
        -2,
        "O(1) for each member asked for.",
        "Returns the positions of members as longitude and latitude.",
    )
    .acl(Categories::GEO)
    .flags(Flags::READONLY)
    .keys(ONE_READ)
    .args(&[Arg::key("key", 0), Arg::string("member").optional().multiple()]),
    |cx| {
        each(cx, |reply, point| match point {
            Some(point) => write_position(reply, point),
            None => reply.null_array(),
        })
    },
);

/// `GEOHASH key [member ...]`.
pub(super) static GEOHASH: DataCommand = DataCommand::new(
    Spec::new(
        "geohash",
        Group::Geo,
        "3.2.0",
        -2,
        "O(1) for each member asked for.",
        "Returns the positions of members as standard geohash strings.",
    )
    .acl(Categories::GEO)
    .flags(Flags::READONLY)
    .keys(ONE_READ)
    .args(&[Arg::key("key", 0), Arg::string("member").optional().multiple()]),
    |cx| {
        each(cx, |reply, point| match point {
            Some(point) => reply.bulk(&point.text()),
            None => reply.null(),
        })
    },
);

/// `GEODIST key member1 member2 [M | KM | FT | MI]`.
pub(super) static GEODIST: DataCommand = DataCommand::new(
    Spec::new(
        "geodist",
        Group::Geo,
        "3.2.0",
        -4,
        "O(1)",
        "Returns the distance between two members.",
    )
    .acl(Categories::GEO)
    .flags(Flags::READONLY)
    .keys(ONE_READ)
    .args(&[
        Arg::key("key", 0),
        Arg::string("member1"),
        Arg::string("member2"),
        Arg::one_of("unit", Unit::ARGS).optional(),
    ]),
    run_distance,
);

/// Replies with something for each member.
fn each(cx: &mut Cx<'_>, write: fn(&mut Reply, Option<Point>)) -> Result<(), CommandError> {
    let members = cx.args.tail(2);
    let set = cx.db.get::<SortedSet>(cx.arg(1)?)?;
    cx.reply.array(members.len());
    zset::scores(set, members).for_each(|score| write(cx.reply, score.map(position)));
    Ok(())
}

/// Writes a position as a pair.
pub(super) fn write_position(reply: &mut Reply, point: Point) {
    reply.array(2);
    // Zero has no sign.
    reply.double(point.longitude + 0.0);
    reply.double(point.latitude + 0.0);
}

fn run_distance(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let unit = match cx.args.len() {
        4 => Unit::METRE,
        5 => Unit::parse(cx.arg(4)?)?,
        _ => return Err(CommandError::SYNTAX),
    };
    let members = [cx.arg(2)?, cx.arg(3)?];
    let set = cx.db.get::<SortedSet>(cx.arg(1)?)?;
    let points = members.map(|member| set.and_then(|set| set.score(member)).map(position));
    match points {
        [Some(a), Some(b)] => cx.reply.bulk(unit.distance(geo::distance(a, b)).as_bytes()),
        _ => cx.reply.null(),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    fn sicily() -> Bench {
        let mut bench = Bench::new();
        bench.run("GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania");
        bench
    }

    #[test]
    fn positions_in_both_versions() {
        let mut bench = sicily();
        assert_eq!(
            bench.run("GEOPOS g Palermo x"),
            "*2\r\n*2\r\n$18\r\n13.361389338970184\r\n$16\r\n38.1155563954963\r\n*-1\r\n"
        );
        assert_eq!(bench.run("GEOPOS none x"), "*1\r\n*-1\r\n");
        bench.run("GEOADD g 180 -85.05112878 corner");
        bench.resp3();
        assert_eq!(
            bench.run("GEOPOS g corner x"),
            "*2\r\n*2\r\n,180\r\n,-85.05112751263943\r\n_\r\n"
        );
    }

    #[test]
    fn standard_hashes() {
        let mut bench = sicily();
        assert_eq!(bench.run("GEOHASH g Palermo x"), "*2\r\n$11\r\nsqc8b49rny0\r\n$-1\r\n");
        assert_eq!(bench.run("GEOHASH g"), "*0\r\n");
    }

    #[test]
    fn distances() {
        let mut bench = sicily();
        for (unit, distance) in [
            ("", "166274.1516"),
            ("m", "166274.1516"),
            ("KM", "166.2742"),
            ("ft", "545518.8700"),
            ("mi", "103.3182"),
        ] {
            let reply = bench.run(&format!("GEODIST g Palermo Catania {unit}"));
            assert_eq!(reply, format!("${}\r\n{distance}\r\n", distance.len()), "{unit}");
        }
        assert_eq!(bench.run("GEODIST g Palermo x"), "$-1\r\n");
        assert_eq!(bench.run("GEODIST none a b"), "$-1\r\n");
        let unit = "-ERR unsupported unit provided. please use M, KM, FT, MI\r\n";
        assert_eq!(bench.run("GEODIST none a b x"), unit);
        assert_eq!(bench.run("GEODIST g a b m x"), "-ERR syntax error\r\n");
    }

    #[test]
    fn scores_that_are_no_hash_are_positions_too() {
        let mut bench = Bench::new();
        bench.run("ZADD g -1 a inf b 1e300 c 0.5 d");
        for member in ["a", "b", "c", "d"] {
            assert!(bench.run(&format!("GEOPOS g {member}")).starts_with("*1\r\n*2\r\n"));
        }
    }
}
