"""HyperLogLog and geo: counts that agree to the unit, distances that agree to the last digit."""

PLACES = [
    (13.361389, 38.115556, "Palermo"), (15.087269, 37.502669, "Catania"),
    (12.758489, 38.788135, "edge"),
]


def run(c):
    hyperloglog(c)
    places(c)
    searching(c)
    old_forms(c)


def hyperloglog(c):
    r = c.r
    r.flushall()
    c.eq(r.pfadd("p", "a", "b", "c"), 1)
    c.eq(r.pfadd("p", "a"), 0)
    c.eq(r.pfadd("empty"), 1)
    c.eq(r.pfcount("p"), 3)
    c.eq(r.pfcount("none"), 0)
    r.pfadd("q", "c", "d")
    c.eq(r.pfcount("p", "q"), 4)
    c.eq(r.pfmerge("m", "p", "q"), True)
    c.eq(r.pfcount("m"), 4)
    for start in range(0, 100_000, 10_000):
        r.pfadd("big", *range(start, start + 10_000))
    # The estimate is a function of the members alone, the same on every server.
    c.eq(r.pfcount("big"), 99_565)
    r.set("text", "x")
    c.error("WRONGTYPE Key is not a valid HyperLogLog string value.", r.pfcount, "text")
    r.delete("list")
    r.rpush("list", "x")
    c.wrong_type("list", "PFADD x", "PFCOUNT")


def places(c):
    r = c.r
    c.eq(r.geoadd("g", [x for place in PLACES for x in place]), 3)
    c.eq(r.geoadd("g", PLACES[0], nx=True), 0)
    c.eq(r.geoadd("g", (13.4, 38.1, "Palermo"), xx=True, ch=True), 1)
    c.eq(r.geoadd("g", PLACES[0], ch=True), 1)
    c.eq(r.geodist("g", "Palermo", "Catania"), 166274.1516)
    c.eq(r.geodist("g", "Palermo", "Catania", unit="km"), 166.2742)
    c.eq(r.geodist("g", "Palermo", "none"), None)
    c.raw(b"103.3182", "GEODIST", "g", "Palermo", "Catania", "mi")
    c.eq([hash_ if isinstance(hash_, bytes) or hash_ is None else hash_.encode()
          for hash_ in r.geohash("g", "Palermo", "Catania", "none")],
         [b"sqc8b49rny0", b"sqdtr74hyu0", None])
    c.eq([tuple(at) if at else None for at in r.geopos("g", "Palermo", "none")],
         [(13.361389338970184, 38.1155563954963), None])
    c.eq(r.zscore("g", "Palermo"), 3479099956230698.0)
    c.error(
        "invalid longitude,latitude pair 200.000000,10.000000", r.geoadd, "g", (200, 10, "x")
    )
    c.error(
        "unsupported unit provided. please use M, KM, FT, MI",
        r.execute_command, "GEODIST", "g", "Palermo", "Catania", "parsec",
    )


def searching(c):
    r = c.r
    near = {"longitude": 15, "latitude": 37, "unit": "km"}
    c.eq(r.geosearch("g", radius=200, sort="ASC", **near), [b"Catania", b"Palermo"])
    c.eq(r.geosearch("g", radius=200, sort="DESC", count=1, **near), [b"Palermo"])
    c.eq(r.geosearch("g", width=400, height=400, sort="ASC", **near),
         [b"Catania", b"Palermo", b"edge"])
    c.eq(r.geosearch("g", member="Palermo", radius=1, unit="m"), [b"Palermo"])
    c.eq(r.geosearch("none", radius=200, **near), [])
    rows = r.geosearch("g", radius=100, withdist=True, withhash=True, withcoord=True, **near)
    name, distance, cell, position = rows[0]
    c.eq((name, distance, cell), (b"Catania", 56.4413, 3479447370796909))
    c.eq(tuple(position), (15.087267458438873, 37.50266842333162))
    c.eq(r.geosearchstore("to", "g", radius=200, **near), 2)
    c.eq(r.zcard("to"), 2)
    c.eq(r.geosearchstore("to", "g", radius=100, storedist=True, **near), 1)
    c.eq(r.zscore("to", "Catania"), 56.4412578701582)
    c.error(
        "could not decode requested zset member", r.geosearch, "g", member="none", radius=1
    )


def old_forms(c):
    r = c.r
    c.eq(r.georadius("g", 15, 37, 200, unit="km", sort="ASC"), [b"Catania", b"Palermo"])
    c.eq(r.georadiusbymember("g", "Catania", 10, unit="km"), [b"Catania"])
    c.eq(r.georadius("g", 15, 37, 200, unit="km", store="kept"), 2)
    c.eq(r.zcard("kept"), 2)
    c.eq(r.execute_command("GEORADIUS_RO", "g", 15, 37, 200, "km", "COUNT", 1, "ASC"), [b"Catania"])
