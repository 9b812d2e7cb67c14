/* A synthetic county: areas, kinds and records.  No real person is in it; everything follows from a fixed seed. */
import { readFileSync } from 'node:fs';

export const TODAY = '2020-02-10';
let seed = 7;
export const random = (n) => ((seed = (seed * 1103515245 + 12345) % 2147483648), Math.floor((seed / 2147483648) * n));
let serial = 0;
export const id = () => '01700000-0000-7000-8000-' + (++serial).toString(16).padStart(12, '0');
export const addDays = (iso, n) => new Date(Date.parse(iso + 'T00:00:00Z') + n * 86400000).toISOString().slice(0, 10);

/* ---- areas ---- */
export const areas = [];
function area(code, name, level, parent) {
  const a = { id: id(), code, name, level, parent };
  areas.push(a);
  return a;
}
export const levelLabel = (l, lang) => { const c = kindOf('area').fields.find((f) => f.name === 'level').codes.find((x) => x.value === l); return lang === 'en' ? c.label.en : c.label.zh; };
area('141028', '吉县', 'county', null);
const towns = ['吉昌镇', '屯里镇', '壶口镇', '车城乡', '文城乡', '东城乡', '柏山寺乡', '中垛乡'];
towns.forEach((t, i) => {
  const town = area('14102810' + i, t, 'township', '141028');
  const names = i === 0 ? ['新华社区', '西关社区', '桥南社区', '东关社区', '锦绣社区'] : ['一', '二', '三'].map((n) => t.slice(0, 2) + n + '村');
  names.forEach((n, j) => {
    const c = area(town.code + '0' + j, n, 'community', town.code);
    for (let g = 1; g <= 3; g++) area(c.code + '0' + g, `第 ${g} 网格`, 'quarter', c.code);
  });
});
export const byCode = (c) => areas.find((a) => a.code === c);
export const under = (code, top) => {
  for (let a = byCode(code); a; a = byCode(a.parent)) if (a.code === top) return true;
  return false;
};
export const children = (code) => areas.filter((a) => a.parent === code);
export const full = (code) => {
  const out = [];
  for (let a = byCode(code); a; a = byCode(a.parent)) out.unshift(a.name);
  return out.join(' › ');
};

/* ---- kinds: kinds.json is the product's own answer to GET /api/v1/kinds, in both languages ---- */
const blank = { required: false, personal: false, sealed: false, read_only: false, max: null, min: null, unit: null, list: false, filter: false, past: false, codes: null, ref: null };
export const kinds = JSON.parse(readFileSync(new URL('./kinds.json', import.meta.url), 'utf8'));
for (const k of kinds) k.fields = k.fields.map((f) => ({ ...blank, ...f }));
/* A kind that the pages' menu does not know by name. */
kinds.push({ name: 'ward', log: false, area: true, area_from: null, label: { zh: '病区', en: 'Ward' }, plural: { zh: '病区', en: 'Wards' }, commands: ['ward.create', 'ward.update', 'ward.remove'],
  fields: [{ ...blank, name: 'name', type: 'name', label: { zh: '名称', en: 'Name' }, required: true, list: true, max: 40 }, { ...blank, name: 'beds', type: 'int', label: { zh: '床位', en: 'Beds' }, required: true, list: true, min: 0, max: 500 }] });
export const kindOf = (name) => kinds.find((k) => k.name === name);
export const may = kinds.flatMap((k) => [k.name + '.read', ...k.commands]).sort();

/* ---- records ---- */
export const records = new Map();
export const history = new Map();
export let seq = 100;
export const nextSeq = () => ++seq;
export function add(kind, areaCode, data, at = TODAY + 'T08:30:00+08:00') {
  const r = { id: id(), kind, version: 1, areaCode, created_at: at, updated_at: at, data };
  records.set(r.id, r);
  history.set(r.id, [{ seq: nextSeq(), at, actor: { id: id(), name: '李敏' }, command: kind + '.create', changes: [] }]);
  return r;
}
const surnames = '王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗', given = ['敏', '静', '丽', '强', '磊', '军', '洋', '勇', '艳', '杰', '娟', '涛', '明', '超', '秀英', '桂兰', '建国', '小红'];
const person = () => surnames[random(surnames.length)] + given[random(given.length)];
export function checkDigit(d17) {
  const w = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
  return '10X98765432'[w.reduce((a, x, i) => a + x * +d17[i], 0) % 11];
}
const idNumber = () => { const s = '141028' + (1940 + random(70)) + String(1 + random(12)).padStart(2, '0') + String(1 + random(28)).padStart(2, '0') + String(random(1000)).padStart(3, '0'); return s + checkDigit(s); };
const phone = () => '13' + String(random(1e9)).padStart(9, '0');

const grids = areas.filter((a) => a.level === 'quarter');
for (const a of areas) { const r = { id: a.id, kind: 'area', version: 1, areaCode: a.parent, created_at: '2020-01-23T08:00:00+08:00', updated_at: '2020-01-23T08:00:00+08:00', data: { code: a.code, name: a.name, level: a.level, parent: a.parent ? byCode(a.parent).id : null } }; records.set(r.id, r); history.set(r.id, []); }
const orgs = ['吉县县委', '吉昌镇党委', '新华社区党支部', '西关社区党支部', '县人民医院', '县第一中学', '锦绣小区党小组'].map((n, i) => add('organisation', grids[i].parent, { name: n, code: 'ORG' + i, type: ['committee', 'committee', 'branch', 'branch', 'institution', 'institution', 'group'][i], since: '1998-07-01' }));
const members = Array.from({ length: 40 }, (_, i) => add('member', grids[i % grids.length].code, { name: person(), organisation: orgs[i % 7].id, phone: phone() }));
for (let i = 0; i < 260; i++) {
  const g = grids[random(grids.length)];
  const h = add('household', g.code, { code: 'H' + (10000 + i), door: `${1 + random(12)} 号楼 ${1 + random(4)} 单元 ${100 * (1 + random(6)) + 1 + random(3)} 室`, head: person(), address: `吉县${byCode(g.parent).name}${g.name}`, care: random(8) ? null : ['elderly_alone'], member: random(10) < 8 ? members[random(40)].id : null });
  for (let j = random(3); j >= 0; j--) add('resident', g.code, { name: person(), gender: random(2) ? 'male' : 'female', birth_date: `${1940 + random(75)}-0${1 + random(9)}-1${random(9)}`, household: h.id, id_number: idNumber(), phone: phone(), care: random(5) ? null : ['elderly_alone'], in_care: false, returned_on: random(6) ? null : '2020-01-25', note: null });
}
const gateRows = [['壶口景区卡点', 'road', 2], ['临吉高速吉县出口', 'motorway_exit', 0], ['新华社区北门', 'quarter_gate', 0], ['屯里镇县界卡点', 'county_border', 1], ['汽车站', 'station', 0], ['文城乡村口', 'village_road', 4]];
export const gates = gateRows.map(([name, kind, t]) => add('gate', children('14102810' + t)[0].code, { name, code: 'G' + t + kind.slice(0, 2), kind_of: kind, round_the_clock: true, since: '2020-01-26', until: null }));
for (let i = 0; i < 160; i++) {
  const g = gates[random(6)];
  add('gate_scan', g.areaCode, { gate: g.id, seen_at: `${TODAY}T${String(6 + random(3)).padStart(2, '0')}:${String(random(60)).padStart(2, '0')}:00+08:00`, plate: random(3) ? '晋L' + (10000 + random(89999)) : null, what: 'vehicle', persons: 1 + random(5), temperature: random(40) ? 36 + random(12) / 10 : 37.6, verdict: random(25) ? 'pass' : 'turn_back' });
}
for (let i = 0; i < 46; i++) add('triage_visit', grids[random(9)].code, { name: person(), seen_at: `${TODAY}T0${7 + random(2)}:${10 + random(49)}:00+08:00`, temperature: 36 + random(25) / 10, symptoms: [['fever', 'cough', 'fatigue', 'none'][random(4)]], disposition: ['home', 'home', 'general_clinic', 'fever_clinic'][random(4)] });
export const cases = [];
for (let d = -45; d <= 0; d++) {
  const n = Math.round(6 * Math.exp(-Math.pow((d + 12) / 9, 2)) + (random(3) - 1) * 0.7);
  for (let i = 0; i < n; i++) { const on = addDays(TODAY, d); cases.push(add('case', grids[random(grids.length)].code, { name: person(), code: 'B' + (1000 + serial), gender: random(2) ? 'male' : 'female', classification: 'confirmed', severity: ['mild', 'ordinary', 'severe'][random(3)], onset_date: addDays(on, -3 - random(4)), confirmed_at: on + 'T10:00:00+08:00', outcome: d < -20 ? 'recovered' : 'in_treatment', phone: phone() }, on + 'T10:00:00+08:00')); }
}
for (let i = 0; i < 5; i++) cases.push(add('case', grids[random(9)].code, { name: person(), code: 'B' + (1000 + serial), gender: 'female', classification: 'suspected', outcome: 'in_treatment', onset_date: addDays(TODAY, -2), confirmed_at: null, phone: phone() }));
export const units = areas.filter((a) => a.level === 'community').slice(0, 14).map((a) => add('report_unit', a.code, { name: a.name + '居委会', due_minute: random(2) ? 540 : 1020 }));
units.slice(0, 9).forEach((u) => add('daily_report', u.areaCode, { unit: u.id, day: addDays(TODAY, -1), zero: false, febrile: random(3) }));
add('user', null, { login: 'admin', name: '值班员' });
add('user', null, { login: 'xinhua', name: '新华社区' });
add('protocol', null, { name: kindOf('protocol').fields[0].codes[0].value, value: 37.3, since: '2020-01-28' });
add('ward', grids[0].parent, { name: '隔离一病区', beds: 24 });
/* What an import left to a person: a row beside a record, and two records. */
const people = [...records.values()].filter((r) => r.kind === 'resident');
const row = { ...people[3].data, phone: phone(), workplace: '县第一中学', returned_from: '武汉市', returned_on: '2020-01-24' };
add('duplicate', people[3].areaCode, { kind: 'resident', record_a: people[3].id, record_b: null, candidate: JSON.stringify(row), file: '返乡人员登记表.xlsx', file_row: 27, likeness: 0.93, reason: 'name_birth_address', state: 'open' });
add('duplicate', people[8].areaCode, { kind: 'resident', record_a: people[8].id, record_b: people[9].id, candidate: null, file: null, file_row: null, likeness: null, reason: 'phone', state: 'open' });
