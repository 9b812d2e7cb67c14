/* Figures of the synthetic county, counted from its records. */
import { TODAY, addDays, byCode, children, gates, kindOf, records, under, units } from './data.mjs';

const labels = {
  'case.confirmed_new': ['新增确诊', 'Confirmed, new'], 'case.confirmed_total': ['累计确诊', 'Confirmed, cumulative'], 'case.suspected_total': ['累计疑似', 'Suspected, cumulative'],
  'gate.persons': ['检查人员', 'Persons checked'], 'gate.vehicles': ['检查车辆', 'Vehicles checked'], 'gate.febrile': ['卡点发热', 'Febrile at gates'], 'gate.turned_back': ['劝返', 'Turned back'],
  'triage.visits': ['预检分诊', 'Pre-checked'], 'grid.households_covered_percent': ['户包联率', 'Households covered'], 'report.daily_submitted_percent': ['日报告上报率', 'Daily reports submitted'],
};
export const figureIds = Object.keys(labels);
export const figureLabel = (id, lang) => labels[id]?.[lang === 'en' ? 1 : 0] ?? id;
export const figureUnit = (id) => (id.endsWith('_percent') ? 'percent' : id === 'gate.persons' ? 'person-times' : 'count');

const all = (kind, area) => [...records.values()].filter((r) => r.kind === kind && !r.removed && under(r.areaCode, area));
const day = (r, field) => String(r.data[field] || '').slice(0, 10);
const inside = (d, from, to) => d >= from && d <= to;
export function figureRows(id, area, { from, to }, dim) {
  const gateKind = dim?.startsWith('kind:') ? dim.slice(5) : null;
  const scans = () => all('gate_scan', area).filter((r) => inside(day(r, 'seen_at'), from, to) && (!gateKind || records.get(r.data.gate).data.kind_of === gateKind));
  switch (id) {
    case 'case.confirmed_new': return all('case', area).filter((r) => inside(day(r, 'confirmed_at'), from, to));
    case 'case.confirmed_total': return all('case', area).filter((r) => r.data.confirmed_at && day(r, 'confirmed_at') <= to);
    case 'case.suspected_total': return all('case', area).filter((r) => r.data.classification === 'suspected' && r.data.onset_date < to);
    case 'gate.persons': return scans();
    case 'gate.vehicles': return scans().filter((r) => r.data.plate);
    case 'gate.febrile': return scans().filter((r) => r.data.temperature >= 37.3);
    case 'gate.turned_back': return scans().filter((r) => r.data.verdict === 'turn_back');
    case 'triage.visits': return all('triage_visit', area).filter((r) => inside(day(r, 'seen_at'), from, to));
    case 'grid.households_covered_percent': return all('household', area).filter((r) => r.data.member);
    case 'report.daily_submitted_percent': return all('daily_report', area).filter((r) => inside(addDays(r.data.day, 1), from, to));
    default: return [];
  }
}
/* The day before has no records of its own for scans and visits; its figures are made up so that changes show. */
const eve = { 'gate.persons': 431, 'gate.vehicles': 118, 'gate.febrile': 2, 'gate.turned_back': 6, 'triage.visits': 41, 'grid.households_covered_percent': 74.2, 'report.daily_submitted_percent': 100 };
export function figureValue(id, area, from, to, kind) {
  if (to < TODAY && id in eve) return eve[id];
  const rows = figureRows(id, area, { from, to }, kind && 'kind:' + kind);
  if (id === 'gate.persons') return rows.reduce((a, r) => a + r.data.persons, 0);
  const whole = id === 'grid.households_covered_percent' ? all('household', area).length : id === 'report.daily_submitted_percent' ? units.filter((u) => under(u.areaCode, area)).length : 0;
  if (figureUnit(id) === 'percent') return whole ? Math.round((1000 * rows.length) / whole) / 10 : null;
  return rows.length;
}
export function series(id, area, from, to) {
  const points = [];
  for (let d = from; d <= to; d = addDays(d, 1)) points.push({ on: d, value: figureRows(id, area, { from: d, to: d }).length });
  return points;
}
export function brief(area, from, to, lang = 'zh-Hans') {
  const v = (id) => figureValue(id, area, from, to), name = byCode(area).name;
  const en = lang === 'en', span = from === to ? to : from + (en ? ' to ' : ' 至 ') + to;
  const parts = [[['病例', 'Cases'], ['case.confirmed_new', 'case.confirmed_total', 'case.suspected_total']], [['卡点', 'Gates'], ['gate.vehicles', 'gate.persons', 'gate.febrile', 'gate.turned_back']],
    [['发热门诊', 'Fever clinic'], ['triage.visits']], [['网格', 'Grid'], ['grid.households_covered_percent']], [['日报', 'Daily reports'], ['report.daily_submitted_percent']]];
  return [en ? `${name}: outbreak bulletin (${span})` : `${name}疫情防控通报（${span}）`,
    ...parts.map(([head, ids]) => `【${head[en ? 1 : 0]}】\n` + ids.map((id) => `  ${figureLabel(id, lang)}：${v(id) ?? '—'}${figureUnit(id) === 'percent' ? '%' : ''}`).join('\n'))].join('\n\n') + '\n';
}
export function coverage(area, ref) {
  const row = (code) => { const h = all('household', code), c = h.filter((r) => r.data.member).length, m = all('member', code).length; return { households: h.length, covered: c, uncovered: h.length - c, members: m, overloaded: m > 2 && h.length > 30 ? 1 : 0 }; };
  const w = row(area);
  return { households: w.households, covered: w.covered, members: w.members, target: 15, areas: children(area).map((a) => ({ area: ref(a.code), ...row(a.code) })) };
}
export function proposal(area, target, most, ref, title, apply = false) {
  const households = all('household', area), open = households.filter((r) => !r.data.member), members = all('member', area);
  const assignments = [];
  const before = open.length;
  let i = 0;
  for (const m of members) {
    const had = households.filter((h) => h.data.member === m.id).length, give = open.slice(i, i + Math.max(0, Math.min(4, target - had)));
    i += give.length;
    if (!give.length) continue;
    assignments.push({ member: { id: m.id, title: title(m) }, area: ref(m.areaCode), before: had, after: had + give.length, households: give.map((h) => ({ id: h.id, title: title(h) })) });
    if (apply) give.forEach((h) => { h.data.member = m.id; h.version++; });
  }
  return { households: households.length, uncovered_before: before, uncovered_after: before - i, overloaded_before: 2, overloaded_after: 0, changes: i, capacity_short: before - i, assignments, truncated: false };
}
export function missing(area, on, ref) {
  const due = units.filter((u) => under(u.areaCode, area));
  const sent = new Set(all('daily_report', area).filter((r) => r.data.day === addDays(on, -1) || r.data.day === on).map((r) => r.data.unit));
  return { on, due: due.length, submitted: due.filter((u) => sent.has(u.id)).length, late: on === TODAY ? 1 : 0,
    missing: due.filter((u) => !sent.has(u.id)).map((u, i) => ({ unit: { id: u.id, name: u.data.name }, area: ref(u.areaCode), due_by: `${String(u.data.due_minute / 60).padStart(2, '0')}:00`, last_on: i === 1 ? null : addDays(on, -1) })) };
}
export function gatesDay(area, on, ref, lang) {
  const kinds = kindOf('gate').fields.find((f) => f.name === 'kind_of').codes;
  return { on, gates: gates.filter((g) => under(g.areaCode, area) && !g.removed).map((g) => {
    const s = [...records.values()].filter((r) => r.kind === 'gate_scan' && r.data.gate === g.id && day(r, 'seen_at') === on), c = kinds.find((x) => x.value === g.data.kind_of);
    return { id: g.id, name: g.data.name, kind: g.data.kind_of, kind_label: lang === 'en' ? c.label.en : c.label.zh, area: ref(g.areaCode), vehicles: s.filter((r) => r.data.plate).length, persons: s.reduce((a, r) => a + r.data.persons, 0), febrile: s.filter((r) => r.data.temperature >= 37.3).length, turned_back: s.filter((r) => r.data.verdict === 'turn_back').length };
  }) };
}
