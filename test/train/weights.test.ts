/** Weights of examples and of classes: in the losses, in fit and in evaluate. */
import test from 'tape';
import {
  Adam,
  binaryCrossEntropyWithLogits,
  DataError,
  DataLoader,
  type Device,
  evaluate,
  fit,
  type FitOptions,
  fromArrays,
  gradient,
  type LabelledData,
  type Loss,
  meanSquaredError,
  mean,
  negativeLogLikelihood,
  logSoftmax,
  OptionError,
  run,
  selectExamples,
  SGD,
  ShapeError,
  softmaxCrossEntropy,
  splitByClass,
  square,
  subtract,
  tensor,
  type Tensor,
} from '../../lib/index.js';
import { differs as arraysDiffer } from '../support/close.js';
import { cpu, testOnDevices } from '../support/devices.js';
import { rejects } from '../support/errors.js';
import { clouds, net, weightsOf } from './examples.js';

type Numbers = readonly number[] | Float32Array;

const differs = (
  found: Numbers,
  expected: Numbers,
  tolerance: { readonly absolute: number; readonly relative: number },
) => arraysDiffer(Float32Array.from(found), Float32Array.from(expected), tolerance);

const TOLERANCE = { absolute: 1e-6, relative: 1e-5 };

const LOGITS = [[1, 2, 0.5], [0.1, -1, 2], [3, 0, 0], [0.3, 0.2, 0.1]]; // prettier-ignore
const LABELS = Int32Array.of(0, 2, 1, 1);
const WEIGHTS = Float32Array.of(1, 0.5, 2, 0);
const CLASS_WEIGHTS = Float32Array.of(0.2, 1, 3);

async function valuesOf(device: Device, values: () => Tensor): Promise<number[]> {
  return Array.from(await (await run(values, { device })).data());
}

// PyTorch 1.13: F.cross_entropy(logits, labels, weight, reduction='none', label_smoothing), times the weights, added up and
// divided by (weights * weight[labels]).sum().
const PYTORCH = { plain: 1.8257828950881958, smoothed: 1.9451816082000732 };

testOnDevices('weights of examples are those of their losses, beside weights of classes', async (t, device) => {
  const found = await valuesOf(device, () => softmaxCrossEntropy(LOGITS, tensor(LABELS), { weights: WEIGHTS }));
  const each = await valuesOf(device, () => softmaxCrossEntropy(LOGITS, tensor(LABELS), { reduction: 'none' }));
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const weighted = each.map((loss, i) => loss * (WEIGHTS[i] ?? NaN));
  t.equal(differs(found, [sum(weighted) / 3.5], TOLERANCE), undefined);
  for (const reduction of ['sum', 'none'] as const) {
    const reduced = await valuesOf(device, () =>
      softmaxCrossEntropy(LOGITS, tensor(LABELS), { weights: WEIGHTS, reduction }),
    );
    t.equal(differs(reduced, reduction === 'sum' ? [sum(weighted)] : weighted, TOLERANCE), undefined, reduction);
  }
  for (const labelSmoothing of [0, 0.1]) {
    const options = { weights: WEIGHTS, classWeights: CLASS_WEIGHTS };
    const both = await valuesOf(device, () =>
      softmaxCrossEntropy(LOGITS, tensor(LABELS), { ...options, labelSmoothing }),
    );
    t.equal(differs(both, [labelSmoothing === 0 ? PYTORCH.plain : PYTORCH.smoothed], TOLERANCE), undefined);
    if (labelSmoothing > 0) continue;
    const fromLogs = await valuesOf(device, () => negativeLogLikelihood(logSoftmax(LOGITS), tensor(LABELS), options));
    t.equal(differs(fromLogs, both, TOLERANCE), undefined);
  }
});

testOnDevices('losses of several numbers weigh all numbers of an example', async (t, device) => {
  const [output, target] = [[[1, 3], [2, 2], [0, 5]], [[0, 0], [1, 0], [0, 0]]]; // prettier-ignore
  const weights = Float32Array.of(1, 0.5, 0);
  const squares = await valuesOf(device, () => meanSquaredError(output, target, { weights }));
  t.equal(differs(squares, [(0.5 * (1 + 9) + 0.25 * (1 + 4)) / 1.5], TOLERANCE), undefined);
  const bits = await valuesOf(device, () => binaryCrossEntropyWithLogits(output, target, { weights }));
  const each = await valuesOf(device, () => binaryCrossEntropyWithLogits(output, target, { reduction: 'none' }));
  const [a = NaN, b = NaN, c = NaN, d = NaN] = each;
  t.equal(differs(bits, [((a + b) / 2 + (c + d) / 4) / 1.5], TOLERANCE), undefined);
  const zeros = Float32Array.of(0, 0, 0);
  t.deepEqual(await valuesOf(device, () => meanSquaredError(output, target, { weights: zeros })), [0]);
  const slopes = await valuesOf(device, () => {
    const x = tensor(output);
    const [slope] = gradient(meanSquaredError(x, target, { weights: zeros }), [x]);
    return slope ?? x;
  });
  t.deepEqual(slopes, [0, 0, 0, 0, 0, 0]);
});

test('weights of another number or type are refused by a loss, naming what it wants', (t) => {
  const refuse = (weights: Tensor): void => {
    t.throws(
      () => softmaxCrossEntropy(LOGITS, tensor(LABELS), { weights }),
      /softmaxCrossEntropy: weights must be f32 \[4\]/,
    );
    t.throws(() => meanSquaredError(LOGITS, LOGITS, { weights }), ShapeError);
  };
  refuse(tensor([1, 2, 3]));
  refuse(tensor(Int32Array.of(1, 2, 3, 4)));
  refuse(tensor([[1], [2], [3], [4]]));
  t.end();
});

const options = (device: Device): FitOptions => ({
  epochs: 3,
  batchSize: 100,
  optimizer: new SGD({ learningRate: 0.3, momentum: 0.9 }),
  device,
});

/** The weights of a net after a training. */
async function trained(data: LabelledData, more: FitOptions & { readonly loss?: Loss }) {
  const model = net(5, 0).build([3]);
  const history = await fit(model, data, more);
  return { loss: history.loss, weights: await weightsOf(model) };
}

testOnDevices('an example of weight 2 is one that is there twice, one of weight 0 is none', async (t, device) => {
  const data = clouds(7, 3);
  const counts = [1, 2, 0, 3, 1, 0, 1];
  const rows = counts.flatMap((count, row) => Array.from({ length: count }, () => row));
  const often = await trained(selectExamples(data, rows), options(device));
  const weighted = await trained({ ...data, weights: Float32Array.from(counts) }, options(device));
  t.equal(differs(weighted.loss, often.loss, TOLERANCE), undefined, 'losses');
  for (const [i, own] of weighted.weights.entries()) {
    t.equal(differs(own, often.weights[i] ?? [], { absolute: 1e-5, relative: 1e-4 }), undefined, `parameter ${i}`);
  }
  const model = net(5, 0).build([3]);
  const of = (some: LabelledData, batchSize: number) => evaluate(model, some, { batchSize, device });
  const whole = await of(selectExamples(data, rows), 100);
  for (const batchSize of [1, 2, 3, 7]) {
    const { loss, accuracy } = await of({ ...data, weights: Float32Array.from(counts) }, batchSize);
    t.ok(Math.abs(loss - whole.loss) < 1e-5, `loss ${loss} in batches of ${batchSize}, of ${whole.loss}`);
    t.ok(Math.abs(accuracy - (await of(data, batchSize)).accuracy) < 1e-6, 'metrics count each example once');
  }
});

testOnDevices('weights of classes are those of their examples, for classes and for a bit', async (t, device) => {
  const data = clouds(9, 3);
  const own = Float32Array.from(data.labels, (label) => (label === 0 ? 1 : 4));
  const batches = { ...options(device), batchSize: 4, validation: clouds(5, 3, 2) };
  const byClass = await fit(net(5, 0), data, { ...batches, classWeights: [1, 4] });
  const optimizer = new SGD({ learningRate: 0.3, momentum: 0.9 });
  const byExample = await fit(net(5, 0), { ...data, weights: own }, { ...batches, optimizer });
  t.equal(differs(byClass.loss, byExample.loss, TOLERANCE), undefined);
  t.notDeepEqual(byClass.validationLoss, byExample.validationLoss, 'the validation data are weighted by class, too');
  const both = { ...data, weights: Float32Array.from(data.labels, (label) => (label === 0 ? 0.5 : 2)) };
  const halves = await evaluate(net(5, 0).build([3]), both, { classWeights: [2, 2], device });
  const once = await evaluate(net(5, 0).build([3]), { ...data, weights: own }, { device });
  t.ok(Math.abs(halves.loss - once.loss) < 1e-6, 'they are multiplied, and only their proportions count');
});

test('a loss of its own takes weights from its third argument, and one that does not is refused', async (t) => {
  const data = { ...clouds(6, 3), weights: Float32Array.of(1, 2, 3, 4, 5, 6) };
  const model = net(5, 0).build([3]);
  const { loss } = await evaluate(model, data, { device: cpu });
  const own: Loss = (output, target, more) => softmaxCrossEntropy(output, target, { ...more });
  t.ok(Math.abs((await evaluate(model, data, { device: cpu, loss: own })).loss - loss) < 1e-6);
  const deaf: Loss = (output) => mean(square(subtract(output, 1)));
  await rejects(t, evaluate(model, data, { device: cpu, loss: deaf }), OptionError, 'evaluate: ', 'third argument');
  const optimizer = new Adam();
  await rejects(t, fit(model, data, { epochs: 1, optimizer, device: cpu, loss: deaf }), OptionError, 'fit: ');
  t.ok((await evaluate(model, clouds(6, 3), { device: cpu, loss: deaf })).loss > 0, 'the control');
});

test('weights go with their examples', async (t) => {
  const data = fromArrays([[1], [2], [3], [4]], [0, 1, 0, 1], { weights: [1, 2, 3, 4] });
  t.deepEqual(data.weights, Float32Array.of(1, 2, 3, 4));
  t.deepEqual(selectExamples(data, [3, 0, 3]).weights, Float32Array.of(4, 1, 4));
  const { training, validation } = splitByClass(data, { validation: 0.5, seed: 1 });
  const seen = [...(training.weights ?? []), ...(validation.weights ?? [])].sort();
  t.deepEqual(seen, [1, 2, 3, 4]);
  t.deepEqual(training.weights, training.inputs, 'each with its own');
  const loader = new DataLoader(data, { batchSize: 3, seed: 3 });
  const [inputs, weights] = await run(() => {
    const batch = loader.next();
    return [batch.inputs, batch.weights ?? tensor([])];
  });
  t.deepEqual(await weights.data(), await inputs.data());
  t.throws(() => selectExamples(data, [4]), DataError);
  t.throws(() => selectExamples(data, [0.5]), DataError);
  t.deepEqual(selectExamples(fromArrays([[1], [2]], [[5, 6], [7, 8]]), [1]).targets, Float32Array.of(7, 8)); // prettier-ignore
});

test('weights of no use are refused, naming what is wrong', async (t) => {
  const data = clouds(4, 3);
  const attempt = (weights: Float32Array): Promise<object> => evaluate(net(4, 0), { ...data, weights });
  await rejects(t, attempt(Float32Array.of(1, 2, 3)), DataError, '3 weights of 4 examples');
  await rejects(t, attempt(Float32Array.of(1, 2, -3, 1)), DataError, 'weight -3 in row 2');
  await rejects(t, attempt(Float32Array.of(1, 2, NaN, 1)), DataError, 'weight NaN in row 2');
  await rejects(t, attempt(new Float32Array(4)), DataError, 'no weight above 0');
  const strange: object = { weights: [1, 2, 3, 4] };
  await rejects(t, evaluate(net(4, 0), { ...data, ...strange }), DataError, 'weights that are an array of 4');
  const byClass = (classWeights: number[]): Promise<object> => evaluate(net(4, 0), data, { classWeights });
  await rejects(t, byClass([1, 2, 3]), OptionError, 'evaluate: classWeights must be 2 numbers', '3');
  await rejects(t, byClass([1, -2]), OptionError, 'classWeights must be');
  await rejects(t, byClass([0, 0]), OptionError, 'all 0');
  const targets = fromArrays([[1, 2, 3]], [[0.5, 0.5]]);
  await rejects(t, evaluate(net(4, 0), targets, { classWeights: [1, 2] }), OptionError, 'labels');
  t.throws(() => fromArrays([[1], [2]], [0, 1], { weights: [1] }), DataError);
  t.throws(() => fromArrays([[1], [2]], [0, 1], { weights: [1, -1] }), OptionError);
  t.deepEqual(Object.keys(await byClass([0, 2])), ['loss', 'accuracy'], 'the control');
});
