import test from 'tape';
import { nodesBefore } from '../../lib/graph/nodes.js';
import {
  accuracy,
  add,
  argmax,
  cast,
  compile,
  correctPredictions,
  equal,
  exp,
  gather,
  gradient,
  linear,
  matmul,
  max,
  mean,
  multiply,
  Parameter,
  relu,
  reshape,
  run,
  SGD,
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
import { differs } from '../support/close.js';
import { refuses, rejects } from '../support/errors.js';

const EXACT = { absolute: 0, relative: 1e-6 };

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

test('integers and step functions on the way stop a gradient: their derivative is 0', async (t) => {
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);
  // Both rows have their largest value in column 1, so row 1 is taken twice.
  const [picked] = gradient(sum(gather(x, argmax(x))), [x]);
  t.deepEqual(picked && (await picked.array()), [
    [0, 0],
    [2, 2],
  ]);
  const [masked] = gradient(sum(multiply(x, equal(x, max(x, { axes: 1, keepDims: true })))), [x]);
  t.deepEqual(masked && (await masked.array()), [
    [0, 1],
    [0, 1],
  ]);
  const [scaled] = gradient(sum(multiply(x, cast(cast(x, 'i32'), 'f32'))), [x]);
  t.deepEqual(scaled && (await scaled.array()), [
    [1, 2],
    [3, 4],
  ]);
  const [through, other] = gradient(sum(multiply(tensor([5, 6]), cast(argmax(x), 'f32'))), [x, tensor([7])]);
  t.deepEqual(through && (await values(through)), [0, 0, 0, 0], 'behind integers alone');
  t.deepEqual(other && (await values(other)), [0]);
});

test('what is a step function of everything is refused, naming it and the reason', (t) => {
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);
  const classes = tensor(Int32Array.of(0, 1));
  refuses(t, () => gradient(accuracy(x, classes), [x]), TraceError, 'accuracy', 'step function');
  refuses(t, () => gradient(mean(correctPredictions(x, classes)), [x]), TraceError, 'correctPredictions');
  refuses(t, () => gradient(sum(cast(argmax(x), 'f32')), [x]), TraceError, 'argmax', 'a position does not change');
  t.end();
});

test('integers are refused as targets and as what is differentiated', (t) => {
  const x = tensor([1, 2]);
  refuses(t, () => gradient(sum(x), [x, tensor(Int32Array.of(1))]), TraceError, 'i32');
  refuses(t, () => gradient(argmax(x), [x]), TraceError, 'the output is of type i32');
  t.end();
});

test('a second derivative that is not written is refused', (t) => {
  const x = tensor([1, 2]);
  const [first] = gradient(sum(exp(x)), [x]);
  refuses(t, () => first && gradient(sum(first), [x]), TraceError, 'expGradient', 'not written');
  t.end();
});

test('an update is a new leaf: a gradient behind it is that with respect to the updated value', async (t) => {
  const [a, b] = [new Parameter('a', Float32Array.of(2), []), new Parameter('b', Float32Array.of(3), [])];
  const optimizer = new SGD({ learningRate: 0.1 });
  const step = compile(() => {
    optimizer.minimize(multiply(a, b), [a]); // 2 - 0.1 · 3
    optimizer.minimize(multiply(a, b), [b]); // 3 - 0.1 · 1.7
  });
  await step();
  t.deepEqual(await values(a.value), [Math.fround(1.7)]);
  t.equal(differs(await b.data(), [2.83], EXACT), undefined);
  await step();
  t.equal(differs(await a.data(), [1.417], EXACT), undefined); // 1.7 - 0.1 · 2.83
  t.equal(differs(await b.data(), [2.6883], EXACT), undefined); // 2.83 - 0.1 · 1.417
});

test('three parameters in turn, one with momentum, each by a gradient behind the updates before it', async (t) => {
  const [a, b, c] = [2, 3, 5].map((value, i) => new Parameter(`p${i}`, Float32Array.of(value), [1]));
  if (!a || !b || !c) return;
  const [plain, heavy] = [new SGD({ learningRate: 0.1 }), new SGD({ learningRate: 0.1, momentum: 0.9 })];
  await run(() => {
    const loss = (): Tensor => sum(multiply(multiply(a, b), c));
    plain.minimize(loss(), [a]); // 2 - 0.1 · 15 = 0.5
    heavy.minimize(loss(), [b]); // 3 - 0.1 · 2.5 = 2.75
    plain.minimize(loss(), [c]); // 5 - 0.1 · 1.375 = 4.8625
    plain.minimize(loss(), [a]); // 0.5 - 0.1 · 13.371875
  });
  const after = await Promise.all([a, b, c].map((variable) => variable.data()));
  t.equal(
    differs(
      Float32Array.from(after, ([value = NaN]) => value),
      [-0.8371875, 2.75, 4.8625],
      EXACT,
    ),
    undefined,
  );
});

test('assign before a loss is a new leaf, too', async (t) => {
  const [w, v] = [new Variable('w', Float32Array.of(1, 2)), new Variable('v', Float32Array.of(3, 4))];
  const [dw, dv] = await run(() => {
    w.assign(multiply(v, 10)); // [30, 40]
    return gradient(sum(multiply(square(w), v)), [w, v]);
  });
  t.deepEqual(dw && (await values(dw)), [180, 320]); // 2 w v
  t.deepEqual(dv && (await values(dv)), [900, 1600], 'w², and nothing through the assignment');
});

test('a loss that was computed with a value from before an update is refused for that variable', async (t) => {
  const [a, b] = [new Parameter('a', Float32Array.of(2), []), new Parameter('b', Float32Array.of(3), [])];
  const optimizer = new SGD({ learningRate: 0.1 });
  const again = run(() => {
    const loss = add(a, b);
    optimizer.minimize(loss, [a]);
    optimizer.minimize(loss, [a]);
    return loss;
  });
  await rejects(t, again, TraceError, 'value that a had before', 'compute it again');
  await rejects(
    t,
    run(() => {
      const loss = multiply(a, b);
      optimizer.minimize(loss, [a]);
      optimizer.minimize(loss, [b]); // its gradient is the old a, which is gone
      return b.value;
    }),
    TraceError,
    'before sgdUpdate changed it',
  );
  const [db] = await run(() => {
    const loss = add(a, b);
    optimizer.minimize(loss, [a]);
    return gradient(loss, [b]);
  });
  t.deepEqual(db && (await values(db)), [1], 'of the other variable it needs no old value');
  t.deepEqual([await values(a.value), await values(b.value)], [[Math.fround(1.9)], [3]]);
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

test('a deep graph is differentiated without running out of stack', (t) => {
  const x = tensor([1]);
  let y = x;
  for (let i = 0; i < 20_000; i++) y = reshape(multiply(y, 1), i % 2 === 0 ? [1, 1] : [1]);
  const nodes = nodesBefore(gradient(sum(y), [x]));
  t.equal(nodes.filter(({ operation }) => operation.name === 'multiply').length, 20_000, 'one product for each');
  t.end();
});

test('the gradient of a mean over a broadcast sum is spread evenly', async (t) => {
  const [a, b] = [tensor([[1, 2, 3]]), tensor([[1], [2]])];
  const [da, db] = await run(() => gradient(mean(add(a, b)), [a, b]));
  t.deepEqual(da && (await values(da)), [1 / 3, 1 / 3, 1 / 3].map(Math.fround));
  t.deepEqual(db && (await values(db)), [0.5, 0.5]);
  const [dm] = gradient(sum(matmul(tensor([[1, 2]]), tensor([[3], [4]]))), [a]);
  t.deepEqual(dm && (await values(dm)), [0, 0, 0]);
});
