import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newSite, Feed, seqOf, sleep, cli } from './lib.mjs';

let s, a;
before(async () => { s = await newSite(); a = s.admin; });
after(async () => s.end());

test('a change arrives', async () => {
  const f = new Feed(a);
  const res = await f.opened;
  assert.match(res.headers['content-type'], /^text\/event-stream/);
  await f.until((e) => e.event === 'ready');
  const r = await a.cmd('household.create', { area: 'b1', data: { code: 'F-1' } });
  const e = await f.until((x) => x.data.record === r.record);
  assert.deepEqual(e.data, { seq: r.seq, command: 'household.create', kind: 'household', record: r.record, area: 'b1' });
  assert.equal(e.id, String(r.seq));
  f.end();
});
test('who comes back is brought up to date from his place', async () => {
  const from = await seqOf(a), ids = [];
  for (let i = 0; i < 30; i++) ids.push(await a.create('household', { code: 'L-' + i }, 'b1'));
  for (const f of [new Feed(a, '/api/v1/feed', { 'Last-Event-ID': String(from) }), new Feed(a, '/api/v1/feed?after=' + from)]) {
    await f.until((e) => e.data.record === ids[29]);
    assert.deepEqual(f.events.filter((e) => e.event === 'change').map((e) => e.data.record), ids);
    f.end();
  }
  const ahead = new Feed(a, '/api/v1/feed?after=999999');
  await ahead.until((e) => e.event === 'reset');
  ahead.end();
  assert.equal((await a.call('GET', 'feed?after=x')).status, 422);
});
test('each sees only what he may read', async () => {
  const worker = await s.loginAs('grid_worker', 'c1'), gate = await s.loginAs('gate', 'c1');
  const fw = new Feed(worker), fg = new Feed(gate);
  await fw.until((e) => e.event === 'ready');
  await fg.until((e) => e.event === 'ready');
  await a.create('resident', { name: '别处' }, 'c3');
  await a.create('case', { name: '病例', classification: 'suspected' }, 'c1');
  const post = await a.create('gate', { name: '卡点', kind_of: 'road' }, 'c1');
  const mine = await a.create('resident', { name: '本处' }, 'b1');
  const scan = await gate.cmd('gate_scan.create', { data: { gate: post, seen_at: new Date().toISOString(), what: 'person' } });
  const end = await a.create('gate', { name: '末', kind_of: 'road' }, 'c1');
  await fw.until((e) => e.data.record === end);
  await fg.until((e) => e.data.record === end);
  const seen = (f) => f.events.filter((e) => e.event === 'change').map((e) => e.data.kind + ' ' + e.data.area);
  assert.ok(fw.events.some((e) => e.data.record === mine));
  assert.ok(seen(fw).every((x) => !x.startsWith('case') && !x.endsWith('c3') && !x.startsWith('gate_scan')), seen(fw).join());
  assert.ok(seen(fg).every((x) => x.startsWith('gate')), seen(fg).join());
  assert.ok(fg.events.some((e) => e.data.command === 'gate_scan.batch' && e.data.record === null && e.data.seq === scan.seq));
  fw.end();
  fg.end();
});
test('a change made by another process arrives too', async () => {
  const f = new Feed(a);
  await f.until((e) => e.event === 'ready');
  cli('user', s.site, 'add', 'from-outside', '--role', 'viewer', '--area', 'jx');
  await f.until((e) => e.data.kind === 'user_role');
  f.end();
});
test('without a session there is no feed, and the server ends feeds when it stops', async () => {
  const f = new Feed(s.anyone());
  assert.equal((await f.opened).statusCode, 401);
  const mine = new Feed(a);
  await mine.until((e) => e.event === 'ready');
  const began = Date.now();
  await s.stop();
  assert.ok(Date.now() - began < 4000, 'stops soon');
  for (let i = 0; i < 20 && !mine.closed; i++) await sleep(50);
  assert.ok(mine.closed);
});
