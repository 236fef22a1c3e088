// The `redlock` library over three servers: `node redlock.js PORT PORT PORT`.
//
// A lock is held when a majority of independent servers says so. Taking, extending and releasing
// are scripts over all the names of a lock, called by digest and sent whole where a server does not
// know them. At the end one server after the other is shut down.
'use strict';
const Redis = require('ioredis');
const { default: Redlock } = require('redlock');
const { Checks, sleep } = require('./checks');
const { dependencies } = require('./package.json');

const COUNTERS = 4;
const ROUNDS = 25;
// A server that is down is no reason to wait: the others decide.
const options = { host: '127.0.0.1', retryStrategy: null, maxRetriesPerRequest: 0 };
const patient = { retryCount: 1000, retryDelay: 20, retryJitter: 10 };
const once = { retryCount: 0 };
const values = (clients, name) => Promise.all(clients.map((r) => r.get(name)));
const refused = 'The operation was unable to achieve a quorum during its retry window.';

// An operation is over when most servers have answered; the last answer comes a little later.
async function eventually(condition) {
  for (let tries = 0; tries < 3000 && !(await condition()); tries++) await sleep(10);
}

async function holds(c, clients, name, want) {
  const all = async () => JSON.stringify(await values(clients, name)) === JSON.stringify(want);
  await eventually(all);
  c.eq(await values(clients, name), want);
}

async function holding(c, clients, redlock) {
  const lock = await redlock.acquire(['a', 'b'], 20000);
  for (const name of lock.resources) {
    await holds(c, clients, name, [lock.value, lock.value, lock.value]);
  }
  for (const r of clients) c.within(await r.pttl('b'), 15000, 20000);
  // One of its names is enough to be refused, and nothing is left of the attempt.
  await c.error(refused, redlock.acquire(['b', 'c'], 20000, once));
  await holds(c, clients, 'c', [null, null, null]);
  const longer = await lock.extend(60000);
  for (const r of clients) {
    await eventually(async () => (await r.pttl('a')) > 50000);
    c.within(await r.pttl('a'), 50000, 60000);
  }
  await longer.release();
  await holds(c, clients, 'a', [null, null, null]);
  await holds(c, clients, 'b', [null, null, null]);
  await c.error('Cannot extend an already-expired lock.', redlock.extend(longer, 1000, once));
  await c.error(refused, redlock.release(longer, once));
}

// Who comes after a lock that ran out is not disturbed by its former holder.
async function expiring(c, clients, redlock) {
  const lock = await redlock.acquire(['short'], 300);
  const other = await redlock.acquire(['short'], 20000, patient);
  c.ok(lock.expiration < Date.now(), 'the first lock has run out');
  await c.error(refused, redlock.release(lock, once));
  await holds(c, clients, 'short', [other.value, other.value, other.value]);
  await other.release();
}

async function quorum(c, clients, redlock) {
  await clients[0].set('voted', 'somebody else');
  const lock = await redlock.acquire(['voted'], 20000, once);
  await lock.release();
  await holds(c, clients, 'voted', ['somebody else', null, null]);
  await clients[1].set('voted', 'somebody else');
  await c.error(refused, redlock.acquire(['voted'], 20000, once));
  await holds(c, clients, 'voted', ['somebody else', 'somebody else', null]);
  for (const r of clients) await r.del('voted');
}

// A counter that is read and written in two steps loses nothing under the lock.
async function exclusion(c, clients, redlock) {
  const [store] = clients;
  await store.set('counter', 0);
  const count = async () => {
    for (let round = 0; round < ROUNDS; round++) {
      await redlock.using(['counting'], 20000, patient, async () => {
        await store.set('counter', Number(await store.get('counter')) + 1);
      });
    }
  };
  await Promise.all(Array.from({ length: COUNTERS }, count));
  c.eq(await store.get('counter'), String(COUNTERS * ROUNDS));
  console.log(`${COUNTERS} counted to ${COUNTERS * ROUNDS} under the lock`);
}

// A routine that takes longer than its lock: the library extends the lock meanwhile.
async function extending(c, clients, redlock) {
  const settings = { ...once, automaticExtensionThreshold: 500 };
  await redlock.using(['long'], 1000, settings, async (signal) => {
    await sleep(1700);
    c.ok(!signal.aborted, 'the lock was extended');
    await c.error(refused, redlock.acquire(['long'], 1000, once));
  });
  await holds(c, clients, 'long', [null, null, null]);
}

async function failing(c, clients, redlock) {
  await shutDown(clients[2]);
  const lock = await redlock.acquire(['down'], 20000, once);
  const longer = await lock.extend(20000);
  await longer.release();
  await shutDown(clients[1]);
  await c.error(refused, redlock.acquire(['down'], 20000, once));
  await holds(c, clients.slice(0, 1), 'down', [null]);
}

async function shutDown(r) {
  await r.shutdown('NOSAVE').catch(() => {});
  while (r.status !== 'end') await sleep(10);
}

async function main() {
  const clients = process.argv.slice(2, 5).map((port) => new Redis({ port, ...options }));
  // What goes wrong is in the answers, which are compared.
  clients.forEach((r) => r.on('error', () => {}));
  const redlock = new Redlock(clients);
  redlock.on('error', () => {});
  const c = new Checks(`redlock ${dependencies.redlock}`, '0');
  await Promise.all(clients.map((r) => r.flushall()));
  for (const part of [holding, expiring, quorum, exclusion, extending]) {
    await part(c, clients, redlock);
  }
  for (const r of clients) {
    console.log(`left: ${(await r.keys('*')).sort().join(' ')}`);
    await r.flushall();
  }
  await failing(c, clients, redlock);
  c.summary();
  clients.forEach((r) => r.disconnect());
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
