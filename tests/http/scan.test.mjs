/* A passage at a gate: recorded, checked by the records, answered with what to do; once each, whatever is sent again. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { cli, idNumber, newSite, uuid } from './lib.mjs';

let s, a, worker, guard, far, gate, people = 0;
before(async () => {
  s = await newSite();
  a = s.admin;
  gate = await a.create('gate', { name: '北门', kind_of: 'quarter_gate', code: 'G1' }, 'q1');
  await a.create('gate', { name: '南门', kind_of: 'quarter_gate', code: 'G2' }, 'q1');
  await a.create('gate', { name: '村口', kind_of: 'village_road', code: 'G3' }, 'c3');
  for (let i = 1; i <= 20; i++) await a.create('household', { code: 'H' + i, door: String(100 + i) }, 'b1');
  worker = await s.loginAs('community', 'c1');
  guard = await s.loginAs('gate', 'q1');
  far = await s.loginAs('gate', 'c3');
});
after(() => s.end());

const issue = async (more = {}) => worker.get('pass/' + await worker.create('pass', { kind_of: 'household', household: 'H' + ++people, valid_from: ago(864e5), ...more }));
const card = async (p) => (await worker.call('GET', `passes/${p.id}/qr`)).body;
const scan = (body, who = guard) => who.post('gate/scan', { id: uuid(), gate: 'G1', ...body });
const counted = async () => (await a.get('figures?area=jx&ids=gate.persons')).figures.find((f) => f.id === 'gate.persons').value;
const ago = (ms) => new Date(Date.now() - ms).toISOString();

test('a passage by number: checked, recorded, counted, and the verdict in words', async () => {
  const p = await issue(), id = uuid();
  const r = await scan({ id, pass: p.data.number.toLowerCase().replaceAll('-', ' ') });
  assert.deepEqual([r.id, r.record, r.repeated, r.check, r.check_label, r.verdict, r.label], [id, id, false, 'valid', 'Valid', 'pass', 'Pass']);
  const stored = await guard.get('gate_scan/' + id);
  assert.deepEqual([stored.data.pass, stored.data.pass_check, stored.data.what, stored.data.persons, stored.data.gate], [p.data.number, 'valid', 'person', 1, gate]);
  assert.ok(Math.abs(Date.parse(stored.data.seen_at) - Date.now()) < 60000, 'seen now unless it says otherwise');
});

test('a card by its text, and one that is forged or no pass at all', async () => {
  const p = await issue(), text = await card(p);
  const r = await scan({ pass: text });
  assert.deepEqual([r.check, r.verdict], ['valid', 'pass']);
  assert.equal((await guard.get('gate_scan/' + r.record)).data.pass, p.data.number);
  const at = text.length - 40, forged = text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
  const f = await scan({ pass: forged });
  assert.ok(['forged', 'damaged'].includes(f.check), f.check);
  assert.equal(f.verdict, 'turn_back');
  assert.equal((await scan({ pass: 'https://example.org/some/other/code' })).check, 'not_a_pass');
});

test('each answer of the records has its word', async () => {
  const gone = await issue(), home = await issue(), later = await issue({ valid_from: new Date(Date.now() + 864e5).toISOString() }), ok = await issue();
  await worker.cmd('pass.revoke', { record: gone.id, data: { reason: '遗失' } });
  await worker.cmd('pass.stay_home', { record: home.id, data: {} });
  for (const [p, check, who, at] of [[gone, 'revoked'], [home, 'stay_home'], [later, 'not_yet_valid'], [ok, 'wrong_area', far, 'G3']]) {
    const r = await scan({ pass: p.data.number, gate: at ?? 'G1' }, who ?? guard);
    assert.deepEqual([r.check, r.verdict], [check, 'turn_back']);
  }
  const before = await scan({ pass: gone.data.number, seen_at: ago(3600e3 * 30) });
  assert.notEqual(before.check, 'revoked', 'a passage is judged by when it was seen');
  const good = ok.data.number, sign = good.at(-1) === '0' ? '1' : '0';
  const wrong = await guard.call('POST', 'gate/scan', { body: { id: uuid(), gate: 'G1', pass: good.slice(0, -1) + sign } });
  assert.equal(wrong.status, 422);
  assert.equal(wrong.body.errors[0].field, 'pass');
});

test('the same pass at another gate within two minutes is pointed out; the guard decides', async () => {
  const p = await issue();
  assert.equal((await scan({ pass: p.data.number, seen_at: ago(600e3) })).check, 'valid');
  assert.equal((await scan({ pass: p.data.number, gate: 'G2', seen_at: ago(300e3) })).check, 'valid', 'five minutes later');
  const r = await scan({ pass: p.data.number, gate: 'G1', seen_at: ago(240e3) });
  assert.deepEqual([r.check, r.verdict], ['elsewhere', 'pass']);
  assert.equal((await scan({ pass: p.data.number, gate: 'G1', seen_at: ago(100e3) })).check, 'valid', 'again at the same gate');
});

test('a use is known that another program wrote, and one from before a restart', async () => {
  const here = await issue(), there = await issue(), file = join(s.dir, 'scans.csv'), at = (ms) => new Date(Date.now() - ms + 8 * 3600e3).toISOString().slice(0, 19).replace('T', ' ');
  await scan({ pass: here.data.number, seen_at: ago(60e3) });
  writeFileSync(file, `卡点,时间,对象,出入证号\nG1,${at(60e3)},人员,${there.data.number}\n`);
  cli('import', s.site, 'gate_scan', file);
  for (const restart of [false, true]) {
    if (restart) {
      await s.stop();
      await s.start();
    }
    for (const p of [here, there]) assert.equal((await scan({ pass: p.data.number, gate: 'G2', seen_at: ago(restart ? 40e3 : 50e3) })).check, 'elsewhere');
  }
});

test('what stands in the same batch counts as what came before: another gate, the same id again', async () => {
  const p = await issue(), pass = p.data.number, twice = { id: uuid(), gate: 'G1', seen_at: ago(50e3) };
  const lines = [{ id: uuid(), gate: 'G1', pass, seen_at: ago(60e3) }, twice, { id: uuid(), gate: 'G2', pass, seen_at: ago(55e3) }, twice];
  const body = lines.map((l) => JSON.stringify(l)).join('\n');
  const answers = (await (await worker.raw('POST', '/api/v1/gate/scan', { type: 'application/x-ndjson', body })).text()).trim().split('\n').map((l) => JSON.parse(l));
  assert.deepEqual(answers.map((a) => a.check), ['valid', null, 'elsewhere', null]);
  assert.deepEqual(answers.map((a) => a.repeated), [false, false, false, true]);
});

test('a person whose household stays at home is known by his identity number, whoever is not known passes', async () => {
  const p = await issue(), number = idNumber();
  await worker.create('resident', { name: '王小明', id_number: number, household: 'H' + people }, 'b1');
  await worker.cmd('pass.stay_home', { record: p.id, data: {} });
  assert.deepEqual([(await scan({ id_number: number })).check, (await scan({ id_number: idNumber() })).check], ['stay_home', null]);
});

test('fever, a plate, and the guard\'s own word', async () => {
  const p = await issue();
  assert.equal((await scan({ pass: p.data.number, temperature: 37.6 })).verdict, 'fever_clinic');
  const v = await scan({ plate: '晋A12345', persons: 3, verdict: 'turn_back' });
  assert.deepEqual([v.verdict, v.check, (await guard.get('gate_scan/' + v.record)).data.what], ['turn_back', null, 'vehicle']);
});

test('the same id answers as the first time; with another content it is refused', async () => {
  const p = await issue(), id = uuid(), body = { id, gate: 'G1', pass: p.data.number, seen_at: ago(60e3) };
  const first = await guard.post('gate/scan', body), n = await counted();
  await worker.cmd('pass.revoke', { record: p.id, data: { reason: '遗失' } });
  const again = await guard.post('gate/scan', body);
  assert.deepEqual([again.repeated, again.check, again.verdict, again.seq], [true, first.check, first.verdict, first.seq]);
  assert.equal(await counted(), n);
  const other = await guard.call('POST', 'gate/scan', { body: { ...body, persons: 2 } });
  assert.equal(other.status, 409);
});

test('sent again without a time it is still the same passage', async () => {
  const body = { id: uuid(), gate: 'G1' }, first = await guard.post('gate/scan', body);
  const again = await guard.post('gate/scan', body);
  assert.deepEqual([again.repeated, again.record, again.seq], [true, first.record, first.seq]);
});

test('many at once: each line by itself, in order, and the whole batch again changes nothing', async () => {
  const p = await issue(), seen_at = ago(30e3);
  const lines = [...Array(50)].map(() => ({ id: uuid(), gate: 'G1', pass: p.data.number, seen_at }));
  lines[7] = { id: uuid(), gate: 'nowhere' };
  lines[9] = { gate: 'G1' };
  const send = async () => (await (await guard.raw('POST', '/api/v1/gate/scan', { type: 'application/x-ndjson', body: lines.map((l) => JSON.stringify(l)).join('\n') })).text()).trim().split('\n').map((l) => JSON.parse(l));
  const n = await counted(), one = await send();
  assert.equal(one.length, 50);
  one.forEach((r, i) => (i === 7 || i === 9 ? assert.equal(r.status, 422) : assert.deepEqual([r.id, r.check, r.repeated], [lines[i].id, 'valid', false])));
  assert.equal(await counted(), n + 48);
  assert.ok((await send()).every((r, i) => i === 7 || i === 9 || r.repeated));
  assert.equal(await counted(), n + 48);
});

test('wrong things are told by their field; who may not is refused', async () => {
  for (const [body, field] of [[{ gate: 'G1' }, 'id'], [{ id: 'x', gate: 'G1' }, 'id'], [{ id: uuid() }, 'gate'], [{ id: uuid(), gate: 'G9' }, 'gate'], [{ id: uuid(), gate: 'G1', temperature: 50 }, 'temperature'],
    [{ id: uuid(), gate: 'G1', colour: 'red' }, 'colour'], [{ id: uuid(), gate: 'G1', pass_check: 'valid' }, 'pass_check'], [{ id: uuid(), gate: 'G1', seen_at: new Date(Date.now() + 864e5).toISOString() }, 'seen_at']]) {
    const r = await guard.call('POST', 'gate/scan', { body });
    assert.equal(r.status, 422, JSON.stringify(body));
    assert.equal(r.body.errors[0].field, field);
  }
  assert.equal((await guard.call('POST', 'gate/scan', { body: { id: uuid(), gate: 'G3' } })).status, 422, 'a gate outside the caller\'s area is not there');
  assert.equal((await guard.call('POST', 'gate/scan', { body: '[' })).status, 400);
});
