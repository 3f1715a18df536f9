import test from 'tape';
import { CpuDevice } from '../lib/device/cpu/device.js';
import { add, compile, matmul, multiply, run, type Tensor, tensor, TraceError, Variable } from '../lib/index.js';
import { cpu, testOnDevices } from './support/devices.js';
import { rejects } from './support/errors.js';

const values = async (result: Tensor): Promise<number[]> => Array.from(await result.data());

testOnDevices('calls side by side have results of their own, cold and warm', async (t, device) => {
  const f = compile((x) => ({ twice: multiply(x, 2), next: add(x, 1) }), { device });
  for (const state of ['cold', 'warm', 'warm again']) {
    const results = await Promise.all([1, 2, 3, 4].map((x) => f([x])));
    const read = await Promise.all(results.map(async ({ twice, next }) => [await values(next), await values(twice)]));
    t.deepEqual(
      read,
      [1, 2, 3, 4].map((x) => [[x + 1], [2 * x]]),
      state,
    );
    t.deepEqual(await values((results[0] ?? (await f([0]))).twice), [2], `${state}: read again`);
    const chained = await Promise.all([5, 6, 7].map((x) => f([x]).then(async ({ twice }) => values(twice))));
    t.deepEqual(chained, [[10], [12], [14]], `${state}: read at once`);
  }
});

testOnDevices('calls of several signatures side by side, repetitions among them', async (t, device) => {
  const count = new Variable('count', Float32Array.of(0));
  const f = compile(
    (x) => {
      count.assign(add(count, 1));
      return add(x, count);
    },
    { device },
  );
  for (const start of [0, 9]) {
    const results = await Promise.all([f([10]), f([10, 20]), f.repeat(5, [[100]]), f([1000]), f([10, 20])]);
    t.deepEqual(await Promise.all(results.map(values)), [
      [start + 11],
      [start + 12, start + 22],
      [start + 107],
      [start + 1008],
      [start + 19, start + 29],
    ]);
  }
});

testOnDevices('results of calls side by side outlive later calls, the last one does not', async (t, device) => {
  const f = compile((x) => multiply(x, 2), { device });
  await f([0]);
  const [first, last] = await Promise.all([f([1]), f([2])]);
  t.deepEqual(await values(await f([3])), [6]);
  t.deepEqual(await values(first), [2]);
  await rejects(t, last.data(), TraceError, 'overwritten by a later call');
});

testOnDevices('results of calls side by side are inputs of other functions', async (t, device) => {
  const [f, g] = [compile((x) => multiply(x, 2), { device }), compile((x, y) => add(x, y), { device })];
  for (let round = 0; round < 3; round++) {
    const [a, b, c] = await Promise.all([f([1]), f([2]), f([3])]);
    const sums = await Promise.all([g(a, b), g(b, c), g(c, a)]);
    t.deepEqual(await Promise.all(sums.map(values)), [[6], [10], [8]]);
  }
});

testOnDevices('a call that fails disturbs none beside it', async (t, device) => {
  const f = compile((x) => matmul(x, x), { device });
  for (let round = 0; round < 3; round++) {
    const [first, broken, last] = await Promise.allSettled([f([[1]]), f([[1, 2]]), f([[3]])]);
    t.equal(broken.status, 'rejected');
    for (const [result, expected] of [
      [first, 1],
      [last, 9],
    ] as const) {
      if (result.status === 'rejected') throw result.reason;
      t.deepEqual(await values(result.value), [expected]);
    }
  }
});

test('a compiled function keeps the plans of 64 signatures: those that were used last', async (t) => {
  const device = new CpuDevice({ reason: 'test', path: 'simd' });
  let traces = 0;
  const f = compile(
    (x) => {
      traces++;
      return multiply(x, 2);
    },
    { device },
  );
  const call = (size: number) => f(new Float32Array(size).fill(size));
  const results = await Promise.all(Array.from({ length: 100 }, (_, i) => call(1 + (i % 70))));
  t.ok(
    (await Promise.all(results.map(values))).every((all, i) => all.every((value) => value === 2 * (1 + (i % 70)))),
    'results of plans that went are right',
  );
  t.equal(f.plans().length, 64);
  traces = 0;
  await call(30);
  t.equal(traces, 0, 'it was used not long ago');
  await call(31);
  await call(30);
  t.equal(traces, 1, 'it was used before the last 64');
});

test('memory of a CPU device does not grow with the number of shapes', async (t) => {
  const device = new CpuDevice({ reason: 'test', path: 'simd' });
  const f = compile((x) => multiply(x, 2), { device });
  const call = async (i: number) => values(await f(tensor(new Float32Array(50_000 + i))));
  for (let i = 0; i < 100; i++) await call(i);
  const bytes = device.heap.memory.buffer.byteLength;
  for (let i = 0; i < 300; i++) await call(i);
  t.equal(device.heap.memory.buffer.byteLength, bytes);
});

testOnDevices('a compiled function that is disposed of ends what is under way, and goes on', async (t, device) => {
  const count = new Variable('count', Float32Array.of(0));
  const f = compile(() => count.assign(add(count, 1)), { device });
  await f();
  const [long, queued] = [f.repeat(1e7), f()];
  await new Promise((resume) => setTimeout(resume, 30));
  f.dispose();
  await rejects(t, long, TraceError, 'disposed of');
  await queued;
  const [before = NaN] = await count.data();
  await f();
  t.deepEqual(Array.from(await count.data()), [before + 1]);
});

testOnDevices(
  'a call takes its inputs as they are when it is made, whatever comes next, cold and warm',
  async (t, device) => {
    const f = compile((x) => multiply(x, 2), { device });
    const calls: Readonly<Record<string, (r: Tensor) => Promise<Tensor>>> = {
      'a compiled function': (r) => cold((x) => add(x, 1))(r),
      'a repetition': (r) => cold((x) => add(x, 1)).repeat(3, [r]),
      'a compiled function of a lazy tensor': (r) => cold((x) => add(x, 0))(add(r, 1)),
      'run()': (r) => run(() => add(r, 1), { device }),
      'a function on another device': (r) => compile((x) => add(x, 1), { device: cpu })(r),
    };
    function cold(fn: (x: Tensor) => Tensor) {
      return compile(fn, { device });
    }
    for (const [name, call] of Object.entries(calls)) {
      for (const state of ['cold', 'warm']) {
        const result = await f([5]);
        const [sum] = await Promise.all([call(result), f([50]), f([500])]);
        t.deepEqual(await values(sum), [11], `${name}, ${state}`);
      }
    }
    for (const state of ['cold', 'warm']) {
      const result = await f([7]);
      const [sum] = await Promise.all([add(result, 1).data(), f([50])]);
      t.deepEqual(Array.from(sum), [15], `data(), ${state}`);
    }
  },
);

testOnDevices('a typed array may be used again once it was given to a call', async (t, device) => {
  const f = compile((x) => multiply(x, 2), { device });
  const array = new Float32Array(1);
  for (const state of ['cold', 'warm']) {
    const results = await Promise.all(
      [1, 2, 3].map((value) => {
        array[0] = value;
        return f(array);
      }),
    );
    t.deepEqual(await Promise.all(results.map(values)), [[2], [4], [6]], state);
  }
});
