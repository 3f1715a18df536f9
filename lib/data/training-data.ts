import { DataError } from '../errors.js';
import { type OptionRule, show } from '../options.js';
import { sizeOf } from '../shape.js';
import { isStreamed, type StreamedData } from './streamed-data.js';

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
export function outcomesOf(data: TrainingData | StreamedData) {
  if ('targets' in data) {
    const { targets: values, targetShape: shape } = data;
    return { name: 'targets', values, shape, count: values.length / sizeOf(shape) } as const;
  }
  const { labels: values } = data;
  return { name: 'labels', values, shape: [], count: values.length } as const;
}

/** @internal Throws DataError, with what it found, unless the value is what `fromArrays` gives, but for its numbers. */
export function checkTrainingData(what: string, data: unknown): void {
  if (isStreamed(data) && isShape(data.inputShape) && hasOutcomes(data)) return;
  if (isExampleData(data)) {
    const { weights } = data;
    if (weights !== undefined && !(weights instanceof Float32Array)) {
      throw new DataError(
        `${what} has weights that are ${show(weights)}: expected a Float32Array, a number an example`,
      );
    }
    if (hasOutcomes(data)) return;
  }
  throw new DataError(
    `${what} must be inputs (Float32Array or Uint8Array, and inputShape) with labels (Int32Array) or targets (Float32Array, ` +
      `and targetShape), as fromArrays gives them: found ${partsText(data)}`,
  );
}

/** @internal The same of inputs alone. */
export function checkExampleData(what: string, data: unknown): void {
  if (isExampleData(data)) return;
  throw new DataError(
    `${what} must be a tensor, or inputs (Float32Array or Uint8Array) with inputShape: found ${partsText(data)}`,
  );
}

function hasOutcomes(data: { readonly [Name in 'labels' | 'targets' | 'targetShape']?: unknown }): boolean {
  return data.targets instanceof Float32Array ? isShape(data.targetShape) : data.labels instanceof Int32Array;
}

function isExampleData(data: unknown): data is Readonly<Record<string, unknown>> {
  if (typeof data !== 'object' || data === null || !('inputs' in data) || !('inputShape' in data)) return false;
  const { inputs, inputShape } = data;
  return (inputs instanceof Float32Array || inputs instanceof Uint8Array) && isShape(inputShape);
}

function isShape(value: unknown): boolean {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function partsText(data: unknown): string {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return show(data);
  const parts = Object.entries(data).map(([name, value]) => `${name} ${show(value)}`);
  return parts.length === 0 ? show(data) : `{ ${parts.join(', ')} }`;
}
