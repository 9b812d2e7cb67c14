/* The database moves from one server to another under load: callers see a delay, and what was answered is there. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { test } from 'node:test';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { newSite, psql, sleep, uuid } from '../http/lib.mjs';
import { Load } from '../http/load.mjs';

const PAIR = fileURLToPath(new URL('pair.sh', import.meta.url));
const AWAY = 2000; /* ms between the end of the primary and the promotion */

async function grows(load, ms) {
  const had = load.kept.size;
  for (const end = Date.now() + ms; load.kept.size === had && Date.now() < end;) await sleep(20);
  return load.kept.size > had;
}

async function moves(t, how) {
  const dir = mkdtempSync(join(tmpdir(), 'lf-pair-'));
  const pair = async (what) => (await promisify(execFile)(PAIR, [what, dir])).stdout.trim();
  try {
    const load = new Load(), s = await newSite({}, await pair('start'));
    t.after(async () => {
      load.going = false;
      await s.stop('SIGKILL');
      await load.stop();
    });
    load.start(s.admin, 24).start(s.admin, 4, 'lines').start(s.admin, 4, 'impatient');
    await sleep(3000);
    const before = load.kept.size, gone = Date.now();
    await pair(how);
    await sleep(AWAY);
    await pair('promote');
    assert.ok(await grows(load, 30000), 'writes succeed again');
    const away = Date.now() - gone;
    await sleep(3000);
    await load.stop();
    const after = load.kept.size - before;
    t.diagnostic(`${before} records before, ${after} after; no write for ${away} ms, longest wait ${load.longest} ms, ${load.hungUp} hung up, ${load.repeated} repeated`);
    assert.ok(before > 100 && after > 100, `${before} and ${after} records`);
    await load.prove(s.admin);
    const [n, first, last, ids] = psql(s.database, 'SELECT count(*), min(seq), max(seq), count(DISTINCT id) FROM journal').split('|').map(Number);
    assert.deepEqual([first, last, ids], [1, n, n], 'the journal has no hole');
    await s.end();
  } finally {
    await pair('end');
  }
}

test('the primary is killed and its replica takes over', (t) => moves(t, 'kill'));
test('the primary is stopped and its replica takes over', (t) => moves(t, 'shut'));

const WAITS = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
const setReplica = (db, how) => {
  psql(db, `ALTER SYSTEM ${how}`);
  psql(db, 'SELECT pg_reload_conf()');
};

test('what no replica has is not answered, though the connection breaks meanwhile', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'lf-pair-'));
  const pair = async (what) => (await promisify(execFile)(PAIR, [what, dir])).stdout.trim();
  try {
    const s = await newSite({}, await pair('start')), body = { id: uuid(), command: 'household.create', area: 'b1', data: { code: 'alone' } };
    setReplica(s.database, "SET synchronous_standby_names = 'nobody'");
    await sleep(500);
    let answer, broken = 0;
    const asked = s.admin.call('POST', 'commands', { body }).then((r) => { answer = r; });
    for (const end = Date.now() + 5000; Date.now() < end; await sleep(500)) broken += Number(psql(s.database, WAITS));
    t.diagnostic(`${broken} connections broken`);
    assert.ok(broken > 1, 'it waited for the replica again and again');
    assert.equal(answer, undefined, 'no answer without a replica');
    setReplica(s.database, 'RESET synchronous_standby_names');
    await asked;
    assert.equal(answer.status, 200);
    assert.equal(psql(s.database, "SELECT count(*) FROM household WHERE code = 'alone'"), '1');
    await s.end();
  } finally {
    await pair('end');
  }
});
