import { DataError } from './errors.js';

/**
 * A typed array of zeros. Throws DataError where it cannot be had, which says for what; JavaScript's own error does not
 * even say how long it was to be.
 *
 * @param what the message begins with it
 */
export function allocate<T>(type: new (length: number) => T, length: number, what: string): T {
  try {
    return new type(length);
  } catch {
    throw new DataError(`${what}: ${length} numbers do not fit into memory`);
  }
}
