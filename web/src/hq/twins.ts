import { get, Problem } from '../shared/api';
import { value } from '../shared/format';
import type { Field, Kind, Rec, Ref, Value } from '../shared/types';

/* What a person compares to say whether two entries are one: field by field, with a word where they differ. */
export interface Line { field: Field; a: string; b: string; word: '' | 'differs' | 'adds' | 'masked' | 'hidden' }

/* null: removed, or not for this person to see. */
export async function loadSide(kind: string, id: string): Promise<Rec | null> {
  try {
    return await get<Rec>(`${kind}/${id}`);
  } catch (x) {
    if (x instanceof Problem && (x.status === 404 || x.status === 403)) return null;
    throw x;
  }
}
/* An imported row as if it were a record, so that its values read alike; undefined when the text is no row. */
export async function rowAsRecord(kind: Kind, text: string, like: Rec): Promise<Rec | undefined> {
  let data: Record<string, Value>;
  try {
    data = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!data || typeof data !== 'object') return undefined;
  const refs: Record<string, Ref> = {};
  await Promise.all(kind.fields.filter((f) => f.ref && data[f.name]).map(async (f) => {
    const r = await loadSide(f.ref!, String(data[f.name])).catch(() => null);
    if (r) refs[f.name] = { id: r.id, title: r.title };
  }));
  return { ...like, id: '', kind: kind.name, title: '', data, refs };
}
/* Does the value agree with what a mask leaves visible?  null: it leaves nothing. */
export function behind(mask: string, plain: string): boolean | null {
  const first = mask.indexOf('*'), last = mask.lastIndexOf('*');
  if (first < 0) return mask === plain;
  const head = mask.slice(0, first), tail = mask.slice(last + 1);
  if (!head && !tail) return null;
  return plain.length >= head.length + tail.length && plain.indexOf(head) === 0 && plain.slice(plain.length - tail.length) === tail;
}
function word(f: Field, a: string, b: string): Line['word'] {
  if (!b) return '';
  if (!a) return 'adds';
  if (!f.sealed) return a === b ? '' : 'differs';
  const agrees = behind(a, b);
  return agrees === null ? 'hidden' : agrees ? 'masked' : 'differs';
}
export function compare(kind: Kind, a: Rec | null, b: Rec | null): Line[] {
  return kind.fields.filter((f) => !f.read_only).map((field) => {
    const left = a ? value(field, a.data[field.name], a) : '', right = b ? value(field, b.data[field.name], b) : '';
    return { field, a: left, b: right, word: a && b ? word(field, left, right) : '' as const };
  }).filter((l) => l.a || l.b);
}
