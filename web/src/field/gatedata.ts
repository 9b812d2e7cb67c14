/* What the phone holds of its gate: the gate itself, keys, lists, the server's clock. */
import { shallowReactive } from 'vue';
import { Problem, get, post, url } from '../shared/api';
import type { Key } from '../shared/cose';
import type { Claims, Verdict } from '../shared/pass';
import type { PassList } from '../shared/passlist';
import { drop, keep, load } from '../shared/store';
import type { Page } from '../shared/types';

export interface GateRef { id: string; code: string; name: string; place: string }
interface Bundle {
  gate: { id: string; code: string; name: string; chain: { code: string; name: string }[] };
  issuer: string;
  key_set: { keys: Key[] };
  lists: { revoked: number; stay_home: number };
  now: string;
}
/* ahead: how far the server's clock is ahead of the phone's, in milliseconds. */
interface Held { bundle: Bundle; at: number; ahead: number }

export const held = shallowReactive<{ gate: GateRef | null; data: Held | null; lists: PassList[] }>({ gate: null, data: null, lists: [] });
export const now = () => Date.now() + (held.data ? held.data.ahead : 0);

const KINDS = ['revoked', 'stay_home'] as const, DAY = 86400000;

export async function loadHeld(): Promise<void> {
  held.gate = (await load<GateRef>('keep', 'gate')) || null;
  held.data = (await load<Held>('keep', 'bundle')) || null;
  const lists = await Promise.all(KINDS.map((k) => load<PassList>('keep', 'list.' + k)));
  held.lists = lists.filter((l): l is PassList => !!l);
}
export async function gates(): Promise<GateRef[]> {
  const out: GateRef[] = [];
  for (let after: string | null = ''; after !== null;) {
    const page: Page = await get<Page>('gate', { limit: 500, after });
    for (const r of page.records) {
      const place = r.area ? (r.area.full || r.area.name).split(' › ').slice(-2).join(' › ') : '';
      out.push({ id: r.id, code: String(r.data.code || ''), name: String(r.data.name || r.title), place });
    }
    after = page.next;
  }
  return out;
}
export async function choose(g: GateRef): Promise<void> {
  await keep('keep', 'gate', { ...g });
  await drop('keep', 'bundle');
  held.gate = g;
  held.data = null;
}

async function fetchList(kind: string, from: number): Promise<Uint8Array> {
  const res = await fetch(url('gate/lists/' + kind, { from: from || null }), { credentials: 'same-origin', cache: 'no-store' });
  if (!res.ok) throw new Problem({ status: res.status, code: 'HTTP_' + res.status });
  return new Uint8Array(await res.arrayBuffer());
}
/* A list that does not fit, or is not signed, is left alone: what is held goes on serving, and its age is said. */
async function freshList(kind: (typeof KINDS)[number], b: Bundle): Promise<void> {
  const v = await import('./verify');
  const mine = held.lists.find((l) => l.kind === kind && l.issuer === b.issuer);
  const half = mine && mine.until * 1000 - now() > DAY / 2;
  if (mine && half && mine.version === b.lists[kind]) return;
  const keys = b.key_set.keys, first = v.openList(keys, await fetchList(kind, mine ? mine.version : 0)).list;
  const next = mine && first && first.base ? v.applyList(mine, first) || v.openList(keys, await fetchList(kind, 0)).list : first;
  if (!next || next.base || next.kind !== kind || next.issuer !== b.issuer) return;
  if (mine && !v.listReplaces(next, mine)) return;
  if (!held.gate) return; /* signed out meanwhile: nothing stays on the phone */
  await keep('keep', 'list.' + kind, next);
  held.lists = held.lists.filter((l) => l.kind !== kind).concat(next);
}
let asked: Promise<void> | null = null;
async function fetchAll(g: GateRef): Promise<void> {
  const bundle = await get<Bundle>('gate/bundle', { gate: g.id });
  const data = { bundle, at: Date.now(), ahead: Date.parse(bundle.now) - Date.now() };
  if (held.gate !== g) return;
  await keep('keep', 'bundle', data);
  held.data = data;
  /* Before the first pass is made there is nobody to sign lists. */
  if (bundle.key_set.keys.length && canVerify) for (const kind of KINDS) await freshList(kind, bundle);
}
/* Another gate chosen meanwhile is asked for next, whatever became of the first. */
async function fetchChosen(): Promise<void> {
  for (let g = held.gate; g; g = held.gate === g ? null : held.gate) {
    try {
      await fetchAll(g);
    } catch (x) {
      if (held.gate === g) throw x;
    }
  }
}
export function refresh(): Promise<void> {
  const done = () => (asked = null);
  asked = asked || fetchChosen();
  asked.then(done, done);
  return asked;
}

/* Phones before 2018 (Safari before 14) lack the numbers that the check of a signature needs: there the server is asked. */
export const canVerify = typeof BigInt !== 'undefined';

export interface Judged {
  verdict: Verdict | 'offline_number';
  number?: string;
  kind?: number;
  areas?: string[];
  until?: number; /* milliseconds */
  outings?: number;
  days?: number;
  id?: string;
  old: 'none' | 'lists' | 'keys'; /* what is out of date on the phone */
  asked?: boolean; /* the server said it */
}
interface Said { verdict: Verdict; number?: string; kind?: string; area_names?: string[]; valid_until?: string; outings?: number | null; days?: number | null }
const kindNames = ['household', 'person', 'vehicle', 'visitor'];

async function ask(body: Record<string, string>): Promise<Judged> {
  const s = await post<Said>('gate/verify', { ...body, gate: (held.gate as GateRef).id }, { timeout: 8000 });
  return {
    verdict: s.verdict, number: s.number, kind: s.kind ? kindNames.indexOf(s.kind) + 1 : undefined, areas: s.area_names, old: 'none', asked: true,
    until: s.valid_until ? Date.parse(s.valid_until) : undefined, outings: s.outings || undefined, days: s.days || undefined, id: s.number,
  };
}
/* A number cannot be checked by the phone alone: it is the server's to know whether there is such a pass. */
export async function judgeNumber(number: string): Promise<Judged> {
  try {
    return await ask({ number });
  } catch (x) {
    if (x instanceof Problem && x.passing) return { verdict: 'offline_number', number, id: number, old: 'none' };
    throw x;
  }
}
function areaName(code: string): string {
  const hit = held.data && held.data.bundle.gate.chain.find((a) => a.code === code);
  return hit ? hit.name : code;
}
export async function judgeText(text: string): Promise<Judged> {
  if (!canVerify) return ask({ text });
  const v = await import('./verify'), b = held.data && held.data.bundle;
  const g = { keys: b ? b.key_set.keys : [], chain: b ? b.gate.chain.map((a) => a.code) : [], lists: held.lists, now: Math.floor(now() / 1000) };
  const { verdict, claims } = v.verifyPass(g, text);
  const stale = !held.data || Date.now() - held.data.at > DAY;
  const c: Partial<Claims> = claims || {};
  const number = c.id ? v.passNumber(v.unhex(c.id)) : undefined;
  const old = claims && !v.listsCurrent(g, claims.issuer) ? 'lists' : stale ? 'keys' : 'none';
  return {
    verdict, number, kind: c.kind, areas: c.areas && c.areas.map(areaName), until: c.expires ? c.expires * 1000 : undefined, outings: c.outings || undefined,
    days: c.days || undefined, id: number, old,
  };
}

/* When this pass was last let through here by this phone, in milliseconds. */
export async function seenBefore(id: string): Promise<number | undefined> {
  const s = await load<{ at: number; gate: string }>('seen', id);
  return s && held.gate && s.gate === held.gate.id && Date.now() - s.at < DAY ? s.at : undefined;
}
export const noteSeen = (id: string) => keep('seen', id, { at: Date.now(), gate: held.gate ? held.gate.id : '' });
