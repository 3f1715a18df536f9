/** Max pooling with what others do before and behind it: on the CPU block by block, by any number of threads. */
import test from 'tape';
import {
  add,
  batchNorm,
  compile,
  type Device,
  gradient,
  maxPool2d,
  type MaxPool2dOptions,
  multiply,
  relu,
  sigmoid,
  sum,
  type Tensor,
  tensor,
} from '../../../lib/index.js';
import { CpuDevice } from '../../../lib/device/cpu/device.js';
import { elementAt } from '../../../lib/element-at.js';
import { RandomStream } from '../../../lib/random.js';
import { sizeOf } from '../../../lib/shape.js';
import { differs } from '../../support/close.js';
import { cpu, simd } from '../../support/devices.js';
import { stepsOf } from '../../support/fusing.js';

const stream = new RandomStream(4, 'pool');
const normal = (...shape: number[]): Tensor => tensor(stream.normal(sizeOf(shape)), { shape });

/** A batch norm, the pooling and ReLU: output and gradients. */
async function layer(device: Device, options: MaxPool2dOptions, inputs: readonly Tensor[]) {
  const compiled = compile(
    (x, weight, bias) => {
      const output = relu(maxPool2d(batchNorm(x, { weight, bias, training: true }), options));
      return [output, ...gradient(sum(multiply(output, output)), [x, weight, bias])];
    },
    { device },
  );
  const [x, weight, bias] = [elementAt(inputs, 0), elementAt(inputs, 1), elementAt(inputs, 2)];
  const results = await compiled(x, weight, bias);
  return { steps: stepsOf(compiled), values: await Promise.all(results.map((result) => result.data())) };
}

function inputsOf(picture: readonly number[]): Tensor[] {
  const channels = elementAt(picture, 3);
  return [normal(...picture), normal(channels), normal(channels)];
}

const SIZES: readonly (readonly [picture: readonly number[], options: MaxPool2dOptions])[] = [
  [[2, 6, 8, 3], { size: 2 }],
  [[3, 37, 40, 16], { size: 2 }], // more than one block of rows; a row that no window has
  [[70, 4, 5, 33], { size: 2 }], // several pictures in a block
  [[1, 50, 29, 24], { size: 3, stride: 2, padding: 1 }], // windows that overlap between blocks, and beside the picture
  [[2, 41, 33, 17], { size: [5, 2], stride: [1, 2], padding: [2, 1] }], // two lines of padding
  [[1, 47, 40, 20], { size: 2, stride: 3, dilation: 2, ceilMode: true }],
  [[2, 9, 7, 8], { size: 1, stride: 4 }], // lines between windows
  [[1, 3, 3000, 9], { size: 3 }], // a row that is longer than a block
];

test('a batch norm is pooled without being stored, and ReLU follows', async (t) => {
  for (const [picture, options] of SIZES) {
    const inputs = inputsOf(picture);
    const [expected, got] = [await layer(cpu, options, inputs), await layer(simd, options, inputs)];
    const name = `${JSON.stringify(picture)} ${JSON.stringify(options)}`;
    t.ok(got.steps.includes('normalizeBatch + maxPool2d + relu'), got.steps.join(', '));
    for (const [i, values] of expected.values.entries()) {
      const tolerance = { absolute: 1e-4, relative: 1e-4 };
      t.equal(differs(elementAt(got.values, i), values, tolerance), undefined, `${i} of ${name}`);
    }
  }
});

test('the same bit for bit with 1, 2 and 3 threads', async (t) => {
  for (const [picture, options] of SIZES) {
    const inputs = inputsOf(picture);
    const results: (readonly unknown[])[] = [];
    for (const threads of [1, 2, 3]) {
      const device = new CpuDevice({ reason: 'test', path: 'simd', threads });
      for (let turn = 0; turn < 2; turn++) {
        results.push((await layer(device, options, inputs)).values);
        if (turn === 0) await new Promise((resume) => setTimeout(resume, 50)); // the workers come up
      }
      device.dispose();
    }
    for (const result of results) t.deepEqual(result, results[0]);
  }
});

test('stages on a whole tensor, on a value for each row, and none', async (t) => {
  const [x, residual, ofRows] = [normal(2, 20, 18, 5), normal(2, 20, 18, 5), normal(2, 20, 18, 1)];
  const forms = {
    'add + sigmoid + maxPool2d': (a: Tensor, b: Tensor) => maxPool2d(sigmoid(add(a, b)), { size: 2 }),
    'multiply + maxPool2d': (a: Tensor, _: Tensor, c: Tensor) => maxPool2d(multiply(a, c), { size: 2 }),
    'maxPool2d + sigmoid': (a: Tensor) => sigmoid(maxPool2d(a, { size: 2 })),
    maxPool2d: (a: Tensor) => maxPool2d(a, { size: 2 }),
  };
  for (const [name, form] of Object.entries(forms)) {
    const call = async (device: Device) => {
      const compiled = compile((a, b, c) => form(a, b, c), { device });
      const result = await compiled(x, residual, ofRows);
      return { steps: stepsOf(compiled), values: await result.data() };
    };
    const [expected, got] = [await call(cpu), await call(simd)];
    t.ok(got.steps.includes(name), `${name}: ${got.steps.join(', ')}`);
    t.equal(differs(got.values, expected.values, { absolute: 1e-6, relative: 1e-6 }), undefined, name);
  }
});

test('what others read as well is stored, and NaN comes through', async (t) => {
  const x = tensor(Float32Array.of(1, NaN, 3, 4, -5, 6, 7, 8), { shape: [1, 2, 2, 2] });
  const compiled = compile(
    (a) => {
      const doubled = add(a, a);
      return [maxPool2d(doubled, { size: 2 }), doubled];
    },
    { device: simd },
  );
  const results = await compiled(x);
  t.deepEqual(await Promise.all(results.map(async (result) => Array.from(await result.data()))), [
    [14, NaN],
    [2, NaN, 6, 8, -10, 12, 14, 16],
  ]);
  t.deepEqual(stepsOf(compiled), ['add', 'maxPool2d']);
  const alone = compile((a) => relu(maxPool2d(add(a, a), { size: 2 })), { device: simd });
  t.deepEqual(Array.from(await (await alone(x)).data()), [14, NaN]);
});
