/* Runs first by its name: the one-time link can be used only once. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { LOGIN, PASSWORD, axe, finish, openPage, settled, startBrowser, startServer } from './helper.mjs';

let server, browser;
before(async () => { server = await startServer(); browser = await startBrowser(); });
after(async () => { await browser?.close(); server?.close(); });

test('the one-time link sets the administrator password, at least 12 characters, and signs in', async (t) => {
  if (!server.token) return t.skip('no one-time link was given');
  const page = await openPage(browser, server, { signedIn: false, at: '/welcome/' + server.token });
  await page.fill('#w-password', 'too short');
  await page.fill('#w-twice', 'too short');
  await page.keyboard.press('Enter');
  assert.match(await page.locator('#w-password-error').innerText(), /至少 12 个字符/);
  await page.fill('#w-password', PASSWORD);
  await page.fill('#w-twice', PASSWORD + 'x');
  await page.keyboard.press('Enter');
  assert.match(await page.locator('#w-twice-error').innerText(), /不一样/);
  await page.getByRole('button', { name: '显示密码' }).first().click();
  assert.equal(await page.getAttribute('#w-password', 'type'), 'text');
  await page.fill('#w-twice', PASSWORD);
  await page.keyboard.press('Enter');
  await page.locator('nav.nav').first().waitFor({ state: 'attached' });
  await settled(page);
  assert.match(page.url(), /#\/$/);
  await finish(page);
});

test('the same link a second time says that it was used', async (t) => {
  if (!server.token) return t.skip('no one-time link was given');
  const page = await openPage(browser, server, { signedIn: false, at: '/welcome/' + server.token, allow: /Failed to load resource/ });
  await page.fill('#w-password', PASSWORD);
  await page.fill('#w-twice', PASSWORD);
  await page.keyboard.press('Enter');
  assert.match(await page.locator('.note.red').innerText(), /已用过|过期/);
  await axe(page, 'welcome refused');
  await finish(page);
});

test('signing in and out with the keyboard alone', async () => {
  const page = await openPage(browser, server, { signedIn: false, allow: /Failed to load resource.*401/ });
  await page.locator('#si-login').waitFor();
  await page.locator('#si-login').focus();
  await page.keyboard.type(LOGIN);
  await page.keyboard.press('Tab');
  await page.keyboard.type('not the password');
  await page.keyboard.press('Enter');
  assert.match(await page.locator('.note.red').innerText(), /不对|错误/);
  await page.locator('#si-password').focus();
  await page.keyboard.press('Control+A');
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press('Enter');
  await settled(page);
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');
  await page.locator('.top .user').focus();
  await page.keyboard.press('Enter');
  await page.getByRole('menuitem').first().waitFor();
  await page.waitForTimeout(300);
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  await page.locator('#si-login').waitFor();
  await finish(page);
});
