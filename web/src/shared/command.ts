import { Problem, post } from './api';
import type { CommandResult, Value } from './types';
import { uuidv7 } from './uuid';

export interface Command {
  id?: string;
  command: string;
  record?: string;
  version?: number;
  area?: string;
  data?: Record<string, Value | unknown>;
}
const waits = [400, 1200, 3000, 6000];
const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));

/* Sends a command until it is answered.  A lost reply is no reason to fear: the same id runs once, so the same command is sent again
 * and answers with its first result.  A Problem that is still `passing` after the last try means: outcome unknown, ask the person, and
 * keep the id. */
export async function send(c: Command, onWait: (tries: number) => void = () => {}): Promise<CommandResult> {
  const body = { ...c, id: c.id ?? uuidv7() };
  for (let tries = 0; ; tries++) {
    try {
      return await post<CommandResult>('commands', body, { timeout: 15000 });
    } catch (x) {
      if (!(x instanceof Problem) || !x.passing || tries >= waits.length) throw x;
      onWait(tries + 1);
      await sleep(Math.max(waits[tries], Math.min(x.retryAfter, 20) * 1000));
    }
  }
}
