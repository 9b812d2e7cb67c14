/* WCAG 2.2 A and AA by axe on every page, drawer and dialog, at a desk's and at a phone's size.  After the journeys, whose records it looks at. */
import { after, afterEach, before, test } from 'node:test';
import { axe, closePages, finish, openPage, phone, real, settled, startBrowser, startServer, wide } from './helper.mjs';
import { pages } from './pages.mjs';
import assert from 'node:assert/strict';

let server, browser;
before(async () => { server = await startServer(); browser = await startBrowser(); });
afterEach(closePages);
after(async () => { await browser?.close(); server?.close(); });

for (const [size, viewport] of [['1440x900', wide], ['390x844', phone]]) {
  for (const p of pages) {
    test(`${p.name} at ${size} has no accessibility violation and does not scroll sideways`, { skip: real && p.mockOnly }, async () => {
      const page = await openPage(browser, server, { viewport, shared: true, ...p.open });
      await settled(page);
      await p.act?.(page, server);
      await axe(page, p.name);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), 'scrolls sideways');
      await finish(page);
    });
  }
}
for (const lang of ['zh-Hant', 'en']) {
  for (const at of ['/', '/k/resident', '/coverage', '/bulletin']) {
    test(`${at} in ${lang} has no accessibility violation and fits 360 px`, async () => {
      const page = await openPage(browser, server, { viewport: { width: 360, height: 740 }, at, lang, shared: true });
      await page.locator('h1').waitFor();
      await page.waitForTimeout(1200);
      assert.equal(await page.evaluate(() => document.documentElement.lang), lang);
      await axe(page, at);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), 'scrolls sideways');
      await finish(page);
    });
  }
}
