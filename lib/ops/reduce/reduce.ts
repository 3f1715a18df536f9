import { ShapeError } from '../../errors.js';
import { reduceWasm } from '../../generated/wasm.js';
import { commonWgsl, reduceWgsl } from '../../generated/wgsl.js';
import { ceilDivide, fillBlock, foldWorkgroups, Uniforms } from '../../graph/launch.js';
import { applyOne } from '../../graph/node.js';
import { defineOperation, type Operation } from '../../graph/operation.js';
import type { SimdCall, SimdTask } from '../../graph/simd.js';
import { collapse, forEachOffset, normalizeAxes, type Shape, sizeOf, stridesOf } from '../../shape.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { reshape } from '../moving/reshape.js';
import { elementParts, MAX_CALLS, rowParts, tasksOf } from '../simd-parts.js';

/** Which axes are reduced. */
export interface ReduceOptions {
  /** Axes, negative ones counted from the end; default: all (PyTorch: dim; Keras: axis). */
  readonly axes?: number | readonly number[] | null;
  /** Keep reduced axes with size 1. Default false. */
  readonly keepDims?: boolean;
}

/** The operation always keeps reduced axes with size 1; the public functions reshape. */
export type ReduceAttributes = { readonly axes: readonly number[]; readonly scale: number };

/**
 * The room that reductions share: output = scale · (f over the reduced axes). A row states f; the kernels state it once
 * more, in the block `function` of kernels/reduce/reduce.wgsl and, under the row's name, in kernels/reduce/reduce.wat.
 */
export interface ReduceRow {
  readonly name: string;
  readonly neutral: number;
  readonly combine: (a: number, b: number) => number;
  /** The block `function` of kernels/reduce/reduce.wgsl. */
  readonly wgsl: string;
  readonly gradient: Operation<ReduceAttributes>['gradient'];
}

/** Up to this many elements are reduced by one invocation; longer reductions get a workgroup. */
const SERIAL_ELEMENTS = 64;

const CASES: readonly (readonly [Shape, readonly number[]])[] = [
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
];

export function defineReduce(row: ReduceRow): Operation<ReduceAttributes> {
  return defineOperation<ReduceAttributes>({
    name: row.name,
    infer([input], { axes }) {
      if (input?.dtype !== 'f32') throw new ShapeError(`${row.name}: expected f32, found ${input?.dtype ?? 'nothing'}`);
      return [{ shape: input.shape.map((size, axis) => (axes.includes(axis) ? 1 : size)), dtype: 'f32' }];
    },
    reference({ inputs: [input], outputs: [output], attributes }) {
      if (!input || !output) return;
      const { kept, reduced } = walks(input.shape, attributes.axes);
      forEachOffset(kept, ([start], i) => {
        let result = row.neutral;
        forEachOffset(reduced, ([offset]) => {
          result = row.combine(result, input.data[start + offset] ?? 0);
        });
        output.data[i] = result * attributes.scale;
      });
    },
    kernel({ inputs: [input], outputs: [output], attributes }) {
      const { kept, reduced } = walks(input?.shape ?? [], attributes.axes);
      const keptCount = sizeOf(output?.shape ?? []);
      const reducedCount = sizeOf(reduced.sizes);
      const isSerial = reducedCount <= SERIAL_ELEMENTS;
      return [
        {
          kernel: {
            name: row.name,
            code: commonWgsl + fillBlock(reduceWgsl, 'function', row.wgsl),
            entryPoint: isSerial ? 'perInvocation' : 'perWorkgroup',
          },
          bindings: [{ input: 0 }, { output: 0 }],
          uniforms: new Uniforms()
            .u32(keptCount, reducedCount, kept.sizes.length, reduced.sizes.length)
            .f32(attributes.scale)
            .axes(kept.sizes, 1)
            .axes(kept.strides[0], 0)
            .axes(reduced.sizes, 1)
            .axes(reduced.strides[0], 0)
            .bytes(),
          workgroups: foldWorkgroups(isSerial ? ceilDivide(keptCount, 64) : keptCount),
        },
      ];
    },
    simd: ({ inputs: [input], attributes }) => {
      const tasks = reduceTasks(row, input?.shape ?? [], attributes);
      return tasks && [{ tasks }];
    },
    gradient: row.gradient,
    tolerance: { absolute: 1e-4, relative: 1e-5 }, // sums of up to 5,000 normal numbers: 70 · 1e-7 · a few
    cases: CASES.filter(([shape]) => row.neutral === 0 || sizeOf(shape) > 0).map(([shape, axes]) => ({
      inputs: [{ shape, fill: row.neutral === 0 ? 'normal' : 'distinct' }],
      attributes: { axes, scale: 1 },
    })),
  });
}

/**
 * Tasks of kernels/reduce/reduce.wat: along rows where the reduced elements are contiguous, down columns where the kept ones
 * are; undefined where neither is, or where more axes are left than the kernel walks.
 */
function reduceTasks(row: ReduceRow, shape: Shape, { axes, scale }: ReduceAttributes): SimdTask[] | undefined {
  const { kept, reduced } = walks(shape, axes);
  const [keptStrides, reducedStrides] = [kept.strides[0], reduced.strides[0]];
  const alongRows = reduced.sizes.length > 0 && reduced.sizes.length <= 2 && reducedStrides.at(-1) === 1;
  const downColumns = reduced.sizes.length <= 1 && (kept.sizes.length === 0 || keptStrides.at(-1) === 1);
  const outer = { sizes: kept.sizes.slice(0, -1), strides: [keptStrides.slice(0, -1)] };
  if ((!alongRows && !downColumns) || sizeOf(outer.sizes) > MAX_CALLS) return undefined;

  const [count, pitch] = [kept.sizes.at(-1) ?? 1, 4 * (keptStrides.at(-1) ?? 0)];
  const reducedCount = sizeOf(reduced.sizes);
  const kernel = { module: reduceWasm, entryPoint: row.name + (alongRows ? 'Rows' : 'Columns') };
  const parts = alongRows ? rowParts(count, reducedCount) : elementParts(count, reducedCount);
  const calls: SimdCall[] = [];
  forEachOffset(outer, ([offset = 0], i) => {
    for (const part of parts) {
      const from = { input: 0, offset: 4 * offset + part.start * pitch };
      const to = { output: 0, offset: 4 * (i * count + part.start) };
      const values = alongRows
        ? [from, pitch, part.count, ...stripsOf(reduced.sizes, reducedStrides), to]
        : [from, reducedCount, 4 * (reducedStrides[0] ?? 0), to, part.count];
      calls.push({ kernel, arguments: [...values, scale, row.neutral] });
    }
  });
  return tasksOf(calls, sizeOf(shape));
}

/** Number and pitch of the strips of contiguous elements that are reduced, and the elements of each. */
function stripsOf(sizes: readonly number[], strides: readonly number[]): [number, number, number] {
  const columns = sizes.at(-1) ?? 1;
  return sizes.length === 1 ? [1, 0, columns] : [sizes[0] ?? 1, 4 * (strides[0] ?? 0), columns];
}

/** The kept and the reduced axes as two walks through the input. */
function walks(shape: Shape, axes: readonly number[]) {
  const strides = stridesOf(shape);
  const walk = (isReduced: boolean) => {
    const chosen = shape.map((_, axis) => axis).filter((axis) => axes.includes(axis) === isReduced);
    return collapse({ sizes: chosen.map((a) => shape[a] ?? 1), strides: [chosen.map((a) => strides[a] ?? 0)] });
  };
  return { kept: walk(false), reduced: walk(true) };
}

/** The public form of a reduction: normalizes the axes, and drops them unless they are kept. */
export function reduce(
  operation: Operation<ReduceAttributes>,
  input: TensorLike,
  options: ReduceOptions,
  isMean = false,
): Tensor {
  const value = asTensor(input);
  const axes = normalizeAxes(operation.name, options.axes, value.shape);
  const count = axes.reduce((product, axis) => product * (value.shape[axis] ?? 1), 1);
  const kept = applyOne(operation, [value], { axes, scale: isMean ? 1 / count : 1 });
  if (options.keepDims) return kept;
  return reshape(
    kept,
    value.shape.filter((_, axis) => !axes.includes(axis)),
  );
}
