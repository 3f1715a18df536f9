import test from 'tape';
import { MAX_REPLAYS } from '../lib/graph/trace.js';
import { Pacer } from '../lib/pacer.js';

/** Runs `body` while `performance.now()` is the time that it sets. */
async function withClock(body: (clock: { now: number }) => Promise<void>): Promise<void> {
  const now = performance.now.bind(performance);
  const clock = { now: now() };
  performance.now = () => clock.now;
  try {
    await body(clock);
  } finally {
    performance.now = now;
  }
}

/** Queues and waits, as a plan does that repeats. */
async function submit(pacer: Pacer, ...submitted: Parameters<Pacer['submit']>): Promise<void> {
  pacer.submit(...submitted);
  await pacer.ready();
}

/** How many replays the submits held on a device that takes so many milliseconds for each. */
async function submitsOf(millisecondsEach: number, count: number): Promise<number[]> {
  const sizes: number[] = [];
  await withClock(async (clock) => {
    const pacer = new Pacer();
    for (let i = 0; i < count; i++) {
      const { replays } = pacer;
      sizes.push(replays);
      const queue = (): void => void (clock.now += millisecondsEach * replays);
      await submit(pacer, replays, queue, () => Promise.resolve());
    }
  });
  return sizes;
}

test('submits grow, four-fold at most, until they take 50 ms', async (t) => {
  const sizes = await submitsOf(0.5, 12);
  t.deepEqual([sizes[0], sizes.at(-1)], [1, 100], sizes.join());
  t.ok(
    sizes.every((size, i) => size <= 4 * (sizes[i - 1] ?? 1)),
    'never more than four times the one before',
  );
  t.deepEqual(await submitsOf(20, 6).then((all) => all.at(-1)), 2);
});

test('a replay that takes longer than that has a submit of its own; no submit has more replays than a schedule has rates', async (t) => {
  t.deepEqual(await submitsOf(200, 5), [1, 1, 1, 1, 1]);
  t.equal((await submitsOf(0, 20)).at(-1), MAX_REPLAYS);
});

test('two submits are under way at a time', async (t) => {
  const pacer = new Pacer();
  const ends: (() => void)[] = [];
  const finished = (): Promise<void> => new Promise((end) => ends.push(end));
  const done: number[] = [];
  const submits = [0, 1].map((i) => submit(pacer, 1, () => undefined, finished).then(() => done.push(i)));
  await Promise.resolve();
  await submits[0];
  t.deepEqual(done, [0], 'the first does not wait, the second does');
  ends[0]?.();
  await submits[1];
  t.deepEqual(done, [0, 1], 'until the first is over');
});

test('what fails in a submit rejects, at once or with a later submit', async (t) => {
  const pacer = new Pacer();
  const failed = (error: unknown): string => (error instanceof Error ? error.message : 'no error');
  const refused = (): void => {
    throw new Error('refused');
  };
  t.equal(await submit(pacer, 1, refused, () => Promise.resolve()).then(() => 'passed', failed), 'refused');
  await submit(
    pacer,
    1,
    () => undefined,
    () => Promise.reject(new Error('lost')),
  );
  const next = submit(
    pacer,
    1,
    () => undefined,
    () => Promise.resolve(),
  );
  t.equal(await next.then(() => 'passed', failed), 'lost');
  await submit(
    pacer,
    1,
    () => undefined,
    () => Promise.resolve(),
  );
  t.pass('it is told once');
});

test('timers get their turn between two submits, also where everything is over at once', async (t) => {
  await withClock(async (clock) => {
    const pacer = new Pacer();
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    for (let i = 0; i < 50; i++) {
      await submit(
        pacer,
        1,
        () => (clock.now += 60),
        () => Promise.resolve(),
      );
    }
    clearInterval(timer);
    t.ok(ticks > 0, `${ticks} ticks`);
  });
});
