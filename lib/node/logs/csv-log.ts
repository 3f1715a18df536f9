import { checkArgument, text } from '../../options.js';
import type { Callback } from '../../train/callback.js';
import { epochLog } from './epoch-log.js';

/**
 * Writes what each epoch came to into a file of comma-separated values (RFC 4180): a row of names, `epoch`, loss and metrics, those of the
 * validation, `seconds`, and a row of numbers for each epoch (compare `keras.callbacks.CSVLogger`). What a metric has for each
 * class is one field, in JSON. The file is replaced after each epoch in one step, and is never seen half.
 *
 * `fit` rejects with DataError where it cannot be written.
 *
 * @param path folders that are missing are made
 */
export function csvLog(path: string): Callback {
  checkArgument('csvLog', 'path', path, text);
  const row = (fields: readonly string[]): string => `${fields.map(field).join(',')}\r\n`;
  return epochLog(
    path,
    (names) => row(['epoch', ...names, 'seconds']),
    (result, names) => row(['epoch', ...names, 'seconds'].map((name) => valueText(result[name]))),
  );
}

function valueText(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'number' ? String(value) : JSON.stringify(value);
}

function field(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
