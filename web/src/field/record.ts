/* One passage at the gate, put into the outbox. */
import { reactive } from 'vue';
import { enqueue } from '../shared/outbox';
import { keep, load } from '../shared/store';
import type { Value } from '../shared/types';
import { t } from '../shared/i18n';
import { settings, saveSettings } from './desk';
import { type Judged, held, noteSeen, now } from './gatedata';

export type Choice = 'pass' | 'turn_back' | 'fever_clinic';
export interface Passage { what: 'person' | 'vehicle'; plate?: string; persons?: number; name?: string; temperature?: number | null; pass?: Judged | null }

/* What this phone recorded today. */
export const tally = reactive({ day: '', n: 0 });
const today = () => new Date(now() + 8 * 3600000).toISOString().slice(0, 10);
export async function loadTally(): Promise<void> {
  Object.assign(tally, (await load<typeof tally>('keep', 'tally')) || {});
  if (tally.day !== today()) Object.assign(tally, { day: today(), n: 0 });
}
async function count(): Promise<void> {
  await loadTally();
  tally.n++;
  await keep('keep', 'tally', { ...tally });
}

function label(p: Passage, choice: Choice): string {
  const who = p.pass?.number ? t('gate.pass') + ' ' + p.pass.number : p.plate || p.name || t(p.what === 'vehicle' ? 'gate.vehicle' : 'gate.person');
  const warm = p.temperature ? ` ${p.temperature.toFixed(1)}°C` : '';
  return `${who}${warm} · ${t('choice.' + choice)}`;
}
/* Whom we let pass gets his verdict by the site's own rule on fever; what a person decided otherwise is said. */
export async function record(p: Passage, choice: Choice): Promise<string> {
  const gate = held.gate;
  if (!gate) throw new Error('no gate');
  const data: Record<string, Value> = { gate: gate.id, seen_at: new Date(now()).toISOString(), what: p.what, persons: p.persons || 1 };
  if (p.plate) data.plate = p.plate;
  if (p.name) data.name = p.name;
  if (p.temperature) data.temperature = p.temperature;
  if (p.pass && p.pass.number) data.pass = p.pass.number;
  if (choice !== 'pass') data.verdict = choice;
  const text = label(p, choice);
  await enqueue({ command: 'gate_scan.create', data }, text);
  if (p.pass && p.pass.id && choice === 'pass') await noteSeen(p.pass.id);
  if (p.plate && p.plate.slice(0, 2) !== settings.plate) {
    settings.plate = p.plate.slice(0, 2);
    await saveSettings();
  }
  await count();
  return text;
}

/* For whoever looks at the traveller and not at the screen. */
let audio: AudioContext | null = null;
export function signal(good: boolean): void {
  if (settings.buzz && navigator.vibrate) navigator.vibrate(good ? 60 : [150, 90, 150, 90, 150]);
  const Audio = window.AudioContext || (window as unknown as { webkitAudioContext?: typeof AudioContext }).webkitAudioContext;
  if (!settings.beep || !Audio) return;
  audio = audio || new Audio();
  const tone = audio.createOscillator(), at = audio.currentTime;
  tone.frequency.value = good ? 1320 : 300;
  tone.connect(audio.destination);
  tone.start(at);
  tone.stop(at + (good ? 0.12 : 0.6));
}
