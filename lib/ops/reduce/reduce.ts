import { defineOperation } from '../../graph/define.js';
import type { Definition } from '../../graph/definition.js';
import { applyOne } from '../../graph/node.js';
import { bind, f32, like, numbers } from '../../graph/operands.js';
import type { Attributes, DType, NumericArray, Operation } from '../../graph/operation.js';
import { boolean, checkOptions, nullable, type OptionRules, wholeNumbers } from '../../options.js';
import { axisSize, forEachOffset, normalizeAxes, type Shape, sizeOf } from '../../shape.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { reshape } from '../moving/reshape.js';
import { formOf, keptShape } from './reduce-form.js';
import { reduceHost } from './reduce-host.js';
import {
  BINDINGS,
  layoutOf,
  type Reduced,
  reducedType,
  type ReduceKernel,
  reduceLaunches,
  walksOf,
} from './reduce-launches.js';
import { reducePhases } from './reduce-simd.js';

/** Which axes are reduced. */
export interface ReduceOptions {
  /** Axes, negative ones counted from the end; default: all (PyTorch: dim; Keras: axis). */
  readonly axes?: number | readonly number[] | null;
  /** Keep reduced axes with size 1. Default false. */
  readonly keepDims?: boolean;
}

/** @internal Rules of {@link ReduceOptions}. */
export const REDUCE_RULES: OptionRules<ReduceOptions> = { axes: nullable(wholeNumbers), keepDims: boolean };

/** The operation always keeps reduced axes with size 1; the public functions reshape. */
export type ReduceAttributes = { readonly axes: readonly number[]; readonly scale: number };

const INPUTS = { input: numbers('...') };
const OUTPUTS = { output: like('input', '...output') };

type ReduceDefinition = Definition<ReduceAttributes, typeof INPUTS, typeof OUTPUTS>;
export type ReduceGradient = Extract<ReduceDefinition['gradient'], (...call: never[]) => unknown>;

/**
 * The room that reductions share: output = scale · (f over the reduced axes). A row states f; the kernels state it once
 * more, in the block `function` of kernels/reduce/reduce.wgsl and in kernels/reduce/reduce.wat.
 */
export interface ReduceRow {
  readonly name: string;
  readonly neutral: number;
  readonly combine: (a: number, b: number) => number;
  /** In WGSL: f of a and b, and its neutral element, which must not be a constant where it is infinite (`any` is not); what both need. */
  readonly wgsl: Readonly<
    Record<Reduced, { readonly sources?: readonly string[]; readonly combine: string; readonly neutral: string }>
  >;
  /** In WebAssembly: of the largest element a sign of -1 makes the smallest. */
  readonly wat: { readonly name: 'sum' | 'max'; readonly sign?: -1 };
  readonly gradient: ReduceGradient;
}

const CASES: readonly (readonly [Shape, readonly number[], DType?])[] = [
  [[7], [0]],
  [
    [3, 5],
    [0, 1],
  ],
  [[3, 5], [0]],
  [[3, 5], [1]],
  [
    [2, 3, 4, 5],
    [0, 2, 3],
  ],
  [[2, 3, 4, 5], [1]],
  [[2, 70, 65], [2]],
  [[5000], [0]],
  [[300, 3], [0]],
  [[3, 257], [1]],
  [[1, 1], [0]],
  [[0, 3], [0]],
  [[2, 0], [0]],
  [[40_000], [0]],
  [[2, 16_385, 3], [1]],
  [[5, 64], [1]],
  [[65, 64], [1]],
  [[3, 1028], [1]],
  [
    [9, 8, 12],
    [1, 2],
  ],
  [
    [6, 5, 8],
    [0, 2],
  ],
  [
    [6, 3, 7],
    [0, 2],
  ],
  [[300, 8], [0]],
  [[131, 260], [0]],
  [[2, 2053, 4], [1]],
  [[4150, 8], [0]],
  [[4001, 5], [0]],
  [[3, 5], [1], 'i32'],
  [[300, 3], [0], 'u32'],
  [[40_000], [0], 'i32'],
  [[3, 5], [], 'i32'],
  [[300, 8], [0], 'i32'],
  [[5, 64], [1], 'u32'],
];

/** What is timed. */
const TIMED: Readonly<Record<string, readonly [Shape, readonly number[]]>> = {
  all: [[2 ** 20], [0]],
  mynetBiasGradient: [[32, 200], [0]],
  rows: [[1024, 1024], [1]],
  columns: [[1024, 1024], [0]],
};

export function defineReduce(row: ReduceRow): Operation<ReduceAttributes> {
  const operation: Operation<ReduceAttributes> = defineOperation<ReduceAttributes>()<typeof INPUTS, typeof OUTPUTS>({
    name: row.name,
    ...reduceHost(() => ({
      operation,
      use: (attributes) => ({ kernel: kernelOf(row, 'f32'), ...attributesOf(attributes) }),
      phases(ends, attributes, shape) {
        const { axes, scale } = attributesOf(attributes);
        const form = formOf(shape, axes, ends);
        const { name, sign = 1 } = row.wat;
        const reduction = { name, scale: sign * scale, signs: sign < 0 ? 0x80000000 : 0 };
        return form && reducePhases(reduction, form, ends);
      },
    })),
    inputs: INPUTS,
    outputs: OUTPUTS,
    infer: ({ specs: { input }, attributes: { axes } }) => ({
      output: keptShape(input.shape, axes),
    }),
    reference({ input, output }, _, { axes, scale }) {
      const { kept, reduced } = walksOf(input.shape, axes);
      const { least, most, wrap } = rangeOf(output.data);
      forEachOffset(kept, ([start], i) => {
        let result = Math.min(Math.max(row.neutral, least), most);
        forEachOffset(reduced, ([offset]) => {
          result = wrap(row.combine(result, input.at(start + offset)));
        });
        output.set(i, result * scale);
      });
    },
    kernel: ({ specs: { input }, attributes: { axes, scale } }, target) =>
      reduceLaunches(
        kernelOf(row, reducedType(input.dtype)),
        layoutOf(input.shape, axes),
        scale,
        { bindings: BINDINGS },
        target,
      ),
    gradient: row.gradient,
    tolerance: { absolute: 1e-4, relative: 1e-5 }, // sums of up to 40,000 normal numbers: 200 · 1e-7 · a few
    cases: CASES.filter(([shape]) => row.neutral === 0 || sizeOf(shape) > 0).map(([shape, axes, dtype = 'f32']) => ({
      inputs: {
        input:
          dtype === 'f32'
            ? { shape, fill: row.neutral === 0 ? 'normal' : 'distinct' }
            : { shape, dtype, fill: { below: 2 ** 31 } },
      },
      attributes: { axes, scale: 1 },
    })),
    cost: ({ specs: { input }, attributes: { axes } }) => ({
      flop: sizeOf(input.shape),
      terms: sizeOf(axes.map((axis) => axisSize(input.shape, axis))),
    }),
    benchmarks: Object.fromEntries(
      Object.entries(TIMED).map(([name, [shape, axes]]) => [
        name,
        { inputs: { input: { shape } }, attributes: { axes, scale: 1 } },
      ]),
    ),
  });
  return operation;
}

function attributesOf({ axes, scale }: Attributes): ReduceAttributes {
  return { axes: axesOf(axes), scale: Number(scale) };
}

/** The attribute `axes`. */
export function axesOf(axes: Attributes[string] | undefined): readonly number[] {
  return typeof axes === 'object' && axes !== null ? axes : [];
}

/** The numbers that an array holds: integers wrap around at the ends. */
function rangeOf(data: NumericArray) {
  if (data instanceof Int32Array) return { least: -(2 ** 31), most: 2 ** 31 - 1, wrap: (value: number) => value | 0 };
  if (data instanceof Uint32Array) return { least: 0, most: 2 ** 32 - 1, wrap: (value: number) => value >>> 0 };
  return { least: -Infinity, most: Infinity, wrap: (value: number) => value };
}

/** What kernels/reduce/reduce.wgsl computes for a row. */
function kernelOf({ name, wgsl }: ReduceRow, dtype: Reduced): ReduceKernel {
  const { sources = [], combine, neutral } = wgsl[dtype];
  const total = dtype === 'f32' ? 'total * uniforms.scale' : 'total';
  return {
    ...{ name, dtype, result: dtype },
    code: [
      ...sources,
      `fn neutral(any: f32) -> Accumulator { return Accumulator(${neutral}); }`,
      `fn combine(a: Accumulator, b: Accumulator) -> Accumulator { return ${combine}; }`,
    ].join('\n'),
    finish: (first) => `put(${first(total)}, index);`,
  };
}

/** The public form of a reduction: normalizes the axes, and drops them unless they are kept. */
export function reduce(
  operation: Operation<ReduceAttributes>,
  input: TensorLike,
  options: ReduceOptions,
  mean?: 'mean',
): Tensor {
  const name = mean ?? operation.name;
  checkOptions(name, options, REDUCE_RULES);
  const value = asTensor(name, 'input', input);
  // The sum of integers is one, their mean is not.
  if (mean) bind(name, { input: f32('...') }, [value]);
  const axes = normalizeAxes(name, options.axes, value.shape);
  const kept = applyOne(operation, [value], { axes, scale: mean ? 1 / countOf(value.shape, axes) : 1 });
  if (options.keepDims) return kept;
  return reshape(
    kept,
    value.shape.filter((_, axis) => !axes.includes(axis)),
  );
}

/** How many elements are reduced to one. */
export function countOf(shape: Shape, axes: readonly number[]): number {
  return axes.reduce((product, axis) => product * axisSize(shape, axis), 1);
}
