/* A day at the desk.  Runs against the product and against the mock alike: every record it needs it makes itself. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { finish, openPage, phone, settled, startBrowser, startServer } from './helper.mjs';

let server, browser;
before(async () => { server = await startServer(); browser = await startBrowser(); });
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
  const page = await openPage(browser, server, { at: '/k/household/new' });
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
  const page = await openPage(browser, server, { at: '/k/resident' });
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
  const page = await openPage(browser, server, { at: '/search?q=' + encodeURIComponent('测试' + stamp) });
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
  const page = await openPage(browser, server, { at: '/search?q=' + household });
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
  const page = await openPage(browser, server, { at: '/k/gate' });
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
  const page = await openPage(browser, server);
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
  await page.waitForFunction((n) => Number([...document.querySelectorAll('.fig')].find((x) => x.innerText.includes('累计确诊')).querySelector('.v').innerText.replace(/\D/g, '')) === n + 1, before, { timeout: 8000 });
  await page.locator('.fig', { hasText: '新增确诊' }).click();
  await page.locator('.el-drawer .short li', { hasText: '测' }).first().waitFor();
  await finish(page);
  await finish(other);
});

test('the curve has a table beside it and is saved as CSV and PNG', async () => {
  const page = await openPage(browser, server);
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
  const page = await openPage(browser, server, { at: '/coverage' });
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
  const page = await openPage(browser, server, { at: '/bulletin' });
  await settled(page);
  await page.locator('.sheet h2').waitFor();
  await page.locator('main td .linkish').first().click();
  await page.locator('.el-drawer .bigger').waitFor();
  await page.keyboard.press('Escape');
  const had = await page.locator('main .short li').count();
  await page.getByRole('button', { name: '发布简报' }).click();
  await page.getByRole('dialog', { name: '发布简报' }).getByRole('button', { name: '发布简报' }).click();
  await page.waitForFunction((n) => document.querySelectorAll('main .short li').length > n, had);
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
  const page = await openPage(browser, server, { viewport: phone });
  await settled(page);
  assert.equal(await page.locator('aside.side').isVisible(), false);
  await page.getByRole('button', { name: '菜单', exact: true }).click();
  await page.locator('.sidedrawer a[href="#/k/household"]').click();
  await page.locator('main .short li').first().waitFor();
  assert.equal(await page.locator('main table').count(), 0);
  await finish(page);
});
