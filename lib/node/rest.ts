import { performance } from 'node:perf_hooks';

/** A nap's share of the time waited so far, so that the end of what is waited for is not seen much later than it came. */
const SHARE = 1 / 8;
/** The longest nap, in milliseconds. */
const LONGEST = 1;
/** A shorter nap, in milliseconds, is none: falling asleep and waking up takes about as long. */
const SHORTEST = 0.1;

const neverChanged = new Int32Array(new SharedArrayBuffer(4));
/** Its counter of events is in Node from 20.18 on. */
const timing: { readonly uvMetricsInfo?: { readonly events: number } } = performance.nodeTiming;
let waits = 0;
let waitsSince = 0;
let eventsSeen: number | undefined;
let isTurning = false;

/**
 * Lets this thread rest until a promise of Dawn settles. The package webgpu asks for the end of GPU work in every turn of
 * the event loop, and meanwhile has the loop turn without a pause: that takes a whole core, which an adapter that runs
 * on the CPU would compute with.
 *
 * Here the turns take naps of an eighth of the time waited so far, at most 1 ms. While files, sockets or threads have
 * something to say there are none.
 */
export function restUntil(settled: Promise<unknown>): void {
  waitsSince = performance.now();
  waits++;
  const end = (): void => {
    waits--;
  };
  settled.then(end, end);
  if (!isTurning) setImmediate(nap);
  isTurning = true;
}

function nap(): void {
  isTurning = waits > 0;
  if (!isTurning) return;
  const now = performance.now();
  const events = timing.uvMetricsInfo?.events;
  if (events !== eventsSeen) waitsSince = now;
  eventsSeen = events;
  const milliseconds = Math.min(SHARE * (now - waitsSince), LONGEST);
  if (milliseconds >= SHORTEST) Atomics.wait(neverChanged, 0, 0, milliseconds);
  setImmediate(nap);
}
