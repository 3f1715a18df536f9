import { outcomesOf, type TrainingData } from '../data/training-data.js';
import type { StreamedData } from '../data/streamed-data.js';
import type { Batch, TargetBatch } from '../data/data-loader.js';
import { DataError, OptionError, ShapeError } from '../errors.js';
import type { TensorSpec } from '../graph/operation.js';
import type { Module } from '../nn/module.js';
import { accuracy, binaryAccuracy } from '../ops/loss/accuracy.js';
import { meanSquaredError } from '../ops/loss/losses.js';
import { softmaxCrossEntropy } from '../ops/loss/softmax-cross-entropy.js';
import { gather } from '../ops/moving/gather.js';
import { reshape } from '../ops/moving/reshape.js';
import { multiply } from '../ops/pointwise/arithmetic.js';
import { cast } from '../ops/pointwise/cast.js';
import { show } from '../options.js';
import { formatShape, sameShape, type Shape, sizeOf } from '../shape.js';
import { tensor, Tensor } from '../tensor.js';
import type { Variable } from '../variable.js';
import { checkMetricNames, type Counter, type Metric, type Metrics } from './metrics.js';

/** What a {@link Loss} is given beside output and target. */
export interface LossOptions {
  /** How much each example counts, f32 [B]: the mean is then Σ weight · loss / Σ weight. */
  readonly weights: Tensor;
}

/**
 * The loss of a batch, from output [B, ..] and target [B, ..]: one number, the mean over the rows. Where examples or classes
 * have weights, it is given them in a third argument, as the library's own losses take them; one of your own passes it on, as
 * `(output, target, options) => softmaxCrossEntropy(output, target, { ...options, labelSmoothing: 0.1 })`.
 */
export type Loss = (output: Tensor, target: Tensor, options?: LossOptions) => Tensor;

/** What a model is trained for and what is measured of it. */
export interface Objective {
  /** How messages call the function that it was given to. */
  readonly caller: string;
  readonly loss: Loss;
  readonly metrics: Metrics;
  /** Of the model, without the batch. */
  readonly outputShape: Shape;
  /** What of a batch the output of the model is held against. */
  readonly targetOf: (batch: Batch | TargetBatch) => Tensor;
  /** How much each example of a batch counts in the loss, f32 [B]; undefined where all count the same. */
  readonly weightsOf: (batch: Batch | TargetBatch) => Tensor | undefined;
}

/**
 * The loss and the metrics that were given, or those that go with the model and the data: cross-entropy for classes and
 * for rows of probabilities, the accuracy for classes and for one bit.
 */
export function objectiveFor(
  caller: string,
  model: Module,
  data: TrainingData | StreamedData,
  given: {
    readonly loss?: Loss | undefined;
    readonly metrics?: Metrics | undefined;
    readonly classWeights?: readonly number[] | Float32Array | undefined;
  },
): Objective {
  const { loss = softmaxCrossEntropy, metrics, classWeights } = given;
  if (metrics) checkMetricNames(caller, metrics);
  const outputShape = model.outputShape();
  for (const metric of Object.values(metrics ?? {})) {
    if (typeof metric !== 'function') metric.check?.(outputShape);
  }
  const ofClasses = classWeights && checkedClassWeights(caller, classWeights, outputShape, data);
  return {
    caller,
    loss,
    outputShape,
    metrics: metrics ?? defaultMetrics(outputShape, data, loss),
    targetOf: (batch) => targetOf(batch, outputShape),
    weightsOf: (batch) => weightsOf(batch, ofClasses),
  };
}

/** The weights of the classes. Throws OptionError where the data have no classes, or another number of them. */
function checkedClassWeights(
  caller: string,
  given: readonly number[] | Float32Array,
  outputShape: Shape,
  data: TrainingData | StreamedData,
): Float32Array {
  if ('targets' in data) {
    throw new OptionError(`${caller}: classWeights go with data that have labels; these have targets`);
  }
  const classes = isOneNumber(outputShape) ? 2 : sizeOf(outputShape);
  if (given.length !== classes) {
    throw new OptionError(`${caller}: classWeights must be ${classes} numbers, one a class, found ${given.length}`);
  }
  if (given.every((weight) => weight === 0)) throw new OptionError(`${caller}: classWeights are all 0`);
  return Float32Array.from(given);
}

/** The weights of the examples, times those of their classes. */
function weightsOf(batch: Batch | TargetBatch, ofClasses: Float32Array | undefined): Tensor | undefined {
  const { weights } = batch;
  if (!ofClasses || !('labels' in batch)) return weights;
  const own = gather(tensor(ofClasses), batch.labels);
  return weights ? multiply(weights, own) : own;
}

function defaultMetrics(outputShape: Shape, data: TrainingData | StreamedData, loss: Loss): Metrics {
  const { name, values, shape } = outcomesOf(data);
  const isLabelled = name === 'labels';
  if (!isOneNumber(outputShape)) return isLabelled ? { accuracy } : {};
  if (!isLabelled && !(isOneNumber(shape) && areBits(values))) return {};
  // A logit says 1 above 0; an output that is fitted to the bits themselves, above one half.
  const threshold = loss === meanSquaredError ? 0.5 : 0;
  return { accuracy: (output, target) => binaryAccuracy(output, target, { threshold }) };
}

function areBits(values: Float32Array | Int32Array): boolean {
  for (let i = 0; i < values.length; i++) if (values[i] !== 0 && values[i] !== 1) return false;
  return true;
}

/** Whether a model has one output, so that classes of two are its bit. */
export function isOneNumber(shape: Shape): boolean {
  return sizeOf(shape) === 1;
}

/**
 * Throws OptionError where cross-entropy, which is the loss where none is given, has one output to work on, and DataError
 * where none is given, and the targets are no rows of probabilities over the model's classes.
 *
 * @param role how the message calls the data
 */
export function checkLoss(
  loss: Loss | undefined,
  model: Module,
  data: TrainingData | StreamedData,
  role: string,
): void {
  const outputs = model.outputShape();
  if ((loss ?? softmaxCrossEntropy) === softmaxCrossEntropy && isOneNumber(outputs)) {
    throw new OptionError(
      'the model has one output, and a softmax over one is always 1: give the option loss, such as ' +
        'binaryCrossEntropyWithLogits for two classes and for bits, or meanSquaredError for numbers',
    );
  }
  const { name, values, shape, count } = outcomesOf(data);
  if (loss || name === 'labels') return;
  const advice = 'give the option loss, such as meanSquaredError or binaryCrossEntropyWithLogits';
  if (!sameShape(shape, outputs)) {
    throw new DataError(
      `the ${role} has targets of ${formatShape(shape)}, and cross-entropy, which is the loss where none is given, takes ` +
        `classes, or probabilities ${formatShape(outputs)}: ${advice}`,
    );
  }
  const classes = sizeOf(shape);
  for (let row = 0; row < count; row++) {
    let [sum, least] = [0, 0];
    for (let i = row * classes; i < (row + 1) * classes; i++) {
      const value = values[i] ?? NaN;
      sum += value;
      least = Math.min(least, value);
    }
    if (least >= 0 && Math.abs(sum - 1) <= 1e-3) continue;
    throw new DataError(
      `the ${role} has no probabilities in row ${row} of the targets: ` +
        `${least < 0 ? `one of them is ${least}` : `their sum is ${sum}`}. For other numbers, ${advice}`,
    );
  }
}

/** The targets, or the classes; these as bits, f32, where the model has one output. */
function targetOf(batch: Batch | TargetBatch, outputShape: Shape): Tensor {
  if ('targets' in batch) return batch.targets;
  const { labels } = batch;
  return isOneNumber(outputShape) ? reshape(cast(labels, 'f32'), [labels.size, ...outputShape]) : labels;
}

/** The loss of a batch. Throws ShapeError as {@link measure} does, and OptionError for a loss that does not look at the weights. */
export function lossOf(
  { caller, loss }: Objective,
  output: Tensor,
  target: Tensor,
  weights: Tensor | undefined,
): Tensor {
  if (!weights) return measure(caller, 'the loss', loss, output, target);
  const seen = { weights: false };
  const options: LossOptions = {
    get weights() {
      seen.weights = true;
      return weights;
    },
  };
  const value = measure(caller, 'the loss', () => loss(output, target, options), output, target);
  if (seen.weights) return value;
  throw new OptionError(
    `${caller}: examples or classes have weights, and the loss takes none: pass its third argument on, as ` +
      '(output, target, options) => meanSquaredError(output, target, options)',
  );
}

/**
 * The loss or a metric of a batch. Throws ShapeError, naming output and target, where it does not take them, or gives
 * something else than one number.
 *
 * @param what how the message calls it: 'the loss', "the metric 'error'"
 */
export function measure(caller: string, what: string, metric: Metric, output: Tensor, target: Tensor): Tensor {
  const setting = `${caller}: ${what} of an output ${describe(output)} and a target ${describe(target)}`;
  const value: unknown = explaining(setting, () => metric(output, target));
  if (value instanceof Tensor && value.rank === 0 && value.dtype === 'f32') return value;
  const found = value instanceof Tensor ? describe(value) : show(value);
  throw new ShapeError(
    `${setting} must be one number, a scalar f32 []: found ${found}. Reduce it, as by mean(), and cast integers`,
  );
}

/** Adds a batch to what is counted. Throws ShapeError, naming output and target, where the counter does not take them. */
export function count(caller: string, totals: Variable, counter: Counter, output: Tensor, target: Tensor): void {
  const setting = `${caller}: the ${totals.name} over an output ${describe(output)} and a target ${describe(target)}`;
  explaining(setting, () => counter.count(totals, output, target));
}

function explaining(setting: string, work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new ShapeError(`${setting} does not work out: ${error.message}`, { cause: error });
  }
}

function describe({ dtype, shape }: TensorSpec): string {
  return `${dtype} ${formatShape(shape)}`;
}
