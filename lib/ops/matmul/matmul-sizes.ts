import { axisSize, broadcastShapes, broadcastStrides, collapse, type Shape } from '../../shape.js';

/** Which operands have their last two axes swapped. */
export type MatmulAttributes = { readonly transposeA: boolean; readonly transposeB: boolean };

/** Sizes of a product: C [batch, M, N] = A [.., M, K] · B [.., K, N], and the batch axes as a walk through A and B. */
export function sizesOf(a: Shape, b: Shape, { transposeA, transposeB }: MatmulAttributes) {
  const M = axisSize(a, transposeA ? -1 : -2);
  const K = axisSize(a, transposeA ? -2 : -1);
  const N = axisSize(b, transposeB ? -2 : -1);
  const batchA = a.slice(0, -2);
  const batchB = b.slice(0, -2);
  const batchShape = broadcastShapes('matmul', batchA, batchB);
  const inMatrices = (batch: Shape, matrix: number): number[] =>
    broadcastStrides(batch, batchShape).map((stride) => stride * matrix);
  const batch = collapse({ sizes: batchShape, strides: [inMatrices(batchA, M * K), inMatrices(batchB, K * N)] });
  return { M, N, K, batchShape, batch };
}
