import test from 'tape';
import {
  compile,
  type Device,
  gather,
  gradient,
  linear,
  matmul,
  multiply,
  Parameter,
  relu,
  reshape,
  SGD,
  type SGDOptions,
  sum,
  tensor,
  type Tensor,
  Variable,
} from '../../../lib/index.js';
import { TECHNIQUES } from '../../../lib/ops/matmul/matmul-techniques.js';
import { RandomStream } from '../../../lib/random.js';
import type { CaseInput } from '../../../lib/graph/operation.js';
import { differs } from '../../support/close.js';
import { cpu } from '../../support/devices.js';
import { fusedBindings, fusingCpu, stepsOf } from '../../support/fusing.js';
import { referenceOf, runGuarded } from '../../support/guarded.js';
import { webgpu } from '../../support/webgpu.js';

const normal = (name: string, ...shape: number[]): Float32Array =>
  new RandomStream(6, name).normal(shape.reduce((product, size) => product * size, 1));
const rowNumbers = (count: number, below: number): Int32Array =>
  Int32Array.from(new RandomStream(6, 'rows').uniform(count), (u) => Math.floor(u * below));

const TOLERANCE = { absolute: 1e-4, relative: 1e-4 };
const fusingDevices = async (): Promise<Device[]> => [fusingCpu(), await webgpu()];

/** The ways to read rows of a table in a product: as A, as the B of a weight's gradient, and as both. */
const PRODUCTS = {
  a: (rows: Tensor, other: Tensor) => matmul(rows, other, { transposeB: true }),
  b: (rows: Tensor, other: Tensor) => matmul(other, rows, { transposeB: true }),
  both: (rows: Tensor) => matmul(rows, rows, { transposeA: true }),
};

test('a product reads rows of a table there, and a row that the table does not have is NaN', async (t) => {
  for (const [tableRows, picked, K, N] of [
    [5, 7, 3, 4],
    [100, 33, 65, 17],
    [12, 32, 36, 20],
    [12, 31, 36, 20],
    [1, 1, 1, 1],
  ] as const) {
    const table = new Variable('table', normal('table', tableRows, K), [tableRows, K]);
    const other = tensor(normal('other', N, K), { shape: [N, K] });
    const missing = rowNumbers(picked, tableRows);
    missing.set([picked % 2 === 1 ? -1 : tableRows]);
    for (const [name, product] of Object.entries(PRODUCTS)) {
      for (const indices of [rowNumbers(picked, tableRows), missing]) {
        const onDevice = (device: Device) => compile((rows) => product(gather(table, rows), other), { device });
        const expected = await (await onDevice(cpu)(indices)).data();
        for (const device of await fusingDevices()) {
          const step = onDevice(device);
          const got = await (await step(indices)).data();
          const what = `${name}, ${picked} of ${tableRows} rows of ${K}, ${device.info.kind}`;
          t.equal(differs(got, expected, TOLERANCE), undefined, what);
          t.deepEqual(stepsOf(step), ['gather + matmul']);
        }
      }
    }
  }
});

test('a product reads rows of a table of bytes there, as the numbers that they stand for', async (t) => {
  for (const [tableRows, picked, K, N] of [
    [5, 7, 3, 4],
    [100, 33, 65, 17],
    [12, 32, 36, 20],
  ] as const) {
    const bytes = new Uint8Array(tableRows * K).map((_, i) => (i * 89) % 256);
    const [ofBytes, ofFloats] = [
      new Variable('table', bytes, [tableRows, K]),
      new Variable(
        'table',
        Float32Array.from(bytes, (byte) => byte / 255),
        [tableRows, K],
      ),
    ];
    const other = tensor(normal('other', N, K), { shape: [N, K] });
    const indices = rowNumbers(picked, tableRows);
    indices[picked - 1] = tableRows; // there is no such row
    for (const [name, product] of Object.entries(PRODUCTS)) {
      for (const device of await fusingDevices()) {
        const scaled = compile((rows) => product(gather(ofBytes, rows, { scale: 1 / 255 }), other), { device });
        const plain = compile((rows) => product(gather(ofFloats, rows), other), { device });
        const [got, expected] = [await (await scaled(indices)).data(), await (await plain(indices)).data()];
        t.deepEqual([...got], [...expected], `${name}, ${picked} of ${tableRows} rows of ${K}, ${device.info.kind}`);
        t.deepEqual(stepsOf(scaled), ['gatherBytes + matmul']);
      }
    }
  }
});

test('a product of 16-bit floats takes bias and activation in', async (t) => {
  for (const [M, K, N] of [
    [1, 1, 1],
    [7, 5, 3],
    [33, 65, 17],
    [8, 12, 16],
  ] as const) {
    const weight = new Variable('weight', tensor(normal('weight', N, K), { shape: [N, K], dtype: 'f16' }));
    const bias = tensor(normal('bias', N));
    for (const dtype of ['f16', 'f32'] as const) {
      const input = tensor(normal('input', M, K), { shape: [M, K], dtype });
      const onDevice = (device: Device) => compile((x) => relu(linear(x, weight, bias)), { device });
      const expected = await (await onDevice(cpu)(input)).data();
      for (const device of await fusingDevices()) {
        const step = onDevice(device);
        const got = await (await step(input)).data();
        t.equal(differs(got, expected, TOLERANCE), undefined, `${dtype} [${M}, ${K}], ${device.info.kind}`);
        t.deepEqual(stepsOf(step), ['matmul + add + relu']);
      }
    }
    weight.dispose();
  }
});

test('row numbers may have any shape', async (t) => {
  const table = new Variable('table', normal('table', 9, 4), [9, 4]);
  const indices = tensor(rowNumbers(6, 9), { shape: [2, 3] });
  const onDevice = (device: Device) =>
    compile((rows) => matmul(reshape(gather(table, rows), [6, 4]), tensor(normal('other', 4, 5), { shape: [4, 5] })), {
      device,
    });
  const step = onDevice(fusingCpu());
  t.deepEqual(await (await step(indices)).data(), await (await onDevice(cpu)(indices)).data());
  t.deepEqual(stepsOf(step), ['gather + matmul']);
});

test('a table or row numbers that are written in between are read before', async (t) => {
  for (const written of ['table', 'rows']) {
    const onDevice = async (device: Device) => {
      const table = new Variable('table', Float32Array.of(1, 2, 3, 4), [2, 2]);
      const rows = new Variable('rows', Int32Array.of(1, 0, 1));
      const step = compile(
        () => {
          const picked = gather(table, rows);
          if (written === 'table') table.assign(multiply(table, 2));
          else rows.assign(tensor(Int32Array.of(0, 0, 0)));
          return matmul(picked, tensor([[1], [10]]));
        },
        { device },
      );
      const results = [];
      for (let i = 0; i < 2; i++) results.push(Array.from(await (await step()).data()));
      return { results, steps: stepsOf(step) };
    };
    const { results } = await onDevice(cpu);
    t.deepEqual(results[0], [43, 21, 43]);
    for (const device of await fusingDevices()) {
      const got = await onDevice(device);
      t.deepEqual(got.results, results, `${written}, ${device.info.kind}`);
      t.notOk(got.steps.includes('gather + matmul'));
    }
  }
});

interface Training {
  readonly optimizers: readonly [SGDOptions, SGDOptions?];
  readonly sizes?: readonly [number, number, number];
  readonly returnsGradients?: boolean;
}

/** Three steps of a layer over rows of a table; the bias may have an optimizer of its own. */
async function trainLayer(device: Device, { optimizers, sizes = [9, 5, 3], returnsGradients = false }: Training) {
  const [B, K, N] = sizes;
  const table = new Variable('table', normal('table', 11, K), [11, K]);
  const weight = new Parameter('weight', normal('weight', N, K), [N, K]);
  const bias = new Parameter('bias', normal('bias', N));
  const [own, forBias] = optimizers.map((options) => options && new SGD(options));
  const upstream = tensor(normal('upstream', B, N), { shape: [B, N] });
  const step = compile(
    (rows) => {
      const output = linear(gather(table, rows), weight, bias);
      const loss = sum(multiply(multiply(output, output), upstream));
      const gradients = gradient(loss, [weight, bias]);
      own?.apply(forBias ? [weight] : [weight, bias], gradients.slice(0, forBias ? 1 : 2));
      forBias?.apply([bias], gradients.slice(1));
      return returnsGradients ? [loss, ...gradients] : [loss];
    },
    { device },
  );
  let results: readonly Tensor[] = [];
  for (let i = 0; i < 3; i++) results = await step(rowNumbers(B, 11));
  const values = await Promise.all([...results, weight, bias].map((each) => each.data()));
  return { values, steps: stepsOf(step), bindings: fusedBindings(step) };
}

async function compareTraining(t: test.Test, device: Device, training: Training) {
  const expected = await trainLayer(cpu, training);
  const got = await trainLayer(device, training);
  got.values.forEach((values, i) => {
    const difference = differs(values, expected.values[i] ?? [], TOLERANCE);
    t.equal(difference, undefined, `value ${i}, ${device.info.kind}, ${JSON.stringify(training)}`);
  });
  return got;
}

const learningRate = 0.01;
const RULES: Record<string, readonly SGDOptions[]> = {
  sgdUpdate: [{ learningRate }, { learningRate, weightDecay: 0.1 }],
  sgdMomentumUpdate: [
    { learningRate, momentum: 0.9 },
    { learningRate, momentum: 0.9, nesterov: true, weightDecay: 0.1 },
    { learningRate, momentum: 0.5, dampening: 0.2 },
  ],
};

test('a bias is updated beside its weight, by the same rule', async (t) => {
  for (const [name, rules] of Object.entries(RULES)) {
    for (const options of rules) {
      for (const sizes of [
        [9, 5, 3],
        [33, 65, 17],
        [1, 1, 1],
      ] as const) {
        for (const device of await fusingDevices()) {
          const { steps } = await compareTraining(t, device, { optimizers: [options], sizes });
          t.ok(steps.includes(`gather + matmul + sum + ${name} + ${name}`), steps.join('; '));
        }
      }
    }
  }
});

test('a bias with a rule of its own is updated beside the weight all the same', async (t) => {
  const rules: Training['optimizers'][] = [
    [{ learningRate }, { learningRate: 0.02 }],
    [{ learningRate }, { learningRate, weightDecay: 0.1 }],
    [{ learningRate }, { learningRate, momentum: 0.9 }],
  ];
  for (const optimizers of rules) {
    for (const device of await fusingDevices()) {
      const { steps } = await compareTraining(t, device, { optimizers });
      t.ok(
        steps.some((name) => /sum.*Update.*Update/.test(name)),
        steps.join('; '),
      );
    }
  }
});

test('gradients that are results as well are not updated with', async (t) => {
  const training: Training = { optimizers: [{ learningRate, momentum: 0.9 }], returnsGradients: true };
  const { steps } = await compareTraining(t, fusingCpu(), training);
  t.notOk(
    steps.some((name) => /matmul.*Update/.test(name)),
    steps.join('; '),
  );
});

test('a fused step binds no more buffers than the target can', async (t) => {
  for (const maxStorageBuffers of [3, 4, 5, 6, 7]) {
    const { bindings, steps } = await compareTraining(t, fusingCpu(maxStorageBuffers), {
      optimizers: [{ learningRate, momentum: 0.9 }],
    });
    t.ok(
      bindings.every((count) => count <= maxStorageBuffers),
      `${maxStorageBuffers}: ${bindings.join()}, ${steps.join('; ')}`,
    );
  }
});

/** The first step of a function whose operation has such a name, as it is fused for WebGPU. */
async function fusedStep(name: RegExp, trace: (rows: Tensor) => Tensor | Tensor[], rows: Int32Array) {
  const step = compile(trace, { device: fusingCpu() });
  await step(rows);
  const steps = step.plans().flatMap(({ program }) => program.steps);
  const found = steps.find(({ operation }) => name.test(operation.name));
  if (!found) throw new Error(`no step is called ${String(name)}: ${stepsOf(step).join('; ')}`);
  return found;
}

const FORWARD = /^gatherBytes \+ matmul \+ add \+ relu$/;
const UPDATE = /^gather \+ matmul \+ sum \+ sgdMomentumUpdate \+ sgdMomentumUpdate$/;

/** Examples, features and outputs of a layer, and the ways to compute its products there. */
const LAYERS = [
  { sizes: [260, 36, 32], forward: ['tiled32x32', 'thin'], update: ['tiled32x32', 'tiled64x64', 'split32x32', 'thin'] },
  { sizes: [259, 37, 19], forward: ['tiled32x32', 'thin'], update: ['tiled32x32', 'split32x32', 'thin'] },
  { sizes: [36, 260, 20], forward: ['split32x32', 'tiled64x32'], update: [] },
  { sizes: [1032, 16, 16], forward: [], update: ['tiled32x32'] }, // more than one block of sums
  { sizes: [5, 3, 40], forward: ['shallow'], update: ['shallow', 'thin'] },
  { sizes: [260, 20, 44], forward: ['quad32x32', 'quad40x32'], update: ['quad', 'quad32x32'] },
  { sizes: [264, 20, 44], forward: ['quad32x32'], update: ['quad', 'quad32x32', 'quad40x32'] }, // by eight steps of k
] as const;

test('every technique carries out stages, sums and updates, and reads rows of tables', async (t) => {
  const device = await webgpu();
  const target = { ...device.target, isSoftware: false };
  for (const { sizes, forward, update } of LAYERS) {
    const [B, K, N] = sizes;
    const bytes = new Variable('table', new Uint8Array(11 * K).fill(1), [11, K]);
    const table = new Variable('table', normal('table', 11, K), [11, K]);
    const weight = new Parameter('weight', normal('weight', N, K), [N, K]);
    const bias = new Parameter('bias', normal('bias', N));
    const sgd = new SGD({ learningRate, momentum: 0.9 });
    const steps = [
      {
        variants: forward,
        step: await fusedStep(
          FORWARD,
          (rows) => relu(linear(gather(bytes, rows, { scale: 1 / 255 }), weight, bias)),
          rowNumbers(B, 11),
        ),
      },
      {
        variants: update,
        step: await fusedStep(
          UPDATE,
          (rows) => {
            const output = linear(gather(table, rows), weight, bias);
            const loss = sum(multiply(output, output));
            sgd.apply([weight, bias], gradient(loss, [weight, bias]));
            return loss;
          },
          rowNumbers(B, 11),
        ),
      },
    ];
    for (const { variants, step } of steps) {
      const inputs = step.inputs.map(({ shape, dtype }): CaseInput => {
        // There is no row 11: a row of the product is NaN then, but all of a weight's gradient.
        if (dtype === 'i32') return { shape, dtype, fill: { below: variants === forward ? 12 : 11 } };
        if (dtype === 'u8') return { shape, dtype, fill: { below: 256 } };
        return dtype === 'u32' ? { shape, dtype, fill: { step: 1 } } : { shape, dtype };
      });
      const setting = { inputs, attributes: step.attributes };
      for (const variant of variants) {
        if (!(TECHNIQUES[variant].features ?? []).every((feature) => target.features.has(feature))) continue;
        const launches = step.operation.variants?.(step, target).find(({ name }) => name === variant)?.launches;
        if (!launches) throw new Error(`${variant} is not offered for ${step.operation.name} of ${sizes.join()}`);
        const operation = { ...step.operation, infer: () => step.outputs, kernel: () => launches };
        const [result] = await runGuarded(device, operation, [setting]);
        const expected = await referenceOf(operation, setting);
        const what = `${step.operation.name} by ${variant}, ${sizes.join()}`;
        expected.forEach((values, i) => {
          const got = result?.outputs[i] ?? new Float32Array(0);
          t.equal(differs(got, values, TOLERANCE), undefined, `output ${i} of ${what}`);
        });
        t.deepEqual(result?.broken, [], `guards of ${what}`);
      }
    }
  }
});
