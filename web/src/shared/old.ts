/* What Chrome 70 and Safari 13 lack and the libraries take for granted.  Imported before anything else. */
const w = window as unknown as Record<string, unknown>;
if (typeof w.globalThis === 'undefined') w.globalThis = window;
if (!Object.fromEntries) {
  Object.fromEntries = (pairs: Iterable<readonly [PropertyKey, unknown]>) => {
    const o: Record<PropertyKey, unknown> = {};
    for (const [k, v] of pairs) o[k] = v;
    return o;
  };
}
if (!window.queueMicrotask) window.queueMicrotask = (f) => void Promise.resolve().then(f);
export {};
