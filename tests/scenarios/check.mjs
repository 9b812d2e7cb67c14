// Compares the bulletins of a site with the facts of a scenario.  Prints "ok ..." or "not ok ..." for each fact, then "done".
//   node check.mjs PROGRAM SITE SCENARIO.json DEMO_OUTPUT.json
//
// A bulletin holds every figure that is not hidden, cut by cut; a hidden figure is asked for by itself.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const [program, site, scenarioFile, outputFile] = process.argv.slice(2);
const scenario = JSON.parse(readFileSync(scenarioFile, 'utf8'));
const made = JSON.parse(readFileSync(outputFile, 'utf8'));
const skipped = new Set(made.skipped);
const ask = (...args) => JSON.parse(execFileSync(program, [...args, '--json', '--lang', 'en'], { encoding: 'utf8', maxBuffer: 1 << 26 }));

const period = (fact) => (fact.on ? ['--on', fact.on] : ['--from', fact.from ?? fact.to, '--to', fact.to]);
const bulletins = new Map();
function bulletin(fact) {
    const args = ['brief', site, '--area', fact.area, ...period(fact)];
    const key = args.join(' ');
    if (!bulletins.has(key)) bulletins.set(key, ask(...args));
    return bulletins.get(key);
}

const within = (dim, wanted) => Object.entries(wanted).every(([k, v]) => dim[k] === v);

// The line of exactly that cut; else the sum of the finer ones: a cut that nobody falls into has no line.
function valueOf(fact) {
    const wanted = fact.dim ?? {};
    const lines = bulletin(fact).figures.filter((f) => f.id === fact.indicator);
    const exact = lines.find((f) => within(f.dim, wanted) && within(wanted, f.dim));
    if (exact) return exact.value;
    if (lines.length) return lines.filter((f) => within(f.dim, wanted)).reduce((sum, f) => sum + f.value, 0);
    const dims = Object.entries(wanted).flatMap(([k, v]) => ['--dim', `${k}=${v}`]);
    return ask('figure', site, fact.indicator, '--area', fact.area, ...period(fact), ...dims).value;
}

const holds = {
    '=': (got, want) => Math.abs(got - want) < 0.0501 && (Number.isInteger(got - want) ? got === want : true),
    '>=': (got, want) => got >= want,
    '<=': (got, want) => got <= want,
};

let counted = 0;
scenario.facts.forEach((fact, i) => {
    if (skipped.has(fact.indicator)) return;
    counted++;
    const got = valueOf(fact);
    const rel = fact.rel ?? '=';
    const good = got !== null && holds[rel](got, fact.value);
    const dim = fact.dim ? ` ${JSON.stringify(fact.dim)}` : '';
    console.log(`${good ? 'ok' : 'not ok'} ${scenario.id} #${i + 1} ${fact.indicator}${dim} ${fact.area}: ${rel} ${fact.value}${good ? '' : `, got ${got}`}`);
});
if (counted !== made.made) console.log(`not ok ${scenario.id}: ${made.made} facts made, ${counted} looked at`);
console.log('done');
