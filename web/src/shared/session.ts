import { reactive } from 'vue';
import { Problem, api, configureApi, get, post } from './api';
import type { Session } from './types';

export const session = reactive<{ me: Session | null; ready: boolean; expired: boolean }>({ me: null, ready: false, expired: false });

export const may = (what: string) => !!session.me && session.me.may.indexOf(what) >= 0;

function take(s: Session): void {
  session.me = s;
  session.expired = false;
  configureApi({ csrf: s.csrf });
}
/* Work on the page is kept: the person signs in again above it. */
configureApi({ onSignedOut: () => { if (session.me) session.expired = true; } });

/* With `wanted`: unless that has become untrue by the time of the answer. */
export async function resume(wanted = () => true): Promise<void> {
  try {
    const s = await get<Session>('session');
    if (wanted()) take(s);
  } catch (x) {
    if (!(x instanceof Problem) || x.status !== 401) throw x;
  } finally {
    session.ready = true;
  }
}
export async function signIn(login: string, password: string, code?: string): Promise<void> {
  take(await post<Session>('session', code ? { login, password, code } : { login, password }));
}
export async function useLink(token: string, password: string): Promise<void> {
  take(await post<Session>('session/link', { token, password }));
}
export async function signOut(): Promise<void> {
  await api('DELETE', 'session');
  session.me = null;
  session.expired = false;
  configureApi({ csrf: '' });
}
