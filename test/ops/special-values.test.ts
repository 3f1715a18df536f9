/**
 * NaN, the infinities and -0 pass through every kernel as IEEE 754 says, although WGSL lets an implementation assume that
 * they do not occur (see kernels/common/common.wgsl).
 */
import type test from 'tape';
import type { Device } from '../../lib/device/device.js';
import {
  abs,
  add,
  argmax,
  clamp,
  correctPredictions,
  elu,
  exp,
  gather,
  leakyRelu,
  log,
  logSoftmax,
  max,
  maximum,
  mean,
  min,
  minimum,
  multiply,
  negate,
  negativeLogLikelihood,
  reciprocal,
  relu,
  relu6,
  run,
  sigmoid,
  softmax,
  softmaxCrossEntropy,
  softplus,
  sqrt,
  square,
  subtract,
  sum,
  tanh,
  type Tensor,
  tensor,
} from '../../lib/index.js';
import { testOnDevices } from '../support/devices.js';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const huge = Math.fround(3.4e38);
const V = [nan, inf, -inf, -0, 0, huge, -1];

const UNARY: Readonly<Record<string, readonly [(x: Tensor) => Tensor, readonly number[]]>> = {
  relu: [relu, [nan, inf, 0, -0, 0, huge, 0]],
  relu6: [relu6, [nan, 6, 0, -0, 0, 6, 0]],
  leakyRelu: [(x) => leakyRelu(x, { negativeSlope: 0.5 }), [nan, inf, -inf, -0, 0, huge, -0.5]],
  elu: [elu, [nan, inf, -1, 0, 0, huge, Math.expm1(-1)]],
  sigmoid: [sigmoid, [nan, 1, 0, 0.5, 0.5, 1, 1 / (1 + Math.E)]],
  tanh: [tanh, [nan, 1, -1, 0, 0, 1, Math.tanh(-1)]],
  softplus: [softplus, [nan, inf, 0, Math.LN2, Math.LN2, huge, Math.log1p(Math.exp(-1))]],
  exp: [exp, [nan, inf, 0, 1, 1, inf, Math.exp(-1)]],
  log: [log, [nan, inf, nan, -inf, -inf, Math.log(huge), nan]],
  sqrt: [sqrt, [nan, inf, nan, 0, 0, Math.sqrt(huge), nan]],
  square: [square, [nan, inf, inf, 0, 0, inf, 1]],
  abs: [abs, [nan, inf, inf, 0, 0, huge, 1]],
  negate: [negate, [nan, -inf, inf, 0, -0, -huge, 1]],
  reciprocal: [reciprocal, [nan, 0, -0, -inf, inf, 0, -1]],
  'clamp to [-2, 2]': [(x) => clamp(x, { min: -2, max: 2 }), [nan, 2, -2, -0, 0, 2, -1]],
  'adding Inf': [(x) => add(x, inf), [nan, inf, nan, inf, inf, inf, inf]],
  'subtracting Inf': [(x) => subtract(x, inf), [nan, nan, -inf, -inf, -inf, -inf, -inf]],
  'multiplying by 0': [(x) => multiply(x, 0), [nan, nan, nan, 0, 0, 0, 0]],
  'maximum with 0.5': [(x) => maximum(x, 0.5), [nan, inf, 0.5, 0.5, 0.5, huge, 0.5]],
  'maximum of 0.5 with it': [(x) => maximum(0.5, x), [nan, inf, 0.5, 0.5, 0.5, huge, 0.5]],
  'minimum with 0.5': [(x) => minimum(x, 0.5), [nan, 0.5, -inf, 0, 0, 0.5, -1]],
  'minimum of 0.5 with it': [(x) => minimum(0.5, x), [nan, 0.5, -inf, 0, 0, 0.5, -1]],
};

for (const [name, [f, expected]] of Object.entries(UNARY)) {
  testOnDevices(`${name} of NaN, Inf, -Inf, -0, 0, 3.4e38 and -1 is as IEEE has it`, async (t, device) => {
    await agrees(t, device, () => f(tensor(V)), expected);
  });
}

testOnDevices('the sign of 0 is kept where nothing is computed', async (t, device) => {
  const zeros = tensor([-0, 0]);
  for (const f of [relu, leakyRelu, (x: Tensor) => clamp(x, { min: -1, max: 1 })]) {
    const [minus, plus] = await (await run(() => f(zeros), { device })).data();
    t.deepEqual([Object.is(minus, -0), Object.is(plus, 0)], [true, true]);
  }
});

/** Rows of 4, and of 300 with the value at its end: reduced by one invocation, and by a workgroup. */
const rows = (values: readonly number[]) => [
  tensor([[1, 2, ...values, 3].slice(-4)]),
  tensor([[...Array.from({ length: 297 }, (_, i) => (i % 5) - 2), ...values, 3].slice(-300)]),
];

testOnDevices('max, min and sum meet NaN and the infinities in short and in long rows', async (t, device) => {
  for (const x of rows([nan, 1])) {
    await agrees(t, device, () => max(x, { axes: 1 }), [nan]);
    await agrees(t, device, () => min(x, { axes: 1 }), [nan]);
    await agrees(t, device, () => sum(x, { axes: 1 }), [nan]);
    await agrees(t, device, () => mean(x, { axes: 1 }), [nan]);
  }
  for (const x of rows([inf, 1])) {
    await agrees(t, device, () => max(x, { axes: 1 }), [inf]);
    await agrees(t, device, () => sum(x, { axes: 1 }), [inf]);
    await agrees(t, device, () => min(negate(x), { axes: 1 }), [-inf]);
  }
  for (const x of rows([inf, -inf])) await agrees(t, device, () => sum(x, { axes: 1 }), [nan]);
  for (const size of [3, 300]) {
    const x = tensor([new Array<number>(size).fill(-inf)]);
    await agrees(t, device, () => max(x, { axes: 1 }), [-inf]);
    await agrees(t, device, () => min(negate(x), { axes: 1 }), [inf]);
  }
  const none = tensor(new Float32Array(0), { shape: [0, 2] });
  await agrees(t, device, () => max(none, { axes: 0 }), [-inf, -inf]);
  await agrees(t, device, () => min(none, { axes: 0 }), [inf, inf]);
  await agrees(t, device, () => sum(none, { axes: 0 }), [0, 0]);
  await agrees(t, device, () => mean(none, { axes: 0 }), [nan, nan]);
});

testOnDevices('a row of softmax with NaN or Inf is NaN throughout, and its neighbours are not', async (t, device) => {
  const log2 = -Math.LN2;
  for (const size of [2, 130]) {
    const row = (...start: number[]) => [...start, ...new Array<number>(size - 2).fill(-inf)];
    const x = tensor([
      row(nan, 1),
      row(1, 1),
      row(inf, 1),
      row(-inf, -inf),
      row(-inf, 5),
      row(1e4, 1e4),
      row(huge, -huge),
    ]);
    const wide = (...start: number[]) => [...start, ...new Array<number>(size - 2).fill(0)];
    const none = new Array<number>(size).fill(nan);
    const expected = [none, wide(0.5, 0.5), none, none, wide(0, 1), wide(0.5, 0.5), wide(1, 0)];
    await agrees(t, device, () => softmax(x), expected.flat());
    const logs = [none, row(log2, log2), none, none, row(-inf, 0), row(log2, log2), row(0, -inf)];
    await agrees(t, device, () => logSoftmax(x), logs.flat());
  }
});

testOnDevices('argmax takes the first of equals and the first NaN', async (t, device) => {
  const x = tensor([
    [1, 3, 3],
    [nan, 5, nan],
    [5, nan, inf],
    [-inf, -inf, -inf],
    [-0, 0, -0],
    [inf, inf, nan],
  ]);
  await agrees(t, device, () => argmax(x), [1, 0, 1, 0, 0, 2]);
});

testOnDevices('a prediction counts as right for the first of equals, and never with NaN', async (t, device) => {
  const logits = tensor([
    [1, 1],
    [1, 1],
    [nan, 1],
    [1, nan],
    [-inf, -inf],
  ]);
  await agrees(t, device, () => correctPredictions(logits, tensor(Int32Array.of(0, 1, 1, 0, 0))), [1, 0, 0, 0, 1]);
});

testOnDevices('the k largest are the first of equals, and a row with NaN has none', async (t, device) => {
  const logits = tensor([
    [1, 1, 1, 2],
    [1, 1, 1, 2],
    [1, 1, 1, 2],
    [3, nan, 1, 2],
    [-inf, -inf, -inf, inf],
    [-inf, -inf, -inf, inf],
    [3, 2, 1, 0],
    [3, 2, 1, 0],
  ]);
  const classes = tensor(Int32Array.of(0, 1, 3, 0, 0, 1, 4, -1));
  await agrees(t, device, () => correctPredictions(logits, classes, { k: 2 }), [1, 0, 1, 0, 1, 0, 0, 0]);
  await agrees(t, device, () => correctPredictions(logits, classes, { k: 9 }), [1, 1, 1, 0, 1, 1, 0, 0]);
});

testOnDevices('equal largest elements share the gradient of max', async (t, device) => {
  const { gradient } = await import('../../lib/index.js');
  const x = tensor([
    [2, 5, 5, 1],
    [7, 7, 7, 7],
  ]);
  await agrees(
    t,
    device,
    () => gradient(sum(max(x, { axes: 1 })), [x])[0] ?? x,
    [0, 0.5, 0.5, 0, 0.25, 0.25, 0.25, 0.25],
  );
  const [a, b] = [tensor([1, 2, 3]), tensor([1, 5, 0])];
  await agrees(t, device, () => gradient(sum(maximum(a, b)), [a])[0] ?? a, [0.5, 0, 1]);
  await agrees(t, device, () => gradient(sum(minimum(a, b)), [b])[0] ?? b, [0.5, 0, 1]);
});

testOnDevices(
  'cross-entropy of a class that does not exist is NaN, of an ignored one 0, and other rows are untouched',
  async (t, device) => {
    const logits = tensor([
      [0, 0],
      [0, 0],
      [0, 0],
      [0, 0],
      [nan, 0],
      [inf, 0],
      [1e4, -1e4],
    ]);
    const labels = tensor(Int32Array.of(0, 2, -1, -100, 0, 0, 1));
    const loss = () => softmaxCrossEntropy(logits, labels, { reduction: 'none' });
    await agrees(t, device, loss, [Math.LN2, nan, nan, 0, nan, nan, 2e4]);
    const { gradient } = await import('../../lib/index.js');
    const slopes = [-0.5, 0.5, nan, nan, nan, nan, 0, 0, nan, nan, nan, nan, 1, -1];
    await agrees(t, device, () => gradient(sum(loss()), [logits])[0] ?? logits, slopes);
  },
);

testOnDevices('negativeLogLikelihood and gather of an index that does not exist give NaN', async (t, device) => {
  const table = tensor([
    [1, 2],
    [3, 4],
  ]);
  const indices = tensor(Int32Array.of(1, 2, -1));
  await agrees(t, device, () => gather(table, indices), [3, 4, nan, nan, nan, nan]);
  await agrees(t, device, () => gather(tensor(Int32Array.of(5, 6)), indices), [6, -1, -1]);
  const logs = tensor([
    [-1, -2],
    [-1, -2],
    [-1, -2],
  ]);
  await agrees(t, device, () => negativeLogLikelihood(logs, indices, { reduction: 'none' }), [2, nan, nan]);
});

/** Within 1e-5 relative; NaN for NaN, an infinity for one of its sign, 0 for either 0. */
async function agrees(t: test.Test, device: Device, f: () => Tensor, expected: readonly number[]): Promise<void> {
  const got = Array.from(await (await run(f, { device })).data());
  const same = (a: number, b: number) =>
    a === b || (Number.isNaN(a) && Number.isNaN(b)) || Math.abs(a - b) <= 1e-37 + 1e-5 * Math.abs(b);
  const wrong = expected.flatMap((value, i) =>
    same(got[i] ?? Infinity, value) ? [] : [`${i}: ${got[i]} is not ${value}`],
  );
  t.deepEqual([wrong, got.length], [[], expected.length]);
}
