// Counted assertions over whole replies, version gates, and the commands that both Node clients send
// as they are. A check compares the reply exactly; the first difference ends the run.
'use strict';
const assert = require('node:assert/strict');
const collections = require('./collections');

class Checks {
  constructor(label, version) {
    this.label = label;
    this.version = version.split('.').map(Number);
    this.count = 0;
    this.leftOut = new Set();
  }

  // Whether the server is new enough; if not, what is left out goes into the summary.
  since(version, what) {
    const wanted = version.split('.').map(Number);
    for (let i = 0; i < wanted.length; i++) {
      if (this.version[i] !== wanted[i]) {
        if (this.version[i] > wanted[i]) return true;
        this.leftOut.add(`${what} (since ${version})`);
        return false;
      }
    }
    return true;
  }

  eq(got, want) {
    this.count++;
    assert.deepStrictEqual(plain(got), want);
  }

  within(got, low, high) {
    this.count++;
    assert.ok(got >= low && got <= high, `${got} is not in ${low}..${high}`);
  }

  ok(condition, what) {
    this.count++;
    assert.ok(condition, what);
  }

  // The promise is rejected with exactly these words.
  async error(words, promise) {
    this.count++;
    let got;
    try {
      got = await promise;
    } catch (error) {
      assert.equal(error.message, words);
      return;
    }
    assert.fail(`got ${JSON.stringify(got)}, wanted the error ${words}`);
  }

  summary() {
    const left = this.leftOut.size ? `; left out: ${[...this.leftOut].sort().join(', ')}` : '';
    console.log(`${this.label}: ${this.count} checks${left}`);
  }
}

// Clients give maps as objects without a prototype, which deepStrictEqual tells from literals.
function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (value && Object.getPrototypeOf(value) === null) return { ...value };
  return value;
}

const WRONG_NUMBER = (name) => ({ error: `ERR wrong number of arguments for '${name}' command` });
const NOT_INTEGER = { error: 'ERR value is not an integer or out of range' };
const SYNTAX = { error: 'ERR syntax error' };

// [command line, reply]. Words are separated by one space; the keyspace is empty at the start.
const CASES = [
  // Strings
  ['SET a hello', 'OK'], ['GET a', 'hello'], ['GET none', null], ['STRLEN a', 5],
  ['APPEND a !', 6], ['GETRANGE a 1 3', 'ell'], ['SUBSTR a 0 0', 'h'], ['SETRANGE a 0 J', 6],
  ['GETSET a x', 'Jello!'], ['GETDEL a', 'x'], ['GETDEL a', null], ['SETNX a 1', 1],
  ['SETNX a 2', 0], ['SET a 2 NX', null], ['SET a 2 XX', 'OK'], ['SET a 3 GET', '2'],
  ['SET a 3 EX 100', 'OK'], ['SET a 4 KEEPTTL', 'OK'], ['PERSIST a', 1], ['TTL a', -1],
  ['SETEX a 100 v', 'OK'], ['PSETEX a 100000 v', 'OK'], ['GETEX a PERSIST', 'v'], ['PTTL a', -1],
  ['GETEX a EX 100', 'v'], ['DEL a', 1], ['INCR n', 1], ['INCRBY n 9', 10], ['DECR n', 9],
  ['DECRBY n 4', 5], ['INCRBYFLOAT n 0.5', '5.5'], ['INCR n', NOT_INTEGER],
  ['MSET m1 a m2 b', 'OK'], ['MGET m1 none m2', ['a', null, 'b']], ['MSETNX m1 x m3 y', 0],
  ['MSETNX m3 y m4 z', 1], ['SET a v EX 0', { error: "ERR invalid expire time in 'set' command" }],
  ['SET a v NX XX', SYNTAX], ['SET a', WRONG_NUMBER('set')], ['MSET a', WRONG_NUMBER('mset')],
  ['SETRANGE a -1 x', { error: 'ERR offset is out of range' }], ['SET big 9223372036854775807', 'OK'],
  ['INCR big', { error: 'ERR increment or decrement would overflow' }],
  ['MSET l1 ohmytext l2 mynewtext', 'OK'], ['LCS l1 l2', 'mytext'], ['LCS l1 l2 LEN', 6],
  // Bitmaps
  ['SETBIT b 7 1', 0], ['GETBIT b 7', 1], ['GETBIT b 99', 0], ['BITCOUNT b', 1],
  ['BITCOUNT b 0 -1 BIT', 1], ['BITPOS b 1', 7], ['BITPOS b 0', 0], ['BITPOS none 1', -1],
  ['BITOP NOT c b', 1], ['BITCOUNT c', 7], ['BITOP AND d b c', 1], ['BITCOUNT d', 0],
  ['BITOP OR d b c', 1], ['BITCOUNT d', 8], ['BITOP XOR d c c', 1], ['BITCOUNT d', 0],
  ['BITFIELD f SET u8 0 255 GET u8 0', [0, 255]],
  ['BITFIELD f OVERFLOW SAT INCRBY u8 0 10', [255]],
  ['BITFIELD f OVERFLOW FAIL INCRBY u8 0 10', [null]], ['BITFIELD_RO f GET i8 0', [-1]],
  ['SETBIT b -1 1', { error: 'ERR bit offset is not an integer or out of range' }],
  ['SETBIT b 1 2', { error: 'ERR bit is not an integer or out of range' }],
  // Keys
  ['FLUSHALL', 'OK'], ['SET k v', 'OK'], ['EXISTS k k none', 2], ['TYPE k', 'string'],
  ['TYPE none', 'none'], ['TOUCH k none', 1], ['EXPIRE k 100', 1], ['EXPIRE none 100', 0],
  ['EXPIRE k 50 GT', 0], ['EXPIRE k 50 LT', 1], ['EXPIRE k 50 NX', 0], ['EXPIRE k 60 XX', 1],
  ['PEXPIRE k 100000', 1], ['EXPIREAT k 33177117420', 1], ['EXPIRETIME k', 33177117420],
  ['PEXPIREAT k 33177117420123', 1], ['PEXPIRETIME k', 33177117420123], ['TTL none', -2],
  ['RENAME k k2', 'OK'], ['RENAME k k2', { error: 'ERR no such key' }], ['RENAMENX k2 k', 1],
  ['COPY k k3', 1], ['COPY k k3', 0], ['COPY k k3 REPLACE', 1], ['MOVE k3 1', 1], ['MOVE k3 1', 0],
  ['KEYS k*', ['k']], ['RANDOMKEY', 'k'], ['DBSIZE', 1], ['SCAN 0', ['0', ['k']]],
  ['SCAN 0 MATCH x* COUNT 10 TYPE string', ['0', []]], ['OBJECT ENCODING k', 'embstr'],
  ['OBJECT REFCOUNT k', 1], ['OBJECT ENCODING none', null], ['UNLINK k none', 1], ['DEL k', 0],
  ['RANDOMKEY', null], ['SCAN x', { error: 'ERR invalid cursor' }], ['EXPIRE k x', NOT_INTEGER],
  ['SWAPDB 0 1', 'OK'], ['EXISTS k3', 1], ['FLUSHDB ASYNC', 'OK'], ['DBSIZE', 0],
  // Connection and server
  ['PING', 'PONG'], ['PING text', 'text'], ['ECHO text', 'text'],
  ['SELECT 99', { error: 'ERR DB index is out of range' }], ['ROLE', ['master', 0, []]],
  ['CONFIG GET maxmemory-samples', { pairs: ['maxmemory-samples', '5'] }],
  ['CONFIG SET maxmemory-samples 6', 'OK'],
  ['CONFIG GET maxmemory-samples', { pairs: ['maxmemory-samples', '6'] }],
  ['CONFIG SET maxmemory-samples 5', 'OK'], ['CONFIG RESETSTAT', 'OK'],
  ['CONFIG SET bogus 1',
    { error: "ERR Unknown option or number of arguments for CONFIG SET - 'bogus'" }],
  ['COMMAND GETKEYS MSET a 1 b 2', ['a', 'b']], ['MEMORY USAGE none', null],
  ['MEMORY PURGE', 'OK'], ['FLUSHALL SYNC', 'OK'], ['EXEC', { error: 'ERR EXEC without MULTI' }],
  ['DISCARD', { error: 'ERR DISCARD without MULTI' }], ['GET', WRONG_NUMBER('get')],
  ['BOGUS a', { error: "ERR unknown command 'BOGUS', with args beginning with: 'a' " }],
];

// Sends every case through `send(words)`, which speaks RESP2 or RESP3; `double(text)` is what the
// client makes of a double of RESP3.
async function runCases(c, protocol, double, send) {
  const shapes = { nested: protocol === 3, double: protocol === 3 ? double : (text) => text };
  const commands = (await send(['COMMAND', 'LIST'])).map((name) => name.toLowerCase());
  for (const cases of [CASES, ...collections]) {
    await send(['FLUSHALL']);
    if (cases.command && !commands.includes(cases.command)) {
      c.leftOut.add(`${cases.command.toUpperCase()} (not on this server)`);
      continue;
    }
    for (const [line, want] of cases) {
      try {
        if (want && want.error) await c.error(want.error, send(line.split(' ')));
        else c.eq(flat(await send(line.split(' ')), want), expected(want, shapes));
      } catch (error) {
        error.message = `${c.label}: ${line}: ${error.message}`;
        throw error;
      }
    }
  }
  await send(['FLUSHALL']);
}

// What a case of the tables means in the client's shapes.
function expected(want, shapes) {
  if (Array.isArray(want)) return want.map((item) => expected(item, shapes));
  if (want === null || typeof want !== 'object') return want;
  if ('double' in want) return shapes.double(want.double);
  if (want.pairs) return want.pairs;
  if (want.set) return [...want.set].sort();
  const rows = want.nested || want.scored.map(([member, score]) => [member, shapes.double(score)]);
  return shapes.nested ? rows : rows.flat();
}

// A reply in the shape that its case is written in: pairs for maps, an order for sets.
function flat(got, want) {
  if (want && want.set) return [...got].sort();
  if (!want || !want.pairs || got === null) return plain(got);
  if (got instanceof Map) return [...got.entries()].flat();
  if (!Array.isArray(got)) return Object.entries(got).flat();
  // XREAD over RESP2 gives a list of rows of two.
  return want.rows && Array.isArray(got[0]) ? got.flat() : got;
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

module.exports = { Checks, runCases, sleep };
