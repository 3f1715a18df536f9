import { uniformNumbers } from '../step/workload.js';

/** Two square matrices, row-major, the same for every library. */
export function makeMatrices(size: number): readonly [Float32Array, Float32Array] {
  const random = uniformNumbers(size);
  const make = (): Float32Array => Float32Array.from({ length: size * size }, () => 2 * random() - 1);
  return [make(), make()];
}

/** An element of their product, in float64. */
export function exactProduct(size: number, row: number, column: number): number {
  const [a, b] = makeMatrices(size);
  let sum = 0;
  for (let i = 0; i < size; i++) sum += (a[row * size + i] ?? NaN) * (b[i * size + column] ?? NaN);
  return sum;
}
