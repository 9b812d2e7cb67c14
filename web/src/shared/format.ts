import { lang, t } from './i18n';
import { session } from './session';
import type { AreaRef, Field, Rec, Value } from './types';

const zone = () => session.me?.site.timezone || 'Asia/Shanghai';

export function number(v: number | null | undefined, digits = 0): string {
  if (v === null || v === undefined || isNaN(v)) return t('none');
  return new Intl.NumberFormat(lang.value, { maximumFractionDigits: digits }).format(v);
}
export function figure(v: number | null | undefined, unit: string): string {
  if (v === null || v === undefined) return t('none');
  return unit === 'percent' ? number(v, 1) + '%' : number(v, 1);
}
/* Days travel as 2020-02-10 and are never shifted by a time zone. */
export function day(iso: string | null | undefined, style: 'long' | 'short' = 'long'): string {
  if (!iso || !/^\d{4}-\d{2}-\d{2}/.test(iso)) return iso || t('none');
  const [y, m, d] = iso.slice(0, 10).split('-').map(Number);
  const o: Intl.DateTimeFormatOptions = style === 'long' ? { year: 'numeric', month: 'long', day: 'numeric' } : { month: 'numeric', day: 'numeric' };
  return new Intl.DateTimeFormat(lang.value, { ...o, timeZone: 'UTC' }).format(Date.UTC(y, m - 1, d));
}
export function weekday(iso: string): string {
  return new Intl.DateTimeFormat(lang.value, { weekday: 'long', timeZone: 'UTC' }).format(new Date(iso + 'T00:00:00Z'));
}
export function addDays(iso: string, n: number): string {
  const x = new Date(iso + 'T00:00:00Z');
  x.setUTCDate(x.getUTCDate() + n);
  return x.toISOString().slice(0, 10);
}
/* 2020-02-10 23:05 in the site's own zone, whatever the reader's machine is set to. */
export function localTime(iso: string | number | null | undefined): string {
  if (iso === null || iso === undefined || iso === '') return '';
  if (typeof iso === 'string' && !/(Z|[+-]\d\d:?\d\d)$/.test(iso)) return iso.replace('T', ' ').slice(0, 16);
  const x = new Date(iso);
  if (isNaN(x.getTime())) return String(iso);
  const parts: Record<string, string> = {};
  const f = new Intl.DateTimeFormat('en-GB', {
    year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', hour12: false, timeZone: zone(),
  });
  for (const p of f.formatToParts(x)) parts[p.type] = p.value;
  const hour = parts.hour === '24' ? '00' : parts.hour;
  return `${parts.year}-${parts.month}-${parts.day} ${hour}:${parts.minute}`;
}
export const now = () => localTime(Date.now());

/* The one-glyph degree sign is missing from many system fonts. */
export const unit = (u: string | null) => (!u || u === 'count' ? '' : u.replace('℃', '°C'));
export function label(f: Field, v: string): string {
  const hit = f.codes?.find((c) => c.value === v);
  return hit ? hit.label : v;
}
/* In a table the last three names tell places apart ("1号楼" is everywhere). */
export const nearArea = (a: AreaRef | null) => (a ? (a.full || a.name).split(' › ').slice(-3).join(' › ') : '');
/* A value as a person reads it. */
export function value(f: Field, v: Value | undefined, rec?: Rec): string {
  if (v === null || v === undefined || v === '' || (Array.isArray(v) && !v.length)) return '';
  switch (f.type) {
    case 'bool':
      return v ? t('yes') : t('no');
    case 'code':
      return label(f, String(v));
    case 'codes':
      return (Array.isArray(v) ? v : [String(v)]).map((x) => label(f, x)).join(t('and'));
    case 'ref':
      return rec?.refs?.[f.name]?.title || String(v).slice(0, 8);
    case 'time':
      return localTime(v as string);
    case 'int':
    case 'real':
      return number(Number(v), 2) + (unit(f.unit) ? ' ' + unit(f.unit) : '');
    default:
      return String(v);
  }
}
