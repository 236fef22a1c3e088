// rate-limiter-flexible over both Node clients: `node rate_limits.js PORT`.
//
// Points are counted by a script that gives a counter its expiry with its first point, or in a
// transaction where a counter has none.
'use strict';
const Redis = require('ioredis');
const { createClient } = require('redis');
const {
  BurstyRateLimiter, RateLimiterMemory, RateLimiterQueue, RateLimiterRedis, RateLimiterUnion,
} = require('rate-limiter-flexible');
const { Checks, sleep } = require('./checks');
const { dependencies } = require('./package.json');

const port = Number(process.argv[2]);
const host = '127.0.0.1';
const HOUR_MS = 3600000;

// What a limiter answers, or what it refuses with; the time is checked and not shown.
async function answer(c, promise, longestMs = HOUR_MS) {
  const got = await promise.catch((refusal) => {
    if (refusal instanceof Error) throw refusal;
    return refusal;
  });
  c.within(got.msBeforeNext, longestMs > 0 ? longestMs - 60000 : -1, longestMs);
  return [got.consumedPoints, got.remainingPoints, got.isFirstInDuration];
}

async function counting(c, limiter) {
  c.eq(await limiter.get('user'), null);
  c.eq(await answer(c, limiter.consume('user')), [1, 4, true]);
  c.eq(await answer(c, limiter.consume('user', 3)), [4, 1, false]);
  c.eq(await answer(c, limiter.consume('user', 2)), [6, 0, false]);
  c.eq(await answer(c, limiter.reward('user', 2)), [4, 1, false]);
  c.eq(await answer(c, limiter.penalty('user', 1)), [5, 0, false]);
  c.eq(await answer(c, limiter.get('user')), [5, 0, false]);
  c.eq(await answer(c, limiter.consume('other', 5)), [5, 0, true]);
  c.eq(await limiter.delete('user'), true);
  c.eq(await limiter.delete('user'), false);
  await limiter.set('user', 4, 3600);
  c.eq(await answer(c, limiter.consume('user')), [5, 0, false]);
  await limiter.block('user', 7200);
  c.eq(await answer(c, limiter.consume('user'), 2 * HOUR_MS), [7, 0, false]);
}

// Blocks for longer than the window when the limit is exceeded.
async function blocking(c, options) {
  const limiter =
    new RateLimiterRedis({ ...options, keyPrefix: 'block', points: 1, blockDuration: 7200 });
  c.eq(await answer(c, limiter.consume('user')), [1, 0, true]);
  c.eq(await answer(c, limiter.consume('user'), 2 * HOUR_MS), [2, 0, false]);
  c.eq(await answer(c, limiter.get('user'), 2 * HOUR_MS), [2, 0, false]);
}

async function endless(c, options) {
  const limiter = new RateLimiterRedis({ ...options, keyPrefix: 'endless', duration: 0 });
  c.eq(await answer(c, limiter.consume('user', 2), -1), [2, 3, true]);
  c.eq(await answer(c, limiter.consume('user', 4), -1), [6, 0, false]);
}

async function expiring(c, options) {
  const brief = new RateLimiterRedis({ ...options, keyPrefix: 'brief', duration: 1 });
  await brief.consume('user', 5);
  await sleep(1100);
  c.eq((await brief.consume('user', 5)).consumedPoints, 5);
  const slow = new RateLimiterRedis({ ...options, keyPrefix: 'slow', points: 1, duration: 3600 });
  const bursty = new BurstyRateLimiter(slow,
    new RateLimiterRedis({ ...options, keyPrefix: 'burst', points: 3, duration: 3600 }));
  for (let i = 0; i < 4; i++) await bursty.consume('user');
  await c.error('refused', bursty.consume('user').catch(() => { throw new Error('refused'); }));
  const union = new RateLimiterUnion(slow,
    new RateLimiterRedis({ ...options, keyPrefix: 'wide', points: 9, duration: 3600 }));
  const each = await union.consume('somebody');
  c.eq(Object.keys(each).sort().map((name) => [name, each[name].consumedPoints]),
    [['slow', 1], ['wide', 1]]);
}

// Of more requests at once than the limit allows exactly as many pass; a queue makes them wait.
async function crowd(c, options) {
  const limiter = new RateLimiterRedis({ ...options, keyPrefix: 'crowd', points: 100 });
  const attempts = await Promise.allSettled(
    Array.from({ length: 400 }, () => limiter.consume('user')));
  const passed = attempts.filter(({ status }) => status === 'fulfilled').length;
  c.eq(passed, 100);
  const counts = attempts.map(({ value, reason }) => (value || reason).consumedPoints);
  c.eq(counts.sort((a, b) => a - b), Array.from({ length: 400 }, (_, i) => i + 1));
  console.log(`${passed} of ${counts.length} requests passed`);
  const turns = new RateLimiterRedis({ ...options, keyPrefix: 'turns', points: 4, duration: 1 });
  const queue = new RateLimiterQueue(turns);
  const left = await Promise.all(Array.from({ length: 6 }, () => queue.removeTokens(1)));
  c.eq(left.length, 6);
}

async function left(r) {
  const names = (await r.keys('*')).filter((name) => !/^(brief|turns)/.test(name));
  for (const name of names.sort()) {
    console.log(`${name} ${await r.get(name)} ${(await r.ttl(name)) > 0 ? 'expires' : 'stays'}`);
  }
}

// A server that is gone: the limiter in memory stands in.
async function insured(c, r, options) {
  const limiter = new RateLimiterRedis({
    ...options, keyPrefix: 'insured',
    insuranceLimiter: new RateLimiterMemory({ points: 2, duration: 3600 }),
  });
  c.eq(await answer(c, limiter.consume('user')), [1, 4, true]);
  r.disconnect();
  c.eq(await answer(c, limiter.consume('user')), [1, 1, true]);
}

async function main() {
  const version = dependencies['rate-limiter-flexible'];
  const ioredis = new Redis({ port, host, retryStrategy: null });
  const nodeRedis = createClient({ socket: { port, host, reconnectStrategy: false } });
  await nodeRedis.connect();
  const clients = [
    ['ioredis', { storeClient: ioredis }],
    ['node-redis', { storeClient: nodeRedis, useRedisPackage: true }],
  ];
  for (const [name, client] of clients) {
    await ioredis.flushall();
    const c = new Checks(`rate-limiter-flexible ${version} over ${name}`, '0');
    const options = { ...client, points: 5, duration: 3600 };
    await counting(c, new RateLimiterRedis(options));
    for (const part of [blocking, endless, expiring, crowd]) await part(c, options);
    await left(ioredis);
    c.summary();
  }
  await ioredis.flushall();
  const c = new Checks('with an insurance', '0');
  await insured(c, ioredis, { storeClient: ioredis, points: 5, duration: 3600 });
  c.summary();
  await nodeRedis.flushAll();
  await nodeRedis.close();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
