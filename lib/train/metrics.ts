import type { LabelledData } from '../data/training-data.js';
import { OptionError } from '../errors.js';
import type { OptionRule } from '../options.js';
import type { Tensor } from '../tensor.js';

/** What is measured of a batch beside the loss, from output [B, ..] and target [B, ..]: one number, the mean over the rows. */
export type Metric = (output: Tensor, target: Tensor) => Tensor;

/** Metrics by name. */
export type Metrics = Readonly<Record<string, Metric>>;

/** What is measured where no metrics are given: the accuracy, where the targets are classes or one bit. */
export type DefaultMetrics<Data> = Data extends LabelledData
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
  expected: 'an object of functions (output, target) => Tensor by name',
  accepts: (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((metric) => typeof metric === 'function'),
};

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
