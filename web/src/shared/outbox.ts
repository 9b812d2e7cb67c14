/* Commands that wait on the phone until the server has answered them.  They may be sent twice and run once: the server knows them by their id. */
import { ref } from 'vue';
import { Problem, api } from './api';
import type { Command } from './command';
import { resume, session } from './session';
import { drop, keep, loadAll, replace } from './store';
import { uuidv7 } from './uuid';

export interface Waiting {
  id: string;
  body: string;
  by: string;      /* the account that recorded it, and alone may send it */
  at: number;
  label: string;   /* what a person reads in the list */
  refused?: string; /* why the server did not take it */
}
export const waiting = ref<Waiting[]>([]);
export const reachable = ref(navigator.onLine !== false);
export const sent = ref(0); /* since the page was opened */

const AT_ONCE = 200;
const waits = [2, 5, 15, 30, 60];
const me = () => (session.me ? session.me.user.id : '');
const plain = (w: Waiting): Waiting => ({ id: w.id, body: w.body, by: w.by, at: w.at, label: w.label });
const ready = () => waiting.value.filter((w) => !w.refused && w.by === me());
let timer = 0, tries = 0, running = false;

export async function recount(): Promise<void> {
  waiting.value = (await loadAll<Waiting>('outbox')).sort((a, b) => (a.id < b.id ? -1 : 1));
}
/* Resolves when it lies on the phone's disk; sending goes on by itself. */
export async function enqueue(c: Command, label: string): Promise<string> {
  const id = c.id ?? uuidv7();
  await keep('outbox', id, { id, body: JSON.stringify({ ...c, id }), by: me(), at: Date.now(), label });
  await recount();
  void drain();
  return id;
}
export async function retry(w: Waiting): Promise<void> {
  await keep('outbox', w.id, plain(w));
  await recount();
  return drain();
}
export async function discard(id: string): Promise<void> {
  await drop('outbox', id);
  await recount();
}

interface Answer { id: string; record?: string; status?: number; detail?: string; title?: string; code?: string; errors?: { label?: string; field: string; detail: string }[] }
function reason(a: Answer): string {
  const fields = (a.errors || []).map((e) => (e.label || e.field) + ': ' + e.detail);
  return fields.length ? fields.join('; ') : a.detail || a.title || a.code || '?';
}
const busy = (a: Answer) => a.status === 429 || (a.status !== undefined && a.status >= 500);

async function take(batch: Waiting[], text: string): Promise<boolean> {
  let all = true;
  for (const line of text.split('\n').filter((l) => l.trim())) {
    const a = JSON.parse(line) as Answer, w = batch.find((x) => x.id === a.id);
    if (!w) continue;
    if (a.record) {
      await drop('outbox', w.id);
      sent.value++;
    } else if (busy(a)) all = false;
    else await replace('outbox', w.id, { ...plain(w), refused: reason(a) });
  }
  await recount();
  return all;
}
function post(batch: Waiting[]): Promise<string> {
  const file = new Blob([batch.map((w) => w.body + '\n').join('')], { type: 'application/x-ndjson' });
  return api<string>('POST', 'commands', { file, text: true, timeout: 30000 });
}
/* A cookie that outlived the page's token: fetch the token and go on, unless somebody else, or nobody, is signed in by now. */
async function postAgain(batch: Waiting[]): Promise<string> {
  const still = () => batch[0].by === me();
  try {
    return await post(batch);
  } catch (x) {
    if (!(x instanceof Problem) || x.status !== 403 || !still()) throw x;
    await resume(still);
    if (!still()) throw x;
    return post(batch);
  }
}
async function round(): Promise<void> {
  for (;;) {
    await recount();
    const batch = ready().slice(0, AT_ONCE);
    if (!batch.length) return;
    const before = ready().length, all = await take(batch, await postAgain(batch));
    reachable.value = true;
    if (!all || ready().length === before) throw new Problem({ code: 'BUSY', status: 503 });
  }
}
function later(): void {
  clearTimeout(timer);
  timer = window.setTimeout(drain, waits[Math.min(tries++, waits.length - 1)] * 1000);
}
type Locks = { request(name: string, o: { ifAvailable: true }, f: (lock: unknown) => Promise<void> | void): Promise<void> };

/* Only one page of the phone sends at a time.  Without locks two may: that costs bytes and nothing else. */
export async function drain(): Promise<void> {
  if (running) return;
  running = true;
  const locks = (navigator as unknown as { locks?: Locks }).locks;
  try {
    if (locks) await locks.request('lf.outbox', { ifAvailable: true }, (lock) => (lock ? round() : undefined));
    else await round();
    tries = 0;
  } catch (x) {
    if (!(x instanceof Problem)) throw x;
    reachable.value = x.code !== 'NETWORK';
  } finally {
    running = false;
  }
  if (ready().length) later();
}
/* `online` alone says little: a phone may be joined to a network that leads nowhere. */
export function startOutbox(): void {
  const now = () => {
    tries = 0;
    void drain();
  };
  window.addEventListener('online', now);
  window.addEventListener('pageshow', now);
  window.addEventListener('offline', () => (reachable.value = false));
  document.addEventListener('visibilitychange', () => { if (!document.hidden) now(); });
  now();
}
