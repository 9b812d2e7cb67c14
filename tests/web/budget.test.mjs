import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { after, before } from 'node:test';
import { openPage, settled, startBrowser, startServer } from './helper.mjs';

const web = fileURLToPath(new URL('../../web/', import.meta.url));
const gz = (path) => gzipSync(readFileSync(path), { level: 9 }).length;
let server, browser;
before(async () => { server = await startServer(); browser = await startBrowser(); });
after(async () => { await browser?.close(); server?.close(); });

test('the first load of the headquarters desk, up to the full dashboard, weighs at most 260 KB gzipped', async (t) => {
  const files = new Set();
  const page = await openPage(browser, server, { at: '/nowhere-yet' });
  page.on('request', (r) => files.add(new URL(r.url()).pathname));
  await page.goto(server.url + '/?again#/');
  await settled(page);
  await page.context().close();
  const ours = [...files].filter((f) => f === '/' || f.startsWith('/assets/')).map((f) => [f, gz(web + 'dist' + (f === '/' ? '/hq.html' : f))]);
  const sum = ours.reduce((a, [, n]) => a + n, 0);
  t.diagnostic(`${ours.length} files, ${(sum / 1000).toFixed(1)} KB gzipped`);
  assert.ok(ours.length > 3, 'the page loaded its parts');
  assert.ok(sum <= 260000, ours.map(([f, n]) => `${n} ${f}`).join('\n'));
});

test('the page holds no inline script, style or event handler, and the style sheets no images of their own', () => {
  const html = readFileSync(web + 'dist/hq.html', 'utf8');
  assert.doesNotMatch(html, /<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/i);
  for (const f of readdirSync(web + 'dist/assets').filter((x) => x.endsWith('.css'))) assert.doesNotMatch(readFileSync(`${web}dist/assets/${f}`, 'utf8'), /url\(["']?(data:|https?:)/, f);
});

test('every text has both languages, the same arguments in each, and every text a page asks for exists', () => {
  const zh = JSON.parse(readFileSync(web + 'src/lang/zh-Hans.json', 'utf8')), en = JSON.parse(readFileSync(web + 'src/lang/en.json', 'utf8'));
  assert.deepEqual(Object.keys(zh), Object.keys(en));
  const args = (s) => [...new Set(s.match(/\{\w+\}/g) || [])].sort();
  for (const k of Object.keys(zh)) assert.deepEqual(args(zh[k]), args(en[k]), k);
  const dirs = ['src/shared/', 'src/hq/', 'src/hq/parts/', 'src/hq/pages/'];
  for (const d of dirs) {
    for (const f of readdirSync(web + d).filter((x) => /\.(ts|vue)$/.test(x))) {
      for (const m of readFileSync(web + d + f, 'utf8').matchAll(/\bt\('([\w.]+[\w])'/g)) assert.ok(m[1] in zh, `${f}: ${m[1]}`);
    }
  }
});
