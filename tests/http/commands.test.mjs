import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newSite, uuid, idNumber, seqOf, today, addDays } from './lib.mjs';

let s, a;
before(async () => { s = await newSite(); a = s.admin; });
after(async () => s.end());
const resident = (more = {}) => ({ name: '张三', ...more });
const post = (body, type = 'application/json', c = a) => c.call('POST', 'commands', { body, type });

test('bad input is refused with the right status, code and field, and nothing is written', async () => {
  const gate = await a.create('gate', { name: '东门', kind_of: 'quarter_gate' }, 'q1');
  const scan = (more) => ({ id: uuid(), command: 'gate_scan.create', data: { gate, seen_at: new Date().toISOString(), what: 'person', ...more } });
  const create = (data, more = {}) => ({ id: uuid(), command: 'resident.create', area: 'b1', data, ...more });
  const deep = (n) => '['.repeat(n) + ']'.repeat(n);
  const community = await s.loginAs('community', 'c1');
  const table = [
    ['cut off JSON', '{"id":', 400, 'BAD_REQUEST'],
    ['nothing', '', 400, 'BAD_REQUEST'],
    ['two values', '{}{}', 400, 'BAD_REQUEST'],
    ['an array', '[]', 400, 'BAD_REQUEST'],
    ['too deep', deep(2000), 400, 'BAD_REQUEST'],
    ['too large', '"' + 'x'.repeat(1100000) + '"', 413, 'TOO_LARGE'],
    ['a NUL', JSON.stringify(create({ name: 'a\u0000b' })), 400, 'BAD_REQUEST'],
    ['invalid UTF-8', Buffer.concat([Buffer.from('{"id":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]), 400, 'BAD_REQUEST'],
    ['a key twice', '{"id":"x","id":"y"}', 400, 'BAD_REQUEST', 'id'],
    ['no id', { command: 'resident.create', data: resident() }, 422, 'INVALID', 'id'],
    ['an id that is none', { id: '1', command: 'resident.create', data: resident() }, 422, 'INVALID', 'id'],
    ['no command', { id: uuid() }, 422, 'INVALID', 'command'],
    ['an unknown command', { id: uuid(), command: 'resident.destroy' }, 422, 'INVALID', 'command'],
    ['an unknown member', create(resident(), { extra: 1 }), 422, 'INVALID', 'extra'],
    ['an unknown field', create(resident({ height: 180 })), 422, 'INVALID', 'height'],
    ['data that is no object', create([]), 422, 'INVALID', 'data'],
    ['a number for a name', create({ name: 5 }), 422, 'INVALID', 'name'],
    ['a text for a code', create(resident({ gender: 'x' })), 422, 'INVALID', 'gender'],
    ['a field of the program', create(resident({ in_care: true })), 422, 'INVALID', 'in_care'],
    ['a name left out', create({}), 422, 'INVALID', 'name'],
    ['a name too long', create({ name: '张'.repeat(61) }), 422, 'INVALID', 'name'],
    ['a birth tomorrow', create(resident({ birth_date: addDays(today(), 2) })), 422, 'INVALID', 'birth_date'],
    ['a day that is none', create(resident({ birth_date: '2020-02-30' })), 422, 'INVALID', 'birth_date'],
    ['an identity number with a wrong check digit', create(resident({ id_number: '142629199001010000' })), 422, 'INVALID', 'id_number'],
    ['a temperature of 56', scan({ temperature: 56 }), 422, 'INVALID', 'temperature'],
    ['a temperature in words', scan({ temperature: 'warm' }), 422, 'INVALID', 'temperature'],
    ['a scan tomorrow', scan({ seen_at: new Date(Date.now() + 86400000).toISOString() }), 422, 'INVALID', 'seen_at'],
    ['a gate that is none', scan({ gate: uuid() }), 422, 'INVALID', 'gate'],
    ['no area', { id: uuid(), command: 'resident.create', data: resident() }, 422, 'INVALID', 'area'],
    ['an area that is none', create(resident(), { area: 'nowhere' }), 422, 'INVALID', 'area'],
    ['a record that is none', { id: uuid(), command: 'resident.update', record: uuid(), data: { name: 'x' } }, 404, 'NOT_FOUND', 'record'],
    ['no record', { id: uuid(), command: 'resident.update', data: { name: 'x' } }, 422, 'INVALID', 'record'],
    ['a version of nothing', { id: uuid(), command: 'resident.update', record: uuid(), version: 0, data: {} }, 422, 'INVALID', 'version'],
    ['another area', create(resident(), { area: 'c3' }), 403, 'FORBIDDEN', 'area', community],
  ];
  for (const [what, body, status, code, field, who = a] of table) {
    const before = await seqOf(a);
    const r = await post(body, 'application/json', who);
    assert.equal(r.status, status, `${what}: ${JSON.stringify(r.body)}`);
    assert.equal(r.body.code, code, what);
    if (field) assert.equal(r.body.field, field, `${what}: ${JSON.stringify(r.body)}`);
    assert.equal(await seqOf(a), before, what + ' wrote something');
  }
  assert.equal((await post('{}', 'text/plain')).status, 415);
  assert.equal((await a.get('resident')).records.length, 0);
});
test('every wrong field is told at once, with its label, in the language asked for', async () => {
  const r = await a.call('POST', 'commands', { lang: 'zh-CN', body: { id: uuid(), command: 'resident.create', area: 'b1', data: { name: 7, gender: 'x', phone: '12', bogus: 1 } } });
  assert.equal(r.status, 422);
  assert.deepEqual(r.body.errors.map((e) => e.field).sort(), ['bogus', 'gender', 'name', 'phone']);
  assert.equal(r.body.errors.find((e) => e.field === 'name').label, '姓名');
  assert.equal(r.body.detail, '姓名：应为文字');
  assert.equal(r.body.title, '字段内容有误');
});
test('a command runs once however often it is sent', async () => {
  const body = { id: uuid(), command: 'resident.create', area: 'b1', data: resident({ name: '李四' }) };
  const all = await Promise.all(Array.from({ length: 10 }, () => post(body)));
  assert.ok(all.every((r) => r.status === 200));
  assert.equal(new Set(all.map((r) => r.body.record)).size, 1);
  assert.equal(all.filter((r) => !r.body.repeated).length, 1);
  assert.equal((await a.get('resident?q=' + encodeURIComponent('李四'))).records.length, 1);
  const other = await post({ ...body, data: resident({ name: '王五' }) });
  assert.equal(other.status, 409);
  assert.equal(other.body.reason, 'COMMAND_ID_REUSED');
});
test('a scan sent twice is one scan', async () => {
  const gate = await a.create('gate', { name: '西门', kind_of: 'quarter_gate' }, 'q1');
  const body = { id: uuid(), command: 'gate_scan.create', data: { gate, seen_at: new Date().toISOString(), what: 'person', persons: 3 } };
  const [x, y] = await Promise.all([post(body), post(body)]);
  assert.equal(x.body.record, y.body.record);
  assert.notEqual(x.body.repeated, y.body.repeated);
  const f = await a.get(`figures?id=gate.persons&area=b1&cuts=0`);
  assert.equal(f.figures[0].value, 0, 'counted where the gate is, not below');
  assert.equal((await a.get('figures?id=gate.persons&area=q1&cuts=0')).figures[0].value, 3);
});
test('an edit of an old version is told what the other person changed', async () => {
  const record = await a.create('resident', resident({ name: '周小芳', workplace: '一中', gender: 'female' }), 'b1');
  await a.create('household', { code: 'H-77', door: '402' }, 'b1');
  const community = await s.loginAs('community', 'c1');
  await community.cmd('resident.update', { record, version: 1, data: { since: '2020-01-01', workplace: '二中' } });
  await community.cmd('resident.update', { record, version: 2, data: { since: '2020-01-02' } });
  const r = await a.tryCmd('resident.update', { record, version: 1, data: { until: '2020-05-01' } });
  assert.equal(r.status, 409);
  assert.equal(r.body.code, 'CONFLICT');
  assert.equal(r.body.current.version, 3);
  assert.equal(r.body.current.data.workplace, '二中');
  assert.equal(r.body.by.name, 'community-c1');
  const since = r.body.changed.find((c) => c.field === 'since');
  assert.deepEqual([since.from, since.to], [null, '2020-01-02']);
  assert.deepEqual(r.body.changed.find((c) => c.field === 'workplace'), { field: 'workplace', label: 'Workplace', personal: true });
  await a.cmd('resident.update', { record, version: 3, data: { until: '2020-05-01' } });
  assert.equal((await a.get('resident/' + record)).data.since, '2020-01-02');
});
test('null empties a field, a required one stays', async () => {
  const record = await a.create('resident', resident({ workplace: '一中', phone: '13800001111' }), 'b1');
  await a.cmd('resident.update', { record, data: { workplace: null, phone: null } });
  const r = await a.get('resident/' + record);
  assert.equal(r.data.workplace, null);
  assert.equal(r.data.phone, null);
  const bad = await a.tryCmd('resident.update', { record, data: { name: null } });
  assert.equal(bad.status, 422);
  assert.equal(bad.body.reason, 'REQUIRED');
});
test('sealed values are opened with a reason, and it is written down', async () => {
  const number = idNumber('19850607', false);
  const record = await a.create('resident', resident({ name: '吴敏', id_number: number, phone: '13912345678' }), 'b1');
  const shown = await a.get('resident/' + record);
  assert.equal(shown.data.id_number, number.slice(0, 6) + '********' + number.slice(14));
  assert.equal(shown.data.birth_date, '1985-06-07', 'filled from the number');
  assert.equal(shown.data.gender, 'female');
  const no = await a.tryCmd('resident.open', { record, data: { fields: ['id_number'], reason: 'x' } });
  assert.equal(no.status, 422);
  assert.equal(no.body.field, 'reason');
  const r = await a.cmd('resident.open', { record, data: { fields: ['id_number', 'phone'], reason: '核对密接信息' } });
  assert.deepEqual(r.values, { id_number: number, phone: '13912345678' });
  const { entries } = await a.get(`resident/${record}/history`);
  assert.equal(entries[0].command, 'resident.open');
  assert.equal(entries[0].reason, '核对密接信息');
  assert.deepEqual(entries[0].opened, ['id_number', 'phone']);
  assert.ok(!JSON.stringify(entries).includes(number) && !JSON.stringify(entries).includes('吴敏'), 'no personal value in the history');
  assert.equal((await a.tryCmd('resident.open', { record, data: { fields: ['workplace'], reason: '核对密接信息' } })).status, 422);
});
test('the history tells who changed what, personal values by name only', async () => {
  const record = await a.create('organisation', { name: '古城党支部', type: 'branch' }, 'c1');
  await a.cmd('organisation.update', { record, data: { state: 'suspended', contact: '赵书记' } });
  const { entries } = await a.get(`organisation/${record}/history`);
  assert.deepEqual(entries.map((e) => e.command), ['organisation.update', 'organisation.create']);
  assert.equal(entries[0].actor.name, '管理员');
  assert.deepEqual(entries[0].changes.find((c) => c.field === 'state'), { field: 'state', label: 'State', from: 'active', to: 'suspended' });
  assert.equal(entries[0].changes.find((c) => c.field === 'contact').personal, true);
});
test('what was removed is gone from lists, and its history with it', async () => {
  const record = await a.create('organisation', { name: '临时组', type: 'temporary_group' }, 'c1');
  await a.cmd('organisation.remove', { record });
  assert.equal((await a.call('GET', 'organisation/' + record)).status, 404);
  assert.equal((await a.get('organisation?q=' + encodeURIComponent('临时组'))).records.length, 0);
  assert.equal((await a.tryCmd('organisation.update', { record, data: { state: 'active' } })).status, 404);
});
test('many commands at once, a line of answer for each', async () => {
  const lines = [];
  for (let i = 0; i < 1200; i++) lines.push({ id: uuid(), command: 'household.create', area: 'b2', data: { code: 'N-' + i, door: String(i) } });
  lines[7] = { id: uuid(), command: 'household.create', area: 'b2', data: { code: 'N-1' } };
  lines[8] = { id: uuid(), command: 'household.create', area: 'nowhere', data: {} };
  const text = lines.map((l) => JSON.stringify(l)).join('\n').replace('\n', '\n\nnot json\n') + '\n';
  const r = await post(text, 'application/x-ndjson');
  assert.equal(r.status, 200);
  const out = r.body.trim().split('\n').map((l) => JSON.parse(l));
  assert.equal(out.length, 1201);
  assert.equal(out[1].code, 'BAD_REQUEST');
  assert.equal(out[0].id, lines[0].id, 'in their order');
  assert.equal(out[8].reason, 'SAME_CODE');
  assert.equal(out[8].id, lines[7].id);
  assert.equal(out[9].field, 'area');
  assert.equal(out.filter((x) => x.record && !x.status).length, 1198);
  const again = (await post(text, 'application/x-ndjson')).body.trim().split('\n').map((l) => JSON.parse(l));
  assert.ok(again.filter((x) => x.record && !x.status).every((x) => x.repeated));
  assert.equal((await a.get('figures?id=grid.households&area=b2&cuts=0')).figures[0].value, 1198);
  const many = Array.from({ length: 5001 }, () => '{}').join('\n');
  assert.equal((await post(many, 'application/x-ndjson')).status, 413);
});
test('a record can be given its id by the sender', async () => {
  const record = uuid();
  assert.equal(await a.create('resident', resident({ name: '自定' }), 'b1', { record }), record);
  const again = await a.tryCmd('resident.create', { record, area: 'b1', data: resident({ name: '自定' }) });
  assert.equal(again.status, 409);
});
