import { ShapeError } from '../errors.js';
import { applyOne } from '../graph/node.js';
import { defineOperation, type Operation } from '../graph/operation.js';
import { forEachOffset, formatShape, type Shape } from '../shape.js';
import { asTensor, type Tensor, type TensorLike } from '../tensor.js';
import { matmulFusion } from './fused-matmul.js';
import { matmulLaunches, matmulVariants, variantFor } from './matmul-kernels.js';
import { matmulSimdPhases } from './matmul-simd.js';
import { type MatmulAttributes, sizesOf } from './matmul-sizes.js';
import { sumTo } from './sum.js';

/** Options of {@link matmul}. */
export interface MatmulOptions {
  /** Take the last two axes of a as swapped: a is [.., K, M]. Default false. */
  readonly transposeA?: boolean;
  /** Take the last two axes of b as swapped: b is [.., N, K]. Default false. */
  readonly transposeB?: boolean;
}

const matmulOperation: Operation<MatmulAttributes> = defineOperation<MatmulAttributes>({
  name: 'matmul',
  infer([a, b], attributes) {
    const [shapeA = [], shapeB = []] = [a?.shape, b?.shape];
    const describe = `matmul: ${formatShape(shapeA)}${attributes.transposeA ? ' transposed' : ''} · ${formatShape(shapeB)}${attributes.transposeB ? ' transposed' : ''}`;
    if (a?.dtype !== 'f32' || b?.dtype !== 'f32') throw new ShapeError(`${describe}: both must be of type f32`);
    if (shapeA.length < 2 || shapeB.length < 2) {
      throw new ShapeError(`${describe}: both need at least two axes (reshape a vector to [1, n] or [n, 1])`);
    }
    const { M, N, K, batchShape } = sizesOf(shapeA, shapeB, attributes);
    const otherK = shapeB.at(attributes.transposeB ? -1 : -2);
    if (K !== otherK) throw new ShapeError(`${describe}: inner sizes differ, ${K} against ${otherK}`);
    return [{ shape: [...batchShape, M, N], dtype: 'f32' }];
  },
  reference({ inputs: [a, b], outputs: [c], attributes }) {
    if (!a || !b || !c) return;
    const { M, N, K, batch } = sizesOf(a.shape, b.shape, attributes);
    const [rowA, stepA] = attributes.transposeA ? [1, M] : [K, 1];
    const [columnB, stepB] = attributes.transposeB ? [K, 1] : [1, N];
    forEachOffset(batch, ([startA = 0, startB = 0], i) => {
      for (let m = 0; m < M; m++) {
        for (let n = 0; n < N; n++) {
          let sum = 0;
          let indexA = startA + m * rowA;
          let indexB = startB + n * columnB;
          for (let k = 0; k < K; k++, indexA += stepA, indexB += stepB) {
            sum += (a.data[indexA] ?? 0) * (b.data[indexB] ?? 0);
          }
          c.data[(i * M + m) * N + n] = sum;
        }
      }
    });
  },
  kernel({ inputs: [a, b], attributes }, target) {
    const [shapeA, shapeB] = [a?.shape ?? [], b?.shape ?? []];
    return matmulLaunches(shapeA, shapeB, attributes, variantFor(shapeA, shapeB, attributes, target));
  },
  variants: ({ inputs: [a, b], attributes }, target) =>
    matmulVariants(a?.shape ?? [], b?.shape ?? [], attributes, target),
  simd: ({ inputs: [a, b], attributes }) => matmulSimdPhases(a?.shape ?? [], b?.shape ?? [], attributes),
  ...matmulFusion(() => matmulOperation),
  gradient({ inputs: [a, b], outputGradients: [dC], attributes: { transposeA, transposeB }, needs }) {
    if (!a || !b || !dC) return [];
    const forA = () =>
      transposeA
        ? matmul(b, dC, { transposeA: transposeB, transposeB: true })
        : matmul(dC, b, { transposeB: !transposeB });
    const forB = () =>
      transposeB
        ? matmul(dC, a, { transposeA: true, transposeB: transposeA })
        : matmul(a, dC, { transposeA: !transposeA });
    return [needs[0] ? sumTo(forA(), a.shape) : undefined, needs[1] ? sumTo(forB(), b.shape) : undefined];
  },
  // float32 sums of K products of normal numbers: √K · 6e-8 · a few, with K up to 300 in the cases
  tolerance: { absolute: 2e-5, relative: 1e-5 },
  cases: (
    [
      [
        [1, 1],
        [1, 1],
      ],
      [
        [5, 7],
        [7, 3],
      ],
      [
        [17, 64],
        [64, 33],
      ],
      [
        [64, 64],
        [64, 64],
      ],
      [
        [65, 17],
        [17, 129],
      ],
      [
        [63, 16],
        [16, 63],
      ],
      [
        [100, 1],
        [1, 100],
      ],
      [
        [1, 300],
        [300, 1],
      ],
      [
        [2, 3, 4, 5],
        [2, 3, 5, 6],
      ],
      [
        [4, 5],
        [3, 5, 2],
      ],
      [
        [3, 1, 4, 5],
        [2, 5, 2],
      ],
      [
        [3, 0],
        [0, 4],
      ],
      [
        [0, 3],
        [3, 4],
      ],
    ] as const
  ).flatMap(([a, b]) =>
    [0, 1, 2, 3].map((bits) => {
      const attributes = { transposeA: (bits & 1) === 1, transposeB: (bits & 2) === 2 };
      return {
        inputs: [
          { shape: attributes.transposeA ? swapLast(a) : a },
          { shape: attributes.transposeB ? swapLast(b) : b },
        ],
        attributes,
      };
    }),
  ),
});

function swapLast(shape: Shape): Shape {
  return [...shape.slice(0, -2), shape.at(-1) ?? 0, shape.at(-2) ?? 0];
}

/**
 * Matrix product over the last two axes: c[.., m, n] = Σ_k a[.., m, k] · b[.., k, n]; the axes before them broadcast.
 * Both need at least two axes. Throws ShapeError where the inner sizes differ, naming both shapes.
 */
export function matmul(a: TensorLike, b: TensorLike, options: MatmulOptions = {}): Tensor {
  const { transposeA = false, transposeB = false } = options;
  return applyOne(matmulOperation, [asTensor(a), asTensor(b)], { transposeA, transposeB });
}

export const matmulOperations = [matmulOperation];
