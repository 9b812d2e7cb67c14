/* Signed lists for gates (src/pass/list.h): revoked passes, and passes whose holders must stay at home. */
import { Major, Reader, compare, unhex } from './cbor';
import { type Key, type Signed, blake, checkSigned, parse, plain, serves } from './cose';

export interface PassList {
  kind: 'revoked' | 'stay_home';
  issuer: string;
  version: number;
  base: number; /* 0: a full list; else the version a change starts from */
  made: number;
  until: number;
  salt: Uint8Array;
  hashes: Uint8Array;
  removed: Uint8Array;
  result: Uint8Array;
}
const HASH = 8, MOST = 1000000, TIME_END = 253402300800;
const none = new Uint8Array(0);
const count = (h: Uint8Array) => h.length / HASH;
const entry = (h: Uint8Array, i: number) => h.subarray(i * HASH, i * HASH + HASH);

function ascending(h: Uint8Array): boolean {
  if (h.length % HASH || count(h) > MOST) return false;
  for (let i = 1; i < count(h); i++) if (compare(entry(h, i - 1), entry(h, i)) >= 0) return false;
  return true;
}
function readList(payload: Uint8Array): PassList | null {
  const r = new Reader(payload);
  if (r.read(Major.map, 4) !== 4) return null;
  r.expect(1);
  const issuer = plain(r.str(Major.text, 64));
  r.expect(4);
  const until = r.uint(0, TIME_END - 1);
  r.expect(6);
  const made = r.uint(0, TIME_END - 1);
  r.expect(-65538);
  const parts = r.read(Major.map, 7);
  r.expect(1);
  const kind = r.uint(1, 2) === 1 ? 'revoked' : 'stay_home';
  r.expect(2);
  const version = r.uint(1, Number.MAX_SAFE_INTEGER);
  r.expect(3);
  const salt = r.fixed(16);
  r.expect(4);
  const hashes = r.str(Major.bytes, MOST * HASH);
  let base = 0, removed: Uint8Array = none, result: Uint8Array = none;
  if (parts === 7) {
    r.expect(5);
    base = r.uint(1, version - 1);
    r.expect(6);
    removed = r.str(Major.bytes, MOST * HASH);
    r.expect(7);
    result = r.fixed(32);
  }
  if (!r.done || (parts !== 4 && parts !== 7) || issuer === null || made >= until || !ascending(hashes) || !ascending(removed)) return null;
  /* Copies: a view would keep the whole file, in memory and in the store. */
  return { kind, issuer, version, base, made, until, salt: salt.slice(), hashes: hashes.slice(), removed: removed.slice(), result: result.slice() };
}
export function openList(keys: Key[], file: Uint8Array): { verdict: Signed | 'damaged'; list?: PassList } {
  const cose = parse(file, 'lf-list');
  if (!cose) return { verdict: 'damaged' };
  const { signed, key } = checkSigned(cose, keys);
  if (!key) return { verdict: signed };
  const list = readList(cose.payload);
  if (!list) return { verdict: 'damaged' };
  return serves(keys, key, list.issuer, list.made) ? { verdict: 'valid', list } : { verdict: 'unknown_key' };
}

function has(h: Uint8Array, wanted: Uint8Array): boolean {
  let low = 0, high = count(h);
  while (low < high) {
    const mid = (low + high) >> 1, way = compare(entry(h, mid), wanted);
    if (way === 0) return true;
    if (way < 0) low = mid + 1;
    else high = mid;
  }
  return false;
}
/* `id`: 32 hexadecimal digits, with or without hyphens. */
export const listHas = (l: PassList, id: string) => has(l.hashes, blake(l.salt, unhex(id.replace(/-/g, ''))).subarray(0, HASH));
export const listCount = (l: PassList) => count(l.hashes);

/* May `next` take the place of `now`?  An older one must not: that would let revoked passes in again.  The same once more brings a later time. */
export const listReplaces = (next: PassList, now: PassList) =>
  next.base === 0 && next.kind === now.kind && next.issuer === now.issuer && (next.version > now.version || (next.version === now.version && next.made > now.made));

const sameSeries = (a: PassList, b: PassList) => a.kind === b.kind && a.issuer === b.issuer && compare(a.salt, b.salt) === 0;

/* The full list after the change; null when it does not fit, and a full one must be fetched. */
export function applyList(l: PassList, d: PassList): PassList | null {
  if (l.base || !d.base || d.base !== l.version || !sameSeries(l, d)) return null;
  const out = new Uint8Array(l.hashes.length + d.hashes.length);
  let n = 0, j = 0;
  const add = (from: Uint8Array, i: number) => {
    out.set(entry(from, i), n);
    n += HASH;
  };
  for (let i = 0; i < count(l.hashes); i++) {
    const kept = entry(l.hashes, i);
    if (has(d.removed, kept)) continue;
    while (j < count(d.hashes) && compare(entry(d.hashes, j), kept) < 0) add(d.hashes, j++);
    add(l.hashes, i);
  }
  while (j < count(d.hashes)) add(d.hashes, j++);
  const hashes = out.slice(0, n);
  if (!ascending(hashes) || compare(blake(hashes), d.result) !== 0) return null;
  return { ...d, base: 0, hashes, removed: none, result: none };
}
