/* The gate page on a phone, against the program itself: a site of its own, which is stopped and started for real. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { PASSWORD as SITE_PASSWORD, newSite } from '../http/lib.mjs';
import { axeField, codeFilm, codeRows, finish, openPhone } from './helper.mjs';

const broken = /Failed to load resource|net::ERR/;
const web = fileURLToPath(new URL('../../web/', import.meta.url));
const LOGIN = 'gate-q1';
let site, admin, dirs = [];

before(async () => {
  site = await newSite();
  admin = site.admin;
  await admin.create('gate', { name: '古城小区东门', kind_of: 'quarter_gate', code: 'G1' }, 'q1');
  await admin.create('gate', { name: '古城小区西门', kind_of: 'quarter_gate', code: 'G2' }, 'q1');
  await admin.create('gate', { name: '河西村口', kind_of: 'village_road', code: 'G3' }, 'c3');
  for (let i = 1; i <= 4; i++) await admin.create('household', { code: 'H' + i, door: String(100 + i) }, 'b1');
  await admin.create('household', { code: 'F1', door: '9' }, 'c3');
  await site.loginAs('gate', 'q1');
  await site.loginAs('gate', 'c1');
  await issue('H1');
});
after(async () => { await site?.end(); });
afterEach(() => { for (const d of dirs.splice(0)) rmSync(d, { recursive: true, force: true, maxRetries: 5 }); });

const issue = (household, more = {}) => admin.create('pass', { kind_of: 'household', household, ...more });
const codeOf = async (id) => (await admin.call('GET', `passes/${id}/qr`)).body;
const numberOf = async (id) => (await admin.get('pass/' + id)).data.number;
const scans = async () => (await admin.get('gate_scan?limit=500')).records.map((r) => r.data);
const folder = () => { const d = mkdtempSync(join(tmpdir(), 'lf-phone-')); dirs.push(d); return d; };
const restart = () => site.start({}, [], site.port);

async function phoneAtGate(o = {}) {
  const page = await openPhone(site, { dir: folder(), stub: !o.video, ...o });
  await page.fill('#f-login', LOGIN);
  await page.fill('#f-password', SITE_PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: /古城小区东门/ }).click();
  await page.getByRole('button', { name: '扫出入证' }).waitFor();
  return page;
}
async function uploaded(page) {
  await page.locator('.told .note').waitFor();
  await page.getByText('全部已上传').waitFor({ timeout: 45000 });
}
async function show(page, text) {
  await page.evaluate((r) => window.showCode(r), codeRows(text));
  await page.getByRole('button', { name: '扫出入证' }).click();
  await page.locator('.verdict h1').waitFor({ timeout: 45000 });
  return page.locator('.verdict h1').innerText();
}
/* The keys, the lists and the program are on the phone.  Asked again and again from here: waitForFunction takes a promise for a yes. */
async function packed(page) {
  const whole = () => page.evaluate(async () => {
    const names = await caches.keys();
    if (!names.length || !navigator.serviceWorker.controller) return false;
    const all = await (await caches.open(names[0])).keys();
    const db = await new Promise((done) => { const q = indexedDB.open('lianfang', 1); q.onsuccess = () => done(q.result); });
    const kept = await new Promise((done) => { const q = db.transaction('keep').objectStore('keep').getAllKeys(); q.onsuccess = () => done(q.result); });
    db.close();
    return all.length >= 9 && kept.includes('list.revoked') && kept.includes('list.stay_home') && kept.includes('bundle');
  });
  for (const end = Date.now() + 45000; !await whole(); await page.waitForTimeout(100)) assert.ok(Date.now() < end, 'not packed: ' + await held(page));
}
/* The lists and the gate's data that lie on the phone, in words. */
const held = (page) => page.evaluate(async () => {
  const db = await new Promise((done) => { const q = indexedDB.open('lianfang', 1); q.onsuccess = () => done(q.result); });
  const get = (k) => new Promise((done) => { const q = db.transaction('keep').objectStore('keep').get(k); q.onsuccess = () => done(q.result); });
  const [gate, bundle, ...lists] = await Promise.all(['gate', 'bundle', 'list.revoked', 'list.stay_home'].map(get));
  db.close();
  return JSON.stringify({
    gate: gate?.code, data: bundle?.bundle.gate.code, issuer: bundle?.bundle.issuer, at: bundle?.at, ahead: bundle?.ahead, now: Date.now(),
    lists: lists.filter(Boolean).map((l) => [l.kind, l.issuer, l.version, l.made, l.until]), shown: document.querySelector('main').innerText,
  });
});

test('a guard signs in, chooses among the gates of the account, and the phone remembers the gate', async () => {
  const page = await openPhone(site, { dir: folder(), allow: /401/ });
  await page.locator('#f-login').waitFor();
  await axeField(page, 'sign in');
  await page.fill('#f-login', LOGIN);
  await page.fill('#f-password', 'not this one at all');
  await page.keyboard.press('Enter');
  assert.match(await page.locator('.note.red').innerText(), /不对|错误/);
  await page.fill('#f-password', SITE_PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: '选择卡点' }).waitFor();
  await page.locator('.list .item').first().waitFor();
  assert.equal(await page.locator('.list .item').count(), 2, 'the far gate is not offered');
  await axeField(page, 'gates');
  await page.getByRole('button', { name: /古城小区东门/ }).click();
  await page.getByRole('heading', { name: '古城小区东门' }).waitFor();
  await axeField(page, 'home');
  await page.reload();
  await page.getByRole('heading', { name: '古城小区东门' }).waitFor();
  await finish(page);
});

test('a gate chosen while the data of another are still on their way gets its own', async () => {
  const page = await openPhone(site, { dir: folder(), stub: true, workers: 'block', allow: /blocked by Playwright/ });
  let answer;
  const asked = new Promise((begun) => page.route('**/api/v1/gate/bundle*', (r) => {
    begun();
    if (answer) return r.continue();
    return new Promise((done) => { answer = () => done(r.continue()); });
  }));
  await page.fill('#f-login', LOGIN);
  await page.fill('#f-password', SITE_PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: /古城小区东门/ }).click();
  await asked;
  await page.evaluate(() => { location.hash = '/gates'; });
  await page.getByRole('button', { name: /古城小区西门/ }).click();
  await page.getByRole('heading', { name: '古城小区西门' }).waitFor();
  answer();
  await page.locator('.note.amber').waitFor({ state: 'detached', timeout: 45000 });
  await page.waitForFunction(() => document.querySelector('.tile.scan'));
  assert.equal(JSON.parse(await held(page)).data, 'G2');
  await finish(page);
});

test('a person on foot is recorded in two touches, a vehicle in two and its plate', async () => {
  const page = await phoneAtGate(), before = (await scans()).length;
  await page.getByRole('button', { name: '步行人员' }).click();
  await axeField(page, 'person');
  await page.getByRole('button', { name: '放行', exact: true }).click();
  await page.getByText('已登记：步行人员 · 放行').waitFor();
  await page.getByRole('button', { name: '车辆' }).click();
  await page.keyboard.type('晋L1');
  await page.getByRole('button', { name: '放行', exact: true }).click();
  assert.match(await page.locator('#p-hint').innerText(), /车牌号不对/);
  await axeField(page, 'vehicle, wrong plate');
  await page.keyboard.type('234a');
  await page.getByRole('button', { name: '多一人' }).click();
  await page.getByRole('button', { name: '放行', exact: true }).click();
  await uploaded(page);
  const [car, person] = await scans();
  assert.equal((await scans()).length, before + 2);
  assert.deepEqual([person.what, person.persons, person.verdict], ['person', 1, 'pass']);
  assert.deepEqual([car.what, car.persons, car.plate, car.verdict], ['vehicle', 2, '晋L1234A', 'pass']);
  await page.getByRole('button', { name: '车辆' }).click();
  assert.equal(await page.inputValue('#p-plate'), '晋L', 'the last province and city are there already');
  await finish(page);
});

test('three digits are a temperature; a fever goes to the fever clinic, an impossible one is refused at once', async () => {
  const page = await phoneAtGate();
  await page.getByRole('button', { name: '步行人员' }).click();
  await page.getByRole('button', { name: /体温/ }).click();
  for (const d of '561') await page.getByRole('button', { name: d, exact: true }).click();
  await page.locator('.btn.go').click();
  assert.match(await page.locator('.note.red').innerText(), /34 到 43/);
  await page.getByRole('button', { name: '清除' }).click();
  for (const d of '381') await page.getByRole('button', { name: d, exact: true }).click();
  assert.match(await page.locator('.reading').innerText(), /38\.1 °C/);
  assert.match(await page.locator('.note.red').innerText(), /发热/);
  await axeField(page, 'fever');
  await page.getByRole('button', { name: '送发热门诊' }).click();
  await uploaded(page);
  const [s] = await scans();
  assert.deepEqual([s.temperature, s.febrile, s.verdict], [38.1, true, 'fever_clinic']);
  await finish(page);
});

test('a pass is read by the camera and verified by the phone; the same pass again says when it was here', async () => {
  const dir = folder(), id = await issue('H2', { outings: 1, days: 2 }), film = join(dir, 'code.y4m');
  writeFileSync(film, codeFilm(await codeOf(id)));
  const page = await phoneAtGate({ dir: join(dir, 'phone'), video: film });
  await packed(page);
  const asked = [];
  page.on('request', (r) => { if (/gate\/verify/.test(r.url())) asked.push(r.url()); });
  await page.getByRole('button', { name: '扫出入证' }).click();
  await page.locator('.verdict.green').waitFor({ timeout: 45000 });
  assert.equal(await page.locator('.verdict h1').innerText(), '放行');
  assert.match(await page.locator('.facts').innerText(), new RegExp(await numberOf(id)));
  assert.match(await page.locator('.facts').innerText(), /2 天内可外出 1 次/);
  assert.equal(await page.locator('.note.amber').count(), 0, 'keys and lists are fresh');
  await axeField(page, 'verdict valid');
  await page.getByRole('button', { name: '放行', exact: true }).click();
  await uploaded(page);
  assert.equal((await scans())[0].pass, await numberOf(id));
  await page.getByRole('button', { name: '扫出入证' }).click();
  await page.locator('.verdict.green').waitFor({ timeout: 45000 });
  assert.match(await page.locator('.note.amber').innerText(), /同一张证 1 分钟前刚在本卡点登记过/);
  assert.deepEqual(asked, [], 'the server was not asked');
  await finish(page);
});

test('each verdict stands there in words, with what to do next', async () => {
  const revoked = await issue('H3'), home = await issue('H4'), far = await issue('F1'), soon = await issue('H3', { valid_from: new Date(Date.now() + 864e5).toISOString() });
  await admin.cmd('pass.revoke', { record: revoked, data: { reason: '遗失' } });
  await admin.cmd('pass.stay_home', { record: home, data: {} });
  const v = JSON.parse(readFileSync(new URL('../vectors/pass.json', import.meta.url), 'utf8'));
  const page = await phoneAtGate();
  await packed(page);
  const good = await codeOf(await issue('H1'));
  const cases = [[await codeOf(revoked), '已作废'], [await codeOf(home), '应居家'], [await codeOf(far), '不是本区域'], [await codeOf(soon), '尚未生效'],
    ['https://example.org/', '不是出入证'], [good.slice(0, -3), '无法识别'], [v.verify[0].text, '签发方不明'], [good, '放行']];
  for (const [text, said] of cases) {
    assert.equal(await show(page, text), said);
    assert.ok((await page.locator('.verdict p').innerText()).length > 5, 'what to do next');
    if (said !== '放行') await axeField(page, said);
    assert.equal(await page.locator('.btn.go').count(), said === '放行' ? 1 : 0, 'letting pass is offered first only for a valid pass');
    await page.getByRole('button', { name: '返回' }).click();
  }
  await show(page, await codeOf(revoked));
  await page.getByRole('button', { name: '劝返' }).click();
  await uploaded(page);
  assert.deepEqual([(await scans())[0].verdict, (await scans())[0].pass], ['turn_back', await numberOf(revoked)]);
  await finish(page);
});

test('a forged pass is called forged', async () => {
  const { fieldModule } = await import('./helper.mjs'), m = await fieldModule();
  const page = await phoneAtGate();
  await packed(page);
  const { deflateSync, inflateSync } = await import('node:zlib');
  const token = inflateSync(m.base45((await codeOf(await issue('H1'))).slice(4)));
  token[token.length - 70] ^= 1;
  const z = deflateSync(token), alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:';
  let text = 'LF1:';
  for (let i = 0; i < z.length; i += 2) {
    const pair = i + 1 < z.length, n = pair ? z[i] * 256 + z[i + 1] : z[i];
    text += alphabet[n % 45] + alphabet[Math.floor(n / 45) % 45] + (pair ? alphabet[Math.floor(n / 2025)] : '');
  }
  assert.equal(await show(page, text), '伪造');
  await finish(page);
});

test('a number is checked as it is typed, asked of the server, and called unchecked without a line', async () => {
  const id = await issue('H1'), number = await numberOf(id), page = await phoneAtGate({ allow: broken });
  await packed(page);
  await page.getByRole('button', { name: '输入证号' }).click();
  await page.keyboard.type(number.slice(0, -1) + (number.endsWith('A') ? 'B' : 'A'));
  await page.keyboard.press('Enter');
  assert.match(await page.locator('#n-hint').innerText(), /证号不对/);
  await axeField(page, 'number wrong');
  await page.fill('#n-number', number.toLowerCase().replace(/-/g, ''));
  await page.keyboard.press('Enter');
  await page.locator('.verdict.green').waitFor();
  await page.getByRole('button', { name: '返回' }).click();
  await site.stop();
  try {
    await page.getByRole('button', { name: '输入证号' }).click();
    await page.keyboard.type(number);
    await page.keyboard.press('Enter');
    await page.locator('.verdict.amber').waitFor({ timeout: 45000 });
    assert.equal(await page.locator('.verdict h1').innerText(), '未能核实');
  } finally {
    await restart();
  }
  await finish(page);
});

test('with the server stopped five passages are recorded, the phone is switched off and on, and all five arrive exactly once', async () => {
  const dir = folder(), page = await phoneAtGate({ dir, allow: broken }), id = await issue('H2'), text = await codeOf(id), before = (await scans()).length;
  await packed(page);
  await site.stop();
  let again;
  try {
    assert.equal(await show(page, text), '放行', 'the phone verifies alone');
    await page.getByRole('button', { name: '放行', exact: true }).click();
    for (let i = 0; i < 4; i++) {
      await page.getByRole('button', { name: '步行人员' }).click();
      await page.locator('#p-name').fill('断网第' + i + '人');
      await page.getByRole('button', { name: '放行', exact: true }).click();
    }
    await page.getByText('待上传 5').waitFor();
    await page.getByText('没有网络').waitFor();
    await finish(page);
    again = await openPhone(site, { dir, stub: true, allow: broken });
    await again.getByText('待上传 5').waitFor();
    await again.getByRole('button', { name: /待传/ }).click();
    assert.equal(await again.locator('.wait').count(), 5);
    assert.match(await again.locator('.wait').first().innerText(), new RegExp(await again.evaluate(() => '出入证')));
    await axeField(again, 'outbox');
    await again.getByRole('button', { name: '登记', exact: true }).click();
    assert.equal(await show(again, text), '放行', 'and verifies alone after it was switched on');
    await again.locator('.note.amber', { hasText: '同一张证' }).waitFor();
    assert.equal(await again.locator('.note.amber').count(), 1, 'keys and lists are held: ' + await held(again));
    await again.getByRole('button', { name: '返回' }).click();
  } finally {
    await restart();
  }
  await again.getByText('全部已上传').waitFor({ timeout: 45000 });
  const now = await scans();
  assert.equal(now.length, before + 5);
  for (let i = 0; i < 4; i++) assert.equal(now.filter((s) => s.name === `断网第${i}人`).length, 1);
  await finish(again);
});

test('an answer that is lost brings nothing twice', async () => {
  const page = await phoneAtGate({ allow: /Failed to load resource|net::ERR|blocked by Playwright/, workers: 'block' }), before = (await scans()).length;
  let lost = 0;
  await page.route('**/api/v1/commands', async (r) => {
    if (lost++) return r.continue();
    await r.fetch();
    await r.abort();
  });
  await page.getByRole('button', { name: '步行人员' }).click();
  await page.getByRole('button', { name: '放行', exact: true }).click();
  await page.getByText('待上传 1').waitFor();
  await uploaded(page);
  assert.equal((await scans()).length, before + 1);
  await finish(page);
});

test('what the server refuses stays on the phone with the reason in words, until a person sends it again or deletes it', async () => {
  const gone = await admin.create('gate', { name: '临时卡口', kind_of: 'quarter_gate', code: 'G9' }, 'q1');
  const page = await phoneAtGate({ allow: broken });
  await page.getByRole('button', { name: '更多' }).click();
  await axeField(page, 'more');
  await page.getByRole('button', { name: '换卡点' }).click();
  await page.getByRole('button', { name: /临时卡口/ }).click();
  await page.getByRole('heading', { name: '临时卡口' }).waitFor();
  await admin.cmd('gate.remove', { record: gone });
  await page.getByRole('button', { name: '步行人员' }).click();
  await page.getByRole('button', { name: '放行', exact: true }).click();
  await page.getByText('被退回 1').waitFor();
  await page.getByRole('button', { name: /待传/ }).click();
  assert.match(await page.locator('.wait.refused .error').innerText(), /服务器退回.*卡点/);
  await axeField(page, 'outbox refused');
  await page.getByRole('button', { name: '重新上传' }).click();
  await page.getByText('被退回 1').waitFor();
  await page.getByRole('button', { name: '删除', exact: true }).click();
  await page.getByRole('button', { name: '确定删除' }).click();
  await page.getByText('没有待上传的登记').waitFor();
  await finish(page);
});

test('signing out warns of what waits and leaves nothing on the phone', async () => {
  const page = await phoneAtGate({ allow: broken });
  await packed(page);
  await site.stop();
  try {
    await page.getByRole('button', { name: '步行人员' }).click();
    await page.getByRole('button', { name: '放行', exact: true }).click();
    await page.getByText('待上传 1').waitFor();
    await page.getByRole('button', { name: '更多' }).click();
    await page.getByRole('button', { name: '退出登录' }).click();
    assert.match(await page.locator('.foot .note').innerText(), /还有 1 条登记没有上传/);
    await axeField(page, 'signing out');
    await page.getByRole('button', { name: '丢弃并退出' }).click();
    await page.locator('#f-login').waitFor();
  } finally {
    await restart();
  }
  const left = await page.evaluate(async () => {
    const db = await new Promise((done) => { const q = indexedDB.open('lianfang', 1); q.onsuccess = () => done(q.result); });
    const n = await Promise.all(['keep', 'outbox', 'seen'].map((s) => new Promise((done) => { const q = db.transaction(s).objectStore(s).count(); q.onsuccess = () => done(q.result); })));
    return n;
  });
  assert.deepEqual(left, [0, 0, 0]);
  await page.reload();
  await page.locator('#f-login').waitFor();
  assert.equal((await page.evaluate(() => fetch('/api/v1/session').then((r) => r.status))), 401, 'the session ended as soon as the server was there');
  await finish(page);
});

for (const answer of ['a refusal', 'a token that is over']) {
  test(`who signs out while a send is under way leaves nothing that is sent or shown later, though the answer is ${answer}`, async () => {
    const page = await phoneAtGate({ workers: 'block', allow: /blocked by Playwright|403|net::ERR/ }), before = (await scans()).length;
    let sends = 0, reply;
    const begun = new Promise((on) => page.route('**/api/v1/commands', (r) => {
      if (sends++) return r.continue();
      const { id } = JSON.parse(r.request().postData().split('\n')[0]);
      const body = answer === 'a refusal' ? [200, { id, status: 422, detail: '不收' }] : [403, { status: 403, code: 'FORBIDDEN', title: '不允许' }];
      reply = () => r.fulfill({ status: body[0], contentType: 'application/x-ndjson', body: JSON.stringify(body[1]) + '\n' });
      on();
    }));
    await page.getByRole('button', { name: '步行人员' }).click();
    await page.locator('main input').last().fill('赵前人');
    await page.getByRole('button', { name: '放行', exact: true }).click();
    await begun;
    await page.getByText('待上传 1').waitFor();
    await page.getByRole('button', { name: '更多' }).click();
    await page.getByRole('button', { name: '退出登录' }).click();
    await page.getByRole('button', { name: '丢弃并退出' }).click();
    await page.fill('#f-login', 'gate-c1');
    await page.fill('#f-password', SITE_PASSWORD);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: /古城小区东门/ }).click();
    await page.getByRole('button', { name: '扫出入证' }).waitFor();
    await reply();
    /* The next one's own is sent, and it alone. */
    await page.getByRole('button', { name: '步行人员' }).click();
    await page.locator('main input').last().fill('钱后人');
    await page.getByRole('button', { name: '放行', exact: true }).click();
    await uploaded(page);
    const all = await scans(), added = all.slice(0, all.length - before).map((d) => d.name);
    assert.deepEqual(added, ['钱后人']);
    await page.getByRole('button', { name: '待传' }).click();
    await page.getByText('没有待上传的登记').waitFor();
    assert.doesNotMatch(await page.locator('body').innerText(), /赵前人|不收|退回/);
    await page.getByRole('button', { name: '更多' }).click();
    await page.getByText('gate-c1').waitFor();
    await finish(page);
  });
}

test('lists and keys that are out of date are said beside the verdict', async () => {
  const page = await phoneAtGate({ allow: broken }), text = await codeOf(await issue('H1'));
  await packed(page);
  await site.stop();
  try {
    await page.evaluate(async () => {
      const db = await new Promise((done) => { const q = indexedDB.open('lianfang', 1); q.onsuccess = () => done(q.result); });
      const tx = db.transaction('keep', 'readwrite'), keep = tx.objectStore('keep');
      const get = (k) => new Promise((done) => { const q = keep.get(k); q.onsuccess = () => done(q.result); });
      const list = await get('list.revoked');
      keep.put({ ...list, until: Math.floor(Date.now() / 1000) - 60 }, 'list.revoked');
      const bundle = await get('bundle');
      keep.put({ ...bundle, at: bundle.at - 30 * 3600000 }, 'bundle');
      await new Promise((done) => { tx.oncomplete = done; });
      db.close();
    });
    await page.reload();
    await page.getByText('验证数据是 30 小时前的').waitFor();
    assert.equal(await show(page, text), '放行');
    assert.match(await page.locator('.note.amber').innerText(), /名单已过期/);
  } finally {
    await restart();
  }
  await finish(page);
});

test('a passage is recorded with the keyboard alone', async () => {
  const page = await phoneAtGate();
  await page.locator('.tile.scan').focus();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'p-plate');
  await page.keyboard.type('晋A12345');
  await page.keyboard.press('Enter');
  await uploaded(page);
  assert.equal((await scans())[0].plate, '晋A12345');
  await finish(page);
});

test('at 360 pixels nothing is wider than the screen, in each language', async () => {
  const page = await phoneAtGate({ viewport: { width: 360, height: 640 } });
  const fits = async (name) => assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= 360), name);
  for (const lang of ['简体中文', '繁體中文', 'EN English']) {
    for (const to of ['home', 'vehicle', 'person', 'number', 'scan', 'outbox', 'gates', 'more']) {
      await page.evaluate((t) => { location.hash = '/' + t; }, to);
      await page.waitForTimeout(120);
      await fits(to + ' ' + lang);
      if (to === 'person') await page.locator('.temp .item').click().then(() => fits('pad'));
    }
    const next = { 简体中文: 'zh-Hant', 繁體中文: 'en', 'EN English': 'zh-Hans' }[lang];
    await page.locator('select.langs').selectOption(next);
    await page.waitForTimeout(150);
  }
  await finish(page);
});

test('the first load weighs at most 45 KB gzipped, and the camera reader comes only with the camera', async (t) => {
  const page = await openPhone(site, { dir: folder(), stub: true, workers: 'block', allow: /blocked by Playwright/ }), files = new Set();
  page.on('request', (r) => files.add(new URL(r.url()).pathname));
  await page.reload();
  await page.locator('#f-login').waitFor();
  const ours = [...files].filter((f) => !f.startsWith('/api/')).map((f) => [f, gzipSync(readFileSync(web + 'dist' + f), { level: 9 }).length]);
  const sum = ours.reduce((a, [, n]) => a + n, 0);
  t.diagnostic(`${ours.length} files, ${(sum / 1000).toFixed(1)} KB gzipped`);
  assert.ok(ours.length >= 4 && sum <= 45000, ours.map(([f, n]) => `${n} ${f}`).join('\n'));
  assert.ok(!ours.some(([f]) => /zxing|verify/.test(f)));
  await finish(page);
});

test('the field page has no inline script or style, and every text it asks for in both languages', () => {
  assert.doesNotMatch(readFileSync(web + 'dist/field.html', 'utf8'), /<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/i);
  const zh = JSON.parse(readFileSync(web + 'src/lang/field.zh-Hans.json', 'utf8')), en = JSON.parse(readFileSync(web + 'src/lang/field.en.json', 'utf8'));
  assert.deepEqual(Object.keys(zh), Object.keys(en));
  const args = (s) => [...new Set(s.match(/\{\w+\}/g) || [])].sort();
  for (const k of Object.keys(zh)) assert.deepEqual(args(zh[k]), args(en[k]), k);
  for (const d of ['src/field/', 'src/field/parts/']) {
    for (const f of readdirSync(web + d).filter((x) => /\.(ts|vue)$/.test(x))) {
      for (const m of readFileSync(web + d + f, 'utf8').matchAll(/\bt\('([\w.]+\w)'/g)) assert.ok(m[1] in zh, `${f}: ${m[1]}`);
    }
  }
});
