/* node tests/web/run.mjs [FILE...]
 * Runs the browser tests.  With LF_SERVE, a shell command that starts the product and prints the one-time link
 * (http://127.0.0.1:PORT/#/welcome/TOKEN), against that server; else against the mock.  The exit status is that of the tests. */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const files = process.argv.slice(2);
const tests = files.length ? files : readdirSync(here).filter((f) => f.endsWith('.test.mjs')).sort().map((f) => here + f);
const env = { ...process.env };
let server = null;

function startServer(command) {
  return new Promise((ready, failed) => {
    server = spawn('/bin/sh', ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let said = '';
    const timer = setTimeout(() => failed(new Error('no address within 30 s; it said:\n' + said)), 30000);
    const listen = (chunk) => {
      said += chunk;
      const link = /(https?:\/\/[^\s/]+)\/#\/welcome\/[^\s"']+/.exec(said);
      if (!link) return;
      clearTimeout(timer);
      ready({ LF_URL: link[1], LF_TOKEN_LINK: link[0] });
    };
    server.stdout.on('data', listen);
    server.stderr.on('data', listen);
    server.on('exit', (code) => failed(new Error(`the server ended (${code}); it said:\n` + said)));
  });
}
const endServer = () => { if (server && server.exitCode === null) process.kill(-server.pid, 'SIGTERM'); };
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => { endServer(); process.exit(130); });
let status = 1;
try {
  if (process.env.LF_SERVE) Object.assign(env, await startServer(process.env.LF_SERVE));
  status = await new Promise((done) => {
    const run = spawn(process.execPath, ['--test', '--test-force-exit', '--test-concurrency=1', ...tests], { stdio: 'inherit', env });
    run.on('exit', (code) => done(code ?? 1));
  });
} catch (x) {
  console.error(x.message);
} finally {
  endServer();
}
process.exit(status);
