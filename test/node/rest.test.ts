import { readFile } from 'node:fs/promises';
import test from 'tape';
import { restUntil } from '../../lib/node/rest.js';

/** Runs `work` while something that takes as long is waited for, and says how long each nap was. */
async function napsDuring(work: () => Promise<unknown>): Promise<number[]> {
  const naps: number[] = [];
  const { wait } = Atomics;
  Atomics.wait = ((array: Int32Array, index: number, value: number, milliseconds: number) => {
    naps.push(milliseconds);
    return wait(array, index, value, milliseconds);
  }) as typeof wait;
  try {
    const done = work();
    restUntil(done);
    await done;
    return naps;
  } finally {
    Atomics.wait = wait;
  }
}

/** As the package webgpu does while a promise of its own is pending: the event loop turns without a pause. */
async function spinFor(milliseconds: number): Promise<number> {
  const end = performance.now() + milliseconds;
  let turns = 0;
  for (; performance.now() < end; turns++) await new Promise((resume) => setImmediate(resume));
  return turns;
}

test('while something is waited for the event loop turns slowly', async (t) => {
  const restless = await spinFor(100);
  let resting = 0;
  const naps = await napsDuring(async () => (resting = await spinFor(100)));
  t.ok(resting < restless / 4, `${resting} turns, ${restless} without a rest`);
  t.ok(naps.length > 0 && naps.every((nap) => nap >= 0.1 && nap <= 1), naps.join(' '));
  t.ok((naps[0] ?? 1) < 0.5, 'they begin short: what ends soon is seen soon');
});

test('there are no naps once nothing is waited for', async (t) => {
  await napsDuring(() => spinFor(20));
  const restless = await spinFor(50);
  t.ok(restless > 100, `${restless} turns`);
});

test('what waits for several things at once naps no more often', async (t) => {
  let turns = 0;
  const naps = await napsDuring(async () => {
    for (let i = 0; i < 5; i++) restUntil(spinFor(50));
    turns = await spinFor(50);
  });
  t.ok(naps.length <= turns + 1, `${naps.length} naps in ${turns} turns`);
});

test('a wait that fails ends the naps, too, and its error is not swallowed', async (t) => {
  const failing = spinFor(20).then(() => Promise.reject(new Error('lost')));
  restUntil(failing);
  await failing.then(
    () => t.fail('it did not reject'),
    (error: unknown) => t.equal(String(error), 'Error: lost'),
  );
  t.ok((await spinFor(50)) > 100);
});

test('while files are read there are few naps', async (t) => {
  const reads = 300;
  const spinning = new AbortController();
  const spin = (): void => {
    if (!spinning.signal.aborted) setImmediate(spin);
  };
  spin();
  const naps = await napsDuring(async () => {
    for (let i = 0; i < reads; i++) await readFile(new URL(import.meta.url));
  });
  spinning.abort();
  t.ok(naps.length < reads, `${naps.length} naps in ${reads} reads`);
});
