import { checkArgument, text } from '../../options.js';
import type { Callback } from '../../train/callback.js';
import { epochLog } from './epoch-log.js';

/**
 * Writes what each epoch came to into a file of JSON lines: an object for each, `{"epoch":1,"loss":0.69,...,"seconds":0.1}`, with
 * null for what is not finite. The file is replaced after each epoch in one step, and is never seen half.
 *
 * `fit` rejects with DataError where it cannot be written.
 *
 * @param path folders that are missing are made
 */
export function jsonLinesLog(path: string): Callback {
  checkArgument('jsonLinesLog', 'path', path, text);
  return epochLog(
    path,
    () => '',
    (result, names) => {
      const entries = ['epoch', ...names, 'seconds'].map((name) => [name, result[name]]);
      return `${JSON.stringify(Object.fromEntries(entries))}\n`;
    },
  );
}
