// BullMQ with several worker processes: `node bullmq.js PORT`.
//
// Every step of a job is a script: taking it, finishing it, counting it. Nothing printed depends on
// time, so that the text for one server is the text for any other and `cargo xtask compat` compares
// the two.
'use strict';
const { fork } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const assert = require('node:assert/strict');
const { Queue, Worker } = require('bullmq');
const Redis = require('ioredis');

const JOBS = 10000;
const WORKERS = 4;
const PATIENCE_MS = 240000;
const port = Number(process.argv[2]);
const connection = { port, host: '127.0.0.1', maxRetriesPerRequest: null };
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// A worker process: notes each job in a file of its own before it answers.
async function work(folder) {
  const record = fs.openSync(path.join(folder, String(process.pid)), 'a');
  const worker = new Worker('work', async (job) => {
    fs.writeSync(record, `${job.data.number}\n`);
    return 2 * job.data.number;
  }, { connection, concurrency: 10 });
  worker.on('error', (error) => {
    console.error(error);
    process.exit(1);
  });
  await worker.waitUntilReady();
  process.on('message', async () => {
    await worker.close();
    process.exit(0);
  });
  process.send('ready');
}

// Starts the workers, runs `body` and ends them; one that fails ends the program.
async function withWorkers(folder, body) {
  const children = Array.from({ length: WORKERS }, () =>
    fork(__filename, [String(port), folder], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }));
  process.on('exit', () => children.forEach((child) => child.kill('SIGKILL')));
  const ended = children.map((child) => new Promise((resolve) => child.once('exit', (code) => {
    if (code !== 0) {
      console.error(`a worker ended with ${code}`);
      process.exit(1);
    }
    resolve();
  })));
  await Promise.all(children.map((child) => new Promise((ready) => child.once('message', ready))));
  await body();
  children.forEach((child) => child.send('close'));
  await Promise.all(ended);
}

async function enqueue(queue) {
  for (let start = 0; start < JOBS; start += 1000) {
    await queue.addBulk(Array.from({ length: 1000 }, (_, i) =>
      ({ name: 'double', data: { number: start + i } })));
  }
  while ((await queue.getJobCountByTypes('completed', 'failed')) < JOBS) await sleep(100);
}

// Every job was done exactly once, and every worker did some.
function checkRecord(folder) {
  const files = fs.readdirSync(folder);
  const lines = files.flatMap((name) =>
    fs.readFileSync(path.join(folder, name), 'utf8').trim().split('\n').map(Number));
  const wanted = Array.from({ length: JOBS }, (_, i) => i);
  assert.deepEqual(lines.sort((a, b) => a - b), wanted);
  assert.equal(files.length, WORKERS);
  console.log(`${JOBS} jobs, each done once, by ${WORKERS} workers`);
}

async function checkResults(queue) {
  const jobs = await queue.getJobs(['completed'], 0, -1, true);
  assert.equal(jobs.length, JOBS);
  for (const job of jobs) {
    assert.equal(job.returnvalue, 2 * job.data.number);
    assert.equal(job.attemptsMade, 1);
  }
  console.log(`${jobs.length} results, each at the first attempt`);
  console.log(`counts ${JSON.stringify(await queue.getJobCounts())}`);
}

// Keys by pattern and type, and the events by kind.
async function figures(r) {
  const counts = new Map();
  const add = (figure) => counts.set(figure, (counts.get(figure) || 0) + 1);
  for await (const names of r.scanStream({ count: 1000 })) {
    for (const name of names) {
      // The lock of the search for stalled jobs comes and goes with time.
      if (name === 'bull:work:stalled-check') continue;
      add(`${name.replace(/\d+$/, '*')} ${await r.type(name)}`);
    }
  }
  for (const [, fields] of await r.xrange('bull:work:events', '-', '+')) {
    // A queue may run dry between two jobs or not.
    if (fields[1] !== 'drained') add(`event ${fields[1]}`);
  }
  for (const [figure, count] of [...counts].sort()) console.log(`${count} ${figure}`);
}

async function main() {
  const r = new Redis(connection);
  await r.flushall();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bullmq-'));
  const late = () => {
    console.error(`not done after ${PATIENCE_MS} ms`);
    process.exit(1);
  };
  const timer = setTimeout(late, PATIENCE_MS);
  // No event is trimmed, since they are counted.
  const queue = new Queue('work', { connection, streams: { events: { maxLen: 10 * JOBS } } });
  try {
    await withWorkers(folder, () => enqueue(queue));
    checkRecord(folder);
    await checkResults(queue);
    await figures(r);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
  clearTimeout(timer);
  await queue.close();
  await r.flushall();
  await r.quit();
}

(process.argv[3] ? work(process.argv[3]) : main()).catch((error) => {
  console.error(error);
  process.exit(1);
});
