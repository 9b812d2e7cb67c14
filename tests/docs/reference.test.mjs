// docs/ref is what the program's tables say today.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from './lib.mjs';

function generator() {
  if (process.env.LF_GENDOC) return process.env.LF_GENDOC;
  execFileSync('make', ['V=release', 'build/release/gendoc'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  return join(root, 'build/release/gendoc');
}

test('the reference pages are up to date (otherwise: make docs)', () => {
  const dir = mkdtempSync(join(tmpdir(), 'lianfang-ref-'));
  try {
    execFileSync(generator(), [dir]);
    const made = readdirSync(dir).sort();
    assert.deepEqual(readdirSync(join(root, 'docs/ref')).sort(), made);
    const old = made.filter((name) => readFileSync(join(dir, name), 'utf8') !== readFileSync(join(root, 'docs/ref', name), 'utf8'));
    assert.deepEqual(old, []);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
