/* A day at the desk.  Runs against the product and against the mock alike: every record it needs it makes itself. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, afterEach, before, test } from 'node:test';
import { closePages, finish, openPage, phone, real, settled, startBrowser, startServer } from './helper.mjs';

let server, browser;
before(async () => { server = await startServer(); browser = await startBrowser(); });
afterEach(closePages);
after(async () => { await browser?.close(); server?.close(); });

const stamp = Date.now().toString(36).toUpperCase().slice(-6);
const household = 'T' + stamp;
async function pickAreaByKeyboard(page) {
  await page.locator('#f-area').focus();
  await page.keyboard.press('Enter');
  await page.locator('.areapick .panel .leaf').first().waitFor();
  await page.locator('.areapick .panel .leaf').first().focus();
  await page.keyboard.press('Enter');
}

test('a household is added, found again, changed, and its history tells what changed', async () => {
  const page = await openPage(browser, server, { shared: true, at: '/k/household/new' });
  await page.locator('#f-code').fill(household);
  await page.locator('#f-door').fill('1 号楼 101 室');
  await pickAreaByKeyboard(page);
  await page.locator('.recform button[type=submit]').click();
  await page.locator('.el-drawer dl.facts').waitFor();
  assert.match(await page.locator('.el-drawer.rtl').innerText(), new RegExp(household));
  await page.getByRole('button', { name: '修改', exact: true }).click();
  await page.locator('#f-door').fill('2 号楼 202 室');
  await page.locator('.recform button[type=submit]').click();
  await page.locator('.hist').waitFor();
  await page.waitForFunction(() => document.querySelectorAll('.hist > li').length >= 2);
  assert.match(await page.locator('.el-drawer dl.facts').innerText(), /2 号楼 202/);
  await page.keyboard.press('Escape');
  await page.locator('main input[type=search]').first().fill(household);
  await page.waitForFunction((h) => document.querySelectorAll('main tbody tr').length === 1 && document.body.innerText.includes(h), household);
  await finish(page);
});

test('a resident is added with the keyboard alone, and wrong values are named at their fields', async () => {
  const page = await openPage(browser, server, { shared: true, at: '/k/resident' });
  await settled(page);
  await page.getByRole('button', { name: '新增居民' }).first().focus();
  await page.keyboard.press('Enter');
  await page.locator('#f-name').waitFor();
  await page.locator('#f-id_number').focus();
  await page.keyboard.type('141028194001010019');
  await page.keyboard.press('Tab');
  assert.match(await page.locator('#f-id_number-error').innerText(), /校验位/);
  await page.locator('.recform button[type=submit]').focus();
  await page.keyboard.press('Enter');
  await page.locator('#f-name-error').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'f-name', 'the first wrong field has the focus');
  await page.keyboard.type('测试' + stamp);
  await page.locator('#f-id_number').focus();
  await page.keyboard.press('Control+A');
  await page.keyboard.type('11010519491231002X');
  await page.locator('#f-household').focus();
  await page.keyboard.type(household, { delay: 20 });
  await page.locator('.el-select-dropdown__item:visible').first().waitFor();
  await page.keyboard.press('Enter');
  await page.locator('.recform button[type=submit]').focus();
  await page.keyboard.press('Enter');
  await page.locator('.el-drawer dl.facts').waitFor();
  const text = await page.locator('.el-drawer.rtl').innerText();
  assert.match(text, /\*{4}/, 'the identity number is masked');
  assert.doesNotMatch(text, /11010519491231002X/);
  await finish(page);
});

test('sealed fields open for a reason, and the history says who looked and why', async () => {
  const page = await openPage(browser, server, { shared: true, at: '/search?q=' + encodeURIComponent('测试' + stamp) });
  await page.locator('main .short a').first().click();
  await page.getByRole('button', { name: '查看加密内容' }).click();
  await page.locator('#o-reason').fill('核');
  await page.keyboard.press('Enter');
  await page.locator('#o-error').waitFor();
  await page.locator('#o-reason').fill('电话通知复诊');
  await page.keyboard.press('Enter');
  await page.getByText('11010519491231002X').waitFor();
  await page.getByRole('button', { name: '关闭', exact: true }).click();
  await page.locator('.hist', { hasText: '电话通知复诊' }).waitFor();
  await finish(page);
});

test('leaving a form with unsaved content asks first, and removing a record takes it off the list', async () => {
  const page = await openPage(browser, server, { shared: true, at: '/search?q=' + household });
  await page.locator('main .short a').first().click();
  await page.getByRole('button', { name: '修改', exact: true }).click();
  await page.locator('#f-door').fill('没有保存的内容');
  await page.keyboard.press('Escape');
  await page.getByText('放弃未保存的修改').waitFor();
  await page.getByRole('button', { name: '放弃修改' }).click();
  await page.locator('.el-drawer dl.facts').waitFor({ state: 'detached' });
  await page.goto(server.url + '/#/k/organisation/new');
  await page.locator('#f-name').fill('临时支部' + stamp);
  await page.locator('#f-type').selectOption({ index: 1 });
  await page.locator('.recform button[type=submit]').click();
  await page.locator('.el-drawer dl.facts').waitFor();
  await page.getByRole('button', { name: '删除', exact: true }).click();
  await page.getByRole('dialog', { name: '删除这条记录' }).getByRole('button', { name: '删除', exact: true }).click();
  await page.locator('.el-drawer dl.facts').waitFor({ state: 'detached' });
  await page.locator('main input[type=search]').first().fill('临时支部' + stamp);
  await page.getByText('没有符合条件的').waitFor();
  await finish(page);
});

test('a file is tried first, then imported, and the refused rows can be downloaded', async () => {
  const page = await openPage(browser, server, { shared: true, at: '/k/gate' });
  await settled(page);
  await page.getByRole('button', { name: '导入', exact: true }).click();
  const rows = `卡点名称,编号,卡点类型\n东门${stamp},I${stamp}1,火车站\n西门${stamp},I${stamp}2,火车站\n没有类型的卡点,I${stamp}3,\n`;
  await page.setInputFiles('#i-file', { name: 'gates.csv', mimeType: 'text/csv', buffer: Buffer.from(rows) });
  await page.getByText('试读结果').waitFor();
  await page.getByRole('button', { name: /正式导入 2 条/ }).click();
  const link = page.getByRole('link', { name: '下载退回的行' });
  await link.waitFor();
  const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
  assert.match(readFileSync(await download.path(), 'utf8'), /没有类型的卡点/);
  await page.getByRole('button', { name: '关闭', exact: true }).click();
  await page.locator('main input[type=search]').first().fill(`I${stamp}1`);
  await page.waitForFunction(() => document.querySelectorAll('main tbody tr').length === 1);
  await finish(page);
});

test('a case entered elsewhere reaches the open dashboard by itself, and its figure shows the record behind it', async () => {
  const page = await openPage(browser, server, { shared: true });
  await settled(page);
  await page.locator('.chip.live.green').waitFor();
  const card = page.locator('.fig', { hasText: '累计确诊' }).locator('.v');
  const before = Number((await card.innerText()).replace(/\D/g, '')) || 0;
  const other = await openPage(browser, server, { at: '/k/case/new' });
  await other.locator('#f-name').fill('测例' + stamp);
  const today = (await (await other.request.get(server.url + '/api/v1/session')).json()).site.today;
  const kinds = (await (await other.request.get(server.url + '/api/v1/kinds?lang=zh-Hans')).json()).kinds;
  for (const f of kinds.find((k) => k.name === 'case').fields.filter((x) => !x.read_only && (x.required || /^(confirmed_at|confirmed_on|classification)$/.test(x.name)))) {
    const at = other.locator('#f-' + f.name);
    if (f.type === 'date') { await at.fill(today); await at.press('Enter'); }
    else if (f.type === 'time') { await at.fill(today + ' 00:00'); await at.press('Enter'); }
    else if (f.type === 'code') {
      const c = f.codes.find((x) => x.value === 'confirmed') || f.codes[0];
      if (f.codes.length > 5) await at.selectOption(c.value);
      else await at.getByRole('radio', { name: c.label, exact: true }).check();
    }
  }
  await pickAreaByKeyboard(other);
  await other.locator('.recform button[type=submit]').click();
  await other.locator('.el-drawer dl.facts').waitFor();
  await page.waitForFunction((n) => Number([...document.querySelectorAll('.fig')].find((x) => x.innerText.includes('累计确诊')).querySelector('.v').innerText.replace(/\D/g, '')) === n + 1, before, { timeout: 45000 });
  await page.locator('.fig', { hasText: '新增确诊' }).click();
  await page.locator('.el-drawer .short li', { hasText: '测' }).first().waitFor();
  await finish(page);
  await finish(other);
});

test('the curve has a table beside it and is saved as CSV and PNG', async () => {
  const page = await openPage(browser, server, { shared: true });
  await settled(page);
  const [csv] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: '存为 CSV' }).click()]);
  const rows = readFileSync(await csv.path(), 'utf8').trim().split('\r\n');
  assert.equal(rows.length, 61, 'a heading and 60 days');
  const [png] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: '存为 PNG' }).click()]);
  assert.equal(readFileSync(await png.path()).subarray(1, 4).toString(), 'PNG');
  await page.getByRole('button', { name: '表', exact: true }).click();
  assert.equal(await page.locator('.scroll.tall tbody tr').count() >= 60, true);
  await finish(page);
});

test('the proposal is shown before it is applied, and applied only after a confirmation', async () => {
  const page = await openPage(browser, server, { shared: true, at: '/coverage' });
  await settled(page);
  await page.getByRole('button', { name: '计算方案' }).click();
  await page.locator('table.ba').waitFor();
  const apply = page.getByRole('button', { name: '执行方案' });
  if (await apply.count()) {
    await apply.click();
    await page.getByRole('dialog', { name: '执行方案' }).getByRole('button', { name: '执行方案' }).click();
    await page.getByText(/已重新分配/).waitFor();
  }
  await finish(page);
});

test('the bulletin is read, each figure opens its rows, and issuing keeps a version', async () => {
  const page = await openPage(browser, server, { shared: true, at: '/bulletin' });
  await settled(page);
  await page.locator('.sheet h2').waitFor();
  await page.locator('main td .linkish').first().click();
  await page.locator('.el-drawer .bigger').waitFor();
  await page.keyboard.press('Escape');
  const had = await page.locator('main .short li').count();
  await page.getByRole('button', { name: '发布通报' }).click();
  await page.getByRole('dialog', { name: '发布通报' }).getByRole('button', { name: '发布通报' }).click();
  await page.waitForFunction((n) => document.querySelectorAll('main .short li').length > n, had);
  await finish(page);
});

/* What the pages have no form for is made through the interface, by the page's own session. */
async function command(page, name, body) {
  const me = await (await page.request.get(server.url + '/api/v1/session')).json();
  const res = await page.request.post(server.url + '/api/v1/commands', { headers: { 'X-CSRF-Token': me.csrf }, data: { id: uuidv7(), command: name, ...body } });
  assert.equal(res.status(), 200, await res.text());
  return (await res.json()).record;
}
const uuidv7 = () => (Date.now().toString(16).padStart(12, '0') + '7' + randomBytes(10).toString('hex').slice(0, 3) + '8' + randomBytes(10).toString('hex').slice(0, 15)).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
const topArea = async (page) => (await (await page.request.get(server.url + '/api/v1/session')).json()).area.code;
async function act(page, button, dialog = button) {
  await page.locator('.el-drawer').getByRole('button', { name: button, exact: true }).click();
  const d = page.getByRole('dialog', { name: new RegExp('^' + dialog) });
  await d.waitFor();
  return d;
}

test('a suspected case is confirmed, transferred and closed, each offered when it fits', async () => {
  const page = await openPage(browser, server, { shared: true });
  await settled(page);
  const id = await command(page, 'case.create', { area: await topArea(page), data: { name: '步骤' + stamp, classification: 'suspected' } });
  await page.goto(server.url + '/#/k/case/' + id);
  await page.locator('.el-drawer dl.facts').waitFor();
  assert.equal(await page.getByRole('button', { name: '结案', exact: true }).count(), 0, 'a suspected case is not closed');
  let d = await act(page, '确诊');
  await d.getByRole('button', { name: '确诊', exact: true }).click();
  await page.getByRole('button', { name: '结案', exact: true }).waitFor();
  assert.equal(await page.getByRole('button', { name: '排除', exact: true }).count(), 0);
  d = await act(page, '转院');
  await d.getByRole('button', { name: '转院', exact: true }).click();
  assert.match(await page.locator('#s-to-error').innerText(), /必填/);
  await page.locator('#s-to').fill('市传染病医院');
  await page.keyboard.press('Enter');
  await page.locator('dl.facts', { hasText: '市传染病医院' }).waitFor();
  await d.waitFor({ state: 'detached' });
  d = await act(page, '结案');
  assert.equal(await d.getByText('在治', { exact: true }).count(), 0, 'staying in treatment is no outcome');
  await d.getByRole('radio', { name: '治愈' }).check();
  await d.getByRole('button', { name: '结案', exact: true }).click();
  await page.locator('dl.facts', { hasText: '治愈' }).waitFor();
  await page.waitForFunction(() => document.querySelectorAll('.hist > li').length >= 4);
  assert.equal(await page.getByRole('button', { name: '转院', exact: true }).count(), 0);
  await finish(page);
});

test('a household gets a member by search, and nobody again', async () => {
  const page = await openPage(browser, server, { shared: true });
  await settled(page);
  const area = await topArea(page), member = '责任' + stamp;
  await command(page, 'member.create', { area, data: { name: member } });
  const id = await command(page, 'household.create', { area, data: { code: 'A' + stamp, door: '3 号楼 301 室' } });
  await page.goto(server.url + '/#/k/household/' + id);
  await page.locator('.el-drawer dl.facts').waitFor();
  let d = await act(page, '指定包联责任人');
  await page.locator('#s-member').click();
  await page.keyboard.type(member, { delay: 20 });
  await page.locator('.el-select-dropdown__item:visible', { hasText: member }).waitFor();
  await page.keyboard.press('Enter');
  await d.getByRole('button', { name: '指定包联责任人' }).click();
  await page.locator('dl.facts a', { hasText: member }).waitFor();
  await d.waitFor({ state: 'detached' });
  d = await act(page, '指定包联责任人');
  await d.getByRole('radio', { name: '暂无人' }).check();
  await d.getByRole('button', { name: '指定包联责任人' }).click();
  await page.locator('dl.facts a', { hasText: member }).waitFor({ state: 'detached' });
  await finish(page);
});

test('a row beside a record is opened for a reason, compared field by field, merged, and the merge undone', async () => {
  const page = await openPage(browser, server, { shared: true });
  await settled(page);
  const area = await topArea(page), name = '重复' + stamp;
  const a = await command(page, 'resident.create', { area, data: { name, gender: 'female', phone: '13812345678' } });
  const id = await command(page, 'duplicate.create', { area, data: { kind: 'resident', record_a: a, reason: 'phone', file: '登记表.csv', file_row: 5, likeness: 0.9, state: 'open',
    candidate: JSON.stringify({ name, gender: 'male', phone: '13812345678', workplace: '县医院' + stamp }) } });
  await page.goto(server.url + '/#/k/duplicate/' + id);
  const twins = page.locator('.twins');
  await twins.getByText('登记表.csv 第 5 行').waitFor();
  assert.equal(await twins.locator('thead a').getAttribute('href'), '#/k/resident/' + a);
  assert.doesNotMatch(await page.locator('.el-drawer.rtl').innerText(), /13812345678|\{/, 'sealed until opened');
  await twins.getByRole('button', { name: '查看新行内容' }).click();
  await page.locator('#o-reason').fill('核对重复登记');
  await page.keyboard.press('Enter');
  await twins.getByText('1 项不同').waitFor();
  const line = (label) => twins.locator('tbody tr').filter({ has: page.getByRole('rowheader', { name: label, exact: true }) }).innerText();
  assert.match(await line('性别'), /女[\s\S]*男[\s\S]*不同/);
  assert.match(await line('手机号'), /138\*{4}5678[\s\S]*13812345678[\s\S]*可见部分相同/);
  assert.match(await line('工作单位'), new RegExp(`县医院${stamp}[\\s\\S]*可补上`));
  await page.locator('.hist', { hasText: '核对重复登记' }).waitFor();
  let d = await act(page, '合并');
  await d.getByRole('button', { name: '合并', exact: true }).click();
  await page.getByRole('button', { name: '撤销处理' }).waitFor();
  await d.waitFor({ state: 'detached' });
  assert.match(await line('性别'), /男[\s\S]*男/);
  assert.equal(await page.getByRole('button', { name: '合并', exact: true }).count(), 0);
  d = await act(page, '撤销处理');
  await d.getByRole('button', { name: '撤销处理' }).click();
  await page.getByRole('button', { name: '分别保留' }).waitFor();
  await d.waitFor({ state: 'detached' });
  assert.match(await line('性别'), /女[\s\S]*男[\s\S]*不同/);
  d = await act(page, '分别保留');
  await d.getByRole('button', { name: '分别保留' }).click();
  await page.getByRole('button', { name: '撤销处理' }).waitFor();
  await page.goto(server.url + '/#/k/resident?q=' + encodeURIComponent(name));
  await page.waitForFunction(() => document.querySelectorAll('main tbody tr').length === 2);
  await finish(page);
});

test('what only commands and imports make has no blank form', async () => {
  const page = await openPage(browser, server, { shared: true, at: '/k/bulletin' });
  await settled(page);
  assert.equal(await page.getByRole('button', { name: /新增|导入/ }).count(), 0);
  await page.getByRole('link', { name: /到“通报”页发布/ }).click();
  await page.getByRole('button', { name: '发布通报' }).waitFor();
  await page.goto(server.url + '/#/k/duplicate');
  await settled(page);
  assert.equal(await page.getByRole('button', { name: /新增|导入/ }).count(), 0);
  await finish(page);
});

test('a sign-in link is issued, shown once, and lets its holder in', async () => {
  const page = await openPage(browser, server, { shared: true });
  await settled(page);
  const id = await command(page, 'user.create', { data: { login: 'u' + stamp.toLowerCase(), name: '同事' + stamp } });
  await command(page, 'user_role.create', { area: await topArea(page), data: { account: id, role: 'headquarters' } });
  await page.goto(server.url + '/#/k/user/' + id);
  await page.locator('.el-drawer dl.facts').waitFor();
  await page.locator('.el-drawer').getByRole('button', { name: '发放登录链接' }).click();
  await page.getByRole('button', { name: '生成链接' }).click();
  await page.locator('#l-address').waitFor();
  const address = await page.locator('#l-address').inputValue();
  assert.ok(address.startsWith(server.url + '/#/welcome/'), address);
  await page.getByRole('button', { name: '复制', exact: true }).click();
  await page.getByText('已复制').waitFor();
  await page.getByRole('dialog', { name: /发放登录链接/ }).getByRole('button', { name: '关闭', exact: true }).click();
  await page.locator('#l-address').waitFor({ state: 'detached' });
  assert.ok(!(await page.content()).includes(address.split('/').pop()), 'shown once');
  const other = await openPage(browser, server, { signedIn: false, at: address.split('#')[1] });
  await other.fill('#w-password', 'four words for a colleague');
  await other.fill('#w-twice', 'four words for a colleague');
  await other.keyboard.press('Enter');
  await other.locator('nav.nav').first().waitFor({ state: 'attached' });
  await settled(other);
  await finish(other);
  await finish(page);
});

test('a place in a table is told by its last three names, with the whole chain behind it', async () => {
  const page = await openPage(browser, server, { shared: true });
  await settled(page);
  let place = '141028100' + '00' + '01', last = ['吉昌镇', '新华社区', '第 1 网格'];
  if (real) {
    last = ['镇', '社区', '小区'].map((n) => n + stamp);
    place = (await (await page.request.get(server.url + '/api/v1/session')).json()).area.id;
    for (const [n, level] of ['township', 'community', 'quarter'].entries())
      place = await command(page, 'area.create', { data: { name: last[n], code: level[0] + stamp, level, parent: place } });
  }
  await command(page, 'household.create', { area: place, data: { code: 'P' + stamp, door: '101' } });
  await page.goto(server.url + '/#/k/household?q=P' + stamp);
  const cell = page.locator('main tbody td.place');
  await page.waitForFunction(() => document.querySelectorAll('main tbody tr').length === 1);
  assert.equal(await cell.innerText(), last.join(' › '));
  assert.match(await cell.getAttribute('title'), new RegExp('^.+ › ' + last.join(' › ') + '$'));
  await finish(page);
});

test('the language is switched, remembered, and sent to the server', async () => {
  const page = await openPage(browser, server);
  await settled(page);
  const [asked] = await Promise.all([page.waitForRequest((r) => r.url().includes('/api/v1/kinds')), page.getByRole('button', { name: 'English' }).click()]);
  assert.equal(await asked.headerValue('accept-language'), 'en');
  await page.getByRole('heading', { name: 'Situation' }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'Situation' }).waitFor();
  await page.getByRole('button', { name: '繁體中文' }).click();
  await page.getByRole('heading', { name: '防控態勢' }).waitFor();
  await finish(page);
});

test('on a phone the menu is a drawer and lists are cards', async () => {
  const page = await openPage(browser, server, { shared: true, viewport: phone });
  await settled(page);
  assert.equal(await page.locator('aside.side').isVisible(), false);
  await page.getByRole('button', { name: '菜单', exact: true }).click();
  await page.locator('.sidedrawer a[href="#/k/household"]').click();
  await page.locator('main .short li').first().waitFor();
  assert.equal(await page.locator('main table').count(), 0);
  await finish(page);
});
