import { DataError } from '../../lib/errors.js';
import { type Shape, sizeOf } from '../../lib/shape.js';
import { tensor, type Tensor } from '../../lib/tensor.js';
import type { Values } from './compare.js';

/** Rows along the first axis, by number. Throws DataError for one that does not exist. */
export function selectRows({ shape, data }: Values, rows: ArrayLike<number>): Values {
  const [count = 0, ...rowShape] = shape;
  const size = sizeOf(rowShape);
  const selected = new Float32Array(rows.length * size);
  Array.from(rows).forEach((row, i) => {
    if (!(row >= 0 && row < count)) throw new DataError(`row ${row} of ${count} does not exist`);
    for (let j = 0; j < size; j++) selected[i * size + j] = data[row * size + j] ?? 0;
  });
  return { shape: [rows.length, ...rowShape], data: selected };
}

/** One row, or the first axis cut down to some rows where there is more than one, as a tensor of f32. */
export function rowsOf(values: Values, rows: readonly number[]): Tensor {
  const { shape, data } = selectRows(values, rows);
  return tensor(Float32Array.from(data), { shape: rows.length === 1 ? shape.slice(1) : shape });
}

/** Values of one shape, one after the other: a first axis that grows. */
export class Stack {
  readonly #shape: Shape;
  readonly #items: ArrayLike<number>[] = [];

  constructor(shape: Shape) {
    this.#shape = shape;
  }

  push(item: ArrayLike<number>): void {
    this.#items.push(item);
  }

  values(): Values {
    const data = Float32Array.from(this.#items.flatMap((item) => Array.from(item)));
    return { shape: [this.#items.length, ...this.#shape], data };
  }
}

/** The row numbers of each step; -1 fills up a short batch. */
export function batchesOf({ shape, data }: Values): number[][] {
  const [steps = 0, batch = 0] = shape;
  const all = Array.from(data);
  return Array.from({ length: steps }, (_, i) => all.slice(i * batch, (i + 1) * batch).filter((row) => row >= 0));
}

export function euclideanNorm(values: ArrayLike<number>): number {
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i] ?? 0) ** 2;
  return Math.sqrt(squares);
}

export async function valuesOf(result: Tensor): Promise<Values> {
  return { shape: result.shape, data: await result.data() };
}
