import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** V8's garbage collector, which it hides unless it is asked. */
const collectGarbage = exposedGc();

/** Bytes of this process in physical memory, after a garbage collection. */
export function residentBytes(): number {
  collectGarbage();
  return process.memoryUsage.rss();
}

/** Bytes of JavaScript objects, after a garbage collection. */
export function heapBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

function exposedGc(): () => void {
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('gc');
  if (typeof gc !== 'function') throw new Error('V8 has no garbage collector to call here');
  return gc as () => void;
}
