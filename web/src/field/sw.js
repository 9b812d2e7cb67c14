/* Keeps the field page on the phone, so that it opens without a line.  FILES and NAME are put in front when the pages are built. */
self.addEventListener('install', (e) => {
  e.waitUntil(caches.open(NAME).then((c) => c.addAll(FILES)));
});
/* A new version takes over when the last page of the old one is closed: an open page may still ask for its own parts. */
self.addEventListener('activate', (e) => {
  const old = (n) => n.indexOf('lf-field-') === 0 && n !== NAME;
  e.waitUntil(caches.keys().then((all) => Promise.all(all.filter(old).map((n) => caches.delete(n)))).then(() => self.clients.claim()));
});
self.addEventListener('fetch', (e) => {
  const at = new URL(e.request.url);
  if (e.request.method !== 'GET' || at.origin !== self.location.origin || FILES.indexOf(at.pathname) < 0) return;
  e.respondWith(caches.open(NAME).then((c) => c.match(at.pathname)).then((hit) => hit || fetch(e.request)));
});
