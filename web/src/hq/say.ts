import { ElMessage } from 'element-plus';
import 'element-plus/theme-chalk/el-message.css';
import { Problem } from '../shared/api';
import { has, t } from '../shared/i18n';

/* One sentence a person can act on. */
export function sentence(x: unknown): string {
  if (!(x instanceof Problem)) return t('problem.unexpected', { detail: x instanceof Error ? x.message : String(x) });
  if (x.code === 'NETWORK') return t('problem.network');
  if (x.status === 429 && x.retryAfter) return t('problem.throttled', { seconds: x.retryAfter });
  if (x.detail) return x.detail;
  if (has('problem.' + x.status)) return t('problem.' + x.status);
  return x.title || t('problem.unexpected', { detail: x.code });
}
export function done(text: string): void {
  ElMessage({ type: 'success', message: text, duration: 4000, showClose: true });
}
export function failed(x: unknown): void {
  if (x instanceof Problem && x.code === 'ABORTED') return;
  ElMessage({ type: 'error', message: sentence(x), duration: 8000, showClose: true });
}
