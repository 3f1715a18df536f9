import { unaryGradientWasm, unaryWasm } from '../../generated/wasm.js';
import {
  commonWgsl,
  epilogueActivationWgsl,
  pointwiseWgsl,
  unaryGradientWgsl,
  unaryWgsl,
} from '../../generated/wgsl.js';
import type { StageWidth } from '../../graph/fusion.js';
import { expectF32 } from '../../graph/expect-f32.js';
import { ceilDivide, fillBlock, foldWorkgroups, type Launch, Uniforms } from '../../graph/launch.js';
import { applyOne } from '../../graph/node.js';
import { type CaseInput, defineOperation, type Operation } from '../../graph/operation.js';
import type { SimdArgument, SimdCall, SimdPhase } from '../../graph/simd.js';
import { ShapeError } from '../../errors.js';
import { sizeOf, type Shape } from '../../shape.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { elementParts } from '../simd-parts.js';

/**
 * The room that functions of one value share: output[i] = f(input[i]). A row states f and its derivative; the kernels
 * state them once more, in kernels/pointwise/pointwise.wgsl, kernels/pointwise/unary.wat and kernels/pointwise/unary_gradient.wat, under the row's
 * `wgsl` name.
 */
export interface UnaryRow {
  readonly name: string;
  /** Name of the function in the kernels; the derivative's is this with `Derivative` behind. */
  readonly wgsl: string;
  /** f(x) with the parameters a, b. */
  readonly formula: (x: number, a: number, b: number) => number;
  /** df/dx at x. */
  readonly derivative: (x: number, a: number, b: number) => number;
  /** Where f is defined; default: everywhere. */
  readonly domain?: CaseInput['fill'];
  /** Parameters for the cases; default: none. */
  readonly parameters?: readonly (readonly number[])[];
  readonly tolerance?: Operation['tolerance'];
}

export type UnaryAttributes = { readonly parameters: readonly number[] };

/** The operations of a row: the function, and its gradient as an operation of its own. */
export interface UnaryOperations {
  readonly forward: Operation<UnaryAttributes>;
  readonly backward: Operation<UnaryAttributes>;
}

const SHAPES: readonly Shape[] = [[], [0], [1], [7], [3, 65], [2, 3, 5, 7], [257], [4099]];

/** exp, log and tanh of WGSL are good to a few units of the fifth digit. */
const DEFAULT_TOLERANCE = { absolute: 1e-5, relative: 1e-5 };

const STAGE_CODE = pointwiseWgsl + epilogueActivationWgsl;
/** The parameters in a fused kernel: overrides of kernels/pointwise/epilogue_activation.wgsl. */
const PARAMETERS = 'vec2f(ACTIVATION_A, ACTIVATION_B)';
/** WGSL: the function at each of the numbers that a name stands for. */
function onEach(width: StageWidth, name: string, wgsl: string): string {
  if (width === 1) return `${wgsl}(${name}, ${PARAMETERS})`;
  return `vec4f(${['x', 'y', 'z', 'w'].map((part) => `${wgsl}(${name}.${part}, ${PARAMETERS})`).join(', ')})`;
}

function parameterConstants({ parameters: [a = 0, b = 0] }: UnaryAttributes) {
  return { ACTIVATION_A: a, ACTIVATION_B: b };
}

/** Makes the two operations of a row. */
export function defineUnary(row: UnaryRow): UnaryOperations {
  const tolerance = row.tolerance ?? DEFAULT_TOLERANCE;
  const settings = (row.parameters ?? [[]]).flatMap((parameters) => SHAPES.map((shape) => ({ shape, parameters })));
  const backward: Operation<UnaryAttributes> = defineOperation<UnaryAttributes>({
    name: `${row.name}Gradient`,
    infer([input, outputGradient]) {
      if (!input || outputGradient?.shape.length !== input.shape.length)
        throw new ShapeError(`${row.name}Gradient: shapes differ`);
      return [input];
    },
    reference({ inputs: [input, outputGradient], outputs: [inputGradient], attributes }) {
      if (!input || !outputGradient || !inputGradient) return;
      const [a = 0, b = 0] = attributes.parameters;
      for (let i = 0; i < input.data.length; i++) {
        const slope = row.derivative(input.data[i] ?? 0, a, b);
        inputGradient.data[i] = slope === 0 ? 0 : slope * (outputGradient.data[i] ?? 0);
      }
    },
    kernel: ({ outputs, attributes }) => [
      launch(unaryGradientWgsl, 'unaryGradient', `${row.wgsl}Derivative`, 2, outputs[0]?.shape ?? [], attributes),
    ],
    simd: ({ outputs: [output], attributes }) =>
      phasesOf(unaryGradientWasm, `${row.wgsl}Derivative`, 2, output?.shape ?? [], attributes),
    gradient: { unwritten: 'second derivatives of pointwise functions are not written' },
    stage: ({ attributes }) => ({
      position: 1,
      reads: [{ input: 0, at: 6 }],
      code: STAGE_CODE,
      statements: (width) =>
        `let x = preactivationAt(row, column); value = chain(value, ${onEach(width, 'x', `${row.wgsl}Derivative`)});`,
      constants: parameterConstants(attributes),
      keepsInput: false,
      simd: ({ rows, columns, from, to, blockOf }) => {
        const x = blockOf({ input: 0 });
        const operands = [x.argument, x.pitch, from.argument, from.pitch, to.argument, to.pitch, rows, columns];
        return callOf(unaryGradientWasm, `${row.wgsl}Derivative`, operands, attributes);
      },
    }),
    tolerance,
    cases: settings.map(({ shape, parameters }) => ({
      inputs: [caseInput(shape, row), { shape }],
      attributes: { parameters },
    })),
  });
  const forward: Operation<UnaryAttributes> = defineOperation<UnaryAttributes>({
    name: row.name,
    infer: ([input]) => [{ shape: input?.shape ?? [], dtype: 'f32' }],
    reference({ inputs: [input], outputs: [output], attributes }) {
      if (!input || !output) return;
      const [a = 0, b = 0] = attributes.parameters;
      for (let i = 0; i < input.data.length; i++) output.data[i] = row.formula(input.data[i] ?? 0, a, b);
    },
    kernel: ({ outputs, attributes }) => [launch(unaryWgsl, 'unary', row.wgsl, 1, outputs[0]?.shape ?? [], attributes)],
    simd: ({ outputs: [output], attributes }) => phasesOf(unaryWasm, row.wgsl, 1, output?.shape ?? [], attributes),
    gradient: ({ inputs: [input], outputGradients: [dOutput], attributes }) =>
      input && dOutput ? [applyOne(backward, [input, dOutput], attributes)] : [],
    stage: ({ attributes }) => ({
      position: 0,
      reads: [],
      code: STAGE_CODE,
      statements: (width) => `value = ${onEach(width, 'value', row.wgsl)};`,
      constants: parameterConstants(attributes),
      keepsInput: true,
      simd: ({ rows, columns, from, to }) =>
        callOf(unaryWasm, row.wgsl, [from.argument, from.pitch, to.argument, to.pitch, rows, columns], attributes),
    }),
    tolerance,
    cases: settings.map(({ shape, parameters }) => ({ inputs: [caseInput(shape, row)], attributes: { parameters } })),
  });
  return { forward, backward };
}

/** The public function of a row. Throws ShapeError for a tensor that is not of type f32. */
export function applyUnary(operations: UnaryOperations, input: TensorLike, parameters: readonly number[] = []): Tensor {
  const value = asTensor(input);
  expectF32(operations.forward.name, value.dtype);
  return applyOne(operations.forward, [value], { parameters });
}

function caseInput(shape: Shape, row: UnaryRow): CaseInput {
  return row.domain ? { shape, fill: row.domain } : { shape };
}

/** Contiguous tensors as blocks of one row, whose pitch does not matter. */
/** A call of kernels/pointwise/unary.wat or unary_gradient.wat on a block. */
function callOf(
  module: string,
  entryPoint: string,
  block: readonly SimdArgument[],
  { parameters: [a = 0, b = 0] }: UnaryAttributes,
): SimdCall {
  return { kernel: { module, entryPoint }, arguments: [...block, a, b] };
}

function phasesOf(
  module: string,
  entryPoint: string,
  arity: number,
  shape: Shape,
  attributes: UnaryAttributes,
): SimdPhase[] {
  const tasks = elementParts(sizeOf(shape)).map(({ start, count }) => {
    const offset = 4 * start;
    const inputs = Array.from({ length: arity }, (_, input) => [{ input, offset }, 0]).flat();
    return [callOf(module, entryPoint, [...inputs, { output: 0, offset }, 0, 1, count], attributes)];
  });
  return [{ tasks }];
}

function launch(
  source: string,
  entryPoint: string,
  wgsl: string,
  arity: number,
  shape: Shape,
  attributes: UnaryAttributes,
): Launch {
  const quads = ceilDivide(sizeOf(shape), 4);
  const code = commonWgsl + pointwiseWgsl + fillBlock(source, 'function', `  return ${wgsl}(x, p);`);
  const [a = 0, b = 0] = attributes.parameters;
  return {
    kernel: { name: `${entryPoint} ${wgsl}`, code, entryPoint },
    bindings: [...Array.from({ length: arity }, (_, input) => ({ input })), { output: 0 }],
    uniforms: new Uniforms().u32(quads, 0).f32(a, b).bytes(),
    workgroups: foldWorkgroups(ceilDivide(quads, 64)),
  };
}
