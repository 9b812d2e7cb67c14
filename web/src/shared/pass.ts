/* What a gate does with the text of a pass, alone.  The same rules in the same order as src/pass/pass.c; tests/vectors/pass.json holds both
 * together.  Times are seconds. */
import { Major, Reader, base45, hex } from './cbor';
import { type Key, blake, checkSigned, parse, plain, serves } from './cose';
import { inflate } from './inflate';
import { type PassList, listHas } from './passlist';
import { showNumber } from './passnumber';

export type Verdict =
  | 'valid' | 'not_a_pass' | 'damaged' | 'unknown_key' | 'forged' | 'stay_home' | 'revoked' | 'expired' | 'not_yet_valid' | 'wrong_area';
export interface Claims {
  id: string; issuer: string; from: number; expires: number; issued: number;
  kind: number; areas: string[]; outings: number; days: number;
}
export interface Gate { keys: Key[]; chain: string[]; lists: PassList[]; now: number }
export interface Verified { verdict: Verdict; claims?: Claims }

const TEXT_MAX = 1200, TOKEN_MAX = 2048, TIME_END = 253402300800;

function time(r: Reader, key: number): number {
  r.expect(key);
  return r.uint(0, TIME_END - 1);
}
function names(r: Reader): (string | null)[] {
  const out: (string | null)[] = [];
  r.expect(1);
  for (let n = r.read(Major.array, 8); n > 0; n--) out.push(plain(r.str(Major.text, 64)));
  return out;
}
function readClaims(payload: Uint8Array): Claims | null {
  const r = new Reader(payload);
  if (r.read(Major.map, 6) !== 6) return null;
  r.expect(1);
  const issuer = plain(r.str(Major.text, 64));
  const expires = time(r, 4), from = time(r, 5), issued = time(r, 6);
  r.expect(7);
  const id = r.fixed(16);
  r.expect(-65537);
  const parts = r.read(Major.map, 4), areas = names(r);
  r.expect(2);
  const kind = r.uint(1, 4);
  let outings = 0, days = 0;
  if (parts === 4) {
    r.expect(3);
    outings = r.uint(1, 1000);
    r.expect(4);
    days = r.uint(1, 366);
  }
  const once = new Set(areas).size === areas.length;
  if (!r.done || (parts !== 2 && parts !== 4) || issuer === null || from >= expires || !areas.length || !once) return null;
  if (areas.indexOf(null) >= 0) return null;
  return { id: hex(id), issuer, from, expires, issued, kind, areas: areas as string[], outings, days };
}
const listed = (g: Gate, kind: PassList['kind'], c: Claims) => g.lists.some((l) => l.kind === kind && l.issuer === c.issuer && listHas(l, c.id));

function judge(g: Gate, c: Claims): Verdict {
  if (listed(g, 'stay_home', c)) return 'stay_home';
  if (listed(g, 'revoked', c)) return 'revoked';
  if (g.now >= c.expires) return 'expired';
  if (g.now < c.from) return 'not_yet_valid';
  return g.chain.some((code) => c.areas.indexOf(code) >= 0) ? 'valid' : 'wrong_area';
}
export function verifyPass(g: Gate, text: string): Verified {
  if (text.slice(0, 4) !== 'LF1:') return { verdict: 'not_a_pass' };
  const packed = text.length > TEXT_MAX ? null : base45(text.slice(4));
  const token = packed && inflate(packed, TOKEN_MAX);
  const cose = token && parse(token, '');
  if (!cose) return { verdict: 'damaged' };
  const { signed, key } = checkSigned(cose, g.keys);
  if (!key) return { verdict: signed };
  const claims = readClaims(cose.payload);
  if (!claims) return { verdict: 'damaged' };
  if (!serves(g.keys, key, claims.issuer, claims.issued)) return { verdict: 'unknown_key' };
  return { verdict: judge(g, claims), claims };
}
/* Are both lists of this issuer there and within their time? */
export function listsCurrent(g: Gate, issuer: string): boolean {
  const current = (kind: PassList['kind']) => g.lists.some((l) => l.kind === kind && l.issuer === issuer && g.now < l.until);
  return current('revoked') && current('stay_home');
}
/* The number on the card that belongs to an id. */
export function passNumber(id: Uint8Array): string {
  const digest = blake(Uint8Array.from('pass number', (x) => x.charCodeAt(0)), id);
  const digits: number[] = [];
  for (let i = 0; i < 11; i++) {
    const bit = 5 * i, two = digest[bit >> 3] * 256 + digest[(bit >> 3) + 1];
    digits.push((two >> (11 - (bit & 7))) & 31);
  }
  return showNumber(digits);
}
