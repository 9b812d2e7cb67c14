import { shallowRef } from 'vue';
import { get } from './api';
import { may } from './session';
import type { Kind } from './types';

/* The kinds this person may read, in the language of the page. */
export const kinds = shallowRef<Kind[]>([]);

export async function loadKinds(): Promise<void> {
  const all = (await get<{ kinds: Kind[] }>('kinds')).kinds;
  kinds.value = all.filter((k) => may(k.name + '.read'));
}
const has = (k: Kind, verb: string) => k.commands.indexOf(`${k.name}.${verb}`) >= 0;
/* Records of such a kind come from a command or an import of another kind, never from a blank form or a file of their own. */
export const madeElsewhere = (k: Kind) => has(k, 'issue') || has(k, 'merge');
export const kindByName = (name: string) => kinds.value.find((k) => k.name === name);

/* How a cut of a figure reads: the code's label, looked for first in the kinds the figure's name begins with. */
export function cutLabel(figure: string, field: string, value: string): string {
  const system = figure.split('.')[0];
  const near = (k: Kind) => (k.name.indexOf(system) === 0 ? 0 : 1);
  for (const k of kinds.value.slice().sort((a, b) => near(a) - near(b))) {
    const hit = k.fields.find((f) => f.name === field)?.codes?.find((c) => c.value === value);
    if (hit) return hit.label;
  }
  return value;
}

const groups: [string, string[]][] = [
  ['people', ['area', 'household', 'resident']],
  ['org', ['organisation', 'member', 'assignment', 'application', 'report_in']],
  ['gates', ['gate', 'gate_scan', 'pass']],
  ['clinic', ['triage_visit']],
  ['cases', ['case']],
  ['reports', ['report_unit', 'daily_report']],
  ['system', ['user', 'user_role', 'protocol', 'duplicate', 'pass_key']],
];
export function kindGroups(): { name: string; kinds: Kind[] }[] {
  /* What is issued has a page of its own, which leads to the list. */
  const known = new Set<string>(kinds.value.filter((k) => has(k, 'issue')).map((k) => k.name));
  const out = groups.map(([name, names]) => {
    names.forEach((n) => known.add(n));
    return { name, kinds: names.map(kindByName).filter((k): k is Kind => !!k) };
  });
  out.push({ name: 'other', kinds: kinds.value.filter((k) => !known.has(k.name)) });
  return out.filter((g) => g.kinds.length);
}
