import { Problem } from '../shared/api';
import { t } from '../shared/i18n';

/* One sentence a person can act on. */
export function sentence(x: unknown): string {
  if (!(x instanceof Problem)) return t('problem.unexpected', { detail: x instanceof Error ? x.message : String(x) });
  if (x.code === 'NETWORK') return t('problem.network');
  return x.detail || x.title || t('problem.unexpected', { detail: x.code });
}
