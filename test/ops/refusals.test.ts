/** What does not fit is refused at the call, naming the operation, the shapes and what was expected. */
import test from 'tape';
import {
  accuracy,
  add,
  argmax,
  binaryCrossEntropyWithLogits,
  broadcastTo,
  clamp,
  concat,
  dropout,
  flatten,
  gather,
  Generator,
  gelu,
  logSoftmax,
  max,
  meanSquaredError,
  multiply,
  negativeLogLikelihood,
  OptionError,
  relu,
  reshape,
  ShapeError,
  slice,
  softmax,
  softmaxCrossEntropy,
  sum,
  tensor,
  transpose,
} from '../../lib/index.js';
import { refuses } from '../support/errors.js';

const f32 = (...shape: number[]) => tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), { shape });
const i32 = (...shape: number[]) => tensor(new Int32Array(shape.reduce((a, b) => a * b, 1)), { shape });

test('arithmetic refuses shapes that do not broadcast and integers', (t) => {
  refuses(t, () => add(f32(2, 3), f32(4, 3)), ShapeError, 'add', '[2, 3]', '[4, 3]', '2 against 4');
  refuses(t, () => multiply(f32(2, 3), f32(2)), ShapeError, 'multiply', '[2, 3]', '[2]', '3 against 2');
  refuses(t, () => add(f32(2), i32(2)), ShapeError, 'add', 'f32', 'i32');
  t.deepEqual(add(f32(2, 3), f32(3)).shape, [2, 3]);
  t.end();
});

test('reshape refuses another number of elements, two open sizes and sizes that are none', (t) => {
  refuses(t, () => reshape(f32(2, 3), [4, 2]), ShapeError, '[2, 3]', '[4, 2]');
  refuses(t, () => reshape(f32(2, 3), [-1, 4]), ShapeError, '[-1, 4]', '[2, 3]');
  refuses(t, () => reshape(f32(2, 3), [-1, -1]), ShapeError, '[-1, -1]');
  refuses(t, () => reshape(f32(0, 3), [0, -1]), ShapeError, '[0, -1]');
  refuses(t, () => reshape(f32(2, 3), [-2, -3]), ShapeError, '-2');
  refuses(t, () => reshape(f32(2, 3), [1.5, 4]), ShapeError, '1.5');
  t.deepEqual(reshape(f32(2, 3), [3, -1]).shape, [3, 2]);
  refuses(t, () => flatten(f32(2, 3), { startAxis: 3 }), ShapeError, 'flatten', '3');
  t.deepEqual(
    [flatten(f32(2, 3, 4)).shape, flatten(f32(2)).shape],
    [
      [2, 12],
      [2, 1],
    ],
  );
  t.end();
});

test('transpose refuses what is no permutation', (t) => {
  refuses(t, () => transpose(f32(2, 3), [0]), ShapeError, '[0]', '[2, 3]');
  refuses(t, () => transpose(f32(2, 3), [0, 0]), ShapeError, '[0, 0]');
  refuses(t, () => transpose(f32(2, 3), [0, 2]), ShapeError, 'axis 2');
  t.deepEqual(transpose(f32(2, 3, 4), [-1, 0, 1]).shape, [4, 2, 3]);
  t.end();
});

test('concat refuses other axes, ranks and types, naming both shapes', (t) => {
  refuses(t, () => concat([f32(2, 3), f32(2, 4)]), ShapeError, '[2, 4]', '[2, 3]', 'axis 0');
  refuses(t, () => concat([f32(2, 3), f32(3)]), ShapeError, '[3]', '[2, 3]');
  refuses(t, () => concat([f32(2), i32(2)]), ShapeError, 'i32', 'f32');
  refuses(t, () => concat([f32(2), f32(2)], { axis: 1 }), ShapeError, 'axis 1');
  refuses(t, () => concat([]), ShapeError, 'at least one');
  refuses(t, () => concat([f32(), f32()]), ShapeError, '[]');
  t.deepEqual(concat([f32(2, 3), f32(2, 4)], { axis: -1 }).shape, [2, 7]);
  t.end();
});

test('slice refuses what reaches beyond the input', (t) => {
  for (const [start, end] of [
    [[0], [6]],
    [[4], [3]],
    [[-6], [5]],
    [[0.5], [5]],
    [
      [0, 0],
      [5, 1],
    ],
  ] as const) {
    refuses(t, () => slice(f32(5), start, end), ShapeError, `[${start.join(', ')}] to [${end.join(', ')}]`, '[5]');
  }
  t.deepEqual([slice(f32(5), [-2]).shape, slice(f32(5), [], [-1]).shape, slice(f32(5), [5]).shape], [[2], [4], [0]]);
  t.end();
});

test('broadcastTo refuses a shape that is not reached by repeating', (t) => {
  refuses(t, () => broadcastTo(f32(2, 3), [3]), ShapeError, '[2, 3]', '[3]');
  refuses(t, () => broadcastTo(f32(2), [3]), ShapeError, '[2]', '[3]');
  refuses(t, () => broadcastTo(f32(1), [-1]), ShapeError, '-1');
  refuses(t, () => broadcastTo(f32(1), [1.5]), ShapeError, '1.5');
  t.deepEqual(broadcastTo(f32(1), [0]).shape, [0]);
  t.end();
});

test('reductions, softmax and argmax refuse axes that do not exist, softmax integers, too', (t) => {
  refuses(t, () => sum(f32(2, 3), { axes: 2 }), ShapeError, 'sum', 'axis 2', '[2, 3]');
  refuses(t, () => max(f32(2, 3), { axes: [0, 0] }), ShapeError, 'max', 'twice');
  refuses(t, () => softmax(f32(2, 3), { axis: -3 }), ShapeError, 'softmax', '-3');
  refuses(t, () => logSoftmax(f32()), ShapeError, 'logSoftmax', '[]');
  refuses(t, () => softmax(i32(2)), ShapeError, 'i32');
  refuses(t, () => argmax(f32(2, 0)), ShapeError, 'argmax', '[2, 0]', 'empty');
  t.end();
});

test('gather refuses indices that are not i32, and a scalar table', (t) => {
  refuses(t, () => gather(f32(2, 3), f32(2)), ShapeError, 'gather', 'i32', 'f32', '[2, 3]');
  refuses(t, () => gather(f32(), i32(1)), ShapeError, '[]');
  t.deepEqual(gather(f32(2, 3), i32(4, 5)).shape, [4, 5, 3]);
  t.end();
});

test('softmaxCrossEntropy refuses targets and weights of other shapes and types, naming what it wants', (t) => {
  const logits = f32(4, 3);
  for (const target of [i32(3), i32(4, 3), i32(4, 1), f32(4), f32(3, 4)]) {
    refuses(
      t,
      () => softmaxCrossEntropy(logits, target),
      ShapeError,
      '[4, 3]',
      'i32 [4]',
      'f32 [4, 3]',
      `[${target.shape.join(', ')}]`,
    );
  }
  refuses(t, () => softmaxCrossEntropy(f32(4), i32(4)), ShapeError, '[N, C]', '[4]');
  refuses(t, () => softmaxCrossEntropy(i32(4, 3), i32(4)), ShapeError, 'f32', 'i32');
  refuses(t, () => softmaxCrossEntropy(logits, i32(4), { classWeights: f32(4) }), ShapeError, '[3]', '[4]');
  refuses(t, () => softmaxCrossEntropy(logits, i32(4), { classWeights: i32(3) }), ShapeError, 'i32');
  refuses(t, () => softmaxCrossEntropy(logits, i32(4), { labelSmoothing: 1.5 }), OptionError, 'labelSmoothing', '1.5');
  // @ts-expect-error no such reduction
  refuses(t, () => softmaxCrossEntropy(logits, i32(4), { reduction: 'avg' }), OptionError, '"avg"', "'mean'");
  t.deepEqual(softmaxCrossEntropy(logits, i32(4), { reduction: 'none' }).shape, [4]);
  t.end();
});

test('the other losses and the accuracy refuse shapes that differ', (t) => {
  refuses(t, () => meanSquaredError(f32(2, 3), f32(3)), ShapeError, 'meanSquaredError', '[2, 3]', '[3]');
  refuses(t, () => binaryCrossEntropyWithLogits(f32(2), f32(3)), ShapeError, '[2]', '[3]');
  refuses(t, () => negativeLogLikelihood(f32(2, 3), i32(3)), ShapeError, '[2, 3]', '[3]');
  refuses(t, () => negativeLogLikelihood(f32(2, 3), f32(2)), ShapeError, 'f32 [2]');
  refuses(t, () => negativeLogLikelihood(i32(2, 3), i32(2)), ShapeError, 'i32');
  refuses(t, () => accuracy(f32(2, 3), i32(3)), ShapeError, '[2, 3]', '[3]');
  refuses(t, () => accuracy(i32(2, 3), i32(2)), ShapeError, 'i32');
  t.end();
});

test('functions of one value refuse integers and options out of range', (t) => {
  refuses(t, () => relu(i32(2)), ShapeError, 'relu', 'i32');
  refuses(t, () => dropout(i32(2), { probability: 0.5, generator: new Generator(1) }), ShapeError, 'dropout', 'i32');
  refuses(t, () => clamp(f32(2), { min: 2, max: 1 }), OptionError, '2', '1');
  // @ts-expect-error no such form
  refuses(t, () => gelu(f32(2), { approximate: 'erf' }), OptionError, '"erf"');
  t.end();
});
