import { elementAt } from '../../element-at.js';
import { unaryGradientWasm, unaryWasm } from '../../generated/wasm.js';
import { commonWgsl, integerUnaryWgsl, pointwiseWgsl } from '../../generated/wgsl.js';
import { defineOperation } from '../../graph/define.js';
import { ceilDivide, fillBlock, foldWorkgroups, Uniforms } from '../../graph/launch.js';
import { applyOne } from '../../graph/node.js';
import { f32, like, numbers, type Operand } from '../../graph/operands.js';
import { type CaseInput, type DType, isFloat, type Operation } from '../../graph/operation.js';
import { type Shape, sizeOf } from '../../shape.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { isOfIntegers } from './binary.js';
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
  /**
   * df/dx at f(x) is what it is at x: the backward pass reads the output, and the input is kept for nobody. Default false.
   */
  readonly derivativeAtOutput?: boolean;
  /** Where f is defined; default: everywhere. */
  readonly domain?: CaseInput['fill'];
  /** Names of the parameters; default: none. */
  readonly parameterNames?: readonly string[];
  /** Parameters for the cases; default: none. */
  readonly parameters?: readonly (readonly number[])[];
  readonly tolerance?: Operation['tolerance'];
  /** What is timed beside `vector`, of 2^20. */
  readonly benchmarks?: Readonly<Record<string, Shape>>;
  /** f of integers; left out, there is none. */
  readonly integers?: {
    /** The function of x, low and high in WGSL. */
    readonly wgsl: string;
    /** Left out: that of floats, of which as many bits are kept as the type has. */
    readonly formula?: (x: number, low: number, high: number) => number;
  };
}

export type UnaryAttributes = { readonly parameters: readonly number[] };

interface Setting extends UnaryAttributes {
  readonly shape: Shape;
}

/** The operations of a row: the function, and its gradient as an operation of its own. */
export interface UnaryOperations {
  readonly forward: Operation<UnaryAttributes>;
  readonly backward: Operation<UnaryAttributes>;
}

const SHAPES: readonly Shape[] = [[], [0], [1], [7], [3, 65], [2, 3, 5, 7], [257], [4099]];

const INTEGER_SHAPES: readonly (readonly [Shape, DType])[] = [
  [[], 'i32'],
  [[3, 65], 'i32'],
  [[0], 'u32'],
  [[257], 'u32'],
];

/** exp, log and tanh of WGSL are good to a few units of the fifth digit. */
const DEFAULT_TOLERANCE = { absolute: 1e-5, relative: 1e-5 };

/** Makes the two operations of a row. */
export function defineUnary(row: UnaryRow): UnaryOperations {
  const { name, integers } = row;
  const tolerance = row.tolerance ?? DEFAULT_TOLERANCE;
  const parametersOfCases = row.parameters ?? [[]];
  const settings = parametersOfCases.flatMap((parameters) => SHAPES.map((shape) => ({ shape, parameters })));
  const timed: Readonly<Record<string, Shape>> = { vector: [2 ** 20], ...row.benchmarks };
  const benchmarks = <T>(caseOf: (setting: Setting) => T): Record<string, T> =>
    Object.fromEntries(
      Object.entries(timed).map(([key, shape]) => [
        key,
        caseOf({ shape, parameters: elementAt(parametersOfCases, 0) }),
      ]),
    );
  const backwardCase = ({ shape, parameters }: Setting) => ({
    inputs: { input: caseInput(shape, row), outputGradient: { shape } },
    attributes: { parameters },
  });
  const forwardCase = ({ shape, parameters }: Setting) => ({
    inputs: { input: caseInput(shape, row) },
    attributes: { parameters },
  });
  const backward: Operation<UnaryAttributes> = defineOperation<UnaryAttributes>()({
    name: `${name}Gradient`,
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
    cases: settings.map(backwardCase),
    benchmarks: benchmarks(backwardCase),
  });
  const input: Operand<'...'> = integers === undefined ? f32('...') : numbers('...');
  const forward: Operation<UnaryAttributes> = defineOperation<UnaryAttributes>()({
    name,
    inputs: { input },
    outputs: { output: like('input', '...') },
    reference({ input, output }, _, { parameters }) {
      const [a, b] = inKernel(parameters);
      const formula = (isOfIntegers(input.data) ? integers?.formula : undefined) ?? row.formula;
      for (let i = 0; i < input.size; i++) output.set(i, formula(input.at(i), a, b));
    },
    ...elementwiseHost(() => forward, 0),
    // Of integers.
    kernel({ specs: { input }, attributes: { parameters } }) {
      const { shape, dtype } = input;
      const f = [
        `alias Element = ${dtype};`,
        `fn f(x: Element, low: Element, high: Element) -> Element { return ${integers?.wgsl ?? ''}; }`,
      ].join('\n');
      return [
        {
          kernel: {
            name: `${name} ${dtype}`,
            code: commonWgsl + fillBlock(integerUnaryWgsl, 'function', f),
            entryPoint: 'integerUnary',
          },
          bindings: ['input', 'output'],
          uniforms: new Uniforms()
            .u32(sizeOf(shape), ...inKernel(parameters).map((value) => within(dtype, value)))
            .bytes(),
          workgroups: foldWorkgroups(ceilDivide(sizeOf(shape), 64)),
        },
      ];
    },
    gradient: ({ inputs, outputs, outputGradients, attributes }) => ({
      input: applyOne(
        backward,
        [row.derivativeAtOutput === true ? outputs.output : inputs.input, outputGradients.output],
        attributes,
      ),
    }),
    stage: ({ inputs: specs, attributes: { parameters } }) =>
      specs.every(({ dtype }) => isFloat(dtype))
        ? {
            wgsl: { sources: [pointwiseWgsl], call: row.wgsl, on: 'number' },
            simd: { module: unaryWasm, entryPoint: row.wgsl, settings: inKernel(parameters) },
            settings: settingsOf(row, parameters),
            keepsInput: true,
          }
        : undefined,
    tolerance,
    cases: [
      ...settings.map(forwardCase),
      ...(integers === undefined ? [] : INTEGER_SHAPES).map(([shape, dtype]) => ({
        inputs: { input: { shape, dtype, fill: { below: dtype === 'i32' ? 2 ** 31 : 2 ** 32 } } },
        attributes: { parameters: row.parameterNames ? [5, 2 ** 30] : [] },
      })),
    ],
    benchmarks: benchmarks(forwardCase),
  });
  return { forward, backward };
}

/** The integer of a type that is nearest to a number. */
function within(dtype: DType, value: number): number {
  const least = dtype === 'i32' ? -(2 ** 31) : 0;
  return Math.min(Math.max(value, least), least + 2 ** 32 - 1);
}

/** The public function of a row. Throws ShapeError for a tensor of a type that it does not take. */
export function applyUnary(operations: UnaryOperations, input: TensorLike, parameters: readonly number[] = []): Tensor {
  return applyOne(operations.forward, [asTensor(operations.forward.name, 'input', input)], { parameters });
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
