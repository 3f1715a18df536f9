import { binaryWasm } from '../../generated/wasm.js';
import { binaryWgsl } from '../../generated/wgsl.js';
import { defineOperation, type NoAttributes } from '../../graph/define.js';
import { applyOne } from '../../graph/node.js';
import { f32 } from '../../graph/operands.js';
import type { CaseInput, Operation } from '../../graph/operation.js';
import { broadcastShapes, broadcastStrides, collapse, forEachOffset, type Shape } from '../../shape.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { sumTo } from '../reduce/sum.js';
import { elementwiseHost } from './elementwise.js';

/**
 * The room that functions of two values share: output = f(a, b), broadcast by NumPy's rule. A row states f; the kernels
 * state it once more, in kernels/pointwise/binary.wgsl and kernels/pointwise/binary.wat, under the row's name.
 */
export interface BinaryRow {
  readonly name: string;
  readonly formula: (a: number, b: number) => number;
  /** Gradients with respect to a and b in the shape of the output; the room sums them over what was broadcast. */
  readonly gradient:
    | ((a: Tensor, b: Tensor, dOutput: Tensor, output: Tensor) => readonly [() => Tensor, () => Tensor])
    | { readonly none: string };
  readonly fill?: readonly [CaseInput['fill'], CaseInput['fill']];
  readonly tolerance?: Operation['tolerance'];
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

export function defineBinary(row: BinaryRow): Operation<NoAttributes> {
  const { gradient } = row;
  const operation: Operation<NoAttributes> = defineOperation()({
    name: row.name,
    inputs: { a: f32('...a'), b: f32('...b') },
    outputs: { output: f32('...output') },
    infer: ({ specs: { a, b } }) => ({ output: broadcastShapes(row.name, a.shape, b.shape) }),
    reference({ a, b, output }) {
      const strides = [broadcastStrides(a.shape, output.shape), broadcastStrides(b.shape, output.shape)] as const;
      forEachOffset(collapse({ sizes: output.shape, strides }), ([offsetA, offsetB], i) => {
        output.set(i, row.formula(a.at(offsetA), b.at(offsetB)));
      });
    },
    ...elementwiseHost(() => operation, 0),
    stage: () => ({
      wgsl: { sources: [binaryWgsl], call: row.name, on: 'number' },
      simd: { module: binaryWasm, entryPoint: row.name, strided: true, settings: [] },
    }),
    gradient:
      typeof gradient === 'object'
        ? gradient
        : ({ inputs: { a, b }, outputs, outputGradients, needs }) => {
            const [forA, forB] = gradient(a, b, outputGradients.output, outputs.output);
            return { a: needs.a ? sumTo(forA(), a.shape) : undefined, b: needs.b ? sumTo(forB(), b.shape) : undefined };
          },
    tolerance: row.tolerance ?? { absolute: 1e-6, relative: 1e-6 },
    cases: SHAPES.map(([a, b]) => ({
      inputs: { a: withFill(a, row.fill?.[0]), b: withFill(b, row.fill?.[1]) },
      attributes: {},
    })),
  });
  return operation;
}

/** The public function of a row. Throws ShapeError where the shapes do not broadcast, naming both. */
export function applyBinary(operation: Operation<NoAttributes>, a: TensorLike, b: TensorLike): Tensor {
  const inputs = [asTensor(operation.name, 'a', a), asTensor(operation.name, 'b', b)];
  return applyOne(operation, inputs, {});
}

function withFill(shape: Shape, fill: CaseInput['fill']): CaseInput {
  return fill === undefined ? { shape } : { shape, fill };
}
