/* Inflate of zlib streams (RFC 1950, 1951) as strict as a gate needs it: the whole input is one stream, its checksum fits, and nothing grows
 * beyond `most`.  Old phones have no DecompressionStream, and that would not say where a stream ends.  Null: damaged. */
interface Code { count: number[]; symbol: number[]; left: number; used: number }
interface In { from: Uint8Array; at: number; bits: number; have: number; to: Uint8Array; n: number }

const lengthBase = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
const lengthBits = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const farBase = [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577];
const farBits = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];
const order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

class Damaged extends Error {}
function fail(): never {
  throw new Damaged();
}

function bits(s: In, n: number): number {
  while (s.have < n) {
    if (s.at >= s.from.length) fail();
    s.bits |= s.from[s.at++] << s.have;
    s.have += 8;
  }
  const v = s.bits & ((1 << n) - 1);
  s.bits >>>= n;
  s.have -= n;
  return v;
}
/* Lengths to a canonical code; `left` below 0: too many codes, above 0: some are never used. */
function code(lengths: number[]): Code {
  const count = new Array<number>(16).fill(0), from = new Array<number>(16).fill(0), symbol: number[] = [];
  for (const l of lengths) count[l]++;
  let left = 1;
  for (let i = 1; i < 16; i++) left = left * 2 - count[i];
  for (let i = 1; i < 15; i++) from[i + 1] = from[i] + count[i];
  lengths.forEach((l, i) => { if (l) symbol[from[l]++] = i; });
  return { count, symbol, left, used: lengths.length - count[0] };
}
/* Only a code of a single length-1 word may be incomplete. */
const usable = (c: Code) => c.left === 0 || (c.left > 0 && c.used <= 1 && c.used === c.count[1]);

function word(s: In, c: Code): number {
  let at = 0, first = 0, index = 0;
  for (let i = 1; i < 16; i++) {
    at |= bits(s, 1);
    if (at - c.count[i] < first) return c.symbol[index + at - first];
    index += c.count[i];
    first = (first + c.count[i]) << 1;
    at <<= 1;
  }
  return fail();
}
function put(s: In, byte: number): void {
  if (s.n >= s.to.length) fail();
  s.to[s.n++] = byte;
}
function body(s: In, words: Code, far: Code): void {
  for (;;) {
    const w = word(s, words);
    if (w === 256) return;
    if (w < 256) put(s, w);
    else {
      if (w > 285) fail();
      const n = lengthBase[w - 257] + bits(s, lengthBits[w - 257]), f = word(s, far);
      if (f > 29) fail();
      const back = farBase[f] + bits(s, farBits[f]);
      if (back > s.n) fail();
      for (let i = 0; i < n; i++) put(s, s.to[s.n - back]);
    }
  }
}
function stored(s: In): void {
  s.bits = s.have = 0;
  const n = bits(s, 16), not = bits(s, 16);
  if ((n ^ not) !== 0xffff) fail();
  for (let i = 0; i < n; i++) put(s, bits(s, 8));
}
function fixed(s: In): void {
  const l = Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8));
  body(s, code(l), code(new Array<number>(30).fill(5)));
}
function lengths(s: In, lens: Code, all: number): number[] {
  const l: number[] = [];
  while (l.length < all) {
    const w = word(s, lens);
    if (w < 16) l.push(w);
    else {
      if (w === 16 && !l.length) fail();
      const v = w === 16 ? l[l.length - 1] : 0;
      let n = w === 16 ? 3 + bits(s, 2) : w === 17 ? 3 + bits(s, 3) : 11 + bits(s, 7);
      if (l.length + n > all) fail();
      while (n--) l.push(v);
    }
  }
  return l;
}
function dynamic(s: In): void {
  const words = bits(s, 5) + 257, far = bits(s, 5) + 1, n = bits(s, 4) + 4, short = new Array<number>(19).fill(0);
  if (words > 286 || far > 30) fail();
  for (let i = 0; i < n; i++) short[order[i]] = bits(s, 3);
  const lens = code(short);
  if (lens.left !== 0) fail();
  const l = lengths(s, lens, words + far), w = code(l.slice(0, words)), f = code(l.slice(words));
  if (!l[256] || !usable(w) || !(usable(f) || f.used === 0)) fail();
  body(s, w, f);
}
function adler(p: Uint8Array): number {
  let a = 1, b = 0;
  for (let i = 0; i < p.length; i++) b = (b + (a = (a + p[i]) % 65521)) % 65521;
  return b * 65536 + a;
}
function unpack(z: Uint8Array, most: number): Uint8Array {
  const s: In = { from: z, at: 2, bits: 0, have: 0, to: new Uint8Array(most), n: 0 };
  if (z.length < 6 || (z[0] & 15) !== 8 || z[0] >> 4 > 7 || z[1] & 32 || (z[0] * 256 + z[1]) % 31) fail();
  for (let last = 0; !last;) {
    last = bits(s, 1);
    const how = bits(s, 2);
    if (how === 0) stored(s);
    else if (how === 1) fixed(s);
    else if (how === 2) dynamic(s);
    else fail();
  }
  const out = s.to.slice(0, s.n);
  if (s.at + 4 !== z.length || ((z[s.at] << 24 | z[s.at + 1] << 16 | z[s.at + 2] << 8 | z[s.at + 3]) >>> 0) !== adler(out)) fail();
  return out;
}
export function inflate(z: Uint8Array, most: number): Uint8Array | null {
  try {
    return unpack(z, most);
  } catch (x) {
    if (x instanceof Damaged) return null;
    throw x;
  }
}
