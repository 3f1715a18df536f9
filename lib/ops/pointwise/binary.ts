import { binaryWasm } from '../../generated/wasm.js';
import { binaryWgsl, commonWgsl, integerBinaryWgsl, walkTwoWgsl } from '../../generated/wgsl.js';
import { defineOperation } from '../../graph/define.js';
import type { NoAttributes } from '../../graph/definition.js';
import { ceilDivide, fillBlock, foldWorkgroups, Uniforms } from '../../graph/launch.js';
import { applyOne } from '../../graph/node.js';
import { f32, like, type LikeOperand, numbers, type Operand } from '../../graph/operands.js';
import { type CaseInput, type DType, isFloat, type NumericArray, type Operation } from '../../graph/operation.js';
import { broadcastShapes, broadcastStrides, collapse, forEachOffset, type Shape, sizeOf } from '../../shape.js';
import { asTensor, tensor, type Tensor, type TensorLike } from '../../tensor.js';
import { sumTo } from '../reduce/sum.js';
import { elementwiseHost } from './elementwise.js';

/**
 * The room that functions of two values share: output = f(a, b), broadcast by NumPy's rule. A row states f; the kernels
 * state it once more, in kernels/pointwise/binary.wgsl and kernels/pointwise/binary.wat, under the row's name.
 */
export interface BinaryRow {
  readonly name: string;
  readonly formula: (a: number, b: number) => number;
  /** f of integers; left out, there is none. */
  readonly integers?: {
    /** The function in WGSL. */
    readonly wgsl: string;
    /** Left out: that of floats, of which as many bits are kept as the type has. */
    readonly formula?: (a: number, b: number) => number;
    /** The result is f32, 1 or 0. */
    readonly isTest?: true;
  };
  /** Gradients with respect to a and b in the shape of the output; the room sums them over what was broadcast. */
  readonly gradient:
    | ((a: Tensor, b: Tensor, dOutput: Tensor, output: Tensor) => readonly [() => Tensor, () => Tensor])
    | { readonly none: string };
  readonly fill?: readonly [CaseInput['fill'], CaseInput['fill']];
  readonly tolerance?: Operation['tolerance'];
  /** What is timed beside `vector`, two vectors of 2^20. */
  readonly benchmarks?: Readonly<Record<string, readonly [Shape, Shape]>>;
}

const SHAPES: readonly (readonly [Shape, Shape])[] = [
  [
    [3, 5],
    [3, 5],
  ],
  [[3, 5], [5]],
  [
    [3, 1],
    [1, 5],
  ],
  [
    [2, 3, 4, 5],
    [3, 1, 1],
  ],
  [[], [3]],
  [
    [2, 1, 4],
    [3, 1],
  ],
  [[257], [257]],
  [[33, 65], [65]],
  [[0, 4], [4]],
  [[1], [1]],
];

const INTEGER_SHAPES: readonly (readonly [Shape, Shape, DType])[] = [
  [[65], [65], 'i32'],
  [[2, 1, 4], [3, 1], 'i32'],
  [[3, 5], [], 'u32'],
  [[0, 4], [4], 'u32'],
];

/** Two operands of one type. */
type BinaryInputs = { readonly a: Operand<'...a'>; readonly b: Operand<'...b'> | LikeOperand<'...b'> };
type BinaryOutputs = { readonly output: Operand<'...'> | LikeOperand<'...'> };

export function defineBinary(row: BinaryRow): Operation<NoAttributes> {
  const { name, integers, gradient } = row;
  const settingOf = ([a, b]: readonly [Shape, Shape]) => ({
    inputs: { a: withFill(a, row.fill?.[0]), b: withFill(b, row.fill?.[1]) },
    attributes: {},
  });
  const timed: Readonly<Record<string, readonly [Shape, Shape]>> = {
    vector: [[2 ** 20], [2 ** 20]],
    ...row.benchmarks,
  };
  const inputs: BinaryInputs = integers
    ? { a: numbers('...a'), b: like('a', '...b') }
    : { a: f32('...a'), b: f32('...b') };
  const outputs: BinaryOutputs = { output: integers && !integers.isTest ? like('a', '...') : f32('...') };
  const operation: Operation<NoAttributes> = defineOperation()<BinaryInputs, BinaryOutputs>({
    name,
    inputs,
    outputs,
    infer: ({ specs: { a, b } }) => ({ output: broadcastShapes(name, a.shape, b.shape) }),
    reference({ a, b, output }) {
      const formula = (isOfIntegers(a.data) ? integers?.formula : undefined) ?? row.formula;
      const strides = [broadcastStrides(a.shape, output.shape), broadcastStrides(b.shape, output.shape)] as const;
      forEachOffset(collapse({ sizes: output.shape, strides }), ([offsetA, offsetB], i) => {
        output.set(i, formula(a.at(offsetA), b.at(offsetB)));
      });
    },
    ...elementwiseHost(() => operation, 0),
    // Of integers.
    kernel({ specs: { a, b, output } }) {
      const strides = [broadcastStrides(a.shape, output.shape), broadcastStrides(b.shape, output.shape)] as const;
      const walk = collapse({ sizes: output.shape, strides });
      const count = sizeOf(output.shape);
      const f = [
        `alias Element = ${a.dtype};`,
        `alias Result = ${output.dtype};`,
        `fn f(a: Element, b: Element) -> Result { return ${integers?.wgsl ?? ''}; }`,
      ].join('\n');
      return [
        {
          kernel: {
            name: `${name} ${a.dtype}`,
            code: commonWgsl + walkTwoWgsl + fillBlock(integerBinaryWgsl, 'function', f),
            entryPoint: 'integerBinary',
          },
          bindings: ['a', 'b', 'output'],
          uniforms: new Uniforms()
            .u32(count, walk.sizes.length)
            .axes(walk.sizes, 1)
            .axes(walk.strides[0], 0)
            .axes(walk.strides[1], 0)
            .bytes(),
          workgroups: foldWorkgroups(ceilDivide(count, 64)),
        },
      ];
    },
    stage: ({ inputs: specs }) =>
      specs.every(({ dtype }) => isFloat(dtype))
        ? {
            wgsl: { sources: [binaryWgsl], call: name, on: 'number' },
            simd: { module: binaryWasm, entryPoint: name, strided: true, settings: [] },
          }
        : undefined,
    gradient:
      typeof gradient === 'object'
        ? gradient
        : ({ inputs: { a, b }, outputs: { output }, outputGradients, needs }) => {
            const [forA, forB] = gradient(a, b, outputGradients.output, output);
            return {
              a: needs.a ? sumTo(forA(), a.shape) : undefined,
              b: needs.b ? sumTo(forB(), b.shape) : undefined,
            };
          },
    tolerance: row.tolerance ?? { absolute: 1e-6, relative: 1e-6 },
    cases: [
      ...SHAPES.map(settingOf),
      ...(integers ? INTEGER_SHAPES : []).map(([a, b, dtype]) => {
        const fill = { below: dtype === 'i32' ? 2 ** 31 : 2 ** 32 };
        return { inputs: { a: { shape: a, dtype, fill }, b: { shape: b, dtype, fill } }, attributes: {} };
      }),
    ],
    benchmarks: Object.fromEntries(Object.entries(timed).map(([key, shapes]) => [key, settingOf(shapes)])),
  });
  return operation;
}

/** Whether an array holds integers of 32 bits. */
export function isOfIntegers(data: NumericArray): boolean {
  return data instanceof Int32Array || data instanceof Uint32Array;
}

/**
 * The public function of a row. A whole number beside a tensor of integers is one of its type.
 * Throws ShapeError where the shapes do not broadcast, naming both, and where the types differ.
 */
export function applyBinary(operation: Operation<NoAttributes>, a: TensorLike, b: TensorLike): Tensor {
  return applyOne(operation, operandsOf(operation.name, a, b), {});
}

/** Two operands as tensors. */
export function operandsOf(name: string, a: TensorLike, b: TensorLike): readonly [Tensor, Tensor] {
  const [first, second] = [asTensor(name, 'a', a), asTensor(name, 'b', b)];
  return [inTypeOf(second, a, first), inTypeOf(first, b, second)];
}

function inTypeOf({ dtype }: Tensor, given: TensorLike, value: Tensor): Tensor {
  return Number.isInteger(given) && !isFloat(dtype) && dtype !== 'u8' ? tensor(Number(given), { dtype }) : value;
}

function withFill(shape: Shape, fill: CaseInput['fill']): CaseInput {
  return fill === undefined ? { shape } : { shape, fill };
}
