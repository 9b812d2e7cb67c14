/* Each role in its own area and in another: what it may list, read, make and count. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newSite, uuid, seqOf } from './lib.mjs';

let s, a;
const there = {};
before(async () => {
  s = await newSite();
  a = s.admin;
  for (const area of ['c1', 'c3']) {
    const gate = await a.create('gate', { name: '卡点' + area, kind_of: 'road' }, area);
    there[area] = {
      gate, household: await a.create('household', { code: 'H' + area }, area), resident: await a.create('resident', { name: '住户' + area }, area),
      organisation: await a.create('organisation', { name: '支部' + area, type: 'branch' }, area), member: await a.create('member', { name: '党员' + area }, area),
      triage_visit: await a.create('triage_visit', { seen_at: '2020-02-10 09:00', disposition: 'home' }, area),
      case: await a.create('case', { name: '病例' + area, classification: 'suspected' }, area),
      report_unit: await a.create('report_unit', { name: '单位' + area }, area),
      gate_scan: await a.create('gate_scan', { gate, seen_at: new Date().toISOString(), what: 'person' }),
    };
  }
});
after(async () => s.end());
const make = (kind, area) => ({
  household: { code: uuid() }, resident: { name: '新' }, organisation: { name: '新', type: 'team' }, member: { name: '新' }, gate: { name: '新', kind_of: 'road' },
  triage_visit: { seen_at: '2020-02-10 10:00', disposition: 'home' }, case: { name: '新', classification: 'suspected' }, report_unit: { name: '新' },
  gate_scan: { gate: there[area].gate, seen_at: new Date().toISOString(), what: 'person' },
})[kind];
const kinds = ['household', 'resident', 'organisation', 'member', 'gate', 'gate_scan', 'triage_visit', 'case', 'report_unit'];
const all = (verbs) => Object.fromEntries(kinds.map((k) => [k, verbs]));
/* r read, c create; f figures */
const roles = {
  headquarters: { ...all('rc'), f: true },
  community: { ...all('rc'), triage_visit: '', case: '', report_unit: 'r', f: true },
  grid_worker: { ...all(''), household: 'rc', resident: 'rc', member: 'r', gate: 'r', gate_scan: 'c', f: true },
  gate: { ...all(''), gate: 'r', gate_scan: 'rc', f: false },
  clinic: { ...all(''), organisation: 'r', triage_visit: 'rc', case: 'rc', report_unit: 'r', f: true },
  investigator: { ...all('r'), member: '', report_unit: '', case: 'rc', f: true },
  reporter: { ...all(''), report_unit: 'r', f: false },
  viewer: { ...all(''), report_unit: 'r', f: true },
};
for (const [role, may] of Object.entries(roles))
  test(`what a ${role} of c1 may do`, async () => {
    const c = await s.loginAs(role, 'c1');
    for (const kind of kinds) {
      const list = await c.call('GET', kind), own = await c.call('GET', `${kind}/${there.c1[kind]}`), other = await c.call('GET', `${kind}/${there.c3[kind]}`);
      const history = await c.call('GET', `${kind}/${there.c3[kind]}/history`), foreign = await c.call('GET', `${kind}?area=c3`), above = await c.call('GET', `${kind}?area=jx`);
      if (may[kind].includes('r')) {
        assert.equal(list.status, 200, kind);
        assert.ok(list.body.records.length && list.body.records.every((r) => ['c1', 'q1', 'b1', 'b2'].includes(r.area.code)), kind + ' shows another area');
        assert.equal(above.body.records.length, list.body.records.length, 'asking for more gives no more');
        assert.equal(own.status, 200);
        assert.equal(other.status, 404, 'a record outside is not there');
        assert.equal(history.status, 404);
        assert.equal(foreign.status, 403);
        assert.equal((await c.call('GET', `${kind}/${uuid()}`)).body.reason, other.body.reason, 'one that is nowhere is told alike');
      } else {
        for (const r of [list, own, other, history, foreign]) assert.equal(r.status, 403, kind);
      }
      const before = await seqOf(a);
      for (const [area, mine] of [['c1', true], ['c3', false]]) {
        const r = await c.tryCmd(kind + '.create', { ...(kind === 'gate_scan' ? {} : { area }), data: make(kind, area) });
        const good = mine && may[kind].includes('c');
        if (good) assert.equal(r.status, 200, `${kind} in ${area}: ${JSON.stringify(r.body)}`);
        else assert.ok(r.status === 403 || (r.status === 422 && r.body.reason === 'OUTSIDE_AREA'), `${kind} in ${area}: ${r.status} ${JSON.stringify(r.body)}`);
      }
      if (!may[kind].includes('c')) assert.equal(await seqOf(a), before);
      const edit = await c.tryCmd(kind + '.update', { record: there.c3[kind], version: 99, data: {} });
      assert.ok([403, 404, 422].includes(edit.status), `${kind}: ${edit.status} ${JSON.stringify(edit.body)}`);
      assert.equal(edit.body.current, undefined);
      const remove = await c.tryCmd(kind + '.remove', { record: there.c3[kind], version: 99 });
      assert.ok([403, 404, 422].includes(remove.status), `${kind}: ${remove.status} ${JSON.stringify(remove.body)}`);
      assert.equal(remove.body.current, undefined);
    }
    for (const [path, status] of [['figures?area=c1&id=grid.households', may.f ? 200 : 403], ['figures?area=c3&id=grid.households', 403], ['figures?area=jx&id=grid.households', 403],
      ['figures/grid.households/series?area=c3&from=2020-02-01&to=2020-02-02', 403], ['figures/grid.households/rows?area=c1', may.f && may.household.includes('r') ? 200 : 403],
      ['brief?area=c3', 403], ['reports/missing?area=c3', 403], ['gates/day?area=c3', 403], ['coverage?area=c3', 403], ['user', 403], ['user_role', 403]])
      assert.equal((await c.call('GET', path)).status, status, path);
    const protocol = await c.call('GET', 'protocol');
    assert.ok(protocol.status === 403 || protocol.body.records.length === 0, 'what belongs to the whole site');
    const own = await c.get('areas');
    assert.deepEqual(own.areas.map((x) => x.code), ['c1']);
    assert.equal((await c.call('GET', 'areas?parent=jx')).status, 403);
    assert.equal((await c.call('GET', 'areas?parent=c3')).status, 403);
    assert.ok((await c.get('kinds')).kinds.every((k) => k.name !== 'user'));
    const grab = await c.tryCmd('user_role.create', { area: 'c1', data: { account: (await c.get('session')).user.id, role: 'administrator' } });
    assert.equal(grab.status, 403);
  });
test('a reference to what one may not read shows masked', async () => {
  const member = there.c3.member, household = await a.create('household', { code: 'H-masked', member }, 'c1');
  const c = await s.loginAs('community', 'c1', 'community-two');
  const r = await c.get('household/' + household);
  assert.notEqual(r.refs.member.title, '党员c3');
  assert.match(r.refs.member.title, /^党\*/);
  assert.equal((await a.get('household/' + household)).refs.member.title, '党员c3');
});
test('a role that is taken away counts at once', async () => {
  const c = await s.loginAs('grid_worker', 'c3', 'worker-three'), me = await c.get('session');
  assert.equal((await c.get('resident')).records.length, 1);
  const role = (await a.get('user_role?account=' + me.user.id)).records[0];
  await a.cmd('user_role.remove', { record: role.id });
  assert.equal((await c.call('GET', 'resident')).status, 403);
  await a.cmd('user_role.create', { area: 'c1', data: { account: me.user.id, role: 'grid_worker' } });
  assert.ok((await c.get('resident')).records.every((r) => r.area.code !== 'c3'));
});
