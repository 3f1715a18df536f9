import { OptionError } from '../errors.js';
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

/**
 * The examples of each batch of one epoch: every index from 0 to `count` − 1 once, `batchSize` at a time, the last
 * batch shorter where the count does not divide. The order is a pure function of (seed, epoch), so that a run that is
 * resumed at an epoch goes on exactly as an uninterrupted one.
 *
 * @param count number of examples, from 0 on
 * @param batchSize examples in a batch, from 1 on
 * @returns ⌈count / batchSize⌉ arrays of indices
 * @throws OptionError where `count`, `batchSize` or `epoch` is negative, fractional or, for `batchSize`, 0
 */
export function batchIndices(
  count: number,
  batchSize: number,
  { seed, epoch, shuffle = true }: BatchOptions,
): Int32Array[] {
  checkWhole('count', count, 0);
  checkWhole('batchSize', batchSize, 1);
  checkWhole('epoch', epoch, 0);
  const rowAt = shuffle ? permutation(count, keyOfSeed(seed), epoch) : (place: number) => place;
  const order = Int32Array.from({ length: count }, (_, place) => rowAt(place));
  const batches: Int32Array[] = [];
  for (let start = 0; start < count; start += batchSize) batches.push(order.slice(start, start + batchSize));
  return batches;
}

/** @internal Throws OptionError, naming the function, unless the batch size is a whole number of 1 or more. */
export function checkBatchSize(what: string, batchSize: number): void {
  checkWhole(`${what}: batchSize`, batchSize, 1);
}

function checkWhole(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new OptionError(`${name} is ${value}; expected a whole number from ${least} on`);
  }
}
