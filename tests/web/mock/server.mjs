/* docs/api.md in memory, for developing the pages and for the faults a real server cannot be made to have on demand.
 *   node tests/web/mock/server.mjs [PORT]        serves web/dist too, with the product's own headers */
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as world from './data.mjs';
import { steps } from './steps.mjs';
import { figureIds, figureValue, figureLabel, figureUnit, figureRows, series, brief, coverage, proposal, missing, gatesDay } from './figures.mjs';

const { TODAY, kindOf, records, history, byCode, under, full } = world;
const dist = fileURLToPath(new URL('../../../web/dist/', import.meta.url));
export const LINK_TOKEN = 'first-link-of-the-mock';
const csp = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.json': 'application/json' };

const state = { password: 'mock password 12', linkUsed: false, links: new Set(), totp: null, totpOn: false, failures: 0, done: new Map(), faults: [], streams: new Set(), imports: new Map(), sessions: new Set() };
const titles = { 400: '请求无法读懂', 401: '请先登录', 403: '没有此项权限', 404: '没有这条记录', 409: '他人已经修改', 422: '字段内容有误', 429: '请求过于频繁', 503: '系统繁忙' };
class Fail extends Error {
  constructor(status, code, detail, more = {}, headers = {}) { super(detail); Object.assign(this, { status, headers, body: { type: 'about:blank', title: titles[status], status, code, detail, request_id: 'mock', ...more } }); }
}
const text = (l, lang) => (lang === 'en' ? l.en : l.zh);
const areaRef = (code) => { const a = byCode(code); return a ? { id: a.id, code: a.code, name: a.name, full: full(a.code) } : null; };
const mask = (v) => (v.length > 11 ? v.slice(0, 6) + '********' + v.slice(-4) : v.slice(0, 3) + '****' + v.slice(-4));
export const title = (r) => r.data.name || r.data.door || r.data.code || (r.data.plate ?? '') || (r.data.unit && title(records.get(r.data.unit))) || (r.data.since ? `${r.data.since} – ${r.data.until}` : r.id.slice(-6));
export function out(r) {
  const k = kindOf(r.kind), data = {}, refs = {};
  for (const f of k.fields) {
    const v = r.data[f.name] ?? null;
    data[f.name] = f.sealed && v ? mask(v) : v;
    if (f.type === 'ref' && v && records.get(v)) refs[f.name] = { id: v, title: title(records.get(v)) };
  }
  return { id: r.id, kind: r.kind, version: r.version, area: areaRef(r.areaCode), title: title(r), created_at: r.created_at, updated_at: r.updated_at, data, refs };
}
const kindJson = (k, lang) => ({
  name: k.name, label: text(k.label, lang), plural: text(k.plural, lang), log: k.log, area: k.area, area_from: k.area_from, commands: k.commands,
  fields: k.fields.map((f) => ({ ...f, label: text(f.label, lang), codes: f.codes && f.codes.map((c) => ({ value: c.value, label: text(c.label, lang) })) })),
});
function page(list, q) {
  const limit = Math.min(+q.get('limit') || 50, 500), at = +q.get('after') || 0;
  return { records: list.slice(at, at + limit).map(out), next: at + limit < list.length ? String(at + limit) : null };
}
function listOf(kind, q) {
  const k = kindOf(kind), text = (q.get('q') || '').toLowerCase();
  return [...records.values()].filter((r) => r.kind === kind && !r.removed && (!q.get('area') || r.areaCode === null || under(r.areaCode, q.get('area')) || (kind === 'area' && under(r.data.code, q.get('area'))))
    && (!text || Object.values(r.data).some((v) => typeof v === 'string' && v.toLowerCase().includes(text)) || title(r).toLowerCase().includes(text))
    && k.fields.every((f) => !q.get(f.name) || f.name === 'area' || String(r.data[f.name]) === q.get(f.name))).reverse();
}

/* ---- commands ---- */
function validate(k, data, create) {
  const errors = [];
  const say = (f, reason, detail) => errors.push({ field: f.name, label: f.label.zh, reason, detail });
  for (const f of k.fields) {
    const v = data[f.name];
    if ((create || v === null) && f.required && (v === null || v === undefined || v === '')) say(f, 'REQUIRED', '必填');
    if (v === null || v === undefined) continue;
    if (f.read_only) say(f, 'READ_ONLY', '由系统填写，不能改');
    if ((f.type === 'int' || f.type === 'real') && f.min !== null && (v < f.min || v > f.max)) say(f, 'RANGE', `应在 ${f.min} 到 ${f.max} 之间`);
    if (f.type === 'ref' && !records.get(v)) say(f, 'NO_RECORD', '没有这条记录');
  }
  for (const name of Object.keys(data)) if (!k.fields.some((f) => f.name === name)) errors.push({ field: name, label: name, reason: 'UNKNOWN_FIELD', detail: '没有这个字段' });
  if (k.name === 'household' && create && [...records.values()].some((r) => r.kind === 'household' && !r.removed && data.code && r.data.code === data.code)) say(k.fields.find((f) => f.name === 'code'), 'SAME_CODE', `编号 ${data.code} 已被使用`);
  if (errors.length) throw new Fail(422, 'INVALID', errors[0].label + '：' + errors[0].detail, { field: errors[0].field, errors });
}
const now = () => TODAY + 'T09:30:00+08:00';
function changesOf(k, before, after) {
  return k.fields.filter((f) => f.name in after && JSON.stringify(before[f.name] ?? null) !== JSON.stringify(after[f.name] ?? null))
    .map((f) => (f.personal ? { field: f.name, label: f.label.zh, personal: true } : { field: f.name, label: f.label.zh, from: before[f.name] ?? null, to: after[f.name] ?? null }));
}
function journal(r, command, changes, more = {}, actor = '值班员') {
  const e = { seq: world.nextSeq(), at: now(), actor: { id: world.id(), name: actor }, command, changes, ...more };
  if (!history.has(r.id)) history.set(r.id, []);
  history.get(r.id).unshift(e);
  const data = JSON.stringify({ seq: e.seq, command, kind: r.kind, record: r.id, area: r.areaCode });
  for (const s of state.streams) s.write(`id: ${e.seq}\nevent: change\ndata: ${data}\n\n`);
  return e.seq;
}
function update(k, r, c) {
  if (c.version && c.version !== r.version) {
    const last = history.get(r.id)[0];
    const changed = r.before ? k.fields.filter((f) => JSON.stringify(r.before[f.name] ?? null) !== JSON.stringify(r.data[f.name] ?? null)).map((f) => ({ field: f.name, label: f.label.zh, from: f.sealed ? null : r.before[f.name] ?? null, to: f.sealed ? null : r.data[f.name] ?? null })) : [];
    throw new Fail(409, 'CONFLICT', `您打开之后，${last.actor.name} 修改了：${changed.map((x) => x.label).join('、')}`, { current: out(r), changed, by: last.actor.name, at: last.at });
  }
  validate(k, c.data, false);
  const changes = changesOf(k, r.data, c.data);
  r.before = { ...r.data };
  Object.assign(r.data, c.data);
  if (c.area) r.areaCode = c.area;
  r.version++;
  r.updated_at = now();
  return journal(r, c.command, changes);
}
function apply(k, r, data) {
  const changes = changesOf(k, r.data, data);
  r.before = { ...r.data };
  Object.assign(r.data, data);
  r.version++;
  r.updated_at = now();
  return changes;
}
function create(k, c) {
  validate(k, c.data, true);
  const from = k.area_from && records.get(c.data[k.area_from]);
  const at = c.area || from?.areaCode || (k.area === false ? null : '141028');
  if (at && !byCode(at)) throw new Fail(422, 'INVALID', '区域：没有这个区域', { field: 'area', errors: [{ field: 'area', label: '区域', reason: 'NO_RECORD', detail: '没有这个区域' }] });
  const r = { id: world.id(), kind: k.name, version: 1, areaCode: at, created_at: now(), updated_at: now(), data: { ...c.data } };
  if (k.name === 'case') r.data.outcome ??= 'in_treatment';
  records.set(r.id, r);
  return { r, seq: journal(r, c.command, []) };
}
function runCommand(c) {
  if (!/^[0-9a-f]{8}-[0-9a-f]{4}-7/.test(c.id || '')) throw new Fail(422, 'INVALID', '编号应为 UUIDv7', { field: 'id' });
  const print = JSON.stringify(c), old = state.done.get(c.id);
  if (old) {
    if (old.print !== print) throw new Fail(409, 'CONFLICT', '同一命令编号已用于另一内容');
    return { ...old.answer, repeated: true };
  }
  const [kind, verb] = c.command.split('.'), k = kindOf(kind);
  if (!world.may.includes(c.command)) throw new Fail(403, 'FORBIDDEN', `您的角色不能执行 ${c.command}`);
  const r = c.record ? records.get(c.record) : null;
  if (c.record && (!r || r.removed)) throw new Fail(404, 'NOT_FOUND', '没有这条记录');
  const answer = { id: c.id, record: r?.id, version: r?.version, seq: world.seq, repeated: false };
  if (verb === 'create') { const n = create(k, c); Object.assign(answer, { record: n.r.id, version: 1, seq: n.seq }); }
  else if (verb === 'update') { answer.seq = update(k, r, c); answer.version = r.version; }
  else if (verb === 'remove') { r.removed = true; r.version++; answer.seq = journal(r, c.command, []); }
  else if (verb === 'open') {
    if ([...(c.data.reason || '')].length < 4) throw new Fail(422, 'INVALID', '查看前请写明理由（至少 4 个字）', { field: 'reason' });
    answer.values = Object.fromEntries(c.data.fields.map((f) => [f, r.data[f]]));
    answer.seq = journal(r, c.command, [], { reason: c.data.reason });
  } else if (c.command === 'bulletin.issue') {
    const same = [...records.values()].filter((x) => x.kind === 'bulletin' && x.areaCode === c.area && x.data.since === c.data.since && x.data.until === c.data.until);
    const n = world.add('bulletin', c.area, { since: c.data.since, until: c.data.until, revision: same.length + 1, issued_at: now(), note: null }, now());
    Object.assign(answer, { record: n.id, version: 1 });
  } else if (steps[c.command]) {
    const changed = steps[c.command](r, c.data, (status, code, detail, more) => { throw new Fail(status, code, detail, more); });
    for (const [x, data] of changed) answer.seq = journal(x, c.command, apply(kindOf(x.kind), x, data));
    answer.version = r?.version;
  }
  state.done.set(c.id, { print, answer });
  return answer;
}

/* ---- routes ---- */
const session = () => ({
  user: { id: '01700000-0000-7000-8000-ffffffffffff', login: 'admin', name: '值班员' }, roles: [{ role: 'admin', area: { code: '141028', name: '吉县' } }], may: world.may, csrf: 'mock-csrf',
  site: { name: '吉县疫情防控指挥部', timezone: 'Asia/Shanghai', today: TODAY, version: 'mock' }, area: { id: byCode('141028').id, code: '141028', name: '吉县', level: 'county' },
});
function enter(res) {
  const t = Math.random().toString(36).slice(2);
  state.sessions.add(t);
  res.setHeader('Set-Cookie', `lf_session=${t}; Path=/; HttpOnly; SameSite=Strict`);
  return session();
}
function signIn(body, res) {
  if (state.failures >= 5) throw new Fail(429, 'THROTTLED', '尝试太多，请在 3 秒后再试', {}, { 'Retry-After': '3' });
  if (body.login !== 'admin' || body.password !== state.password) {
    if (++state.failures >= 5) setTimeout(() => (state.failures = 0), 3000);
    throw new Fail(401, 'UNAUTHENTICATED', '用户名、密码或动态码不对');
  }
  if (state.totpOn && !body.code) throw new Fail(401, 'UNAUTHENTICATED', '请输入动态码', { hint: 'code' });
  if (state.totpOn && body.code !== '123456') throw new Fail(401, 'UNAUTHENTICATED', '用户名、密码或动态码不对');
  state.failures = 0;
  return enter(res);
}
const short = (p) => { if ([...p].length < 12) throw new Fail(422, 'INVALID', '密码至少 12 个字符', { field: 'new' }); };
function importFile(kind, q, body) {
  const lines = body.toString('utf8').replace(/^\ufeff/, '').split(/\r?\n/).filter((l) => l.trim()), head = (lines.shift() || '').split(',');
  const k = kindOf(kind), columns = head.map((c) => ({ column: c, field: k.fields.find((f) => f.label.zh === c || f.name === c)?.name ?? null }));
  const r = { imported: 0, updated: 0, unchanged: 0, queued: 0, refused: 0, refused_file: null, columns, problems: [] };
  const refused = [head.join(',')];
  lines.forEach((line, i) => {
    const cells = line.split(','), data = {};
    columns.forEach((c, j) => { if (c.field && cells[j]) data[c.field] = k.fields.find((f) => f.name === c.field).codes?.find((x) => x.label.zh === cells[j])?.value ?? cells[j]; });
    const lacking = k.fields.find((f) => f.required && f.type !== 'ref' && !data[f.name]);
    if (lacking) { r.refused++; refused.push(line); r.problems.push({ row: i + 2, column: lacking.label.zh, value: null, reason: '必填' }); return; }
    r.imported++;
    if (q.get('dry_run') !== '1') world.add(kind, q.get('area') || '141028', data, now());
  });
  if (refused.length > 1 && q.get('dry_run') !== '1') { const n = world.id(); state.imports.set(n, refused.join('\r\n')); r.refused_file = `/api/v1/imports/${n}/refused`; }
  return r;
}
const span = (q) => { const on = q.get('on') || q.get('to') || TODAY; return { from: q.get('from') || on, to: on }; };
function figuresJson(q, lang) {
  const { from, to } = span(q), a = q.get('area') || '141028', want = q.get('id')?.split(',') || figureIds;
  const rows = [];
  for (const id of want) {
    if (!figureIds.includes(id)) continue;
    rows.push({ id, dim: {}, value: figureValue(id, a, from, to), unit: figureUnit(id), label: figureLabel(id, lang) });
    if (id === 'gate.persons') for (const g of ['road', 'motorway_exit', 'quarter_gate']) rows.push({ id, dim: { kind: g }, value: figureValue(id, a, from, to, g), unit: 'count', label: figureLabel(id, lang) });
  }
  return { area: areaRef(a), from, to, figures: rows };
}
function readRoute(parts, q, lang, res) {
  const [p0, p1, p2] = parts, a = q.get('area') || '141028';
  if (p0 === 'kinds') return { kinds: world.kinds.map((k) => kindJson(k, lang)) };
  if (p0 === 'areas') { const top = q.get('parent'); return { areas: (top ? world.children(top) : [byCode('141028')]).map((x) => ({ id: x.id, code: x.code, name: x.name, level: x.level, level_label: world.levelLabel(x.level, lang), children: world.children(x.code).length })) }; }
  if (p0 === 'figures' && !p1) return figuresJson(q, lang);
  if (p0 === 'figures' && p2 === 'series') return { id: p1, label: figureLabel(p1, lang), unit: figureUnit(p1), points: series(p1, a, q.get('from'), q.get('to')) };
  if (p0 === 'figures' && p2 === 'rows') return page(figureRows(p1, a, span(q), q.get('dim')), q);
  if (p0 === 'reports' && p1 === 'missing') return missing(a, q.get('on') || TODAY, areaRef);
  if (p0 === 'coverage') return { area: areaRef(a), ...coverage(a, areaRef) };
  if (p0 === 'gates' && p1 === 'day') return gatesDay(a, q.get('on') || TODAY, areaRef, lang);
  if (p0 === 'bulletins') return { bulletins: listOf('bulletin', q).map((r) => ({ id: r.id, version: r.data.revision, from: r.data.since, to: r.data.until, at: r.created_at, by: { name: '值班员' }, area: areaRef(r.areaCode) })) };
  if (p0 === 'brief') { const { from, to } = span(q); res.setHeader('Content-Type', 'text/plain; charset=utf-8'); return brief(a, from, to, q.get('lang') || lang); }
  if (p0 === 'imports') { res.setHeader('Content-Type', 'text/csv; charset=utf-8'); return state.imports.get(p1); }
  const k = kindOf(p0);
  if (!k) throw new Fail(404, 'NOT_FOUND', '没有这个地址');
  if (!p1) return page(listOf(p0, q), q);
  if (p1 === 'export') { res.setHeader('Content-Type', 'text/csv; charset=utf-8'); res.setHeader('Content-Disposition', `attachment; filename="${p0}.csv"`); return '\ufeff' + k.fields.map((f) => text(f.label, lang)).join(',') + '\r\n'; }
  const r = records.get(p1);
  if (!r || r.removed || r.kind !== p0) throw new Fail(404, 'NOT_FOUND', '没有这条记录');
  if (p2 === 'history') return { entries: history.get(p1) || [] };
  return out(r);
}
function writeRoute(parts, q, raw, res) {
  const path = parts.join('/');
  if (parts[1] === 'import') return importFile(parts[0], q, raw);
  const body = raw.length ? JSON.parse(raw.toString('utf8')) : {};
  if (path === 'commands') return runCommand(body);
  if (path === 'session/totp') {
    if (!body.code) return { secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP', uri: 'otpauth://totp/%E8%81%94%E9%98%B2:admin?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=%E8%81%94%E9%98%B2' };
    if (body.code !== '123456') throw new Fail(422, 'INVALID', '动态码不对', { field: 'code' });
    state.totpOn = true;
    return {};
  }
  if (parts[0] === 'accounts' && parts[2] === 'link') {
    const r = records.get(parts[1]);
    if (r?.kind !== 'user' || r.removed) throw new Fail(404, 'NOT_FOUND', '没有这条记录');
    const token = 'mock-link-' + Math.random().toString(36).slice(2);
    state.links.add(token);
    return { link: '/#/welcome/' + token };
  }
  if (path === 'session/password') { if (body.password !== state.password) throw new Fail(422, 'INVALID', '现在的密码不对', { field: 'password' }); short(body.new); state.password = body.new; return {}; }
  if (path === 'coverage/proposal') return proposal(body.area, body.target, body.most, areaRef, title);
  if (path === 'coverage/apply') return { changed: proposal(body.area, body.target, body.most, areaRef, title, true).changes };
  throw new Fail(404, 'NOT_FOUND', '没有这个地址');
}
/* Faults and other people's doings, for tests: POST /mock/fault {"match","status"|"drop"|"lose","times"}, /mock/edit {"id","data"}, /mock/reset */
function control(parts, raw) {
  const body = raw.length ? JSON.parse(raw.toString('utf8')) : {};
  if (parts[0] === 'fault') state.faults.push({ times: 1, ...body });
  if (parts[0] === 'reset') Object.assign(state, { faults: [], failures: 0, totpOn: false });
  if (parts[0] === 'signout') state.sessions.clear();
  if (parts[0] === 'cut') for (const s of state.streams) s.destroy();
  if (parts[0] === 'edit') { const r = records.get(body.id); r.before = { ...r.data }; const changes = changesOf(kindOf(r.kind), r.data, body.data); Object.assign(r.data, body.data); r.version++; r.updated_at = now(); journal(r, r.kind + '.update', changes, {}, '赵静'); }
  return { ok: true };
}
function fault(method, path) {
  const f = state.faults.find((x) => x.times > 0 && (method + ' ' + path).includes(x.match));
  if (f) f.times--;
  return f;
}
async function apiCall(req, res, parts, q, raw) {
  const lang = q.get('lang') || (req.headers['accept-language'] || 'zh-Hans').split(',')[0];
  const signedIn = state.sessions.has(/lf_session=(\w+)/.exec(req.headers.cookie || '')?.[1]);
  if (parts[0] === 'session' && req.method === 'POST' && !parts[1]) return signIn(JSON.parse(raw), res);
  if (parts[0] === 'session' && parts[1] === 'link') {
    const b = JSON.parse(raw);
    if (state.links.has(b.token)) { short(b.password); state.links.delete(b.token); return enter(res); }
    if (b.token !== LINK_TOKEN || state.linkUsed) throw new Fail(410, 'GONE', '此链接已用过或已过期');
    short(b.password);
    Object.assign(state, { linkUsed: true, password: b.password });
    return enter(res);
  }
  if (!signedIn) throw new Fail(401, 'UNAUTHENTICATED', '登录已失效，请重新登录');
  if (parts[0] === 'session' && req.method === 'GET') return session();
  if (req.method !== 'GET' && req.headers['x-csrf-token'] !== 'mock-csrf') throw new Fail(403, 'FORBIDDEN', '缺少防伪造标记');
  if (parts[0] === 'session' && req.method === 'DELETE') { state.sessions.clear(); return null; }
  return req.method === 'GET' ? readRoute(parts, q, lang, res) : writeRoute(parts, q, raw, res);
}
function feed(req, res) {
  res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  res.write(`id: ${world.seq}\nevent: ready\ndata: {"seq":${world.seq}}\n\n`);
  state.streams.add(res);
  req.on('close', () => state.streams.delete(res));
}
function file(path, res) {
  const name = path === '/' ? 'hq.html' : normalize(path).replace(/^\/+/, '');
  const at = join(dist, name);
  if (!at.startsWith(dist) || !existsSync(at) || !statSync(at).isFile()) { res.writeHead(404).end(); return; }
  res.writeHead(200, { 'Content-Type': types[extname(at)] || 'application/octet-stream', 'Cache-Control': name.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache' });
  createReadStream(at).pipe(res);
}
async function handle(req, res) {
  res.setHeader('Content-Security-Policy', csp);
  res.setHeader('X-Content-Type-Options', 'nosniff');
  res.setHeader('Referrer-Policy', 'no-referrer');
  const u = new URL(req.url, 'http://x'), parts = u.pathname.split('/').filter((x) => x).map(decodeURIComponent);
  const chunks = [];
  for await (const c of req) chunks.push(c);
  const raw = Buffer.concat(chunks);
  if (parts[0] === 'mock') return void res.end(JSON.stringify(control(parts.slice(1), raw)));
  if (parts[0] !== 'api') return file(u.pathname, res);
  const f = fault(req.method, u.pathname);
  try {
    if (f?.drop) return void req.socket.destroy();
    if (f?.status) throw new Fail(f.status, f.status === 503 ? 'BUSY' : f.status === 429 ? 'THROTTLED' : 'INTERNAL', f.detail, {}, f.status === 429 ? { 'Retry-After': '1' } : {});
    if (u.pathname === '/api/v1/feed') return feed(req, res);
    const answer = await apiCall(req, res, parts.slice(2), u.searchParams, raw);
    /* Cut within the answer: a reset before it would be retried by the browser itself. */
    if (f?.lose) { res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '9999' }); res.write('{'); return void setTimeout(() => req.socket.destroy(), 30); }
    if (answer === null) return void res.writeHead(204).end();
    if (typeof answer === 'string') return void res.end(answer);
    res.setHeader('Content-Type', 'application/json; charset=utf-8');
    res.end(JSON.stringify(answer));
  } catch (x) {
    const p = x instanceof Fail ? x : new Fail(500, 'INTERNAL', String(x.stack));
    res.writeHead(p.status, { 'Content-Type': 'application/problem+json; charset=utf-8', ...p.headers }).end(JSON.stringify(p.body));
  }
}
export function serve(port = 0) {
  return new Promise((ready) => {
    const server = createServer((req, res) => void handle(req, res));
    server.listen(port, '127.0.0.1', () => {
      const url = 'http://127.0.0.1:' + server.address().port;
      ready({ url, link: `${url}/#/welcome/${LINK_TOKEN}`, close: () => { server.closeAllConnections(); server.close(); } });
    });
  });
}
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const s = await serve(+process.argv[2] || 0);
  console.log(s.link);
}
