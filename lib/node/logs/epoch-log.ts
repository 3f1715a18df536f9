import type { Callback } from '../../train/callback.js';
import type { AnyEpochResult } from '../../train/history.js';
import { writeFileAtomically } from '../write-file.js';

/**
 * A file with a text for each epoch of a training, behind a head. After each epoch the file is whole, and holds all epochs
 * that the training knows: where it was resumed, also those of the process before.
 */
export function epochLog(
  path: string,
  headOf: (names: readonly string[]) => string,
  lineOf: (result: AnyEpochResult, names: readonly string[]) => string,
): Callback {
  const write = (names: readonly string[], results: readonly AnyEpochResult[]): Promise<void> =>
    writeFileAtomically(path, headOf(names) + results.map((result) => lineOf(result, names)).join(''));
  return {
    onTrainBegin: ({ names, results }) => write(names, results),
    onEpochEnd: ({ names, results }) => write(names, results),
  };
}
