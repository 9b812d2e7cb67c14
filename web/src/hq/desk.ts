import { computed, reactive } from 'vue';
import { session } from '../shared/session';
import type { AreaRef } from '../shared/types';

/* What the whole desk looks at: one area, one day.  An empty day follows the site's today. */
const KEY = 'lf.desk';
function saved(): { area: AreaRef | null; chosenDay: string } {
  try {
    return { area: null, chosenDay: '', ...JSON.parse(sessionStorage.getItem(KEY) || '{}') };
  } catch {
    return { area: null, chosenDay: '' };
  }
}
const state = reactive(saved());
function keep(): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(state));
  } catch {
    /* storage refused: the choice lasts for this page only */
  }
}

export const today = computed(() => session.me?.site.today || '');
export const area = computed<AreaRef>(() => state.area || session.me?.area || { code: '', name: '' });
export const onDay = computed(() => state.chosenDay || today.value);

export function chooseArea(a: AreaRef | null): void {
  state.area = a ? { code: a.code, name: a.name } : null;
  keep();
}
export function chooseDay(d: string): void {
  state.chosenDay = d === today.value ? '' : d;
  keep();
}
export function forgetDesk(): void {
  state.area = null;
  state.chosenDay = '';
  keep();
}
