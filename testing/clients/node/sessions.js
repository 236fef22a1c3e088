// Sessions of express-session in connect-redis: `node sessions.js PORT`.
//
// A browser keeps an id in a cookie; everything else lies in the server under a key that expires
// and that every request postpones.
'use strict';
const http = require('node:http');
const { once } = require('node:events');
const session = require('express-session');
const { RedisStore } = require('connect-redis');
const { createClient } = require('redis');
const { Checks, sleep } = require('./checks');
const { dependencies } = require('./package.json');

const BROWSERS = 100;
const VISITS = 5;
const LIFETIME_SECONDS = 1000;
const port = Number(process.argv[2]);

// A shop: /login/NAME, /visit, /logout; each answers with what the session holds then.
function application(store, maxAge) {
  const middleware = session({
    store, secret: 'checks', resave: false, saveUninitialized: false, cookie: { maxAge },
  });
  const act = (request, done) => {
    const [, verb, name] = request.url.split('/');
    if (verb === 'login') {
      request.session.regenerate((error) => {
        Object.assign(request.session, { name, visits: 0, note: 'é\0' });
        done(error);
      });
    } else if (verb === 'logout') {
      request.session.destroy(done);
    } else {
      if (request.session.name) request.session.visits++;
      done();
    }
  };
  return http.createServer((request, response) => middleware(request, response, (failed) => {
    act(request, (error) => {
      response.statusCode = failed || error ? 500 : 200;
      const { name, visits, note } = request.session || {};
      response.end(JSON.stringify({ name, visits, note }));
    });
  }));
}

// A browser: asks for a path and keeps its cookie.
class Browser {
  constructor(address) {
    this.address = address;
    this.cookie = '';
  }

  async ask(path) {
    const response =
      await fetch(`http://127.0.0.1:${this.address}${path}`, { headers: { cookie: this.cookie } });
    const [cookie] = response.headers.getSetCookie();
    if (cookie) this.cookie = cookie.split(';')[0];
    return [response.status, await response.json()];
  }
}

// Runs `body` with the port of a shop.
async function serving(store, maxAge, body) {
  const shop = application(store, maxAge).listen(0, '127.0.0.1');
  await once(shop, 'listening');
  try {
    await body(shop.address().port);
  } finally {
    shop.closeAllConnections();
    shop.close();
  }
}

async function oneSession(c, r, address) {
  const browser = new Browser(address);
  c.eq(await browser.ask('/visit'), [200, {}]);
  c.eq(await r.keys('shop:*'), []);
  c.eq(await browser.ask('/login/ada'), [200, { name: 'ada', visits: 0, note: 'é\0' }]);
  const first = await r.keys('shop:*');
  c.eq(first.length, 1);
  c.within(await r.ttl(first[0]), LIFETIME_SECONDS - 50, LIFETIME_SECONDS);
  c.eq(await r.expire(first[0], 60), 1);
  c.eq(await browser.ask('/visit'), [200, { name: 'ada', visits: 1, note: 'é\0' }]);
  c.within(await r.ttl(first[0]), LIFETIME_SECONDS - 50, LIFETIME_SECONDS);
  // A new login gets a new id, and the old one is worthless.
  const old = new Browser(address);
  old.cookie = browser.cookie;
  await browser.ask('/login/ada');
  const second = await r.keys('shop:*');
  c.eq([second.length, second[0] === first[0]], [1, false]);
  c.eq(await old.ask('/visit'), [200, {}]);
  c.eq(await browser.ask('/logout'), [200, {}]);
  c.eq(await r.keys('shop:*'), []);
  c.eq(await browser.ask('/visit'), [200, {}]);
}

async function manySessions(c, store, address) {
  const visit = async (_, number) => {
    const browser = new Browser(address);
    await browser.ask(`/login/user${number}`);
    for (let visits = 1; visits <= VISITS; visits++) {
      c.eq(await browser.ask('/visit'), [200, { name: `user${number}`, visits, note: 'é\0' }]);
    }
  };
  await Promise.all(Array.from({ length: BROWSERS }, visit));
  c.eq(await store.length(), BROWSERS);
  c.eq((await store.ids()).length, BROWSERS);
  const all = await store.all();
  c.eq(all.map(({ name }) => name).sort(),
    Array.from({ length: BROWSERS }, (_, number) => `user${number}`).sort());
  c.eq(all.every(({ visits }) => visits === VISITS), true);
  console.log(`${all.length} sessions of ${VISITS} visits each`);
  await store.clear();
  c.eq(await store.length(), 0);
}

async function expiring(c, address) {
  const browser = new Browser(address);
  await browser.ask('/login/ada');
  await sleep(1200);
  c.eq(await browser.ask('/visit'), [200, {}]);
}

async function main() {
  const r = createClient({ socket: { port, host: '127.0.0.1', reconnectStrategy: false } });
  await r.connect();
  await r.flushAll();
  const c = new Checks(`connect-redis ${dependencies['connect-redis']}`, '0');
  const store = new RedisStore({ client: r, prefix: 'shop:', scanCount: 10 });
  await serving(store, LIFETIME_SECONDS * 1000, async (address) => {
    await oneSession(c, r, address);
    await manySessions(c, store, address);
  });
  await serving(store, 1000, (address) => expiring(c, address));
  await r.flushAll();
  await r.close();
  c.summary();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
