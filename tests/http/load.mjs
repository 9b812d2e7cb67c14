/* Clients that create households without a pause, remember what was promised to them, and prove in the end that it was kept.  Who is told to come later does so. */
import assert from 'node:assert/strict';
import { cli, sleep, uuid } from './lib.mjs';

const PATIENCE = 400; /* ms after which who is impatient hangs up and sends the same command again */
const LINES = 20;

export class Load {
  /* mayBreak: connections to the program may be lost, and with them an answer. */
  constructor({ mayBreak = false } = {}) {
    Object.assign(this, { mayBreak, going: true, name: uuid().slice(-6), sent: new Map(), kept: new Map(), refused: [], longest: 0, hungUp: 0, repeated: 0, clients: [] });
  }
  /* n clients of one sort, who are `client`, spread over the areas. */
  start(client, n, sort = 'steady', areas = ['b1', 'b2']) {
    for (let i = 0; i < n; i++) this.clients.push(this.run(client, sort, areas[i % areas.length], this.clients.length));
    return this;
  }
  async stop() {
    this.going = false;
    await Promise.all(this.clients);
    this.clients = [];
  }
  async run(client, sort, area, who) {
    for (let i = 0; this.going; i++) {
      const bodies = Array.from({ length: sort === 'lines' ? LINES : 1 }, (_, k) => this.next(area, `${this.name}-${who}-${i}-${k}`));
      try {
        if (sort === 'lines') await this.lines(client, bodies);
        else await this.single(client, bodies[0], sort === 'impatient');
      } catch (x) {
        if (!this.mayBreak) this.refused.push(`${x.message} ${x.cause?.code ?? ''}`);
        return;
      }
    }
  }
  next(area, code) {
    const body = { id: uuid(), command: 'household.create', area, data: { code } };
    this.sent.set(code, body);
    return body;
  }
  async single(client, body, impatient) {
    for (let began = Date.now(); ;) {
      const signal = impatient ? AbortSignal.timeout(PATIENCE) : undefined;
      try {
        const r = await this.post(client, { body, signal });
        this.took(began);
        this.take(body, r.status, r.body, impatient);
        return;
      } catch (x) {
        if (x.name !== 'TimeoutError') throw x;
        this.hungUp++;
      }
    }
  }
  async lines(client, bodies, again = false) {
    const began = Date.now(), r = await this.post(client, { body: bodies.map((b) => JSON.stringify(b)).join('\n'), type: 'application/x-ndjson' });
    this.took(began);
    if (r.status !== 200) return this.refused.push(`${r.status} ${JSON.stringify(r.body)}`);
    const out = r.body.trim().split('\n').map((l) => JSON.parse(l));
    bodies.forEach((b, i) => this.take(b, out[i]?.status ?? 200, out[i], again));
  }
  /* A machine that does much else takes in less: 503, and when to come again. */
  async post(client, o) {
    for (let tries = 0; ; tries++) {
      const r = await client.call('POST', 'commands', o), wait = Number(r.headers.get('retry-after'));
      if (r.status !== 503 || !wait || tries === 20) return r;
      await sleep(wait * 1000);
    }
  }
  took(began) { this.longest = Math.max(this.longest, Date.now() - began); }
  /* Who sent a command once is not told that it had run before: not even when the program had to send it to the database again. */
  take(body, status, answer, again = false) {
    if (status !== 200 || !answer?.record || (answer.repeated && !again)) this.refused.push(`${status} ${JSON.stringify(answer)}`);
    else {
      this.kept.set(body.data.code, answer.record);
      this.repeated += answer.repeated ? 1 : 0;
    }
  }
  /* Sends again what had no answer; then each record is there once, the one that was promised, counted once, and the journal is whole.
   * others: households that were there before. */
  async prove(client, others = 0) {
    assert.deepEqual(this.refused.slice(0, 3), [], `${this.refused.length} of ${this.sent.size} were refused`);
    await this.sendAgain(client);
    const there = new Map();
    for (let next = ''; next !== null;) {
      const r = await client.get('household?limit=500' + (next ? '&after=' + next : ''));
      for (const x of r.records) {
        assert.ok(!there.has(x.data.code), x.data.code + ' is there twice');
        there.set(x.data.code, x.id);
      }
      next = r.next;
    }
    for (const [code, record] of this.kept) assert.equal(there.get(code), record, code + ' was promised');
    assert.equal(there.size, this.sent.size + others);
    assert.equal((await client.get('figures?id=grid.households&area=jx&cuts=0')).figures[0].value, there.size);
    assert.match(cli('fsck', client.site.site), /clean/);
  }
  async sendAgain(client) {
    const missing = [...this.sent.values()].filter((b) => !this.kept.has(b.data.code));
    for (let i = 0; i < missing.length; i += 500) await this.lines(client, missing.slice(i, i + 500), true);
    assert.deepEqual(this.refused.slice(0, 3), [], 'sent again');
  }
}
