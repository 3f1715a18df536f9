import type { LabelledData } from '../data/training-data.js';
import type { StreamedLabelledData } from '../data/streamed-data.js';
import { OptionError } from '../errors.js';
import type { OptionRule } from '../options.js';
import type { Shape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import type { Variable } from '../variable.js';

/** What is measured of a batch beside the loss, from output [B, ..] and target [B, ..]: one number, the mean over the rows. */
export type Metric = (output: Tensor, target: Tensor) => Tensor;

/** What a metric may come to: a number, one for each class, or a table of them. */
export type MetricValue = number | readonly number[] | readonly (readonly number[])[];

/** What is counted of the batches: whole numbers that stay on the device and go on from batch to batch. */
export interface Counter {
  /** The shape of the totals for a model with this output shape, without the batch: u32, each of them right up to 2^32 - 1. */
  readonly shape: (outputShape: Shape) => Shape;
  /** Inside a traced function: adds a batch to the totals, such as by `totals.assign(add(totals.value, counts))`. */
  readonly count: (totals: Variable, output: Tensor, target: Tensor) => void;
}

/**
 * A metric of all rows that is no mean over them, such as a precision: what is counted over the batches, and what becomes of
 * the totals once they are read. Metrics with the same counter share its totals.
 */
export interface CountedMetric<Value extends MetricValue = MetricValue> {
  /** What is counted. */
  readonly counter: Counter;
  /** Throws OptionError where the metric does not go with a model of this output shape. Left out, it goes with all. */
  readonly check?: (outputShape: Shape) => void;
  /** The metric, from the totals, in row-major order, and the model's output shape. */
  readonly value: (totals: ArrayLike<number>, outputShape: Shape) => Value;
}

/** Metrics by name. */
export type Metrics = Readonly<Record<string, Metric | CountedMetric>>;

/** What a metric comes to: what it makes of its totals, where it is a {@link CountedMetric}, else a number. */
export type ValueOf<M> = M extends CountedMetric<infer Value> ? Value : number;

/** What is measured where no metrics are given: the accuracy, where the targets are classes or one bit. */
export type DefaultMetrics<Data> = Data extends LabelledData | StreamedLabelledData
  ? {
      /** Share of the rows that are predicted correctly. */
      readonly accuracy: Metric;
    }
  : {
      /** Share of the bits that are predicted correctly, where the targets are one bit each. */
      readonly accuracy?: Metric;
    };

/** The name of a metric's value on the validation data: `accuracy` becomes `validationAccuracy`. */
export type ValidationName<Name> = `validation${Capitalize<Name & string>}`;

export const metricsRule: OptionRule = {
  expected: 'an object of functions (output, target) => Tensor, or of counted metrics such as precision(), by name',
  accepts: (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((metric) => typeof metric === 'function' || isCounted(metric)),
};

function isCounted(metric: unknown): boolean {
  if (typeof metric !== 'object' || metric === null || !('counter' in metric) || !('value' in metric)) return false;
  const { counter, value } = metric;
  return (
    typeof value === 'function' &&
    typeof counter === 'object' &&
    counter !== null &&
    'shape' in counter &&
    typeof counter.shape === 'function' &&
    'count' in counter &&
    typeof counter.count === 'function'
  );
}

/** Throws OptionError for a name that stands for something else in a history. */
export function checkMetricNames(caller: string, metrics: Metrics): void {
  const taken = Object.keys(metrics).find((name) => /^(|epoch|loss|seconds|validation.*)$/.test(name));
  if (taken === undefined) return;
  throw new OptionError(
    `${caller}: a metric may not be called '${taken}': epoch, loss, seconds, and what begins with 'validation' are taken`,
  );
}

/** See {@link ValidationName}. */
export function validationName(name: string): string {
  return `validation${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
}
