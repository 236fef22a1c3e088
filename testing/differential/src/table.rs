//! The command table of the tester: one row per command, with the shapes of its arguments and the
//! way its replies are compared. A new family is added here and nowhere else.
//!
//! Rows whose command either server lacks are left out of a run. Commands that cannot be streamed
//! are not here: those that end, stall or silence a connection or a server (QUIT, SHUTDOWN, CLIENT
//! PAUSE and REPLY, DEBUG SLEEP, MONITOR) and those that make it speak unasked (CLIENT TRACKING
//! ON, SUBSCRIBE); conformance scripts cover them. CONFIG SET changes only [`PARAMETERS`], which
//! every episode sets back.

use conformance::Version;

use crate::compare::Compare;
use crate::scripts;
use crate::shape::Arg::{self, *};

/// One command, or one form of it.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Its words: the name and, for a container, the subcommand.
    pub words: &'static [&'static str],
    /// The shapes of its arguments.
    pub args: &'static [Arg],
    /// How often it is drawn, relative to the others.
    pub weight: usize,
    /// How the two replies are compared.
    pub compare: Compare,
    /// The first version of the reference that knows this form.
    pub since: Version,
    /// Whether it may wait until another connection serves it: a connection of its own sends it.
    pub waits: bool,
}

const ANY_VERSION: Version = Version(0, 0, 0);

/// A row with the usual weight, whose replies must be the same.
pub const fn row(words: &'static [&'static str], args: &'static [Arg]) -> Row {
    Row { words, args, weight: 4, compare: Compare::Exact, since: ANY_VERSION, waits: false }
}

impl Row {
    /// Drawn so often, relative to the others.
    pub const fn weight(mut self, weight: usize) -> Self {
        self.weight = weight;
        self
    }

    /// Its replies are compared so.
    pub const fn compare(mut self, compare: Compare) -> Self {
        self.compare = compare;
        self
    }

    /// It may wait.
    pub const fn waits(mut self) -> Self {
        self.waits = true;
        self
    }

    /// Left out with older references.
    pub const fn since(mut self, major: u32, minor: u32) -> Self {
        self.since = Version(major, minor, 0);
        self
    }
}

const EXPIRY: &[&[Arg]] = &[
    &[Word("EX"), Seconds],
    &[Word("PX"), Millis],
    &[Word("EXAT"), UnixSeconds],
    &[Word("PXAT"), UnixMillis],
    &[Word("KEEPTTL")],
    &[Word("PERSIST")],
];

const CONDITION: &[&[Arg]] = &[
    &[Word("IFEQ"), Value],
    &[Word("IFNE"), Value],
    &[Word("IFDEQ"), Digest],
    &[Word("IFDNE"), Digest],
];

const SET_OPTIONS: &[&[Arg]] =
    &[&[Word("NX")], &[Word("XX")], &[Word("GET")], &[OneOf(EXPIRY)], &[Word("EX"), Seconds]];

const EXPIRE_OPTIONS: &[&[Arg]] = &[&[Word("NX")], &[Word("XX")], &[Word("GT")], &[Word("LT")]];

const FIELD_OPS: &[&[Arg]] = &[
    &[Word("GET"), FieldType, FieldOffset],
    &[Word("SET"), FieldType, FieldOffset, Int],
    &[Word("INCRBY"), FieldType, FieldOffset, Int],
    &[Word("OVERFLOW"), OneOf(&[&[Word("WRAP")], &[Word("SAT")], &[Word("FAIL")], &[Value]])],
];

const RANGE_UNIT: &[&[Arg]] = &[&[], &[Word("BYTE")], &[Word("BIT")], &[Value]];

const BITOPS: &[&[Arg]] =
    &[&[Word("AND")], &[Word("OR")], &[Word("XOR")], &[Word("NOT")], &[Value]];

const NEWER_BITOPS: &[&[Arg]] =
    &[&[Word("DIFF")], &[Word("DIFF1")], &[Word("ANDOR")], &[Word("ONE")]];

const SCAN_OPTIONS: &[&[Arg]] =
    &[&[Word("MATCH"), Glob], &[Word("TYPE"), OneOf(&[&[Word("string")], &[Word("list")]])]];

const RESTORE_TIMES: &[&[Arg]] = &[&[Word("0")], &[Word("0")], &[Millis], &[UnixMillis]];

const RESTORE_OPTIONS: &[&[Arg]] = &[
    &[Word("REPLACE")],
    &[Word("REPLACE")],
    &[Word("ABSTTL")],
    &[Word("IDLETIME"), Int],
    &[Word("FREQ"), Int],
];

const ELEMENT_SCAN_OPTIONS: &[&[Arg]] = &[&[Word("MATCH"), Glob], &[Word("COUNT"), Word("1000")]];

/// Patterns of keys: some lead to strings, some to fields of hashes, some nowhere.
const SORT_PATTERNS: Arg =
    OneOf(&[&[Word("*")], &[Word("*->f")], &[Word("none_*")], &[Word("#")], &[Word("nosort")]]);

/// What equal weights leave open differs when texts are weights, so `ALPHA` is without `BY`.
const SORT_OPTIONS: &[&[Arg]] = &[
    &[OneOf(&[&[Word("ALPHA")], &[Word("ALPHA")], &[Word("BY"), Word("nosort")]])],
    &[Word("DESC")],
    &[Word("GET"), SORT_PATTERNS],
    &[Word("STORE")],
];

/// Sets have no order that both servers share: what is stored must be sorted.
const SORT_STORE_OPTIONS: &[&[Arg]] = &[
    &[Word("DESC")],
    &[Word("LIMIT"), SMALL_INDEX, SMALL_COUNT],
    &[Word("GET"), Word("#")],
    &[Word("GET"), SORT_PATTERNS],
];

const LCS_OPTIONS: &[&[Arg]] =
    &[&[Word("LEN")], &[Word("IDX")], &[Word("MINMATCHLEN"), Int], &[Word("WITHMATCHLEN")]];

const INCREX_OPTIONS: &[&[Arg]] = &[
    &[Word("BYINT"), Int],
    &[Word("BYFLOAT"), Float],
    &[Word("LBOUND"), Int],
    &[Word("UBOUND"), Int],
    &[Word("SATURATE")],
    &[Word("ENX")],
    &[OneOf(EXPIRY)],
];

const LIST_ENDS: &[&[Arg]] =
    &[&[Word("LEFT")], &[Word("RIGHT")], &[Word("LEFT")], &[Word("RIGHT")], &[Value]];

/// How long a command may wait that finds nothing: for a moment, since nobody comes to serve it.
pub const TIMEOUTS: [&str; 5] = ["0.01", "0.002", "-1", "nan", "abc"];
const TIMEOUT: Arg =
    OneOf(&[&[Word("0.01")], &[Word("0.002")], &[Word("-1")], &[Word("nan")], &[Word("abc")]]);

const LINSERT_SIDES: &[&[Arg]] = &[&[Word("BEFORE")], &[Word("AFTER")]];

/// An element of a list or a set: of few, so that equal ones meet, or any.
const ELEMENT: Arg = OneOf(&[&[Index], &[Index], &[Value]]);

/// A count of elements, whose negative is a number too.
const SMALL_COUNT: Arg = OneOf(&[
    &[Word("0")],
    &[Word("1")],
    &[Word("2")],
    &[Word("-1")],
    &[Word("-3")],
    &[Word("100")],
    &[Word("9223372036854775807")],
    &[Word("99999999999999999999")],
    &[Word("x")],
]);

/// An index of a list. Redis 7.2 and Valkey cut that of LSET to 32 bits if the list is short.
const SMALL_INDEX: Arg = OneOf(&[
    &[Word("0")],
    &[Word("1")],
    &[Word("-1")],
    &[Word("-2")],
    &[Word("100")],
    &[Word("-100")],
    &[Word("9223372036854775808")],
    &[Word("x")],
]);

const LMPOP_OPTIONS: &[&[Arg]] = &[&[Word("COUNT"), SMALL_COUNT], &[Word("COUNT"), SMALL_COUNT]];

const ZMPOP_ENDS: &[&[Arg]] = &[&[Word("MIN")], &[Word("MAX")], &[Value]];

const ZMPOP_OPTIONS: &[&[Arg]] = &[&[Word("COUNT"), SMALL_COUNT]];

const LPOS_OPTIONS: &[&[Arg]] =
    &[&[Word("RANK"), SMALL_COUNT], &[Word("COUNT"), SMALL_COUNT], &[Word("MAXLEN"), SMALL_COUNT]];

/// Ids of stream entries: few, so that commands meet each other's, and some that are none. No `*`:
/// the time would be in the reply.
const ENTRY_ID: Arg = OneOf(&[
    &[Word("1-1")],
    &[Word("2-*")],
    &[Word("3")],
    &[Word("3-5")],
    &[Word("4-*")],
    &[Word("5-0")],
    &[Word("6-*")],
    &[Word("7-7")],
    &[Word("8-*")],
    &[Word("9-18446744073709551615")],
    &[Word("10-*")],
    &[Word("11-*")],
    &[Word("0-0")],
    &[Value],
]);

const STREAM_ID: Arg = OneOf(&[
    &[Word("0")],
    &[Word("1-1")],
    &[Word("2-0")],
    &[Word("2")],
    &[Word("3-5")],
    &[Word("4-0")],
    &[Word("5-0")],
    &[Word("6-0")],
    &[Word("8-0")],
    &[Word("10-1")],
    &[Word("11-0")],
    &[Word("x-1")],
]);

const STREAM_END: Arg = OneOf(&[
    &[Word("-")],
    &[Word("+")],
    &[Word("-")],
    &[Word("+")],
    &[Word("(3")],
    &[Word("(5-0")],
    &[Word("(-")],
    &[STREAM_ID],
    &[STREAM_ID],
]);

const STREAM_TRIM: &[&[Arg]] = &[
    &[Word("MAXLEN"), SMALL_COUNT],
    &[Word("MAXLEN"), Word("="), SMALL_COUNT],
    &[Word("MAXLEN"), Word("~"), SMALL_COUNT],
    &[Word("MAXLEN"), Word("~"), SMALL_COUNT, Word("LIMIT"), SMALL_COUNT],
    &[Word("MINID"), STREAM_ID],
    &[Word("MINID"), Word("~"), STREAM_ID],
];

const XADD_OPTIONS: &[&[Arg]] = &[&[Word("NOMKSTREAM")], &[OneOf(STREAM_TRIM)]];

const XREAD_OPTIONS: &[&[Arg]] = &[&[Word("COUNT"), SMALL_COUNT], &[Word("COUNT"), Int]];

/// Without an end.
const BLOCK: Arg = OneOf(&[&[Word("BLOCK"), Word("0")]]);

const READ_ID: Arg = OneOf(&[&[Word("$")], &[Word("$")], &[STREAM_ID]]);

const STREAM_GROUP: Arg = OneOf(&[&[Word("g")], &[Word("h")]]);

const CONSUMER: Arg = OneOf(&[&[Word("c")], &[Word("d")]]);

const XCLAIM_OPTIONS: &[&[Arg]] = &[
    &[Word("FORCE")],
    &[Word("JUSTID")],
    &[Word("IDLE"), SMALL_COUNT],
    &[Word("RETRYCOUNT"), SMALL_COUNT],
    &[Word("LASTID"), STREAM_ID],
];
/// A position with its member.
const PLACE: &[Arg] = &[Float, Float, Value];

/// Fields of a hash, as the commands on their deadlines name them; sometimes miscounted.
const FIELDS: &[&[Arg]] = &[
    &[Word("FIELDS"), Word("1"), Value],
    &[Word("FIELDS"), Word("1"), Value],
    &[Word("FIELDS"), Word("2"), Value, Value],
    &[Word("FIELDS"), Word("3"), Value, Value, Value],
    &[Word("FIELDS"), Int, Repeat(0, 2, &[Value])],
];

const FIELDS_AND_VALUES: &[&[Arg]] = &[
    &[Word("FIELDS"), Word("1"), Value, Value],
    &[Word("FIELDS"), Word("2"), Value, Value, Value, Value],
    &[Word("FIELDS"), Int, Repeat(0, 3, &[Value])],
];

const LENGTH_UNIT: &[&[Arg]] =
    &[&[Word("m")], &[Word("km")], &[Word("ft")], &[Word("mi")], &[Value]];

const GEO_CENTRE: &[&[Arg]] = &[&[Word("FROMMEMBER"), Value], &[Word("FROMLONLAT"), Float, Float]];

const GEO_SHAPE: &[&[Arg]] = &[
    &[Word("BYRADIUS"), Float, OneOf(LENGTH_UNIT)],
    &[Word("BYBOX"), Float, Float, OneOf(LENGTH_UNIT)],
];

/// Without an order and a count: which of several equally distant members come first is open.
const GEO_OPTIONS: &[&[Arg]] = &[&[Word("WITHCOORD")], &[Word("WITHDIST")], &[Word("WITHHASH")]];

/// A score whose sums and products print alike in all versions.
const SCORE: Arg = OneOf(&[
    &[Word("0")],
    &[Word("1")],
    &[Word("1")],
    &[Word("2")],
    &[Word("-1.5")],
    &[Word("0.25")],
    &[Word("100")],
    &[Word("inf")],
    &[Word("-inf")],
    &[Float],
]);

const ZADD_OPTIONS: &[&[Arg]] =
    &[&[Word("NX")], &[Word("XX")], &[Word("GT")], &[Word("LT")], &[Word("CH")], &[Word("INCR")]];

const SCORE_BOUND: Arg = OneOf(&[
    &[Word("-inf")],
    &[Word("+inf")],
    &[Word("(1")],
    &[Word("(")],
    &[Word("-1.5")],
    &[Word("(inf")],
    &[SCORE],
]);

const MEMBER_BOUND: Arg = OneOf(&[
    &[Word("-")],
    &[Word("+")],
    &[Word("[1")],
    &[Word("(2")],
    &[Word("[")],
    &[Word("(-1")],
    &[Value],
]);

const RANGE_OPTIONS: &[&[Arg]] =
    &[&[Word("LIMIT"), SMALL_COUNT, SMALL_COUNT], &[Word("WITHSCORES")]];

const ZRANGE_OPTIONS: &[&[Arg]] = &[
    &[Word("LIMIT"), SMALL_COUNT, SMALL_COUNT],
    &[Word("WITHSCORES")],
    &[Word("REV")],
    &[Word("BYSCORE")],
];

const COMBINE_OPTIONS: &[&[Arg]] = &[
    &[Word("WEIGHTS"), SCORE, SCORE],
    &[Word("AGGREGATE"), OneOf(&[&[Word("SUM")], &[Word("MIN")], &[Word("MAX")], &[Value]])],
    &[Word("WITHSCORES")],
];

/// The parameters that a stream may change, with the value that an episode starts from. None of
/// them decides about encodings or about what is kept.
pub const PARAMETERS: &[(&str, &str)] = &[
    ("hz", "10"),
    ("lazyfree-lazy-user-del", "no"),
    ("lfu-log-factor", "10"),
    ("latency-monitor-threshold", "0"),
    ("maxmemory", "0"),
    ("maxmemory-policy", "noeviction"),
    ("maxmemory-samples", "5"),
    ("notify-keyspace-events", ""),
    ("proto-max-bulk-len", "512mb"),
    ("slowlog-log-slower-than", "10000"),
    ("tracking-table-max-keys", "1000000"),
];

const SETTINGS: &[&[Arg]] = &[
    &[Word("hz"), OneOf(&[&[Word("10")], &[Word("100")], &[Word("501")], &[Word("x")]])],
    &[Word("lazyfree-lazy-user-del"), OneOf(&[&[Word("yes")], &[Word("no")], &[Word("1")]])],
    &[Word("lfu-log-factor"), OneOf(&[&[Word("0")], &[Word("10")], &[Word("-1")]])],
    &[Word("latency-monitor-threshold"), OneOf(&[&[Word("0")], &[Word("100")], &[Word("1.5")]])],
    &[Word("maxmemory"), OneOf(&[&[Word("100gb")], &[Word("0")], &[Word("7t")], &[Word("")]])],
    &[
        Word("maxmemory-policy"),
        OneOf(&[&[Word("noeviction")], &[Word("allkeys-lru")], &[Word("volatile-ttl")], &[Value]]),
    ],
    &[Word("maxmemory-samples"), OneOf(&[&[Word("3")], &[Word("64")], &[Word("-7")]])],
    &[
        Word("notify-keyspace-events"),
        OneOf(&[&[Word("KEA")], &[Word("Ex$g")], &[Word("")], &[Word("?")]]),
    ],
    &[Word("proto-max-bulk-len"), OneOf(&[&[Word("512mb")], &[Word("1mb")], &[Word("1023k")]])],
    &[Word("slowlog-log-slower-than"), OneOf(&[&[Word("10000")], &[Word("-1")]])],
    &[Word("tracking-table-max-keys"), OneOf(&[&[Word("1000000")], &[Word("0")]])],
    &[Word("databases"), Word("16")],
    &[Word("no-such-parameter"), Value],
];

const SETTING_NAMES: &[&[Arg]] = &[
    &[Word("hz")],
    &[Word("lazyfree-lazy-user-del")],
    &[Word("lfu-log-factor")],
    &[Word("latency-monitor-threshold")],
    &[Word("maxmemory")],
    &[Word("maxmemory-policy")],
    &[Word("maxmemory-samples")],
    &[Word("notify-keyspace-events")],
    &[Word("proto-max-bulk-len")],
    &[Word("slowlog-log-slower-than")],
    &[Word("tracking-table-max-keys")],
    &[Word("databases")],
    &[Word("maxmemory-pol*")],
    &[Word("no-such-parameter")],
    &[Value],
];

/// Commands whose COMMAND INFO is asked for.
const NAMES: &[&[Arg]] = &[
    &[Word("append")],
    &[Word("bitfield")],
    &[Word("bitop")],
    &[Word("client|kill")],
    &[Word("config|get")],
    &[Word("copy")],
    &[Word("del")],
    &[Word("exec")],
    &[Word("get")],
    &[Word("getex")],
    &[Word("hello")],
    &[Word("incrbyfloat")],
    &[Word("keys")],
    &[Word("lcs")],
    &[Word("move")],
    &[Word("mset")],
    &[Word("object|encoding")],
    &[Word("pfadd")],
    &[Word("pfcount")],
    &[Word("pfdebug")],
    &[Word("pfmerge")],
    &[Word("rename")],
    &[Word("scan")],
    &[Word("select")],
    &[Word("set")],
    &[Word("swapdb")],
    &[Word("unlink")],
    &[Word("watch")],
    &[Value],
];

/// Requests whose keys are asked for.
const WITH_KEYS: &[&[Arg]] = &[
    &[Word("SET"), Key, Value, Options(SET_OPTIONS)],
    &[Word("BITOP"), OneOf(BITOPS), Key, Repeat(0, 3, &[Key])],
    &[Word("MSET"), Repeat(1, 4, &[Key, Value])],
    &[Word("DEL"), Repeat(1, 4, &[Key])],
    &[Word("COPY"), Key, Key],
    &[Word("PFMERGE"), Key, Repeat(0, 2, &[Key])],
    &[Word("RENAME"), Key, Key],
    &[Word("LCS"), Key, Key, Options(LCS_OPTIONS)],
    &[Word("OBJECT"), Word("ENCODING"), Key],
    &[Word("MEMORY"), Word("USAGE"), Key],
    &[Word("BITFIELD"), Key, Word("GET"), FieldType, FieldOffset],
    &[Word("BITFIELD"), Key, Word("SET"), FieldType, FieldOffset, Int],
    &[Word("PING"), Value],
    &[Word("EXEC"), Value],
    &[Word("SELECT"), Db],
    &[Word("NOSUCHCOMMAND"), Key],
];

const TRACKING_OPTIONS: &[&[Arg]] = &[
    &[Word("BCAST")],
    &[Word("PREFIX"), Value],
    &[Word("OPTIN")],
    &[Word("OPTOUT")],
    &[Word("NOLOOP")],
    &[Word("REDIRECT"), Word("999999999")],
];

/// Every row.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    TABLE.iter().chain(scripts::TABLE)
}

const TABLE: &[Row] = &[
    // Strings.
    row(&["APPEND"], &[Key, Value]),
    row(&["DECR"], &[Key]),
    row(&["DECRBY"], &[Key, Int]),
    row(&["DELEX"], &[Key, Options(CONDITION)]),
    row(&["DIGEST"], &[Key]),
    row(&["GET"], &[Key]).weight(10),
    row(&["GETDEL"], &[Key]),
    row(&["GETEX"], &[Key, Options(EXPIRY)]),
    row(&["GETRANGE"], &[Key, Index, Index]),
    row(&["GETSET"], &[Key, Value]),
    row(&["INCR"], &[Key]),
    row(&["INCRBY"], &[Key, Int]),
    row(&["INCRBYFLOAT"], &[Key, Float]),
    row(&["INCREX"], &[Key, Options(INCREX_OPTIONS)]),
    row(&["LCS"], &[Key, Key, Options(LCS_OPTIONS)]).weight(1),
    row(&["MGET"], &[Repeat(1, 5, &[Key])]),
    row(&["MSET"], &[Repeat(1, 4, &[Key, Value])]),
    row(&["MSETEX"], &[Int, Repeat(1, 4, &[Key, Value]), Options(SET_OPTIONS)]),
    row(&["MSETEX"], &[Word("2"), Key, Value, Key, Value, Options(SET_OPTIONS)]),
    row(&["MSETNX"], &[Repeat(1, 3, &[Key, Value])]),
    row(&["PSETEX"], &[Key, Millis, Value]),
    row(&["SET"], &[Key, Value]).weight(16),
    row(&["SET"], &[Key, Value, Options(SET_OPTIONS)]).weight(16),
    row(&["SET"], &[Key, Value, Options(SET_OPTIONS), Options(CONDITION)]).since(8, 4),
    row(&["SETEX"], &[Key, Seconds, Value]),
    row(&["SETNX"], &[Key, Value]),
    row(&["SETRANGE"], &[Key, Offset, Value]),
    row(&["STRLEN"], &[Key]),
    row(&["SUBSTR"], &[Key, Index, Index]),
    // Bitmaps.
    row(&["BITCOUNT"], &[Key]),
    row(&["BITCOUNT"], &[Key, Index, Index, OneOf(RANGE_UNIT)]),
    row(&["BITFIELD"], &[Key, Repeat(1, 4, &[OneOf(FIELD_OPS)])]).weight(8),
    row(&["BITFIELD_RO"], &[Key, Repeat(0, 3, &[OneOf(FIELD_OPS)])]),
    row(&["BITOP"], &[OneOf(BITOPS), Key, Repeat(1, 3, &[Key])]),
    row(&["BITOP"], &[OneOf(NEWER_BITOPS), Key, Repeat(1, 3, &[Key])]).since(8, 2),
    row(&["BITPOS"], &[Key, Bit]),
    row(&["BITPOS"], &[Key, Bit, Index]),
    row(&["BITPOS"], &[Key, Bit, Index, Index, OneOf(RANGE_UNIT)]),
    row(&["GETBIT"], &[Key, BitOffset]),
    row(&["SETBIT"], &[Key, BitOffset, Bit]),
    // Geospatial indexes.
    row(
        &["GEOADD"],
        &[Key, Options(&[&[Word("NX")], &[Word("XX")], &[Word("CH")]]), Repeat(1, 3, PLACE)],
    )
    .weight(8),
    row(&["GEODIST"], &[Key, Value, Value, OneOf(LENGTH_UNIT)]),
    row(&["GEOHASH"], &[Key, Repeat(0, 3, &[Value])]),
    row(&["GEOPOS"], &[Key, Repeat(0, 3, &[Value])]).compare(Compare::Coordinates),
    row(&["GEORADIUS"], &[Key, Float, Float, Float, OneOf(LENGTH_UNIT)]),
    row(&["GEORADIUSBYMEMBER"], &[Key, Value, Float, OneOf(LENGTH_UNIT)]),
    row(&["GEORADIUSBYMEMBER_RO"], &[Key, Value, Float, OneOf(LENGTH_UNIT)]),
    row(&["GEORADIUS_RO"], &[Key, Float, Float, Float, OneOf(LENGTH_UNIT)]),
    row(&["GEOSEARCH"], &[Key, OneOf(GEO_CENTRE), OneOf(GEO_SHAPE), Options(GEO_OPTIONS)])
        .compare(Compare::Coordinates)
        .weight(8),
    row(&["GEOSEARCHSTORE"], &[Key, Key, OneOf(GEO_CENTRE), OneOf(GEO_SHAPE)]),
    // Sets.
    row(&["SADD"], &[Key, Repeat(1, 12, &[Value])]).weight(12),
    row(&["SADD"], &[Key, Repeat(1, 6, &[Int])]).weight(6),
    row(&["SCARD"], &[Key]),
    row(&["SDIFF"], &[Repeat(1, 4, &[Key])]).compare(Compare::Unordered),
    row(&["SDIFFSTORE"], &[Key, Repeat(1, 3, &[Key])]),
    row(&["SINTER"], &[Repeat(1, 3, &[Key])]).compare(Compare::Unordered),
    row(&["SINTERCARD"], &[Word("2"), Key, Key, Options(&[&[Word("LIMIT"), Int]])]),
    row(&["SINTERCARD"], &[Int, Repeat(1, 3, &[Key])]).weight(1),
    row(&["SINTERSTORE"], &[Key, Repeat(1, 3, &[Key])]),
    row(&["SISMEMBER"], &[Key, Value]),
    row(&["SMEMBERS"], &[Key]).compare(Compare::Unordered),
    row(&["SMISMEMBER"], &[Key, Repeat(1, 5, &[Value])]),
    row(&["SMOVE"], &[Key, Key, Value]),
    // Which member goes is chance: a count that takes them all leaves nothing to it.
    row(&["SPOP"], &[Key, Word("9223372036854775807")]).compare(Compare::Unordered).weight(1),
    row(&["SPOP"], &[Key, Word("0")]).weight(1),
    row(&["SRANDMEMBER"], &[Key]).compare(Compare::Presence).weight(1),
    row(&["SRANDMEMBER"], &[Key, Word("1000000")]).compare(Compare::Unordered).weight(1),
    row(&["SRANDMEMBER"], &[Key, Word("3")]).compare(Compare::Presence).weight(1),
    row(&["SREM"], &[Key, Repeat(1, 5, &[Value])]),
    row(&["SSCAN"], &[Key, Word("0"), Options(ELEMENT_SCAN_OPTIONS)]).compare(Compare::Scan),
    row(&["SUNION"], &[Repeat(1, 3, &[Key])]).compare(Compare::Unordered),
    row(&["SUNIONSTORE"], &[Key, Repeat(1, 3, &[Key])]),
    // Hashes.
    row(&["HDEL"], &[Key, Repeat(1, 4, &[Value])]),
    row(&["HEXISTS"], &[Key, Value]),
    row(&["HGET"], &[Key, Value]),
    row(&["HGETALL"], &[Key]).compare(Compare::Pairs),
    row(&["HINCRBY"], &[Key, Value, Int]).weight(6),
    row(&["HINCRBYFLOAT"], &[Key, Value, Float]).weight(6),
    row(&["HKEYS"], &[Key]).compare(Compare::Unordered),
    row(&["HLEN"], &[Key]),
    row(&["HMGET"], &[Key, Repeat(1, 4, &[Value])]),
    row(&["HMSET"], &[Key, Repeat(1, 3, &[Value, Value])]),
    row(&["HRANDFIELD"], &[Key]).compare(Compare::Presence).weight(1),
    row(&["HRANDFIELD"], &[Key, Word("1000000")]).compare(Compare::Unordered).weight(1),
    row(&["HRANDFIELD"], &[Key, Word("-3"), Options(&[&[Word("WITHVALUES")]])])
        .compare(Compare::Presence)
        .weight(1),
    row(&["HSCAN"], &[Key, Word("0"), Options(ELEMENT_SCAN_OPTIONS)]).compare(Compare::Scan),
    row(&["HSET"], &[Key, Repeat(1, 8, &[Value, Value])]).weight(12),
    row(&["HSET"], &[Key, Repeat(1, 4, &[Value, Int])]).weight(6),
    row(&["HSETNX"], &[Key, Value, Value]),
    row(&["HSTRLEN"], &[Key, Value]),
    row(&["HVALS"], &[Key]).compare(Compare::Unordered),
    // Deadlines of fields.
    row(&["HEXPIRE"], &[Key, Seconds, Options(EXPIRE_OPTIONS), OneOf(FIELDS)]),
    row(&["HEXPIREAT"], &[Key, UnixSeconds, Options(EXPIRE_OPTIONS), OneOf(FIELDS)]).weight(8),
    row(&["HEXPIRETIME"], &[Key, OneOf(FIELDS)]).compare(Compare::Seconds),
    row(&["HGETDEL"], &[Key, OneOf(FIELDS)]),
    row(&["HGETEX"], &[Key, Options(&[&[OneOf(EXPIRY)]]), OneOf(FIELDS)]),
    row(&["HPERSIST"], &[Key, OneOf(FIELDS)]),
    row(&["HPEXPIRE"], &[Key, Millis, Options(EXPIRE_OPTIONS), OneOf(FIELDS)]),
    row(&["HPEXPIREAT"], &[Key, UnixMillis, Options(EXPIRE_OPTIONS), OneOf(FIELDS)]).weight(8),
    row(&["HPEXPIRETIME"], &[Key, OneOf(FIELDS)]).compare(Compare::Millis),
    row(&["HPTTL"], &[Key, OneOf(FIELDS)]).compare(Compare::Millis),
    row(
        &["HSETEX"],
        &[
            Key,
            Options(&[&[OneOf(&[&[Word("FNX")], &[Word("FXX")]])], &[OneOf(EXPIRY)]]),
            OneOf(FIELDS_AND_VALUES),
        ],
    )
    .weight(8),
    row(&["HTTL"], &[Key, OneOf(FIELDS)]).compare(Compare::Seconds),
    // HyperLogLogs.
    row(&["PFADD"], &[Key, Repeat(0, 6, &[Value])]).weight(6),
    row(&["PFADD"], &[Key, Repeat(200, 400, &[Value])]).weight(1),
    row(&["PFCOUNT"], &[Repeat(1, 3, &[Key])]).weight(6),
    row(&["PFDEBUG", "DECODE"], &[Key]).weight(1),
    row(&["PFDEBUG", "ENCODING"], &[Key]).weight(1),
    row(&["PFDEBUG", "GETREG"], &[Key]).weight(1),
    row(&["PFDEBUG", "TODENSE"], &[Key]).weight(1),
    row(&["PFMERGE"], &[Key, Repeat(0, 3, &[Key])]),
    // Keys.
    row(&["COPY"], &[Key, Key, Options(&[&[Word("DB"), Db], &[Word("REPLACE")]])]),
    row(&["DEL"], &[Repeat(1, 2, &[Key])]),
    row(&["DUMP"], &[Key]).compare(Compare::Payload),
    row(&["EXISTS"], &[Repeat(1, 4, &[Key])]),
    row(&["EXPIRE"], &[Key, Seconds, Options(EXPIRE_OPTIONS)]),
    row(&["EXPIREAT"], &[Key, UnixSeconds, Options(EXPIRE_OPTIONS)]),
    row(&["EXPIRETIME"], &[Key]).compare(Compare::Seconds),
    row(&["KEYS"], &[Glob]).compare(Compare::Unordered).weight(1),
    row(&["MOVE"], &[Key, Db]),
    row(&["OBJECT", "ENCODING"], &[Key]).weight(10),
    row(&["OBJECT", "FREQ"], &[Key]).weight(1),
    row(&["OBJECT", "IDLETIME"], &[Key]).compare(Compare::Seconds).weight(1),
    row(&["OBJECT", "REFCOUNT"], &[Key]).compare(Compare::Type).weight(1),
    row(&["PERSIST"], &[Key]),
    row(&["PEXPIRE"], &[Key, Millis, Options(EXPIRE_OPTIONS)]),
    row(&["PEXPIREAT"], &[Key, UnixMillis, Options(EXPIRE_OPTIONS)]),
    row(&["PEXPIRETIME"], &[Key]).compare(Compare::Millis),
    row(&["PTTL"], &[Key]).compare(Compare::Millis),
    row(&["RANDOMKEY"], &[]).compare(Compare::Type).weight(1),
    row(&["RENAME"], &[Key, Key]),
    row(&["RENAMENX"], &[Key, Key]),
    row(&["RESTORE"], &[Key, OneOf(RESTORE_TIMES), Payload, Options(RESTORE_OPTIONS)]),
    row(&["SCAN"], &[Word("0"), Word("COUNT"), Word("1000"), Options(SCAN_OPTIONS)])
        .compare(Compare::Scan)
        .weight(1),
    row(&["SORT"], &[Key, Options(SORT_OPTIONS)]).compare(Compare::Unordered).weight(6),
    row(&["SORT"], &[Key, Word("ALPHA"), Options(SORT_STORE_OPTIONS), Word("STORE"), Key]),
    row(&["SORT_RO"], &[Key, Options(SORT_OPTIONS)]).compare(Compare::Unordered),
    row(&["SCAN"], &[Word("x"), Options(SCAN_OPTIONS)]).compare(Compare::Scan).weight(1),
    row(&["TOUCH"], &[Repeat(1, 3, &[Key])]),
    row(&["TTL"], &[Key]).compare(Compare::Seconds),
    row(&["TYPE"], &[Key]),
    row(&["UNLINK"], &[Repeat(1, 2, &[Key])]),
    // Lists.
    row(&["LINDEX"], &[Key, Index]),
    row(&["LINSERT"], &[Key, OneOf(LINSERT_SIDES), ELEMENT, ELEMENT]).weight(8),
    row(&["LLEN"], &[Key]),
    row(&["BLMOVE"], &[Key, Key, OneOf(LIST_ENDS), OneOf(LIST_ENDS), TIMEOUT]).weight(2),
    row(&["BLMPOP"], &[TIMEOUT, Word("1"), Key, OneOf(LIST_ENDS), Options(LMPOP_OPTIONS)])
        .weight(1),
    row(&["BLMPOP"], &[TIMEOUT, Word("2"), Key, Key, OneOf(LIST_ENDS), Options(LMPOP_OPTIONS)])
        .weight(1),
    row(&["BLPOP"], &[Repeat(1, 3, &[Key]), TIMEOUT]).weight(2),
    row(&["BRPOP"], &[Repeat(1, 3, &[Key]), TIMEOUT]).weight(2),
    row(&["BRPOPLPUSH"], &[Key, Key, TIMEOUT]).weight(1),
    row(&["LMOVE"], &[Key, Key, OneOf(LIST_ENDS), OneOf(LIST_ENDS)]).weight(8),
    row(&["LMPOP"], &[Word("1"), Key, OneOf(LIST_ENDS), Options(LMPOP_OPTIONS)]).weight(2),
    row(&["LMPOP"], &[Word("2"), Key, Key, OneOf(LIST_ENDS), Options(LMPOP_OPTIONS)]).weight(2),
    row(&["LMPOP"], &[Int, Repeat(1, 3, &[Key]), OneOf(LIST_ENDS)]).weight(2),
    row(&["LPOP"], &[Key]),
    row(&["LPOP"], &[Key, SMALL_COUNT]),
    row(&["LPOS"], &[Key, ELEMENT, Options(LPOS_OPTIONS)]).weight(8),
    row(&["LPUSH"], &[Key, Repeat(1, 4, &[ELEMENT])]).weight(16),
    row(&["LPUSHX"], &[Key, Repeat(1, 2, &[ELEMENT])]),
    row(&["LRANGE"], &[Key, Index, Index]).weight(8),
    row(&["LREM"], &[Key, SMALL_COUNT, ELEMENT]).weight(8),
    row(&["LREM"], &[Key, Int, ELEMENT]).since(7, 2),
    row(&["LSET"], &[Key, SMALL_INDEX, ELEMENT]).weight(8),
    row(&["LTRIM"], &[Key, Index, Index]).weight(2),
    row(&["RPOP"], &[Key]),
    row(&["RPOP"], &[Key, SMALL_COUNT]),
    row(&["RPOPLPUSH"], &[Key, Key]),
    row(&["RPUSH"], &[Key, Repeat(1, 4, &[ELEMENT])]).weight(16),
    row(&["RPUSHX"], &[Key, Repeat(1, 2, &[ELEMENT])]),
    // Streams.
    row(&["XACK"], &[Key, STREAM_GROUP, Repeat(1, 3, &[STREAM_ID])]),
    row(&["XADD"], &[Key, ENTRY_ID, Repeat(1, 3, &[Value, Value])]).weight(16),
    row(&["XADD"], &[Key, Options(XADD_OPTIONS), ENTRY_ID, Repeat(1, 2, &[Value, Value])])
        .weight(8),
    row(
        &["XAUTOCLAIM"],
        &[Key, STREAM_GROUP, CONSUMER, Word("0"), STREAM_END, Options(XREAD_OPTIONS)],
    ),
    row(
        &["XCLAIM"],
        &[
            Key,
            STREAM_GROUP,
            CONSUMER,
            OneOf(&[&[Word("0")], &[Word("1000000")], &[Int]]),
            Repeat(1, 3, &[STREAM_ID]),
            Options(XCLAIM_OPTIONS),
        ],
    )
    .weight(8),
    row(&["XDEL"], &[Key, Repeat(1, 3, &[STREAM_ID])]),
    row(
        &["XGROUP", "CREATE"],
        &[Key, STREAM_GROUP, OneOf(&[&[Word("$")], &[STREAM_ID]]), Options(&[&[Word("MKSTREAM")]])],
    )
    .weight(8),
    row(&["XGROUP", "CREATE"], &[Key, STREAM_GROUP, STREAM_ID, Word("ENTRIESREAD"), SMALL_COUNT]),
    row(&["XGROUP", "CREATECONSUMER"], &[Key, STREAM_GROUP, CONSUMER]).weight(2),
    row(&["XGROUP", "DELCONSUMER"], &[Key, STREAM_GROUP, CONSUMER]).weight(1),
    row(&["XGROUP", "DESTROY"], &[Key, STREAM_GROUP]).weight(1),
    row(&["XGROUP", "HELP"], &[]).compare(Compare::Type).weight(1),
    row(&["XGROUP", "SETID"], &[Key, STREAM_GROUP, STREAM_ID]).weight(2),
    row(&["XINFO", "GROUPS"], &[Key]),
    row(&["XINFO", "HELP"], &[]).compare(Compare::Type).weight(1),
    row(&["XINFO", "STREAM"], &[Key]),
    row(&["XLEN"], &[Key]),
    row(&["XPENDING"], &[Key, STREAM_GROUP]).weight(8),
    row(&["XPENDING"], &[Key, STREAM_GROUP, STREAM_END, STREAM_END, Word("0")]).weight(1),
    row(&["XRANGE"], &[Key, STREAM_END, STREAM_END, Options(XREAD_OPTIONS)]).weight(8),
    row(&["XREAD"], &[Options(XREAD_OPTIONS), Word("STREAMS"), Key, STREAM_ID]),
    row(&["XREAD"], &[Word("STREAMS"), Key, Key, STREAM_ID, OneOf(&[&[Word("$")], &[STREAM_ID]])]),
    row(
        &["XREADGROUP"],
        &[
            Word("GROUP"),
            STREAM_GROUP,
            CONSUMER,
            Options(XREAD_OPTIONS),
            Options(&[&[Word("NOACK")]]),
            Word("STREAMS"),
            Key,
            OneOf(&[&[Word(">")], &[Word(">")], &[STREAM_ID]]),
        ],
    )
    .weight(12),
    row(&["XREVRANGE"], &[Key, STREAM_END, STREAM_END, Options(XREAD_OPTIONS)]).weight(8),
    row(
        &["XSETID"],
        &[
            Key,
            STREAM_ID,
            Options(&[&[Word("ENTRIESADDED"), SMALL_COUNT], &[Word("MAXDELETEDID"), STREAM_ID]]),
        ],
    )
    .weight(1),
    row(&["XTRIM"], &[Key, OneOf(STREAM_TRIM)]).weight(2),
    // Sorted sets.
    row(&["ZADD"], &[Key, Repeat(1, 4, &[SCORE, ELEMENT])]).weight(16),
    row(&["ZADD"], &[Key, Options(ZADD_OPTIONS), Repeat(1, 3, &[SCORE, ELEMENT])])
        .compare(Compare::Scores)
        .weight(6),
    row(&["ZCARD"], &[Key]),
    row(&["ZCOUNT"], &[Key, SCORE_BOUND, SCORE_BOUND]),
    row(&["ZDIFF"], &[Word("2"), Key, Key, Options(&[&[Word("WITHSCORES")]])])
        .compare(Compare::Scores),
    row(&["ZDIFFSTORE"], &[Key, Word("2"), Key, Key]),
    row(&["ZINCRBY"], &[Key, SCORE, ELEMENT]).compare(Compare::Scores),
    row(&["ZINTER"], &[Word("2"), Key, Key, Options(COMBINE_OPTIONS)]).compare(Compare::Scores),
    row(&["ZINTERCARD"], &[Word("2"), Key, Key, Options(&[&[Word("LIMIT"), SMALL_COUNT]])]),
    row(&["ZINTERSTORE"], &[Key, Word("2"), Key, Key, Options(COMBINE_OPTIONS)]).weight(2),
    row(&["ZLEXCOUNT"], &[Key, MEMBER_BOUND, MEMBER_BOUND]).compare(Compare::Type),
    row(&["BZMPOP"], &[TIMEOUT, Word("2"), Key, Key, OneOf(ZMPOP_ENDS)])
        .compare(Compare::Scores)
        .weight(1),
    row(&["BZPOPMAX"], &[Repeat(1, 3, &[Key]), TIMEOUT]).compare(Compare::Scores).weight(1),
    row(&["BZPOPMIN"], &[Repeat(1, 3, &[Key]), TIMEOUT]).compare(Compare::Scores).weight(1),
    row(&["ZMPOP"], &[Word("2"), Key, Key, OneOf(ZMPOP_ENDS), Options(ZMPOP_OPTIONS)])
        .compare(Compare::Scores),
    row(&["ZMSCORE"], &[Key, Repeat(1, 3, &[ELEMENT])]).compare(Compare::Scores),
    row(&["ZPOPMAX"], &[Key, Options(&[&[SMALL_COUNT]])]).compare(Compare::Scores),
    row(&["ZPOPMIN"], &[Key, Options(&[&[SMALL_COUNT]])]).compare(Compare::Scores),
    row(&["ZRANDMEMBER"], &[Key, OneOf(&[&[], &[Word("2")], &[Word("-3"), Word("WITHSCORES")]])])
        .compare(Compare::Type),
    row(&["ZRANGE"], &[Key, SMALL_INDEX, SMALL_INDEX, Options(ZRANGE_OPTIONS)])
        .compare(Compare::Scores)
        .weight(8),
    row(&["ZRANGE"], &[Key, SCORE_BOUND, SCORE_BOUND, Word("BYSCORE"), Options(ZRANGE_OPTIONS)])
        .compare(Compare::Scores),
    row(&["ZRANGEBYSCORE"], &[Key, SCORE_BOUND, SCORE_BOUND, Options(RANGE_OPTIONS)])
        .compare(Compare::Scores),
    row(&["ZRANGESTORE"], &[Key, Key, SMALL_INDEX, SMALL_INDEX, Options(ZRANGE_OPTIONS)]),
    row(&["ZRANK"], &[Key, ELEMENT]),
    row(&["ZREM"], &[Key, Repeat(1, 3, &[ELEMENT])]),
    row(&["ZREMRANGEBYRANK"], &[Key, SMALL_INDEX, SMALL_INDEX]).weight(2),
    row(&["ZREMRANGEBYSCORE"], &[Key, SCORE_BOUND, SCORE_BOUND]).weight(2),
    row(&["ZREVRANGE"], &[Key, SMALL_INDEX, SMALL_INDEX, Options(RANGE_OPTIONS)])
        .compare(Compare::Scores),
    row(&["ZREVRANGEBYSCORE"], &[Key, SCORE_BOUND, SCORE_BOUND, Options(RANGE_OPTIONS)])
        .compare(Compare::Scores),
    row(&["ZREVRANK"], &[Key, ELEMENT]),
    row(
        &["ZSCAN"],
        &[Key, Word("0"), Options(&[&[Word("MATCH"), Glob], &[Word("COUNT"), Word("999")]])],
    )
    .compare(Compare::Type),
    row(&["ZSCORE"], &[Key, ELEMENT]).compare(Compare::Scores),
    row(&["ZUNION"], &[Word("2"), Key, Key, Options(COMBINE_OPTIONS)]).compare(Compare::Scores),
    row(&["ZUNIONSTORE"], &[Key, Word("2"), Key, Key, Options(COMBINE_OPTIONS)]).weight(2),
    // By member, of sets whose scores are all the same; of others the result is not defined.
    row(&["ZADD"], &[Word("77"), Repeat(1, 4, &[Word("0"), ELEMENT])]),
    row(&["ZRANGEBYLEX"], &[Word("77"), MEMBER_BOUND, MEMBER_BOUND, Options(RANGE_OPTIONS)]),
    row(&["ZREVRANGEBYLEX"], &[Word("77"), MEMBER_BOUND, MEMBER_BOUND, Options(RANGE_OPTIONS)]),
    row(&["ZREMRANGEBYLEX"], &[Word("77"), MEMBER_BOUND, MEMBER_BOUND]).weight(2),
    row(&["ZLEXCOUNT"], &[Word("77"), MEMBER_BOUND, MEMBER_BOUND]),
    // Commands that wait, for as long as it takes: the other connections serve them, or the key
    // goes, or the next of these comes. With several keys they differ in Redis 7.0: see
    // `explained`.
    row(&["BLMOVE"], &[Key, Key, OneOf(LIST_ENDS), OneOf(LIST_ENDS), Word("0")]).weight(2).waits(),
    row(&["BLMPOP"], &[Word("0"), Word("1"), Key, OneOf(LIST_ENDS), Options(LMPOP_OPTIONS)])
        .weight(2)
        .waits(),
    row(&["BLMPOP"], &[Word("0"), Word("2"), Key, Key, OneOf(LIST_ENDS), Options(LMPOP_OPTIONS)])
        .weight(2)
        .since(7, 2)
        .waits(),
    row(&["BLPOP"], &[Key, Word("0")]).weight(2).waits(),
    row(&["BLPOP"], &[Repeat(2, 3, &[Key]), Word("0")]).weight(2).since(7, 2).waits(),
    row(&["BRPOP"], &[Key, Word("0")]).weight(2).waits(),
    row(&["BRPOP"], &[Repeat(2, 3, &[Key]), Word("0")]).weight(2).since(7, 2).waits(),
    row(&["BRPOPLPUSH"], &[Key, Key, Word("0")]).weight(1).waits(),
    row(&["BZMPOP"], &[Word("0"), Word("1"), Key, OneOf(ZMPOP_ENDS), Options(ZMPOP_OPTIONS)])
        .compare(Compare::Scores)
        .weight(2)
        .waits(),
    row(&["BZMPOP"], &[Word("0"), Word("2"), Key, Key, OneOf(ZMPOP_ENDS), Options(ZMPOP_OPTIONS)])
        .compare(Compare::Scores)
        .weight(2)
        .since(7, 2)
        .waits(),
    row(&["BZPOPMAX"], &[Key, Word("0")]).compare(Compare::Scores).weight(2).waits(),
    row(&["BZPOPMAX"], &[Repeat(2, 3, &[Key]), Word("0")])
        .compare(Compare::Scores)
        .weight(2)
        .since(7, 2)
        .waits(),
    row(&["BZPOPMIN"], &[Key, Word("0")]).compare(Compare::Scores).weight(2).waits(),
    row(&["XREAD"], &[BLOCK, Options(XREAD_OPTIONS), Word("STREAMS"), Key, READ_ID])
        .weight(3)
        .waits(),
    row(&["XREAD"], &[BLOCK, Word("STREAMS"), Key, Key, READ_ID, READ_ID])
        .weight(2)
        .since(7, 2)
        .waits(),
    row(
        &["XREADGROUP"],
        &[
            Word("GROUP"),
            STREAM_GROUP,
            CONSUMER,
            BLOCK,
            Options(XREAD_OPTIONS),
            Options(&[&[Word("NOACK")]]),
            Word("STREAMS"),
            Key,
            OneOf(&[&[Word(">")], &[Word(">")], &[Word(">")], &[STREAM_ID]]),
        ],
    )
    .weight(4)
    .waits(),
    // Other types, for WRONGTYPE; dropped while the subject has them not.
    row(&["SADD"], &[Key, Repeat(1, 3, &[Value])]).weight(1),
    row(&["HSET"], &[Key, Value, Value]).weight(1),
    // Transactions.
    row(&["DISCARD"], &[]).weight(1),
    row(&["EXEC"], &[]).weight(6),
    row(&["MULTI"], &[]).weight(3),
    row(&["UNWATCH"], &[]).weight(1),
    row(&["WATCH"], &[Repeat(1, 2, &[Key])]).weight(2),
    // Connection.
    row(&["AUTH"], &[Value]).weight(1),
    row(&["CLIENT", "CACHING"], &[OneOf(&[&[Word("YES")], &[Word("NO")], &[Value]])]).weight(1),
    row(&["CLIENT", "GETNAME"], &[]).weight(1),
    row(&["CLIENT", "GETREDIR"], &[]).weight(1),
    row(&["CLIENT", "HELP"], &[]).compare(Compare::Type).weight(1),
    row(&["CLIENT", "ID"], &[]).compare(Compare::Type).weight(1),
    row(&["CLIENT", "INFO"], &[]).compare(Compare::Type).weight(1),
    row(&["CLIENT", "KILL"], &[OneOf(&[&[Word("192.0.2.1:1")], &[Word("ADDR"), Value]])]).weight(1),
    row(&["CLIENT", "KILL"], &[Word("TYPE"), Word("pubsub"), Word("LADDR"), Value]).weight(1),
    row(&["CLIENT", "LIST"], &[Options(&[&[Word("ID"), Int], &[Word("TYPE"), Value]])])
        .compare(Compare::Type)
        .weight(1),
    row(&["CLIENT", "NO-EVICT"], &[OneOf(&[&[Word("ON")], &[Word("OFF")], &[Value]])]).weight(1),
    // Not ON: Redis 8.0 crashes when such a client serves one that waits.
    row(&["CLIENT", "NO-TOUCH"], &[OneOf(&[&[Word("OFF")], &[Value]])]).weight(1).since(7, 2),
    row(
        &["CLIENT", "SETINFO"],
        &[OneOf(&[&[Word("LIB-NAME")], &[Word("LIB-VER")], &[Value]]), Value],
    )
    .weight(1)
    .since(7, 2),
    row(&["CLIENT", "SETNAME"], &[Value]).weight(1),
    row(&["CLIENT", "TRACKING"], &[Word("OFF"), Options(TRACKING_OPTIONS)]).weight(1),
    row(&["CLIENT", "TRACKINGINFO"], &[]).weight(1),
    row(
        &["CLIENT", "UNBLOCK"],
        &[Int, OneOf(&[&[], &[Word("TIMEOUT")], &[Word("ERROR")], &[Value]])],
    )
    .weight(1),
    row(&["CLIENT", "UNPAUSE"], &[]).weight(1),
    row(&["ECHO"], &[Value]).weight(1),
    row(&["HELLO"], &[OneOf(&[&[Word("2")], &[Word("3")], &[Int], &[]])])
        .compare(Compare::Hello)
        .weight(1),
    row(&["PING"], &[Repeat(0, 2, &[Value])]).weight(1),
    row(&["RESET"], &[]).weight(1),
    row(&["SELECT"], &[Db]).weight(3),
    // Server.
    row(&["COMMAND", "COUNT"], &[]).compare(Compare::Type).weight(1),
    row(&["COMMAND", "DOCS"], &[Repeat(1, 2, &[OneOf(NAMES)])]).compare(Compare::Type).weight(1),
    row(&["COMMAND", "GETKEYS"], &[OneOf(WITH_KEYS)]).weight(3),
    row(&["COMMAND", "GETKEYSANDFLAGS"], &[OneOf(WITH_KEYS)]).weight(2),
    row(&["COMMAND", "INFO"], &[Repeat(1, 3, &[OneOf(NAMES)])])
        .compare(Compare::CommandInfo)
        .weight(2),
    row(
        &["COMMAND", "LIST"],
        &[OneOf(&[&[], &[Word("FILTERBY"), Word("PATTERN"), Glob], &[Value]])],
    )
    .compare(Compare::Type)
    .weight(1),
    row(&["CONFIG", "GET"], &[Repeat(1, 3, &[OneOf(SETTING_NAMES)])])
        .compare(Compare::Pairs)
        .weight(3),
    row(&["CONFIG", "RESETSTAT"], &[]).weight(1),
    row(&["CONFIG", "REWRITE"], &[]).weight(1),
    // Pairs, because a spoiled one may be a CONFIG GET.
    row(&["CONFIG", "SET"], &[Repeat(1, 3, &[OneOf(SETTINGS)])]).compare(Compare::Pairs).weight(3),
    row(&["DBSIZE"], &[]).weight(2),
    row(&["FLUSHALL"], &[OneOf(&[&[], &[Word("SYNC")], &[Word("ASYNC")], &[Value]])]).weight(1),
    row(&["FLUSHDB"], &[OneOf(&[&[], &[Word("SYNC")], &[Word("ASYNC")], &[Value]])]).weight(1),
    row(&["INFO"], &[Options(&[&[Word("keyspace")], &[Word("server")]])])
        .compare(Compare::Type)
        .weight(1),
    row(&["LASTSAVE"], &[]).compare(Compare::Type).weight(1),
    row(&["MEMORY", "USAGE"], &[Key, Options(&[&[Word("SAMPLES"), Int]])])
        .compare(Compare::Type)
        .weight(1),
    row(&["ROLE"], &[]).compare(Compare::Type).weight(1),
    row(&["SWAPDB"], &[Db, Db]).weight(1),
    row(&["TIME"], &[]).compare(Compare::Type).weight(1),
    row(&["NOSUCHCOMMAND"], &[Repeat(0, 3, &[Value])]).weight(1),
];
