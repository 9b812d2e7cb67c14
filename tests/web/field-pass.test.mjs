/* The browser's half of tests/vectors/pass.json: every text gets the verdict that the program gives it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fieldModule } from './helper.mjs';

const v = JSON.parse(readFileSync(new URL('../vectors/pass.json', import.meta.url), 'utf8'));
const m = await fieldModule();
const keys = v.key_set.keys;
const lists = v.gate_lists.map((x) => m.openList(keys, m.unhex(x)).list);
const gate = { keys, chain: v.chain, lists, now: v.now };

test('every text gets the verdict that the program gives it', () => {
  assert.ok(v.verify.length > 100);
  for (const x of v.verify) assert.equal(m.verifyPass(gate, x.text).verdict, x.verdict, x.name);
});
test('a pass is read into the same claims and the same number as the program made it from', () => {
  for (const x of v.issue) {
    const { claims } = m.verifyPass({ ...gate, lists: [] }, x.text), c = x.claims;
    assert.deepEqual(claims, { id: c.id.replace(/-/g, ''), issuer: c.iss, from: c.nbf, expires: c.exp, issued: c.iat, kind: c.kind, areas: c.areas, outings: c.outings, days: c.days });
    assert.equal(m.passNumber(m.unhex(claims.id)), x.number);
    assert.equal(m.parseNumber(x.number.toLowerCase().replace(/-/g, ' ').replace(/0/g, 'o').replace(/1/g, 'l')), x.number);
    for (let i = 0; i < x.number.length; i++) {
      const other = x.number[i] === '7' ? '8' : '7';
      if (x.number[i] !== '-') assert.equal(m.parseNumber(x.number.slice(0, i) + other + x.number.slice(i + 1)), null, 'a wrong character at ' + i);
    }
  }
});
test('every list file gets its verdict, and what it holds is what was signed', () => {
  for (const x of v.lists) {
    const { verdict, list } = m.openList(keys, m.unhex(x.file));
    assert.equal(verdict, x.verdict, x.name);
    if (!list) continue;
    assert.deepEqual([list.kind, list.version, list.base, m.listCount(list), list.removed.length / 8, list.made, list.until],
      [x.kind, x.version, x.base, x.count, x.removed, x.iat, x.exp], x.name);
  }
});
test('a listed pass is found, its neighbours are not', () => {
  for (const x of v.members) assert.equal(m.listHas(lists[x.gate_list], x.id), x.has, x.id);
});
test('a change fits to its list only and leads to the same hashes; an older list never takes the place of a newer one', () => {
  for (const x of v.changes) {
    const from = m.openList(keys, m.unhex(x.list)).list, change = m.openList(keys, m.unhex(x.delta)).list, to = m.applyList(from, change);
    assert.equal(!!to, x.fits, x.name);
    if (!to) continue;
    assert.equal(m.hex(to.hashes), x.hashes, x.name);
    assert.ok(m.listReplaces(to, from) && !m.listReplaces(from, to) && !m.listReplaces(to, to));
  }
});
test('lists past their time, of another issuer or missing are called out of date', () => {
  assert.ok(m.listsCurrent(gate, 'jx'));
  assert.ok(!m.listsCurrent(gate, 'qc'));
  assert.ok(!m.listsCurrent({ ...gate, lists: lists.slice(1) }, 'jx'));
  assert.ok(!m.listsCurrent({ ...gate, now: Math.max(...lists.map((l) => l.until)) }, 'jx'));
});
test('bytes that are no zlib stream, cut at any place or changed in any bit, never get past the gate', () => {
  const text = v.verify[0].text;
  for (let n = 0; n < text.length; n++) assert.notEqual(m.verifyPass(gate, text.slice(0, n)).verdict, 'valid', 'cut to ' + n);
  for (let i = 4; i < text.length; i += 3) {
    const other = text[i] === 'A' ? 'B' : 'A';
    assert.notEqual(m.verifyPass(gate, text.slice(0, i) + other + text.slice(i + 1)).verdict, 'valid', 'changed at ' + i);
  }
});
test('what zlib packs in any way, this unpacks; more than is allowed, or a byte beside it, is damaged', async () => {
  const { deflateSync } = await import('node:zlib');
  const texts = ['', 'a', 'abcabcabcabcabc'.repeat(40), Array.from({ length: 1500 }, (_, i) => String.fromCharCode(33 + ((i * i * 7) % 89))).join('')];
  for (const s of texts) for (const level of [0, 1, 6, 9]) for (const strategy of [0, 1, 2, 3, 4]) {
    const packed = new Uint8Array(deflateSync(s, { level, strategy }));
    assert.equal(Buffer.from(m.inflate(packed, 2048)).toString(), s);
    if (s.length) assert.equal(m.inflate(packed, s.length - 1), null);
    assert.equal(m.inflate(new Uint8Array([...packed, 0]), 2048), null);
    assert.equal(m.inflate(packed.slice(0, -1), 2048), null);
  }
});
