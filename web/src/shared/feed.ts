import { ref } from 'vue';

export interface FeedChange { seq: number; command: string; kind: string; record: string; area: string }
export type FeedState = 'off' | 'joining' | 'live' | 'lost';

export const feedState = ref<FeedState>('off');
const listeners = new Set<(c: FeedChange) => void>();
let source: EventSource | null = null;
let timer = 0;
let tries = 0;
let last = 0;

export function onChange(f: (c: FeedChange) => void): () => void {
  listeners.add(f);
  return () => listeners.delete(f);
}

function again(): void {
  source?.close();
  source = null;
  feedState.value = 'lost';
  clearTimeout(timer);
  const wait = Math.min(30000, 1000 * Math.pow(2, tries++));
  timer = window.setTimeout(join, wait * (0.75 + Math.random() / 2));
}
function join(): void {
  source?.close();
  feedState.value = tries ? 'lost' : 'joining';
  source = new EventSource('/api/v1/feed' + (last ? '?after=' + last : ''));
  source.onopen = () => {
    tries = 0;
    feedState.value = 'live';
  };
  /* The browser's own retrying has no growing wait and gives up for good on some answers. */
  source.onerror = again;
  source.addEventListener('ready', (e) => {
    last = Math.max(last, (JSON.parse((e as MessageEvent).data) as { seq: number }).seq);
  });
  source.addEventListener('change', (e) => {
    const c = JSON.parse((e as MessageEvent).data) as FeedChange;
    last = Math.max(last, c.seq);
    listeners.forEach((f) => f(c));
  });
}
export function startFeed(): void {
  if (feedState.value === 'off') join();
}
export function stopFeed(): void {
  clearTimeout(timer);
  source?.close();
  source = null;
  tries = 0;
  feedState.value = 'off';
}
window.addEventListener('online', () => {
  if (feedState.value === 'lost') {
    clearTimeout(timer);
    join();
  }
});
