import { DataError } from '../errors.js';
import type { NestedNumbers } from '../nested-numbers.js';

/**
 * The numbers of nested arrays in row-major order, as float32, and their shape; the first number's place decides it.
 * Throws DataError where the nesting is ragged or holds something else than numbers, naming the place.
 *
 * @param name how messages call the arrays
 */
export function flattened(name: string, arrays: readonly NestedNumbers[]): { values: Float32Array; shape: number[] } {
  const shape: number[] = [];
  let inner: unknown = arrays;
  while (Array.isArray(inner)) {
    if (inner.length === 0) throw new DataError(`${name}${'[0]'.repeat(shape.length)} is empty; expected numbers`);
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
      const first = `${name}${'[0]'.repeat(depth)}`;
      throw new DataError(`${path} is ${describe(value)}; expected ${size} entries, as in ${first}`);
    }
    for (let i = 0; i < size; i++) visit(value[i], `${path}[${i}]`, depth + 1); // holes count as undefined
  };
  visit(arrays, name, 0);
  return { values, shape };
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return typeof value === 'object' && value !== null ? 'an object' : `${typeof value} ${String(value)}`;
}
