//! The rows of scripts, functions and messages.
//!
//! Scripts call commands whose replies are certain, with arguments from the stream; what they
//! return goes through every conversion that there is. Nobody subscribes in a stream, so messages
//! reach nobody.

use crate::compare::Compare;
use crate::shape::Arg::{self, *};
use crate::table::{Row, row};

/// What scripts call.
const CALL: Arg = OneOf(&[
    &[Word("APPEND"), Key, Value],
    &[Word("BLPOP"), Key, Word("0")],
    &[Word("CONFIG"), Word("GET"), Word("hz")],
    &[Word("COPY"), Key, Key],
    &[Word("DEL"), Key],
    &[Word("ECHO"), Value],
    &[Word("EVAL"), Text("return 1"), Word("0")],
    &[Word("EXEC")],
    &[Word("EXISTS"), Key, Key],
    &[Word("EXPIRE"), Key, Seconds],
    &[Word("GET"), Key],
    &[Word("HGET"), Key, Value],
    &[Word("HSET"), Key, Value, Value],
    &[Word("INCRBYFLOAT"), Key, Float],
    &[Word("LPUSH"), Key, Value, Value],
    &[Word("LRANGE"), Key, Word("0"), Word("2")],
    &[Word("MULTI")],
    &[Word("NOSUCHCOMMAND"), Value],
    &[Word("OBJECT"), Word("ENCODING"), Key],
    &[Word("PING")],
    &[Word("PUBLISH"), Value, Value],
    &[Word("SELECT"), Db],
    &[Word("SET"), Key, Value],
    &[Word("SET"), Key],
    &[Word("SUBSCRIBE"), Value],
    &[Word("TYPE"), Key],
    &[Word("XADD"), Key, Word("*")],
    &[Word("ZADD"), Key, Float, Value],
    &[Word("ZRANGE"), Key, Word("0"), Word("-1"), Word("WITHSCORES")],
    &[Word("ZSCORE"), Key, Value],
    &[Value],
]);

/// Scripts that call what their arguments say. All that they change is in the log.
const CALLERS: &[&[Arg]] = &[
    &[Text("return redis.call(unpack(ARGV))")],
    &[Text("return redis.pcall(unpack(ARGV))")],
    &[Text("redis.setresp(3) return redis.pcall(unpack(ARGV))")],
    &[Text("redis.setresp(3) local r = redis.call(unpack(ARGV)) return {type(r), r}")],
    &[Text("local r = redis.pcall(unpack(ARGV)) return {type(r), r}")],
    &[Text("local r = redis.pcall(unpack(ARGV)) return r.err or r.ok or r[1]")],
    &[Text("redis.call('set', KEYS[1], 1) return redis.call(unpack(ARGV))")],
    &[Text("return {pcall(redis.call, unpack(ARGV))}")],
    &[Text("#!lua\nreturn redis.call(unpack(ARGV))")],
    &[Text("#!lua flags=no-writes\nreturn redis.call(unpack(ARGV))")],
    &[Text("#!lua flags=allow-cross-slot-keys,allow-oom\nreturn redis.call(unpack(ARGV))")],
    &[Text("return redis.acl_check_cmd(unpack(ARGV))")],
];

/// Scripts that make something of an argument.
const MAKERS: &[&[Arg]] = &[
    &[Text("return redis.call('get', KEYS[1])")],
    &[Text("return {ARGV, KEYS, #ARGV, 3.7, false, true, {err='ERR e'}, {ok='fine'}}")],
    &[Text("return tonumber(ARGV[1])")],
    &[Text("return tostring(tonumber(ARGV[1]))")],
    &[Text("return {double=math.max(-7.25, tonumber(ARGV[1]) or 0)}")],
    &[Text("return {map={[ARGV[1]]=KEYS}}")],
    &[Text("return {set={[ARGV[1]]=true}}")],
    &[Text("return {big_number='-123456789012345678901234567890'}")],
    &[Text("return {verbatim_string={format='txt', string=ARGV[1]}}")],
    &[Text("return cjson.encode({ARGV, tonumber(ARGV[1])})")],
    &[Text("return cjson.encode(cjson.decode(ARGV[1]))")],
    &[Text("return cmsgpack.pack(ARGV, tonumber(ARGV[1]))")],
    &[Text("return {cmsgpack.unpack(ARGV[1])}")],
    &[Text("return struct.pack('>I2s', ARGV[1], ARGV[1])")],
    &[Text("return {struct.unpack('<I2', ARGV[1])}")],
    &[Text("return bit.tohex(ARGV[1])")],
    &[Text("return bit.lshift(ARGV[1], 3)")],
    &[Text("return redis.sha1hex(ARGV[1])")],
    &[Text("return string.format('%s|%q|%5.3s', ARGV[1], ARGV[1], ARGV[1])")],
    &[Text("return string.format('%d|%5.2f|%g|%x', ARGV[1], ARGV[1], ARGV[1], ARGV[1])")],
    &[Text("return {string.find(ARGV[1], '(%w+)')}")],
    &[Text("return {string.byte(ARGV[1], 1, 5)}")],
    &[Text("return ARGV[1] + 1")],
    &[Text("return ARGV[1] .. nil")],
    &[Text("return redis.error_reply(ARGV[1])")],
    &[Text("return redis.status_reply(ARGV[1])")],
    &[Text("error(ARGV[1])")],
    &[Text("error({err=ARGV[1]})")],
    &[Text("return nosuch")],
    &[Text("nosuch = ARGV[1]")],
    &[Text("return {redis.log(redis.LOG_DEBUG, ARGV[1])}")],
    &[Text("return loadstring(ARGV[1])")],
    &[Text("return redis.replicate_commands()")],
    &[Text(
        "for i, v in ipairs(redis.call('lrange', KEYS[1], 0, 2)) do redis.call('set', v, i) end",
    )],
    &[Value],
];

const NAMES: Arg = OneOf(&[&[Text("f1")], &[Text("F2")], &[Text("f3")], &[Value]]);

const LIBRARIES: Arg = OneOf(&[
    &[Text(
        "#!lua name=one\nredis.register_function('f1', function(keys, args) \
            return redis.call('get', keys[1]) end)",
    )],
    &[Text(
        "#!lua name=one\nredis.register_function{function_name='f1', \
            callback=function(keys, args) return {keys, args} end, flags={'no-writes'}}",
    )],
    &[Text(
        "#!lua name=two\nredis.register_function('f2', function(keys, args) \
            return redis.call(unpack(args)) end)",
    )],
    &[Text(
        "#!lua name=three\nredis.register_function('f2', function() return 2 end) \
            redis.register_function('f3', function() return 3 end)",
    )],
    &[Text("#!lua name=bad\nredis.register_function('f1'")],
    &[Text("#!lua name=bad\nreturn 1")],
    &[Text("#!lua name=bad\nredis.call('get', 'x')")],
    &[Text("#!nosuch name=one\nx")],
    &[Value],
]);

const DIGESTS: Arg = OneOf(&[
    &[Word("e0e1f9fabfc9d4800c877a703b823ac0578ff8db")],
    &[Word("4e6d8fc8bb01276962cce5371fa795a7763657ae")],
    &[Value],
]);

/// The libraries that a stream may load.
pub const LIBRARY_NAMES: [&str; 3] = ["one", "two", "three"];

const FLUSHES: &[&[Arg]] = &[&[Word("SYNC")], &[Word("ASYNC")]];

/// Every row. Redis 7.0 has other words for some errors. FUNCTION FLUSH is not among them: it may
/// crash Redis 8.0.
pub const TABLE: &[Row] = &[
    row(&["EVAL"], &[OneOf(CALLERS), Word("1"), Key, CALL]).weight(8).since(8, 0),
    row(&["EVAL"], &[OneOf(MAKERS), Word("1"), Key, Value]).weight(8).since(8, 0),
    row(&["EVAL"], &[OneOf(MAKERS), Word("1"), Key, Float]).since(8, 0),
    row(&["EVAL_RO"], &[OneOf(CALLERS), Word("1"), Key, CALL]).since(8, 0),
    row(&["EVALSHA"], &[DIGESTS, Word("1"), Key, Value]).weight(2).since(8, 0),
    row(&["EVALSHA_RO"], &[DIGESTS, Word("1"), Key]).weight(1).since(8, 0),
    row(&["FCALL"], &[NAMES, Word("1"), Key, CALL]).since(8, 0),
    row(&["FCALL_RO"], &[NAMES, Word("1"), Key, CALL]).weight(2).since(8, 0),
    row(&["FUNCTION", "DELETE"], &[OneOf(&[&[Text("one")], &[Text("two")], &[Value]])])
        .weight(1)
        .since(8, 0),
    row(&["FUNCTION", "DUMP"], &[]).compare(Compare::Type).weight(1).since(8, 0),
    row(&["FUNCTION", "KILL"], &[]).weight(1).since(8, 0),
    row(
        &["FUNCTION", "LIST"],
        &[
            Word("LIBRARYNAME"),
            OneOf(&[&[Text("one")], &[Text("t*o")]]),
            Options(&[&[Word("WITHCODE")]]),
        ],
    )
    .weight(2)
    .since(8, 0),
    row(&["FUNCTION", "LOAD"], &[Options(&[&[Word("REPLACE")]]), LIBRARIES]).weight(2).since(8, 0),
    row(&["FUNCTION", "STATS"], &[]).weight(1).since(8, 0),
    row(&["SCRIPT", "EXISTS"], &[Repeat(1, 3, &[DIGESTS])]).weight(1).since(8, 0),
    row(&["SCRIPT", "FLUSH"], &[Options(FLUSHES)]).weight(1).since(8, 0),
    row(&["SCRIPT", "KILL"], &[]).weight(1).since(8, 0),
    row(&["SCRIPT", "LOAD"], &[OneOf(&[&[Text("return 1")], &[Text("return")], &[Value]])])
        .weight(1)
        .since(8, 0),
    row(&["PUBLISH"], &[Value, Value]).weight(2),
    row(&["PUBSUB", "CHANNELS"], &[Options(&[&[Glob]])]).weight(1),
    row(&["PUBSUB", "NUMPAT"], &[]).weight(1),
    row(&["PUBSUB", "NUMSUB"], &[Repeat(0, 3, &[Value])]).weight(1),
    row(&["PUBSUB", "SHARDCHANNELS"], &[Options(&[&[Glob]])]).weight(1),
    row(&["PUBSUB", "SHARDNUMSUB"], &[Repeat(0, 3, &[Value])]).weight(1),
    row(&["SPUBLISH"], &[Value, Value]).weight(1),
];
