/* Pictures of every page for a person's eye:  node tests/web/shots.mjs OUTDIR [PATTERN] */
import { mkdirSync } from 'node:fs';
import { openPage, phone, settled, startBrowser, startServer, wide } from './helper.mjs';
import { pages } from './pages.mjs';

const out = process.argv[2] || 'shots', pattern = new RegExp(process.argv[3] || '.');
mkdirSync(out, { recursive: true });
const server = await startServer(), browser = await startBrowser();
for (const [size, viewport] of [['wide', wide], ['phone', phone]]) {
  for (const p of pages.filter((x) => pattern.test(`${x.name}-${size}`))) {
    const page = await openPage(browser, server, { viewport, ...p.open });
    try {
      await settled(page);
      await p.act?.(page, server);
      await page.screenshot({ path: `${out}/${p.name}-${size}.png` });
    } catch (x) { console.error(p.name, size, x.message); }
    if (page.complaints.length) console.error(p.name, size, page.complaints);
    await page.context().close();
  }
}
await browser.close();
server.close();
