import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const collect = exposedGc();

/** Collects garbage until what hangs on finalizers of finalizers is gone, too. */
export async function collectGarbage(rounds = 4): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    collect();
    await new Promise((resume) => setTimeout(resume, 5));
  }
}

/** So many bytes a call are V8's own: what a call itself leaves behind, an object with a field or a promise, is more. */
export const NOTHING_LEFT = 64;

/** Bytes of JavaScript's heap that each of many calls leaves behind: about 0, unless there is something in every round. */
export async function bytesLeftBy(call: () => Promise<unknown>): Promise<number> {
  const calls = 300;
  let bytes = Infinity; // V8's own tables grow in some rounds
  let before = await heapBytes();
  for (let round = 0; round < 10 && bytes > NOTHING_LEFT; round++) {
    for (let i = 0; i < calls; i++) await call();
    const after = await heapBytes();
    bytes = Math.min(bytes, (after - before) / calls);
    before = after;
  }
  return bytes;
}

/** Bytes of JavaScript's heap that are in use. */
async function heapBytes(): Promise<number> {
  await collectGarbage(3);
  return process.memoryUsage().heapUsed;
}

function exposedGc(): () => void {
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('gc');
  if (typeof gc !== 'function') throw new Error('this Node does not expose its garbage collector');
  return () => {
    Reflect.apply(gc, undefined, []);
  };
}
