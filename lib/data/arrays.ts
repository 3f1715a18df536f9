import { DataError, OptionError, ShapeError } from '../errors.js';
import { checkOptions, list, number, show, texts, weights as weightsRule } from '../options.js';
import { formatShape, type Shape, sizeOf } from '../shape.js';
import type { NestedNumbers } from '../nested-numbers.js';
import { flattened } from './nested.js';
import type { LabelledData, TargetData, TrainingData } from './training-data.js';

/** Options of {@link fromArrays}. */
export interface FromArraysOptions {
  /** The shape of one input. Needed where the inputs are flat; otherwise the nesting gives it. */
  readonly inputShape?: readonly number[];
  /** Of inputs that are bytes: what they are multiplied by where they are read, such as 1 / 255. Default 1. */
  readonly scale?: number;
  /** How much each example counts in the loss: N numbers of 0 or more. Default: all of them the same. */
  readonly weights?: readonly number[] | Float32Array;
  /** With labels: the names of the classes; by default '0', '1', … up to the largest label. */
  readonly classNames?: readonly string[];
  /** With targets: the shape of one. Default: that of the nesting; [1] for N flat numbers. */
  readonly targetShape?: readonly number[];
}

/** Beyond this label, class names must be given: a label of a billion is a mistake, and would make a billion names. */
const MAX_UNNAMED_LABEL = 65_535;

/**
 * Makes training data from arrays in memory: N inputs, and for each a class or numbers to be predicted.
 *
 *     fromArrays([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]); // classes
 *     fromArrays([[0, 0], [0, 1], [1, 0], [1, 1]], [[0], [1], [1], [0]]); // numbers, here bits for one sigmoid output
 *     fromArrays(pixels, labels, { inputShape: [3, 28, 28], scale: 1 / 255 }); // of bytes
 *
 * @param inputs N inputs: nested arrays [N, ...inputShape], or flat numbers with the option `inputShape`. A
 *   `Float32Array` or `Uint8Array` is kept, not copied; other numbers are rounded to float32.
 * @param labels N classes, whole numbers from 0 on: a list of numbers, or a typed array of integers
 * @param options see {@link FromArraysOptions}
 * @throws DataError where the counts differ, the nesting is ragged (the place is named), an input or target is NaN or
 *   infinite in float32 (row and column are named; the column counts within the flat input), a label is no class, or
 *   there are no examples
 * @throws ShapeError where `inputShape` or `targetShape` is missing, holds something else than whole numbers from 1 on, or
 *   does not fit
 * @throws OptionError for an unknown option, or one that does not go with such inputs or targets
 */
export function fromArrays(
  inputs: Float32Array | Uint8Array | readonly NestedNumbers[],
  labels: readonly number[] | Int32Array | Uint8Array,
  options?: FromArraysOptions,
): LabelledData;
/**
 * @param targets N targets: nested arrays [N, ...targetShape], or a flat `Float32Array`, which is kept, not copied
 */
export function fromArrays(
  inputs: Float32Array | Uint8Array | readonly NestedNumbers[],
  targets: Float32Array | readonly (readonly NestedNumbers[])[],
  options?: FromArraysOptions,
): TargetData;
export function fromArrays(
  inputs: Float32Array | Uint8Array | readonly NestedNumbers[],
  outcomes: Float32Array | Int32Array | Uint8Array | readonly NestedNumbers[],
  options: FromArraysOptions = {},
): TrainingData {
  checkOptions('fromArrays', options, {
    inputShape: list,
    scale: number(),
    weights: weightsRule,
    classNames: texts,
    targetShape: list,
  });
  const { values, shape } = numbersOf('inputs', inputs);
  if (values.length === 0) throw new DataError('There are no inputs: the array is empty');
  const inputShape = shapeOfOne('input', shape.slice(1), options.inputShape);
  if (!inputShape) throw new ShapeError('Flat inputs need the option inputShape, such as [3, 28, 28]');
  const count = values.length / sizeOf(inputShape);
  if (!Number.isInteger(count)) {
    throw new DataError(
      `${values.length} numbers are not a whole number of inputs of shape ${formatShape(inputShape)}`,
    );
  }
  if (values instanceof Float32Array) checkFinite('input', values, sizeOf(inputShape));
  if (options.scale !== undefined && values instanceof Float32Array) {
    throw new OptionError('fromArrays: scale goes with inputs that are bytes, a Uint8Array');
  }
  if (!Array.isArray(outcomes) && !isNumericArray(outcomes)) {
    throw new DataError(`The labels are ${show(outcomes)}; expected an array of numbers`);
  }
  const weights = options.weights && Float32Array.from(options.weights);
  if (weights && weights.length !== count) {
    throw new DataError(`There are ${count} inputs, but ${weights.length} weights`);
  }
  const examples = {
    inputs: values,
    inputShape,
    ...(options.scale !== undefined && { scale: options.scale }),
    ...(weights && { weights }),
  };
  return isListOfLabels(outcomes)
    ? { ...examples, ...labelsOf(outcomes, count, options) }
    : { ...examples, ...targetsOf(outcomes, count, options) };
}

function isNumericArray(value: unknown): boolean {
  return ArrayBuffer.isView(value) && !(value instanceof DataView) && !/^Big/.test(value.constructor.name);
}

/** Classes stand in a flat list or in an array of integers; numbers in an array of floats, or in one array an example. */
function isListOfLabels(
  outcomes: Float32Array | Int32Array | Uint8Array | readonly NestedNumbers[],
): outcomes is Int32Array | Uint8Array | readonly number[] {
  if (outcomes instanceof Float32Array) return false;
  return ArrayBuffer.isView(outcomes) || !Array.isArray(outcomes[0]);
}

function labelsOf(
  labels: Int32Array | Uint8Array | readonly number[],
  count: number,
  { classNames, targetShape }: FromArraysOptions,
): Pick<LabelledData, 'labels' | 'classNames'> {
  if (targetShape) {
    throw new OptionError(
      'fromArrays: targetShape goes with numbers, in a Float32Array or in one array an example; a flat list holds classes',
    );
  }
  if (count !== labels.length) throw new DataError(`There are ${count} inputs, but ${labels.length} labels`);
  const names = classNames ?? defaultClassNames(labels);
  checkLabels(labels, names.length);
  return { labels: new Int32Array(labels), classNames: [...names] };
}

function targetsOf(
  targets: Float32Array | readonly NestedNumbers[],
  count: number,
  options: FromArraysOptions,
): Pick<TargetData, 'targets' | 'targetShape'> {
  if (options.classNames) throw new OptionError('fromArrays: classNames goes with labels, which are whole numbers');
  const { values, shape } = targets instanceof Float32Array ? flat(targets) : flattened('targets', targets);
  const own = shape.length === 1 && values.length === count ? [1] : shape.slice(1);
  const targetShape = shapeOfOne('target', own, options.targetShape);
  if (!targetShape) {
    throw new ShapeError(`${values.length} flat targets of ${count} inputs need the option targetShape, such as [3]`);
  }
  const rows = values.length / sizeOf(targetShape);
  if (rows !== count) {
    throw new DataError(
      `There are ${count} inputs, but ${rows} targets of shape ${formatShape(targetShape)} (${values.length} numbers)`,
    );
  }
  checkFinite('target', values, sizeOf(targetShape));
  return { targets: values, targetShape };
}

/** Flat or nested numbers with their shape; of flat ones that is their count. */
function numbersOf(name: string, numbers: Float32Array | Uint8Array | readonly NestedNumbers[]) {
  if (numbers instanceof Float32Array || numbers instanceof Uint8Array) return flat(numbers);
  if (!Array.isArray(numbers)) {
    throw new DataError(`The ${name} are ${show(numbers)}; expected a Float32Array, a Uint8Array or nested arrays`);
  }
  return numbers.length === 0 ? flat(new Float32Array(0)) : flattened(name, numbers);
}

function flat<Values extends Float32Array | Uint8Array>(values: Values): { values: Values; shape: number[] } {
  return { values, shape: [values.length] };
}

/** The shape of one input or target, from its nesting and from the option; undefined where neither gives one. */
function shapeOfOne(what: 'input' | 'target', nested: Shape, wanted: Shape | undefined): Shape | undefined {
  if (wanted === undefined) return nested.length === 0 ? undefined : nested;
  for (const size of wanted) {
    if (!Number.isSafeInteger(size) || size < 1) {
      throw new ShapeError(`${what}Shape ${formatShape(wanted)} holds ${size}; expected whole numbers from 1 on`);
    }
  }
  if (nested.length > 0 && sizeOf(nested) !== sizeOf(wanted)) {
    throw new ShapeError(`${what}Shape ${formatShape(wanted)} does not fit ${what}s of shape ${formatShape(nested)}`);
  }
  return [...wanted];
}

function checkFinite(what: 'input' | 'target', values: Float32Array, columns: number): void {
  const broken = firstNotFinite(values);
  if (broken < 0) return;
  const [row, column] = [Math.floor(broken / columns), broken % columns];
  throw new DataError(
    `The ${what} in row ${row}, column ${column} is ${values[broken]} in float32; expected a finite number`,
  );
}

function firstNotFinite(values: Float32Array): number {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return i;
  return -1;
}

function defaultClassNames(labels: Int32Array | Uint8Array | readonly number[]): string[] {
  let largest = 0;
  for (const label of labels) if (Number.isInteger(label)) largest = Math.max(largest, label);
  if (largest > MAX_UNNAMED_LABEL) {
    throw new DataError(`The largest label is ${largest}; labels over ${MAX_UNNAMED_LABEL} need the option classNames`);
  }
  return Array.from({ length: largest + 1 }, (_, i) => String(i));
}

function checkLabels(labels: Int32Array | Uint8Array | readonly number[], classes: number): void {
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row] ?? NaN;
    if (Number.isInteger(label) && label >= 0 && label < classes) continue;
    const advice =
      Number.isFinite(label) && (label < 0 || !Number.isInteger(label))
        ? '. Numbers to be predicted stand in a Float32Array, or in one array an example: [[0.5], …]'
        : '';
    throw new DataError(
      `The label in row ${row} is ${show(label)}; expected a whole number from 0 to ${classes - 1}${advice}`,
    );
  }
}
