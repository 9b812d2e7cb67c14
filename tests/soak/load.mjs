/* Mixed load on one site that is killed and started again: who asks what, and what was promised to them. */
import { Feed, sleep, uuid } from '../http/lib.mjs';

const LINES = 50, HOUSEHOLDS = 40, BUSY = new Set([429, 503]);
const READS = ['figures?area=jx', 'figures?area=c1', 'figures?id=gate.persons&area=t1', 'brief?area=jx', 'coverage?area=jx', 'gate_scan?limit=100', 'resident?limit=100',
  'household?limit=100', 'gate/lists/revoked', 'gate/lists/stay_home'];

/* A scan is known by its `origin`, a resident by its name, a household by its code: each is sent under one name only. */
export class Load {
  constructor(site, gates, passes) {
    Object.assign(this, { site, gates, passes, serial: 0, requests: 0, replays: 0, events: 0, imports: 0, busy: 0, going: false, clients: [], wrong: [] });
    this.promised = new Map(); /* name -> record */
    this.open = new Map();     /* command id -> { path, body }: sent, no answer yet */
    this.recent = [];          /* some that were answered, for replays */
    this.barred = new Set();   /* names that were refused */
  }
  get client() { return this.site.admin; }
  name(letter) { return letter + (++this.serial).toString(36).padStart(6, '0'); }
  complain(text) { if (this.wrong.length < 20) this.wrong.push(text); }

  scan() {
    const n = this.serial, body = { id: uuid(), gate: this.gates[n % this.gates.length], origin: this.name('S'), persons: 1 + (n % 3) };
    if (n % 4 === 0) Object.assign(body, { what: 'vehicle', plate: '晋L' + String(10000 + (n % 90000)) });
    else Object.assign(body, { what: 'person', pass: this.passes[n % this.passes.length] });
    if (n % 9 === 0) body.temperature = 36.6;
    return body;
  }
  /* What must be refused, and must leave nothing. */
  badScan() {
    const body = { ...this.scan(), origin: this.name('X') };
    if (this.serial % 2) body.temperature = 56;
    else body.gate = 'no such gate';
    this.barred.add(body.origin);
    return body;
  }
  resident() { return { id: uuid(), command: 'resident.create', area: 'b1', data: { name: this.name('R'), phone: '138' + String(10000000 + this.serial % 90000000) } }; }
  nameOf(body) { return body.origin ?? body.data.name; }

  took(body, answer, path) {
    const name = this.nameOf(body), before = this.promised.get(name);
    this.open.delete(body.id);
    if (this.barred.has(name)) return this.complain(`${name} should have been refused`);
    if (before && before !== answer.record) this.complain(`${name}: first ${before}, then ${answer.record}`);
    this.promised.set(name, answer.record);
    if (this.recent.length < 500) this.recent.push({ path, body });
    else this.recent[this.serial % 500] = { path, body };
  }
  /* The answer to one of these: kept, refused, or left open to be sent again. */
  answered(body, status, answer, path) {
    if (status === 200 && answer.record) return this.took(body, answer, path);
    if (BUSY.has(status)) return void this.busy++;
    this.open.delete(body.id);
    if (!this.barred.has(this.nameOf(body))) this.complain(`${path} ${status} ${JSON.stringify(answer).slice(0, 200)}`);
  }
  async one(path, body) {
    this.open.set(body.id, { path, body });
    const r = await this.client.call('POST', path, { body });
    this.requests++;
    this.answered(body, r.status, r.body, path);
    if (BUSY.has(r.status)) await sleep(200);
  }
  async many(path, bodies) {
    for (const body of bodies) this.open.set(body.id, { path, body });
    const r = await this.client.call('POST', path, { body: bodies.map((b) => JSON.stringify(b)).join('\n'), type: 'application/x-ndjson' });
    this.requests++;
    if (BUSY.has(r.status)) {
      this.busy++;
      return sleep(200);
    }
    const lines = String(r.body).trim().split('\n').map((l) => JSON.parse(l));
    bodies.forEach((b, i) => this.answered(b, lines[i]?.status ?? 200, lines[i] ?? {}, path));
  }
  async replay() {
    const { path, body } = this.recent[this.serial % this.recent.length] ?? {};
    if (!body) return sleep(50);
    const r = await this.client.call('POST', path, { body });
    this.requests++;
    if (BUSY.has(r.status)) return sleep(200);
    this.replays++;
    if (r.status !== 200 || !r.body.repeated || r.body.record !== this.promised.get(this.nameOf(body)))
      this.complain(`${path} sent again: ${r.status} ${JSON.stringify(r.body).slice(0, 300)} for ${JSON.stringify(body)}`);
    await sleep(5);
  }
  /* The same file goes on until it is answered: rows are known by their codes. */
  async importing() {
    this.file ??= Array.from({ length: HOUSEHOLDS }, () => this.name('H'));
    const text = 'code,door\n' + this.file.map((c, i) => `${c},${i + 1}\n`).join('');
    const r = await this.client.call('POST', 'household/import?name=h.csv&area=b1', { body: new TextEncoder().encode(text), type: 'application/octet-stream' });
    this.requests++;
    if (BUSY.has(r.status)) return sleep(200);
    if (r.status !== 200 || r.body.refused) this.complain(`import ${r.status} ${JSON.stringify(r.body).slice(0, 200)}`);
    for (const code of this.file) this.promised.set(code, null);
    this.imports++;
    this.file = null;
    await sleep(300);
  }
  async reading(n) {
    const r = await this.client.raw('GET', '/api/v1/' + READS[n % READS.length]);
    await r.arrayBuffer();
    this.requests++;
    if (r.status !== 200 && !BUSY.has(r.status)) this.complain(`GET ${READS[n % READS.length]} ${r.status}`);
    await sleep(20);
  }
  async listening() {
    const feed = new Feed(this.client), ended = new Promise((done) => { feed.req.on('close', done); });
    await Promise.race([ended, (async () => { while (this.going) await sleep(50); })()]);
    this.events += feed.events.length;
    feed.end();
    await sleep(100);
  }

  /* One client that goes on with `what` until the load is stopped.  A broken connection is what a kill looks like. */
  async run(what) {
    for (let n = 0; this.going; n++) {
      try {
        await what(n);
      } catch (x) {
        if (x.name === 'SyntaxError' || x.code === 'ERR_ASSERTION') this.complain(x.stack);
        await sleep(50);
      }
    }
  }
  start() {
    this.going = true;
    const lines = () => Array.from({ length: LINES }, (_, i) => (i === 7 ? this.badScan() : this.scan()));
    const works = [() => this.many('gate/scan', lines()).then(() => sleep(50)),
      () => this.one('commands', this.resident()), () => this.importing(), () => this.replay(), (n) => this.reading(n), () => this.listening(), () => this.listening()];
    for (let i = 0; i < 6; i++) works.push((n) => this.one('gate/scan', n % 50 === 49 ? this.badScan() : this.scan()));
    this.clients = works.map((w) => this.run(w));
  }
  async stop() {
    this.going = false;
    await Promise.all(this.clients);
  }
  /* What was never answered is sent once more, by the same id, until it is. */
  async settle() {
    for (let tries = 0; this.open.size && tries < 50; tries++) {
      for (const path of ['gate/scan', 'commands']) {
        const left = [...this.open.values()].filter((x) => x.path === path).map((x) => x.body).slice(0, 500);
        if (left.length) await this.many(path, left);
      }
    }
    if (this.open.size) this.complain(`${this.open.size} were never answered`);
    while (this.file) await this.importing();
  }
}
