import { ShapeError } from '../../errors.js';
import { applyOne } from '../../graph/node.js';
import { defineOperation, type DType, type Operation } from '../../graph/operation.js';
import { forEachOffset, formatShape, type Shape } from '../../shape.js';
import { boolean, checkOptions } from '../../options.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { matmulHost } from './matmul-host.js';
import { matmulLaunches, matmulVariants, variantFor } from './matmul-kernels.js';
import { matmulSimdPhases } from './matmul-simd.js';
import { type MatmulAttributes, sizesOf } from './matmul-sizes.js';
import { sumTo } from '../reduce/sum.js';

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
    if (!isFloat(a?.dtype) || !isFloat(b?.dtype)) throw new ShapeError(`${describe}: each must be of type f32 or f16`);
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
    forEachOffset(batch, ([startA, startB], i) => {
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
  kernel: ({ inputs: [a, b], attributes }, target) =>
    a && b ? matmulLaunches(a, b, attributes, variantFor(a.shape, b.shape, attributes, target)) : [],
  variants: ({ inputs: [a, b], attributes }, target) => (a && b ? matmulVariants(a, b, attributes, target) : []),
  simd: ({ inputs: [a, b], attributes }) => matmulSimdPhases(a?.shape ?? [], b?.shape ?? [], attributes),
  ...matmulHost(() => matmulOperation),
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
  takesFloat16: true,
  // float32 sums of K products of normal numbers: √K · 6e-8 · a few, with K up to 300 in the cases
  tolerance: { absolute: 2e-5, relative: 1e-5 },
  cases: [
    ...(
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
    ).flatMap(([a, b]) => [0, 1, 2, 3].map((bits) => caseOf(a, b, bits))),
    ...(
      [
        [
          [5, 7],
          [7, 3],
        ],
        [
          [8, 4],
          [4, 12],
        ],
      ] as const
    ).flatMap(([a, b]) => [
      caseOf(a, b, 0, ['f16', 'f16']),
      caseOf(a, b, 1, ['f16', 'f32']),
      caseOf(a, b, 2, ['f32', 'f16']),
    ]),
  ],
});

/** The product of matrices of these shapes, stored transposed where a bit is set: 1 for a, 2 for b. */
function caseOf(a: Shape, b: Shape, bits: number, [typeA, typeB]: readonly [DType, DType] = ['f32', 'f32']) {
  const attributes = { transposeA: (bits & 1) === 1, transposeB: (bits & 2) === 2 };
  return {
    inputs: [
      { shape: attributes.transposeA ? swapLast(a) : a, dtype: typeA },
      { shape: attributes.transposeB ? swapLast(b) : b, dtype: typeB },
    ],
    attributes,
  };
}

function isFloat(dtype: DType | undefined): boolean {
  return dtype === 'f32' || dtype === 'f16';
}

function swapLast(shape: Shape): Shape {
  return [...shape.slice(0, -2), shape.at(-1) ?? 0, shape.at(-2) ?? 0];
}

/**
 * Matrix product over the last two axes: c[.., m, n] = Σ_k a[.., m, k] · b[.., k, n]; the axes before them broadcast.
 * Both need at least two axes. Throws ShapeError where the inner sizes differ, naming both shapes.
 *
 * a and b are of type f32 or f16, each on its own. The result is f32 and its sums are formed in f32, also where both are
 * f16 (PyTorch returns half precision then); so are their gradients.
 */
export function matmul(a: TensorLike, b: TensorLike, options: MatmulOptions = {}): Tensor {
  checkOptions('matmul', options, { transposeA: boolean, transposeB: boolean });
  const { transposeA = false, transposeB = false } = options;
  const inputs = [asTensor('matmul', 'a', a), asTensor('matmul', 'b', b)];
  return applyOne(matmulOperation, inputs, { transposeA, transposeB });
}

export const matmulOperations = [matmulOperation];
