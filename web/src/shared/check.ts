import { t } from './i18n';
import type { Field, Value } from './types';

/* The same rules as the server's, said while the person is still at the field.  The server has the last word. */
const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
export function idNumberRight(s: string): boolean {
  if (!/^\d{17}[\dXx]$/.test(s)) return false;
  const y = +s.slice(6, 10), m = +s.slice(10, 12), d = +s.slice(12, 14);
  const born = new Date(Date.UTC(y, m - 1, d));
  if (born.getUTCFullYear() !== y || born.getUTCMonth() !== m - 1 || born.getUTCDate() !== d) return false;
  const sum = weights.reduce((a, w, i) => a + w * +s[i], 0);
  return '10X98765432'[sum % 11] === s[17].toUpperCase();
}
const plate = /^[\u4e00-\u9fa5][A-Za-z][A-Za-z0-9·. -]{4,8}$/;
export const plateRight = (s: string) => plate.test(s);
const dayForm = /^\d{4}-\d{2}-\d{2}$/;

function number(f: Field, s: string): string {
  const n = Number(s);
  if (isNaN(n)) return t('check.number');
  if (f.type === 'int' && Math.floor(n) !== n) return t('check.int');
  const low = f.min !== null && f.min !== undefined && n < f.min;
  const high = f.max !== null && f.max !== undefined && n > f.max;
  return low || high ? t('check.range', { min: f.min ?? '−∞', max: f.max ?? '∞' }) : '';
}
/* "" when the value may be sent; `today` is the site's day, `clock` its minute ("2020-02-10 09:30"). */
export function check(f: Field, v: Value | undefined, today: string, clock: string): string {
  const empty = v === null || v === undefined || v === '' || (Array.isArray(v) && !v.length);
  if (empty) return f.required ? t('check.required') : '';
  const s = String(v).trim();
  switch (f.type) {
    case 'int':
    case 'real':
      return number(f, s);
    case 'id_number':
      return idNumberRight(s) ? '' : t('check.id_number');
    case 'phone':
      return /^\+?\d{5,20}$/.test(s.replace(/[\s-]/g, '')) ? '' : t('check.phone');
    case 'plate':
      return plate.test(s) ? '' : t('check.plate');
    case 'date':
      if (!dayForm.test(s)) return t('check.date');
      return f.past && s > today ? t('check.future', { today }) : '';
    case 'time':
      return f.past && s.replace('T', ' ').slice(0, 16) > clock ? t('check.future', { today: clock }) : '';
    case 'text':
    case 'name': {
      const most = f.max || 200;
      return Array.from(s).length > most ? t('check.long', { max: most }) : '';
    }
    default:
      return '';
  }
}
