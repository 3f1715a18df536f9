import type { OptionRule } from '../options.js';
import { sizeOf } from '../shape.js';

/** What the two kinds of {@link TrainingData} have in common. N is the number of examples. */
export interface ExampleData {
  /** The inputs one after another, [N, ...inputShape]: f32, or bytes (u8), which stay bytes on the device. */
  readonly inputs: Float32Array | Uint8Array;
  /** The shape of one input, without N; for example [3, 28, 28]. */
  readonly inputShape: readonly number[];
  /** Of bytes: what is read in place of a byte b is the number b · scale, rounded to f32. Default 1. */
  readonly scale?: number;
  /** Where each example comes from, N paths; absent for data that was never in files. */
  readonly files?: readonly string[];
  /**
   * How much each example counts in the loss, which is Σ weight · loss / Σ weight: N numbers of 0 or more. Absent: all of them
   * the same. Metrics count each example once.
   */
  readonly weights?: Float32Array;
}

/** Examples with one class each. */
export interface LabelledData extends ExampleData {
  /** The class of each example as an index into `classNames`: i32 [N]. */
  readonly labels: Int32Array;
  /** The names of the classes, in the order of their indices. */
  readonly classNames: readonly string[];
}

/** Examples with numbers to be predicted: of a regression, bits for sigmoid outputs, or probabilities of classes. */
export interface TargetData extends ExampleData {
  /** The targets one after another, [N, ...targetShape]. */
  readonly targets: Float32Array;
  /** The shape of one target, without N; for example [1]. */
  readonly targetShape: readonly number[];
}

/** Examples in memory with what is to be predicted of them: what training, evaluation and batching work on. */
export type TrainingData = LabelledData | TargetData;

/** @internal Data with classes, for functions that take no others. */
export const labelledRule: OptionRule = {
  expected: 'data with labels and classNames, as fromArrays and imageFolder make it',
  accepts: (data) => typeof data === 'object' && data !== null && 'labels' in data && 'classNames' in data,
};

/** @internal What is to be predicted of the examples, whichever kind it is: its name, values, and shape for one example. */
export function outcomesOf(data: Pick<LabelledData, 'labels'> | Pick<TargetData, 'targets' | 'targetShape'>) {
  if ('targets' in data) {
    const { targets: values, targetShape: shape } = data;
    return { name: 'targets', values, shape, count: values.length / sizeOf(shape) } as const;
  }
  const { labels: values } = data;
  return { name: 'labels', values, shape: [], count: values.length } as const;
}
