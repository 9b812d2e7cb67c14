// Links and pictures lead somewhere; both languages of a page say the same things in the same order; the words of the program are explained.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { anchors, headings, markdownFiles, prose, read, root } from './lib.mjs';

const pictures = 'docs/pictures';
const files = markdownFiles();

function links(text) {
  const found = [];
  prose(text).split('\n').forEach((line, i) => {
    for (const m of line.matchAll(/(!?)\[[^\]]*\]\(([^)\s]+)[^)]*\)/g)) found.push({ line: i + 1, picture: m[1] === '!', to: m[2] });
  });
  return found;
}

function wrong(path, link) {
  const [file, anchor] = decodeURI(link.to).split('#');
  const target = file ? normalize(join(dirname(path), file)) : path;
  if (target.startsWith('..')) return 'leads out of the repository';
  if (target.startsWith(`${pictures}/`) && !existsSync(join(root, pictures))) return null; // pictures are taken after the pages are built
  if (!existsSync(join(root, target))) return 'is not there';
  if (anchor && target.endsWith('.md') && !anchors(read(target)).has(anchor)) return 'has no such heading';
  if (anchor && statSync(join(root, target)).isDirectory()) return 'is a folder';
  return null;
}

for (const path of files)
  test(`the links of ${path} lead somewhere`, () => {
    const dead = links(read(path)).filter((l) => !/^[a-z]+:/.test(l.to)).map((l) => [l, wrong(path, l)]).filter(([, why]) => why);
    assert.deepEqual(dead.map(([l, why]) => `${path}:${l.line}: ${l.to} ${why}`), []);
  });

const pairs = files.filter((p) => /^docs\/guide\/.*\.zh-Hans\.md$/.test(p)).map((p) => [p, p.replace('.zh-Hans.md', '.en.md')])
  .filter(([, en]) => files.includes(en)).concat([['README.zh.md', 'README.md']]);
for (const [zh, en] of pairs)
  test(`${zh} and ${en} have the same sections and examples`, () => {
    const shape = (p) => headings(read(p)).map((h) => /^#+/.exec(h)[0]);
    const commands = (p) => read(p).split('\n').filter((l) => l.startsWith('$ ')).map((l) => l.replace(/^\$ lianfang (\S+).*/, '$1').split(' ')[0]);
    assert.deepEqual(shape(zh), shape(en));
    assert.deepEqual(commands(zh), commands(en));
  });

// Words in back quotes at the start of a line of the glossary's tables.
const explained = new Set([...read('docs/glossary.md').matchAll(/^\| (`[^|]*) \|/gm)].flatMap((m) => [...m[1].matchAll(/`([^`]+)`/g)].map((x) => x[1])));
const heads = (path, pattern) => [...read(path).matchAll(pattern)].map((m) => m[1]);

for (const [what, words] of [
  ['kind', heads('docs/ref/kinds.md', /^## (\S+)$/gm)],
  ['role', heads('docs/ref/roles.md', /^\| `([a-z_]+)` \| [^|]* \| [^|]* \|$/gm)],
  ['command of its own', heads('docs/ref/commands.md', /^\| `[a-z_]+\.((?!create|update|remove|open)[a-z]+)`/gm)],
  ['unit', [...new Set(heads('docs/ref/figures.md', /^\| `[^|]*\| [^|]*\| [^|]*\| ([a-z-]+|CNY) \|/gm))]],
])
  test(`every ${what} of the program is in the glossary`, () => {
    assert.ok(words.length, `no ${what} was found in docs/ref`);
    assert.deepEqual(words.filter((w) => !explained.has(w)), []);
  });

// Paths in back quotes: a star stands for anything, NAME and MODULE for a name to come.
function present(path) {
  const parts = path.replace(/\/$/, '').split('/');
  let at = [root];
  for (const part of parts) {
    const pattern = new RegExp(`^${part.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*')}$`);
    at = at.flatMap((dir) => (existsSync(dir) && statSync(dir).isDirectory() ? readdirSync(dir) : []).filter((n) => pattern.test(n)).map((n) => join(dir, n)));
  }
  return at.length > 0;
}

for (const path of ['ARCHITECTURE.md', 'CONTRIBUTING.md', 'README.md', 'README.zh.md', ...files.filter((p) => p.startsWith('docs/guide/'))])
  test(`the files that ${path} names are there`, () => {
    const named = [...read(path).matchAll(/`((?:src|tests|docs|tools|fuzz|bench|web)\/[\w./*-]+)`/g)].map((m) => m[1]);
    assert.deepEqual(named.filter((n) => !/NAME|MODULE|web\/dist/.test(n) && !present(n)), []);
  });
