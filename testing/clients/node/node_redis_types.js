// The collections through node-redis's own methods, whose typed replies are the same over both
// protocols, and waiting on a second connection.
'use strict';
const { sleep } = require('./checks');

const texts = (count, name) => Array.from({ length: count }, (_, i) => `${name}${i}`);

async function lists(c, r) {
  await r.flushAll();
  const names = texts(5000, 'e');
  c.eq(await r.rPush('l', names), 5000);
  c.eq(await r.lRange('l', 0, -1), names);
  c.eq(await r.lPos('l', 'e7', { RANK: 1 }), 7);
  c.eq(await r.lPosCount('l', 'e7', 0), [7]);
  c.eq(await r.lPopCount('l', 2), ['e0', 'e1']);
  c.eq(await r.lPop('none'), null);
  c.eq(await r.lInsert('l', 'AFTER', 'e2', 'new'), 4999);
  c.eq(await r.lRem('l', 0, 'e3'), 1);
  c.eq(await r.lTrim('l', 0, 1), 'OK');
  c.eq(await r.lSet('l', -1, 'set'), 'OK');
  c.eq(await r.lMove('l', 'm', 'RIGHT', 'LEFT'), 'set');
  c.eq(await r.rPopLPush('l', 'm'), 'e2');
  c.eq(await r.lmPop(['none', 'm'], 'LEFT', { COUNT: 9 }), ['m', ['e2', 'set']]);
}

async function sets(c, r) {
  const names = texts(3000, 'm').sort();
  c.eq(await r.sAdd('s', names), 3000);
  c.eq((await r.sMembers('s')).sort(), names);
  const seen = new Set();
  for await (const batch of r.sScanIterator('s', { COUNT: 100 })) batch.forEach((m) => seen.add(m));
  c.eq([...seen].sort(), names);
  c.eq(await r.smIsMember('s', ['m1', 'x']), [1, 0]);
  c.eq(await r.sAdd('t', ['m1', 'm2', 'x']), 3);
  c.eq((await r.sInter(['s', 't'])).sort(), ['m1', 'm2']);
  c.eq(await r.sDiff(['t', 's']), ['x']);
  c.eq(await r.sInterCard(['s', 't'], { LIMIT: 1 }), 1);
  c.eq(await r.sUnionStore('u', ['s', 't']), 3001);
  c.eq((await r.sPopCount('u', 1000)).length, 1000);
  c.eq((await r.sRandMemberCount('u', -5000)).length, 5000);
  c.eq(await r.sMove('t', 's', 'x'), 1);
}

async function hashes(c, r) {
  const fields = Object.fromEntries(texts(1000, 'f').map((name, i) => [name, String(i)]));
  c.eq(await r.hSet('h', fields), 1000);
  c.eq(await r.hGetAll('h'), fields);
  c.eq(await r.hGetAll('none'), {});
  c.eq(await r.hmGet('h', ['f1', 'x']), ['1', null]);
  c.eq(await r.hIncrBy('h', 'f1', 9), 10);
  c.eq(await r.hIncrByFloat('h', 'f1', 0.5), '10.5');
  c.eq(await r.hSetNX('h', 'f1', 'x'), 0);
  const seen = {};
  for await (const batch of r.hScanIterator('h', { COUNT: 100 })) {
    for (const { field, value } of batch) seen[field] = value;
  }
  c.eq(seen, { ...fields, f1: '10.5' });
  c.eq(await r.hDel('h', Object.keys(fields).slice(1)), 999);
  c.eq(await r.hRandFieldCountWithValues('h', 3), [{ field: 'f0', value: '0' }]);
}

async function sortedSets(c, r) {
  c.eq(await r.zAdd('z', texts(3000, 'm').map((value, score) => ({ value, score }))), 3000);
  c.eq(await r.zRank('z', 'm1234'), 1234);
  c.eq(await r.zScore('z', 'm7'), 7);
  c.eq(await r.zmScore('z', ['m7', 'x']), [7, null]);
  c.eq(await r.zRange('z', 10, 12), ['m10', 'm11', 'm12']);
  c.eq(await r.zRangeWithScores('z', 0, 1, { REV: true }),
    [{ value: 'm2999', score: 2999 }, { value: 'm2998', score: 2998 }]);
  c.eq(await r.zRange('z', '(10', '+inf', { BY: 'SCORE', LIMIT: { offset: 0, count: 2 } }),
    ['m11', 'm12']);
  c.eq(await r.zIncrBy('z', 0.5, 'm0'), 0.5);
  c.eq(await r.zCount('z', 0, 100), 101);
  const seen = new Set();
  for await (const batch of r.zScanIterator('z', { COUNT: 100 })) {
    for (const { value } of batch) seen.add(value);
  }
  c.eq(seen.size, 3000);
  c.eq(await r.zAdd('y', { value: 'm1', score: 10 }), 1);
  c.eq(await r.zInterWithScores(['z', 'y']), [{ value: 'm1', score: 11 }]);
  c.eq(await r.zUnionStore('u', ['z', 'y']), 3000);
  c.eq(await r.zPopMax('z'), { value: 'm2999', score: 2999 });
  c.eq(await r.zPopMinCount('z', 2), [{ value: 'm0', score: 0.5 }, { value: 'm1', score: 1 }]);
  c.eq(await r.zmPop(['none', 'z'], 'MIN'), { key: 'z', members: [{ value: 'm2', score: 2 }] });
  c.eq(await r.zRemRangeByScore('z', '-inf', '+inf'), 2996);
}

async function streams(c, r) {
  const added = texts(501, '').slice(1).map((i) => r.xAdd('st', `${i}-0`, { i }));
  c.eq((await Promise.all(added)).length, 500);
  const entry = (i) => ({ id: `${i}-0`, message: { i: String(i) } });
  const found = (rows) => rows.map(({ id, message }) => ({ id, message: { ...message } }));
  c.eq(found(await r.xRange('st', '2', '3')), [entry(2), entry(3)]);
  c.eq(found(await r.xRevRange('st', '+', '-', { COUNT: 1 })), [entry(500)]);
  c.eq(await r.xGroupCreate('st', 'g', '0'), 'OK');
  let read = 0;
  for (;;) {
    const got = await r.xReadGroup('g', 'me', { key: 'st', id: '>' }, { COUNT: 100 });
    if (got === null) break;
    c.eq([got.length, got[0].name, got[0].messages.length], [1, 'st', 100]);
    c.eq(found(got[0].messages.slice(0, 1)), [entry(read + 1)]);
    read += await r.xAck('st', 'g', got[0].messages.map(({ id }) => id));
  }
  c.eq(read, 500);
  c.eq(await r.xPending('st', 'g'),
    { pending: 0, firstId: null, lastId: null, consumers: null });
  const info = await r.xInfoStream('st');
  c.eq([info.length, info['last-generated-id'], info.groups], [500, '500-0', 1]);
  c.eq(await r.xTrim('st', 'MAXLEN', 10), 490);
}

// One client waits while the other provides, for each command that can wait.
async function waiting(c, r, RESP, connect) {
  await r.flushAll();
  const other = await connect(RESP);
  const served = async (wait, provide) => {
    const reply = wait();
    while (!(await r.info('clients')).includes('blocked_clients:1\r\n')) await sleep(2);
    await provide();
    return reply;
  };
  c.eq(await served(() => other.blPop(['a', 'b'], 5), () => r.rPush('b', 'x')),
    { key: 'b', element: 'x' });
  c.eq(await served(() => other.brPop('a', 5), () => r.rPush('a', 'x')),
    { key: 'a', element: 'x' });
  c.eq(await served(() => other.blMove('a', 'b', 'LEFT', 'LEFT', 5), () => r.rPush('a', 'x')), 'x');
  c.eq(await served(() => other.blmPop(5, 'a', 'LEFT'),
    () => r.multi().rPush('a', 'x').lPush('a', 'y').exec()), ['a', ['y']]);
  c.eq(await served(() => other.bzPopMin('z', 5),
    () => r.zAdd('z', [{ value: 'm', score: 2 }, { value: 'n', score: 1 }])),
  { key: 'z', value: 'n', score: 1 });
  const got = await served(() => other.xRead({ key: 'st', id: '$' }, { BLOCK: 5000 }),
    () => r.xAdd('st', '1-1', { f: 'v' }));
  c.eq([got[0].name, got[0].messages[0].id, got[0].messages[0].message.f], ['st', '1-1', 'v']);
  c.eq(await other.blPop('never', 0.02), null);
  const id = await other.clientId();
  c.eq(await served(() => other.blPop('never', 0),
    () => r.sendCommand(['CLIENT', 'UNBLOCK', String(id)])), null);
  other.destroy();
}

async function placesAndEstimates(c, r) {
  await r.flushAll();
  c.eq(await r.geoAdd('g', [
    { longitude: 13.361389, latitude: 38.115556, member: 'Palermo' },
    { longitude: 15.087269, latitude: 37.502669, member: 'Catania' },
  ]), 2);
  c.eq(await r.geoDist('g', 'Palermo', 'Catania', 'km'), 166.2742);
  const [{ longitude, latitude }] = await r.geoPos('g', 'Palermo');
  c.eq([Number(longitude), Number(latitude)], [13.361389338970184, 38.1155563954963]);
  c.eq(await r.geoHash('g', ['Palermo', 'none']), ['sqc8b49rny0', null]);
  c.eq(await r.geoSearch('g', { longitude: 15, latitude: 37 }, { radius: 200, unit: 'km' },
    { SORT: 'ASC' }), ['Catania', 'Palermo']);
  c.eq(await r.pfAdd('p', texts(1000, '')), 1);
  c.eq(await r.pfCount('p'), 1001);
  c.eq(await r.pfMerge('q', 'p'), 'OK');
}

module.exports = [lists, sets, hashes, sortedSets, streams, waiting, placesAndEstimates];
