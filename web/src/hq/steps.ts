import type { Rec } from '../shared/types';

/* The commands beside create, update, remove and open: when a record is ready for one, what it says of itself, and what it asks for.
 * `key` is the name on the wire, `field` the field of the kind whose rules it follows. */
export interface Input { key: string; field: string; required?: boolean; note?: string; without?: string; orNobody?: boolean }
export interface Step {
  verb: string;
  what: string;
  inputs: Input[];
  fits: (r: Rec) => boolean;
  data?: (r: Rec) => Record<string, unknown>;
}

const is = (r: Rec, field: string, ...values: string[]) => values.indexOf(String(r.data[field] ?? '')) >= 0;
const treated = (r: Rec) => is(r, 'outcome', 'in_treatment');
const open = (r: Rec) => is(r, 'state', 'open');

const caseSteps: Step[] = [
  { verb: 'confirm', what: 'step.confirm.what', inputs: [{ key: 'confirmed_at', field: 'confirmed_at', note: 'step.now' }],
    fits: (r) => is(r, 'classification', 'suspected', 'clinically_diagnosed', 'asymptomatic') },
  { verb: 'exclude', what: 'step.exclude.what', inputs: [{ key: 'excluded_at', field: 'excluded_at', note: 'step.now' }],
    fits: (r) => is(r, 'classification', 'suspected', 'clinically_diagnosed') },
  { verb: 'transfer', what: 'step.transfer.what',
    inputs: [{ key: 'to', field: 'transferred_to', required: true }, { key: 'on', field: 'transferred_on', note: 'step.today' }],
    fits: (r) => treated(r) && !is(r, 'classification', 'excluded') },
  { verb: 'close', what: 'step.close.what',
    inputs: [{ key: 'outcome', field: 'outcome', required: true, without: 'in_treatment' }, { key: 'on', field: 'outcome_on', note: 'step.today' }],
    fits: (r) => treated(r) && is(r, 'classification', 'clinically_diagnosed', 'confirmed', 'asymptomatic') },
];
const householdSteps: Step[] = [
  { verb: 'assign', what: 'step.assign.what', inputs: [{ key: 'member', field: 'member', required: true, orNobody: true }],
    fits: () => true, data: (r) => ({ households: [r.id] }) },
];
const revoked = (r: Rec) => !!r.data.revoked_at;
const passSteps: Step[] = [
  { verb: 'revoke', what: 'step.revoke.what', inputs: [{ key: 'reason', field: 'revoke_reason', required: true }], fits: (r) => !revoked(r) },
  { verb: 'stay_home', what: 'step.stay_home.what',
    inputs: [{ key: 'from', field: 'stay_home_from', note: 'step.today' }, { key: 'until', field: 'stay_home_until', note: 'step.open' }],
    fits: (r) => !revoked(r) && !r.data.stay_home_from },
  { verb: 'lift', what: 'step.lift.what', inputs: [], fits: (r) => !revoked(r) && !!r.data.stay_home_from },
];
function duplicateSteps(r: Rec): Step[] {
  const pair = r.data.candidate ? 'row' : 'records';
  return [
    { verb: 'merge', what: 'step.merge.' + pair, inputs: [], fits: open },
    { verb: 'separate', what: 'step.separate.' + pair, inputs: [], fits: open },
    { verb: 'undo', what: 'step.undo.what', inputs: [], fits: (x) => !open(x) },
  ];
}
export function stepsOf(r: Rec): Step[] {
  const all: Record<string, Step[]> = { case: caseSteps, household: householdSteps, pass: passSteps, duplicate: duplicateSteps(r) };
  return (all[r.kind] || []).filter((s) => s.fits(r));
}
