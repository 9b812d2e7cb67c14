/* Passes: issue, what a gate fetches, the verdict, cards; each role in its area. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { BIN, cli, newSite, uuid } from './lib.mjs';

let s, a, worker, guard, far;
before(async () => {
  s = await newSite();
  a = s.admin;
  await a.create('gate', { name: '北门', kind_of: 'quarter_gate', code: 'G1' }, 'q1');
  await a.create('gate', { name: '村口', kind_of: 'village_road', code: 'G3' }, 'c3');
  for (let i = 1; i <= 12; i++) await a.create('household', { code: 'H' + i, door: String(100 + i) }, 'b1');
  worker = await s.loginAs('community', 'c1');
  guard = await s.loginAs('gate', 'q1');
  far = await s.loginAs('gate', 'c3');
});
after(async () => s.end());

const issue = (more = {}) => worker.create('pass', { kind_of: 'household', household: 'H1', ...more });
const qr = async (id) => (await worker.call('GET', `passes/${id}/qr`)).body;
const verdict = async (body, who = guard, gate = 'G1') => (await who.post('gate/verify', { gate, ...body })).verdict;
const list = async (kind, query = '', headers = {}) => guard.raw('GET', `/api/v1/gate/lists/${kind}${query}`, { headers });

test('before the first pass there is no key, and a list says so', async () => {
  assert.deepEqual((await guard.get('gate/keys')).keys, []);
  assert.equal((await list('revoked')).status, 422);
});

test('a pass is issued, verified by text and by number, and printed', async () => {
  const id = await issue({ outings: 1, days: 2 }), text = await qr(id), record = await worker.get('pass/' + id);
  assert.match(text, /^LF1:[0-9A-Z $%*+\-./:]{150,400}$/);
  assert.equal(await qr(id), text, 'the same text each time');
  const v = await guard.post('gate/verify', { gate: 'G1', text });
  assert.deepEqual([v.verdict, v.label, v.kind, v.areas, v.area_names, v.outings, v.days, v.number], ['valid', 'Valid', 'household', ['q1'], ['古城小区'], 1, 2, record.data.number]);
  assert.equal(v.record, null, 'gate staff do not read records of passes');
  assert.equal((await worker.post('gate/verify', { gate: 'G1', number: record.data.number.toLowerCase().replaceAll('-', '') })).record, id);
  assert.equal((await guard.call('POST', 'gate/verify', { body: { gate: 'G1', text }, lang: 'zh-Hans' })).body.label, '有效');
  for (const path of [`passes/${id}/card.pdf`, 'passes/sheet.pdf?area=c1']) {
    const r = await worker.raw('GET', '/api/v1/' + path);
    assert.equal(r.status, 200, path);
    assert.equal(r.headers.get('content-type'), 'application/pdf');
    assert.equal(Buffer.from(await r.arrayBuffer()).subarray(0, 5).toString(), '%PDF-');
  }
  assert.equal((await worker.call('GET', `passes/${uuid()}/qr`)).status, 404);
});

test('each verdict', async () => {
  const good = await issue(), gone = await issue(), home = await issue(), later = await issue({ valid_from: new Date(Date.now() + 864e5).toISOString() });
  await worker.cmd('pass.revoke', { record: gone, data: { reason: '遗失' } });
  await worker.cmd('pass.stay_home', { record: home, data: {} });
  const text = await qr(good);
  assert.equal(await verdict({ text }), 'valid');
  assert.equal(await verdict({ text: await qr(gone) }), 'revoked');
  assert.equal(await verdict({ text: await qr(home) }), 'stay_home');
  assert.equal(await verdict({ text: await qr(later) }), 'not_yet_valid');
  assert.equal(await verdict({ text }, far, 'G3'), 'wrong_area');
  assert.equal(await verdict({ text: 'https://example.org/' }), 'not_a_pass');
  assert.equal(await verdict({ text: text.slice(0, -3) }), 'damaged');
  await worker.cmd('pass.lift', { record: home, data: {} });
  assert.equal(await verdict({ text: await qr(home) }), 'valid');
  assert.equal((await worker.tryCmd('pass.revoke', { record: gone, data: { reason: '遗失' } })).status, 422);
  assert.equal((await a.tryCmd('pass.remove', { record: good })).status, 422);
});

test('a gate fetches its day: keys, lists, words', async () => {
  const b = await guard.get('gate/bundle?gate=G1');
  assert.deepEqual(b.gate.chain.map((x) => x.code), ['q1', 'c1', ...b.gate.chain.slice(2).map((x) => x.code)]);
  assert.equal(b.key_set.keys.length, 1);
  assert.equal(b.key_set.keys[0].iss, b.issuer);
  assert.ok(b.lists.revoked > 1 && b.lists.stay_home > 1);
  assert.equal(b.verdicts.stay_home, 'Ordered to stay at home');
  const full = await list('revoked'), etag = full.headers.get('etag');
  assert.equal(full.headers.get('content-type'), 'application/cose');
  assert.equal(Buffer.from(await full.arrayBuffer())[0], 0xd2);
  assert.match(etag, new RegExp(`^W/"${b.lists.revoked}-`));
  assert.equal((await list('revoked', '', { 'If-None-Match': etag })).status, 304);
  const gone = await issue();
  await worker.cmd('pass.revoke', { record: gone, data: { reason: '搬离' } });
  const delta = await list('revoked', '?from=' + b.lists.revoked, { 'If-None-Match': etag });
  assert.equal(delta.status, 200);
  assert.notEqual(delta.headers.get('etag'), etag);
  assert.equal((await list('nothing')).status, 422);
  assert.equal((await list('revoked', '?from=x')).status, 422);
});

test('an area is issued to in one command', async () => {
  const r = await worker.cmd('pass.issue_area', { data: { area: 'q1', outings: 1, days: 2 } });
  assert.deepEqual([r.issued, r.more], [11, false]);
  assert.equal((await worker.cmd('pass.issue_area', { data: { area: 'q1' } })).issued, 0);
});

test('nobody reaches outside the own area', async () => {
  const id = await issue(), text = await qr(id);
  assert.equal((await guard.call('POST', 'gate/verify', { body: { gate: 'G3', text } })).status, 404);
  assert.equal((await guard.call('GET', 'gate/bundle?gate=G3')).status, 404);
  assert.equal((await guard.call('GET', `passes/${id}/qr`)).status, 403);
  assert.equal((await guard.call('GET', 'passes/sheet.pdf?area=q1')).status, 403);
  assert.equal((await guard.tryCmd('pass.revoke', { record: id, data: { reason: '遗失' } })).status, 403);
  const other = await s.loginAs('community', 'c3');
  assert.equal((await other.call('GET', `passes/${id}/qr`)).status, 404);
  assert.equal((await other.call('GET', 'passes/sheet.pdf?area=c1')).status, 403);
  assert.equal((await other.tryCmd('pass.revoke', { record: id, data: { reason: '遗失' } })).status, 403);
  assert.equal((await other.tryCmd('pass.issue_area', { data: { area: 'c1' } })).status, 403);
  assert.equal((await worker.tryCmd('pass_key.make', { data: {} })).status, 403);
  const viewer = await s.loginAs('viewer', 'c1');
  for (const path of ['gate/keys', 'gate/lists/revoked', 'gate/bundle?gate=G1']) assert.equal((await viewer.call('GET', path)).status, 403, path);
});

test('the command line does the same', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'lf-pass-'));
  const status = (...args) => { try { execFileSync(BIN, args, { stdio: 'ignore' }); return 0; } catch (e) { return e.status; } };
  try {
    const number = cli('pass', 'issue', s.site, '--household', 'H2', '--outings', '1').trim();
    assert.equal(JSON.parse(cli('pass', 'verify', s.site, number, '--gate', 'G1', '--json')).verdict, 'valid');
    assert.equal(status('pass', 'verify', s.site, 'nonsense', '--gate', 'G1'), 6);
    assert.equal(JSON.parse(cli('pass', 'issue', s.site, '--area', 'q1', '--json')).issued, 0);
    cli('pass', 'revoke', s.site, number, '--reason', '遗失');
    assert.equal(status('pass', 'verify', s.site, number, '--gate', 'G1'), 6);
    const l = JSON.parse(cli('pass', 'list', s.site, 'revoked', '--out', join(dir, 'revoked'), '--json'));
    assert.ok(l.version > 1 && l.entries >= 1);
    assert.equal(JSON.parse(cli('pass', 'list', s.site, 'revoked', '--out', join(dir, 'delta'), '--from', String(l.version - 1), '--json')).from, l.version - 1);
    cli('pass', 'print', s.site, '--area', 'q1', '--out', join(dir, 'cards.pdf'));
    assert.equal(readFileSync(join(dir, 'cards.pdf')).subarray(0, 5).toString(), '%PDF-');
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
