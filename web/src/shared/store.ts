/* What a phone keeps between two visits, in IndexedDB: `keep` for single values, `outbox` for commands that wait, `seen` for passes seen at
 * the gate.  Values must be plain: a Vue proxy cannot be stored. */
export type Shelf = 'keep' | 'outbox' | 'seen';
const shelves: Shelf[] = ['keep', 'outbox', 'seen'];

let opened: Promise<IDBDatabase> | null = null;
function open(): Promise<IDBDatabase> {
  opened = opened || new Promise((done, failed) => {
    const ask = indexedDB.open('lianfang', 1);
    ask.onupgradeneeded = () => shelves.forEach((s) => ask.result.createObjectStore(s));
    ask.onerror = () => failed(ask.error);
    ask.onsuccess = () => {
      /* Closed by the browser under us (its storage was cleared): the next use opens it again. */
      ask.result.onclose = () => (opened = null);
      done(ask.result);
    };
  });
  opened.catch(() => (opened = null));
  return opened;
}
type Open = (name: Shelf | Shelf[], mode: IDBTransactionMode, o?: { durability: string }) => IDBTransaction;

/* Resolves when the transaction is on the disk, not when the request was taken. */
async function run<T>(shelf: Shelf | Shelf[], mode: IDBTransactionMode, work: (tx: IDBTransaction) => { result: T } | void): Promise<T> {
  const db = await open();
  return new Promise((done, failed) => {
    const tx = (db.transaction as Open).call(db, shelf, mode, { durability: 'strict' });
    const request = work(tx) as { result: T } | undefined;
    tx.oncomplete = () => done((request ? request.result : undefined) as T);
    tx.onerror = tx.onabort = () => failed(tx.error);
  });
}
export const load = <T>(shelf: Shelf, key: string) => run<T | undefined>(shelf, 'readonly', (tx) => tx.objectStore(shelf).get(key));
export const loadAll = <T>(shelf: Shelf) => run<T[]>(shelf, 'readonly', (tx) => tx.objectStore(shelf).getAll());
export const keep = (shelf: Shelf, key: string, value: unknown) => run(shelf, 'readwrite', (tx) => tx.objectStore(shelf).put(value, key));
export const drop = (shelf: Shelf, key: string) => run<unknown>(shelf, 'readwrite', (tx) => tx.objectStore(shelf).delete(key));
export const wipe = () => run<unknown>(shelves, 'readwrite', (tx) => shelves.forEach((s) => tx.objectStore(s).clear()));
/* Only what still lies there: what was wiped meanwhile stays wiped. */
export const replace = (shelf: Shelf, key: string, value: unknown) => run(shelf, 'readwrite', (tx) => {
  const at = tx.objectStore(shelf).openCursor(key);
  at.onsuccess = () => { if (at.result) at.result.update(value); };
});
