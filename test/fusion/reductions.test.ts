/** Reductions with stages at their head and their tail: what they read is computed as it is read. */
import test from 'tape';
import {
  abs,
  add,
  argmax,
  clipGradNorm,
  compile,
  type Device,
  divide,
  dropout,
  exp,
  Generator,
  logSoftmax,
  max,
  mean,
  min,
  moments,
  multiply,
  relu,
  reshape,
  softmax,
  sqrt,
  square,
  subtract,
  sum,
  type Tensor,
  Variable,
  variance,
} from '../../lib/index.js';
import { comparing, normal } from '../support/comparing.js';
import { simd, testOnDevices } from '../support/devices.js';
import { fusingCpu } from '../support/fusing.js';
import { webgpu } from '../support/webgpu.js';

const compareOn = comparing({ absolute: 2e-4, relative: 1e-5 });

function compare(t: test.Test, device: Device, fn: (...x: Tensor[]) => Tensor | Tensor[], ...x: Tensor[]) {
  return compareOn(t, device, x.map(({ shape }) => `[${shape.join(', ')}]`).join(' '), fn, ...x);
}

const SHAPES: readonly (readonly [number, number])[] = [
  [5, 64],
  [3, 65],
  [300, 8],
  [257, 3],
  [1, 40_000],
  [4100, 4],
  [1, 1],
];

testOnDevices('rows and columns of what stages compute, and stages on the sums', async (t, device) => {
  for (const [R, C] of SHAPES) {
    const [x, y, row, column] = [normal('x', R, C), normal('y', R, C), normal('row', C), normal('column', R, 1)];
    for (const axes of [0, 1]) {
      const scale = normal('scale', axes === 0 ? C : R);
      await compare(
        t,
        device,
        (a, b, c, d, e) => add(multiply(sum(multiply(subtract(a, c), add(square(b), d)), { axes }), e), 1),
        ...[x, y, row, column, scale],
      );
      await compare(t, device, (a, b) => abs(max(subtract(a, b), { axes, keepDims: true })), x, row);
    }
    await compare(t, device, (a, b) => sqrt(sum(square(subtract(a, b)))), x, y);
  }
});

testOnDevices('rows and columns of softmax, of what stages compute, and stages behind it', async (t, device) => {
  for (const [R, C] of SHAPES) {
    const [x, y, row] = [normal('x', R, C), normal('y', R, C), normal('row', C)];
    for (const axis of [0, 1]) {
      await compare(t, device, (a, b, c) => multiply(softmax(add(multiply(a, 3), c), { axis }), b), x, y, row);
      await compare(t, device, (a, b) => exp(logSoftmax(subtract(a, b), { axis })), x, y);
    }
  }
});

testOnDevices('a sum of what dropout leaves draws the same mask', async (t, device) => {
  for (const [R, C] of SHAPES) {
    const dropped = (x: Tensor) => dropout(x, { probability: 0.5, generator: new Generator(3) });
    await compare(t, device, (x) => sum(dropped(x), { axes: 1 }), normal('x', R, C));
    await compare(t, device, (x) => mean(relu(reshape(dropped(x), [R * C]))), normal('x', R, C));
  }
});

test('a norm is one step on a GPU, and so is a mean of squares', async (t) => {
  const device = await webgpu();
  const x = normal('x', 30, 40);
  t.deepEqual(await compare(t, device, (own) => sqrt(sum(square(own))), x), ['square + sum + sqrt']);
  t.deepEqual(await compare(t, device, (a, b) => mean(square(subtract(a, b))), x, normal('y', 30, 40)), [
    'subtract + square + sum',
  ]);
  t.deepEqual(await compare(t, device, (own) => exp(softmax(multiply(own, 2))), x), ['multiply + softmax + exp']);
  const gradients = [normal('a', 30, 40), normal('b', 40), normal('c', 3, 3)];
  const steps = await compare(t, device, (...all) => clipGradNorm(all, 1).gradients, ...gradients);
  t.equal(steps.length, 6, steps.join('; '));
  t.end();
});

/** Each reduction that there is, with a stage on what it reads and, where results are floats, one on what comes out. */
const REDUCTIONS: Readonly<Record<string, (x: Tensor) => Tensor | Tensor[]>> = {
  'square + sum + sqrt': (x) => sqrt(sum(square(x), { axes: 1 })),
  'abs + sum + exp': (x) => exp(mean(abs(x), { axes: 0 })),
  'relu + max + exp': (x) => exp(max(relu(x), { axes: 1 })),
  'relu + min + exp': (x) => exp(min(relu(x), { axes: 0 })),
  'abs + argmax': (x) => argmax(abs(x), { axis: 1 }),
  'relu + moments + sqrt + exp'(x) {
    const { mean: average, variance: spread } = moments(relu(x), { axes: 1 });
    return [exp(spread), sqrt(average)];
  },
  'square + softmax + sqrt': (x) => sqrt(softmax(square(x), { axis: 1 })),
  'abs + logSoftmax + exp': (x) => exp(logSoftmax(abs(x), { axis: 1 })),
};

test('all reductions take stages at their head and their tail, on a GPU and on the CPU', async (t) => {
  for (const [R, C] of [
    [30, 40],
    [7, 13],
    [3, 2001],
  ] as const) {
    for (const [steps, form] of Object.entries(REDUCTIONS)) {
      for (const device of [simd, await webgpu()]) {
        t.deepEqual(await compare(t, device, form, normal('x', R, C)), [steps]);
      }
    }
  }
  t.end();
});

test('on a GPU so do argmax down columns, of any number of them, moments and softmax', async (t) => {
  const device = await webgpu();
  const forms: Readonly<Record<string, (x: Tensor) => Tensor | Tensor[]>> = {
    'abs + argmax': (x) => argmax(abs(x), { axis: 0 }),
    'abs + moments + sqrt': (x) => sqrt(variance(abs(x), { axes: 0 })),
    'abs + softmax + sqrt': (x) => sqrt(softmax(abs(x), { axis: 0 })),
  };
  for (const [R, C] of [
    [30, 40],
    [7, 13],
    [2001, 4],
  ] as const) {
    for (const [steps, form] of Object.entries(forms)) {
      t.deepEqual(await compare(t, device, form, normal('x', R, C)), [steps]);
    }
  }
  t.end();
});

test('what others read as well, or has been written over, is computed on its own', async (t) => {
  for (const device of [fusingCpu(), await webgpu()]) {
    const shared = (x: Tensor) => {
      const squares = square(x);
      return [sum(squares, { axes: 0 }), exp(squares)];
    };
    const steps = await compare(t, device, shared, normal('x', 7, 5));
    t.ok(steps.includes('sum'), steps.join('; '));

    const state = new Variable('state', new Float32Array([1, 2, 3]));
    const step = compile(
      () => {
        const squares = square(state.value);
        state.assign(add(state.value, 1));
        return sum(squares);
      },
      { device },
    );
    t.equal(await (await step()).item(), 14);
    t.equal(await (await step()).item(), 29, 'again');
    t.deepEqual([...(await state.data())], [3, 4, 5]);
  }
});

test('buffers are not bound beyond the limit', async (t) => {
  const x = Array.from({ length: 7 }, (_, i) => normal(`x${i}`, 6, 4));
  const total = (...all: Tensor[]) =>
    sum(
      all.reduce((value, own) => divide(add(value, own), 2)),
      { axes: 1 },
    );
  for (const limit of [4, 8]) await compare(t, fusingCpu(limit), total, ...x);
  t.end();
});
