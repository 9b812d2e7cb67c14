/* Mixed load for a while, with kill -9 and restart again and again; then everything is counted.
 *   node tests/soak/soak.mjs SECONDS KILL_EVERY_SECONDS        LF_BIN, LF_DB as for tests/http
 * Memory and files are looked at in the last life: once after a third of it, once at its end, each time when no client is connected. */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { ON_SERVER, cli, newSite, sleep } from '../http/lib.mjs';
import { Load } from './load.mjs';

const seconds = Number(process.argv[2] || 30), every = Number(process.argv[3] || 5);
/* What a request may leave in memory.  The slack is for what fills and stays: on SQLite the page caches of the writer (64 MiB) and of six readers (16 MiB
 * each); on a server the memory of ids and recent uses, some MiB at the rates of this load (core/lately.h, core/used.h), and about 2 MiB of freed memory that the allocator keeps for each of
 * eight workers (cli/cmd_serve.c).  A connection of a worker opened late is three files. */
const SLACK = ON_SERVER ? 32 << 20 : 160 << 20, FOR_EACH = 64, LATE_FILES = 12;
const WAL_MOST = 2 * 32768 * 4120; /* at so many pages it is ended at any cost; as much again while a reader holds it up */
const failures = [];
const check = (ok, text) => { if (!ok) failures.push(text); };

const rss = (pid) => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;
const files = (pid) => readdirSync(`/proc/${pid}/fd`).length;
const wal = (s) => { try { return statSync(s.site + '/lianfang.db-wal').size; } catch { return 0; } };

/* When every connection of the clients has been closed: their number stands still. */
async function quiet(pid) {
  let least = files(pid);
  for (let same = 0; same < 10;) {
    await sleep(500);
    const now = files(pid);
    same = now < least ? 0 : same + 1;
    least = Math.min(least, now);
  }
  return { files: least, rss: rss(pid) };
}
async function prepare() {
  const s = await newSite(), a = s.admin;
  const gates = ['G1', 'G2', 'G3'];
  for (const [i, area] of ['q1', 'c2', 'c3'].entries()) await a.create('gate', { name: '卡口' + gates[i], code: gates[i], kind_of: 'quarter_gate' }, area);
  const passes = [];
  for (let i = 0; i < 20; i++) {
    const household = await a.create('household', { code: 'P' + i, door: String(i) }, 'b2'), id = await a.create('pass', { kind_of: 'household', household });
    passes.push((await a.get('pass/' + id)).data.number);
    if (i % 5 === 4) await a.cmd('pass.revoke', { record: id, data: { reason: 'lost' } });
  }
  return { s, load: new Load(s, [...gates, ...(await a.get('gate')).records.map((r) => r.id)], passes) };
}
async function records(client, kind, field) {
  const all = new Map(), twice = [];
  for (let next = ''; next !== null;) {
    const page = await client.get(`${kind}?limit=500` + (next ? '&after=' + next : ''));
    for (const r of page.records) {
      if (!r.data[field]) continue;
      if (all.has(r.data[field])) twice.push(r.data[field]);
      all.set(r.data[field], r.id);
    }
    next = page.next;
  }
  return { all, twice };
}
async function prove(s, load) {
  let lost = 0, doubled = 0, unwanted = 0, strange = 0;
  for (const [kind, field, letter] of [['gate_scan', 'origin', 'S'], ['resident', 'name', 'R'], ['household', 'code', 'H']]) {
    const { all, twice } = await records(s.admin, kind, field);
    doubled += twice.length;
    for (const name of all.keys()) {
      if (load.barred.has(name)) unwanted++;
      else if (name[0] === letter && !load.promised.has(name)) strange++;
    }
    for (const [name, record] of load.promised) if (name[0] === letter && (!all.has(name) || (record && all.get(name) !== record))) lost++;
  }
  check(!lost, `${lost} that were promised are not there`);
  check(!doubled, `${doubled} are there twice`);
  check(!unwanted, `${unwanted} that were refused are there`);
  check(!strange, `${strange} are there that nobody was told of`);
  return `lost ${lost}, doubled ${doubled}, refused and yet there ${unwanted}`;
}
/* The last life: what is held after a third of it and at its end. */
async function lastLife(s, load) {
  const pid = s.child.pid, run = async (ms) => { load.start(); await sleep(ms); await load.stop(); };
  const third = Math.max(every * 1000, seconds * 1000 / 6);
  await run(third);
  const first = await quiet(pid), had = load.requests;
  await run(2 * third);
  const last = await quiet(pid), n = load.requests - had;
  check(last.rss - first.rss <= SLACK + n * FOR_EACH, `memory grew by ${last.rss - first.rss} bytes in ${n} requests`);
  check(last.files <= first.files + LATE_FILES, `open files went from ${first.files} to ${last.files}`);
  return `memory ${(first.rss / 1048576).toFixed(1)} to ${(last.rss / 1048576).toFixed(1)} MB in ${n} requests (at most ${SLACK >> 20} MB and ${FOR_EACH} bytes for each), ` +
    `files ${first.files} to ${last.files} (at most ${LATE_FILES} more)`;
}

const { s, load } = await prepare();
let kills = 0, most = 0;
for (const n = Math.round(seconds / every); kills < n; kills++) {
  load.start();
  for (const at = Date.now() + every * 1000 * (0.6 + 0.8 * Math.random()); Date.now() < at;) {
    await sleep(200);
    most = Math.max(most, wal(s));
  }
  await s.stop('SIGKILL');
  await load.stop();
  await s.start({}, [], s.port);
  await load.settle();
}
const held = await lastLife(s, load);
await load.settle();
const found = await prove(s, load);
most = Math.max(most, wal(s));
check(most <= WAL_MOST, `the WAL reached ${most} bytes`);
for (const x of load.wrong) failures.push(x);
check(load.events > 0 && load.replays > 0 && load.imports > 0, 'some of the load did not happen');
await s.stop();
try {
  cli('fsck', s.site);
} catch (x) {
  failures.push('fsck: ' + x.stdout + x.stderr);
}
console.log(`${ON_SERVER ? 'PostgreSQL' : 'SQLite'}: ${load.requests} requests, ${load.promised.size} records promised, ${load.barred.size} refused, ${load.replays} sent again, ` +
  `${load.imports} imports, ${load.events} events heard, ${load.busy} told to wait; ${kills} kills, ${kills} restarts`);
console.log(`  ${found}; ${held}${ON_SERVER ? '' : `; WAL at most ${(most / 1048576).toFixed(1)} MB of ${WAL_MOST >> 20}`}`);
for (const x of failures) console.log('FAIL ' + x);
await s.end().catch(() => undefined);
console.log(failures.length ? '0 passed, 1 failed' : '1 passed, 0 failed');
process.exit(failures.length ? 1 : 0);
