/* The commands that are neither create, update, remove nor open: each answers the changes it makes, as pairs of a record and its new values. */
import { TODAY, add, history, kindOf, records } from './data.mjs';

const label = (kind, field, value) => kindOf(kind).fields.find((f) => f.name === field).codes.find((c) => c.value === value)?.label.zh ?? '';
const at = () => TODAY + 'T09:30:00+08:00';

function step(from, treated, change) {
  return (r, data, fail) => {
    if (!from.includes(r.data.classification)) fail(409, 'STATE', `目前为“${label('case', 'classification', r.data.classification)}”，不能执行`, { field: 'classification' });
    if (treated && r.data.outcome !== 'in_treatment') fail(409, 'STATE', '已结案，不能执行', { field: 'outcome' });
    return [[r, change(data, (field) => fail(422, 'INVALID', '必填', { field, errors: [{ field, label: field, reason: 'REQUIRED', detail: '必填' }] }))]];
  };
}
function decided(r, fail, open) {
  if ((r.data.state === 'open') !== open) fail(409, 'STATE', `目前为“${label('duplicate', 'state', r.data.state)}”，不能执行`, { field: 'state' });
}
const undo = new Map();

export const steps = {
  'case.confirm': step(['suspected', 'clinically_diagnosed', 'asymptomatic'], false, (d) => ({ classification: 'confirmed', confirmed_at: d.confirmed_at || at() })),
  'case.exclude': step(['suspected', 'clinically_diagnosed'], false, (d) => ({ classification: 'excluded', excluded_at: d.excluded_at || at() })),
  'case.transfer': step(['suspected', 'clinically_diagnosed', 'confirmed', 'asymptomatic'], true, (d, lacks) => (d.to ? { transferred_to: d.to, transferred_on: d.on || TODAY } : lacks('to'))),
  'case.close': step(['clinically_diagnosed', 'confirmed', 'asymptomatic'], true, (d, lacks) => (d.outcome ? { outcome: d.outcome, outcome_on: d.on || TODAY } : lacks('outcome'))),
  'household.assign': (_r, d) => d.households.map((id) => [records.get(id), { member: d.member }]),
  'duplicate.merge': (r, _d, fail) => {
    decided(r, fail, true);
    const a = records.get(r.data.record_a), b = records.get(r.data.record_b);
    const from = b ? b.data : JSON.parse(r.data.candidate);
    const taken = Object.fromEntries(Object.entries(from).filter(([k, v]) => v !== null && (!b || (a.data[k] ?? null) === null)));
    undo.set(r.id, [[a, Object.fromEntries(Object.keys(taken).map((k) => [k, a.data[k] ?? null]))], () => { if (b) b.removed = false; }]);
    if (b) b.removed = true;
    return [[a, taken], [r, { state: 'merged', decided_at: at() }]];
  },
  'duplicate.separate': (r, _d, fail) => {
    decided(r, fail, true);
    const made = r.data.candidate ? add(r.data.kind, r.areaCode, JSON.parse(r.data.candidate), at()) : null;
    undo.set(r.id, [null, () => { if (made) { made.removed = true; history.delete(made.id); } }]);
    return [[r, { state: 'separate', decided_at: at() }]];
  },
  'duplicate.undo': (r, _d, fail) => {
    decided(r, fail, false);
    const [back, then] = undo.get(r.id);
    then();
    return [...(back ? [back] : []), [r, { state: 'open', decided_at: null }]];
  },
};
