/* What investigators ask of the scans: somebody's history, a gate's list, who passed together. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Feed, idNumber, newSite, uuid } from './lib.mjs';

const MINUTE = 60e3, now = Date.now();
const at = (minutes) => new Date(now - minutes * MINUTE).toISOString();
const person = { id_number: idNumber(), phone: '13812345678', name: '王小明', plate: '晋L12345' };
let s, a, number, gates = {}, scans = [];
before(async () => {
  s = await newSite();
  a = s.admin;
  gates.near = await a.create('gate', { name: '北门', kind_of: 'quarter_gate', code: 'G1' }, 'q1');
  gates.far = await a.create('gate', { name: '村口', kind_of: 'village_road', code: 'G3' }, 'c3');
  await a.create('household', { code: 'H1', door: '101' }, 'b1');
  number = (await a.get('pass/' + (await a.create('pass', { kind_of: 'household', household: 'H1' })))).data.number;
  person.pass = number.toLowerCase().replaceAll('-', '');
  const scan = async (gate, minutes, data) => scans.push(await a.create('gate_scan', { gate, seen_at: at(minutes), what: 'person', ...data }));
  await scan('G1', 30, person);
  await scan('G1', 33, { name: '同行人', phone: '13900000001' });
  await scan('G1', 26, { what: 'vehicle', plate: '晋L99999', persons: 3 });
  await scan('G1', 45, { name: '早走的人' });
  await scan('G3', 30, { name: '另一处' });
  await scan('G3', 2 * 24 * 60, person);
  for (let i = 0; i < 7; i++) await scan('G3', 3 * 24 * 60 + i, { phone: '13700000000' });
});
after(async () => s.end());

const ids = (answer) => answer.records.map((r) => r.id);
const ask = (query, who = a) => who.get('gate/history?' + new URLSearchParams(query));

test('a person is found by pass, plate, identity number and phone, newest first, and what is sealed stays masked', async () => {
  for (const [field, value] of Object.entries({ id_number: person.id_number, phone: '138 1234 5678', plate: '晋L·12345', pass: person.pass })) {
    const r = await ask({ [field]: value });
    assert.deepEqual(ids(r), [scans[0], scans[5]], field);
    assert.equal(r.next, null);
    assert.notEqual(r.records[0].data.id_number, person.id_number);
    assert.notEqual(r.records[0].data.phone, person.phone);
    assert.equal(r.records[0].data.name, person.name);
    assert.equal(r.opened, undefined);
  }
  assert.equal((await a.get('gate_scan/' + scans[0])).data.pass, number, 'kept as it stands on the card');
  assert.deepEqual(ids(await ask({ phone: '13812345679' })), []);
});

test('a history goes back as far as asked, page by page', async () => {
  const day = (n) => new Date(now - n * 864e5 + 8 * 36e5).toISOString().slice(0, 10);
  assert.deepEqual(ids(await ask({ phone: person.phone, from: day(0), to: day(0) })), [scans[0]].slice(0, day(0) === day(30 / 1440) ? 1 : 0));
  assert.deepEqual(ids(await ask({ phone: person.phone, to: day(1.5) })), [scans[5]]);
  const all = [];
  let after = '', pages = 0;
  do {
    const r = await ask({ phone: '13700000000', limit: 3, ...(after && { after }) });
    all.push(...ids(r));
    after = r.next;
    pages++;
  } while (after);
  assert.equal(pages, 3);
  assert.deepEqual(all, scans.slice(6));
});

test('a question that cannot be answered says what is wrong', async () => {
  for (const [query, field] of [
    [{}, 'pass'], [{ phone: '12' }, 'phone'], [{ phone: '13812345678', plate: '晋L12345' }, 'phone'], [{ phone: '13812345678', from: 'x' }, 'from'],
    [{ phone: '13812345678', from: '2020-01-01', to: '2020-12-31' }, 'to'], [{ phone: '13812345678', after: 'x' }, 'after'],
  ]) {
    const r = await a.call('GET', 'gate/history?' + new URLSearchParams(query));
    assert.deepEqual([r.status, r.body.field], [422, field], JSON.stringify(r.body));
  }
  for (const [path, status] of [['gate/NONE/scans', 404], ['gate/G1/scans?from=x', 422], ['gate/G1/scans?from=2020-01-02T10:00&to=2020-01-02T09:00', 422],
    [`gate/scans/${uuid()}/near`, 404], ['gate/scans/x/near', 404], [`gate/scans/${scans[0]}/near?minutes=0`, 422], [`gate/scans/${scans[0]}/near?minutes=61`, 422]])
    assert.equal((await a.call('GET', path)).status, status, path);
});

test('a gate has a list of each hour, in the order of time and page by page', async () => {
  const r = await a.get('gate/G1/scans');
  assert.deepEqual(ids(r), [scans[3], scans[1], scans[0], scans[2]]);
  assert.deepEqual(ids(await a.get(`gate/${gates.near}/scans?from=${at(34)}&to=${at(29)}`)), [scans[1], scans[0]]);
  const first = await a.get('gate/G1/scans?limit=3');
  assert.deepEqual(ids(first), [scans[3], scans[1], scans[0]]);
  const second = await a.get(`gate/G1/scans?limit=3&after=${first.next}`);
  assert.deepEqual([ids(second), second.next], [[scans[2]], null]);
});

test('people and vehicles that passed the same gate within minutes are found', async () => {
  const r = await a.get(`gate/scans/${scans[0]}/near`);
  assert.deepEqual([ids(r), r.scan.id, r.minutes, r.more], [[scans[1], scans[2]], scans[0], 5, false]);
  assert.deepEqual(ids(await a.get(`gate/scans/${scans[0]}/near?minutes=3`)), [scans[1]]);
  assert.deepEqual(ids(await a.get(`gate/scans/${scans[0]}/near?minutes=15`)), [scans[3], scans[1], scans[2]]);
});

test('nobody sees scans outside his areas', async () => {
  const there = await s.loginAs('community', 'c3'), here = await s.loginAs('gate', 'q1');
  assert.deepEqual(ids(await ask({ phone: person.phone }, there)), [scans[5]]);
  assert.deepEqual(ids(await ask({ phone: person.phone }, here)), [scans[0]]);
  assert.equal((await there.call('GET', 'gate/G1/scans')).status, 404);
  assert.equal((await there.call('GET', `gate/scans/${scans[0]}/near`)).status, 404);
  const viewer = await s.loginAs('viewer', 'jx');
  assert.equal((await viewer.call('GET', 'gate/history?phone=' + person.phone)).status, 403);
});

test('who opens what is sealed says why, and it stands in the journal', async () => {
  const query = { phone: person.phone, reason: '流调：确诊病例行程' }, feed = new Feed(a);
  await feed.until((x) => x.event === 'ready');
  const r = await ask(query);
  assert.deepEqual(r.opened.map((o) => [o.id, o.opened.id_number, o.opened.phone]), [scans[0], scans[5]].map((id) => [id, person.id_number, person.phone]));
  const short = await a.call('GET', 'gate/history?' + new URLSearchParams({ ...query, reason: 'x' }));
  assert.deepEqual([short.status, short.body.field], [422, 'reason']);
  const guard = await s.loginAs('gate', 'q1');
  assert.equal((await guard.call('GET', 'gate/history?' + new URLSearchParams(query))).status, 403);
  const near = await a.get(`gate/scans/${scans[0]}/near?` + new URLSearchParams({ reason: query.reason }));
  assert.equal(near.opened[0].opened.phone, '13900000001');
  await feed.until((x) => x.data.command === 'gate_scan.near');
  assert.deepEqual(feed.events.map((x) => x.data.command).filter((c) => /^gate_scan/.test(c)), ['gate_scan.history', 'gate_scan.near']);
  feed.end();
});
