import test from 'tape';
import {
  add,
  compile,
  DataError,
  multiply,
  Parameter,
  reshape,
  run,
  ShapeError,
  sum,
  tensor,
  TraceError,
  Variable,
} from '../lib/index.js';
import { cpu, testOnDevices } from './support/devices.js';
import { refuses, rejects } from './support/errors.js';
import { openWebGpu } from './support/webgpu.js';

test('a variable keeps its name, shape and type', async (t) => {
  const v = new Variable('fc.weight', Int32Array.of(1, 2, 3, 4), [2, 2]);
  t.deepEqual([v.name, v.shape, v.dtype, v.size], ['fc.weight', [2, 2], 'i32', 4]);
  t.deepEqual(await v.value.array(), [
    [1, 2],
    [3, 4],
  ]);
  t.deepEqual((await new Parameter('p', tensor([[1], [2]])).data()).length, 2);
});

test('a variable that cannot be is refused', (t) => {
  refuses(t, () => new Variable('v', Float32Array.of(1, 2), [3]), ShapeError, '2 values', '[3]');
  refuses(t, () => new Variable('v', add(tensor(1), 1)), TraceError, 'v', 'not lazy');
  const v = new Variable('v', Float32Array.of(1, 2));
  refuses(t, () => v.set(Float32Array.of(1)), ShapeError, 'v: 1 values', '[2]');
  t.end();
});

test('an update of another shape or type is refused, naming both', async (t) => {
  const v = new Variable('v', Float32Array.of(1, 2));
  await rejects(
    t,
    run(() => v.assign(tensor([1, 2, 3]))),
    ShapeError,
    'f32 [3]',
    'f32 [2]',
  );
  await rejects(
    t,
    run(() => v.assign(tensor(Int32Array.of(1, 2)))),
    ShapeError,
    'i32 [2]',
    'f32 [2]',
  );
});

test('data() gives a copy, and set() takes one', async (t) => {
  const v = new Variable('v', Float32Array.of(1, 2));
  const copy = await v.data();
  copy[0] = 99;
  t.deepEqual(Array.from(await v.data()), [1, 2]);
  const given = Float32Array.of(3, 4);
  v.set(given);
  given[0] = 99;
  t.deepEqual(Array.from(await v.data()), [3, 4]);
});

test('a variable moves between devices with its value, and plans follow it', async (t) => {
  const gpu = await openWebGpu();
  const v = new Variable('v', Float32Array.of(1));
  const next = () => {
    v.assign(multiply(v, 2));
    return v.value;
  };
  const [onCpu, onGpu] = [compile(next, { device: cpu }), compile(next, { device: gpu })];
  const results: number[] = [];
  for (const step of [onCpu, onGpu, onGpu, onCpu, onGpu, onCpu]) results.push(await (await step()).item());
  t.deepEqual(results, [2, 4, 8, 16, 32, 64]);
  t.deepEqual(Array.from(await v.data()), [64]);
  t.deepEqual([onCpu.plans().length, onGpu.plans().length], [1, 1]);
  gpu.dispose();
});

testOnDevices('plans that start on a new variable at the same time share one buffer', async (t, device) => {
  const v = new Variable('v', Float32Array.of(1));
  const increase = compile(() => v.assign(add(v, 1)), { device });
  const triple = compile(() => v.assign(multiply(v, 3)), { device });
  const look = compile(() => sum(v), { device });
  await Promise.all([increase(), triple(), look(), increase()]);
  const value = (await v.data())[0] ?? NaN;
  // 1 tripled before, between or after the two additions
  t.ok([5, 7, 9].includes(value), `no update is lost: ${value}`);
});

testOnDevices('an update by its own value is allowed', async (t, device) => {
  const v = new Variable('v', Float32Array.of(1, 2));
  const w = new Variable('w', Float32Array.of(5, 6));
  await run(() => v.assign(v), { device });
  await run(() => v.assign(reshape(reshape(v, [2, 1]), [2])), { device });
  t.deepEqual(Array.from(await v.data()), [1, 2]);
  const swap = compile(
    () => {
      const old = add(v, 0);
      v.assign(w);
      w.assign(old);
    },
    { device },
  );
  await swap();
  t.deepEqual(
    [Array.from(await v.data()), Array.from(await w.data())],
    [
      [5, 6],
      [1, 2],
    ],
  );
});

testOnDevices('a value read from before an update is refused, also through a reshape', async (t, device) => {
  const v = new Variable('v', Float32Array.of(1, 2));
  const direct = () => {
    const old = v.value;
    v.assign(add(v, 1));
    return multiply(old, 2);
  };
  const reshaped = () => {
    const old = reshape(v, [2, 1]);
    v.assign(add(v, 1));
    return multiply(old, 2);
  };
  const result = () => {
    const old = v.value;
    v.assign(add(v, 1));
    return old;
  };
  await rejects(
    t,
    run(direct, { device }),
    TraceError,
    'multiply reads a variable',
    'use variable.value after the update',
  );
  await rejects(t, run(reshaped, { device }), TraceError, 'multiply reads a variable');
  await rejects(t, run(result, { device }), TraceError, 'the result reads a variable');
  t.deepEqual(Array.from(await v.data()), [1, 2], 'nothing was changed');
});

testOnDevices('a variable that was disposed of is refused, naming it', async (t, device) => {
  const v = new Variable('gone', Float32Array.of(1));
  const f = compile(() => add(v, 1), { device });
  t.equal(await (await f()).item(), 2);
  v.dispose();
  await rejects(t, f(), TraceError, 'variable gone is used after dispose()');
  await rejects(t, v.data(), TraceError, 'gone');
  refuses(t, () => v.set(Float32Array.of(1)), TraceError, 'gone');
  v.dispose();
});

test('values that are no typed array are refused, naming the variable', (t) => {
  for (const values of [
    [1, 2],
    3,
    null,
    '1',
    { 0: 1, length: 1 },
    new DataView(new ArrayBuffer(8)),
    BigInt64Array.of(1n),
  ]) {
    // @ts-expect-error no typed array
    refuses(t, () => new Variable('fc.weight', values), DataError, 'variable fc.weight: expected a typed array');
    // @ts-expect-error no typed array
    refuses(t, () => new Variable('v', Float32Array.of(1, 2)).set(values), DataError, 'variable v: expected');
  }
  t.end();
});
