import type { Change, FieldError, Rec } from './types';

/* What went wrong, as the server said it (RFC 9457), or NETWORK when no answer came. */
export class Problem extends Error {
  status = 0;
  code = 'NETWORK';
  title = '';
  detail = '';
  field?: string;
  reason?: string;
  hint?: string;
  errors: FieldError[] = [];
  current?: Rec;
  changed?: Change[];
  by?: string | { name: string };
  at?: string;
  retryAfter = 0;
  constructor(init: Partial<Problem>) {
    super(init.detail || init.title || init.code || 'NETWORK');
    Object.assign(this, init);
  }
  /* May the same request be sent again as it is? */
  get passing(): boolean {
    return this.code === 'NETWORK' || this.status === 429 || this.status === 502 || this.status === 503 || this.status === 504;
  }
}

export interface Query { [key: string]: string | number | null | undefined }
export interface Options {
  query?: Query;
  body?: unknown;
  file?: Blob;
  text?: boolean;
  timeout?: number;
  signal?: AbortSignal;
}

const client = { csrf: '', lang: 'zh-Hans', onSignedOut: () => {} };
export function configureApi(change: Partial<typeof client>): void {
  Object.assign(client, change);
}

export function url(path: string, query: Query = {}): string {
  const q = Object.keys(query)
    .filter((k) => query[k] !== undefined && query[k] !== null && query[k] !== '')
    .map((k) => encodeURIComponent(k) + '=' + encodeURIComponent(String(query[k])));
  return '/api/v1/' + path + (q.length ? '?' + q.join('&') : '');
}
/* An address a person's browser opens by itself, where no header can be set. */
export function link(path: string, query: Query = {}): string {
  return url(path, { ...query, lang: client.lang });
}

async function problemOf(res: Response): Promise<Problem> {
  let body: Record<string, unknown> = {};
  try {
    body = await res.json();
  } catch {
    /* not from the product itself: a proxy's page; the status says enough */
  }
  const wait = Number(res.headers.get('Retry-After')) || 0;
  return new Problem({ code: 'HTTP_' + res.status, ...body, status: res.status, retryAfter: wait } as Partial<Problem>);
}

export async function api<T>(method: string, path: string, o: Options = {}): Promise<T> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), o.timeout ?? 30000);
  const outer = () => stop.abort();
  o.signal?.addEventListener('abort', outer);
  const headers: Record<string, string> = { 'Accept-Language': client.lang, Accept: o.text ? '*/*' : 'application/json' };
  if (method !== 'GET') headers['X-CSRF-Token'] = client.csrf;
  let body: BodyInit | undefined;
  if (o.file) {
    body = o.file;
    headers['Content-Type'] = o.file.type || 'application/octet-stream';
  } else if (o.body !== undefined) {
    body = JSON.stringify(o.body);
    headers['Content-Type'] = 'application/json';
  }
  try {
    const res = await fetch(url(path, o.query), { method, headers, body, signal: stop.signal, credentials: 'same-origin', cache: 'no-store' });
    if (!res.ok) {
      const p = await problemOf(res);
      if (p.status === 401 && path !== 'session' && path.indexOf('session/') !== 0) client.onSignedOut();
      throw p;
    }
    if (res.status === 204) return undefined as T;
    return (o.text ? await res.text() : await res.json()) as T;
  } catch (x) {
    if (x instanceof Problem) throw x;
    throw new Problem({ code: o.signal?.aborted ? 'ABORTED' : 'NETWORK' });
  } finally {
    clearTimeout(timer);
    o.signal?.removeEventListener('abort', outer);
  }
}
export const get = <T>(path: string, query?: Query, o: Options = {}) => api<T>('GET', path, { ...o, query });
export const post = <T>(path: string, body: unknown, o: Options = {}) => api<T>('POST', path, { ...o, body });
