// Runs the examples: each ```console block of the README files and the guides, in order, one shell for each file, in a fresh directory
// with the program on PATH.  A line "$ COMMAND" is run; what follows is its output, where "..." stands for anything.
// Pages that say $DB need LF_TEST_DB=postgres://..., the database of a throw-away server; several runs may share it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { blocks, markdownFiles, read, root } from './lib.mjs';

const program = resolve(root, process.env.LF_BIN ?? 'build/release/lianfang');
const server = process.env.LF_TEST_DB;
const marker = '@@ example';

// [{ line, command, expected }]
export function examples(text) {
  const found = [];
  for (const b of blocks(text).filter((x) => x.language === 'console')) {
    b.text.split('\n').forEach((line, i) => {
      if (line.startsWith('$ ')) found.push({ line: b.line + 1 + i, command: line.slice(2), expected: [] });
      else if (found.length) found.at(-1).expected.push(line);
      else throw new Error(`line ${b.line + 1 + i}: output without a command`);
    });
  }
  return found;
}

function lineMatches(pattern, line) {
  const parts = pattern.split('...').map((p) => p.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 'u').test(line);
}

// A line that is "..." alone stands for any number of lines.
export function outputMatches(expected, actual) {
  if (expected.length === 0) return actual.length === 0;
  if (expected[0].trim() === '...') {
    for (let i = 0; i <= actual.length; i++) if (outputMatches(expected.slice(1), actual.slice(i))) return true;
    return false;
  }
  return actual.length > 0 && lineMatches(expected[0], actual[0]) && outputMatches(expected.slice(1), actual.slice(1));
}

const trimmed = (lines) => {
  const all = lines.map((l) => l.trimEnd());
  while (all.length && all.at(-1) === '') all.pop();
  while (all.length && all[0] === '') all.shift();
  return all;
};

function run(list, language) {
  const dir = mkdtempSync(join(tmpdir(), 'lianfang-docs-'));
  symlinkSync(join(root, 'docs'), join(dir, 'docs'));
  // The marker keeps the status of the command before it, so that "echo $?" in an example shows it.
  const script = list.map((x) => `${x.command}\nexample_status=$?; printf '\\n${marker} %s\\n' $example_status; (exit $example_status)`).join('\n');
  const env = { ...process.env, PATH: `${dirname(program)}:${process.env.PATH}`, LF_LANG: language, LC_ALL: 'C.UTF-8', TZ: 'UTC', DB: server ?? '' };
  for (const name of ['LF_CLOCK', 'LF_DB', 'LF_FAULT', 'LF_TRACE']) delete env[name];
  const r = spawnSync('bash', ['-c', `exec 2>&1\ntrap 'kill $(jobs -p) 2>/dev/null' EXIT\n${script}`], { cwd: dir, env, input: '', encoding: 'utf8', timeout: 120000, maxBuffer: 1 << 26 });
  rmSync(dir, { recursive: true, force: true });
  const outputs = [];
  let lines = [];
  for (const line of r.stdout.split('\n')) {
    const end = line.startsWith(`${marker} `);
    if (end) outputs.push({ lines: trimmed(lines), status: Number(line.slice(marker.length + 1)) });
    lines = end ? [] : [...lines, line];
  }
  return outputs;
}

function check(path, list, outputs) {
  list.forEach((x, i) => {
    const at = `${path}:${x.line}: $ ${x.command}`;
    const said = outputs[i];
    assert.ok(said, `${at}\nwas not run to its end`);
    const expected = trimmed(x.expected);
    assert.ok(outputMatches(expected, said.lines), `${at}\n--- the page says\n${expected.join('\n')}\n--- the program says\n${said.lines.join('\n')}`);
    const shown = list[i + 1]?.command === 'echo $?';
    assert.ok(said.status === 0 || shown, `${at}\nended with ${said.status}; a page that shows a failure goes on with: $ echo $?`);
  });
}

test('dots stand for anything in an expected output', () => {
  assert.ok(outputMatches(['a', '...', 'd ...'], ['a', 'b', 'c', 'd e']));
  assert.ok(outputMatches(['...'], []));
  assert.ok(!outputMatches(['a', '...', 'd'], ['a', 'b']));
  assert.ok(!outputMatches(['a.c'], ['abc']));
});

const pages = markdownFiles().filter((p) => /^README[^/]*\.md$/.test(p) || p.startsWith('docs/guide/'));
for (const path of pages) {
  const list = examples(read(path));
  if (list.length === 0) continue;
  const skip = !server && list.some((x) => x.command.includes('$DB')) ? 'they need LF_TEST_DB=postgres://..., a throw-away server' : false;
  test(`the examples of ${path} come out as written`, { skip }, () => {
    assert.ok(existsSync(program), `${program} is not there: run make first`);
    check(path, list, run(list, path.includes('.zh') ? 'zh-Hans' : 'en'));
  });
}
