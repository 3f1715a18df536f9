import test from 'tape';
import { openNullDevice } from '../bench/host/null-device.js';
import { BufferLedger } from '../bench/scale/buffer-ledger.js';
import { CpuDevice } from '../lib/device/cpu/device.js';
import { WebGpuDevice } from '../lib/device/webgpu/device.js';
import {
  Adam,
  add,
  broadcastTo,
  compile,
  DataLoader,
  type Device,
  DeviceMemoryError,
  dropout,
  evaluate,
  fit,
  Generator,
  matmul,
  type PlanMemory,
  relu,
  run,
  SGD,
  softmaxCrossEntropy,
  sum,
  tensor,
  Variable,
  myNet,
} from '../lib/index.js';
import { rejects, refuses } from './support/errors.js';
import { collectGarbage } from './support/garbage.js';
import { openWebGpu, webgpu } from './support/webgpu.js';
import { clouds, net } from './train/examples.js';

const DEVICES: readonly (readonly [string, () => Promise<Device>])[] = [
  ['cpu', () => Promise.resolve(new CpuDevice({ reason: 'test' }))],
  ['float64', () => Promise.resolve(new CpuDevice({ reason: 'test', path: 'float64' }))],
  ['simd', () => Promise.resolve(new CpuDevice({ reason: 'test', path: 'simd' }))],
  ['two threads', () => Promise.resolve(new CpuDevice({ reason: 'test', path: 'simd', threads: 2 }))],
  ['webgpu', openWebGpu],
  ['kernels of hardware', openNullDevice],
];

/** Training steps and others, with what they are called with. Each makes variables of its own. */
const STEPS = {
  'a training step of MyNet with Adam': (device: Device) => {
    const data = clouds(70, 300);
    const model = myNet({ hidden: 50 }).build(data.inputShape);
    const loader = new DataLoader(data, { batchSize: 32 });
    const optimizer = new Adam();
    const step = compile(
      () => {
        const { inputs, labels } = loader.next();
        const loss = softmaxCrossEntropy(model.forward(inputs), labels);
        optimizer.minimize(loss, model.parameters());
        return loss;
      },
      { device },
    );
    return { step, inputs: [] };
  },
  'a product of a long sum, and bytes, halves and single numbers': (device: Device) => {
    const [half, bytes] = [new Float32Array(7 * 5), Uint8Array.of(1, 2, 3, 4, 5)];
    const weight = new Variable('weight', tensor(half, { shape: [7, 5], dtype: 'f16' }));
    const counts = new Variable('counts', bytes);
    const generator = new Generator(1);
    const step = compile(
      (x, y) => {
        counts.assign(counts.value);
        return [sum(dropout(matmul(x, y), { probability: 0.5, generator })), matmul(y, weight)];
      },
      { device },
    );
    return {
      step,
      inputs: [
        tensor(new Float32Array(3 * 5000), { shape: [3, 5000] }),
        tensor(new Float32Array(5000 * 7), { shape: [5000, 7] }),
      ],
    };
  },
  'nothing but an empty tensor': (device: Device) => ({
    step: compile(() => relu(tensor(new Float32Array(0))), { device }),
    inputs: [],
  }),
};

for (const [name, open] of DEVICES) {
  test(`the memory that a plan states is what its buffers add up to: ${name}`, async (t) => {
    const device = await open();
    const ledger = device instanceof WebGpuDevice ? new BufferLedger(device) : undefined;
    for (const [what, make] of Object.entries(STEPS)) {
      const first = make(device); // kernels come to the device once, for all plans
      await first.step(...first.inputs);
      first.step.dispose(); // it would share its buffers
      const { step, inputs } = make(device);
      const before = device.memory.used;
      const stated = step.memory(...inputs.map(({ shape, dtype }) => ({ shape, dtype })));
      t.equal(device.memory.used, before, `${what}: nothing is allocated where it is only asked`);
      const made = ledger?.now.bytes ?? 0;
      await step(...inputs);
      t.equal(device.memory.used - before, stated.total, `${what}: ${JSON.stringify(stated)}`);
      if (ledger) t.equal(ledger.now.bytes - made, stated.total, 'by the buffers of the GPU');
      const { slots, inputs: given, constants, scratch, arguments: told, variables, total } = stated;
      t.equal(slots + given + constants + scratch + told + variables, total);
      const [plan] = step.plans();
      t.deepEqual(plan?.memory, stated);
      t.ok(plan?.describe().includes(`peak memory: ${total - variables} bytes, ${total} with variables`));
      step.dispose();
      t.equal(device.memory.used - before, variables, 'variables outlive the plan');
    }
    device.dispose();
  });
}

test('a plan is asked for what it takes by shapes, by tensors and by numbers', (t) => {
  const step = compile((a, b) => add(a, b), { device: new CpuDevice({ reason: 'test' }) });
  const asked: PlanMemory[] = [
    step.memory({ shape: [2], dtype: 'f32' }, { shape: [], dtype: 'f32' }),
    step.memory([1, 2], 3),
    step.memory(Float32Array.of(1, 2), new Variable('v', Float32Array.of(1), [])),
  ];
  for (const each of asked) t.deepEqual(each, asked[0]);
  t.equal(asked[0]?.total, 64 + 64 + 64);
  t.deepEqual(step.plans(), [], 'nothing was loaded');
  refuses(t, () => step.memory({ shape: [2], dtype: 'f32' }, { shape: [3], dtype: 'f32' }), Error, '[2]', '[3]');
  t.end();
});

for (const [name, limits, open] of [
  [
    'cpu',
    [1_400_000, 1_700_000],
    (memoryLimit: number) => Promise.resolve(new CpuDevice({ reason: 'test', path: 'simd', memoryLimit })),
  ],
  [
    'webgpu',
    [1_000_000],
    async (memoryLimit: number) => {
      const { gpu, info } = await openWebGpu();
      return new WebGpuDevice(gpu, info, { memoryLimit });
    },
  ],
] as const) {
  test(`what a device has no room for is refused before anything of it is allocated: ${name}`, async (t) => {
    const device = await open(2 ** 20);
    const ledger = new BufferLedger(device);
    const weight = new Variable('weight', new Float32Array(2 ** 17));
    const large = compile((x) => add(broadcastTo(x, [2, 2 ** 17]), weight), { device });
    t.ok(large.memory(1).total > 2 ** 20);
    const { used } = device.memory;
    for (const turn of ['first', 'second']) {
      await rejects(
        t,
        large(1),
        DeviceMemoryError,
        /^a plan of \d steps? \(2.00 MiB for what is computed, 512.00 KiB of variables\) needs 2.50 MiB/,
        /and the device has [\d.]+ (KiB|MiB) left of 1.00 MiB$/,
      );
      t.equal(ledger.now.bytes, 0, `the ${turn} time, nothing was allocated`);
      t.equal(device.memory.used, used);
    }
    t.equal(await (await run(() => add(sum(weight), 1), { device })).item(), 1, 'the device serves on');
    await rejects(
      t,
      run(() => add(tensor(new Float32Array(2 ** 18)), 1), { device }),
      DeviceMemoryError,
      'needs',
    );
    large.dispose();
  });

  test(`fit and evaluate say which batch would fit: ${name}`, async (t) => {
    const data = clouds(200, 64);
    const training = async (memoryLimit: number, batchSize: number) => {
      const device = await open(memoryLimit);
      const optimizer = new SGD({ learningRate: 0.1 });
      const ended = fit(net(512, 0.5), data, { epochs: 1, optimizer, batchSize, validation: data, device });
      const message = await ended.then(
        () => 'it ran',
        (error: unknown) => (error instanceof DeviceMemoryError ? error.message : String(error)),
      );
      return { message, bytes: device.memory.used };
    };
    for (const limit of limits) {
      const { message, bytes } = await training(limit, 200);
      const [, size] = /^fit: a batch of 200 .*: a batch of (\d+) would fit \(batchSize: \1\)$/.exec(message) ?? [];
      t.ok(size, message);
      t.ok(bytes < 1000, 'nothing was allocated');
      t.equal((await training(limit, Number(size))).message, 'it ran', `a batch of ${size}`);
      t.notEqual((await training(limit, Number(size) + 1)).message, 'it ran', 'and not one more');
    }
    t.ok((await training(10_000, 200)).message.endsWith(': not even a batch of 1 fits'));

    const device = await open(500_000);
    const model = net(512, 0.5).build([64]);
    await rejects(t, evaluate(model, data, { device }), DeviceMemoryError, /^evaluate: a batch of 200 .* would fit/);
  });
}

test('a tensor over a limit of WebGPU is a matter of the batch, too', async (t) => {
  const device = await openWebGpu();
  Object.defineProperty(device.gpu.limits, 'maxStorageBufferBindingSize', { value: 4 * 8 * 1000 });
  const data = clouds(40, 2);
  const hidden = 1000; // so that 8 rows are at the limit
  const optimizer = new SGD({ learningRate: 0.1 });
  const ended = fit(net(hidden, 0), data, { epochs: 1, optimizer, device, batchSize: 32 });
  await rejects(t, ended, DeviceMemoryError, 'maxStorageBufferBindingSize', 'a batch of 8 would fit');
  const options = { epochs: 1, optimizer: new SGD({ learningRate: 0.1 }), device, batchSize: 8 };
  const validated = await fit(net(hidden, 0), data, { ...options, validation: data });
  t.equal(validated.loss.length, 1, 'the validation keeps to the limit by itself');
});

test('GPU buffers that are forgotten are counted no longer', async (t) => {
  const { gpu, info } = await webgpu();
  const device = new WebGpuDevice(gpu, info);
  const use = async (): Promise<void> => {
    await compile((x) => add(x, 1), { device })(1);
    await run(() => add(new Variable('v', Float32Array.of(1)), 1), { device });
  };
  await use();
  const once = device.memory.used;
  for (let i = 0; i < 20; i++) await use();
  t.equal(device.memory.used, 21 * once);
  await collectGarbage(8);
  t.ok(device.memory.used <= 2 * once, `${device.memory.used} of ${21 * once} bytes`);
});
