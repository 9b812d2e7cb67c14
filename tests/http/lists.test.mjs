import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newSite, uuid, idNumber } from './lib.mjs';

let s, a;
before(async () => { s = await newSite(); a = s.admin; });
after(async () => s.end());
const many = (c, lines) => c.call('POST', 'commands', { body: lines.map((l) => JSON.stringify(l)).join('\n'), type: 'application/x-ndjson' });
async function pages(c, path) {
  const all = [];
  for (let next = '', n = 0; next !== null; n++) {
    const r = await c.get(path + (next ? '&after=' + next : ''));
    all.push(...r.records);
    next = r.next;
    assert.ok(n < 1000, 'a list without end');
  }
  return all;
}
const names = (r) => r.map((x) => x.title);
const q = (text) => 'resident?q=' + encodeURIComponent(text);

test('pages lose no row and give none twice while others insert', async () => {
  const at = ['b1', 'b2', 'q1', 'c2', 'c3', 't2'];
  await many(a, Array.from({ length: 400 }, (_, i) => ({ id: uuid(), command: 'household.create', area: at[i % at.length], data: { code: 'P-' + i, door: String(i) } })));
  let busy = true, n = 0;
  const inserting = (async () => {
    while (busy) await many(a, Array.from({ length: 20 }, () => ({ id: uuid(), command: 'household.create', area: at[n % at.length], data: { code: 'X-' + n++ } })));
  })();
  const all = await pages(a, 'household?limit=17');
  busy = false;
  await inserting;
  const ids = all.map((r) => r.id);
  assert.equal(new Set(ids).size, ids.length);
  assert.equal(all.filter((r) => r.data.code.startsWith('P-')).length, 400);
  assert.equal((await pages(a, 'household?limit=500&area=c1')).filter((r) => r.data.code.startsWith('P-')).length, 201);
});
test('a person is found by name, initials, pinyin, code and whole number', async () => {
  const number = idNumber('19791122');
  await a.create('resident', { name: '欧阳娜娜', id_number: number, phone: '13700001234' }, 'b1');
  await a.create('resident', { name: '单雄信' }, 'c3');
  await a.create('resident', { name: '张三丰' }, 'b1');
  await a.create('resident', { name: '张三' }, 'b1');
  assert.deepEqual(names((await a.get(q('张三'))).records).sort(), ['张三', '张三丰']);
  assert.deepEqual(names((await a.get(q('zs'))).records).sort(), ['张三', '张三丰']);
  assert.deepEqual(names((await a.get(q('oynn'))).records), ['欧阳娜娜']);
  assert.deepEqual(names((await a.get(q('shanxiong'))).records), ['单雄信'], 'the surname is read shan');
  assert.deepEqual(names((await a.get(q('阳娜'))).records), ['欧阳娜娜']);
  assert.deepEqual(names((await a.get(q('ZHANGSANFENG'))).records), ['张三丰']);
  assert.deepEqual(names((await a.get(q(number))).records), ['欧阳娜娜']);
  assert.deepEqual(names((await a.get(q('137 0000 1234'))).records), ['欧阳娜娜']);
  assert.deepEqual(names((await a.get(q(number.slice(0, 17)))).records), [], 'only by the whole number');
  assert.deepEqual(names((await a.get(q('张三') + '&area=c3')).records), []);
  assert.deepEqual((await a.get('household?q=P-33')).records.map((r) => r.data.code)[0], 'P-33');
  assert.equal((await a.get(q('没有这个人'))).records.length, 0);
});
test('a search of several pages gives each record once', async () => {
  await many(a, Array.from({ length: 120 }, (_, i) => ({ id: uuid(), command: 'resident.create', area: i % 2 ? 'b2' : 'c3', data: { name: (i % 3 ? '刘' : '小刘') + '某' + i } })));
  for (const text of ['刘', 'l', 'liu', '刘某']) {
    const all = await pages(a, q(text) + '&limit=7');
    assert.equal(new Set(all.map((r) => r.id)).size, all.length, text);
    assert.equal(all.filter((r) => r.title.includes('刘某')).length, 120, text);
  }
});
test('filters by code, reference, day and yes or no', async () => {
  const unit = await a.create('organisation', { name: '县医院', type: 'institution', kind_of: 'hospital' }, 't1');
  await a.create('organisation', { name: '药店', type: 'institution', kind_of: 'pharmacy' }, 't2');
  assert.deepEqual(names((await a.get('organisation?kind_of=hospital')).records), ['县医院']);
  assert.deepEqual(names((await a.get('organisation?type=institution&area=t2')).records), ['药店']);
  const member = await a.create('member', { name: '孙医生', organisation: unit, roll: 'staff', available: true });
  assert.deepEqual(names((await a.get('member?organisation=' + unit)).records), ['孙医生']);
  assert.deepEqual(names((await a.get('member?available=true')).records), ['孙医生']);
  assert.equal((await a.get('member?available=false')).records.length, 0);
  await a.create('triage_visit', { name: '发热者', seen_at: '2020-02-10 09:00', disposition: 'home', temperature: 37.9 }, 't1');
  assert.equal((await a.get('triage_visit?seen_at=2020-02-10')).records.length, 1);
  assert.equal((await a.get('triage_visit?seen_at=2020-02-11')).records.length, 0);
  assert.equal((await a.get('triage_visit?febrile=true')).records[0].data.temperature, 37.9);
  assert.equal((await a.get('member/' + member)).refs.organisation.title, '县医院');
});
test('what cannot be understood is refused', async () => {
  const table = [['household?limit=0', 422, 'limit'], ['household?limit=501', 422, 'limit'], ['household?limit=x', 422, 'limit'], ['household?after=xyz', 422, 'after'],
    ['household?after=' + 'A'.repeat(5000), 422, 'after'], ['household?area=nowhere', 422, 'area'], ['organisation?type=bogus', 422, 'type'], ['member?organisation=1', 422, 'organisation'],
    ['resident?phone=13700001234', 422, 'phone'], ['household?q=%ff', 400, 'query'], ['household?q=%00', 400, 'query'], ['household?q=%zz', 400, 'query'],
    ['bogus', 404], ['household/1', 404], ['household/' + uuid(), 404], ['household/' + uuid() + '/history', 404], ['a/b/c/d', 404], ['kinds/x/y/z', 404]];
  for (const [path, status, field] of table) {
    const r = await a.call('GET', path);
    assert.equal(r.status, status, path + JSON.stringify(r.body));
    assert.equal(r.body.field, field, path);
  }
  assert.equal((await a.get('household?bogus=1&limit=1')).records.length, 1, 'unknown parameters are left alone');
});
test('scans come newest first, in pages', async () => {
  const gate = await a.create('gate', { name: '收费站', kind_of: 'motorway_exit' }, 't2');
  await many(a, Array.from({ length: 60 }, (_, i) => ({ id: uuid(), command: 'gate_scan.create', data: { gate, seen_at: new Date().toISOString(), what: i % 2 ? 'person' : 'vehicle', name: '人' + i } })));
  const all = await pages(a, 'gate_scan?limit=13');
  assert.equal(all.length, 60);
  assert.deepEqual(all.map((r) => r.id), all.map((r) => r.id).sort().reverse());
  assert.equal((await pages(a, 'gate_scan?limit=13&what=vehicle&area=t2')).length, 30);
  assert.equal((await a.get('gate_scan?area=t1')).records.length, 0);
});
test('where few pass, their scans are found behind those of all others', async () => {
  const [quiet, below, busy] = await Promise.all([['村口', 't1'], ['小区门', 'q1'], ['国道', 't2']].map(([name, at]) => a.create('gate', { name, kind_of: 'road' }, at)));
  let at = Date.now() - 60e3;
  const scans = (gates, n) => many(a, Array.from({ length: n }, (_, i) => (
    { id: uuid(), command: 'gate_scan.create', data: { gate: gates[i % gates.length], seen_at: new Date(at++).toISOString(), origin: String(at), what: i % 3 ? 'person' : 'vehicle', plate: i % 3 ? null : '晋A1234' + i % 10 } })));
  await scans([quiet, below, busy], 36);
  for (let i = 0; i < 3; i++) await scans([busy], 400);
  const all = await pages(a, 'gate_scan?limit=7&area=t1');
  assert.equal(all.length, 24);
  assert.deepEqual(all.map((r) => r.data.origin), all.map((r) => r.data.origin).sort().reverse());
  assert.deepEqual(new Set(all.map((r) => r.data.gate)), new Set([quiet, below]));
  assert.equal((await a.get('gate_scan?limit=24&area=t1')).next, null, 'nothing is said to follow the last');
  assert.equal((await pages(a, 'gate_scan?limit=5&area=q1')).length, 12);
  const vehicles = all.filter((r) => r.data.what === 'vehicle');
  assert.equal((await pages(a, 'gate_scan?limit=3&area=t1&what=vehicle')).length, vehicles.length);
  assert.deepEqual((await pages(a, 'gate_scan?limit=3&area=t1&q=A12343')).map((r) => r.id), all.filter((r) => r.data.plate === '晋A12343').map((r) => r.id));
});
test('a gate that moved leaves its scans where they were made, and a late one stands at its time', async () => {
  const gate = await a.create('gate', { name: '北门', kind_of: 'road' }, 'q1'), start = Date.now() - 7200e3;
  const scan = (minute, name) => a.create('gate_scan', { gate, seen_at: new Date(start + minute * 60e3).toISOString(), what: 'person', name });
  const seen = async (path) => (await pages(a, path)).map((r) => r.data.name);
  for (let i = 0; i < 5; i++) await scan(10 * i, '旧' + i);
  await a.cmd('gate.update', { record: gate, area: 't2', data: {} });
  for (let i = 0; i < 3; i++) await scan(60 + i, '新' + i);
  await scan(25, '迟');
  const before = ['旧4', '旧3', '旧2', '旧1', '旧0'], moved = ['新2', '新1', '新0', '迟'];
  for (const limit of [1, 2, 50]) {
    assert.deepEqual((await seen(`gate_scan?limit=${limit}&area=q1`)).filter((n) => before.includes(n)), before);
    assert.deepEqual(await seen(`gate_scan?limit=${limit}&area=t2&gate=${gate}`), moved);
    assert.deepEqual(await seen(`gate_scan?limit=${limit}&gate=${gate}`), ['新2', '新1', '新0', '旧4', '旧3', '迟', '旧2', '旧1', '旧0']);
  }
  const csv = (await a.call('GET', 'gate_scan/export?format=csv&area=q1')).body;
  assert.ok(before.every((n) => csv.includes(n)) && !moved.some((n) => csv.includes(n)), 'the export of an area holds what was scanned there');
  /* The community goes to another town with all below it. */
  await a.cmd('area.update', { record: s.areas.c1, data: { parent: s.areas.t2 } });
  assert.deepEqual((await seen('gate_scan?limit=2&area=t2')).filter((n) => before.includes(n)), before);
  assert.deepEqual((await seen('gate_scan?limit=2&area=q1')).filter((n) => before.includes(n)), before);
  assert.equal((await seen('gate_scan?area=t1')).filter((n) => before.includes(n)).length, 0);
  const flow = await a.get('figures/gate.persons/rows?area=q1&from=2020-01-01&to=' + new Date(Date.now() + 864e5).toISOString().slice(0, 10));
  assert.deepEqual(flow.records.map((r) => r.data.name).filter((n) => before.includes(n)).sort(), before.toReversed());
  await a.cmd('area.update', { record: s.areas.c1, data: { parent: s.areas.t1 } });
});
test('of very many gates the newest scans come in pages as well', async () => {
  const gates = Array.from({ length: 600 }, () => uuid()), now = new Date().toISOString();
  await many(a, gates.map((id, i) => ({ id, command: 'gate.create', area: i % 8 ? 'c3' : 't1', data: { name: '卡' + i, kind_of: 'road' } })));
  const found = (await pages(a, 'gate?limit=500')).filter((g) => /^卡\d/.test(g.data.name));
  assert.equal(found.length, 600);
  const scan = (gate) => ({ id: uuid(), command: 'gate_scan.create', data: { gate, seen_at: now, what: 'person', name: '过客' } });
  await many(a, found.map((g) => scan(g.id)));
  const clerk = await s.loginAs('community', 't2'), theirs = found.filter((g) => g.area.code === 'c3').length;
  assert.equal(theirs, 525, 'more than are looked into one by one');
  for (const [c, path, n] of [[a, 'gate_scan?limit=60&what=person', 600], [a, 'gate_scan?limit=60&area=c3', theirs], [clerk, 'gate_scan?limit=60', theirs]]) {
    const all = (await pages(c, path)).filter((r) => r.data.name?.startsWith('过'));
    assert.equal(all.length, n, path);
    assert.deepEqual(all.map((r) => r.id), all.map((r) => r.id).sort().reverse(), path);
  }
  const odd = (text) => Buffer.from(`t||${uuid()}|${text}`).toString('base64url');
  for (const text of ['x', '1x', '99999999999999999999']) assert.equal((await a.call('GET', 'gate_scan?area=c3&after=' + odd(text))).body.field, 'after', text);
});
test('a record has a tag, and is not sent again when nothing changed', async () => {
  const id = await a.create('organisation', { name: '测试', type: 'team' }, 'c1');
  const r = await a.call('GET', 'organisation/' + id);
  assert.equal(r.headers.get('etag'), '"1"');
  assert.equal((await a.call('GET', 'organisation/' + id, { headers: { 'If-None-Match': '"1"' } })).status, 304);
  assert.equal(r.body.area.full, '测试县 › 城关镇 › 西关社区');
  const head = await a.call('HEAD', 'organisation/' + id);
  assert.equal(head.status, 200);
  assert.equal(head.body, '');
});
test('areas, kinds and the description of the interface', async () => {
  const { areas } = await a.get('areas?parent=q1');
  assert.deepEqual(areas.map((x) => [x.code, x.level_label, x.children]), [['b1', 'Building', 0], ['b2', 'Building', 0]]);
  const { kinds } = await a.get('kinds?lang=zh-Hans');
  const k = kinds.find((x) => x.name === 'resident'), f = k.fields.find((x) => x.name === 'id_number');
  assert.equal(k.label, '居民');
  assert.ok(f.sealed && f.personal && !f.filter);
  assert.deepEqual(k.commands, ['resident.create', 'resident.update', 'resident.remove', 'resident.open']);
  assert.ok(kinds.find((x) => x.name === 'gate_scan').log);
  const api = await s.anyone().get('openapi.json');
  assert.equal(api.openapi, '3.1.0');
  assert.ok(api.paths['/api/v1/{kind}/{id}'].get && api.components.schemas.resident.properties.name.maxLength === 60);
  assert.ok(api.paths['/api/v1/session'].post && api.paths['/api/v1/session'].delete);
});
