// The collections through ioredis's own methods, with many elements, and waiting on a second
// connection.
'use strict';
const { sleep } = require('./checks');

const texts = (count, name) => Array.from({ length: count }, (_, i) => `${name}${i}`);

async function lists(c, r) {
  await r.flushall();
  const names = texts(5000, 'e');
  c.eq(await r.rpush('l', ...names), 5000);
  c.eq(await r.lrange('l', 0, -1), names);
  c.eq(await r.lpos('l', 'e1234'), 1234);
  c.eq(await r.lpop('l', 2), ['e0', 'e1']);
  c.eq(await r.linsert('l', 'BEFORE', 'e3', 'new'), 4999);
  c.eq(await r.ltrim('l', 0, 2), 'OK');
  c.eq(await r.lrange('l', 0, -1), ['e2', 'new', 'e3']);
  c.eq(await r.lmove('l', 'm', 'RIGHT', 'LEFT'), 'e3');
  c.eq(await r.lmpop(2, 'none', 'm', 'LEFT'), ['m', ['e3']]);
  const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  c.eq(await r.rpush('bytes', every), 1);
  c.eq((await r.lpopBuffer('bytes')).equals(every), true);
}

async function sets(c, r) {
  const names = texts(3000, 'm').sort();
  c.eq(await r.sadd('s', names), 3000);
  c.eq([...(await r.smembers('s'))].sort(), names);
  const seen = new Set();
  for await (const batch of r.sscanStream('s', { count: 100 })) batch.forEach((m) => seen.add(m));
  c.eq([...seen].sort(), names);
  c.eq(await r.smismember('s', 'm1', 'x'), [1, 0]);
  c.eq(await r.sadd('t', 'm1', 'm2', 'x'), 3);
  c.eq([...(await r.sinter('s', 't'))].sort(), ['m1', 'm2']);
  c.eq([...(await r.sdiff('t', 's'))], ['x']);
  c.eq(await r.sunionstore('u', 's', 't'), 3001);
  c.eq([...(await r.spop('u', 1000))].length, 1000);
  c.eq(await r.scard('u'), 2001);
}

async function hashes(c, r) {
  const fields = Object.fromEntries(texts(1000, 'f').map((name, i) => [name, String(i)]));
  c.eq(await r.hset('h', fields), 1000);
  c.eq(await r.hgetall('h'), fields);
  c.eq(await r.hgetall('none'), {});
  c.eq(await r.hmget('h', 'f1', 'x'), ['1', null]);
  c.eq(await r.hincrby('h', 'f1', 9), 10);
  c.eq(await r.hincrbyfloat('h', 'f1', 0.5), '10.5');
  const seen = {};
  for await (const batch of r.hscanStream('h', { count: 100 })) {
    for (let i = 0; i < batch.length; i += 2) seen[batch[i]] = batch[i + 1];
  }
  c.eq(seen, { ...fields, f1: '10.5' });
  c.eq(await r.hdel('h', ...Object.keys(fields)), 1000);
  c.eq(await r.exists('h'), 0);
}

async function sortedSets(c, r) {
  const rows = texts(3000, 'm').flatMap((name, i) => [i, name]);
  c.eq(await r.zadd('z', ...rows), 3000);
  c.eq(await r.zrank('z', 'm1234'), 1234);
  c.eq(await r.zrange('z', 10, 12), ['m10', 'm11', 'm12']);
  c.eq(await r.zrange('z', '(10', '+inf', 'BYSCORE', 'LIMIT', 0, 2), ['m11', 'm12']);
  c.eq(await r.zrangebyscore('z', '-inf', '(2'), ['m0', 'm1']);
  c.eq(Number(await r.zincrby('z', 0.5, 'm0')), 0.5);
  c.eq(await r.zcount('z', 0, 100), 101);
  const seen = new Set();
  for await (const batch of r.zscanStream('z', { count: 100 })) {
    for (let i = 0; i < batch.length; i += 2) seen.add(batch[i]);
  }
  c.eq(seen.size, 3000);
  c.eq(await r.zremrangebyrank('z', 0, -2), 2999);
  c.eq((await r.zpopmax('z')).map(String), ['m2999', '2999']);
}

async function streams(c, r) {
  const ids = [];
  for (let i = 1; i <= 500; i++) ids.push(r.xadd('st', `${i}-0`, 'i', i));
  c.eq(await Promise.all(ids), texts(501, '').slice(1).map((i) => `${i}-0`));
  c.eq(await r.xrange('st', 2, 3), [['2-0', ['i', '2']], ['3-0', ['i', '3']]]);
  c.eq(await r.xgroup('CREATE', 'st', 'g', 0), 'OK');
  let read = 0;
  for (;;) {
    const got = await r.xreadgroup('GROUP', 'g', 'me', 'COUNT', 100, 'STREAMS', 'st', '>');
    if (got === null) break;
    const entries = Array.isArray(got[0]) ? got[0][1] : got[1];
    read += await r.xack('st', 'g', ...entries.map(([id]) => id));
  }
  c.eq(read, 500);
  c.eq((await r.xpending('st', 'g'))[0], 0);
  c.eq(await r.xtrim('st', 'MAXLEN', 10), 490);
  c.eq(await r.xlen('st'), 10);
}

// One client waits while the other provides, for each command that can wait.
async function waiting(c, r, connect) {
  await r.flushall();
  const other = connect();
  const served = async (wait, provide) => {
    const reply = wait();
    while (!(await r.info('clients')).includes('blocked_clients:1\r\n')) await sleep(2);
    await provide();
    return reply;
  };
  c.eq(await served(() => other.blpop('a', 'b', 5), () => r.rpush('b', 'x')), ['b', 'x']);
  c.eq(await served(() => other.brpop('a', 5), () => r.rpush('a', 'x')), ['a', 'x']);
  c.eq(await served(() => other.blmove('a', 'b', 'LEFT', 'LEFT', 5), () => r.rpush('a', 'x')), 'x');
  c.eq(await r.lrange('b', 0, -1), ['x']);
  c.eq(await served(() => other.blmpop(5, 1, 'a', 'LEFT'),
    () => r.multi().rpush('a', 'x').lpush('a', 'y').exec()), ['a', ['y']]);
  const popped = await served(() => other.bzpopmin('z', 5), () => r.zadd('z', 2, 'm', 1, 'n'));
  c.eq(popped.map(String), ['z', 'n', '1']);
  const got = await served(() => other.xread('BLOCK', 5000, 'STREAMS', 'st', '$'),
    () => r.xadd('st', '1-1', 'f', 'v'));
  c.eq(got.flat(Infinity), ['st', '1-1', 'f', 'v']);
  c.eq(await other.blpop('never', 0.02), null);
  const id = await other.client('ID');
  c.eq(await served(() => other.blpop('never', 0), () => r.client('UNBLOCK', id)), null);
  other.disconnect();
}

async function placesAndEstimates(c, r) {
  await r.flushall();
  c.eq(await r.geoadd('g', 13.361389, 38.115556, 'Palermo', 15.087269, 37.502669, 'Catania'), 2);
  c.eq(await r.geodist('g', 'Palermo', 'Catania', 'km'), '166.2742');
  c.eq((await r.geopos('g', 'Palermo'))[0].map(Number), [13.361389338970184, 38.1155563954963]);
  c.eq(await r.geosearch('g', 'FROMLONLAT', 15, 37, 'BYRADIUS', 200, 'km', 'ASC'),
    ['Catania', 'Palermo']);
  c.eq(await r.pfadd('p', ...texts(1000, '')), 1);
  c.eq(await r.pfcount('p'), 1001);
}

module.exports = [lists, sets, hashes, sortedSets, streams, waiting, placesAndEstimates];
