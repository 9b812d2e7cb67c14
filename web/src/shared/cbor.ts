/* Base45 (RFC 9285) and the narrow CBOR of passes, read as src/pass/cbor.c reads it: one spelling of everything, else `bad`. */
export const enum Major { uint, nint, bytes, text, array, map, tag }

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:';

export function base45(s: string): Uint8Array | null {
  const n = s.length;
  if (n % 3 === 1) return null;
  const out = new Uint8Array(Math.floor(n / 3) * 2 + (n % 3 ? 1 : 0));
  for (let i = 0, to = 0; i < n; i += 3) {
    const pair = i + 2 < n, d = [0, 1, 2].map((k) => (k < 2 || pair ? alphabet.indexOf(s[i + k]) : 0));
    const v = d[0] + 45 * d[1] + 2025 * d[2];
    if (d.indexOf(-1) >= 0 || v > (pair ? 0xffff : 0xff)) return null;
    if (pair) out[to++] = v >> 8;
    out[to++] = v & 255;
  }
  return out;
}

/* TextDecoder with `fatal` also refuses what is not UTF-8; it must not swallow a mark in front. */
export function utf8(p: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(p);
  } catch {
    return null;
  }
}

export class Reader {
  bad = false;
  private at = 0;
  constructor(private p: Uint8Array) {}

  private fail(): number {
    this.bad = true;
    this.at = this.p.length;
    return 0;
  }
  read(major: Major, max: number): number {
    if (this.bad || this.at >= this.p.length) return this.fail();
    const head = this.p[this.at], extra = head & 31, bytes = extra < 24 ? 0 : 1 << (extra - 24);
    if (head >> 5 !== major || extra > 27 || this.at + 1 + bytes > this.p.length) return this.fail();
    let n = extra;
    if (bytes) {
      n = 0;
      for (let i = 1; i <= bytes; i++) n = n * 256 + this.p[this.at + i];
      if (n < [24, 256, 65536, 4294967296][extra - 24]) return this.fail();
    }
    if (n > max) return this.fail();
    this.at += 1 + bytes;
    return n;
  }
  str(major: Major, max: number): Uint8Array {
    const n = this.read(major, max);
    if (n > this.p.length - this.at) this.fail();
    if (this.bad) return new Uint8Array(0);
    this.at += n;
    return this.p.subarray(this.at - n, this.at);
  }
  uint(min: number, max: number): number {
    const v = this.read(Major.uint, max);
    return v < min ? this.fail() : v;
  }
  expect(v: number): void {
    const want = v < 0 ? -1 - v : v;
    if (this.read(v < 0 ? Major.nint : Major.uint, want) !== want) this.fail();
  }
  fixed(n: number): Uint8Array {
    const s = this.str(Major.bytes, n);
    if (s.length !== n) this.fail();
    return s;
  }
  get done(): boolean {
    return !this.bad && this.at === this.p.length;
  }
}

export function hex(p: Uint8Array): string {
  return Array.from(p, (x) => (x < 16 ? '0' : '') + x.toString(16)).join('');
}
export function unhex(s: string): Uint8Array {
  const p = new Uint8Array(s.length >> 1);
  for (let i = 0; i < p.length; i++) p[i] = parseInt(s.substr(2 * i, 2), 16);
  return p;
}
export function join(...parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((a, p) => a + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}
/* Bytes in their order, as memcmp. */
export function compare(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length && i < b.length; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}
