/* The number on a card, as src/pass/number.c has it: eleven digits of base 32 without I L O U, then a check digit (ISO 7064, 33 and 32).
 * Apart from the rest, because it needs no cryptography. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const after = (before: number, digit: number) => (before + digit) % 32 || 32;
const step = (before: number, digit: number) => (after(before, digit) * 2) % 33;

export function showNumber(digits: number[]): string {
  const all = digits.concat((33 - digits.reduce(step, 32)) % 32).map((d) => alphabet[d]).join('');
  return all.slice(0, 4) + '-' + all.slice(4, 8) + '-' + all.slice(8);
}
/* As people type it; null when the check digit does not fit. */
export function parseNumber(typed: string): string | null {
  const s = typed.toUpperCase().replace(/[- ]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1');
  const digits = Array.from(s, (c) => alphabet.indexOf(c));
  if (digits.length !== 12 || digits.indexOf(-1) >= 0) return null;
  return after(digits.slice(0, 11).reduce(step, 32), digits[11]) === 1 ? showNumber(digits.slice(0, 11)) : null;
}
