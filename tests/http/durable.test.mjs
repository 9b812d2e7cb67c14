/* What was answered is there after a kill, exactly once; a full disk loses nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ON_SERVER, newSite, uuid, sleep } from './lib.mjs';

async function countAll(c, path) {
  const ids = [];
  for (let next = ''; next !== null;) {
    const r = await c.get(path + (next ? '&after=' + next : ''));
    ids.push(...r.records.map((x) => x.data.code));
    next = r.next;
  }
  return ids;
}
test('after kill -9 everything acknowledged is there exactly once', async () => {
  const s = await newSite(), acknowledged = new Map(), sent = new Map();
  for (let round = 0; round < 3; round++) {
    let going = true;
    const client = async (n) => {
      for (let i = 0; going; i++) {
        const code = `K-${round}-${n}-${i}`, body = { id: uuid(), command: 'household.create', area: 'b1', data: { code } };
        sent.set(code, body);
        try {
          const r = await s.admin.call('POST', 'commands', { body });
          assert.equal(r.status, 200, JSON.stringify(r.body));
          acknowledged.set(code, r.body.record);
        } catch (x) {
          if (x.code === 'ERR_ASSERTION') throw x;
          return;
        }
      }
    };
    const clients = Array.from({ length: 32 }, (_, n) => client(n));
    await sleep(700);
    await s.stop('SIGKILL');
    going = false;
    await Promise.all(clients);
    await s.start();
  }
  assert.ok(acknowledged.size > 100, 'only ' + acknowledged.size);
  let codes = await countAll(s.admin, 'household?limit=500');
  assert.equal(new Set(codes).size, codes.length, 'nothing twice');
  const there = new Set(codes);
  for (const code of acknowledged.keys()) assert.ok(there.has(code), code + ' was lost');
  /* What had no answer is sent again and lands once. */
  const lines = [...sent.values()].filter((b) => !acknowledged.has(b.data.code)).map((b) => JSON.stringify(b));
  if (lines.length) await s.admin.call('POST', 'commands', { body: lines.join('\n'), type: 'application/x-ndjson' });
  codes = await countAll(s.admin, 'household?limit=500');
  assert.equal(codes.length, sent.size);
  assert.equal(new Set(codes).size, sent.size);
  assert.equal((await s.admin.get('figures?id=grid.households&area=jx&cuts=0')).figures[0].value, sent.size);
  await s.end();
});
test('a full disk is told, and nothing is lost', async () => {
  const s = await newSite();
  await s.stop();
  for (const at of [30, 55, 90]) {
    await s.start({ LF_FAULT: 'dbfull:' + at });
    const done = [];
    let full;
    for (let i = 0; i < 60 && !full; i++) {
      const code = `D-${at}-${i}`, r = await s.admin.tryCmd('household.create', { area: 'b1', data: { code } });
      if (r.status === 200) done.push(code);
      else full = r;
    }
    assert.ok(full, `no fault at ${at}`);
    assert.equal(full.status, 507, JSON.stringify(full.body));
    assert.equal(full.body.code, 'STORAGE_FULL');
    await s.stop();
    await s.start();
    const codes = await countAll(s.admin, 'household?limit=500');
    for (const code of done) assert.equal(codes.filter((c) => c === code).length, 1, code);
    await s.stop();
  }
  await s.end();
});
test('what the disk has not taken is not answered; the program ends and says why', { skip: ON_SERVER }, async () => {
  const s = await newSite(), refused = 5, answered = [];
  let unanswered;
  await s.stop();
  await s.start({ LF_FAULT: 'sync:' + refused });
  const gone = new Promise((r) => s.child.once('exit', r));
  for (let i = 0; i < 3 * refused && !unanswered; i++) {
    const body = { id: uuid(), command: 'household.create', area: 'b1', data: { code: 'D-' + i } };
    try {
      assert.equal((await s.admin.call('POST', 'commands', { body })).status, 200);
      answered.push(body.data.code);
    } catch (x) {
      if (x.code === 'ERR_ASSERTION') throw x;
      unanswered = body;
    }
  }
  assert.equal(await gone, 7);
  assert.match(s.errors, /the disk refuses what was written/);
  assert.ok(answered.length < refused, answered.length + ' answers');
  await s.start();
  const again = await s.admin.call('POST', 'commands', { body: unanswered });
  assert.equal(again.status, 200);
  const codes = await countAll(s.admin, 'household?limit=500');
  assert.deepEqual(codes.sort(), [...answered, unanswered.data.code].sort());
  await s.end();
});
