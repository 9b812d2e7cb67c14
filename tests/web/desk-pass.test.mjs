/* Passes at the desk of headquarters, against the program itself: the mock has none. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newSite } from '../http/lib.mjs';
import { axe, finish, openPage, settled, startBrowser } from './helper.mjs';

let site, browser, cookie;
before(async () => {
  site = await newSite();
  browser = await startBrowser();
  const [name, value] = site.admin.cookie.split('=');
  cookie = { name, value, url: site.url, httpOnly: true, sameSite: 'Strict' };
  await site.admin.create('gate', { name: '古城小区东门', kind_of: 'quarter_gate', code: 'G1' }, 'q1');
  await site.admin.create('household', { code: 'H1', door: '101' }, 'b1');
});
after(async () => { await browser?.close(); await site?.end(); });

test('a pass is put under an order to stay at home, the order is lifted, the pass revoked; the gate is told each time', async () => {
  const pass = await site.admin.get('pass/' + await site.admin.create('pass', { kind_of: 'household', household: 'H1' }));
  const verdict = async () => (await site.admin.post('gate/verify', { number: pass.data.number, gate: 'G1' })).verdict;
  const page = await openPage(browser, site, { signedIn: false });
  await page.context().addCookies([cookie]);
  await page.goto(`${site.url}/?in#/k/pass/${pass.id}`);
  const drawer = page.locator('.el-drawer.rtl'), step = (name) => drawer.getByRole('button', { name, exact: true });
  const take = async (name, fill = () => {}) => {
    await step(name).click();
    await page.locator('#stepform').waitFor();
    await fill();
    await page.locator('.el-dialog button[type=submit]').click();
    await page.locator('#stepform').waitFor({ state: 'detached' });
  };
  await drawer.locator('dl.facts').waitFor();
  assert.doesNotMatch(await drawer.locator('dl.facts').innerText(), /列入|移出|名单/, 'what only the program fills in is not shown empty');
  await settled(page);
  await axe(page, 'pass');
  await take('要求居家');
  await step('解除居家').waitFor();
  assert.equal(await verdict(), 'stay_home');
  await take('解除居家');
  await step('要求居家').waitFor();
  assert.equal(await verdict(), 'valid');
  await take('作废', () => page.fill('#s-reason', '遗失'));
  await drawer.locator('dt', { hasText: '作废原因' }).waitFor();
  assert.equal(await verdict(), 'revoked');
  assert.equal(await step('作废').count() + await step('要求居家').count(), 0, 'what is revoked stays so');
  await finish(page);
});
