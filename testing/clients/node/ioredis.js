// ioredis against a server, over RESP2 and RESP3: `node ioredis.js PORT [HOST]`.
'use strict';
const Redis = require('ioredis');
const { Checks, runCases, sleep } = require('./checks');
const types = require('./ioredis_types');

const port = Number(process.argv[2]);
const host = process.argv[3] || '127.0.0.1';
let protocol = 2;
const connect = (options = {}) =>
  new Redis({ port, host, protocol, retryStrategy: null, ...options });

async function strings(c, r) {
  c.eq(await r.set('s', 'v', 'EX', 100, 'NX'), 'OK');
  c.eq(await r.set('s', 'w', 'NX'), null);
  c.eq(await r.set('s', 'w', 'KEEPTTL', 'GET'), 'v');
  c.within(await r.ttl('s'), 99, 100);
  c.eq(await r.getBuffer('s'), Buffer.from('w'));
  const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  c.eq(await r.set(every, every), 'OK');
  c.eq((await r.getBuffer(every)).equals(every), true);
  c.eq(await r.mset(new Map([['m1', 'a'], ['m2', 'b']])), 'OK');
  c.eq(await r.mget('m1', 'm2', 'm3'), ['a', 'b', null]);
  c.eq(await r.incrby('n', 5), 5);
  c.eq(await r.incrbyfloat('n', 0.25), '5.25');
  c.eq(await r.getex('s', 'PERSIST'), 'w');
  c.eq(await r.ttl('s'), -1);
  c.eq(await r.lcs('m1', 'm2', 'LEN'), 0);
  const big = 'x'.repeat(4 << 20);
  c.eq(await r.set('big', big), 'OK');
  c.eq((await r.get('big')) === big, true);
  c.eq(await r.unlink('big'), 1);
}

async function bitmaps(c, r) {
  c.eq(await r.setbit('b', 10, 1), 0);
  c.eq(await r.getbit('b', 10), 1);
  c.eq(await r.bitcount('b', 0, -1, 'BIT'), 1);
  c.eq(await r.bitpos('b', 1), 10);
  c.eq(await r.bitop('NOT', 'not', 'b'), 2);
  c.eq(await r.bitfield('bf', 'INCRBY', 'u2', 0, 5, 'GET', 'u2', 0), [1, 1]);
  if (c.since('8.2', 'BITOP ONE')) {
    c.eq(await r.call('BITOP', 'ONE', 'one', 'b', 'not'), 2);
    c.eq(await r.bitcount('one'), 16);
  }
}

async function keys(c, r) {
  await r.flushall();
  const names = Array.from({ length: 500 }, (_, i) => `scan:${i}`);
  await r.mset(...names.flatMap((name) => [name, '1']));
  const seen = new Set();
  for await (const batch of r.scanStream({ match: 'scan:*', count: 50 })) {
    for (const name of batch) seen.add(name);
  }
  c.eq([...seen].sort(), [...names].sort());
  c.eq((await r.keys('scan:1?')).sort(), Array.from({ length: 10 }, (_, i) => `scan:1${i}`));
  c.eq(await r.pexpire('scan:0', 20), 1);
  await sleep(40);
  c.eq(await r.exists('scan:0'), 0);
  c.eq(await r.dbsize(), 499);
  c.eq(await r.rename('scan:1', 'renamed'), 'OK');
  c.eq(await r.copy('renamed', 'twin', 'DB', 2), 1);
  c.eq(await r.object('ENCODING', 'renamed'), 'int');
}

async function transactions(c, r) {
  c.eq(await r.multi().set('t', '1').incr('t').get('t').exec(),
    [[null, 'OK'], [null, 2], [null, '2']]);
  const mixed = await r.multi().set('t', 'x').incr('t').get('t').exec();
  c.eq(mixed[1][0].message, 'ERR value is not an integer or out of range');
  c.eq(mixed[2], [null, 'x']);
  const other = connect();
  c.eq(await r.watch('t'), 'OK');
  c.eq(await other.set('t', 'changed'), 'OK');
  c.eq(await r.multi().set('t', 'lost').exec(), null);
  c.eq(await r.get('t'), 'changed');
  c.eq(await r.watch('t'), 'OK');
  c.eq(await r.unwatch(), 'OK');
  c.eq(await r.multi({ pipeline: false }), 'OK');
  c.eq(await r.set('t', 'never'), 'QUEUED');
  c.eq(await r.discard(), 'OK');
  c.eq(await r.get('t'), 'changed');
  other.disconnect();
}

async function pipelines(c, r) {
  await r.del('p');
  const pipeline = r.pipeline();
  for (let i = 0; i < 1000; i++) pipeline.incr('p');
  c.eq(await pipeline.exec(), Array.from({ length: 1000 }, (_, i) => [null, i + 1]));
  const auto = connect({ enableAutoPipelining: true });
  const replies = await Promise.all(Array.from({ length: 100 }, (_, i) => auto.echo(`e${i}`)));
  c.eq(replies, Array.from({ length: 100 }, (_, i) => `e${i}`));
  auto.disconnect();
}

async function connections(c, r) {
  const named = connect({ connectionName: 'worker', db: 3 });
  c.eq(await named.client('GETNAME'), 'worker');
  const id = await named.client('ID');
  const row = (await r.client('LIST', 'ID', id)).trim();
  c.ok(row.startsWith(`id=${id} `) && row.includes(' name=worker ') && row.includes(' db=3 '), row);
  const closed = new Promise((resolve) => named.once('close', resolve));
  named.on('error', () => {});
  c.eq(await r.client('KILL', 'ID', id), 1);
  await closed;
  named.disconnect();
  c.eq(await r.client('NO-EVICT', 'ON'), 'OK');
  c.eq(await r.client('NO-EVICT', 'OFF'), 'OK');
  c.eq(await r.config('SET', 'requirepass', 'secret'), 'OK');
  try {
    const trusted = connect({ password: 'secret' });
    c.eq(await trusted.ping(), 'PONG');
    trusted.disconnect();
    const outsider = connect({ enableReadyCheck: false, protocol: 2 });
    outsider.on('error', () => {});
    await c.error('NOAUTH Authentication required.', outsider.get('x'));
    await c.error('WRONGPASS invalid username-password pair or user is disabled.',
      outsider.auth('wrong'));
    c.eq(await outsider.auth('secret'), 'OK');
    c.eq(await outsider.get('x'), null);
    outsider.disconnect();
  } finally {
    c.eq(await r.config('SET', 'requirepass', ''), 'OK');
  }
}

async function server(c, r) {
  const info = await r.info();
  for (const section of ['Server', 'Clients', 'Memory', 'Persistence', 'Stats', 'Replication',
    'CPU', 'Errorstats', 'Cluster', 'Keyspace']) {
    c.ok(info.includes(`# ${section}\r\n`), `INFO has the section ${section}`);
  }
  c.within(await r.command('COUNT'), 80, 1000);
  c.eq((await r.command('INFO', 'get'))[0].slice(0, 2), ['get', 2]);
  const [seconds] = await r.time();
  c.within(Number(seconds), Date.now() / 1000 - 3, Date.now() / 1000 + 3);
  c.within(await r.lastsave(), 1, Date.now() / 1000 + 3);
  c.ok((await r.memory('USAGE', 'twin-of-none')) === null, 'MEMORY USAGE of no key is null');
  c.ok((await r.lolwut()).includes('ver.'), 'LOLWUT names a version');
  c.eq(await r.flushall('ASYNC'), 'OK');
  c.eq(await r.dbsize(), 0);
}

async function main() {
  for (protocol of [2, 3]) {
    const r = connect();
    const version = /redis_version:(\S+)/.exec(await r.info('server'))[1];
    const label = `ioredis ${require('ioredis/package.json').version} RESP${protocol}`;
    const c = new Checks(label, version);
    await runCases(c, protocol, String, (words) => r.call(...words));
    const families = [
      strings, bitmaps, keys, ...types, transactions, pipelines, connections, server,
    ];
    for (const family of families) await family(c, r, connect);
    c.eq(await r.quit(), 'OK');
    c.summary();
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
