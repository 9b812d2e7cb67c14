import { ref, shallowRef } from 'vue';
import { configureApi } from './api';

export type Lang = 'zh-Hans' | 'zh-Hant' | 'en';
export const languages: { lang: Lang; short: string; name: string }[] = [
  { lang: 'zh-Hans', short: '简', name: '简体中文' },
  { lang: 'zh-Hant', short: '繁', name: '繁體中文' },
  { lang: 'en', short: 'EN', name: 'EN English' },
];
type Messages = Record<string, string>;
const load: Record<Lang, () => Promise<{ default: Messages }>> = {
  'zh-Hans': () => import('../lang/zh-Hans.json'),
  'zh-Hant': () => import('virtual:zh-hant'),
  en: () => import('../lang/en.json'),
};
const KEY = 'lf.lang';
export const lang = ref<Lang>('zh-Hans');
const messages = shallowRef<Messages>({});

export function t(key: string, args: Record<string, string | number> = {}): string {
  const text = messages.value[key];
  if (text === undefined) return key;
  return text.replace(/\{(\w+)\}/g, (all, name) => (name in args ? String(args[name]) : all));
}
export const has = (key: string) => key in messages.value;

export async function setLang(to: Lang): Promise<void> {
  messages.value = (await load[to]()).default;
  lang.value = to;
  document.documentElement.lang = to;
  configureApi({ lang: to });
  try {
    localStorage.setItem(KEY, to);
  } catch {
    /* storage refused: the choice lasts for this page only */
  }
}

function guess(): Lang {
  let saved: string | null = null;
  try {
    saved = localStorage.getItem(KEY);
  } catch {
    /* storage refused */
  }
  if (saved === 'zh-Hans' || saved === 'zh-Hant' || saved === 'en') return saved;
  for (const l of navigator.languages || []) {
    if (/^zh-(hant|tw|hk|mo)/i.test(l)) return 'zh-Hant';
    if (/^zh/i.test(l)) return 'zh-Hans';
  }
  return 'zh-Hans';
}
export const startLang = () => setLang(guess());
