/* Who works here and at what, kept between visits; and the way between the screens. */
import { reactive, ref } from 'vue';
import { Problem, configureApi, get } from '../shared/api';
import { resume, session, signIn, signOut } from '../shared/session';
import { keep, load, wipe } from '../shared/store';
import type { Session } from '../shared/types';
import { recount } from '../shared/outbox';
import { held, type Judged } from './gatedata';

export type Screen = 'home' | 'scan' | 'number' | 'vehicle' | 'person' | 'pass' | 'outbox' | 'more' | 'gates';
const screens: Screen[] = ['home', 'scan', 'number', 'vehicle', 'person', 'pass', 'outbox', 'more', 'gates'];
export const screen = ref<Screen>('home');
export const judged = ref<Judged | null>(null);
export const told = ref(''); /* what was just done */

function read(): void {
  const s = location.hash.replace(/^#\/?/, '') as Screen;
  screen.value = screens.indexOf(s) >= 0 && (s !== 'pass' || judged.value) ? s : 'home';
}
window.addEventListener('hashchange', read);
export function go(to: Screen): void {
  if (to !== 'home') told.value = '';
  if (to === screen.value) return;
  /* From a screen of one record back to the start and on: the phone's back key must not lead into a record that is done. */
  if (screen.value === 'home') location.hash = '/' + to;
  else location.replace('#/' + to);
  screen.value = to;
}

const SIGNED_OUT = 'lf.field.out';
function flag(on?: boolean): boolean {
  try {
    if (on === true) localStorage.setItem(SIGNED_OUT, '1');
    if (on === false) localStorage.removeItem(SIGNED_OUT);
    return localStorage.getItem(SIGNED_OUT) === '1';
  } catch {
    return false;
  }
}
export const settings = reactive({ buzz: true, beep: false, plate: '' });
export const saveSettings = () => keep('keep', 'settings', { ...settings });

/* With a line the server says who is signed in; without one the phone remembers. */
export async function begin(): Promise<void> {
  read();
  const kept = await load<Session>('keep', 'session');
  Object.assign(settings, (await load<typeof settings>('keep', 'settings')) || {});
  if (kept && !flag()) {
    session.me = kept;
    configureApi({ csrf: kept.csrf });
    void confirm();
    return;
  }
  await resume().catch(() => undefined);
  if (session.me && flag()) {
    await signOut().then(() => flag(false), () => undefined);
    session.me = null;
  } else if (session.me) await settle();
}
async function settle(): Promise<void> {
  await keep('keep', 'session', JSON.parse(JSON.stringify(session.me)));
}
async function confirm(): Promise<void> {
  const asked = session.me;
  try {
    const s = await get<Session>('session');
    if (session.me !== asked) return; /* signed out meanwhile */
    session.me = s;
    configureApi({ csrf: s.csrf });
    await settle();
  } catch (x) {
    if (!(x instanceof Problem)) throw x;
    if (x.status === 401) session.expired = true;
  }
}
export async function enter(login: string, password: string, code?: string): Promise<void> {
  await signIn(login, password, code);
  flag(false);
  await settle();
  const storage = navigator.storage as StorageManager | undefined;
  if (storage && storage.persist) void storage.persist().catch(() => undefined);
}
/* Nothing of the gate, the passes or the people stays on the phone, whether the server can be told or not. */
export async function leave(): Promise<void> {
  flag(true);
  await signOut().then(() => flag(false), () => undefined);
  held.gate = null;
  await wipe();
  session.me = null;
  session.expired = false;
  held.data = null;
  held.lists = [];
  judged.value = null;
  await recount();
  go('home');
}
