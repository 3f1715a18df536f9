import { readFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import test from 'tape';
import { restUntil } from '../../lib/node/rest.js';

/** Milliseconds of {@link Clock} that a turn of the event loop takes. */
const TURN = 0.01;

/** A clock of its own: time goes by where somebody naps, and in turns of the event loop. */
class Clock {
  readonly naps: number[] = [];
  /** Of the event loop, that files and sockets had something to say in. */
  events = 0;
  #now = performance.now();

  /** Runs `work` by this clock. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const { wait } = Atomics;
    const metrics = Object.getOwnPropertyDescriptor(performance.nodeTiming, 'uvMetricsInfo');
    Object.defineProperty(performance, 'now', { value: () => this.#now, configurable: true });
    Object.defineProperty(performance.nodeTiming, 'uvMetricsInfo', {
      get: () => ({ events: this.events }),
      configurable: true,
    });
    Atomics.wait = ((_array: Int32Array, _index: number, _value: number, milliseconds: number) => {
      this.naps.push(milliseconds);
      this.#now += milliseconds;
      return 'timed-out';
    }) as typeof wait;
    try {
      return await work();
    } finally {
      Atomics.wait = wait;
      Reflect.deleteProperty(performance, 'now');
      Reflect.deleteProperty(performance.nodeTiming, 'uvMetricsInfo');
      if (metrics) Object.defineProperty(performance.nodeTiming, 'uvMetricsInfo', metrics);
    }
  }

  /** As the package webgpu does while a promise of its own is pending: the event loop turns without a pause. */
  async spinFor(milliseconds: number, isBusy = false): Promise<number> {
    const end = this.#now + milliseconds;
    let turns = 0;
    for (; this.#now < end; turns++) {
      if (isBusy) this.events++;
      await new Promise((resume) => setImmediate(resume));
      this.#now += TURN;
    }
    return turns;
  }
}

/** Waits for what takes so long, resting meanwhile: the turns of the event loop. */
function restFor(clock: Clock, milliseconds: number, isBusy = false): Promise<number> {
  return clock.run(async () => {
    const done = clock.spinFor(milliseconds, isBusy);
    restUntil(done);
    return done;
  });
}

test('while something is waited for the event loop turns slowly', async (t) => {
  const clock = new Clock();
  const turns = await restFor(clock, 100);
  t.ok(turns < 300, `${turns} turns, 10000 without a rest`);
  const { naps } = clock;
  t.ok(naps.length > 0 && naps.every((nap) => nap >= 0.1 && nap <= 1), naps.join(' '));
  t.ok((naps[0] ?? 1) < 0.2, 'they begin short: what ends soon is seen soon');
  t.equal(naps.at(-1), 1, 'and become long');
});

test('there are no naps once nothing is waited for', async (t) => {
  const clock = new Clock();
  await restFor(clock, 20);
  const { length } = clock.naps;
  t.ok(length > 0);
  await clock.run(() => clock.spinFor(50));
  t.ok(clock.naps.length <= length + 1, 'at most the one that was due already');
});

test('what waits for several things at once naps no more often', async (t) => {
  const clock = new Clock();
  const turns = await clock.run(async () => {
    for (let i = 0; i < 5; i++) restUntil(clock.spinFor(50));
    return clock.spinFor(50);
  });
  t.ok(clock.naps.length <= turns + 1, `${clock.naps.length} naps in ${turns} turns`);
});

test('a wait that fails ends the naps, too, and its error is not swallowed', async (t) => {
  const clock = new Clock();
  await clock.run(async () => {
    const failing = clock.spinFor(20).then(() => Promise.reject(new Error('lost')));
    restUntil(failing);
    await failing.then(
      () => t.fail('it did not reject'),
      (error: unknown) => t.equal(String(error), 'Error: lost'),
    );
  });
  const { length } = clock.naps;
  await clock.run(() => clock.spinFor(50));
  t.ok(clock.naps.length <= length + 1);
});

test('while files and sockets have something to say there are no naps, and then there are', async (t) => {
  const clock = new Clock();
  await restFor(clock, 100, true);
  t.deepEqual(clock.naps, []);
  await restFor(clock, 100);
  t.ok(clock.naps.length > 0);
});

test('reading a file is such an event', async (t) => {
  const timing: { readonly uvMetricsInfo?: { readonly events: number } } = performance.nodeTiming;
  const before = timing.uvMetricsInfo?.events ?? -1;
  await readFile(new URL(import.meta.url));
  const after = timing.uvMetricsInfo?.events ?? 0;
  t.ok(after > before, `${before} events, then ${after}; -1 where this Node does not count them`);
});
