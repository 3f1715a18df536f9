import { checkArgument, checkOptions, number, type OptionRules, required, seed } from '../options.js';
import { shuffledIndices } from '../random.js';
import { selectExamples } from './select.js';
import { type LabelledData, labelledRule } from './training-data.js';

/** Options of {@link splitByClass}. */
export interface SplitOptions {
  /** The share of each class that is held out for validation: from 0 (none) to less than 1. */
  readonly validation: number;
  /** The seed that decides which examples are held out. */
  readonly seed: number;
}

const RULES: OptionRules<SplitOptions> = { validation: required(number({ min: 0, below: 1 })), seed: required(seed) };

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
 * @throws OptionError for data without classes, an unknown option, a share outside of [0, 1), or a seed that is no whole number of 0 or more
 */
export function splitByClass(data: LabelledData, options: SplitOptions): Split {
  checkArgument('splitByClass', 'data', data, labelledRule);
  checkOptions('splitByClass', options, RULES);
  const { validation } = options;
  const members = data.classNames.map((): number[] => []); // rows of each class
  for (let row = 0; row < data.labels.length; row++) members[data.labels[row] ?? -1]?.push(row);
  const isHeldOut = new Uint8Array(data.labels.length);
  for (const [label, rows] of members.entries()) {
    const count = Math.max(0, Math.min(Math.round(rows.length * validation), rows.length - 1));
    for (const i of shuffledIndices(rows.length, options.seed, `split/class ${label}`).subarray(0, count)) {
      isHeldOut[rows[i] ?? -1] = 1;
    }
  }
  return {
    training: selectExamples(data, rowsWhere(isHeldOut, 0)),
    validation: selectExamples(data, rowsWhere(isHeldOut, 1)),
  };
}

function rowsWhere(values: Uint8Array, wanted: number): Int32Array {
  const rows = new Int32Array(values.length);
  let count = 0;
  for (let row = 0; row < values.length; row++) if (values[row] === wanted) rows[count++] = row;
  return rows.subarray(0, count);
}
