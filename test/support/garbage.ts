import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const collect = exposedGc();

/** Collects garbage until what hangs on finalizers of finalizers is gone, too. */
export async function collectGarbage(): Promise<void> {
  for (let round = 0; round < 4; round++) {
    collect();
    await new Promise((resume) => setTimeout(resume, 5));
  }
}

/** Bytes of JavaScript's heap that are in use. */
export async function heapBytes(): Promise<number> {
  await collectGarbage();
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
