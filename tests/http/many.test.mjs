/* Two machines serve one site, which is in a database on a server. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Feed, ON_SERVER, PASSWORD, Site, cli, newDatabase, newSite, psql, sleep, uuid } from './lib.mjs';
import { Load } from './load.mjs';

/* Tells of each time that a process has done a job. */
const WATCH_JOBS = `CREATE TABLE done (name text, owner uuid);
  CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO done VALUES (NEW.name, NEW.owner); RETURN NEW; END $$;
  CREATE TRIGGER note AFTER INSERT OR UPDATE ON job FOR EACH ROW WHEN (NEW.leased_until = 0) EXECUTE FUNCTION note();`;
const JOBS_LOOK = 20000; /* ms after its start a process looks for jobs first */

describe('two machines', { skip: !ON_SERVER }, () => {
  let x, y, began;
  const both = (fn) => Promise.all([x, y].map(fn));
  const until = async (what, ms) => {
    for (const end = Date.now() + ms; Date.now() < end; await sleep(50)) if (await what()) return true;
    return false;
  };
  before(async () => {
    x = await newSite({}, newDatabase());
    psql(x.database, WATCH_JOBS);
    y = await x.beside();
    began = Date.now();
  });
  after(async () => {
    await y.end();
    await x.end();
  });

  test('who signs in at one is signed in at the other', async () => {
    const c = await y.enter({ login: 'admin', password: PASSWORD });
    c.site = x;
    assert.equal((await c.get('session')).user.login, 'admin');
    await c.create('household', { code: 'M-signed-in' }, 'b1');
  });
  test('who signs out at one is out at the other within two seconds', async () => {
    const c = await x.enter({ login: 'admin', password: PASSWORD });
    c.site = y;
    await c.get('session');
    c.site = x;
    assert.equal((await c.call('DELETE', 'session')).status, 204);
    c.site = y;
    assert.ok(await until(async () => (await c.call('GET', 'session')).status === 401, 2000));
  });
  test('who loses his account at one is out at the other within two seconds', async () => {
    const c = await x.loginAs('viewer', 'c1');
    c.site = y;
    const me = await c.get('session');
    await x.admin.cmd('user.update', { record: me.user.id, data: { active: false } });
    assert.ok(await until(async () => (await c.call('GET', 'session')).status === 401, 2000));
  });
  test('a command that is sent to both at the same moment runs once', async () => {
    for (let i = 0; i < 30; i++) {
      const body = { id: uuid(), command: 'household.create', area: 'b1', data: { code: 'M-same-' + i } };
      const [p, q] = await both((s) => s.admin.call('POST', 'commands', { body }));
      assert.deepEqual([p.status, q.status], [200, 200], JSON.stringify([p.body, q.body]));
      assert.equal(p.body.record, q.body.record);
      assert.equal(p.body.seq, q.body.seq);
      assert.notEqual(!!p.body.repeated, !!q.body.repeated);
    }
  });
  test('of two who give the same code at the same moment one is refused', async () => {
    for (let i = 0; i < 20; i++) {
      const answers = await both((s) => s.admin.tryCmd('household.create', { area: 'b1', data: { code: 'M-code-' + i } }));
      assert.deepEqual(answers.map((r) => r.body.reason).sort(), ['SAME_CODE', undefined], JSON.stringify(answers.map((r) => r.body)));
    }
  });
  test('of two who change the same version at the same moment one is told of the other', async () => {
    const record = await x.admin.create('household', { code: 'M-version' }, 'b1');
    for (let version = 1; version < 20; version++) {
      const answers = await both((s) => s.admin.tryCmd('household.update', { record, version, data: { door: `${version}${s === x ? 'x' : 'y'}` } }));
      assert.deepEqual(answers.map((r) => r.status).sort(), [200, 409], JSON.stringify(answers.map((r) => r.body)));
      assert.equal(answers.find((r) => r.status === 409).body.current.version, version + 1);
    }
  });
  test('what is written at one is read at the other at once', async () => {
    for (let i = 0; i < 20; i++) {
      const [from, to] = i % 2 ? [x, y] : [y, x], record = await from.admin.create('household', { code: 'M-read-' + i }, 'b2');
      assert.equal((await to.admin.get('household/' + record)).data.code, 'M-read-' + i);
    }
  });
  test('the feed of one hears within a second of a change at the other', async () => {
    const feed = new Feed(y.admin);
    await feed.until((e) => e.event === 'ready');
    for (let i = 0; i < 5; i++) {
      const r = await x.admin.cmd('household.create', { area: 'b1', data: { code: 'M-feed-' + i } });
      const e = await feed.until((f) => f.data.record === r.record, 1000);
      assert.deepEqual(e.data, { seq: r.seq, command: 'household.create', kind: 'household', record: r.record, area: 'b1' });
    }
    feed.end();
  });
  test('an area that is made at one is known at the other', async () => {
    for (let i = 0; i < 6; i++) {
      const [from, to] = i % 2 ? [x, y] : [y, x], code = 'm' + i;
      await from.admin.create('area', { name: `${i}号院`, code, level: 'quarter', parent: x.areas.c2 });
      await to.admin.create('household', { code: 'M-area-' + i }, code);
      assert.equal((await to.admin.get(`figures?id=grid.households&area=${code}&cuts=0`)).figures[0].value, 1);
    }
    assert.equal((await x.admin.get('figures?id=grid.households&area=c2&cuts=0')).figures[0].value, 6);
  });
  test('sixteen clients at each lose nothing and make nothing twice', async () => {
    const before = (await x.admin.get('figures?id=grid.households&area=jx&cuts=0')).figures[0].value;
    const load = new Load().start(x.admin, 14).start(y.admin, 14).start(x.admin, 2, 'lines').start(y.admin, 2, 'lines');
    await sleep(4000);
    await load.stop();
    assert.ok(load.kept.size > 200, 'only ' + load.kept.size);
    await load.prove(y.admin, before);
  });
  test('each job is done by one of them', async () => {
    await sleep(Math.max(0, began + JOBS_LOOK + 3000 - Date.now()));
    const done = psql(x.database, 'SELECT name, count(*), count(owner) FROM done GROUP BY name ORDER BY name').split('\n');
    assert.ok(done.length >= 2, done.join());
    for (const line of done) assert.match(line, /^[\w.]+\|1\|1$/);
    assert.equal(psql(x.database, 'SELECT count(*) FROM job WHERE leased_until > 0 OR ran_at = 0'), '0');
  });
  test('the journal is one chain without a hole', () => {
    const [n, first, last, ids] = psql(x.database, 'SELECT count(*), min(seq), max(seq), count(DISTINCT id) FROM journal').split('|').map(Number);
    assert.deepEqual([first, last, ids], [1, n, n]);
  });
  test('wrong passwords at one make him wait at the other', async () => {
    await x.loginAs('viewer', 't2');
    const attempt = (s, i) => s.anyone().call('POST', 'session', { body: { login: 'viewer-t2', password: 'wrong ' + i } });
    let r;
    for (let i = 0; i < 12 && r?.status !== 429; i++) r = await attempt(i % 2 ? x : y, i);
    assert.equal(r.status, 429);
    for (const s of [x, y]) assert.equal((await attempt(s, 99)).status, 429);
  });
});

test('two machines that start at the same moment, before anybody has a password, both serve and let the administrator in', { skip: !ON_SERVER }, async () => {
  const slow = { LF_FAULT: 'slow:300000' }; /* each has looked for an administrator before the other made one */
  const x = new Site();
  cli('init', x.site, '--area', 'jx', '--name', '测试县', '--db', newDatabase());
  const y = x.twin();
  await Promise.all([x.start(slow), y.start(slow)]);
  for (const s of [x, y]) assert.equal((await s.anyone().call('GET', '/healthz')).status, 200);
  assert.ok(x.link && y.link);
  assert.equal((await (await y.welcome()).get('session')).user.login, 'admin');
  assert.equal((await (await x.enter({ login: 'admin', password: PASSWORD })).get('session')).user.login, 'admin');
  await y.stop();
  await x.end();
});
