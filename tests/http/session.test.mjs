import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PASSWORD, newSite, totp, sleep, cli, uuid, today } from './lib.mjs';

let s;
before(async () => { s = await newSite(); });
after(async () => s.end());

test('the first link sets the password once and signs in', async () => {
  const me = await s.admin.get('session');
  assert.equal(me.user.login, 'admin');
  assert.equal(me.area.code, 'jx');
  assert.equal(me.site.today, today());
  assert.ok(me.may.includes('resident.create') && me.may.includes('user.create'));
  assert.ok(!me.may.includes('gate_scan.update'), 'scans only come');
  const again = await s.anyone().call('POST', 'session/link', { body: { token: s.link, password: PASSWORD } });
  assert.equal(again.status, 410);
  assert.equal(again.body.code, 'GONE');
});
test('a short password is refused and leaves the link good', async () => {
  const link = JSON.parse(cli('user', s.site, 'add', 'short-one', '--role', 'viewer', '--area', 'jx', '--json')).link.split('/').pop();
  const r = await s.anyone().call('POST', 'session/link', { body: { token: link, password: '十一个字不够啊啊啊啊' } });
  assert.equal(r.status, 422);
  assert.equal(r.body.field, 'password');
  assert.equal(r.body.reason, 'PASSWORD_SHORT');
  await s.enter({ token: link, password: PASSWORD }, 'session/link');
});
test('a sign-in link for another account is good once, and only who may change accounts makes one', async () => {
  const account = await s.admin.create('user', { login: 'linked', name: '新同事' });
  const path = `accounts/${account}/link`;
  const { link } = await s.admin.post(path, {});
  const token = /^\/#\/welcome\/([\w-]{43})$/.exec(link)[1];
  const c = await s.enter({ token, password: PASSWORD }, 'session/link');
  assert.equal((await c.get('session')).user.login, 'linked');
  assert.equal((await s.anyone().call('POST', 'session/link', { body: { token, password: PASSWORD } })).status, 410);
  for (const nobody of [uuid(), 'linked', s.areas.c1]) assert.equal((await s.admin.call('POST', `accounts/${nobody}/link`, { body: {} })).status, 404);
  const viewer = await s.loginAs('viewer', 'c3');
  assert.equal((await viewer.call('POST', path, { body: {} })).status, 403);
  await s.admin.cmd('user.remove', { record: account, data: {} });
  assert.equal((await s.admin.call('POST', path, { body: {} })).status, 404);
});
test('the cookie is out of reach of scripts and of other sites', async () => {
  const res = await s.anyone().raw('POST', '/api/v1/session', { body: { login: 'admin', password: PASSWORD } });
  const cookie = res.headers.get('set-cookie');
  assert.match(cookie, /^lf_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/);
  assert.equal(res.headers.get('cache-control'), 'no-store');
});
test('who is not signed in gets 401 in his language', async () => {
  const zh = await s.anyone().call('GET', 'session', { lang: 'zh-CN,zh;q=0.9' });
  assert.equal(zh.status, 401);
  assert.equal(zh.body.code, 'UNAUTHENTICATED');
  assert.equal(zh.body.detail, '登录已失效，请重新登录');
  assert.match(zh.headers.get('content-type'), /^application\/problem\+json/);
  assert.equal(zh.body.request_id, zh.headers.get('x-request-id'));
  assert.match((await s.anyone().call('GET', 'session', { lang: 'zh-TW' })).body.detail, /登錄|登入/);
  assert.match((await s.anyone().call('GET', 'session?lang=en', { lang: 'zh-CN' })).body.detail, /sign in/);
  for (const cookie of ['lf_session=', 'lf_session=xx', 'lf_session=' + 'A'.repeat(43), 'lf_session=' + '%00'.repeat(14)])
    assert.equal((await s.anyone().call('GET', 'session', { headers: { Cookie: cookie } })).status, 401);
});
test('changes need the anti-forgery token, reading does not', async () => {
  for (const token of [null, '', 'wrong', s.admin.csrf + 'x']) {
    const r = await s.admin.call('POST', 'commands', { body: { id: uuid(), command: 'area.create', data: {} }, headers: { 'X-CSRF-Token': token } });
    assert.equal(r.status, 403, String(token));
    assert.equal(r.body.reason, 'CSRF');
  }
  assert.equal((await s.admin.call('GET', 'session', { headers: { 'X-CSRF-Token': null } })).status, 200);
});
test('an API token needs no anti-forgery token', async () => {
  const { Client } = await import('./lib.mjs');
  const token = JSON.parse(cli('user', s.site, 'token', 'admin', '--json')).token;
  const program = new Client(s, '', '', token);
  await program.create('household', { code: 'H-token' }, 'b1');
  assert.equal((await new Client(s, '', '', token.slice(1) + 'A').call('GET', 'session')).status, 401);
});
test('a form of another site cannot sign anybody in', async () => {
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', null]) {
    const r = await s.anyone().call('POST', 'session', { body: new TextEncoder().encode(JSON.stringify({ login: 'admin', password: PASSWORD })), type });
    assert.equal(r.status, 415, String(type));
  }
});
test('signing out ends the session at once', async () => {
  const c = await s.enter({ login: 'admin', password: PASSWORD });
  await c.get('session');
  const out = await c.call('DELETE', 'session');
  assert.equal(out.status, 204);
  assert.match(out.headers.get('set-cookie'), /Max-Age=0/);
  assert.equal((await c.call('GET', 'session')).status, 401);
});
test('a new password keeps this session and ends the others', async () => {
  const a = await s.loginAs('viewer', 'c2'), b = await s.enter({ login: 'viewer-c2', password: PASSWORD });
  let r = await a.call('POST', 'session/password', { body: { password: 'not this one at all', new: PASSWORD + '2' } });
  assert.equal(r.status, 422);
  assert.equal(r.body.field, 'password');
  r = await a.call('POST', 'session/password', { body: { password: PASSWORD, new: 'short' } });
  assert.equal(r.status, 422);
  assert.equal(r.body.field, 'new');
  await a.post('session/password', { password: PASSWORD, new: PASSWORD + '2' });
  await a.get('session');
  assert.equal((await b.call('GET', 'session')).status, 401);
  assert.equal((await s.anyone().call('POST', 'session', { body: { login: 'viewer-c2', password: PASSWORD } })).status, 401);
  await s.enter({ login: 'viewer-c2', password: PASSWORD + '2' });
});
test('the second factor is asked for, and each code is good once', async () => {
  const c = await s.loginAs('viewer', 'c1');
  const { secret, uri } = await c.post('session/totp', {});
  assert.match(uri, new RegExp(`^otpauth://totp/.*secret=${secret}`));
  const wrong = await c.call('POST', 'session/totp', { body: { code: '000000' } });
  assert.equal(wrong.status, 422);
  await c.post('session/totp', { code: totp(secret) });
  assert.equal((await c.get('session')).user.totp, true);
  const without = await s.anyone().call('POST', 'session', { body: { login: 'viewer-c1', password: PASSWORD } });
  assert.equal(without.status, 401);
  assert.equal(without.body.hint, 'code');
  const used = await s.anyone().call('POST', 'session', { body: { login: 'viewer-c1', password: PASSWORD, code: totp(secret) } });
  assert.equal(used.status, 401, 'the code that turned it on is used');
  assert.equal(used.body.hint, undefined);
  await s.enter({ login: 'viewer-c1', password: PASSWORD, code: totp(secret, Date.now() + 30000) });
});
test('the members of the body are checked', async () => {
  for (const [body, status, field] of [['{', 400], ['[]', 400], [{ login: 'admin' }, 422, 'password'], [{ login: 1, password: 'x' }, 422, 'login'], [{ login: 'a', password: 'b', extra: 1 }, 422, 'extra']]) {
    const r = await s.anyone().call('POST', 'session', { body });
    assert.equal(r.status, status, JSON.stringify(body));
    assert.equal(r.body.field, field);
  }
});
test('an account that is switched off is out at once', async () => {
  const c = await s.loginAs('gate', 'c1');
  const me = await c.get('session');
  await s.admin.cmd('user.update', { record: me.user.id, data: { active: false } });
  assert.equal((await c.call('GET', 'session')).status, 401);
  assert.equal((await s.anyone().call('POST', 'session', { body: { login: 'gate-c1', password: PASSWORD } })).status, 401);
});
test('too many wrong passwords make everybody at that address wait', async () => {
  const c = await s.loginAs('viewer', 't2');
  await c.get('session');
  let r;
  for (let i = 0; i < 12; i++) {
    r = await s.anyone().call('POST', 'session', { body: { login: 'viewer-t2', password: 'wrong ' + i } });
    if (r.status === 429) break;
    assert.equal(r.status, 401);
    assert.equal(r.body.reason, 'LOGIN');
  }
  assert.equal(r.status, 429);
  assert.equal(r.body.code, 'THROTTLED');
  assert.ok(Number(r.headers.get('retry-after')) >= 1);
  await c.get('session');
  await sleep(Number(r.headers.get('retry-after')) * 1000 + 1100);
  await s.enter({ login: 'viewer-t2', password: PASSWORD });
});
