import { DataError } from './errors.js';
import { show } from './options.js';
import { type Shape, sizeOf } from './shape.js';

/** Numbers in nested arrays, one level an axis. */
export type NestedNumbers = number | readonly NestedNumbers[];

type List = ArrayLike<unknown>;

/**
 * The numbers of nested arrays, or of an array of any type, row-major, and their shape: that of the first ones.
 * Throws DataError for what is no number, naming the place, and where an array has another length than its neighbours.
 *
 * @param name how messages call the arrays
 */
export function numbersOf(name: string, nested: unknown): { numbers: Float64Array<ArrayBuffer>; shape: Shape } {
  const shape: number[] = [];
  for (let level = nested; isList(level); level = level[0]) shape.push(level.length);
  const numbers = new Float64Array(sizeOf(shape));
  let count = 0;
  const visit = (level: unknown, path: readonly number[]): void => {
    const expected = shape[path.length];
    if (expected === undefined) {
      if (typeof level !== 'number') throw misplaced(name, 'a number', level, path);
      numbers[count++] = level;
      return;
    }
    if (!isList(level) || level.length !== expected) throw misplaced(name, `an array of ${expected}`, level, path);
    const isInnermost = path.length + 1 === shape.length;
    for (let i = 0; i < expected; i++) {
      const value = level[i];
      if (isInnermost && typeof value === 'number') numbers[count++] = value;
      else visit(value, [...path, i]);
    }
  };
  visit(nested, []);
  return { numbers, shape };
}

/** Of a list, a hole is what it is for JavaScript: undefined. */
function isList(value: unknown): value is List {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

function misplaced(name: string, expected: string, found: unknown, path: readonly number[]): DataError {
  const place = path.length > 0 ? ` at [${path.join('][')}]` : '';
  const what = isList(found) ? `an array of ${found.length}` : show(found);
  return new DataError(`${name}: expected ${expected}${place}, found ${what}`);
}
