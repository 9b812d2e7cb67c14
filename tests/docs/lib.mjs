// The Markdown files of the repository and what the tests look for in them.
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const skipped = new Set(['node_modules', 'build', 'dist', 'data', '.git']);

function walk(dir, found) {
  for (const e of readdirSync(dir, { withFileTypes: true })) {
    if (e.isDirectory() && !skipped.has(e.name)) walk(join(dir, e.name), found);
    else if (e.isFile() && e.name.endsWith('.md')) found.push(relative(root, join(dir, e.name)));
  }
  return found;
}

export const markdownFiles = () => walk(root, []).sort();
export const read = (path) => readFileSync(join(root, path), 'utf8');

// Fenced blocks: [{ language, line, text }]
export function blocks(text) {
  const found = [];
  let open = null;
  text.split('\n').forEach((line, i) => {
    const fence = /^ *```(.*)$/.exec(line);
    if (!fence) {
      if (open) open.lines.push(line);
    } else if (open) {
      found.push({ language: open.language, line: open.line, text: open.lines.join('\n') });
      open = null;
    } else {
      open = { language: fence[1].trim(), line: i + 1, lines: [] };
    }
  });
  return found;
}

// The text without fenced blocks and code spans, line by line as before.
export function prose(text) {
  let inside = false;
  return text.split('\n').map((line) => {
    if (/^ *```/.test(line)) inside = !inside;
    return inside || /^ *```/.test(line) ? '' : line.replace(/`[^`]*`/g, (s) => '`' + 'x'.repeat(s.length - 2) + '`');
  }).join('\n');
}

// As GitHub names a heading's anchor.
export function anchors(text) {
  const seen = new Map();
  const names = new Set();
  let inside = false;
  for (const line of text.split('\n')) {
    if (/^ *```/.test(line)) inside = !inside;
    const heading = inside ? null : /^#{1,6} +(.*?) *#*$/.exec(line);
    if (!heading) continue;
    const name = heading[1].toLowerCase().replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, '').replace(/ /g, '-');
    const n = seen.get(name) ?? 0;
    seen.set(name, n + 1);
    names.add(n ? `${name}-${n}` : name);
  }
  return names;
}

export const headings = (text) => prose(text).split('\n').filter((l) => /^#{1,6} /.test(l));
