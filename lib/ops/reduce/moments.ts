import { elementAt } from '../../element-at.js';
import { momentsWasm } from '../../generated/wasm.js';
import { momentsWgsl } from '../../generated/wgsl.js';
import { defineOperation } from '../../graph/define.js';
import { apply } from '../../graph/node.js';
import { f32 } from '../../graph/operands.js';
import type { Operation } from '../../graph/operation.js';
import type { SimdPhase } from '../../graph/simd.js';
import { checkOptions } from '../../options.js';
import { axisSize, forEachOffset, normalizeAxes, type Shape, sizeOf } from '../../shape.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { reshape } from '../moving/reshape.js';
import { add, multiply, subtract } from '../pointwise/arithmetic.js';
import { columnPairPhases } from './column-pairs.js';
import { axesOf, countOf, REDUCE_RULES, type ReduceOptions } from './reduce.js';
import type { ReduceEnds } from './reduce-ends.js';
import { reduceHost } from './reduce-host.js';
import { type ReduceKernel, walksOf } from './reduce-launches.js';
import { type Form, formOf, goesOn, keptShape, wholeRowsPhase } from './reduce-form.js';
import { broadcastTo } from './sum.js';

type MomentsAttributes = { readonly axes: readonly number[] };

const CASES: readonly (readonly [Shape, readonly number[]])[] = [
  [[7], [0]],
  [[3, 5], [0]],
  [[3, 5], [1]],
  [[3, 5], []],
  [[1, 1], [0]],
  [
    [2, 3, 4, 5],
    [0, 2, 3],
  ],
  [
    [2, 3, 4, 5],
    [0, 1, 2],
  ],
  [
    [2, 6, 3, 8],
    [1, 3],
  ],
  [[300, 3], [0]],
  [[65, 64], [1]],
  [[3, 257], [1]],
  [[40_000], [0]],
  [
    [9, 8, 7, 33],
    [0, 1, 2],
  ],
  [[131, 260], [0]],
  [[4150, 8], [0]],
  [[2, 2053, 4], [1]],
  [[3, 1028], [1]],
  [[0, 3], [1]],
];

const KERNEL: ReduceKernel = {
  ...{ name: 'moments', dtype: 'f32', result: 'f32', fields: ['count', 'mean', 'squares'] },
  ...{ code: momentsWgsl, hooks: ['beginItem'] },
  finish: (first) => `put(${first('meanOf(total)')}, index); put1(${first('varianceOf(total)')}, index);`,
};

const momentsOperation: Operation<MomentsAttributes> = defineOperation<MomentsAttributes>()({
  name: 'moments',
  ...reduceHost(() => ({
    operation: momentsOperation,
    outputs: 2,
    use: ({ axes }) => ({ kernel: KERNEL, axes: axesOf(axes) }),
    phases(ends, { axes }, shape) {
      const form = formOf(shape, axesOf(axes), ends);
      return form && momentsPhases(form, ends);
    },
  })),
  inputs: { input: f32('...') },
  outputs: { mean: f32('...output'), variance: f32('...output') },
  infer({ specs: { input }, attributes: { axes } }) {
    const kept = keptShape(input.shape, axes);
    return { mean: kept, variance: kept };
  },
  reference({ input, mean, variance }, _, { axes }) {
    const { kept, reduced } = walksOf(input.shape, axes);
    const count = sizeOf(reduced.sizes);
    const sumOf = (start: number, of: (x: number) => number): number => {
      let sum = 0;
      forEachOffset(reduced, ([offset]) => {
        sum += of(input.at(start + offset));
      });
      return sum;
    };
    forEachOffset(kept, ([start], i) => {
      const average = sumOf(start, (x) => x) / count;
      mean.set(i, average);
      variance.set(i, sumOf(start, (x) => (x - average) ** 2) / count);
    });
  },
  // ∂mean / ∂x = 1 / n,  ∂variance / ∂x = 2 · (x - mean) / n
  gradient({ inputs: { input }, outputs, outputGradients: { mean, variance }, attributes: { axes } }) {
    const share = 1 / countOf(input.shape, axes);
    const ofMean = mean && multiply(mean, share);
    const slope = variance && multiply(variance, 2 * share);
    const ofVariance = slope && multiply(subtract(input, outputs.mean), slope);
    if (!ofVariance) return { input: ofMean && broadcastTo(ofMean, input.shape) };
    return { input: ofMean ? add(ofVariance, ofMean) : ofVariance };
  },
  tolerance: { absolute: 1e-5, relative: 1e-5 }, // a tree of roundings
  cases: CASES.map(([shape, axes]) => ({ inputs: { input: { shape } }, attributes: { axes } })),
  // a difference, a square, two sums
  cost: ({ specs: { input }, attributes: { axes } }) => ({
    flop: 4 * sizeOf(input.shape),
    terms: sizeOf(axes.map((axis) => axisSize(input.shape, axis))),
  }),
  benchmarks: {
    resnet50Layer1: { inputs: { input: { shape: [8, 56, 56, 64] } }, attributes: { axes: [0, 1, 2] } },
    resnet50Layer2: { inputs: { input: { shape: [8, 28, 28, 128] } }, attributes: { axes: [0, 1, 2] } },
    rows: { inputs: { input: { shape: [1024, 768] } }, attributes: { axes: [1] } },
  },
});

/** Phases of kernels/reduce/moments.wat. Columns of what stages compute it does not take: their middle elements are read again. */
function momentsPhases(form: Form, ends: ReduceEnds): readonly SimdPhase[] | undefined {
  if (!goesOn(form, ends)) return undefined;
  if (form.alongRows) {
    return wholeRowsPhase(form, ends, ({ from, layout, to }) => ({
      kernel: kernelOf('momentsRows'),
      arguments: [from, ...layout, ...to],
    }));
  }
  const { starts, strips, columns } = form;
  if (ends.hasHead) return undefined;
  const at = (start: number) => ({ input: 0, offset: 4 * start });
  // Of three rows of a block, the first, the middle one and one at the end, as kernels/reduce/moments.wat takes them.
  const stepOf = (rows: number): number => 4 * columns * Math.floor((rows - 1) / 2);
  return columnPairPhases(
    { starts, rows: strips.size, columns },
    ends,
    ({ start, rows, to, stride }) => {
      const [from, second] = [at(start), { input: 0, offset: 4 * start + stepOf(rows) }];
      return {
        kernel: kernelOf('columnPairs'),
        arguments: [second, from, rows, 4 * columns, columns, from, to, stride],
      };
    },
    ({ matrix, parts, partBytes, stride, blocks, to }) => {
      const [rows, lastRows] = [elementAt(blocks, 0).count, elementAt(blocks, -1).count];
      return {
        kernel: kernelOf('joinMoments'),
        arguments: [
          ...[parts, partBytes, stride, at(elementAt(starts, matrix)), 4 * rows * columns, blocks.length],
          ...[rows, stepOf(rows), lastRows, stepOf(lastRows), columns, ...to],
        ],
      };
    },
  );
}

function kernelOf(entryPoint: 'columnPairs' | 'joinMoments' | 'momentsRows') {
  return { module: momentsWasm, entryPoint };
}

/** Mean and variance of the same elements. */
export type Moments = {
  /** Σ x / n */
  readonly mean: Tensor;
  /** Σ (x - mean)² / n: biased. */
  readonly variance: Tensor;
};

/**
 * Mean and biased variance over axes: Σ x / n and Σ (x - mean)² / n, read once (PyTorch: `var_mean` with `unbiased=False`;
 * Keras: `ops.moments`). Never E[x²] - E[x]², which a large mean would cost its digits. NaN over an empty axis.
 */
export function moments(input: TensorLike, options: ReduceOptions = {}): Moments {
  checkOptions('moments', options, REDUCE_RULES);
  const value = asTensor('moments', 'input', input);
  const axes = normalizeAxes('moments', options.axes, value.shape);
  const shape = value.shape.filter((_, axis) => !axes.includes(axis));
  const [mean, variance] = apply(momentsOperation, [value], { axes });
  if (!mean || !variance) throw new Error('moments has two outputs');
  if (options.keepDims) return { mean, variance };
  return { mean: reshape(mean, shape), variance: reshape(variance, shape) };
}

export const momentsOperations = [momentsOperation];
