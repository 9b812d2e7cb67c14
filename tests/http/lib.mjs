/* The real program in a fresh directory, spoken to from outside.  LF_BIN names it (default build/release/lianfang).
 * LF_DB=postgres://...: sites are made in that database on a server; else each in a file of its own. */
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const BIN = process.env.LF_BIN || fileURLToPath(new URL('../../build/release/lianfang', import.meta.url));
process.env.LSAN_OPTIONS ??= `suppressions=${fileURLToPath(new URL('lsan.supp', import.meta.url))}:print_suppressions=0`;
export const PASSWORD = 'a password of the tests';
export const cli = (...args) => execFileSync(BIN, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const cliLater = promisify(execFile);
export const ON_SERVER = !!process.env.LF_DB;
/* What psql prints: a line for each row, | between the columns. */
export const psql = (db, sql) => execFileSync('psql', ['-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', db, '-c', sql], { encoding: 'utf8' }).trim();
/* An empty database on the server of `db`. */
export function newDatabase(db = process.env.LF_DB) {
  const url = new URL(db), name = 'http_' + randomBytes(6).toString('hex');
  psql(db, 'CREATE DATABASE ' + name);
  url.pathname = '/' + name;
  return url.href;
}

/* UUIDv7, as browsers make them. */
export function uuid() {
  const b = randomBytes(16);
  b.writeUIntBE(Date.now(), 0, 6);
  b[6] = 0x70 | (b[6] & 15);
  b[8] = 0x80 | (b[8] & 63);
  return b.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
export function totp(secret, at = Date.now()) {
  const bits = [...secret].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((x) => parseInt(x, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(at / 30000)));
  const h = createHmac('sha1', key).update(step).digest(), o = h[19] & 15;
  return String((h.readUInt32BE(o) & 0x7fffffff) % 1000000).padStart(6, '0');
}
/* An identity number with a right check digit for a birth date like 19900101. */
let serial = 100;
export function idNumber(birth = '19900101', male = true) {
  serial++;
  const n17 = '142629' + birth + String(Math.floor(serial / 10) % 100).padStart(2, '0') + String((serial % 5) * 2 + (male ? 1 : 0));
  const w = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
  return n17 + '10X98765432'[[...n17].reduce((s, c, i) => s + c * w[i], 0) % 11];
}

/* Someone signed in: keeps the cookie and the anti-forgery token. */
export class Client {
  constructor(site, cookie = '', csrf = '', bearer = '') { Object.assign(this, { site, cookie, csrf, bearer }); }
  async raw(method, path, { body, headers = {}, type = 'application/json', lang = 'en', signal } = {}) {
    const h = { 'Accept-Language': lang, ...headers };
    if (this.cookie) h.Cookie = this.cookie;
    if (this.bearer) h.Authorization = 'Bearer ' + this.bearer;
    if (method !== 'GET' && method !== 'HEAD' && this.csrf && !('X-CSRF-Token' in h)) h['X-CSRF-Token'] = this.csrf;
    if (h['X-CSRF-Token'] === null) delete h['X-CSRF-Token'];
    if (body !== undefined && type) h['Content-Type'] = type;
    const sent = body === undefined || typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
    return fetch(this.site.url + path, { method, headers: h, signal, body: sent }).catch((e) => { /* what it says by itself is "fetch failed" */
      if (e instanceof DOMException) throw e; /* who sent it gave up; its message cannot be changed */
      throw Object.assign(e, { message: `${method} ${path}: ${e.cause?.message ?? e.message}; ${this.site.errors?.slice(-400)}` });
    });
  }
  /* {status, body, headers} of any answer; API paths may leave out /api/v1. */
  async call(method, path, o = {}) {
    const res = await this.raw(method, path.startsWith('/') ? path : '/api/v1/' + path, o);
    const text = await res.text();
    let body = text;
    if (/json/.test(res.headers.get('content-type') || '') && !/ndjson/.test(res.headers.get('content-type'))) body = text && JSON.parse(text);
    return { status: res.status, body, headers: res.headers };
  }
  async get(path, o) {
    const r = await this.call('GET', path, o);
    assert.equal(r.status, 200, `GET ${path}: ${JSON.stringify(r.body)}`);
    return r.body;
  }
  async post(path, body, o = {}) {
    const r = await this.call('POST', path, { ...o, body });
    assert.equal(r.status, 200, `POST ${path}: ${JSON.stringify(r.body)}`);
    return r.body;
  }
  /* A command that is refused: {status, body}. */
  tryCmd(command, rest = {}) { return this.call('POST', 'commands', { body: { id: uuid(), command, ...rest } }); }
  async cmd(command, rest = {}) {
    const r = await this.tryCmd(command, rest);
    assert.equal(r.status, 200, `${command}: ${JSON.stringify(r.body)}`);
    return r.body;
  }
  async create(kind, data, area, rest = {}) { return (await this.cmd(kind + '.create', { data, ...(area ? { area } : {}), ...rest })).record; }
}

export class Site {
  constructor() { this.dir = mkdtempSync(join(tmpdir(), 'lf-http-')); this.site = join(this.dir, 'site'); }
  async start(env = {}, args = [], port = 0) {
    this.child = spawn(BIN, ['serve', this.site, '--port', String(port), ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    this.errors = '';
    this.child.stderr.on('data', (d) => { this.errors += d; });
    let out = '';
    await new Promise((ready, failed) => {
      this.child.on('exit', (code) => failed(new Error(`the server ended with ${code}: ${this.errors}`)));
      this.child.stdout.on('data', (d) => {
        out += d;
        const url = /listening on (\S+)\n/.exec(out);
        if (!url) return;
        this.url = url[1];
        setTimeout(() => { this.link = /welcome\/(\S+)/.exec(out)?.[1]; ready(); }, 150);
      });
    });
    this.port = Number(new URL(this.url).port);
    return this;
  }
  /* Another machine's directory for the same site: copies of the key and of the server's address. */
  twin() {
    const other = new Site();
    mkdirSync(other.site, { mode: 0o700 });
    for (const name of ['site.key', 'database']) copyFileSync(join(this.site, name), join(other.site, name));
    return other;
  }
  /* Another machine that serves the same site, with this one's administrator. */
  async beside(env = {}) {
    const other = this.twin();
    await other.start(env);
    other.admin = new Client(other, this.admin.cookie, this.admin.csrf);
    other.areas = this.areas;
    return other;
  }
  get database() { return readFileSync(join(this.site, 'database'), 'utf8').trim(); }
  async stop(signal = 'SIGTERM') {
    if (!this.child || this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = new Promise((r) => this.child.once('exit', r));
    this.child.kill(signal);
    await gone;
    if (signal === 'SIGTERM') assert.doesNotMatch(this.errors, /AddressSanitizer|runtime error|invariant/i);
  }
  /* Stops, proves the data, and takes everything away. */
  async end() {
    await this.stop();
    try {
      cli('fsck', this.site);
    } finally {
      rmSync(this.dir, { recursive: true, force: true });
    }
  }
  anyone() { return new Client(this); }
  async enter(body, path = 'session') {
    const res = await this.anyone().raw('POST', '/api/v1/' + path, { body });
    const text = await res.text();
    assert.equal(res.status, 200, text);
    return new Client(this, res.headers.get('set-cookie').split(';')[0], JSON.parse(text).csrf);
  }
  async welcome() { return this.enter({ token: this.link, password: PASSWORD }, 'session/link'); }
  /* An account with a role in an area, made by the administrator's command line, signed in. */
  async loginAs(role, area, login = role.replace(/_/g, '-') + '-' + area.toLowerCase()) {
    const { stdout } = await cliLater(BIN, ['user', this.site, 'add', login, '--role', role, '--area', area]);
    const token = /welcome\/(\S+)/.exec(stdout)[1];
    return this.enter({ token, password: PASSWORD }, 'session/link');
  }
}

/* county jx > townships t1 t2 > communities c1 c2 | c3 > quarter q1 > buildings b1 b2; the administrator signed in. */
export async function newSite(env = {}, db = null) {
  const s = new Site();
  cli('init', s.site, '--area', 'jx', '--name', '测试县', ...(db ? ['--db', db] : []));
  await s.start(env);
  s.admin = await s.welcome();
  s.areas = { jx: (await s.admin.get('areas')).areas[0].id };
  for (const [code, name, level, parent] of [['t1', '城关镇', 'township', 'jx'], ['t2', '河西乡', 'township', 'jx'], ['c1', '西关社区', 'community', 't1'],
    ['c2', '东关社区', 'community', 't1'], ['c3', '河西村', 'village', 't2'], ['q1', '古城小区', 'quarter', 'c1'], ['b1', '1号楼', 'building', 'q1'], ['b2', '2号楼', 'building', 'q1']])
    s.areas[code] = await s.admin.create('area', { name, code, level, parent: s.areas[parent] });
  return s;
}
export const today = () => new Intl.DateTimeFormat('sv-SE', { timeZone: 'Asia/Shanghai' }).format(new Date());
export const addDays = (day, n) => new Date(Date.parse(day + 'T00:00:00Z') + n * 86400000).toISOString().slice(0, 10);
export const sleep = (ms) => new Promise((r) => setTimeout(r, ms));

/* What stands behind the last of the given journal number: nothing was written. */
export const seqOf = async (client) => (await client.call('GET', '/healthz')).body.seq;

/* Bytes as they are; resolves with everything the server says until it closes (or 3 s). */
export function rawBytes(port, bytes) {
  return new Promise((done) => {
    let out = '';
    const s = connect(port, '127.0.0.1', () => s.write(bytes));
    const end = () => { clearTimeout(t); s.destroy(); done(out); };
    const t = setTimeout(end, 3000);
    s.on('data', (d) => { out += d.toString('latin1'); });
    s.on('end', end);
    s.on('error', end);
  });
}

/* The change feed as a list that grows. */
export class Feed {
  constructor(client, path = '/api/v1/feed', headers = {}) {
    this.events = [];
    this.waiting = [];
    this.opened = new Promise((opened) => {
      this.req = httpRequest(client.site.url + path, { headers: { Cookie: client.cookie, ...headers } }, (res) => {
        this.status = res.statusCode;
        opened(res);
        let text = '';
        res.on('data', (d) => {
          text += d;
          for (let at; (at = text.indexOf('\n\n')) >= 0; text = text.slice(at + 2)) this.take(text.slice(0, at));
        });
        res.on('close', () => { this.closed = true; this.waiting.forEach((w) => w()); });
        res.on('error', () => {});
      });
      this.req.on('error', () => {});
      this.req.end();
    });
  }
  take(block) {
    const e = {};
    for (const line of block.split('\n')) {
      const m = /^(\w+): (.*)$/.exec(line);
      if (m) e[m[1]] = m[2];
    }
    if (!e.event) return;
    this.events.push({ ...e, data: JSON.parse(e.data) });
    this.waiting.forEach((w) => w());
  }
  async until(what, ms = 5000) {
    const end = Date.now() + ms;
    for (;;) {
      const found = this.events.find(what);
      if (found) return found;
      if (this.closed || Date.now() > end) throw new Error('no such event; had ' + JSON.stringify(this.events));
      await new Promise((r) => { this.waiting.push(r); setTimeout(r, 50); });
    }
  }
  end() { this.req.destroy(); }
}
