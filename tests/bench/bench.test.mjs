// lianfang bench: every load for a fraction of a second on a tiny site; what it says, what it leaves, what it refuses.  LF_BIN and LF_DB as in tests/http.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { BIN, ON_SERVER, cli, newDatabase, newSite, psql, sleep } from '../http/lib.mjs';

const top = mkdtempSync(join(tmpdir(), 'lf-bench-')), tmp = join(top, 'tmp');
const database = ON_SERVER ? newDatabase() : null;
const where = database ? ['--db', database] : [];
const TINY = ['--seconds', '0.2', '--runs', '2', '--passes', '300', '--scans', '600', '--residents', '50', '--rows', '40'];
const environment = { ...process.env, TMPDIR: tmp, LF_LANG: 'en' };
delete environment.LF_DB;
mkdirSync(tmp);
let site, token;

// {status, out, err}; nothing may be left in the temporary folder, whatever happened.
async function bench(...args) {
  const r = await new Promise((ended) => execFile(BIN, ['bench', ...args], { env: environment }, (failed, out, err) => ended({ status: failed ? failed.code : 0, out, err })));
  assert.deepEqual(readdirSync(tmp), [], 'nothing is left behind');
  return r;
}
async function results(...args) {
  const r = await bench(...args, '--json');
  assert.equal(r.status, 0, r.err);
  return JSON.parse(r.out);
}
const processesOf = (text) => readdirSync('/proc').filter((p) => /^\d+$/.test(p)).filter((p) => {
  try {
    return readFileSync(`/proc/${p}/cmdline`, 'utf8').includes(text);
  } catch {
    return false;
  }
});

before(async () => {
  site = await newSite();
  await site.admin.create('gate', { name: '北门', kind_of: 'quarter_gate', code: 'G1' }, 'q1');
  cli('user', site.site, 'add', 'bench', '--role', 'headquarters', '--area', 'jx');
  token = cli('user', site.site, 'token', 'bench').trim();
});
after(async () => {
  await site.end();
  rmSync(top, { recursive: true, force: true });
});

const WRITING = ['scan', 'scan-many', 'roundtrip', 'resident', 'import'], READING = { dashboard: ['figures', 'figure', 'brief'], history: ['pass', 'gate-hour', 'near'] };
const FLOODING = ['scan', 'scan-many', 'resident']; /* many at a time: a machine that does much else tells some to come later */

test('every load says its rate, waiting times and limits, and the site is proved afterwards', async () => {
  const kept = join(top, 'kept');
  const said = await results(...WRITING, ...Object.keys(READING), '--keep', kept, ...where, ...TINY);
  assert.equal(said.database, database ? 'postgresql' : 'sqlite');
  assert.deepEqual([said.site.passes, said.site.scans, said.site.residents, said.runs, said.seconds], [300, 600, 50, 2, 0.2]);
  assert.deepEqual(said.results.map((r) => [r.load, r.part]), [...WRITING.map((l) => [l, null]), ...Object.entries(READING).flatMap(([l, parts]) => parts.map((p) => [l, p]))]);
  for (const r of said.results) {
    const at = r.load + ' ' + r.part;
    assert.ok(r.units > 0 && r.per_second > 0, at);
    assert.ok(FLOODING.includes(r.load) ? r.refused_per_second >= 0 : r.refused_per_second === 0, at);
    if (r.load === 'import') continue;
    assert.ok(r.p50_ms > 0 && r.p99_ms >= r.p50_ms && r.most_ms * 1.02 >= r.p99_ms, at);
    assert.ok(r.limits.http.per_second > 0 && r.limits.http.fraction > 0, at);
    assert.ok(Math.abs(r.limits.http.fraction - r.per_second / r.limits.http.per_second) < 0.01, at);
    assert.ok(r.memory_mb > 1, at);
    if (WRITING.includes(r.load)) assert.ok(r.group >= 0.9, at);
  }
  const one = said.results.find((r) => r.load === 'roundtrip'), many = said.results.find((r) => r.load === 'scan-many');
  assert.deepEqual([one.connections, one.lines, many.lines], [1, 1, 1000]);
  assert.ok(one.limits.raw.per_second > 0 && many.limits.raw.per_second > 0, 'raw rows are measured where there are enough');
  assert.match(cli('fsck', kept), /clean/);
});

test('a site that was kept is used again and grows when more is asked for', async () => {
  const again = await results('roundtrip', '--keep', join(top, 'kept'), '--passes', '400', '--scans', '700', ...TINY);
  assert.deepEqual([again.site.passes, again.site.scans, again.site.residents], [400, 700, 50]);
  assert.match(cli('fsck', join(top, 'kept')), /clean/);
});

test('a site that no bench made is left alone', async () => {
  const other = join(top, 'other');
  cli('init', other, '--area', 'xx', '--name', '县', ...where);
  const r = await bench('scan', '--keep', other, ...TINY);
  assert.equal(r.status, 6);
  assert.match(r.err, /there is a site in .*other already/);
});

test('a table for people: each load with its limits; the file holds the same as JSON', async () => {
  const file = join(top, 'result.json'), r = await bench('scan', 'dashboard', ...where, ...TINY, '--out', file, '--connections', '2', '--connections', '3', '--lang', 'zh-Hans');
  assert.equal(r.status, 0, r.err);
  assert.match(r.out, /自建站点 \((SQLite|PostgreSQL)\) +出入证 300 +过卡登记 600 +居民 50/);
  assert.match(r.out, /连接 +每秒/);
  assert.equal(r.out.match(/^(scan|dashboard \w+) .* %/gm).length, 8);
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')).results.map((x) => x.connections), [2, 3, 2, 2, 2, 3, 3, 3]);
});

test('a site on a server is gone with its rows', { skip: !ON_SERVER }, async () => {
  const counted = "SELECT (SELECT count(*) FROM pass) || ' ' || (SELECT count(*) FROM pg_namespace WHERE nspname = 'lianfang_bench')";
  const had = psql(database, counted);
  await bench('roundtrip', ...where, ...TINY);
  assert.equal(psql(database, counted), had);
});

test('at another address it writes only what was agreed to, marked, through gates of the token', async () => {
  const to = ['--url', site.url, '--token', token];
  const asked = await bench('scan', ...to);
  assert.equal(asked.status, 2);
  assert.match(asked.err, /real rows into that site.*\n.*scan: gate scans with invented pass numbers/);
  assert.match(asked.err, /--yes: is required/);
  assert.equal((await site.admin.get('gate_scan')).records.length, 0);
  const said = await results('scan', 'dashboard', ...to, '--yes', '--seconds', '0.2', '--runs', '1', '--connections', '4');
  assert.equal(said.url, site.url);
  assert.equal(said.site, null);
  assert.equal(said.results[0].limits.raw, null);
  assert.ok(said.results.every((r) => r.per_second > 0 && r.limits.http.per_second > 0));
  const { records } = await site.admin.get('gate_scan?limit=500');
  assert.ok(records.length >= Math.min(said.results[0].units, 500));
  assert.ok(records.every((r) => r.data.origin === 'lianfang bench' && r.data.verdict === 'pass' && r.refs.gate.title.includes('北门')));
});

test('over TLS, with the certificate that the site made for itself, and not with another', async () => {
  const server = spawn(BIN, ['serve', site.site, '--port', '0', '--tls'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const url = await new Promise((ready) => server.stdout.on('data', (d) => { const m = /listening on (\S+)\n/.exec(d); if (m) ready(m[1]); }));
  assert.match(url, /^https:/);
  const to = ['roundtrip', 'dashboard', '--url', url, '--token', token, '--yes', '--seconds', '0.2', '--runs', '1', '--connections', '3'];
  const said = await results(...to, '--ca', join(site.site, 'tls.crt'));
  const stranger = await bench(...to), none = await bench(...to, '--ca', join(top, 'no.crt'));
  server.kill();
  await new Promise((r) => server.once('exit', r));
  assert.ok(said.results.every((r) => r.per_second > 0 && r.limits.http.per_second > 0));
  assert.deepEqual([stranger.status, none.status], [8, 8]);
  assert.match(stranger.err, /self.signed certificate/);
  assert.match(none.err, /no\.crt/);
});

test('what only reads needs no agreement; what needs a site of its own says so', async () => {
  const said = await results('dashboard', '--url', site.url, '--token', token, '--seconds', '0.1', '--runs', '1');
  assert.equal(said.results.length, 3);
  const r = await bench('import', '--url', site.url, '--token', token, '--yes');
  assert.equal(r.status, 2);
  assert.match(r.err, /import: runs on a site of its own only/);
});

test('a wrong address, a wrong token, a load that is not there: what it is, and an exit code', async () => {
  const refused = async (args, status, text) => {
    const r = await bench(...args);
    assert.equal(r.status, status, r.err);
    assert.match(r.err, text);
  };
  await refused(['--url', 'http://127.0.0.1:1', '--token', 'x', 'dashboard'], 8, /http:\/\/127\.0\.0\.1:1: Connection refused/);
  await refused(['--url', '127.0.0.1:1', '--token', 'x', 'dashboard'], 2, /--url: http:\/\/HOST:PORT/);
  await refused(['--url', 'http://no-such-host.invalid', '--token', 'x', 'dashboard'], 8, /no-such-host\.invalid: /);
  await refused(['--url', site.url, '--token', 'x', 'dashboard'], 3, /--token: .*(session|sign in)/i);
  await refused(['--url', site.url, 'dashboard'], 2, /--token: is required/);
  await refused(['surf'], 2, /"surf" is not one of: scan, scan-many, roundtrip, resident, import, dashboard, history/);
  await refused(['scan', '--seconds', 'long'], 2, /--seconds: must be between 0\.05 and 3600/);
  cli('user', site.site, 'add', 'reader', '--role', 'clinic', '--area', 'jx');
  await refused(['--url', site.url, '--token', cli('user', site.site, 'token', 'reader').trim(), 'scan', '--yes'], 3, /--token: your role may not do gate_scan\.create/);
});

test('refusals are counted apart, and Retry-After is waited for', async () => {
  // A stand-in for a server that is over its capacity: of ten requests nine are refused.
  const { createServer } = await import('node:http');
  let asked = 0;
  const server = createServer((rq, rs) => {
    rq.resume().on('end', () => {
      const json = (status, body, more = {}) => { const text = JSON.stringify(body); rs.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': text.length, ...more }); rs.end(text); };
      if (rq.url.startsWith('/api/v1/figures') && asked++ % 10) json(503, { code: 'BUSY' }, { 'Retry-After': '0' });
      else json(200, { status: 'ok' });
    });
  });
  await new Promise((r) => server.listen(0, '127.0.0.1', r));
  const url = 'http://127.0.0.1:' + server.address().port;
  const child = spawn(BIN, ['bench', 'dashboard', '--url', url, '--token', 'x', '--json', '--seconds', '0.4', '--runs', '1', '--connections', '4'], { env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (d) => { out += d; });
  const status = await new Promise((r) => child.on('exit', r));
  server.close();
  assert.equal(status, 0);
  const [figures, , brief] = JSON.parse(out).results;
  assert.ok(figures.per_second > 0 && figures.refused_per_second > 5 * figures.per_second, out);
  assert.equal(brief.refused_per_second, 0);
});

test('a bench that is killed leaves no process and nothing on the disk', async () => {
  for (const signal of ['SIGKILL', 'SIGINT']) {
    const child = spawn(BIN, ['bench', 'roundtrip', ...where, ...TINY, '--seconds', '60'], { env: environment, stdio: 'ignore' });
    const gone = new Promise((r) => child.once('exit', r));
    while (!processesOf('serve\0' + tmp).length && child.exitCode === null) await sleep(20);
    await sleep(300);
    child.kill(signal);
    await gone;
    for (let i = 0; i < 500 && (readdirSync(tmp).length || processesOf(tmp).length); i++) await sleep(20);
    assert.deepEqual([readdirSync(tmp), processesOf(tmp)], [[], []], signal);
  }
});
