/* A synthetic county: areas, kinds and records.  No real person is in it; everything follows from a fixed seed. */
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
const levels = { county: ['县', '縣', 'County'], township: ['乡镇', '鄉鎮', 'Township'], community: ['社区', '社區', 'Community'], grid: ['网格', '網格', 'Grid'] };
export const levelLabel = (l, lang) => levels[l][lang === 'en' ? 2 : lang === 'zh-Hant' ? 1 : 0];
area('141028', '吉县', 'county', null);
const towns = ['吉昌镇', '屯里镇', '壶口镇', '车城乡', '文城乡', '东城乡', '柏山寺乡', '中垛乡'];
towns.forEach((t, i) => {
  const town = area('14102810' + i, t, 'township', '141028');
  const names = i === 0 ? ['新华社区', '西关社区', '桥南社区', '东关社区', '锦绣社区'] : ['一', '二', '三'].map((n) => t.slice(0, 2) + n + '村');
  names.forEach((n, j) => {
    const c = area(town.code + '0' + j, n, 'community', town.code);
    for (let g = 1; g <= 3; g++) area(c.code + '0' + g, `第 ${g} 网格`, 'grid', c.code);
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

/* ---- kinds ---- */
const L = (zh, en) => ({ zh, en });
function f(name, type, zh, en, o = {}) {
  return { name, type, label: L(zh, en), required: false, personal: false, sealed: false, read_only: false, max: null, min: null, unit: null,
    list: false, filter: false, past: false, codes: null, ref: null, ...o };
}
const codes = (...c) => c.map(([value, zh, en]) => ({ value, label: L(zh, en) }));
const sex = codes(['male', '男', 'Male'], ['female', '女', 'Female']);
const symptoms = codes(['fever', '发热', 'Fever'], ['cough', '咳嗽', 'Cough'], ['fatigue', '乏力', 'Fatigue'], ['none', '无症状', 'None']);
const state = codes(['suspected', '疑似', 'Suspected'], ['clinical', '临床诊断', 'Clinically diagnosed'], ['confirmed', '确诊', 'Confirmed'],
  ['asymptomatic', '无症状感染', 'Asymptomatic'], ['excluded', '排除', 'Excluded'], ['recovered', '治愈', 'Recovered']);
const gateKind = codes(['quarter_gate', '小区出入口', 'Quarter gate'], ['road', '公路', 'Road'], ['village_road', '村口', 'Village road'],
  ['county_border', '县界', 'County border'], ['motorway_exit', '高速出口', 'Motorway exit'], ['station', '车站', 'Station']);
const R = { required: true }, S = { list: true };
const table = [
  ['area', '区域', 'Area', [f('code', 'text', '编号', 'Code', { ...R, ...S }), f('name', 'text', '名称', 'Name', { ...R, ...S, max: 40 }),
    f('level', 'code', '级别', 'Level', { ...R, ...S, filter: true, codes: Object.keys(levels).map((l) => ({ value: l, label: L(levels[l][0], levels[l][2]) })) }),
    f('parent', 'ref', '上级', 'Parent', { ref: 'area' })]],
  ['household', '户', 'Household', [f('code', 'text', '户编号', 'Code', { ...R, ...S, max: 20 }), f('address', 'text', '住址', 'Address', { ...R, ...S, max: 80 }),
    f('kind', 'code', '户型', 'Type', { ...S, filter: true, codes: codes(['resident', '常住', 'Resident'], ['rented', '租住', 'Rented'], ['empty', '空置', 'Empty']) }),
    f('member', 'ref', '包联成员', 'Responsible member', { ...S, ref: 'member' })]],
  ['resident', '居民', 'Resident', [f('name', 'name', '姓名', 'Name', { ...R, ...S, personal: true, max: 40 }), f('sex', 'code', '性别', 'Sex', { ...S, filter: true, codes: sex }),
    f('born', 'date', '出生日期', 'Born', { past: true, personal: true }), f('household', 'ref', '所在户', 'Household', { ...R, ...S, ref: 'household' }),
    f('id_number', 'id_number', '身份证号', 'Identity number', { personal: true, sealed: true }), f('phone', 'phone', '手机号', 'Phone', { ...S, personal: true, sealed: true }),
    f('attention', 'codes', '需要照顾', 'Needs care', { codes: codes(['elder', '独居老人', 'Lives alone, old'], ['child', '留守儿童', 'Child left behind'], ['chronic', '慢性病', 'Chronic illness'], ['pregnant', '孕产妇', 'Pregnant']) }),
    f('returned', 'bool', '近期返乡', 'Recently returned', { ...S, filter: true }), f('note', 'text', '备注', 'Note', { max: 500, personal: true })], { area_from: 'household' }],
  ['organisation', '组织', 'Organisation', [f('name', 'text', '名称', 'Name', { ...R, ...S, max: 60 }), f('type', 'code', '类型', 'Type', { ...R, ...S, filter: true, codes: codes(['committee', '党委', 'Committee'], ['branch', '党支部', 'Branch'], ['group', '党小组', 'Group'], ['company', '企业', 'Company'], ['school', '学校', 'School'], ['hospital', '医院', 'Hospital']) }), f('founded', 'date', '成立日期', 'Founded', { ...S, past: true })]],
  ['member', '成员', 'Member', [f('name', 'name', '姓名', 'Name', { ...R, ...S, personal: true, max: 40 }), f('organisation', 'ref', '所在组织', 'Organisation', { ...S, ref: 'organisation' }), f('phone', 'phone', '手机号', 'Phone', { personal: true, sealed: true })]],
  ['gate', '卡点', 'Gate', [f('name', 'text', '名称', 'Name', { ...R, ...S, max: 40 }), f('kind', 'code', '类型', 'Type', { ...R, ...S, filter: true, codes: gateKind }), f('opened_on', 'date', '设立日期', 'Opened', { ...S, past: true }), f('closed_on', 'date', '撤除日期', 'Closed', {})]],
  ['gate_scan', '卡点查验', 'Gate scan', [f('gate', 'ref', '卡点', 'Gate', { ...R, ...S, ref: 'gate' }), f('at', 'time', '时间', 'Time', { ...R, ...S, past: true }), f('plate', 'plate', '车牌', 'Plate', { ...S }), f('persons', 'int', '人数', 'Persons', { ...R, ...S, min: 1, max: 99 }), f('temperature', 'real', '最高体温', 'Highest temperature', { ...S, min: 34, max: 43, unit: '℃' }), f('turned_back', 'bool', '劝返', 'Turned back', { ...S, filter: true })], { log: true }],
  ['triage_visit', '预检分诊', 'Triage visit', [f('name', 'name', '姓名', 'Name', { ...R, ...S, personal: true }), f('at', 'time', '时间', 'Time', { ...R, ...S, past: true }), f('temperature', 'real', '体温', 'Temperature', { ...R, ...S, min: 34, max: 43, unit: '℃' }), f('symptoms', 'codes', '症状', 'Symptoms', { ...S, codes: symptoms }), f('outcome', 'code', '去向', 'Outcome', { ...S, filter: true, codes: codes(['home', '回家观察', 'Home'], ['fever_clinic', '转发热门诊', 'To fever clinic'], ['isolation', '收入隔离病区', 'Isolation ward']) })]],
  ['case', '病例', 'Case', [f('name', 'name', '姓名', 'Name', { ...R, ...S, personal: true, max: 40 }), f('state', 'code', '诊断', 'State', { ...R, ...S, filter: true, codes: state }), f('onset_on', 'date', '发病日期', 'Onset', { ...S, past: true }), f('confirmed_on', 'date', '确诊日期', 'Confirmed on', { ...S, past: true }), f('symptoms', 'codes', '症状', 'Symptoms', { codes: symptoms }), f('phone', 'phone', '手机号', 'Phone', { personal: true, sealed: true })]],
  ['report_unit', '日报单位', 'Report unit', [f('name', 'text', '单位', 'Unit', { ...R, ...S, max: 60 }), f('due_by', 'text', '时限', 'Due by', { ...R, ...S, max: 5 })]],
  ['daily_report', '日报', 'Daily report', [f('unit', 'ref', '单位', 'Unit', { ...R, ...S, ref: 'report_unit' }), f('on', 'date', '日期', 'Day', { ...R, ...S, past: true }), f('febrile', 'int', '发热人数', 'Febrile', { ...R, ...S, min: 0, max: 9999 })]],
  ['user', '用户', 'User', [f('login', 'text', '用户名', 'Login', { ...R, ...S, max: 40 }), f('name', 'name', '姓名', 'Name', { ...R, ...S })], { area: false }],
  ['protocol', '方案', 'Protocol', [f('name', 'text', '名称', 'Name', { ...R, ...S }), f('fever', 'real', '发热阈值', 'Fever threshold', { ...S, min: 36, max: 39, unit: '℃' })], { area: false }],
  ['bulletin', '简报', 'Bulletin', [f('from', 'date', '开始', 'From', { ...S, read_only: true }), f('to', 'date', '结束', 'To', { ...S, read_only: true }), f('version', 'int', '版本', 'Version', { ...S, read_only: true }), f('text', 'text', '正文', 'Text', { read_only: true, max: 20000 })]],
  ['ward', '病区', 'Ward', [f('name', 'text', '名称', 'Name', { ...R, ...S, max: 40 }), f('beds', 'int', '床位', 'Beds', { ...R, ...S, min: 0, max: 500 })]],
];
export const kinds = table.map(([name, zh, en, fields, o = {}]) => ({ name, zh, en, fields, log: !!o.log, area: o.area, area_from: o.area_from || null }));
export const kindOf = (name) => kinds.find((k) => k.name === name);
const verbs = (k) => (k.name === 'bulletin' ? ['read', 'issue'] : ['read', 'create', 'update', 'remove'].concat(k.fields.some((x) => x.sealed) ? ['open'] : []));
export const may = kinds.flatMap((k) => verbs(k).map((v) => k.name + '.' + v)).concat('household.assign').sort();
export const commandsOf = (k) => may.filter((m) => m.startsWith(k.name + '.') && !m.endsWith('.read'));

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

const grids = areas.filter((a) => a.level === 'grid');
for (const a of areas) { const r = { id: a.id, kind: 'area', version: 1, areaCode: a.parent, created_at: '2020-01-23T08:00:00+08:00', updated_at: '2020-01-23T08:00:00+08:00', data: { code: a.code, name: a.name, level: a.level, parent: a.parent ? byCode(a.parent).id : null } }; records.set(r.id, r); history.set(r.id, []); }
const orgs = ['吉县县委', '吉昌镇党委', '新华社区党支部', '西关社区党支部', '县人民医院', '县第一中学', '锦绣小区党小组'].map((n, i) => add('organisation', grids[i].parent, { name: n, type: ['committee', 'committee', 'branch', 'branch', 'hospital', 'school', 'group'][i], founded: '1998-07-01' }));
const members = Array.from({ length: 40 }, (_, i) => add('member', grids[i % grids.length].code, { name: person(), organisation: orgs[i % 7].id, phone: phone() }));
for (let i = 0; i < 260; i++) {
  const g = grids[random(grids.length)];
  const h = add('household', g.code, { code: 'H' + (10000 + i), address: `${g.name} ${1 + random(12)} 号楼 ${1 + random(4)} 单元 ${100 * (1 + random(6)) + 1 + random(3)} 室`, kind: ['resident', 'resident', 'resident', 'rented', 'empty'][random(5)], member: random(10) < 8 ? members[random(40)].id : null });
  for (let j = random(3); j >= 0; j--) add('resident', g.code, { name: person(), sex: random(2) ? 'male' : 'female', born: `${1940 + random(75)}-0${1 + random(9)}-1${random(9)}`, household: h.id, id_number: idNumber(), phone: phone(), attention: random(5) ? null : ['elder'], returned: random(6) === 0, note: null });
}
const gateRows = [['壶口景区卡点', 'road', 2], ['临吉高速吉县出口', 'motorway_exit', 0], ['新华社区北门', 'quarter_gate', 0], ['屯里镇县界卡点', 'county_border', 1], ['汽车站', 'station', 0], ['文城乡村口', 'village_road', 4]];
export const gates = gateRows.map(([name, kind, t]) => add('gate', children('14102810' + t)[0].code, { name, kind, opened_on: '2020-01-26', closed_on: null }));
for (let i = 0; i < 160; i++) {
  const g = gates[random(6)];
  add('gate_scan', g.areaCode, { gate: g.id, at: `${TODAY}T${String(6 + random(3)).padStart(2, '0')}:${String(random(60)).padStart(2, '0')}:00+08:00`, plate: random(3) ? '晋L' + (10000 + random(89999)) : null, persons: 1 + random(5), temperature: random(40) ? 36 + random(12) / 10 : 37.6, turned_back: random(25) === 0 });
}
for (let i = 0; i < 46; i++) add('triage_visit', grids[random(9)].code, { name: person(), at: `${TODAY}T0${7 + random(2)}:${10 + random(49)}:00+08:00`, temperature: 36 + random(25) / 10, symptoms: [['fever', 'cough', 'fatigue', 'none'][random(4)]], outcome: ['home', 'home', 'fever_clinic', 'isolation'][random(4)] });
export const cases = [];
for (let d = -45; d <= 0; d++) {
  const n = Math.round(6 * Math.exp(-Math.pow((d + 12) / 9, 2)) + (random(3) - 1) * 0.7);
  for (let i = 0; i < n; i++) { const on = addDays(TODAY, d); cases.push(add('case', grids[random(grids.length)].code, { name: person(), state: d < -20 ? 'recovered' : 'confirmed', onset_on: addDays(on, -3 - random(4)), confirmed_on: on, symptoms: ['fever', 'cough'], phone: phone() }, on + 'T10:00:00+08:00')); }
}
for (let i = 0; i < 5; i++) cases.push(add('case', grids[random(9)].code, { name: person(), state: 'suspected', onset_on: addDays(TODAY, -2), confirmed_on: null, symptoms: ['fever'], phone: phone() }));
export const units = areas.filter((a) => a.level === 'community').slice(0, 14).map((a) => add('report_unit', a.code, { name: a.name + '居委会', due_by: random(2) ? '09:00' : '17:00' }));
units.slice(0, 9).forEach((u) => add('daily_report', u.areaCode, { unit: u.id, on: TODAY, febrile: random(3) }));
add('user', null, { login: 'admin', name: '值班员' });
add('protocol', null, { name: '防控方案（第四版）', fever: 37.3 });
add('ward', grids[0].parent, { name: '隔离一病区', beds: 24 });
