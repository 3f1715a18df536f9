import test from 'tape';
import { nodesBefore } from '../../lib/graph/nodes.js';
import {
  add,
  argmax,
  exp,
  gather,
  gradient,
  linear,
  matmul,
  mean,
  multiply,
  relu,
  reshape,
  run,
  ShapeError,
  softmax,
  softmaxCrossEntropy,
  square,
  sum,
  type Tensor,
  tensor,
  TraceError,
  Variable,
} from '../../lib/index.js';
import { refuses } from '../support/errors.js';

const values = async (of: Tensor): Promise<number[]> => Array.from(await of.data());
const names = (roots: readonly Tensor[]): string[] => nodesBefore(roots).map(({ operation }) => operation.name);

test('the gradient of a tensor that is used several times is the sum over its uses', async (t) => {
  const x = tensor([1, 2, 3]);
  // y = Σ x² + x · e^x + 3x:  dy/dx = 2x + (1 + x) e^x + 3
  const y = add(sum(add(multiply(x, x), multiply(x, exp(x)))), sum(multiply(x, 3)));
  const [dx] = gradient(y, [x]);
  const got = dx ? await values(dx) : [];
  [1, 2, 3].forEach((v, i) => {
    const expected = 2 * v + (1 + v) * Math.exp(v) + 3;
    t.ok(Math.abs((got[i] ?? NaN) - expected) < 1e-5 * expected, `${got[i]} is ${expected}`);
  });
});

test('an intermediate result, the output itself and a target named twice have gradients', async (t) => {
  const x = tensor([1, -2]);
  const middle = multiply(x, 3); // [3, -6]
  const y = sum(square(middle));
  const [dx, dMiddle, dy, again] = await run(() => gradient(y, [x, middle, y, x]));
  t.deepEqual(dx && (await values(dx)), [18, -36]); // dy/dx = 3 · 2 · middle
  t.deepEqual(dMiddle && (await values(dMiddle)), [6, -12]);
  t.deepEqual(dy && (await values(dy)), [1]);
  t.deepEqual(again && (await values(again)), [18, -36]);
});

test('a reshape of a target passes its gradient on, in the shape of the target', async (t) => {
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);
  const [dx] = gradient(sum(multiply(reshape(x, [4]), tensor([1, 10, 100, 1000]))), [x]);
  t.deepEqual(dx && (await dx.array()), [
    [1, 10],
    [100, 1000],
  ]);
});

test('a tensor that the output does not depend on has gradient 0 in its shape', async (t) => {
  const [x, other] = [tensor([1, 2]), tensor([[1], [2], [3]])];
  const [, dOther] = gradient(sum(x), [x, other]);
  t.deepEqual(dOther && (await dOther.array()), [[0], [0], [0]]);
});

test('variables are targets, and their gradient is that of their value', async (t) => {
  const w = new Variable('w', Float32Array.of(2, 3));
  const [dw] = await run(() => gradient(sum(multiply(w, w)), [w]));
  t.deepEqual(dw && (await values(dw)), [4, 6]);
});

test('an output that is no scalar needs an outputGradient of its shape', async (t) => {
  const x = tensor([1, 2]);
  const y = multiply(x, x);
  refuses(t, () => gradient(y, [x]), ShapeError, '[2]', 'reduce it to a scalar');
  refuses(t, () => gradient(y, [x], tensor([1, 2, 3])), ShapeError, '[3]', '[2]');
  const [dx] = gradient(y, [x], tensor([10, 100]));
  t.deepEqual(dx && (await values(dx)), [20, 400]);
});

test('a step function on the way is refused, naming it and the reason', (t) => {
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);
  refuses(t, () => gradient(sum(gather(x, argmax(x))), [x]), TraceError, 'argmax', 'a position does not change');
  t.end();
});

test('an input that is data to its operation is refused as a target, naming the operation', (t) => {
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);
  refuses(t, () => gradient(softmaxCrossEntropy(x, softmax(x)), [x]), TraceError, 'softmaxCrossEntropy', 'input 1');
  t.end();
});

test('a step function off the way does not matter', async (t) => {
  const [x, w] = [tensor([[1, 2]]), tensor([[5], [7]])];
  const [dw] = gradient(sum(gather(w, argmax(x))), [w]);
  t.deepEqual(dw && (await values(dw)), [0, 1]);
});

test('only the gradients that are needed are computed', (t) => {
  const x = tensor(new Float32Array(6), { shape: [2, 3] });
  const target = tensor(Int32Array.of(0, 1));
  const weights = [
    [4, 3],
    [4, 4],
    [2, 4],
  ].map((shape) => tensor(new Float32Array((shape[0] ?? 0) * (shape[1] ?? 0)), { shape }));
  const logits = weights.reduce(
    (value, weight, i) => (i === 2 ? linear(value, weight) : relu(linear(value, weight))),
    x,
  );
  const loss = softmaxCrossEntropy(logits, target);
  const products = (targets: readonly Tensor[]) =>
    names(gradient(loss, targets)).filter((name) => name === 'matmul').length;
  // Forward 3. Backward: a product for each weight, and for the input of each layer but the first.
  t.equal(products(weights), 3 + 3 + 2);
  t.equal(products(weights.slice(2)), 3 + 1, 'of the last layer alone: its own product and no input gradient');
  t.equal(products([x]), 3 + 3, 'of the input alone: no gradient of a weight');
  t.end();
});

test('a gradient may be differentiated again where its operations are differentiable', async (t) => {
  const x = tensor([2]);
  const [first] = gradient(sum(multiply(multiply(x, x), x)), [x]); // 3x²
  const [second] = first ? gradient(sum(first), [x]) : []; // 6x
  t.deepEqual(second && (await values(second)), [12]);
});

test('a deep graph is differentiated without running out of stack', async (t) => {
  const x = tensor([1]);
  let y = x;
  for (let i = 0; i < 5000; i++) y = add(y, 1);
  const [dx] = gradient(sum(y), [x]);
  t.deepEqual(dx && (await values(dx)), [1]);
});

test('the gradient of a mean over a broadcast sum is spread evenly', async (t) => {
  const [a, b] = [tensor([[1, 2, 3]]), tensor([[1], [2]])];
  const [da, db] = await run(() => gradient(mean(add(a, b)), [a, b]));
  t.deepEqual(da && (await values(da)), [1 / 3, 1 / 3, 1 / 3].map(Math.fround));
  t.deepEqual(db && (await values(db)), [0.5, 0.5]);
  const [dm] = gradient(sum(matmul(tensor([[1, 2]]), tensor([[3], [4]]))), [a]);
  t.deepEqual(dm && (await values(dm)), [0, 0, 0]);
});
