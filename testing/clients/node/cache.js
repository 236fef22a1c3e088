// node-redis's cache of what it has read: `node cache.js PORT`.
//
// A cached reply is given without asking the server, until the server says that its key has
// changed. Whether the server was asked is in its own count of commands, so that a cache that is
// never used and an invalidation that never comes are both noticed.
'use strict';
const { BasicClientSideCache, BasicPooledClientSideCache, createClient, createClientPool } =
  require('redis');
const { Checks, sleep } = require('./checks');
const { dependencies } = require('./package.json');

const port = Number(process.argv[2]);
const socket = { port, host: '127.0.0.1', reconnectStrategy: 10 };
const KEYS = 20;
const WRITES = 500;

async function connect(options = {}) {
  const client = createClient({ RESP: 3, socket, ...options });
  // A connection that is killed here comes back by itself.
  client.on('error', () => {});
  return client.connect();
}

// How often the server has been asked for a command.
async function asked(w, command) {
  const line = (await w.info('commandstats')).match(`cmdstat_${command}:calls=(\\d+)`);
  return line ? Number(line[1]) : 0;
}

async function eventually(c, read, want, what) {
  let got;
  for (let tries = 0; tries < 3000; tries++) {
    got = await read();
    if (got === want) break;
    await sleep(10);
  }
  c.ok(got === want, `${what}: ${got} instead of ${want}`);
}

// Each type's reads are answered once by the server and then by the cache.
async function reading(c, w) {
  const cache = new BasicClientSideCache();
  const r = await connect({ clientSideCache: cache });
  await w.set('s', 'v');
  await w.rPush('l', ['a', 'b']);
  await w.hSet('h', { f: '1', g: '2' });
  await w.sAdd('set', 'm');
  await w.zAdd('z', { value: 'm', score: 1.5 });
  await w.xAdd('x', '1-1', { f: 'v' });
  const reads = [
    [() => r.get('s'), 'v', 'get'],
    [() => r.mGet(['s', 'none']), ['v', null], 'mget'],
    [() => r.lRange('l', 0, -1), ['a', 'b'], 'lrange'],
    [() => r.hGetAll('h'), { f: '1', g: '2' }, 'hgetall'],
    [() => r.smIsMember('set', ['m', 'n']), [1, 0], 'smismember'],
    [() => r.zScore('z', 'm'), 1.5, 'zscore'],
    [() => r.xLen('x'), 1, 'xlen'],
    [() => r.exists(['s', 'none']), 1, 'exists'],
    [() => r.type('z'), 'zset', 'type'],
  ];
  for (const [read, want, command] of reads) {
    const before = await asked(w, command);
    for (let i = 0; i < 5; i++) c.eq(await read(), want);
    c.eq((await asked(w, command)) - before, 1);
  }
  const { hitCount, missCount } = cache.stats();
  c.eq([cache.size(), hitCount, missCount], [reads.length, 4 * reads.length, reads.length]);
  await r.close();
  c.eq(cache.size(), 0);
}

// Every way for a key to change is told to who has read it.
async function changing(c, w) {
  const cache = new BasicClientSideCache();
  const r = await connect({ clientSideCache: cache });
  const script = "return redis.call('SET', KEYS[1], ARGV[1])";
  const changes = {
    SET: [() => w.set('k', '2'), '2'],
    INCR: [() => w.incr('k'), '2'],
    DEL: [() => w.del('k'), null],
    'RENAME from it': [() => w.rename('k', 'elsewhere'), null],
    'RENAME to it': [() => w.rename('other', 'k'), '3'],
    COPY: [() => w.copy('other', 'k', { REPLACE: true }), '3'],
    MOVE: [() => w.move('k', 1), null],
    FLUSHDB: [() => w.flushDb(), null],
    FLUSHALL: [() => w.flushAll('ASYNC'), null],
    MULTI: [() => w.multi().set('k', '5').incr('k').exec(), '6'],
    EVAL: [() => w.eval(script, { keys: ['k'], arguments: ['7'] }), '7'],
    time: [() => w.pExpire('k', 1), null],
    'a time that is over': [() => w.pExpire('k', -1), null],
    'its own SET': [() => r.set('k', '8'), '8'],
    'its own DEL': [() => r.del('k'), null],
  };
  for (const [name, [change, want]] of Object.entries(changes)) {
    await w.flushAll();
    await w.mSet({ k: '1', other: '3' });
    await eventually(c, () => r.get('k'), '1', `before ${name}`);
    await change();
    await eventually(c, () => r.get('k'), want, `after ${name}`);
  }
  // A key of which others are told nothing new stays in the cache.
  await w.set('k', '1');
  await eventually(c, () => r.get('k'), '1', 'at last');
  const before = await asked(w, 'get');
  await w.set('unrelated', '1');
  await w.del('none');
  await w.setNX('k', '9');
  for (let i = 0; i < 5; i++) c.eq(await r.get('k'), '1');
  c.eq((await asked(w, 'get')) - before, 0);
  await r.close();
}

// A small cache forgets what was not read for the longest time, a short one all of it.
async function bounding(c, w) {
  await w.mSet({ k0: '0', k1: '1', k2: '2', k3: '3' });
  const small = await connect({ clientSideCache: { maxEntries: 3, evictPolicy: 'LRU' } });
  for (const name of ['k0', 'k1', 'k2', 'k3']) await small.get(name);
  let before = await asked(w, 'get');
  for (const number of [3, 2, 1]) c.eq(await small.get(`k${number}`), String(number));
  c.eq((await asked(w, 'get')) - before, 0);
  c.eq(await small.get('k0'), '0');
  c.eq((await asked(w, 'get')) - before, 1);
  await small.close();
  const short = await connect({ clientSideCache: { ttl: 50 } });
  before = await asked(w, 'get');
  await short.get('k0');
  await sleep(100);
  await short.get('k0');
  c.eq((await asked(w, 'get')) - before, 2);
  await short.close();
}

// While others write, no reader goes back, and all see the last value of every key.
async function racing(c, w) {
  const names = Array.from({ length: KEYS }, (_, i) => `race:${i}`);
  await w.mSet(Object.fromEntries(names.map((name) => [name, '0'])));
  const pool = createClientPool({ RESP: 3, socket }, {
    minimum: 4, maximum: 4, clientSideCache: new BasicPooledClientSideCache(),
  });
  pool.on('error', () => {});
  await pool.connect();
  const single = await connect({ clientSideCache: {} });
  let over = false;
  const read = async () => {
    const seen = new Map(names.map((name) => [name, 0]));
    while (!over) {
      for (const name of names) {
        const got = Number(await single.get(name));
        if (got < seen.get(name)) throw new Error(`${name}: ${got} after ${seen.get(name)}`);
        seen.set(name, got);
      }
      await sleep(0);
    }
  };
  const reader = read();
  const last = {};
  for (let number = 1; number <= WRITES; number++) {
    const name = names[number % KEYS];
    await w.set(name, String(number));
    last[name] = String(number);
    await pool.get(name);
  }
  over = true;
  await reader;
  for (const [name, want] of Object.entries(last)) {
    await eventually(c, () => single.get(name), want, name);
    await eventually(c, () => pool.get(name), want, name);
  }
  console.log(`a reader and a pool saw ${WRITES} writes in order`);
  await single.close();
  await pool.close();
}

// A connection that is lost takes the cache with it.
async function lost(c, w) {
  const r = await connect({ clientSideCache: {} });
  await w.set('kept', '1');
  c.eq(await r.get('kept'), '1');
  await w.clientKill({ filter: 'ID', id: await r.clientId() });
  await w.set('kept', '2');
  await eventually(c, () => r.get('kept').catch(() => 'lost'), '2', 'behind the lost connection');
  await r.close();
}

async function main() {
  const w = await connect();
  await w.flushAll();
  const c = new Checks(`node-redis ${dependencies.redis} with its cache`, '0');
  for (const part of [reading, changing, bounding, racing, lost]) await part(c, w);
  await eventually(c, async () => /tracking_clients:(\d+)/.exec(await w.info('clients'))[1], '0',
    'clients that are tracked at the end');
  await w.flushAll();
  await w.close();
  c.summary();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
