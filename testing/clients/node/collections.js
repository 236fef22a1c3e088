// The commands of lists, sets, hashes, sorted sets, streams, HyperLogLog, geo and waiting that both
// Node clients send as they are: [command line, reply], in order, on an empty keyspace.
//
// Where the two protocols differ a reply says so: `double` is a text over RESP2, `scored` and
// `nested` are flat lists over RESP2, `pairs` is a map over RESP3; a `set` has no order.
'use strict';

const WRONG_TYPE = {
  error: 'WRONGTYPE Operation against a key holding the wrong kind of value',
};
const NOT_INTEGER = { error: 'ERR value is not an integer or out of range' };
const NOT_FLOAT = { error: 'ERR value is not a valid float' };
const SYNTAX = { error: 'ERR syntax error' };
const NOT_POSITIVE = { error: 'ERR value is out of range, must be positive' };
const double = (text) => ({ double: text });
const scored = (...rows) => ({ scored: rows });
const set = (...members) => ({ set: members });

const LISTS = [
  ['RPUSH l a b c', 3], ['LPUSH l x y', 5], ['LRANGE l 0 -1', ['y', 'x', 'a', 'b', 'c']],
  ['LPUSHX none a', 0], ['RPUSHX l d', 6], ['LLEN l', 6], ['LINDEX l 2', 'a'], ['LINDEX l 9', null],
  ['LSET l 0 Y', 'OK'], ['LSET l 9 Y', { error: 'ERR index out of range' }],
  ['LSET none 0 Y', { error: 'ERR no such key' }], ['LINSERT l BEFORE a A', 7],
  ['LINSERT l AFTER none A', -1], ['LREM l 0 A', 1], ['LPOP l', 'Y'], ['RPOP l', 'd'],
  ['LPOP l 2', ['x', 'a']], ['LPOP none', null], ['LPOP none 2', null], ['LPOP l -1', NOT_POSITIVE],
  ['RPUSH l b z b', 5], ['LPOS l b', 0], ['LPOS l b RANK -1', 4], ['LPOS l b COUNT 0', [0, 2, 4]],
  ['LPOS l q', null], ['LTRIM l 1 3', 'OK'], ['LRANGE l 0 -1', ['c', 'b', 'z']],
  ['RPOPLPUSH l m', 'z'], ['LMOVE l m LEFT RIGHT', 'c'], ['LMOVE none m LEFT LEFT', null],
  ['LRANGE m 0 -1', ['z', 'c']], ['LMPOP 2 none m RIGHT COUNT 5', ['m', ['c', 'z']]],
  ['LMPOP 1 none LEFT', null], ['LMPOP 0 l LEFT',
    { error: 'ERR numkeys should be greater than 0' }],
  ['LRANGE l a b', NOT_INTEGER], ['LMOVE l m UP LEFT', SYNTAX],
];

const SETS = [
  ['SADD s a b c a', 3], ['SADD s c d', 1], ['SCARD s', 4], ['SISMEMBER s a', 1],
  ['SISMEMBER none a', 0], ['SMISMEMBER s a z', [1, 0]], ['SMEMBERS s', set('a', 'b', 'c', 'd')],
  ['SMEMBERS none', set()], ['SREM s a z', 1], ['SMOVE s t b', 1], ['SMOVE s t b', 0],
  ['SADD t c e', 2], ['SINTER s t', set('c')], ['SUNION s t', set('b', 'c', 'd', 'e')],
  ['SDIFF s t', set('d')], ['SINTERSTORE u s t', 1], ['SUNIONSTORE u s t', 4],
  ['SDIFFSTORE u s t', 1], ['SINTERCARD 2 s t', 1], ['SINTERCARD 2 s t LIMIT 0', 1],
  ['SPOP u', 'd'], ['EXISTS u', 0], ['SPOP none', null], ['SRANDMEMBER none', null],
  ['SRANDMEMBER none 3', []], ['SRANDMEMBER t 9', set('b', 'c', 'e')],
  ['SPOP t 9', set('b', 'c', 'e')],
  ['SADD i 3 1 2', 3], ['OBJECT ENCODING i', 'intset'], ['SSCAN i 0', ['0', ['1', '2', '3']]],
  ['SSCAN i x', { error: 'ERR invalid cursor' }], ['SPOP i -1', NOT_POSITIVE],
];

const HASHES = [
  ['HSET h a 1 b 2', 2], ['HSET h a 3', 0], ['HGET h a', '3'], ['HGET h z', null],
  ['HMGET h a z b', ['3', null, '2']], ['HMSET h c 4', 'OK'], ['HSETNX h c 5', 0],
  ['HSETNX h d 5', 1], ['HEXISTS h a', 1], ['HLEN h', 4], ['HSTRLEN h a', 1],
  ['HGETALL h', { pairs: ['a', '3', 'b', '2', 'c', '4', 'd', '5'] }],
  ['HGETALL none', { pairs: [] }], ['HKEYS h', ['a', 'b', 'c', 'd']],
  ['HVALS h', ['3', '2', '4', '5']], ['HDEL h a z', 1], ['HINCRBY h b 5', 7],
  ['HINCRBYFLOAT h b 0.5', '7.5'], ['HINCRBY h b 1', { error: 'ERR hash value is not an integer' }],
  ['HDEL h c d', 2], ['HRANDFIELD h', 'b'], ['HRANDFIELD h 5', ['b']],
  ['HRANDFIELD h 1 WITHVALUES', { nested: [['b', '7.5']] }], ['HRANDFIELD none 1', []],
  ['HSCAN h 0', ['0', ['b', '7.5']]], ['OBJECT ENCODING h', 'listpack'],
  ['HSET h a', { error: "ERR wrong number of arguments for 'hset' command" }],
];

const SORTED_SETS = [
  ['ZADD z 1 a 2 b 3.5 c', 3], ['ZADD z CH 2 a', 1], ['ZADD z NX 9 a', 0], ['ZADD z GT CH 1 a', 0],
  ['ZADD z XX INCR 1 a', double('3')], ['ZADD z NX INCR 1 a', null],
  ['ZINCRBY z -2 a', double('1')],
  ['ZSCORE z c', double('3.5')], ['ZSCORE z q', null],
  ['ZMSCORE z a q', [double('1'), null]], ['ZCARD z', 3], ['ZRANK z c', 2], ['ZREVRANK z c', 0],
  ['ZRANK z q', null], ['ZCOUNT z 1 (2', 1], ['ZLEXCOUNT z - +', 3],
  ['ZRANGE z 0 -1', ['a', 'b', 'c']], ['ZRANGE z 0 1 WITHSCORES', scored(['a', '1'], ['b', '2'])],
  ['ZRANGE z 0 0 REV', ['c']], ['ZRANGE z (1 +inf BYSCORE LIMIT 0 1', ['b']],
  ['ZRANGE z [b + BYLEX', ['b', 'c']], ['ZREVRANGE z 0 0 WITHSCORES', scored(['c', '3.5'])],
  ['ZRANGEBYSCORE z 2 4', ['b', 'c']], ['ZREVRANGEBYSCORE z +inf 2', ['c', 'b']],
  ['ZRANGEBYLEX z - [b', ['a', 'b']], ['ZREVRANGEBYLEX z + (a', ['c', 'b']],
  ['ZRANGESTORE y z 0 1', 2], ['ZADD x 10 b 20 d', 2],
  ['ZUNION 2 y x WITHSCORES', scored(['a', '1'], ['b', '12'], ['d', '20'])],
  ['ZINTER 2 y x WEIGHTS 2 1 AGGREGATE MAX WITHSCORES', scored(['b', '10'])],
  ['ZDIFF 2 y x', ['a']], ['ZUNIONSTORE w 2 y x', 3], ['ZINTERSTORE w 2 y x', 1],
  ['ZDIFFSTORE w 2 y x', 1], ['ZINTERCARD 2 y x', 1], ['ZREM w a', 1], ['EXISTS w', 0],
  ['ZPOPMIN y', ['a', double('1')]], ['ZPOPMAX y 5', scored(['b', '2'])], ['ZPOPMIN y', []],
  ['ZMPOP 2 y x MAX', ['x', [['d', double('20')]]]], ['ZMPOP 1 y MIN', null],
  ['ZRANDMEMBER x', 'b'], ['ZRANDMEMBER x 1 WITHSCORES', scored(['b', '10'])],
  ['ZSCAN x 0', ['0', ['b', '10']]], ['ZREMRANGEBYRANK z 0 0', 1], ['ZREMRANGEBYSCORE z 2 2', 1],
  ['ZADD l 0 a 0 b 0 c', 3], ['ZREMRANGEBYLEX l [a (c', 2], ['OBJECT ENCODING l', 'listpack'],
  ['ZADD z x a', NOT_FLOAT],
  ['ZADD z 1', { error: "ERR wrong number of arguments for 'zadd' command" }],
  ['ZADD i inf a', 1], ['ZINCRBY i -inf a',
    { error: 'ERR resulting score is not a number (NaN)' }],
  ['ZRANGE z 0 1 LIMIT 0 1', { error: 'ERR syntax error, LIMIT is only supported in combination ' +
    'with either BYSCORE or BYLEX' }],
];

const STREAMS = [
  ['XADD st 1-1 f v', '1-1'], ['XADD st 1-* g w h x', '1-2'], ['XADD none NOMKSTREAM * f v', null],
  ['XADD st 1-1 f v', { error: 'ERR The ID specified in XADD is equal or smaller than the target ' +
    'stream top item' }],
  ['XLEN st', 2], ['XRANGE st - +', [['1-1', ['f', 'v']], ['1-2', ['g', 'w', 'h', 'x']]]],
  ['XREVRANGE st + - COUNT 1', [['1-2', ['g', 'w', 'h', 'x']]]],
  ['XREAD COUNT 1 STREAMS st 0', { pairs: ['st', [['1-1', ['f', 'v']]]], rows: true }],
  ['XREAD STREAMS st $', null], ['XGROUP CREATE st g 0', 'OK'],
  ['XGROUP CREATE st g 0', { error: 'BUSYGROUP Consumer Group name already exists' }],
  ['XREADGROUP GROUP g c COUNT 1 STREAMS st >',
    { pairs: ['st', [['1-1', ['f', 'v']]]], rows: true }],
  ['XPENDING st g', [1, '1-1', '1-1', [['c', '1']]]], ['XACK st g 1-1 9-9', 1],
  ['XPENDING st g', [0, null, null, null]], ['XGROUP CREATECONSUMER st g d', 1],
  ['XGROUP DELCONSUMER st g d', 0], ['XREADGROUP GROUP g c STREAMS st >',
    { pairs: ['st', [['1-2', ['g', 'w', 'h', 'x']]]], rows: true }],
  ['XCLAIM st g e 0 1-2 JUSTID', ['1-2']],
  ['XAUTOCLAIM st g f 0 0 JUSTID', ['0-0', ['1-2'], []]], ['XDEL st 1-1', 1],
  ['XTRIM st MAXLEN 0', 1], ['XSETID st 5-0', 'OK'], ['XGROUP SETID st g $', 'OK'],
  ['XGROUP DESTROY st g', 1], ['OBJECT ENCODING st', 'stream'], ['XLEN none', 0],
  ['XREADGROUP GROUP q c STREAMS st >', { error: "NOGROUP No such key 'st' or consumer group 'q' " +
    'in XREADGROUP with GROUP option' }],
];

const ESTIMATES_AND_PLACES = [
  ['PFADD p a b c', 1], ['PFADD p a', 0], ['PFCOUNT p', 3], ['PFADD q c d', 1], ['PFCOUNT p q', 4],
  ['PFMERGE m p q', 'OK'], ['PFCOUNT m', 4], ['PFCOUNT none', 0],
  ['GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania', 2],
  ['GEODIST g Palermo Catania', '166274.1516'], ['GEODIST g Palermo none', null],
  ['GEOHASH g Palermo none', ['sqc8b49rny0', null]],
  ['GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km ASC', ['Catania', 'Palermo']],
  ['GEOSEARCH g FROMMEMBER Palermo BYBOX 1 1 km WITHDIST', [['Palermo', '0.0000']]],
  ['GEOSEARCHSTORE gs g FROMLONLAT 15 37 BYRADIUS 100 km', 1],
  ['GEORADIUS g 15 37 100 km WITHDIST', [['Catania', '56.4413']]],
  ['GEORADIUSBYMEMBER g Catania 10 km', ['Catania']],
  ['ZSCORE g Palermo', double('3479099956230698')],
  ['GEOADD g 200 10 x', { error: 'ERR invalid longitude,latitude pair 200.000000,10.000000' }],
];

const WAITING = [
  ['RPUSH b 1 2 3', 3], ['BLPOP none b 1', ['b', '1']], ['BRPOP b 1', ['b', '3']],
  ['BLMOVE b b2 LEFT RIGHT 1', '2'], ['BLPOP none 0.01', null], ['BRPOP none 0.01', null],
  ['BLMOVE none b LEFT LEFT 0.01', null], ['BRPOPLPUSH b2 b 1', '2'],
  ['BLMPOP 1 2 none b LEFT', ['b', ['2']]], ['BLMPOP 0.01 1 none LEFT', null],
  ['ZADD bz 1 a 2 b 3 c', 3], ['BZPOPMIN bz 1', ['bz', 'a', double('1')]],
  ['BZPOPMAX bz 1', ['bz', 'c', double('3')]], ['BZMPOP 1 1 bz MIN', ['bz', [['b', double('2')]]]],
  ['BZPOPMIN none 0.01', null], ['XREAD BLOCK 10 STREAMS none $', null],
  ['BLPOP none -1', { error: 'ERR timeout is negative' }],
  ['BLPOP none x', { error: 'ERR timeout is not a float or out of range' }],
];

const OF_ANOTHER_TYPE = [
  ['SET text x', 'OK'], ...[
    'LPUSH text a', 'LRANGE text 0 1', 'SADD text a', 'SMEMBERS text', 'HSET text a b',
    'HGETALL text', 'ZADD text 1 a', 'ZRANGE text 0 1', 'XADD text * a b', 'XRANGE text - +',
    'GEOADD text 1 1 a', 'BLPOP text 1', 'SINTER text none', 'ZUNION 1 text',
  ].map((line) => [line, WRONG_TYPE]),
  ['RPUSH list a', 1], ['GET list', WRONG_TYPE], ['PFADD list a', WRONG_TYPE],
  ['PFCOUNT text', { error: 'WRONGTYPE Key is not a valid HyperLogLog string value.' }],
];

// What a server may not have yet is left out as a whole, by the name of one of its commands.
const needing = (command, cases) => Object.assign(cases, { command });

const SORTING = needing('sort', [
  ['RPUSH l 3 1 10 2', 4], ['SORT l', ['1', '2', '3', '10']],
  ['SORT l DESC LIMIT 0 2', ['10', '3']], ['SORT l ALPHA', ['1', '10', '2', '3']],
  ['MSET w_1 4 w_2 3 w_3 2 w_10 1', 'OK'], ['SORT l BY w_*', ['10', '3', '2', '1']],
  ['SORT l BY nosort GET # GET w_* LIMIT 0 2', ['3', '2', '1', '4']], ['SORT l STORE to', 4],
  ['LRANGE to 0 -1', ['1', '2', '3', '10']], ['SORT_RO to LIMIT 0 1', ['1']],
  ['SADD s b a', 2], ['SORT s ALPHA', ['a', 'b']],
  ['SORT s', { error: "ERR One or more scores can't be converted into double" }],
]);

const FIELD_EXPIRY = needing('hexpire', [
  ['HSET h a 1 b 2 c 3', 3], ['HEXPIRE h 100 FIELDS 2 a z', [1, -2]], ['HTTL h FIELDS 1 b', [-1]],
  ['HEXPIRE h 50 GT FIELDS 1 a', [0]], ['HEXPIRE h 50 LT FIELDS 1 a', [1]],
  ['HPEXPIREAT h 33177117420123 FIELDS 1 b', [1]], ['HPEXPIRETIME h FIELDS 1 b', [33177117420123]],
  ['HEXPIRETIME h FIELDS 1 b', [33177117421]], ['HPERSIST h FIELDS 2 a c', [1, -1]],
  ['HEXPIRE h 0 FIELDS 1 c', [2]], ['HLEN h', 2], ['HEXPIRE none 1 FIELDS 1 a', [-2]],
]);

module.exports = [
  LISTS, SETS, HASHES, FIELD_EXPIRY, SORTED_SETS, STREAMS, ESTIMATES_AND_PLACES, SORTING, WAITING,
  OF_ANOTHER_TYPE,
];
