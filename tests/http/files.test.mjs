/* Tables in and out. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newSite, idNumber, seqOf } from './lib.mjs';

let s, a;
before(async () => { s = await newSite(); a = s.admin; });
after(async () => s.end());
const upload = (c, kind, query, text) => c.call('POST', `${kind}/import?${query}`, { body: new TextEncoder().encode(text), type: 'application/octet-stream' });
const good = idNumber('19900203'), csv = `姓名,身份证号,手机号,门牌,社区,小区,楼栋\r\n赵一,${good},13811112222,101,西关社区,古城小区,1号楼\r\n钱二,142629199001010000,13811113333,102,西关社区,古城小区,1号楼\r\n`;

test('a dry run tells and writes nothing; the run lands good rows and gives the bad ones back', async () => {
  const before = await seqOf(a);
  const dry = await upload(a, 'resident', 'name=people.csv&area=jx&dry_run=1&lang=zh-Hans', csv);
  assert.equal(dry.status, 200, JSON.stringify(dry.body));
  assert.deepEqual([dry.body.imported, dry.body.refused, dry.body.refused_file], [1, 1, null]);
  assert.equal(await seqOf(a), before);
  const run = await upload(a, 'resident', 'name=people.csv&area=jx&lang=zh-Hans', csv);
  assert.deepEqual([run.body.imported, run.body.refused], [1, 1]);
  assert.equal(run.body.columns.find((c) => c.column === '身份证号').field, 'id_number');
  assert.equal(run.body.problems[0].row, 3);
  const back = await a.call('GET', run.body.refused_file);
  assert.match(back.headers.get('content-disposition'), /attachment; filename="refused.csv"/);
  assert.match(back.body, /钱二/);
  assert.doesNotMatch(back.body, /赵一/);
  const again = await upload(a, 'resident', 'name=people.csv&area=jx', csv);
  assert.deepEqual([again.body.imported, again.body.unchanged, again.body.refused], [0, 1, 1]);
  const other = await s.loginAs('community', 'jx', 'other-one');
  assert.equal((await other.call('GET', run.body.refused_file)).status, 404, 'only for who ran it');
  assert.equal((await a.call('GET', run.body.refused_file.replace(/.{8}\/refused/, '00000000/refused'))).status, 404);
  assert.equal((await a.call('GET', 'imports/x/refused')).status, 404);
});
test('what is no table, or not for him, is refused', async () => {
  const bytes = await upload(a, 'resident', 'name=x.bin&area=jx', '\u0000\u0001\u0002');
  assert.ok([415, 422].includes(bytes.status), JSON.stringify(bytes.body));
  assert.equal((await upload(a, 'resident', 'name=x.csv&area=nowhere', csv)).status, 422);
  const worker = await s.loginAs('grid_worker', 'c1');
  assert.equal((await upload(worker, 'resident', 'name=x.csv', csv)).status, 403);
  const community = await s.loginAs('community', 'c2');
  assert.equal((await upload(community, 'resident', 'name=x.csv&area=c1', csv)).status, 403);
  const outside = await upload(community, 'resident', 'name=x.csv&area=c2', csv.replace('赵一', '孙三'));
  assert.equal(outside.body.imported ?? 0, 0, 'rows of another community do not land');
  assert.equal((await upload(s.anyone(), 'resident', 'name=x.csv', csv)).status, 401);
});
test('each form of export holds what he may read, sealed values masked, and comes back in', async () => {
  const number = idNumber('19880808');
  await a.create('resident', { name: '周七', id_number: number, phone: '13600006666' }, 'b2');
  await a.create('resident', { name: '=1+1' }, 'c3');
  const forms = { csv: 'text/csv', tsv: 'text/tab-separated-values', xlsx: 'application/vnd.openxml', json: 'application/x-ndjson' };
  for (const [form, type] of Object.entries(forms)) {
    const res = await a.raw('GET', `/api/v1/resident/export?format=${form}&lang=zh-Hans`), bytes = Buffer.from(await res.arrayBuffer());
    assert.equal(res.status, 200);
    assert.ok(res.headers.get('content-type').startsWith(type), res.headers.get('content-type'));
    assert.match(res.headers.get('content-disposition'), /^attachment; filename="resident-\d{4}-\d\d-\d\d\.\w+"$/);
    if (form === 'xlsx') { assert.equal(bytes.subarray(0, 2).toString(), 'PK'); continue; }
    const text = bytes.toString();
    assert.match(text, /周七/);
    assert.ok(!text.includes(number) && !text.includes('13600006666'), form);
    if (form === 'csv') assert.ok(text.startsWith('\ufeff') && !/(^|,)=1/m.test(text), 'no cell that a spreadsheet would run');
    if (form === 'json') for (const line of text.trim().split('\n')) JSON.parse(line);
    if (form !== 'csv') continue;
    const back = await upload(a, 'resident', 'name=resident.csv&area=jx', text);
    assert.deepEqual([back.body.imported, back.body.updated, back.body.refused, back.body.queued], [0, 0, 0, 0], JSON.stringify(back.body));
  }
  const worker = await s.loginAs('grid_worker', 'b2');
  const mine = (await worker.call('GET', 'resident/export?format=csv')).body;
  assert.ok(mine.includes('周七') && !mine.includes('赵一') && !mine.includes('=1+1'));
  assert.equal((await worker.call('GET', 'resident/export?area=c3')).status, 403);
  assert.equal((await worker.call('GET', 'case/export')).status, 403);
  assert.equal((await a.call('GET', 'resident/export?format=doc')).status, 422);
  assert.equal((await a.call('HEAD', 'resident/export')).status, 200);
});
