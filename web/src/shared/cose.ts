import { hashes, verify } from '@noble/ed25519';
import { blake2b } from '@noble/hashes/blake2.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { Major, Reader, compare, join, unhex, utf8 } from './cbor';

hashes.sha512 = sha512;

/* A key as the gate's bundle brings it (src/pass/pass.h). */
export interface Key { kid: string; x: string; iss: string; nbf: number; exp: number }
export interface Cose { head: Uint8Array; kid: Uint8Array; payload: Uint8Array; signature: Uint8Array }
export type Signed = 'valid' | 'unknown_key' | 'forged';

export const blake = (...parts: Uint8Array[]) => blake2b(join(...parts), { dkLen: 32 });

function readHead(head: Uint8Array, type: string): Uint8Array | null {
  const r = new Reader(head), n = type ? 3 : 2;
  if (r.read(Major.map, 3) !== n) return null;
  r.expect(1);
  r.expect(-8);
  if (type) {
    r.expect(3);
    if (utf8(r.str(Major.text, type.length)) !== type) return null;
  }
  r.expect(4);
  const kid = r.fixed(8);
  return r.done ? kid : null;
}
/* 18([head, {}, payload, signature]) and nothing else; null: damaged. */
export function parse(token: Uint8Array, type: string): Cose | null {
  const r = new Reader(token);
  const form = r.read(Major.tag, 18) === 18 && r.read(Major.array, 4) === 4;
  const head = r.str(Major.bytes, 64);
  r.read(Major.map, 0);
  const payload = r.str(Major.bytes, token.length), signature = r.fixed(64);
  const kid = form && r.done ? readHead(head, type) : null;
  return kid && { head, kid, payload, signature };
}
function bytesHead(n: number): Uint8Array {
  if (n < 24) return Uint8Array.of(0x40 + n);
  if (n < 256) return Uint8Array.of(0x58, n);
  if (n < 65536) return Uint8Array.of(0x59, n >> 8, n & 255);
  return Uint8Array.of(0x5a, n >>> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255);
}
/* ["Signature1", head, no outside data, payload] */
function signedBytes(c: Cose): Uint8Array {
  const name = Uint8Array.from('Signature1', (x) => x.charCodeAt(0));
  return join(Uint8Array.of(0x84, 0x60 + name.length), name, bytesHead(c.head.length), c.head, Uint8Array.of(0x40), bytesHead(c.payload.length), c.payload);
}
export function checkSigned(c: Cose, keys: Key[]): { signed: Signed; key?: Key } {
  const text = signedBytes(c);
  let signed: Signed = 'unknown_key';
  for (const key of keys) {
    if (compare(unhex(key.kid), c.kid) !== 0) continue;
    signed = 'forged';
    if (verify(c.signature, text, unhex(key.x), { zip215: false })) return { signed: 'valid', key };
  }
  return { signed };
}
/* Did this key sign for that issuer at that time?  The set may hold it for more than one. */
export const serves = (keys: Key[], key: Key, issuer: string, at: number) =>
  keys.some((k) => k.x === key.x && k.iss === issuer && at >= k.nbf && at < k.exp);

/* A name as keys, areas and issuers have it: 1 to 64 bytes, no control characters; null: not one. */
export function plain(p: Uint8Array): string | null {
  const ok = p.length >= 1 && p.length <= 64 && p.every((x) => x >= 0x20 && x !== 0x7f);
  return ok ? utf8(p) : null;
}
