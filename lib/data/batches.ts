import { boolean, checkArgument, checkOptions, type OptionRules, required, seed, wholeNumber } from '../options.js';
import { keyOfSeed, permutation } from '../random.js';

/** Options of {@link batchIndices}. */
export interface BatchOptions {
  /** The seed of the training. */
  readonly seed: number;
  /** The epoch, counted from 0: each has an order of its own. */
  readonly epoch: number;
  /** Whether the examples are shuffled (default true); otherwise they come in the order of the data. */
  readonly shuffle?: boolean;
}

const RULES: OptionRules<BatchOptions> = {
  seed: required(seed),
  epoch: required(wholeNumber({ min: 0 })),
  shuffle: boolean,
};

/**
 * The examples of each batch of one epoch: every index from 0 to `count` − 1 once, `batchSize` at a time, the last
 * batch shorter where the count does not divide. The order is a pure function of (seed, epoch), so that a run that is
 * resumed at an epoch goes on exactly as an uninterrupted one.
 *
 * @param count number of examples, from 0 on
 * @param batchSize examples in a batch, from 1 on
 * @returns ⌈count / batchSize⌉ arrays of indices
 * @throws OptionError where `count`, `batchSize`, `seed` or `epoch` is negative, fractional or, for `batchSize`, 0, or an
 *   option is unknown
 */
export function batchIndices(count: number, batchSize: number, options: BatchOptions): Int32Array[] {
  checkArgument('batchIndices', 'count', count, wholeNumber({ min: 0 }));
  checkBatchSize('batchIndices', batchSize);
  checkOptions('batchIndices', options, RULES);
  const { epoch, shuffle = true } = options;
  const rowAt = shuffle ? permutation(count, keyOfSeed(options.seed), epoch) : (place: number) => place;
  const order = new Int32Array(count);
  for (let place = 0; place < count; place++) order[place] = rowAt(place);
  const batches: Int32Array[] = [];
  for (let start = 0; start < count; start += batchSize) batches.push(order.slice(start, start + batchSize));
  return batches;
}

/** @internal Throws OptionError, naming the function, unless the batch size is a whole number of 1 or more. */
export function checkBatchSize(caller: string, batchSize: number): void {
  checkArgument(caller, 'batchSize', batchSize, wholeNumber({ min: 1 }));
}
