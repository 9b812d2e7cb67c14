/* What the pages do when the line, the server or another person gets in the way.  Needs the mock. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { LOGIN, PASSWORD, finish, fromUserMenu, openPage, real, settled, startBrowser, startServer } from './helper.mjs';

let server, browser;
before(async () => { server = await startServer(); browser = await startBrowser(); });
beforeEach(() => server.mock?.('reset'));
after(async () => { await browser?.close(); server?.close(); });
const opt = { skip: real && 'needs the mock' };
const broken = /Failed to load resource|ERR_|net::/;

async function householdForm(page, code) {
  await page.locator('#f-code').fill(code);
  await page.locator('#f-door').fill('1 号楼 101 室');
}
async function count(page, code) {
  return (await (await page.request.get(`${server.url}/api/v1/household?q=${code}`)).json()).records.length;
}
async function openHousehold(page) {
  await settled(page);
  await page.locator('main table a').first().click();
  await page.locator('.el-drawer dl.facts').waitFor();
  return page.url().split('/').pop();
}

test('a lost reply is sent again by the same id, and the record exists once', opt, async () => {
  const page = await openPage(browser, server, { at: '/k/household/new', allow: broken });
  await householdForm(page, 'LOST1');
  await server.mock('fault', { match: 'POST /api/v1/commands', lose: true, times: 2 });
  await page.locator('.recform button[type=submit]').click();
  await page.getByText(/正在第 \d 次重试/).waitFor();
  await page.locator('.el-drawer dl.facts').waitFor({ timeout: 45000 });
  assert.equal(await count(page, 'LOST1'), 1);
  await finish(page);
});

test('when no answer comes at all the form keeps everything and offers to send the same again', opt, async () => {
  const page = await openPage(browser, server, { at: '/k/household/new', allow: broken });
  await householdForm(page, 'LOST2');
  await server.mock('fault', { match: 'POST /api/v1/commands', lose: true, times: 5 });
  await page.locator('.recform button[type=submit]').click();
  await page.getByRole('button', { name: '再试一次' }).waitFor({ timeout: 30000 });
  assert.equal(await page.inputValue('#f-code'), 'LOST2');
  assert.ok(await page.locator('#f-code').isDisabled(), 'what was sent can no longer be altered');
  await page.getByRole('button', { name: '再试一次' }).click();
  await page.locator('.el-drawer dl.facts').waitFor();
  assert.equal(await count(page, 'LOST2'), 1);
  await finish(page);
});

test('a busy server (503, 429) is waited for and the command goes through', opt, async () => {
  const page = await openPage(browser, server, { at: '/k/household/new', allow: broken });
  await householdForm(page, 'BUSY1');
  await server.mock('fault', { match: 'POST /api/v1/commands', status: 503 });
  await server.mock('fault', { match: 'POST /api/v1/commands', status: 429 });
  await page.locator('.recform button[type=submit]').click();
  await page.locator('.el-drawer dl.facts').waitFor({ timeout: 45000 });
  assert.equal(await count(page, 'BUSY1'), 1);
  await finish(page);
});

test('the server has the last word: its refusals stand at their fields, all at once', opt, async () => {
  const page = await openPage(browser, server, { at: '/k/household/new', allow: broken });
  await householdForm(page, 'H10001');
  await page.locator('.recform button[type=submit]').click();
  await page.locator('#f-code-error').waitFor();
  assert.match(await page.locator('#f-code-error').innerText(), /已被使用/);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'f-code');
  await finish(page);
});

test('somebody else saved first: each field can be mine or theirs, and nothing is lost', opt, async () => {
  const page = await openPage(browser, server, { at: '/k/household', allow: broken });
  const id = await openHousehold(page);
  await page.getByRole('button', { name: '修改', exact: true }).click();
  await page.locator('#f-door').fill('我写的门牌');
  await page.locator('#f-code').fill('MINE1');
  await server.mock('edit', { id, data: { door: '对方写的门牌', head: '对方户主' } });
  await page.locator('.recform button[type=submit]').click();
  const dialog = page.getByRole('dialog', { name: '他人已经修改' });
  await dialog.waitFor();
  assert.match(await dialog.innerText(), /赵静/);
  assert.match(await dialog.innerText(), /我写的门牌/);
  assert.match(await dialog.innerText(), /对方户主/);
  await dialog.getByText('采用对方的').click();
  await dialog.getByRole('button', { name: '按所选保存' }).click();
  await page.locator('.el-drawer dl.facts').waitFor();
  const { data } = await (await page.request.get(`${server.url}/api/v1/household/${id}`)).json();
  assert.deepEqual([data.code, data.door, data.head], ['MINE1', '对方写的门牌', '对方户主']);
  await finish(page);
});

test('keeping mine saves mine over theirs, and the rest of theirs stays', opt, async () => {
  const page = await openPage(browser, server, { at: '/k/household?q=H1020', allow: broken });
  const id = await openHousehold(page);
  await page.getByRole('button', { name: '修改', exact: true }).click();
  await page.locator('#f-door').fill('我的门牌');
  await server.mock('edit', { id, data: { door: '对方门牌', head: '另一户主' } });
  await page.locator('.recform button[type=submit]').click();
  await page.getByRole('button', { name: '按所选保存' }).click();
  await page.locator('.el-drawer dl.facts').waitFor();
  const { data } = await (await page.request.get(`${server.url}/api/v1/household/${id}`)).json();
  assert.deepEqual([data.door, data.head], ['我的门牌', '另一户主']);
  await finish(page);
});

test('a session that ends under an open form asks for the password above it and keeps the form', opt, async () => {
  const page = await openPage(browser, server, { at: '/k/household/new', allow: broken });
  await householdForm(page, 'SESS1');
  await server.mock('signout');
  await page.locator('.recform button[type=submit]').click();
  const dialog = page.getByRole('dialog', { name: '登录已失效' });
  await dialog.waitFor();
  await page.fill('#si-password', PASSWORD);
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'hidden' });
  assert.equal(await page.inputValue('#f-code'), 'SESS1');
  await page.locator('.recform button[type=submit]').click();
  await page.locator('.el-drawer dl.facts').waitFor();
  await finish(page);
});

test('too many wrong passwords: the page says how long to wait and counts down', opt, async () => {
  const page = await openPage(browser, server, { signedIn: false, allow: broken });
  await page.fill('#si-login', LOGIN);
  for (let i = 0; i < 6; i++) {
    await page.fill('#si-password', 'wrong ' + i);
    await page.locator('form button[type=submit]').click();
    await page.locator('form [role=alert]').waitFor();
    await page.waitForTimeout(80);
  }
  assert.match(await page.locator('.note.amber').innerText(), /请在 \d 秒后再试/);
  assert.ok(await page.locator('form button[type=submit]').isDisabled());
  await page.waitForFunction(() => !document.querySelector('form button[type=submit]').disabled, null, { timeout: 45000 });
  await finish(page);
});

test('the second factor is shown as text and picture, turned on with a code, and then asked for', opt, async () => {
  const page = await openPage(browser, server, { allow: broken });
  await settled(page);
  await fromUserMenu(page, '两步验证');
  await page.locator('svg.qr').waitFor();
  assert.match(await page.locator('.secret').innerText(), /^[A-Z2-7 ]{16,}$/);
  await page.fill('#t-code', '000000');
  await page.keyboard.press('Enter');
  await page.locator('#t-error').waitFor();
  await page.fill('#t-code', '123456');
  await page.keyboard.press('Enter');
  await page.getByText('两步验证已开启').waitFor();
  await finish(page);
  const again = await openPage(browser, server, { signedIn: false, allow: broken });
  await again.fill('#si-login', LOGIN);
  await again.fill('#si-password', PASSWORD);
  await again.keyboard.press('Enter');
  await again.locator('#si-code').waitFor();
  await again.waitForFunction(() => document.activeElement.id === 'si-code');
  await again.keyboard.type('123456');
  await again.keyboard.press('Enter');
  await settled(again);
  await finish(again);
});

test('a broken feed says so in words and joins again by itself', opt, async () => {
  const page = await openPage(browser, server, { allow: broken });
  await page.locator('.chip.live.green').waitFor();
  await server.mock('fault', { match: 'GET /api/v1/feed', status: 503, times: 1 });
  await server.mock('cut');
  await page.locator('.chip.live', { hasText: '连接中断' }).waitFor();
  await page.locator('.chip.live', { hasText: '实时更新' }).waitFor({ timeout: 45000 });
  await finish(page);
});

test('a page whose figures cannot be read says so and offers to try again', opt, async () => {
  await server.mock('fault', { match: 'GET /api/v1/coverage', status: 503 });
  const page = await openPage(browser, server, { at: '/coverage', allow: broken });
  await page.locator('.note.red').waitFor();
  await page.locator('.note.red button').click();
  await page.locator('main .counts').waitFor();
  await finish(page);
});
