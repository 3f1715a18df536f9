import test from 'tape';
import { compile } from '../../lib/compile.js';
import { CpuDevice } from '../../lib/device/cpu/device.js';
import type { Device } from '../../lib/device/device.js';
import { WebGpuDevice } from '../../lib/device/webgpu/device.js';
import { fuse } from '../../lib/fusion/pass.js';
import { Generator } from '../../lib/generator.js';
import { gradient } from '../../lib/graph/gradient.js';
import {
  add,
  clamp,
  dropout,
  gather,
  gelu,
  leakyRelu,
  linear,
  matmul,
  multiply,
  relu,
  reshape,
  sigmoid,
  SGD,
  softmaxCrossEntropy,
  sum,
  tanh,
  tensor,
  type Tensor,
} from '../../lib/index.js';
import { RandomStream } from '../../lib/random.js';
import { Parameter, Variable } from '../../lib/variable.js';
import { differs } from '../support/close.js';
import { fusingCpu, stepsOf } from '../support/fusing.js';
import { webgpu } from '../support/webgpu.js';

/** The reference device, once as it is and once with fused programs, which run the references of fused operations. */
const plain = new CpuDevice({ reason: 'test' });
const fusing = fusingCpu();

const normal = (name: string, ...shape: number[]): Float32Array =>
  new RandomStream(5, name).normal(shape.reduce((product, size) => product * size, 1));

/** Two steps of training a layer and what comes of them: output, weight, bias. */
async function trainLayer(
  device: Device,
  activation: (x: Tensor) => Tensor,
  options: {
    readonly sizes: readonly [number, number, number];
    readonly momentum: number;
    readonly probability: number;
  },
) {
  const [batch, inputs, outputs] = options.sizes;
  const weight = new Parameter('weight', normal('weight', outputs, inputs), [outputs, inputs]);
  const bias = new Parameter('bias', normal('bias', outputs), [outputs]);
  const generator = new Generator(3);
  const optimizer = new SGD({ learningRate: 0.1, momentum: options.momentum, weightDecay: 0.01 });
  const upstream = tensor(normal('upstream', batch, outputs), { shape: [batch, outputs] });
  const step = compile(
    (x) => {
      const active = activation(linear(x, weight, bias));
      const output =
        options.probability > 0 ? dropout(active, { probability: options.probability, generator }) : active;
      optimizer.minimize(sum(multiply(output, upstream)), [weight, bias]);
      return output;
    },
    { device },
  );
  const x = tensor(normal('x', batch, inputs), { shape: [batch, inputs] });
  await step(x);
  const output = await (await step(x)).data();
  return { results: [output, await weight.data(), await bias.data()], steps: stepsOf(step) };
}

type Activation = (x: Tensor) => Tensor;
type Setting = (typeof SETTINGS)[number];

const ACTIVATIONS = { relu, tanh, sigmoid, gelu, leakyRelu: (x: Tensor) => leakyRelu(x, { negativeSlope: 0.2 }) };
const SETTINGS = [
  { sizes: [7, 5, 3], momentum: 0, probability: 0 },
  { sizes: [9, 257, 13], momentum: 0.9, probability: 0.5 },
  { sizes: [4, 8, 260], momentum: 0.9, probability: 0.2 },
  { sizes: [1, 1, 1], momentum: 0, probability: 0.5 },
] as const;

/** The shared adapter's kernels for hardware: tiles in workgroup memory. */
async function hardwareKernels(): Promise<Device> {
  const { gpu, info } = await webgpu();
  return new WebGpuDevice(gpu, { ...info, software: false });
}

async function compareLayers(t: test.Test, device: Device, activation: Activation, setting: Setting): Promise<void> {
  const expected = await trainLayer(plain, activation, setting);
  const got = await trainLayer(device, activation, setting);
  t.ok(got.steps.length < expected.steps.length, `${got.steps.length} steps in place of ${expected.steps.length}`);
  got.results.forEach((values, i) => {
    const difference = differs(values, expected.results[i] ?? [], { absolute: 2e-4, relative: 2e-4 });
    t.equal(difference, undefined, `${['output', 'weight', 'bias'][i]}, ${JSON.stringify(setting)}`);
  });
}

test('fused layers train like those that are not fused, whatever the activation, by the references', async (t) => {
  for (const activation of Object.values(ACTIVATIONS)) {
    for (const setting of SETTINGS) await compareLayers(t, fusing, activation, setting);
  }
});

test('fused layers train like those that are not fused on webgpu', async (t) => {
  for (const setting of SETTINGS) await compareLayers(t, await webgpu(), relu, setting);
  for (const activation of [tanh, ACTIVATIONS.leakyRelu])
    await compareLayers(t, await webgpu(), activation, SETTINGS[1]);
});

test('fused layers train like those that are not fused on the kernels for hardware', async (t) => {
  for (const setting of [SETTINGS[1], SETTINGS[2]]) await compareLayers(t, await hardwareKernels(), relu, setting);
});

test('a dense layer with its activation and dropout is one step, its backward pass and its update another', async (t) => {
  const { steps } = await trainLayer(fusing, relu, { sizes: [4, 8, 12], momentum: 0.9, probability: 0.5 });
  t.ok(steps.includes('matmul + add + relu + dropout'));
  t.ok(steps.includes('matmul + sum + sgdMomentumUpdate + sgdMomentumUpdate'), 'the bias goes along with its weight');
  t.notOk(steps.includes('matmul') || steps.includes('relu'));
  t.end();
});

test('the gradient with respect to a hidden layer takes dropout and activation along', async (t) => {
  const device = fusing;
  const generator = new Generator(3);
  const [first, second] = [normal('first', 6, 4), normal('second', 5, 6)];
  const weights = [new Parameter('first', first, [6, 4]), new Parameter('second', second, [5, 6])] as const;
  const step = compile(
    (x) => {
      const hidden = dropout(relu(linear(x, weights[0])), { probability: 0.5, generator });
      const [own] = gradient(sum(linear(hidden, weights[1])), [weights[0]]);
      return own;
    },
    { device },
  );
  await step(tensor(normal('x', 3, 4), { shape: [3, 4] }));
  t.ok(stepsOf(step).includes('matmul + dropout + reluGradient'), stepsOf(step).join(', '));
});

test('a product that others use as well is left alone', async (t) => {
  const step = compile(
    (x) => {
      const product = matmul(x, x);
      return { product, shifted: add(product, tensor([1, 2])), active: relu(product) };
    },
    { device: fusing },
  );
  const { product, shifted, active } = await step(
    tensor([
      [1, -2],
      [3, 4],
    ]),
  );
  t.deepEqual(Array.from(await product.data()), [-5, -10, 15, 10]);
  t.deepEqual(Array.from(await shifted.data()), [-4, -8, 16, 12]);
  t.deepEqual(Array.from(await active.data()), [0, 0, 15, 10]);
  t.notOk(stepsOf(step).includes('matmul + add'));
});

test('an activation whose input is used later leaves it in a second output', async (t) => {
  const step = compile((x) => ({ active: relu(matmul(x, x)), twice: multiply(matmul(x, x), 2) }), { device: fusing });
  await step(
    tensor([
      [1, -2],
      [3, 4],
    ]),
  );
  const shared = compile(
    (x) => {
      const product = matmul(x, x);
      return { active: relu(product), product };
    },
    { device: fusing },
  );
  const { active, product } = await shared(
    tensor([
      [1, -2],
      [3, 4],
    ]),
  );
  t.deepEqual(stepsOf(shared), ['matmul + relu']);
  t.deepEqual(Array.from(await active.data()), [0, 0, 15, 10]);
  t.deepEqual(Array.from(await product.data()), [-5, -10, 15, 10]);
});

test('a product is not moved behind a change of what it reads', async (t) => {
  const weight = new Variable('weight', Float32Array.of(1, 0, 0, 1), [2, 2]);
  const step = compile(
    (x) => {
      const product = matmul(x, weight);
      weight.assign(multiply(weight, 2));
      return add(product, weight.value);
    },
    { device: fusing },
  );
  const x = tensor([
    [1, -2],
    [3, 4],
  ]);
  t.deepEqual(Array.from(await (await step(x)).data()), [3, -2, 3, 6]);
  t.deepEqual(Array.from(await (await step(x)).data()), [6, -4, 6, 12]);
  t.notOk(stepsOf(step).includes('matmul + add'));
});

test('rows are read from their table only where neither it nor the row numbers were written over since', async (t) => {
  for (const device of [fusing, await webgpu()]) {
    const table = new Variable('table', Float32Array.of(1, 2, 3, 4, 5, 6), [3, 2]);
    const rows = new Variable('rows', Int32Array.of(2, 0));
    const overTable = compile(
      (x) => {
        const picked = gather(table, rows);
        table.assign(multiply(table, 10));
        return matmul(picked, x);
      },
      { device },
    );
    const overRows = compile(
      (x) => {
        const picked = gather(table, rows);
        rows.assign(tensor(Int32Array.of(1, 1)));
        return matmul(picked, x);
      },
      { device },
    );
    const identity = tensor([
      [1, 0],
      [0, 1],
    ]);
    t.deepEqual(Array.from(await (await overTable(identity)).data()), [5, 6, 1, 2], 'of the table as it was');
    t.deepEqual(Array.from(await (await overTable(identity)).data()), [50, 60, 10, 20]);
    t.deepEqual(
      Array.from(await (await overRows(identity)).data()),
      [500, 600, 100, 200],
      'by the numbers as they were',
    );
    t.deepEqual(Array.from(await (await overRows(identity)).data()), [300, 400, 300, 400]);

    const labels = new Variable('labels', Int32Array.of(0, 1, 1));
    const loss = compile(
      (logits) => {
        const target = gather(labels, tensor(Int32Array.of(0, 1)));
        labels.assign(tensor(Int32Array.of(1, 0, 0)));
        return softmaxCrossEntropy(logits, target);
      },
      { device },
    );
    const logits = tensor([
      [50, 0],
      [0, 50],
    ]);
    t.deepEqual(Array.from(await (await loss(logits)).data()), [0], 'labels as they were: all right');
    t.deepEqual(Array.from(await (await loss(logits)).data()), [50], 'and then all wrong');
  }
});

test('products with batch axes take stages in, and one number for each row', async (t) => {
  const step = compile(
    (x) => {
      const batched = relu(matmul(x, x));
      const columns = add(
        matmul(
          tensor([
            [1, 2],
            [3, 4],
          ]),
          tensor([
            [1, 0],
            [0, 1],
          ]),
        ),
        tensor([[1], [2]]),
      );
      return { batched, columns };
    },
    { device: fusing },
  );
  const { batched, columns } = await step(
    tensor([
      [
        [1, -2],
        [3, 4],
      ],
    ]),
  );
  t.deepEqual(Array.from(await batched.data()), [0, 0, 15, 10]);
  t.deepEqual(Array.from(await columns.data()), [2, 3, 5, 6]);
  t.deepEqual(stepsOf(step), ['matmul + relu', 'matmul + add']);
});

test('a chain holds a function twice, with parameters of its own each time', async (t) => {
  const step = compile((x) => leakyRelu(leakyRelu(matmul(x, x), { negativeSlope: 0.1 }), { negativeSlope: 0.5 }), {
    device: fusing,
  });
  const result = await step(
    tensor([
      [1, -2],
      [3, 4],
    ]),
  );
  t.equal(differs(await result.data(), [-0.25, -0.5, 15, 10], { absolute: 1e-6, relative: 0 }), undefined);
  t.deepEqual(stepsOf(step), ['matmul + leakyRelu + leakyRelu']);
});

test('chains that differ in an infinite bound are different operations', async (t) => {
  const device = fusing;
  const x = tensor([[-3, 5]]);
  const one = tensor([[1]]);
  const atMost = compile((a, b) => clamp(matmul(a, b), { max: 2 }), { device });
  const atLeast = compile((a, b) => clamp(matmul(a, b), { min: 2 }), { device });
  t.deepEqual(Array.from(await (await atMost(one, x)).data()), [-3, 2]);
  t.deepEqual(Array.from(await (await atLeast(one, x)).data()), [2, 5]);
});

test('an update of a weight that the product itself reads stays on its own', async (t) => {
  const weight = new Parameter('weight', Float32Array.of(1, 2, 3, 4), [2, 2]);
  const optimizer = new SGD({ learningRate: 0.5 });
  const step = compile(
    (x) => {
      optimizer.apply([weight], [matmul(x, weight)]);
    },
    { device: await webgpu() },
  );
  await step(
    tensor([
      [0, 1],
      [1, 0],
    ]),
  );
  t.deepEqual(Array.from(await weight.data()), [-0.5, 0, 2.5, 3]);
  t.notOk(stepsOf(step).includes('matmul + sgdUpdate'));
});

test('joining takes a time in proportion to the graph, chains of twenty thousand included', (t) => {
  const w = tensor(new Float32Array(16), { shape: [4, 4] });
  const layered = (nodes: number): Tensor => {
    let value = tensor(new Float32Array(16), { shape: [4, 4] });
    for (let i = 0; i < nodes / 4; i++) value = relu(add(multiply(matmul(value, w), w), value));
    return value;
  };
  const reshaped = (nodes: number): Tensor => {
    let value = relu(tensor(new Float32Array(4)));
    for (let i = 0; i < nodes; i++) value = reshape(value, i % 2 === 0 ? [2, 2] : [4]);
    return relu(value);
  };
  const siblings = (nodes: number): Tensor => {
    const each = Array.from({ length: nodes / 4 }, () => relu(matmul(w, w, { transposeA: true })));
    return each.reduce((total, own) => add(total, sum(own)), tensor(0));
  };
  /** Of the processor, so that others on the machine do not count. */
  const timeOf = (graph: (nodes: number) => Tensor, nodes: number): number => {
    const times = [0, 1, 2].map(() => {
      const [output, start] = [graph(nodes), process.cpuUsage().user];
      fuse({ outputs: [output], updates: [] }, { kernels: 'wgsl', maxStorageBuffers: 8 });
      return (process.cpuUsage().user - start) / 1000;
    });
    return Math.min(...times);
  };
  for (const graph of [layered, reshaped, siblings]) {
    timeOf(graph, 2500);
    const [few, many] = [Math.max(timeOf(graph, 2500), 1), timeOf(graph, 20_000)];
    t.ok(many < 32 * few, `${graph.name}: quadratic would be 64 times: ${few.toFixed(1)} ms, ${many.toFixed(1)} ms`);
  }
  t.end();
});
