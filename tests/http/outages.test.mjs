/* A server that loses its connections, that falls over, and a machine of two that dies: whoever waits gets his answer, and what was answered stands. */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ON_SERVER, newDatabase, newSite, psql, sleep } from './lib.mjs';
import { Load } from './load.mjs';

const PG = fileURLToPath(new URL('../../tools/pg.sh', import.meta.url));
/* Shell with the functions of tools/pg.sh; the clients go on meanwhile. */
const shell = (script, ...args) => promisify(execFile)('bash', ['-c', `. "$1"; shift; ${script}`, 'shell', PG, ...args]);
const FALL = 'data=$(readlink -f "$1/data"); pg_as "$(pg_bin pg_ctl)" -D "$data" -l "$data/server.log" -m immediate -w restart';
const END_ALL = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'lianfang'";

describe('outages', { skip: !ON_SERVER }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'lf-pg-'));
  let url;
  before(() => { url = execFileSync(PG, ['start', join(dir, 'pg')], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim(); });
  after(() => {
    execFileSync(PG, ['stop', join(dir, 'pg')]);
    rmdirSync(dir);
  });
  const journalIsWhole = (s) => {
    const [n, first, last, ids] = psql(s.database, 'SELECT count(*), min(seq), max(seq), count(DISTINCT id) FROM journal').split('|').map(Number);
    assert.deepEqual([first, last, ids], [1, n, n]);
  };
  /* A site in a database of its own, where nothing goes on when the test has failed. */
  const site = async (t, ...loads) => {
    const s = await newSite({}, newDatabase(url));
    t.after(async () => {
      for (const load of loads) load.going = false;
      await s.stop('SIGKILL');
      for (const load of loads) await load.stop();
    });
    return s;
  };
  const allSorts = (load, s) => load.start(s.admin, 24).start(s.admin, 4, 'lines').start(s.admin, 4, 'impatient');

  test('connections that end every 300 ms cost a delay', async (t) => {
    const load = new Load(), s = await site(t, load);
    allSorts(load, s);
    let ended = 0;
    for (let i = 0; i < 17; i++) {
      await sleep(300);
      ended += Number((await shell('psql -XqAt -d "$1" -c "$2"', url, END_ALL)).stdout);
    }
    await load.stop();
    t.diagnostic(`${ended} connections ended, ${load.kept.size} records, longest wait ${load.longest} ms, ${load.repeated} repeated`);
    assert.ok(ended > 17, `only ${ended} connections`);
    await load.prove(s.admin);
    journalIsWhole(s);
    await s.end();
  });
  test('a server that falls over and comes back costs a delay', async (t) => {
    const load = new Load(), s = await site(t, load);
    allSorts(load, s);
    for (let i = 0; i < 3; i++) {
      await sleep(1500);
      await shell(FALL, join(dir, 'pg'));
    }
    await sleep(1500);
    await load.stop();
    t.diagnostic(`${load.kept.size} records, longest wait ${load.longest} ms, ${load.repeated} repeated`);
    await load.prove(s.admin);
    journalIsWhole(s);
    await s.end();
  });
  test('readers get their answers while connections end', async (t) => {
    const s = await site(t), end = Date.now() + 4000;
    const record = await s.admin.create('household', { code: 'O-read' }, 'b1');
    const paths = ['household/' + record, 'household?limit=10', 'figures?area=jx', 'session', 'areas', 'brief?area=jx'];
    const reader = async (i) => { for (let k = i; Date.now() < end; k++) await s.admin.get(paths[k % paths.length]); };
    const readers = Promise.all(Array.from({ length: 12 }, (_, i) => reader(i)));
    const ender = (async () => { for (; Date.now() < end; await sleep(200)) await shell('psql -XqAt -d "$1" -c "$2"', url, END_ALL); })();
    await Promise.all([readers, ender]);
    await s.end();
  });
  test('when one of two machines is killed the other goes on, and what the dead one answered is there', async (t) => {
    const dead = new Load({ mayBreak: true }), alive = new Load(), x = await site(t, alive), y = await x.beside();
    t.after(async () => {
      dead.going = false;
      await y.stop('SIGKILL');
    });
    for (const [load, s] of [[dead, y], [alive, x]]) load.start(s.admin, 14).start(s.admin, 2, 'lines');
    await sleep(2000);
    await y.stop('SIGKILL');
    const before = alive.kept.size;
    await sleep(2000);
    await Promise.all([dead.stop(), alive.stop()]);
    t.diagnostic(`${dead.kept.size} + ${alive.kept.size} records, ${dead.sent.size - dead.kept.size} without an answer, longest wait ${alive.longest} ms`);
    assert.ok(alive.kept.size - before > 20, 'the other goes on');
    alive.sent = new Map([...alive.sent, ...dead.sent]);
    alive.kept = new Map([...alive.kept, ...dead.kept]);
    await alive.prove(x.admin);
    journalIsWhole(x);
    await y.start();
    await y.end();
    await x.end();
  });
});
