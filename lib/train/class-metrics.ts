import { elementAt } from '../element-at.js';
import { OptionError, ShapeError } from '../errors.js';
import { applyOne } from '../graph/node.js';
import { checkOptions, number, type OptionRules, wholeNumber } from '../options.js';
import { twoClasses } from '../ops/loss/accuracy.js';
import { confusionUpdate } from '../ops/loss/confusion.js';
import { correctPredictions } from '../ops/loss/top-k.js';
import { argmax } from '../ops/reduce/argmax.js';
import { mean } from '../ops/reduce/sum.js';
import { formatShape, sameShape, type Shape, sizeOf } from '../shape.js';
import type { Tensor } from '../tensor.js';
import type { CountedMetric, Counter, Metric } from './metrics.js';

/** Options of {@link confusionMatrix} and {@link accuracyByClass}. */
export interface ClassCountOptions {
  /**
   * Above it an output says 1, so that each output is a bit of its own, as in {@link binaryAccuracy}: 0 for logits, 0.5 for
   * outputs that are fitted to the bits themselves. Default: 0 for a model of one output; the outputs of others are classes,
   * and the one with the largest output is predicted.
   */
  readonly threshold?: number;
}

/** Options of {@link precision}, {@link recall} and {@link f1Score}. */
export interface ClassMetricOptions extends ClassCountOptions {
  /** The class that is asked for. Default: 1 where outputs are bits; of classes the mean over all of them. */
  readonly ofClass?: number;
}

const COUNT_RULES: OptionRules<ClassCountOptions> = { threshold: number() };
const RULES: OptionRules<ClassMetricOptions> = { ...COUNT_RULES, ofClass: wholeNumber({ min: 0 }) };

/** Above what outputs say 1; undefined where they are classes. */
function limitFor(outputShape: Shape, threshold: number | undefined): number | undefined {
  return threshold ?? (sizeOf(outputShape) === 1 ? 0 : undefined);
}

function classesFor(outputShape: Shape, threshold: number | undefined): number {
  return limitFor(outputShape, threshold) === undefined ? sizeOf(outputShape) : 2;
}

/** By threshold, so that metrics of the same predictions share what is counted. */
const counters = new Map<number | undefined, Counter>();

/** Counts which class was taken for which: [C, C + 1], where the last column is that of rows with NaN. */
function confusionCounter(threshold: number | undefined): Counter {
  const known = counters.get(threshold);
  if (known) return known;
  const counter: Counter = {
    shape(outputShape) {
      const classes = classesFor(outputShape, threshold);
      return [classes, classes + 1];
    },
    count(totals, output, target) {
      const limit = limitFor(output.shape.slice(1), threshold);
      const [logits, classes] =
        limit === undefined ? [output, classesOf(output, target)] : bitsOf(output, target, limit);
      totals.update(applyOne(confusionUpdate, [totals.value, logits, classes], {}));
    },
  };
  counters.set(threshold, counter);
  return counter;
}

function bitsOf(output: Tensor, target: Tensor, threshold: number): readonly [logits: Tensor, classes: Tensor] {
  if (sameShape(output.shape, target.shape)) return twoClasses(output, target, threshold);
  throw new ShapeError(
    `outputs above ${threshold} are bits, and need a target of the same shape ${formatShape(output.shape)}, found ` +
      formatShape(target.shape),
  );
}

/** The classes i32 [B], or those with the largest probabilities where the target is those, f32 [B, C]. */
function classesOf(output: Tensor, target: Tensor): Tensor {
  const areProbabilities = target.dtype === 'f32' && target.rank === 2 && sameShape(target.shape, output.shape);
  return areProbabilities ? argmax(target, { axis: 1 }) : target;
}

/** What is counted of one class: its rows, the predictions that name it, and how many are `right`, which is both. */
interface ClassCounts {
  readonly rows: number;
  readonly predictions: number;
  readonly right: number;
}

/** How many rows of each class (line) were taken for which (column), without the last column, of rows with NaN. */
function matrixOf(totals: ArrayLike<number>, classes: number): number[][] {
  const all = Array.from({ length: classes }, (_, c) => c);
  return all.map((row) => all.map((column) => elementAt(totals, row * (classes + 1) + column)));
}

function countsOf(totals: ArrayLike<number>, classes: number): ClassCounts[] {
  const matrix = matrixOf(totals, classes);
  return matrix.map((line, c) => ({
    rows: sum(line) + elementAt(totals, c * (classes + 1) + classes),
    predictions: sum(matrix.map((other) => elementAt(other, c))),
    right: elementAt(line, c),
  }));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** a / b, and 0 where nothing was counted, as scikit-learn and Keras have it. */
function share(a: number, b: number): number {
  return b === 0 ? 0 : a / b;
}

/** A metric that is computed class by class: of one of them, or the mean of those that occur. */
function classMetric(
  caller: string,
  options: ClassMetricOptions,
  metric: (counts: ClassCounts) => number,
): CountedMetric<number> {
  checkOptions(caller, options, RULES);
  const { threshold, ofClass } = options;
  return {
    counter: confusionCounter(threshold),
    check(outputShape) {
      const classes = classesFor(outputShape, threshold);
      if (ofClass === undefined || ofClass < classes) return;
      throw new OptionError(
        `${caller}: ofClass is ${ofClass}, and the classes of the model go from 0 to ${classes - 1}`,
      );
    },
    value(totals, outputShape) {
      const counts = countsOf(totals, classesFor(outputShape, threshold));
      const asked = ofClass ?? (limitFor(outputShape, threshold) === undefined ? undefined : 1);
      if (asked !== undefined) return metric(elementAt(counts, asked));
      const present = counts.filter(({ rows, predictions }) => rows + predictions > 0);
      return share(sum(present.map(metric)), present.length);
    },
  };
}

/**
 * Precision: of the rows that were taken for a class, the share that are of it, TP / (TP + FP); 0 where none were. Of bits it is
 * that of the ones; of classes the mean over those that occur in targets or predictions, each counting the same (scikit-learn:
 * `precision_score`, with `average='macro'`; Keras's `F1Score` with `average="macro"` takes the classes that do not occur for 0).
 * Computed from the rows of all batches.
 *
 *     const { precision: found } = await evaluate(model, data, { metrics: { precision: precision({ ofClass: 1 }) } });
 *
 * Throws OptionError for an unknown option, and in `fit` or `evaluate` for a class that the model does not have.
 */
export function precision(options: ClassMetricOptions = {}): CountedMetric<number> {
  return classMetric('precision', options, ({ right, predictions }) => share(right, predictions));
}

/**
 * Recall: of the rows of a class, the share that were taken for it, TP / (TP + FN); 0 where there are none. Classes, mean and
 * errors as in {@link precision} (scikit-learn: `recall_score`).
 */
export function recall(options: ClassMetricOptions = {}): CountedMetric<number> {
  return classMetric('recall', options, ({ right, rows }) => share(right, rows));
}

/**
 * F1, the harmonic mean of precision and recall: 2 TP / (2 TP + FP + FN); 0 where that is 0 / 0. Of several classes it is the
 * mean of their F1, not the F1 of their means. Classes and errors as in {@link precision} (scikit-learn: `f1_score`; Keras:
 * `F1Score`).
 */
export function f1Score(options: ClassMetricOptions = {}): CountedMetric<number> {
  return classMetric('f1Score', options, ({ right, rows, predictions }) => share(2 * right, rows + predictions));
}

/**
 * Of the rows of each class the share that were taken for it, which is its recall: C numbers, in the order of the classes;
 * NaN for a class without rows. Throws OptionError for an unknown option.
 */
export function accuracyByClass(options: ClassCountOptions = {}): CountedMetric<readonly number[]> {
  checkOptions('accuracyByClass', options, COUNT_RULES);
  const { threshold } = options;
  return {
    counter: confusionCounter(threshold),
    value: (totals, outputShape) =>
      countsOf(totals, classesFor(outputShape, threshold)).map(({ right, rows }) => right / rows),
  };
}

/**
 * How many rows of each class (line) were taken for which class (column): whole numbers [C][C] (scikit-learn:
 * `confusion_matrix`). Rows with NaN are in no column. Throws OptionError for an unknown option.
 */
export function confusionMatrix(options: ClassCountOptions = {}): CountedMetric<readonly (readonly number[])[]> {
  checkOptions('confusionMatrix', options, COUNT_RULES);
  const { threshold } = options;
  return {
    counter: confusionCounter(threshold),
    value: (totals, outputShape) => matrixOf(totals, classesFor(outputShape, threshold)),
  };
}

/**
 * A metric: the share of the rows whose class has one of the k largest outputs, in [0, 1] (Keras:
 * `SparseTopKCategoricalAccuracy`), by {@link correctPredictions}; of targets that are rows of probabilities the class with the
 * largest one counts. Throws OptionError for a k that is no whole number of 1 or more.
 *
 *     await fit(model, data, { epochs, optimizer, metrics: { accuracy, top5: topK(5) } });
 */
export function topK(k: number): Metric {
  checkOptions('topK', { k }, { k: wholeNumber({ min: 1 }) });
  return (output, target) => mean(correctPredictions(output, classesOf(output, target), { k }));
}
