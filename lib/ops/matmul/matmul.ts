import { ShapeError } from '../../errors.js';
import { defineOperation } from '../../graph/define.js';
import { applyOne } from '../../graph/node.js';
import { any, f32 } from '../../graph/operands.js';
import type { DType, Operation } from '../../graph/operation.js';
import { axisSize, forEachOffset, formatShape, type Shape, sizeOf } from '../../shape.js';
import { boolean, checkOptions } from '../../options.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { matmulBenchmarks } from './matmul-benchmarks.js';
import { matmulHost } from './matmul-host.js';
import { matmulSample } from './matmul-sample.js';
import { type MatmulAttributes, sizesOf } from './matmul-sizes.js';
import { sumTo } from '../reduce/sum.js';

/** Options of {@link matmul}. */
export interface MatmulOptions {
  /** Take the last two axes of a as swapped: a is [.., K, M]. Default false. */
  readonly transposeA?: boolean;
  /** Take the last two axes of b as swapped: b is [.., N, K]. Default false. */
  readonly transposeB?: boolean;
}

const matmulOperation: Operation<MatmulAttributes> = defineOperation<MatmulAttributes>()({
  name: 'matmul',
  inputs: {
    a: any('f32', 'f16')('...a', 'rowsOfA', 'columnsOfA'),
    b: any('f32', 'f16')('...b', 'rowsOfB', 'columnsOfB'),
  },
  outputs: { c: f32('...c') },
  infer({ specs: { a, b }, attributes }) {
    const { transposeA, transposeB } = attributes;
    const { M, N, K, batchShape } = sizesOf(a.shape, b.shape, attributes);
    const otherK = axisSize(b.shape, transposeB ? -1 : -2);
    if (K !== otherK) {
      const [forA, forB] = [transposeA, transposeB].map((isTransposed) => (isTransposed ? ' transposed' : ''));
      throw new ShapeError(
        `matmul: ${formatShape(a.shape)}${forA} · ${formatShape(b.shape)}${forB}: inner sizes differ, ${K} against ${otherK}`,
      );
    }
    return { c: [...batchShape, M, N] };
  },
  reference({ a, b, c }, _, attributes) {
    const { M, N, K, batch } = sizesOf(a.shape, b.shape, attributes);
    const [rowA, stepA] = attributes.transposeA ? [1, M] : [K, 1];
    const [columnB, stepB] = attributes.transposeB ? [K, 1] : [1, N];
    forEachOffset(batch, ([startA, startB], i) => {
      for (let m = 0; m < M; m++) {
        for (let n = 0; n < N; n++) {
          let sum = 0;
          let indexA = startA + m * rowA;
          let indexB = startB + n * columnB;
          for (let k = 0; k < K; k++, indexA += stepA, indexB += stepB) sum += a.at(indexA) * b.at(indexB);
          c.set((i * M + m) * N + n, sum);
        }
      }
    });
  },
  ...matmulHost(() => matmulOperation),
  gradient({ inputs: { a, b }, outputGradients: { c }, attributes: { transposeA, transposeB }, needs }) {
    const forA = () =>
      transposeA
        ? matmul(b, c, { transposeA: transposeB, transposeB: true })
        : matmul(c, b, { transposeB: !transposeB });
    const forB = () =>
      transposeB
        ? matmul(c, a, { transposeA: true, transposeB: transposeA })
        : matmul(a, c, { transposeA: !transposeA });
    return { a: needs.a ? sumTo(forA(), a.shape) : undefined, b: needs.b ? sumTo(forB(), b.shape) : undefined };
  },
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
  cost({ specs: { a, b }, attributes }) {
    const { M, N, K, batchShape } = sizesOf(a.shape, b.shape, attributes);
    const multiplyAdds = sizeOf(batchShape) * M * N * K;
    return { flop: 2 * multiplyAdds, multiplyAdds, terms: K };
  },
  benchmarks: matmulBenchmarks,
  sample: matmulSample,
});

/** The product of matrices of these shapes, stored transposed where a bit is set: 1 for a, 2 for b. */
function caseOf(a: Shape, b: Shape, bits: number, [typeA, typeB]: readonly [DType, DType] = ['f32', 'f32']) {
  const attributes = { transposeA: (bits & 1) === 1, transposeB: (bits & 2) === 2 };
  return {
    inputs: {
      a: { shape: attributes.transposeA ? swapLast(a) : a, dtype: typeA },
      b: { shape: attributes.transposeB ? swapLast(b) : b, dtype: typeB },
    },
    attributes,
  };
}

function swapLast(shape: Shape): Shape {
  return [...shape.slice(0, -2), axisSize(shape, -1), axisSize(shape, -2)];
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
