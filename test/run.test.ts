import test from 'tape';
import { CpuDevice } from '../lib/device/cpu/device.js';
import { add, clamp, leakyRelu, multiply, reshape, run, sum, type Tensor, tensor, Variable } from '../lib/index.js';
import { testOnDevices } from './support/devices.js';
import { rejects } from './support/errors.js';

/** A CPU device that counts the programs loaded on it. */
class CountingDevice extends CpuDevice {
  loads = 0;

  constructor() {
    super({ reason: 'counts' });
  }

  override prepare(...parameters: Parameters<CpuDevice['prepare']>): ReturnType<CpuDevice['prepare']> {
    this.loads++;
    return super.prepare(...parameters);
  }
}

test('run finds the plan of a graph of the same structure', async (t) => {
  const device = new CountingDevice();
  const weight = new Variable('weight', Float32Array.of(1, 2));
  const step = (x: number[], factor: number) =>
    run(
      () => {
        weight.assign(add(weight, multiply(tensor(x), factor)));
        return sum(weight);
      },
      { device },
    );
  t.equal(await (await step([1, 1], 2)).item(), 7);
  t.equal(await (await step([10, 10], 3)).item(), 67, 'constants are read anew');
  t.equal(device.loads, 1);
  await rejects(t, step([1, 1, 1], 2), Error, '[2]', '[3]');
  t.equal(device.loads, 1);
});

test('run builds another plan for another operation, shape, type, attribute, sharing, variable or result', async (t) => {
  const device = new CountingDevice();
  const [a, b] = [tensor([1, 2]), tensor([3, 4])];
  const [v, w] = [new Variable('v', Float32Array.of(1, 2)), new Variable('v', Float32Array.of(5, 6))];
  const graphs: (() => Tensor | Tensor[])[] = [
    () => add(a, b),
    () => add(a, a),
    () => add(tensor([[1, 2]]), b),
    () => multiply(a, b),
    () => [add(a, b), add(a, b)],
    () => [add(a, b), add(b, a)],
    () => add(v, b),
    () => add(w, b),
    () => reshape(a, [2, 1]),
    () => reshape(tensor(Int32Array.of(1, 2)), [2, 1]),
    () => sum(a, { axes: 0, keepDims: true }),
    () => leakyRelu(a, { negativeSlope: 0.1 }),
    () => leakyRelu(a, { negativeSlope: 0.2 }),
  ];
  for (const [i, graph] of graphs.entries()) {
    await run(graph, { device });
    t.equal(device.loads, i + 1);
  }
  for (const graph of graphs) await run(graph, { device });
  t.equal(device.loads, graphs.length, 'and finds each again');
});

testOnDevices('attributes that JSON cannot tell apart have plans of their own', async (t, device) => {
  const x = tensor([-2, 2]);
  const read = async (bounds: { min?: number; max?: number }) =>
    Array.from(await (await run(() => clamp(x, bounds), { device })).data());
  t.deepEqual(await read({}), [-2, 2]);
  t.deepEqual(await read({ min: Infinity }), [Infinity, Infinity]);
  t.deepEqual(await read({ max: -Infinity }), [-Infinity, -Infinity]);
});

testOnDevices('overlapping runs of one structure give each its own result', async (t, device) => {
  const results = await Promise.all(
    [1, 2, 3, 4].map(async (x) => {
      const result = await run(() => add(tensor(x), 1), { device });
      return result.item();
    }),
  );
  t.deepEqual(results, [2, 3, 4, 5]);
});

test('overlapping reads of lazy tensors of one structure give each its own values', async (t) => {
  const tensors = [1, 2, 3, 4].map((x) => multiply(tensor([x, 1]), 3));
  const values = await Promise.all(tensors.map((each) => each.data()));
  t.deepEqual(
    values.map((each) => each[0]),
    [3, 6, 9, 12],
  );
});

test('a lazy tensor is computed once and keeps its values', async (t) => {
  const x = add(tensor([1, 2]), 1);
  const first = await x.data();
  t.deepEqual(Array.from(first), [2, 3]);
  await multiply(x, 2).data();
  t.equal(await x.data(), first);
});

test('only the latest 64 structures keep their plans', async (t) => {
  const device = new CountingDevice();
  const evaluateSize = (size: number) => run(() => add(tensor(new Float32Array(size)), 1), { device });
  for (let size = 1; size <= 65; size++) await evaluateSize(size);
  t.equal(device.loads, 65);
  await evaluateSize(65);
  await evaluateSize(2);
  t.equal(device.loads, 65);
  await evaluateSize(1);
  t.equal(device.loads, 66, 'the one used longest ago went');
});

test('a result of run keeps its values whatever runs later', async (t) => {
  const x = await run(() => add(tensor([1]), 1));
  const again = await run(() => add(tensor([7]), 1));
  t.equal(await (await run(() => multiply(x, 5))).item(), 10);
  t.equal(await again.item(), 8);
});
