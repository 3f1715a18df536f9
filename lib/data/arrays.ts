import { DataError, ShapeError } from '../errors.js';
import type { NestedNumbers } from '../tensor.js';

/** Examples with one class each, in memory: what training, splitting and batching work on. N is the number of examples. */
export interface LabelledData {
  /** The inputs one after another: f32 [N, ...inputShape]. */
  readonly inputs: Float32Array;
  /** The shape of one input, without N; for example [3, 28, 28]. */
  readonly inputShape: readonly number[];
  /** The class of each example as an index into `classNames`: i32 [N]. */
  readonly labels: Int32Array;
  /** The names of the classes, in the order of their indices. */
  readonly classNames: readonly string[];
  /** Where each example comes from, N paths; absent for data that was never in files. */
  readonly files?: readonly string[];
}

/** Options of {@link fromArrays}. */
export interface FromArraysOptions {
  /** The shape of one input. Needed where the inputs are flat; otherwise the nesting gives it. */
  readonly inputShape?: readonly number[];
  /** The names of the classes; by default '0', '1', … up to the largest label. */
  readonly classNames?: readonly string[];
}

/** Beyond this label, class names must be given: a label of a billion is a mistake, and would make a billion names. */
const MAX_UNNAMED_LABEL = 65_535;

/**
 * Makes labelled data from arrays in memory.
 *
 *     fromArrays([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]);
 *     fromArrays(pixels, labels, { inputShape: [3, 28, 28], classNames: ['hook', 'spanner'] });
 *
 * @param inputs N inputs: nested arrays [N, ...inputShape], or flat numbers with the option `inputShape`. A
 *   `Float32Array` is kept, not copied; other numbers are rounded to float32.
 * @param labels N classes, whole numbers from 0 on
 * @param options see {@link FromArraysOptions}
 * @throws DataError where the counts differ, the nesting is ragged (the place is named), an input is NaN or infinite in
 *   float32 (row and column are named; the column counts within the flat input), a label is no class, or there are no examples
 * @throws ShapeError where `inputShape` is missing, holds something else than whole numbers from 1 on, or does not fit
 */
export function fromArrays(
  inputs: Float32Array | readonly NestedNumbers[],
  labels: readonly number[] | Int32Array,
  options: FromArraysOptions = {},
): LabelledData {
  if (inputs.length === 0) throw new DataError('There are no inputs: the array is empty');
  const { values, shape } =
    inputs instanceof Float32Array ? { values: inputs, shape: [inputs.length] } : flattened(inputs);
  const inputShape = shapeOfInput(shape, options.inputShape);
  const columns = inputShape.reduce((product, size) => product * size, 1);
  const rows = values.length / columns;
  if (!Number.isInteger(rows)) {
    throw new DataError(
      `${values.length} numbers are not a whole number of inputs of shape [${inputShape.join(', ')}]`,
    );
  }
  if (rows !== labels.length) throw new DataError(`There are ${rows} inputs, but ${labels.length} labels`);
  const broken = firstNotFinite(values);
  if (broken >= 0) {
    const [row, column] = [Math.floor(broken / columns), broken % columns];
    throw new DataError(
      `The input in row ${row}, column ${column} is ${values[broken]} in float32; expected a finite number`,
    );
  }
  const classNames = options.classNames ?? defaultClassNames(labels);
  checkLabels(labels, classNames.length);
  return { inputs: values, inputShape, labels: new Int32Array(labels), classNames: [...classNames] };
}

/** The shape of one input, from the shape of the array and from the option. */
function shapeOfInput(shape: readonly number[], wanted: readonly number[] | undefined): readonly number[] {
  const nested = shape.slice(1);
  if (wanted === undefined) {
    if (nested.length === 0) throw new ShapeError('Flat inputs need the option inputShape, such as [3, 28, 28]');
    return nested;
  }
  for (const size of wanted) {
    if (!Number.isSafeInteger(size) || size < 1) {
      throw new ShapeError(`inputShape [${wanted.join(', ')}] holds ${size}; expected whole numbers from 1 on`);
    }
  }
  const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);
  if (nested.length > 0 && product(nested) !== product(wanted)) {
    throw new ShapeError(`inputShape [${wanted.join(', ')}] does not fit inputs of shape [${nested.join(', ')}]`);
  }
  return [...wanted];
}

/** The numbers of nested arrays in row-major order, and their shape; the first number's place decides it. */
function flattened(inputs: readonly NestedNumbers[]): { values: Float32Array; shape: number[] } {
  const shape: number[] = [];
  let inner: unknown = inputs;
  while (Array.isArray(inner)) {
    if (inner.length === 0) throw new DataError(`inputs${'[0]'.repeat(shape.length)} is empty; expected numbers`);
    shape.push(inner.length);
    inner = inner[0];
  }
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
  let next = 0;
  const visit = (value: unknown, path: string, depth: number): void => {
    const size = shape[depth];
    if (size === undefined) {
      if (typeof value !== 'number') throw new DataError(`${path} is ${describe(value)}; expected a number`);
      values[next++] = value;
      return;
    }
    if (!Array.isArray(value) || value.length !== size) {
      const first = `inputs${'[0]'.repeat(depth)}`;
      throw new DataError(`${path} is ${describe(value)}; expected ${size} entries, as in ${first}`);
    }
    for (let i = 0; i < size; i++) visit(value[i], `${path}[${i}]`, depth + 1); // holes count as undefined
  };
  visit(inputs, 'inputs', 0);
  return { values, shape };
}

function firstNotFinite(values: Float32Array): number {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return i;
  return -1;
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return typeof value === 'object' && value !== null ? 'an object' : `${typeof value} ${String(value)}`;
}

function defaultClassNames(labels: readonly number[] | Int32Array): string[] {
  let largest = 0;
  for (const label of labels) largest = Math.max(largest, label);
  if (largest > MAX_UNNAMED_LABEL) {
    throw new DataError(`The largest label is ${largest}; labels over ${MAX_UNNAMED_LABEL} need the option classNames`);
  }
  return Array.from({ length: Number.isInteger(largest) ? largest + 1 : 1 }, (_, i) => String(i));
}

function checkLabels(labels: readonly number[] | Int32Array, classes: number): void {
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row] ?? NaN;
    if (!Number.isInteger(label) || label < 0 || label >= classes) {
      throw new DataError(`The label in row ${row} is ${label}; expected a whole number from 0 to ${classes - 1}`);
    }
  }
}
