/* What every browser test stands on: a server (LF_URL, or the mock), a browser, and a page that fails its test on any console error, policy
 * violation or request to another origin. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { serve } from './mock/server.mjs';

const require = createRequire(new URL('../../web/package.json', import.meta.url));
const { chromium } = require('playwright-core');
const axeSource = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

export const PASSWORD = process.env.LF_PASSWORD || 'four words of nobody';
export const LOGIN = process.env.LF_LOGIN || 'admin';
export const real = !!process.env.LF_URL;
export const wide = { width: 1440, height: 900 };
export const phone = { width: 390, height: 844 };

/* { url, token, mock(path, body), close() } */
export async function startServer() {
  if (real) {
    const token = /welcome\/([^/?#\s]+)/.exec(process.env.LF_TOKEN_LINK || '')?.[1];
    return { url: process.env.LF_URL.replace(/\/$/, ''), token, close: () => {} };
  }
  const s = await serve(0);
  const mock = async (path, body = {}) => (await fetch(`${s.url}/mock/${path}`, { method: 'POST', body: JSON.stringify(body) })).json();
  return { url: s.url, token: /welcome\/(.+)$/.exec(s.link)[1], mock, close: s.close };
}
export function startBrowser() {
  return chromium.launch({
    executablePath: process.env.LF_CHROMIUM || '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}
const post = (server, path, body) => fetch(`${server.url}/api/v1/${path}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });

/* The administrator's password is set by the one-time link the first time, whichever test comes first. */
export async function ensurePassword(server) {
  if ((await post(server, 'session', { login: LOGIN, password: PASSWORD })).ok) return;
  if (server.token) await post(server, 'session/link', { token: server.token, password: PASSWORD });
}
async function cookieOf(server) {
  await ensurePassword(server);
  const res = await post(server, 'session', { login: LOGIN, password: PASSWORD });
  assert.equal(res.status, 200, 'signing in for the test');
  return /lf_session=([^;]+)/.exec(res.headers.get('set-cookie'))[1];
}

/* Signed-in contexts that pages share (`shared`): their cache spares each page most of its loading. */
const contexts = new Map();
async function sharedContext(key, make) {
  if (!contexts.has(key)) contexts.set(key, await make());
  return contexts.get(key);
}
/* For afterEach: what a test that failed left open would keep its feed, and with it one of the few connections. */
export async function closePages() {
  for (const context of contexts.values()) for (const page of context.pages()) await page.close();
}
async function newContext(browser, server, { viewport, signedIn, lang }) {
  const context = await browser.newContext({ viewport, locale: 'zh-CN', timezoneId: 'Asia/Shanghai', serviceWorkers: 'block', acceptDownloads: true });
  if (signedIn) await context.addCookies([{ name: 'lf_session', value: await cookieOf(server), url: server.url, httpOnly: true, sameSite: 'Strict' }]);
  await context.addInitScript((l) => {
    if (!localStorage.getItem('lf.lang')) localStorage.setItem('lf.lang', l);
    document.addEventListener('securitypolicyviolation', (e) => console.error('CSP violation: ' + e.violatedDirective + ' ' + e.blockedURI + ' ' + e.sourceFile + ':' + e.lineNumber));
  }, lang);
  return context;
}

/* A page with its complaints in `page.complaints`; `allow` is a pattern of console errors the test brings about on purpose. */
export async function openPage(browser, server, { viewport = wide, signedIn = true, at = '/', lang = 'zh-Hans', allow = null, shared = false } = {}) {
  const make = () => newContext(browser, server, { viewport, signedIn, lang });
  const context = shared && signedIn ? await sharedContext(viewport.width + lang, make) : await make();
  const page = await context.newPage();
  page.complaints = [];
  /* Asking who is signed in is answered 401 when nobody is: that is the question's own answer. */
  const complain = (text) => { if (/401 .*\/api\/v1\/session$/.test(text)) return; if (!allow || !allow.test(text)) page.complaints.push(text); };
  page.on('console', (m) => { if (m.type() === 'error' || m.type() === 'warning') complain(`${m.text()} ${m.location().url}`); });
  page.on('pageerror', (e) => complain('uncaught: ' + e.stack));
  page.on('request', (r) => { if (!/^(data|blob|about):/.test(r.url()) && !r.url().startsWith(server.url)) complain('request to another origin: ' + r.url()); });
  await page.goto(`${server.url}/#${at}`);
  return page;
}
export async function finish(page) {
  const complaints = page.complaints, context = page.context();
  await ([...contexts.values()].includes(context) ? page : context).close();
  assert.deepEqual(complaints, []);
}
/* Everything has been asked and answered, and nothing moves. */
export async function settled(page) {
  await page.waitForFunction(() => document.querySelector('h1') && !document.body.innerText.includes('正在读取'), null, { timeout: 45000 });
  await page.waitForTimeout(450);
}
/* A click on a menu that is still opening can close it. */
export async function fromUserMenu(page, item) {
  await page.locator('.top .user').click();
  await page.getByRole('menuitem', { name: item }).waitFor();
  await page.waitForTimeout(400);
  await page.getByRole('menuitem', { name: item }).click();
}
export async function axe(page, name) {
  await page.evaluate(axeSource + ';0');
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa'] }));
  const said = found.violations.map((v) => `${name}: ${v.id}: ${v.help}\n    ` + v.nodes.slice(0, 4).map((n) => n.html.slice(0, 220) + '\n      ' + n.failureSummary.replace(/\s+/g, ' ')).join('\n    '));
  assert.equal(said.length, 0, said.join('\n'));
}

/* The modules of the gate page that need no browser, bundled as they are for it. */
export async function fieldModule() {
  const { rolldown } = await import(require.resolve('rolldown'));
  const from = new URL('../../web/src/shared/', import.meta.url).pathname;
  const entry = ['pass', 'passlist', 'passnumber', 'inflate', 'cbor'].map((m) => `export * from '${from}${m}.ts';`).join('\n');
  const bundle = await rolldown({
    input: 'gate-entry',
    plugins: [{ name: 'entry', resolveId: (id) => (id === 'gate-entry' ? id : null), load: (id) => (id === 'gate-entry' ? entry : null) }],
  });
  const { output } = await bundle.generate({ format: 'esm' });
  return import('data:text/javascript;base64,' + Buffer.from(output[0].code).toString('base64'));
}

/* ---- the field page: a phone of its own, with what it keeps ---- */
export const axeField = (page, name) => page.waitForTimeout(60).then(() => axe(page, name));
/* A phone with a data folder, so that it can be switched off and on; `video` is what its camera sees. */
export async function openPhone(site, { dir, video, allow = null, viewport = phone, stub = false, workers = 'allow' } = {}) {
  const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
  if (video) args.push('--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', '--use-file-for-fake-video-capture=' + video);
  const context = await chromium.launchPersistentContext(dir, {
    executablePath: process.env.LF_CHROMIUM || '/usr/bin/chromium', args, viewport, locale: 'zh-CN', timezoneId: 'Asia/Shanghai', serviceWorkers: workers,
  });
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (e) => console.error('CSP violation: ' + e.violatedDirective + ' ' + e.blockedURI));
  });
  if (stub) await context.addInitScript(cameraStub);
  const page = context.pages()[0] || await context.newPage();
  page.complaints = [];
  const complain = (text) => { if (/401 .*\/api\/v1\/session$/.test(text)) return; if (!allow || !allow.test(text)) page.complaints.push(text); };
  page.on('console', (m) => { if (m.type() === 'error' || m.type() === 'warning') complain(`${m.text()} ${m.location().url}`); });
  page.on('pageerror', (e) => complain('uncaught: ' + e.stack));
  page.on('request', (r) => { if (!/^(data|blob|about):/.test(r.url()) && !r.url().startsWith(site.url)) complain('request to another origin: ' + r.url()); });
  await page.goto(site.url + '/field.html');
  return page;
}
/* A camera whose picture the test chooses: showCode(rows of 0 and 1). */
function cameraStub() {
  const canvas = document.createElement('canvas'), c = canvas.getContext('2d');
  canvas.width = 640;
  canvas.height = 480;
  let rows = [];
  const draw = () => {
    c.fillStyle = '#fff';
    c.fillRect(0, 0, 640, 480);
    const n = rows.length, u = n ? Math.floor(440 / (n + 8)) : 0, x0 = (640 - u * n) >> 1, y0 = (480 - u * n) >> 1;
    c.fillStyle = '#000';
    rows.forEach((row, y) => [...row].forEach((on, x) => { if (on === '1') c.fillRect(x0 + x * u, y0 + y * u, u, u); }));
  };
  setInterval(draw, 100);
  window.showCode = (r) => { rows = r; draw(); };
  Object.defineProperty(navigator, 'mediaDevices', { value: { getUserMedia: async () => canvas.captureStream(10) } });
}
const { encode } = require('uqr');
export const codeRows = (text) => encode(text, { ecc: 'M', border: 0 }).data.map((row) => row.map((on) => (on ? '1' : '0')).join(''));
/* A film of one QR code, as Chromium's fake camera takes it. */
export function codeFilm(text) {
  const w = 640, h = 480, luma = Buffer.alloc(w * h, 225), rows = codeRows(text), n = rows.length, u = Math.floor(440 / (n + 8)), x0 = (w - u * n) >> 1, y0 = (h - u * n) >> 1;
  rows.forEach((row, y) => [...row].forEach((on, x) => { if (on === '1') for (let k = 0; k < u; k++) luma.fill(30, (y0 + y * u + k) * w + x0 + x * u, (y0 + y * u + k) * w + x0 + (x + 1) * u); }));
  const frame = Buffer.concat([Buffer.from('FRAME\n'), luma, Buffer.alloc(w * h / 2, 128)]);
  return Buffer.concat([Buffer.from(`YUV4MPEG2 W${w} H${h} F10:1 Ip A1:1 C420jpeg\n`), frame, frame, frame]);
}
