import { ShapeError } from '../../errors.js';
import { commonWgsl, epilogueSgdSumsWgsl, epilogueSgdWgsl, sgdWgsl } from '../../generated/wgsl.js';
import { sgdWasm } from '../../generated/wasm.js';
import { type Binding, ceilDivide, foldWorkgroups, type Launch, Uniforms } from '../../graph/launch.js';
import { defineOperation, type Operation, type TensorSpec } from '../../graph/operation.js';
import type { SimdArgument, SimdPhase } from '../../graph/simd.js';
import { formatShape, sameShape, type Shape, sizeOf } from '../../shape.js';
import { readOptimizerState } from './optimizer-state.js';
import { elementParts } from '../simd-parts.js';

export type SgdAttributes = {
  readonly weightDecay: number;
  readonly momentum: number;
  readonly dampening: number;
  readonly nesterov: boolean;
};

const TOLERANCE = { absolute: 1e-6, relative: 1e-6 };
const SHAPES: readonly Shape[] = [[1], [5, 7], [257], [0]];
/** An optimizer at its first step, and later, with a schedule. */
const FIRST_STATE = { shape: [2], dtype: 'u32', fill: { step: 0 } } as const;
const STATE = { shape: [5], dtype: 'u32', fill: { step: 6 } } as const;
/** Bindings of a bias and its velocity in kernels/update/epilogue_sgd_sums.wgsl. */
const SUMS_AT = 13;
const SUMS_VELOCITY_AT = 14;
const NO_GRADIENT = { none: 'it changes state' };

/** parameter ← parameter - learningRate · (gradient + weightDecay · parameter). Inputs: parameter, gradient, optimizer state. */
export const sgdUpdate: Operation<{ readonly weightDecay: number }> = defineOperation<{ readonly weightDecay: number }>(
  {
    name: 'sgdUpdate',
    infer: ([parameter, gradient]) => [checkGradient(parameter, gradient)],
    reference({ inputs: [, gradient, state], outputs: [parameter], attributes: { weightDecay } }) {
      if (!gradient || !state || !parameter) return;
      const { learningRate } = readOptimizerState(state.data);
      for (let i = 0; i < gradient.data.length; i++) {
        const p = parameter.data[i] ?? 0;
        parameter.data[i] = p - learningRate * ((gradient.data[i] ?? 0) + weightDecay * p);
      }
    },
    kernel: ({ inputs: [parameter, , state], attributes: { weightDecay } }) => [
      launchOf('plain', parameter, state, [{ output: 0 }, { input: 1 }, { input: 2 }], {
        weightDecay,
        momentum: 0,
        dampening: 0,
        nesterov: false,
      }),
    ],
    simd: ({ inputs: [parameter, , state], attributes: { weightDecay } }) =>
      phasesOf(
        'plain',
        parameter?.shape ?? [],
        [{ output: 0 }, { input: 1 }],
        [{ input: 2 }, ratesIn(state), weightDecay],
      ),
    writes: [0],
    stage: ({ inputs: [, , state], attributes: { weightDecay } }) => ({
      position: 1,
      reads: [{ input: 2, at: 9 }],
      writesAt: [2],
      code: epilogueSgdWgsl,
      begin: 'beginDescent();',
      statements: () => 'value = descend(value, row, column);',
      constants: { WEIGHT_DECAY: weightDecay, RATES: ratesIn(state) },
      keepsInput: false,
      simd: ({ rows, columns, from, blockOf, input }) => {
        const p = blockOf({ output: 0 });
        const operands = [p.argument, p.pitch, from.argument, from.pitch, rows, columns];
        return {
          kernel: { module: sgdWasm, entryPoint: 'plain' },
          arguments: [...operands, input(2), ratesIn(state), weightDecay],
        };
      },
      sums: { writesAt: [SUMS_AT], code: epilogueSgdSumsWgsl, expression: 'descendSum(value, row)' },
    }),
    gradient: NO_GRADIENT,
    tolerance: TOLERANCE,
    cases: SHAPES.flatMap((shape) =>
      [0, 0.01].map((weightDecay) => ({
        inputs: [{ shape }, { shape }, STATE],
        attributes: { weightDecay },
      })),
    ),
  },
);

/**
 * g = gradient + weightDecay · parameter; velocity ← g in the step 0, momentum · velocity + (1 - dampening) · g after it;
 * parameter ← parameter - learningRate · (nesterov ? g + momentum · velocity : velocity).
 * Inputs: parameter, velocity, gradient, optimizer state.
 */
export const sgdMomentumUpdate: Operation<SgdAttributes> = defineOperation<SgdAttributes>({
  name: 'sgdMomentumUpdate',
  infer: ([parameter, , gradient]) => {
    const spec = checkGradient(parameter, gradient);
    return [spec, spec];
  },
  reference({ inputs: [, , gradient, state], outputs: [parameter, velocity], attributes }) {
    if (!gradient || !state || !parameter || !velocity) return;
    const { weightDecay, momentum, dampening, nesterov } = attributes;
    const { step, learningRate } = readOptimizerState(state.data);
    for (let i = 0; i < gradient.data.length; i++) {
      const p = parameter.data[i] ?? 0;
      const g = (gradient.data[i] ?? 0) + weightDecay * p;
      const v = step === 0 ? g : momentum * (velocity.data[i] ?? 0) + (1 - dampening) * g;
      velocity.data[i] = v;
      parameter.data[i] = p - learningRate * (nesterov ? g + momentum * v : v);
    }
  },
  kernel: ({ inputs: [parameter, , , state], attributes }) => [
    launchOf('momentum', parameter, state, [{ output: 0 }, { output: 1 }, { input: 2 }, { input: 3 }], attributes),
  ],
  simd: ({ inputs: [parameter, , , state], attributes: { weightDecay, momentum, dampening, nesterov } }) =>
    phasesOf(
      'momentum',
      parameter?.shape ?? [],
      [{ output: 0 }, { output: 1 }, { input: 2 }],
      [{ input: 3 }, ratesIn(state), weightDecay, momentum, dampening, Number(nesterov)],
    ),
  writes: [0, 1],
  stage: ({ inputs: [, , , state], attributes: { weightDecay, momentum, dampening, nesterov } }) => ({
    position: 2,
    reads: [{ input: 3, at: 9 }],
    writesAt: [2, 8],
    code: epilogueSgdWgsl,
    begin: 'beginDescent();',
    statements: () => 'value = descendWithMomentum(value, row, column);',
    constants: {
      WEIGHT_DECAY: weightDecay,
      MOMENTUM: momentum,
      DAMPENING: dampening,
      NESTEROV: Number(nesterov),
      RATES: ratesIn(state),
    },
    keepsInput: false,
    simd: ({ rows, columns, from, blockOf, input }) => {
      const [p, v] = [blockOf({ output: 0 }), blockOf({ output: 1 })];
      const operands = [p.argument, p.pitch, v.argument, v.pitch, from.argument, from.pitch, rows, columns];
      return {
        kernel: { module: sgdWasm, entryPoint: 'momentum' },
        arguments: [...operands, input(3), ratesIn(state), weightDecay, momentum, dampening, Number(nesterov)],
      };
    },
    sums: {
      writesAt: [SUMS_AT, SUMS_VELOCITY_AT],
      code: epilogueSgdSumsWgsl,
      expression: 'descendSumWithMomentum(value, row)',
    },
  }),
  gradient: NO_GRADIENT,
  tolerance: TOLERANCE,
  cases: SHAPES.flatMap((shape) =>
    [FIRST_STATE, STATE].flatMap((state) =>
      [true, false].map((nesterov) => ({
        inputs: [{ shape }, { shape }, { shape }, state],
        attributes: { weightDecay: 0.01, momentum: 0.9, dampening: 0.5, nesterov },
      })),
    ),
  ),
});

function checkGradient(parameter: TensorSpec | undefined, gradient: TensorSpec | undefined): TensorSpec {
  if (!parameter || !gradient || !sameShape(parameter.shape, gradient.shape)) {
    throw new ShapeError(
      `sgd: a gradient ${formatShape(gradient?.shape ?? [])} for a parameter ${formatShape(parameter?.shape ?? [])}`,
    );
  }
  return { shape: parameter.shape, dtype: 'f32' };
}

/** Contiguous tensors as blocks of one row, whose pitch does not matter. */
function phasesOf(
  entryPoint: string,
  shape: Shape,
  tensors: readonly ({ readonly input: number } | { readonly output: number })[],
  settings: readonly SimdArgument[],
): SimdPhase[] {
  const tasks = elementParts(sizeOf(shape)).map(({ start, count }) => {
    const operands = tensors.flatMap((tensor) => [{ ...tensor, offset: 4 * start }, 0]);
    return [{ kernel: { module: sgdWasm, entryPoint }, arguments: [...operands, 1, count, ...settings] }];
  });
  return [{ tasks }];
}

/** How many learning rates an optimizer's state holds. */
function ratesIn(state: TensorSpec | undefined): number {
  return sizeOf(state?.shape ?? []) - 1;
}

function launchOf(
  entryPoint: string,
  parameter: TensorSpec | undefined,
  state: TensorSpec | undefined,
  bindings: readonly Binding[],
  { weightDecay, momentum, dampening, nesterov }: SgdAttributes,
): Launch {
  const quads = ceilDivide(sizeOf(parameter?.shape ?? []), 4);
  return {
    kernel: { name: `sgd ${entryPoint}`, code: commonWgsl + sgdWgsl, entryPoint },
    constants: { RATES: ratesIn(state) },
    bindings,
    uniforms: new Uniforms().u32(quads).f32(weightDecay, momentum, dampening).u32(Number(nesterov)).bytes(),
    workgroups: foldWorkgroups(ceilDivide(quads, 64)),
  };
}

export const sgdOperations = [sgdUpdate, sgdMomentumUpdate];
