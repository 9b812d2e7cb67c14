/* More than the program can do: it says so at once, keeps its word to those it took in, and nobody pays for another's flood. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { newSite, sleep, uuid } from './lib.mjs';

const ITEM_US = 5000; /* what a command is made to cost: 200 a second */
const BOUND = 0.5; /* seconds of waiting that the program lets in */
const ENV = { LF_FAULT: 'slow:' + ITEM_US, ASAN_OPTIONS: (process.env.ASAN_OPTIONS || '') + ':quarantine_size_mb=8' };

let s, a, b;
before(async () => {
  s = await newSite(ENV);
  a = s.admin;
  b = await s.loginAs('community', 'c1');
});
after(async () => s.end());

const metric = async (name) => Number(new RegExp(`^lianfang_${name} (\\S+)$`, 'm').exec((await s.anyone().call('GET', '/metrics')).body)[1]);
const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${s.child.pid}/status`, 'utf8'))[1]) / 1024;

/* n clients of one account, each sending one household after the other until `going` ends. */
class Flood {
  constructor(client, n, area = 'b1') {
    Object.assign(this, { going: true, accepted: [], refused: 0, others: [], tag: uuid().slice(-8) });
    this.clients = Array.from({ length: n }, (_, i) => this.run(client, i, area));
  }
  async run(client, who, area) {
    for (let i = 0; this.going; i++) {
      const code = `${this.tag}-${who}-${i}`;
      const r = await client.tryCmd('household.create', { area, data: { code } });
      if (r.status === 200) this.accepted.push(code);
      else if (r.status === 503 && /^[123]$/.test(r.headers.get('retry-after')) && r.body.code === 'BUSY') this.refused++;
      else this.others.push(`${r.status} ${JSON.stringify(r.body)}`);
      if (r.status !== 200) await sleep(100);
    }
  }
  async end() {
    this.going = false;
    await Promise.all(this.clients);
    assert.deepEqual(this.others, [], 'nothing but 200, or 503 with Retry-After');
  }
}
async function households() {
  const codes = [];
  for (let next = ''; next !== null;) {
    const r = await a.get('household?limit=500' + (next ? '&after=' + next : ''));
    codes.push(...r.records.map((x) => x.data.code));
    next = r.next;
  }
  return codes;
}

async function severalAtOnce() {
  const codes = Array.from({ length: 3 }, () => 'many-' + uuid());
  const lines = codes.map((code) => JSON.stringify({ id: uuid(), command: 'household.create', area: 'b2', data: { code } })).join('\n');
  const r = await a.call('POST', 'commands', { body: lines, type: 'application/x-ndjson' });
  const said = r.status === 200 ? r.body.trim().split('\n').map((x) => JSON.parse(x)) : [];
  return { ...r, taken: codes.filter((_, i) => said[i]?.record) };
}

test('a flood gets 200 or 503, waits no longer than the bound, and all that was promised is there once', { timeout: 180000 }, async () => {
  const started = rss();
  const flood = new Flood(a, 300);
  while (!flood.refused) await sleep(50);
  await sleep(1000); /* the first ones came in before the program knew what they cost */
  const [waited, done] = [await metric('writer_queue_seconds_total'), await metric('writer_commands_total')];
  const took = flood.accepted.length, turned = flood.refused;
  let most = 0;
  for (let i = 0; i < 20; i++) {
    most = Math.max(most, await metric('writer_queued'));
    await sleep(100);
  }
  const mean = (await metric('writer_queue_seconds_total') - waited) / (await metric('writer_commands_total') - done);
  let many;
  do { /* there may be a moment without pressure */
    many = await severalAtOnce();
    if (many.status === 200) flood.accepted.push(...many.taken);
  } while (many.status === 200);
  await flood.end();
  assert.ok(flood.accepted.length > took && flood.refused > turned, 'it takes some and turns others away');
  assert.ok(mean < BOUND, `a command waited ${mean.toFixed(3)} s in the queue on average`);
  assert.ok(most <= BOUND * 1e6 / ITEM_US, `${most} were queued`);
  assert.ok(rss() - started < 150, `memory grew by ${Math.round(rss() - started)} MB`);
  assert.equal(many.status, 503, 'many at once yield to single commands');
  assert.match(many.headers.get('retry-after'), /^[123]$/);
  const single = await a.tryCmd('household.create', { area: 'b2', data: { code: 'single' } });
  assert.equal(single.status, 200, 'it recovers at once');
  assert.deepEqual((await households()).sort(), [...flood.accepted, 'single'].sort(), 'what was answered 200 is there once, what was refused is not');
  assert.equal((await severalAtOnce()).taken.length, 3);
});

test('who asks little is let in while somebody else floods', { timeout: 180000 }, async () => {
  const flood = new Flood(a, 200);
  while (!flood.refused) await sleep(50);
  await sleep(1000);
  const turned = flood.refused;
  for (let i = 0; i < 15; i++) {
    const r = await b.tryCmd('household.create', { area: 'b1', data: { code: `little-${i}` } });
    assert.equal(r.status, 200, JSON.stringify(r.body));
  }
  await flood.end();
  assert.ok(flood.refused > turned, 'the flood went on meanwhile');
  assert.ok(await metric('commands_refused_total\\{reason="token"\\}') > 0);
});

const open = (port, first) => new Promise((opened, failed) => {
  const c = connect(port, '127.0.0.1', () => { if (first) c.write(first); opened(c); });
  c.heard = '';
  c.gone = new Promise((gone) => c.on('close', gone));
  c.on('data', (d) => { c.heard += d; });
  c.on('error', failed);
});

test('idle connections, half a head and a dripping body neither stop others nor stay', { timeout: 180000 }, async () => {
  await s.stop();
  await s.start({ ...ENV, LF_FAULT: 'hasty:1500' });
  const idle = await Promise.all(Array.from({ length: 1000 }, () => open(s.port)));
  const heads = await Promise.all(Array.from({ length: 1000 }, () => open(s.port, 'GET /api/v1/session HTTP/1.1\r\nHost: a\r\nX-Slow: ')));
  const body = await open(s.port, 'POST /api/v1/session HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{');
  const drip = setInterval(() => { heads[0].write('x'); body.write(' '); }, 100);
  const flowing = await s.admin.call('GET', '/api/v1/session');
  assert.equal(flowing.status, 200);
  assert.equal(flowing.headers.get('keep-alive'), 'timeout=0', 'it says when it closes, so that nobody sends into the close');
  await Promise.all([...idle, ...heads, body].map((c) => c.gone));
  clearInterval(drip);
  assert.equal(idle.filter((c) => c.heard).length, 0, 'who said nothing is told nothing');
  for (const c of [...heads, body]) assert.match(c.heard, /^HTTP\/1\.1 408 /);
  assert.ok(await metric('http_limited_total\\{limit="deadline"\\}') >= 1001);
  assert.ok(await metric('http_connections') < 50);
});

test('at the limit of connections the longest idle makes room', { timeout: 180000 }, async () => {
  await s.stop();
  await s.start(ENV, ['--connections', '40']);
  const idle = await Promise.all(Array.from({ length: 40 }, () => open(s.port)));
  for (let status = 503; status !== 200;) { /* an idle second is what it grants each of them */
    const c = await open(s.port, 'GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await c.gone;
    status = Number(c.heard.slice(9, 12));
    /* A reset may overtake what was said. */
    assert.ok(status === 200 || c.heard === '' || (status === 503 && /Retry-After: [123]\r\n/.test(c.heard)), c.heard);
  }
  await Promise.race(idle.map((c) => c.gone));
  assert.ok(await metric('http_idle_closed_total') >= 1);
  idle.forEach((c) => c.destroy());
});
