import test from 'tape';
import { BufferLedger } from '../bench/scale/buffer-ledger.js';
import { openNullDevice } from '../bench/host/null-device.js';
import { CpuDevice } from '../lib/device/cpu/device.js';
import { WebGpuDevice } from '../lib/device/webgpu/device.js';
import {
  Adam,
  compile,
  type CompiledFunction,
  type Device,
  fit,
  matmul,
  multiply,
  predict,
  relu,
  SGD,
  type Tensor,
  tensor,
} from '../lib/index.js';
import { bytesForPlans } from '../lib/plan-memory.js';
import { objectiveFor } from '../lib/train/objective.js';
import { Training } from '../lib/train/training.js';
import { rejects } from './support/errors.js';
import { openWebGpu } from './support/webgpu.js';
import { clouds, net, weightsOf } from './train/examples.js';

const DEVICES: readonly (readonly [string, () => Promise<Device>])[] = [
  ['cpu', () => Promise.resolve(new CpuDevice({ reason: 'test' }))],
  ['simd', () => Promise.resolve(new CpuDevice({ reason: 'test', path: 'simd' }))],
  ['two threads', () => Promise.resolve(new CpuDevice({ reason: 'test', path: 'simd', threads: 2 }))],
  ['webgpu', openWebGpu],
];

/** Functions [rows, 40] → [rows, 40] that compute some in between. */
function layers(device: Device, depth: number): CompiledFunction<Tensor> {
  const weight = Float32Array.from({ length: 1600 }, (_, i) => Math.sin(i) / 4);
  return compile(
    (x: Tensor) => {
      let value = x;
      for (let i = 0; i < depth; i++) value = relu(matmul(value, tensor(weight, { shape: [40, 40] })));
      return multiply(value, 2);
    },
    { device },
  );
}

const rows = (count: number, seed: number): Tensor =>
  tensor(
    Float32Array.from({ length: count * 40 }, (_, i) => Math.cos(i * seed)),
    { shape: [count, 40] },
  );

const valuesOf = async (result: Promise<Tensor>): Promise<number[]> => Array.from(await (await result).data());

for (const [name, open] of DEVICES) {
  test(`plans that share buffers give what each gives alone, in any order and side by side: ${name}`, async (t) => {
    const inputs = [rows(7, 1), rows(30, 2), rows(64, 3)] as const;
    const alone: number[][] = [];
    for (const [depth, x] of inputs.entries()) {
      const own = await open();
      alone.push(await valuesOf(layers(own, depth + 2)(x)));
      own.dispose();
    }
    const device = await open();
    const steps = inputs.map((_, depth) => layers(device, depth + 2));
    const call = (which: number) => steps[which]?.(inputs[which] ?? rows(1, 1)) ?? Promise.reject(new Error('none'));
    for (const which of [0, 2, 1, 1, 0, 2, 2, 0]) t.deepEqual(await valuesOf(call(which)), alone[which]);
    for (const order of [
      [0, 1, 2],
      [2, 0, 1, 0, 2],
    ]) {
      const results = await Promise.all(order.map((which) => valuesOf(call(which))));
      t.deepEqual(
        results,
        order.map((which) => alone[which]),
        'side by side',
      );
    }
    const results = await Promise.all([0, 1, 2].map(call));
    t.deepEqual(
      await Promise.all(results.map((result) => valuesOf(Promise.resolve(result)))),
      alone,
      'results are kept',
    );

    const nothing = tensor(new Float32Array(64 * 40).fill(NaN), { shape: [64, 40] });
    t.ok((await valuesOf(steps[2]?.(nothing) ?? Promise.reject(new Error('none')))).every(Number.isNaN));
    t.deepEqual(await valuesOf(call(0)), alone[0], 'what another plan left is nothing to it');

    const pending = call(1);
    steps[2]?.dispose();
    t.deepEqual(await valuesOf(pending), alone[1], 'another one is disposed of meanwhile');
    t.deepEqual(await valuesOf(call(0)), alone[0], 'and was before');
    t.deepEqual(await valuesOf(call(2)), alone[2], 'it is loaded anew');
    for (const step of steps) step.dispose();
    device.dispose();
  });
}

/** A training with validation, and what its plans take. */
function training(device: Device) {
  const data = clouds(90, 100);
  const model = net(200, 0.5).build(data.inputShape);
  const optimizer = new Adam({ learningRate: 0.01 });
  const objective = objectiveFor('fit', model, data, {});
  const made = new Training(model, data, clouds(150, 100, 2), objective, { optimizer, batchSize: 32, device });
  return { made, plans: made.prepare() };
}

const total = (bytes: readonly number[]): number => bytes.reduce((sum, own) => sum + own, 0);

for (const [name, open] of [...DEVICES, ['kernels of hardware', openNullDevice] as const]) {
  test(`a training and its validation take what the larger of them does: ${name}`, async (t) => {
    const device = await open();
    const ledger = device instanceof WebGpuDevice ? new BufferLedger(device) : undefined;
    const { made, plans } = training(device);
    t.equal(plans.length, 3, 'full batches, the last one, and the validation');
    const { all } = bytesForPlans(device, plans);
    t.equal(device.memory.used, 0);
    await made.load();
    t.equal(device.memory.used, all, 'what was stated ahead');
    if (ledger) t.equal(ledger.now.bytes, all, 'by the buffers of the GPU');

    const variables = total(
      [...new Set(plans.flatMap(({ program }) => program.variables))].map((own) => device.bytesOf(own)),
    );
    const beside = total(
      plans.map(
        ({ memory, shared }) => memory.slots + memory.scratch + memory.constants + memory.arguments - total(shared),
      ),
    );
    const sorted = plans.map(({ shared }) => [...shared].sort((a, b) => b - a));
    const places = Array.from({ length: Math.max(...sorted.map(({ length }) => length)) }, (_, i) => i);
    const largest = total(places.map((i) => Math.max(...sorted.map((own) => own[i] ?? 0))));
    if (device.info.kind === 'cpu') {
      t.equal(all, variables + beside + largest, 'each shares the block of the largest');
      t.equal(largest, Math.max(...plans.map(({ shared }) => total(shared))));
    } else {
      t.ok(all < variables + beside + 1.5 * largest, `${all} bytes, ${largest} of the largest`);
    }
    t.ok(all < variables + beside + 0.75 * total(sorted.map(total)), 'and not what they take one by one');
    made.dispose();
    t.ok(device.memory.used < variables, `${device.memory.used} bytes of variables are left`);
    device.dispose();
  });
}

for (const [name, open] of DEVICES) {
  test(`a training is the same beside another one and predictions on its device: ${name}`, async (t) => {
    const data = clouds(70, 30);
    const train = (device: Device, hidden: number) => {
      const model = net(hidden, 0.5);
      const optimizer = new SGD({ learningRate: 0.1, momentum: 0.9 });
      const looks: number[][] = [];
      const fitted = fit(model, data, {
        ...{ epochs: 3, optimizer, batchSize: 16, validation: clouds(50, 30, 3), device },
        onEpochEnd: async () => {
          looks.push(Array.from(await (await predict(model, data, { device, batchSize: 33 })).data()));
        },
      });
      return fitted.then(async (history) => ({
        losses: history.loss,
        looks,
        weights: await weightsOf(model),
      }));
    };
    const alone = [];
    for (const hidden of [20, 90]) {
      const own = await open();
      alone.push(await train(own, hidden));
      own.dispose();
    }
    const device = await open();
    t.deepEqual(await Promise.all([20, 90].map((hidden) => train(device, hidden))), alone);
    device.dispose();
  });
}

test('a plan that cannot be loaded leaves its share to others', async (t) => {
  const device = new CpuDevice({ reason: 'test', path: 'simd', memoryLimit: 500_000 });
  const step = layers(device, 3);
  const before = await valuesOf(step(rows(20, 1)));
  const { used } = device.memory;
  await rejects(t, step(rows(900, 1)), Error, 'needs');
  t.equal(device.memory.used, used);
  t.deepEqual(await valuesOf(step(rows(20, 1))), before);
  step.dispose();
  t.ok(device.memory.used < used);
});

test('plans that are loaded anew go on sharing', async (t) => {
  const device = await openWebGpu();
  const [small, large] = [layers(device, 2), layers(device, 4)];
  const [x, y] = [rows(16, 1), rows(16, 2)];
  const before = [await valuesOf(small(x)), await valuesOf(large(y))];
  const { used } = device.memory;
  for (const step of [small, large]) for (const plan of step.plans()) await plan.reload();
  t.equal(device.memory.used, used);
  t.deepEqual([await valuesOf(small(x)), await valuesOf(large(y))], before);
  device.dispose();
});
