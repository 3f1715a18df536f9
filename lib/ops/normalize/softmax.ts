import { softmaxWasm } from '../../generated/wasm.js';
import { extremesWgsl, softmaxWgsl } from '../../generated/wgsl.js';
import { defineOperation } from '../../graph/define.js';
import type { Definition } from '../../graph/definition.js';
import { applyOne } from '../../graph/node.js';
import { f32 } from '../../graph/operands.js';
import type { Operation } from '../../graph/operation.js';
import type { SimdPhase } from '../../graph/simd.js';
import { normalizeAxis, rowsAlong, type Shape, sizeOf } from '../../shape.js';
import { checkOptions, type OptionRules, wholeNumber } from '../../options.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { multiply, subtract } from '../pointwise/arithmetic.js';
import { exp } from '../pointwise/math.js';
import { elementParts, MAX_CALLS, tasksOf } from '../simd-parts.js';
import type { ReduceEnds } from '../reduce/reduce-ends.js';
import { reduceHost } from '../reduce/reduce-host.js';
import { formOf, wholeRowsPhase } from '../reduce/reduce-form.js';
import { sum } from '../reduce/sum.js';

type SoftmaxAttributes = { readonly axis: number };

const INPUTS = { input: f32('...') };
const OUTPUTS = { output: f32('...') };

type SoftmaxGradient = Definition<SoftmaxAttributes, typeof INPUTS, typeof OUTPUTS>['gradient'];

function defineSoftmax(name: string, logarithm: boolean, gradient: SoftmaxGradient): Operation<SoftmaxAttributes> {
  const operation: Operation<SoftmaxAttributes> = defineOperation<SoftmaxAttributes>()<typeof INPUTS, typeof OUTPUTS>({
    name,
    ...reduceHost(() => ({
      operation,
      use: ({ axis }) => ({
        kernel: {
          ...{ name, dtype: 'f32', result: 'f32', fields: ['largest', 'sum'] },
          code: extremesWgsl + softmaxWgsl,
          constants: { LOGARITHM: Number(logarithm) },
        },
        axes: [Number(axis)],
      }),
      phases: (ends, { axis }, shape) => softmaxPhases(name, ends, shape, Number(axis)),
    })),
    inputs: INPUTS,
    outputs: OUTPUTS,
    reference({ input, output }, _, { axis }) {
      const { rows, C, inner } = rowsAlong(input.shape, axis);
      for (let row = 0; row < rows; row++) {
        const place = (i: number): number => Math.floor(row / inner) * C * inner + (row % inner) + i * inner;
        let largest = -Infinity;
        for (let i = 0; i < C; i++) largest = Math.max(largest, input.at(place(i)));
        let total = 0;
        for (let i = 0; i < C; i++) total += Math.exp(input.at(place(i)) - largest);
        for (let i = 0; i < C; i++) {
          const shifted = input.at(place(i)) - largest;
          // Where the maximum is infinite, Inf - Inf makes the row NaN, as in PyTorch.
          const result = logarithm ? shifted - Math.log(total) : Math.exp(shifted) / total;
          output.set(place(i), Number.isFinite(largest) ? result : NaN);
        }
      }
    },
    gradient,
    tolerance: { absolute: 1e-5, relative: 2e-5 },
    cases: (
      [
        [[1, 1], 1],
        [[2, 2], 1],
        [[5, 10], 1],
        [[3, 1000], 1],
        [[33, 7], 1],
        [[2, 5, 3, 4], 1],
        [[4, 3], 0],
        [[7], 0],
        [[2, 3, 65], 2],
        [[7, 64], 1],
        [[65, 8], 0],
        [[3, 130, 12], 1],
        [[0, 3], 1],
      ] as const
    ).map(([shape, axis]) => ({ inputs: { input: { shape } }, attributes: { axis } })),
    // maximum, subtraction, exponential, sum, division
    cost: ({ specs: { input } }) => ({ flop: 5 * sizeOf(input.shape) }),
    benchmarks: {
      mynetLogits: { inputs: { input: { shape: [32, 2] } }, attributes: { axis: 1 } },
      imagenet: { inputs: { input: { shape: [256, 1000] } }, attributes: { axis: 1 } },
      vocabulary: { inputs: { input: { shape: [8, 50_257] } }, attributes: { axis: 1 } },
    },
  });
  return operation;
}

/** Phases of kernels/normalize/softmax.wat: along rows, or down columns, which stages do not compute. */
function softmaxPhases(name: string, ends: ReduceEnds, shape: Shape, axis: number): readonly SimdPhase[] | undefined {
  const { rows, C, inner } = rowsAlong(shape, axis);
  if (C === 1) return columnPhases(`${name}Columns`, ends, 1, C, rows);
  if (inner !== 1) return columnPhases(`${name}Columns`, ends, rows / inner, C, inner);
  const form = formOf(shape, [axis], ends);
  if (!form?.alongRows || !ends.goByBlocks({ rows, columns: C })) return undefined;
  const kernel = { module: softmaxWasm, entryPoint: name };
  return wholeRowsPhase(
    form,
    ends,
    ({ from, layout: [, count], to }) => ({ kernel, arguments: [from, ...to, count, C] }),
    C,
  );
}

/** Phases for rows whose elements are `inner` apart: columns of `outer` matrices [C, inner]. */
function columnPhases(entryPoint: string, ends: ReduceEnds, outer: number, C: number, inner: number) {
  if (
    ends.hasHead ||
    outer * inner === 0 ||
    outer > MAX_CALLS ||
    !ends.goByBlocks({ rows: outer * C, columns: inner })
  ) {
    return undefined;
  }
  const calls = Array.from({ length: outer }, (_, matrix) =>
    elementParts(inner, C).map(({ start, count }) => {
      ends.begin();
      const first = matrix * C * inner + start;
      const { to, calls: others } = ends.results({ first, rows: C, columns: count, pitch: inner });
      const given = [{ input: 0, offset: 4 * first }, ...to, C, 4 * inner, count];
      return [{ kernel: { module: softmaxWasm, entryPoint }, arguments: given }, ...others];
    }),
  ).flat();
  const tasks = tasksOf(calls, outer * C * inner).map((some) => some.flat());
  return [{ tasks, scratchBytes: ends.scratchBytes }];
}

// dx = y · (dy - Σ dy · y)
const softmaxOperation = defineSoftmax(
  'softmax',
  false,
  ({ outputs: { output: y }, outputGradients: { output: dy }, attributes: { axis } }) => ({
    input: multiply(y, subtract(dy, sum(multiply(dy, y), { axes: axis, keepDims: true }))),
  }),
);

// dx = dy - softmax(x) · Σ dy
const logSoftmaxOperation = defineSoftmax(
  'logSoftmax',
  true,
  ({ outputs: { output: y }, outputGradients: { output: dy }, attributes: { axis } }) => ({
    input: subtract(dy, multiply(exp(y), sum(dy, { axes: axis, keepDims: true }))),
  }),
);

/** Along which axis an operation works. */
export interface AxisOptions {
  /** Counted from the end where negative. Default: the last axis (PyTorch: dim). */
  readonly axis?: number;
}

/** @internal Rules of {@link AxisOptions}. */
export const AXIS_RULES: OptionRules<AxisOptions> = { axis: wholeNumber() };

/**
 * exp(x) / Σ exp(x) along an axis: numbers in [0, 1] that sum to 1. The maximum is subtracted first, so large logits
 * are safe. A row with a NaN or +Infinity is NaN throughout, as in PyTorch.
 */
export function softmax(input: TensorLike, options: AxisOptions = {}): Tensor {
  checkOptions('softmax', options, AXIS_RULES);
  const value = asTensor('softmax', 'input', input);
  return applyOne(softmaxOperation, [value], { axis: normalizeAxis('softmax', options.axis ?? -1, value.shape) });
}

/** log(softmax(x)) along an axis, computed as x - max - log Σ exp(x - max). */
export function logSoftmax(input: TensorLike, options: AxisOptions = {}): Tensor {
  checkOptions('logSoftmax', options, AXIS_RULES);
  const value = asTensor('logSoftmax', 'input', input);
  return applyOne(logSoftmaxOperation, [value], { axis: normalizeAxis('logSoftmax', options.axis ?? -1, value.shape) });
}

export const softmaxOperations = [softmaxOperation, logSoftmaxOperation];
