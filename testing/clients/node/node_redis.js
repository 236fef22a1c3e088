// node-redis against a server, over RESP2 and RESP3: `node node_redis.js PORT [HOST]`.
'use strict';
const { createClient, RESP_TYPES } = require('redis');
const { Checks, runCases, sleep } = require('./checks');
const types = require('./node_redis_types');

const port = Number(process.argv[2]);
const host = process.argv[3] || '127.0.0.1';

async function connect(RESP, options = {}) {
  const socket = { port, host, reconnectStrategy: false };
  const client = createClient({ RESP, socket, ...options });
  client.on('error', () => {});
  return client.connect();
}

async function strings(c, r) {
  c.eq(await r.set('s', 'v', { expiration: { type: 'EX', value: 100 }, condition: 'NX' }), 'OK');
  c.eq(await r.set('s', 'w', { condition: 'NX' }), null);
  c.eq(await r.set('s', 'w', { GET: true, expiration: 'KEEPTTL' }), 'v');
  c.within(await r.ttl('s'), 99, 100);
  c.eq(await r.getEx('s', { type: 'PERSIST' }), 'w');
  c.eq(await r.ttl('s'), -1);
  c.eq(await r.mSet({ m1: 'ohmytext', m2: 'mynewtext' }), 'OK');
  c.eq(await r.mGet(['m1', 'none', 'm2']), ['ohmytext', null, 'mynewtext']);
  c.eq(await r.mSetNX({ m1: 'x', m9: 'y' }), 0);
  c.eq(await r.lcs('m1', 'm2'), 'mytext');
  c.eq(await r.lcsLen('m1', 'm2'), 6);
  c.eq(await r.lcsIdx('m1', 'm2'), { matches: [[[4, 7], [5, 8]], [[2, 3], [0, 1]]], len: 6 });
  c.eq(await r.lcsIdxWithMatchLen('m1', 'm2', { MINMATCHLEN: 3 }),
    { matches: [[[4, 7], [5, 8], 4]], len: 6 });
  c.eq(await r.incrBy('n', 5), 5);
  c.eq(await r.incrByFloat('n', 0.25), '5.25');
  c.eq(await r.setRange('s', 3, 'x'), 4);
  c.eq(await r.get('s'), 'w\0\0x');
  c.eq(await r.getDel('s'), 'w\0\0x');
  const bytes = r.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  c.eq(await r.set(every, every), 'OK');
  c.eq((await bytes.get(every)).equals(every), true);
}

async function bitmaps(c, r) {
  c.eq(await r.setBit('b', 10, 1), 0);
  c.eq(await r.getBit('b', 10), 1);
  c.eq(await r.bitCount('b', { start: 0, end: -1, mode: 'BIT' }), 1);
  c.eq(await r.bitPos('b', 1, 0, -1, 'BYTE'), 10);
  c.eq(await r.bitOp('NOT', 'not', 'b'), 2);
  c.eq(await r.bitField('bf', [
    { operation: 'SET', encoding: 'u8', offset: 0, value: 200 },
    { operation: 'OVERFLOW', behavior: 'FAIL' },
    { operation: 'INCRBY', encoding: 'u8', offset: 0, increment: 100 },
    { operation: 'GET', encoding: 'u8', offset: 0 },
  ]), [0, null, 200]);
  c.eq(await r.bitFieldRo('bf', [{ encoding: 'i8', offset: 0 }]), [-56]);
}

async function keys(c, r) {
  await r.flushAll();
  const names = Array.from({ length: 500 }, (_, i) => `scan:${i}`);
  await r.mSet(Object.fromEntries(names.map((name) => [name, '1'])));
  const seen = new Set();
  for await (const batch of r.scanIterator({ MATCH: 'scan:*', COUNT: 50, TYPE: 'string' })) {
    for (const name of batch) seen.add(name);
  }
  c.eq([...seen].sort(), [...names].sort());
  c.eq(await r.pExpire('scan:0', 20), 1);
  await sleep(40);
  c.eq(await r.exists('scan:0'), 0);
  c.eq(await r.expire('scan:1', 100, 'NX'), 1);
  c.eq(await r.expire('scan:1', 50, 'GT'), 0);
  c.within(await r.ttl('scan:1'), 99, 100);
  c.eq(await r.pExpireAt('scan:1', 33177117420123), 1);
  c.eq(await r.pExpireTime('scan:1'), 33177117420123);
  c.eq(await r.persist('scan:1'), 1);
  c.eq(await r.copy('scan:1', 'twin', { REPLACE: true }), 1);
  c.eq(await r.objectEncoding('twin'), 'int');
  c.eq(await r.objectRefCount('scan:2') > 0, true);
  c.eq(await r.type('twin'), 'string');
  c.eq(await r.touch(['twin', 'none']), 1);
  c.eq(await r.renameNX('twin', 'scan:2'), 0);
  c.eq(await r.unlink(['twin', 'none']), 1);
  c.ok((await r.randomKey()).startsWith('scan:'), 'RANDOMKEY gives a key');
}

async function transactions(c, r, RESP) {
  c.eq(await r.multi().set('t', '1').incr('t').get('t').exec(), ['OK', 2, '2']);
  c.eq(await r.multi().exec(), []);
  const other = await connect(RESP);
  c.eq(await r.watch('t'), 'OK');
  c.eq(await other.set('t', 'changed'), 'OK');
  let aborted = false;
  try {
    await r.multi().set('t', 'lost').exec();
  } catch (error) {
    aborted = error.constructor.name === 'WatchError';
  }
  c.ok(aborted, 'a changed watched key aborts EXEC');
  c.eq(await r.get('t'), 'changed');
  c.eq(await r.watch('t'), 'OK');
  c.eq(await r.unwatch(), 'OK');
  let message = '';
  try {
    await r.multi().incr('t').set('t', 'after').exec();
  } catch (error) {
    message = error.errors().next().value.message;
  }
  c.eq(message, 'ERR value is not an integer or out of range');
  c.eq(await r.get('t'), 'after');
  other.destroy();
}

async function connections(c, r, RESP) {
  const named = await connect(RESP, { name: 'worker', database: 3 });
  c.eq(await named.clientGetName(), 'worker');
  const id = await named.clientId();
  const info = await named.clientInfo();
  c.eq([info.id, info.name, info.db, info.user], [id, 'worker', 3, 'default']);
  const rows = await r.clientList({ ID: [String(id)] });
  c.eq(rows.map((row) => [row.id, row.name]), [[id, 'worker']]);
  c.eq(await r.clientKill({ filter: 'ID', id }), 1);
  await sleep(50);
  await named.ping().then(() => c.ok(false, 'killed'), () => c.ok(true, 'killed'));
  c.eq(await r.clientNoEvict(true), 'OK');
  c.eq(await r.clientNoEvict(false), 'OK');
  c.eq(await r.ping('text'), 'text');
  c.eq(await r.echo('text'), 'text');
  const hello = await r.sendCommand(['HELLO']);
  const proto = Array.isArray(hello) ? hello[hello.indexOf('proto') + 1] : hello.proto;
  c.eq(proto, RESP);
  c.eq(await r.configSet('requirepass', 'secret'), 'OK');
  try {
    const trusted = await connect(RESP, { password: 'secret' });
    c.eq(await trusted.get('nothing'), null);
    trusted.destroy();
    await c.error('WRONGPASS invalid username-password pair or user is disabled.',
      connect(RESP, { password: 'wrong' }));
  } finally {
    c.eq(await r.configSet('requirepass', ''), 'OK');
  }
}

async function server(c, r) {
  const replies = await Promise.all(Array.from({ length: 1000 }, () => r.incr('piped')));
  c.eq(replies, Array.from({ length: 1000 }, (_, i) => i + 1));
  c.eq({ ...(await r.configGet('hz')) }, { hz: '10' });
  c.within(await r.commandCount(), 80, 1000);
  const [get] = await r.commandInfo(['get']);
  c.eq([get.name, get.arity, get.firstKeyIndex, get.lastKeyIndex, get.step], ['get', 2, 1, 1, 1]);
  c.eq(await r.commandGetKeys(['MSET', 'a', '1', 'b', '2']), ['a', 'b']);
  c.ok((await r.commandList()).length > 80, 'COMMAND LIST names the commands');
  c.ok((await r.info('server')).includes('redis_version:'), 'INFO server');
  c.eq((await r.memoryStats())['keys.count'] > 0, true);
  c.ok((await r.memoryUsage('piped')) > 8, 'MEMORY USAGE counts');
  c.eq(await r.role(), { role: 'master', replicationOffest: 0, replicas: [] });
  c.ok((await r.sendCommand(['LOLWUT'])).includes('ver.'), 'LOLWUT names a version');
  c.eq(await r.flushDb('SYNC'), 'OK');
  c.eq(await r.dbSize(), 0);
}

async function main() {
  for (const RESP of [2, 3]) {
    const r = await connect(RESP);
    const version = /redis_version:(\S+)/.exec(await r.info('server'))[1];
    const label = `node-redis ${require('redis/package.json').version} RESP${RESP}`;
    const c = new Checks(label, version);
    await runCases(c, RESP, Number, (words) => r.sendCommand(words));
    const families = [strings, bitmaps, keys, ...types, transactions, connections, server];
    for (const family of families) await family(c, r, RESP, connect);
    await r.close();
    c.summary();
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
