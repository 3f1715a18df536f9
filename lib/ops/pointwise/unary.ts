import { unaryGradientWasm, unaryWasm } from '../../generated/wasm.js';
import { pointwiseWgsl } from '../../generated/wgsl.js';
import { defineOperation } from '../../graph/define.js';
import { applyOne } from '../../graph/node.js';
import { f32 } from '../../graph/operands.js';
import type { CaseInput, Operation } from '../../graph/operation.js';
import type { Shape } from '../../shape.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { elementwiseHost } from './elementwise.js';

/**
 * The room that functions of one value share: output[i] = f(input[i]). A row states f and its derivative; the kernels
 * state them once more, in kernels/pointwise: pointwise.wgsl, unary.wat and unary_gradient.wat, under the row's `wgsl`
 * name.
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
  /** Names of the parameters; default: none. */
  readonly parameterNames?: readonly string[];
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

/** Makes the two operations of a row. */
export function defineUnary(row: UnaryRow): UnaryOperations {
  const tolerance = row.tolerance ?? DEFAULT_TOLERANCE;
  const settings = (row.parameters ?? [[]]).flatMap((parameters) => SHAPES.map((shape) => ({ shape, parameters })));
  const backward: Operation<UnaryAttributes> = defineOperation<UnaryAttributes>()({
    name: `${row.name}Gradient`,
    inputs: { input: f32('...'), outputGradient: f32('...') },
    outputs: { inputGradient: f32('...') },
    reference({ input, outputGradient, inputGradient }, _, { parameters }) {
      const [a, b] = inKernel(parameters);
      for (let i = 0; i < input.size; i++) {
        const slope = row.derivative(input.at(i), a, b);
        inputGradient.set(i, slope === 0 ? 0 : slope * outputGradient.at(i));
      }
    },
    ...elementwiseHost(() => backward, 1),
    gradient: { unwritten: 'second derivatives of pointwise functions are not written' },
    stage: ({ position, attributes: { parameters } }) =>
      position === 1
        ? {
            wgsl: {
              sources: [pointwiseWgsl],
              call: (x = '', dy, ...set) => `chainRule(${row.wgsl}Derivative(${[x, ...set].join(', ')}), ${dy})`,
              on: 'number',
            },
            simd: { module: unaryGradientWasm, entryPoint: `${row.wgsl}Derivative`, settings: inKernel(parameters) },
            settings: settingsOf(row, parameters),
          }
        : undefined,
    tolerance,
    cases: settings.map(({ shape, parameters }) => ({
      inputs: { input: caseInput(shape, row), outputGradient: { shape } },
      attributes: { parameters },
    })),
  });
  const forward: Operation<UnaryAttributes> = defineOperation<UnaryAttributes>()({
    name: row.name,
    inputs: { input: f32('...') },
    outputs: { output: f32('...') },
    reference({ input, output }, _, { parameters }) {
      const [a, b] = inKernel(parameters);
      for (let i = 0; i < input.size; i++) output.set(i, row.formula(input.at(i), a, b));
    },
    ...elementwiseHost(() => forward, 0),
    gradient: ({ inputs: { input }, outputGradients: { output }, attributes }) => ({
      input: applyOne(backward, [input, output], attributes),
    }),
    stage: ({ attributes: { parameters } }) => ({
      wgsl: { sources: [pointwiseWgsl], call: row.wgsl, on: 'number' },
      simd: { module: unaryWasm, entryPoint: row.wgsl, settings: inKernel(parameters) },
      settings: settingsOf(row, parameters),
      keepsInput: true,
    }),
    tolerance,
    cases: settings.map(({ shape, parameters }) => ({
      inputs: { input: caseInput(shape, row) },
      attributes: { parameters },
    })),
  });
  return { forward, backward };
}

/** The public function of a row. Throws ShapeError for a tensor that is not of type f32. */
export function applyUnary(operations: UnaryOperations, input: TensorLike, parameters: readonly number[] = []): Tensor {
  const value = asTensor(operations.forward.name, 'input', input);
  return applyOne(operations.forward, [value], { parameters });
}

function caseInput(shape: Shape, row: UnaryRow): CaseInput {
  return row.domain ? { shape, fill: row.domain } : { shape };
}

function settingsOf({ parameterNames = [] }: UnaryRow, parameters: readonly number[]): Record<string, number> {
  return Object.fromEntries(parameters.map((value, i) => [parameterNames[i] ?? `parameter${i}`, value]));
}

/** The two parameters that every function has in the reference and in kernels/pointwise/unary.wat; 0 where it has none. */
function inKernel([first = 0, second = 0]: readonly number[]): readonly [number, number] {
  return [first, second];
}
