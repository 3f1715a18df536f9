import { elementAt } from '../../element-at.js';
import type { ArrayView, NumericArray, Sample } from '../../graph/operation.js';
import { type MatmulAttributes, sizesOf } from './matmul-sizes.js';

/** Some rows of the first matrix of C: the first one, the last one, and two between them that no tile begins with. */
export function matmulSample({
  inputs,
  attributes,
}: {
  readonly inputs: readonly ArrayView[];
  readonly attributes: MatmulAttributes;
}): Sample<MatmulAttributes> {
  const [a, b] = [elementAt(inputs, 0), elementAt(inputs, 1)];
  const { M, N, K } = sizesOf(a.shape, b.shape, attributes);
  const rows = [...new Set([0, Math.floor(M / 3), Math.floor((2 * M) / 3), M - 1])];
  const picked = new Float32Array(rows.length * K);
  rows.forEach((row, r) => {
    for (let k = 0; k < K; k++)
      picked[r * K + k] = elementAt(a.data, attributes.transposeA ? k * M + row : row * K + k);
  });
  const matrix: NumericArray = b.data.subarray(0, K * N);
  return {
    inputs: [
      { data: picked, shape: [rows.length, K] },
      { data: matrix, shape: b.shape.slice(-2) },
    ],
    attributes: { ...attributes, transposeA: false },
    places: rows.flatMap((row) => Array.from({ length: N }, (_, column) => row * N + column)),
  };
}
