/* Files, headers, raw bytes, metrics. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { join } from 'node:path';
import { request } from 'node:https';
import { PASSWORD, newSite, rawBytes } from './lib.mjs';

let s, a;
before(async () => { s = await newSite(); a = s.admin; });
after(async () => s.end());
const DATA_CSP = "default-src 'none'; frame-ancestors 'none'";
const CSP = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

test('every answer carries the strict headers', async () => {
  for (const path of ['/', '/healthz', '/api/v1/session', '/api/v1/nothing', '/nothing', '/metrics']) {
    const r = await s.anyone().call('GET', path);
    const page = path === '/' || path === '/nothing';
    assert.equal(r.headers.get('content-security-policy'), page ? CSP : DATA_CSP, path);
    assert.equal(r.headers.get('x-content-type-options'), 'nosniff');
    assert.equal(r.headers.get('x-frame-options'), 'DENY');
    if (page) {
      assert.equal(r.headers.get('referrer-policy'), 'no-referrer');
      assert.equal(r.headers.get('cross-origin-opener-policy'), 'same-origin');
      assert.match(r.headers.get('permissions-policy'), /camera=\(self\)/);
    }
    assert.match(r.headers.get('x-request-id'), /^[0-9a-f-]{36}$/);
    assert.equal(r.headers.get('strict-transport-security'), null, 'only with TLS');
    if (path.startsWith('/api')) assert.equal(r.headers.get('cache-control'), 'no-store');
  }
});
test('the browser program comes compressed, tagged and cached', async (t) => {
  const page = await s.anyone().call('GET', '/', { headers: { 'Accept-Encoding': 'identity' } });
  if (page.status === 404) return t.skip('web/dist was not built in');
  assert.equal(page.status, 200);
  assert.match(page.headers.get('content-type'), /^text\/html/);
  assert.equal(page.headers.get('cache-control'), 'no-cache');
  assert.doesNotMatch(page.body, /<script>|style="/);
  const js = /src="(\/?[^"]+\.js)"/.exec(page.body)[1].replace(/^\.?\/?/, '/');
  const tags = new Set();
  for (const coding of ['identity', 'gzip', 'br', 'br;q=0, gzip']) {
    const r = await s.anyone().raw('GET', js, { headers: { 'Accept-Encoding': coding } });
    assert.equal(r.status, 200);
    assert.equal(r.headers.get('cache-control'), 'public, max-age=31536000, immutable');
    assert.match(r.headers.get('vary') || '', /Accept-Encoding/);
    assert.equal(r.headers.get('content-encoding'), { identity: null, gzip: 'gzip', br: 'br', 'br;q=0, gzip': 'gzip' }[coding]);
    const again = await s.anyone().raw('GET', js, { headers: { 'Accept-Encoding': coding, 'If-None-Match': 'W/' + r.headers.get('etag') } });
    assert.equal(again.status, 304);
    tags.add(r.headers.get('etag'));
  }
  assert.equal(tags.size, 3, 'each coding has a tag of its own');
});
test('other methods are told what is allowed', async () => {
  for (const [method, path, allow] of [['PUT', '/api/v1/session', 'DELETE, GET, HEAD, POST'], ['POST', '/api/v1/kinds', 'GET, HEAD'], ['GET', '/api/v1/commands', 'POST'], ['DELETE', '/healthz', 'GET, HEAD']]) {
    const r = await a.call(method, path);
    assert.equal(r.status, 405, path);
    assert.equal(r.body.code, 'METHOD');
    assert.equal(r.headers.get('allow'), allow, path);
  }
  assert.equal((await a.call('GET', '/api/v2/kinds')).status, 404);
  assert.equal((await a.call('GET', '/../etc/passwd')).status, 404);
  assert.equal((await a.call('POST', '/hq.html')).status, 404);
});
test('requests that servers let through are refused before any handler', async () => {
  const host = 'Host: x\r\n', body = '{"login":"admin","password":"x"}';
  const table = [
    ['two lengths', `POST /api/v1/session HTTP/1.1\r\n${host}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`, 400],
    ['length and chunks', `POST /api/v1/session HTTP/1.1\r\n${host}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
    ['no host', 'GET /healthz HTTP/1.1\r\n\r\n', 400],
    ['two hosts', `GET /healthz HTTP/1.1\r\n${host}${host}\r\n`, 400],
    ['a bare line feed', `GET /healthz HTTP/1.1\n${host}\n`, 400],
    ['a long head', `GET /healthz HTTP/1.1\r\n${host}X: ${'a'.repeat(20000)}\r\n\r\n`, 431],
    ['dots', `GET /a/../healthz HTTP/1.1\r\n${host}\r\n`, 400],
    ['a hidden slash', `GET /api%2fv1/kinds HTTP/1.1\r\n${host}\r\n`, 400],
    ['a NUL', `GET /healthz%00 HTTP/1.1\r\n${host}\r\n`, 400],
    ['a body too large', `POST /api/v1/session HTTP/1.1\r\n${host}Content-Type: application/json\r\nContent-Length: 99999999\r\n\r\n`, 413],
    ['a large body of nobody', `POST /api/v1/commands HTTP/1.1\r\n${host}Content-Type: application/json\r\nContent-Length: 900000\r\n\r\n`, 413],
    ['no HTTP', 'hello\r\n\r\n', 400],
  ];
  for (const [what, bytes, status] of table) {
    const out = await rawBytes(s.port, bytes);
    assert.match(out, new RegExp(`^HTTP/1\\.1 ${status} `), what + ': ' + out.slice(0, 60));
    assert.match(out, /application\/problem\+json/, what);
    assert.equal(JSON.parse(out.slice(out.indexOf('\r\n\r\n') + 4)).status, status);
  }
  const smuggled = await rawBytes(s.port, `POST /api/v1/session HTTP/1.1\r\n${host}Content-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
  assert.match(smuggled, /^HTTP\/1\.1 401 /);
});
test('the counts are in the form that Prometheus reads', async () => {
  const r = await s.anyone().call('GET', '/metrics');
  assert.match(r.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
  const seen = new Set(), typed = new Set();
  for (const line of r.body.trimEnd().split('\n')) {
    const help = /^# (HELP|TYPE) (\w+) (.+)$/.exec(line), sample = /^(\w+)(\{\w+="[^"]*"\})? (-?[\d.e+]+)$/.exec(line);
    assert.ok(help || sample, line);
    if (help && help[1] === 'TYPE') typed.add(help[2]);
    if (sample) { assert.ok(typed.has(sample[1]), line); assert.ok(!seen.has(sample[1] + sample[2]), line); seen.add(sample[1] + sample[2]); }
  }
  assert.ok(typed.has('lianfang_writer_commands_total') && r.body.includes('lianfang_http_responses_total{class="2xx"}'));
});
test('it tells that it is well', async () => {
  const r = await s.anyone().call('GET', '/healthz');
  assert.equal(r.status, 200);
  assert.equal(r.body.status, 'ok');
});
test('with TLS the cookie is for TLS only, and browsers are told to stay there', async () => {
  await s.stop();
  await s.start({}, ['--tls']);
  const answer = await new Promise((done, failed) => {
    const body = JSON.stringify({ login: 'admin', password: PASSWORD });
    const q = request(s.url + '/api/v1/session', { method: 'POST', rejectUnauthorized: false, headers: { 'Content-Type': 'application/json', 'Content-Length': body.length } }, done);
    q.on('error', failed);
    q.end(body);
  });
  assert.equal(answer.statusCode, 200);
  assert.match(answer.headers['set-cookie'][0], /; Secure$/);
  assert.match(answer.headers['strict-transport-security'], /^max-age=\d+$/);
  answer.destroy();
});
test('the certificate of the first start is there for the next', async () => {
  const certificate = join(s.site, 'tls.crt'), made = readFileSync(certificate, 'utf8');
  await s.stop();
  await s.start({}, ['--tls']);
  assert.equal(readFileSync(certificate, 'utf8'), made);
});
