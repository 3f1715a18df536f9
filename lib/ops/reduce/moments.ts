import { elementAt } from '../../element-at.js';
import { momentsWasm } from '../../generated/wasm.js';
import { momentsWgsl } from '../../generated/wgsl.js';
import { at, defineOperation, type NamedCall } from '../../graph/define.js';
import { apply } from '../../graph/node.js';
import { f32 } from '../../graph/operands.js';
import type { Operation } from '../../graph/operation.js';
import { checkOptions } from '../../options.js';
import { axisSize, forEachOffset, normalizeAxes, type Shape, sizeOf, type Walk } from '../../shape.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { reshape } from '../moving/reshape.js';
import { add, multiply, subtract } from '../pointwise/arithmetic.js';
import { fromEnd, MAX_CALLS, rowParts, tasksOf } from '../simd-parts.js';
import { columnPairPhases } from './column-pairs.js';
import { axesOf, countOf, REDUCE_RULES, type ReduceOptions, stripsOf } from './reduce.js';
import { reduceHost } from './reduce-host.js';
import { type ReduceKernel, walksOf } from './reduce-launches.js';
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
  })),
  inputs: { input: f32('...') },
  outputs: { mean: f32('...output'), variance: f32('...output') },
  infer({ specs: { input }, attributes: { axes } }) {
    const kept = input.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
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
  simd: ({ specs: { input }, attributes: { axes } }) => momentsPhases(input.shape, axes),
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

/**
 * Phases of kernels/reduce/moments.wat: along rows where the reduced elements are contiguous, down columns where the kept ones
 * are; undefined where neither is, where more axes are left than the kernel walks, and where there is nothing to reduce.
 */
function momentsPhases(shape: Shape, axes: readonly number[]) {
  const { kept, reduced } = walksOf(shape, axes);
  const [keptStrides, reducedStrides] = [kept.strides[0], reduced.strides[0]];
  if (sizeOf(reduced.sizes) === 0) return undefined;
  if (reduced.sizes.length > 0 && reduced.sizes.length <= 2 && reducedStrides.at(-1) === 1) {
    return rowPhases(kept, stripsOf(reduced.sizes, reducedStrides));
  }
  const columns = fromEnd(kept.sizes, 1, 1);
  const areColumns = fromEnd(keptStrides, 1, 1) === 1 && fromEnd(reducedStrides, 1, columns) === columns;
  if (reduced.sizes.length > 1 || !areColumns) return undefined;
  // Of three rows of a block, the first, the middle one and one at the end, as kernels/reduce/moments.wat takes them.
  const stepOf = (rows: number): number => 4 * columns * Math.floor((rows - 1) / 2);
  const starts: number[] = [];
  forEachOffset({ sizes: kept.sizes.slice(0, -1), strides: [keptStrides.slice(0, -1)] }, ([offset]) => {
    starts.push(offset);
  });
  return columnPairPhases<Operands>(
    { starts, rows: sizeOf(reduced.sizes), columns },
    ({ start, rows, to, stride }) => {
      const from = at('input', 4 * start);
      const second = at('input', 4 * start + stepOf(rows));
      return {
        kernel: kernelOf('columnPairs'),
        arguments: [second, from, rows, 4 * columns, columns, from, to, stride],
      };
    },
    ({ matrix, parts, partBytes, stride, blocks }) => {
      const [rows, lastRows] = [elementAt(blocks, 0).count, elementAt(blocks, -1).count];
      const from = at('input', 4 * elementAt(starts, matrix));
      const results = [at('mean', 4 * matrix * columns), at('variance', 4 * matrix * columns)];
      const blockBytes = 4 * rows * columns;
      return {
        kernel: kernelOf('joinMoments'),
        arguments: [
          ...[parts, partBytes, stride, from, blockBytes, blocks.length],
          ...[rows, stepOf(rows), lastRows, stepOf(lastRows), columns, ...results],
        ],
      };
    },
  );
}

/** Phases for rows, each of some strips of contiguous elements. */
function rowPhases({ sizes, strides: [strides] }: Walk<readonly [Shape]>, strips: readonly [number, number, number]) {
  const [count, pitch] = [fromEnd(sizes, 1, 1), 4 * fromEnd(strides, 1, 0)];
  const outer = { sizes: sizes.slice(0, -1), strides: [strides.slice(0, -1)] as const };
  if (sizeOf(outer.sizes) > MAX_CALLS) return undefined;
  const elements = strips[0] * strips[2];
  const calls: NamedCall<Operands>[] = [];
  forEachOffset(outer, ([offset], i) => {
    for (const part of rowParts(count, elements)) {
      const to = 4 * (i * count + part.start);
      const from = at('input', 4 * offset + part.start * pitch);
      const given = [from, pitch, part.count, ...strips, at('mean', to), at('variance', to)];
      calls.push({ kernel: kernelOf('momentsRows'), arguments: given });
    }
  });
  return [{ tasks: tasksOf(calls, sizeOf(sizes) * elements) }];
}

type Operands = 'input' | 'mean' | 'variance';

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
