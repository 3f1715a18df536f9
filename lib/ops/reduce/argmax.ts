import { ShapeError } from '../../errors.js';
import { argmaxWasm } from '../../generated/wasm.js';
import { argmaxWgsl } from '../../generated/wgsl.js';
import { defineOperation } from '../../graph/define.js';
import { fillBlock } from '../../graph/launch.js';
import { applyOne } from '../../graph/node.js';
import { i32, numbers } from '../../graph/operands.js';
import type { DType, Operation } from '../../graph/operation.js';
import type { SimdPhase } from '../../graph/simd.js';
import { boolean, checkOptions, type OptionRules } from '../../options.js';
import { axisSize, formatShape, normalizeAxis, rowsAlong, type Shape } from '../../shape.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { type AxisOptions, AXIS_RULES } from '../normalize/softmax.js';
import { reshape } from '../moving/reshape.js';
import type { ReduceEnds } from './reduce-ends.js';
import { reduceHost } from './reduce-host.js';
import { BINDINGS, layoutOf, reducedType, type ReduceKernel, reduceLaunches } from './reduce-launches.js';
import { formOf, wholeRowsPhase } from './reduce-form.js';

type ArgmaxAttributes = { readonly axis: number };

const argmaxOperation: Operation<ArgmaxAttributes> = defineOperation<ArgmaxAttributes>()({
  name: 'argmax',
  ...reduceHost(() => ({
    operation: argmaxOperation,
    use: ({ axis }) => ({ kernel: kernelOf('f32'), axes: [Number(axis)] }),
    phases: (ends, { axis }, shape) => argmaxPhases(ends, shape, Number(axis)),
  })),
  inputs: { input: numbers('...') },
  outputs: { output: i32('...rows') },
  infer({ specs: { input }, attributes: { axis } }) {
    const { shape } = input;
    if (shape[axis] === 0) throw new ShapeError(`argmax: axis ${axis} of ${formatShape(shape)} is empty`);
    return { output: shape.filter((_, a) => a !== axis) };
  },
  reference({ input, output }, _, { axis }) {
    const { C, inner, rows } = rowsAlong(input.shape, axis);
    for (let row = 0; row < rows; row++) {
      const value = (i: number): number => input.at(Math.floor(row / inner) * C * inner + (row % inner) + i * inner);
      let best = 0;
      for (let i = 1; i < C && !Number.isNaN(value(best)); i++) {
        if (Number.isNaN(value(i)) || value(i) > value(best)) best = i;
      }
      output.set(row, best);
    }
  },
  kernel: ({ specs: { input }, attributes: { axis } }, target) =>
    reduceLaunches(kernelOf(input.dtype), layoutOf(input.shape, [axis]), 1, { bindings: BINDINGS }, target),
  gradient: { none: 'a position does not change by small steps' },
  tolerance: { absolute: 0, relative: 0 },
  cases: [
    ...(
      [
        [[5], 0],
        [[3, 10], 1],
        [[2, 3, 4], 1],
        [[65, 2], 1],
        [[0, 3], 1],
        [[3, 256], 1],
        [[257, 8], 0],
        [[1, 10_000], 1],
        [[2, 5001, 3], 1],
      ] as const
    ).map(([shape, axis]) => ({ inputs: { input: { shape } }, attributes: { axis } })),
    ...(['i32', 'u32'] as const).map((dtype) => ({
      inputs: { input: { shape: [65, 7], dtype, fill: { below: 5 } } },
      attributes: { axis: 1 },
    })),
  ],
  cost: () => ({ flop: 0 }),
  benchmarks: { imagenet: { inputs: { input: { shape: [256, 1000] } }, attributes: { axis: 1 } } },
});

/** A phase of kernels/reduce/argmax.wat, which wants a row's elements side by side. */
function argmaxPhases(ends: ReduceEnds, shape: Shape, axis: number): readonly SimdPhase[] | undefined {
  const form = formOf(shape, [axis], ends);
  if (!form?.alongRows) return undefined;
  return wholeRowsPhase(form, ends, ({ from, layout: [, count], to }) => ({
    kernel: { module: argmaxWasm, entryPoint: 'argmax' },
    arguments: [from, ...to, count, axisSize(shape, axis)],
  }));
}

const LOWEST = { i32: 'Element(i32(-2147483648))', u32: 'Element(0u)' };

/** kernels/reduce/argmax.wgsl for a type. */
function kernelOf(dtype: DType): ReduceKernel {
  const reduced = reducedType(dtype);
  const ofIntegers = (lowest: string) =>
    fillBlock(
      argmaxWgsl,
      'element',
      `const NAN_ABOVE = 0x7fffffffu;\nfn lowest(any: f32) -> Element { return ${lowest}; }`,
    );
  return {
    ...{ name: 'argmax', dtype: reduced, result: 'i32', fields: ['value', 'place'] },
    code: reduced === 'f32' ? argmaxWgsl : ofIntegers(LOWEST[reduced]),
    finish: (first) => `put(Result(${first('total.place')}), index);`,
  };
}

/** Options of {@link argmax}. */
export interface ArgmaxOptions extends AxisOptions {
  /** Keep the axis with size 1. Default false. */
  readonly keepDims?: boolean;
}

const RULES: OptionRules<ArgmaxOptions> = { ...AXIS_RULES, keepDims: boolean };

/**
 * Position (i32) of the largest element along an axis; the first one where there are several; the first NaN where
 * there is any. Throws ShapeError for an empty axis.
 */
export function argmax(input: TensorLike, options: ArgmaxOptions = {}): Tensor {
  checkOptions('argmax', options, RULES);
  const value = asTensor('argmax', 'input', input);
  const axis = normalizeAxis('argmax', options.axis ?? -1, value.shape);
  const positions = applyOne(argmaxOperation, [value], { axis });
  if (!options.keepDims) return positions;
  return reshape(
    positions,
    value.shape.map((size, a) => (a === axis ? 1 : size)),
  );
}

export const argmaxOperations = [argmaxOperation];
