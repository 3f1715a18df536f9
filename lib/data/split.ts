import { OptionError } from '../errors.js';
import { shuffledIndices } from '../random.js';
import type { LabelledData } from './arrays.js';

/** Options of {@link splitByClass}. */
export interface SplitOptions {
  /** The share of each class that is held out for validation: from 0 (none) to less than 1. */
  readonly validation: number;
  /** The seed that decides which examples are held out. */
  readonly seed: number;
}

/** Two sets without an example in common. */
export interface Split {
  /** The examples to train on. */
  readonly training: LabelledData;
  /** The examples held out; none where the share is 0. */
  readonly validation: LabelledData;
}

/**
 * Splits examples into training and validation, class by class, so that both sets have the classes in the same
 * proportions. Of n examples of a class,
 *
 *     min(round(n · validation), n − 1)
 *
 * are held out: at least one is always left for training. Which ones they are is decided by the seed alone, for each
 * class by a shuffle of its own. In both sets the examples keep the order that they have in `data`; the numbers are copied.
 *
 * @throws OptionError where `validation` is outside of [0, 1)
 */
export function splitByClass(data: LabelledData, { validation, seed }: SplitOptions): Split {
  if (!(validation >= 0 && validation < 1)) {
    throw new OptionError(`The validation share is ${validation}; expected a number from 0 to less than 1`);
  }
  const heldOut = new Uint8Array(data.labels.length); // 1 where an example goes to validation
  for (const label of data.classNames.keys()) {
    const members = indicesWhere(data.labels, (value) => value === label);
    const count = Math.max(0, Math.min(Math.round(members.length * validation), members.length - 1));
    for (const i of shuffledIndices(members.length, seed, `split/class ${label}`).subarray(0, count)) {
      heldOut[members[i] ?? 0] = 1;
    }
  }
  return {
    training: selected(
      data,
      indicesWhere(heldOut, (value) => value === 0),
    ),
    validation: selected(
      data,
      indicesWhere(heldOut, (value) => value === 1),
    ),
  };
}

function indicesWhere(values: Int32Array | Uint8Array, wanted: (value: number) => boolean): number[] {
  const indices: number[] = [];
  for (const [i, value] of values.entries()) if (wanted(value)) indices.push(i);
  return indices;
}

/** The examples at `rows`, copied. */
function selected(data: LabelledData, rows: readonly number[]): LabelledData {
  const columns = data.inputShape.reduce((product, size) => product * size, 1);
  const inputs = new Float32Array(rows.length * columns); // [rows, ...inputShape]
  for (const [to, from] of rows.entries()) {
    inputs.set(data.inputs.subarray(from * columns, (from + 1) * columns), to * columns);
  }
  const labels = Int32Array.from(rows, (row) => data.labels[row] ?? 0);
  const { inputShape, classNames, files } = data;
  if (files === undefined) return { inputs, inputShape, labels, classNames };
  return { inputs, inputShape, labels, classNames, files: rows.map((row) => files[row] ?? '') };
}
