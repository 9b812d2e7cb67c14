import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newSite, uuid, today, addDays } from './lib.mjs';

let s, a;
before(async () => { s = await newSite(); a = s.admin; });
after(async () => s.end());
const value = async (id, area, more = '') => (await a.get(`figures?id=${id}&area=${area}&cuts=0${more}`)).figures[0].value;

test('figures are right at once after a write, up the tree and never beside it', async () => {
  const gate = await a.create('gate', { name: '南门', kind_of: 'quarter_gate' }, 'q1');
  for (let i = 0; i < 5; i++) {
    await a.cmd('gate_scan.create', { data: { gate, seen_at: new Date().toISOString(), what: 'person', persons: 2, temperature: i === 4 ? 38.1 : 36.5 } });
    assert.equal(await value('gate.persons', 'jx'), 2 * (i + 1));
  }
  for (const area of ['q1', 'c1', 't1', 'jx']) assert.equal(await value('gate.persons', area), 10, area);
  for (const area of ['b1', 'c2', 't2']) assert.equal(await value('gate.persons', area), 0, area);
  assert.equal(await value('gate.febrile', 'jx'), 1);
  assert.equal(await value('gate.persons', 'jx', '&on=' + addDays(today(), -1)), 0);
  const day = await a.get('gates/day?area=jx');
  assert.deepEqual(day.gates.map((g) => [g.name, g.kind_label, g.persons, g.febrile, g.vehicles]), [['南门', 'Quarter gate', 10, 1, 0]]);
});
test('an edit and a removal take back what they added', async () => {
  const record = await a.create('case', { name: '某', classification: 'suspected', suspected_at: today() + ' 00:00' }, 'c1');
  assert.equal(await value('case.suspected_total', 'jx'), 1);
  await a.cmd('case.confirm', { record });
  assert.equal(await value('case.confirmed_new', 'c1'), 1);
  await a.cmd('case.remove', { record });
  assert.equal(await value('case.confirmed_new', 'c1'), 0);
  assert.equal(await value('case.suspected_total', 'jx'), 0);
});
test('a figure opens into the rows behind it, in pages', async () => {
  for (let i = 0; i < 7; i++) await a.create('household', { code: 'R-' + i }, i % 2 ? 'b1' : 'c3');
  const ids = [];
  for (let next = ''; next !== null;) {
    const r = await a.get('figures/grid.households/rows?area=jx&limit=3' + (next ? '&after=' + next : ''));
    ids.push(...r.records.map((x) => x.id));
    next = r.next;
  }
  assert.equal(new Set(ids).size, 7);
  assert.equal(ids.length, await value('grid.households', 'jx'));
});
test('cuts, a series and their errors', async () => {
  await a.create('gate', { name: '路口', kind_of: 'road' }, 't2');
  const f = (await a.get('figures?id=gate.posts&area=jx')).figures;
  assert.equal(f[0].value, 2);
  assert.deepEqual(f.slice(1).map((x) => [x.dim.kind, x.value]).sort(), [['quarter_gate', 1], ['road', 1]]);
  const d = today(), series = await a.get(`figures/gate.persons/series?area=jx&from=${addDays(d, -6)}&to=${d}`);
  assert.equal(series.points.length, 7);
  assert.deepEqual(series.points[6], { on: d, value: 10 });
  assert.equal((await a.get(`figures/gate.posts/series?area=jx&from=${d}&to=${d}&dim=kind:road`)).points[0].value, 1);
  const table = [['figures?id=bogus', 404], ['figures/bogus/series', 404], ['figures?on=2020-13-01', 422, 'on'], ['figures?from=2020-02-02&to=2020-02-01', 422, 'to'],
    ['figures?from=1900-01-01&to=2020-02-01', 422, 'to'], ['figures/gate.posts/series?dim=bogus:1', 422, 'dim'], ['figures?area=nowhere', 422, 'area']];
  for (const [path, status, field] of table) {
    const r = await a.call('GET', path);
    assert.equal(r.status, status, path);
    assert.equal(r.body.field, field, path);
  }
});
test('the brief says it in words, and as a table', async () => {
  const text = await a.call('GET', 'brief?area=jx&format=text&lang=zh-Hans');
  assert.match(text.headers.get('content-type'), /^text\/plain/);
  assert.match(text.body, /测试县/);
  assert.equal((await a.get('brief?area=jx&format=json')).figures.length > 20, true);
  const html = await a.call('GET', 'brief?area=jx&format=html');
  assert.match(html.headers.get('content-disposition'), /^attachment; filename="brief-\d{4}-\d\d-\d\d\.html"$/);
  const xlsx = Buffer.from(await (await a.raw('GET', '/api/v1/brief?area=jx&format=xlsx')).arrayBuffer());
  assert.equal(xlsx.subarray(0, 2).toString(), 'PK');
  assert.equal((await a.call('GET', 'brief?format=pdf')).status, 422);
});
test('who has not reported', async () => {
  const unit = await a.create('report_unit', { name: '城关卫生院', due_minute: 570 }, 't1');
  await a.create('report_unit', { name: '河西卫生院' }, 't2');
  await a.cmd('daily_report.create', { data: { unit, day: today(), febrile: 2 } });
  const m = await a.get('reports/missing?area=jx&on=' + today());
  assert.deepEqual([m.due, m.submitted, m.late], [2, 1, 0]);
  assert.deepEqual(m.missing.map((x) => [x.unit.name, x.due_by, x.last_on, x.area.code]), [['河西卫生院', '09:00', null, 't2']]);
});
test('the proposal covers every household, and applying it twice runs once', async () => {
  for (let i = 0; i < 3; i++) await a.create('member', { name: '党员' + i, households_most: 20 }, 'b1');
  const lines = Array.from({ length: 40 }, (_, i) => JSON.stringify({ id: uuid(), command: 'household.create', area: i % 2 ? 'b1' : 'b2', data: { code: 'C-' + i, door: String(i) } }));
  await a.call('POST', 'commands', { body: lines.join('\n'), type: 'application/x-ndjson' });
  const before = await a.get('coverage?area=c1');
  assert.deepEqual([before.households, before.covered, before.members], [43, 0, 3]);
  assert.deepEqual(before.areas.map((x) => [x.area.code, x.uncovered]), [['q1', 43]]);
  const p = await a.post('coverage/proposal', { area: 'c1', target: 15, most: 20 });
  assert.deepEqual([p.uncovered_before, p.uncovered_after, p.changes, p.overloaded_after, p.truncated], [43, 0, 43, 0, false]);
  assert.equal(p.assignments.reduce((n, x) => n + x.households.length, 0), 43);
  const id = uuid(), ask = { id, area: 'c1', target: 15, most: 20 };
  assert.deepEqual(await a.post('coverage/apply', ask), { changed: 43, repeated: false });
  assert.deepEqual(await a.post('coverage/apply', ask), { changed: 0, repeated: true });
  const after = await a.get('coverage?area=c1');
  assert.deepEqual([after.covered, after.uncovered, after.overloaded], [43, 0, 0]);
  assert.equal(await value('grid.households_covered_percent', 'c1'), 100);
  for (const bad of [{ area: 'c1' }, { id: 'x' }, { id: uuid(), target: 0 }, { id: uuid(), most: 3, target: 9 }, { id: uuid(), bogus: 1 }, { id: uuid(), area: 5 }])
    assert.equal((await a.call('POST', 'coverage/apply', { body: bad })).status, 422, JSON.stringify(bad));
});
test('a bulletin that was issued stays as it was', async () => {
  const d = today();
  await a.cmd('bulletin.issue', { area: 'jx', data: { since: d, until: d, note: '第一版' } });
  await a.cmd('bulletin.issue', { area: 'jx', data: { since: d, until: d } });
  const { bulletins } = await a.get('bulletins?area=jx');
  assert.deepEqual(bulletins.map((b) => b.version).sort(), [1, 2]);
  assert.equal(bulletins.find((b) => b.version === 1).note, '第一版');
  assert.equal(bulletins[0].by.name, '管理员');
});
