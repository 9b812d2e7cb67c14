import { localTime, value } from '../shared/format';
import { kindByName } from '../shared/kinds';
import type { Field, Kind, Rec, Value } from '../shared/types';

/* What stands in a form's inputs: texts, lists, yes/no; "" and [] are empty.  Sealed fields start empty: their value is never sent here. */
export type Draft = Record<string, string | string[] | boolean | null>;

export const editable = (f: Field) => !f.read_only;

export function toDraft(f: Field, v: Value | undefined): Draft[string] {
  if (f.sealed) return '';
  if (f.type === 'codes') return Array.isArray(v) ? v.slice() : [];
  if (f.type === 'bool') return typeof v === 'boolean' ? v : null;
  if (v === null || v === undefined) return '';
  return f.type === 'time' ? localTime(v as string) : String(v);
}
export function draftOf(fields: Field[], rec: Rec | null): Draft {
  const d: Draft = {};
  for (const f of fields) d[f.name] = toDraft(f, rec?.data[f.name]);
  return d;
}
export function fromDraft(f: Field, d: Draft[string]): Value {
  if (Array.isArray(d)) return d.length ? d : null;
  if (typeof d === 'boolean' || d === null) return d;
  const s = d.trim();
  if (!s) return null;
  return f.type === 'int' || f.type === 'real' ? Number(s) : s;
}
export const sameDraft = (a: Draft[string], b: Draft[string]) => JSON.stringify(a ?? '') === JSON.stringify(b ?? '');

/* Only what the person changed travels; an empty sealed field means "as it was". */
export function changesOf(fields: Field[], base: Rec | null, d: Draft): Record<string, Value> {
  const out: Record<string, Value> = {};
  for (const f of fields) {
    const v = fromDraft(f, d[f.name]);
    if (base ? sameDraft(d[f.name], toDraft(f, base.data[f.name])) : v === null) continue;
    out[f.name] = v;
  }
  return out;
}

/* A double names the kind and the ids of what it stands between: the kind is said by its label, the ids are links in its drawer. */
export const bareId = (k: Kind, f: Field) => k.name === 'duplicate' && /^record_/.test(f.name);
export function shown(r: Rec, f: Field): string {
  const v = value(f, r.data[f.name], r);
  return r.kind === 'duplicate' && f.name === 'kind' ? kindByName(v)?.label || v : v;
}
/* A record that nobody named goes by the first thing it says. */
export function headed(r: Rec): string {
  if (r.title && r.title !== r.id.slice(0, 8)) return r.title;
  const k = kindByName(r.kind), first = k?.fields.find((f) => f.list && !f.sealed && !bareId(k, f));
  return (first && shown(r, first)) || r.title;
}
