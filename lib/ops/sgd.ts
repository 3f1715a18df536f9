import { ShapeError } from '../errors.js';
import { commonWgsl, epilogueSgdWgsl, sgdWgsl } from '../generated/wgsl.js';
import { sgdWasm } from '../generated/wasm.js';
import { type Binding, ceilDivide, foldWorkgroups, type Launch, Uniforms } from '../graph/launch.js';
import { defineOperation, type Operation, type TensorSpec } from '../graph/operation.js';
import type { SimdArgument, SimdPhase } from '../graph/simd.js';
import { formatShape, sameShape, type Shape, sizeOf } from '../shape.js';
import { elementParts } from './simd-parts.js';

export type SgdAttributes = {
  readonly weightDecay: number;
  readonly momentum: number;
  readonly dampening: number;
  readonly nesterov: boolean;
};

const TOLERANCE = { absolute: 1e-6, relative: 1e-6 };
const SHAPES: readonly Shape[] = [[1], [5, 7], [257], [0]];
const NO_GRADIENT = { none: 'it changes state' };

/** parameter ← parameter - learningRate · (gradient + weightDecay · parameter). Inputs: parameter, gradient, learningRate. */
export const sgdUpdate: Operation<{ readonly weightDecay: number }> = defineOperation<{ readonly weightDecay: number }>(
  {
    name: 'sgdUpdate',
    infer: ([parameter, gradient]) => [checkGradient(parameter, gradient)],
    reference({ inputs: [, gradient, learningRate], outputs: [parameter], attributes: { weightDecay } }) {
      if (!gradient || !learningRate || !parameter) return;
      const rate = learningRate.data[0] ?? 0;
      for (let i = 0; i < gradient.data.length; i++) {
        const p = parameter.data[i] ?? 0;
        parameter.data[i] = p - rate * ((gradient.data[i] ?? 0) + weightDecay * p);
      }
    },
    kernel: ({ inputs: [parameter], attributes: { weightDecay } }) => [
      launchOf('plain', parameter?.shape ?? [], [{ output: 0 }, { input: 1 }, { input: 2 }], {
        weightDecay,
        momentum: 0,
        dampening: 0,
        nesterov: false,
      }),
    ],
    simd: ({ inputs: [parameter], attributes: { weightDecay } }) =>
      phasesOf('plain', parameter?.shape ?? [], [{ output: 0 }, { input: 1 }], [{ input: 2 }, weightDecay]),
    writes: [0],
    stage: ({ attributes: { weightDecay } }) => ({
      position: 1,
      reads: [{ input: 2, at: 9 }],
      writesAt: [2],
      code: epilogueSgdWgsl,
      expression: 'descend(value, row, column)',
      constants: { WEIGHT_DECAY: weightDecay },
      keepsInput: false,
    }),
    gradient: NO_GRADIENT,
    tolerance: TOLERANCE,
    cases: SHAPES.flatMap((shape) =>
      [0, 0.01].map((weightDecay) => ({
        inputs: [{ shape }, { shape }, { shape: [], fill: 'positive' }],
        attributes: { weightDecay },
      })),
    ),
  },
);

/**
 * g = gradient + weightDecay · parameter; velocity ← g in the step 0, momentum · velocity + (1 - dampening) · g after it;
 * parameter ← parameter - learningRate · (nesterov ? g + momentum · velocity : velocity).
 * Inputs: parameter, velocity, gradient, learningRate, step (u32).
 */
export const sgdMomentumUpdate: Operation<SgdAttributes> = defineOperation<SgdAttributes>({
  name: 'sgdMomentumUpdate',
  infer: ([parameter, , gradient]) => {
    const spec = checkGradient(parameter, gradient);
    return [spec, spec];
  },
  reference({ inputs: [, , gradient, learningRate, step], outputs: [parameter, velocity], attributes }) {
    if (!gradient || !learningRate || !step || !parameter || !velocity) return;
    const { weightDecay, momentum, dampening, nesterov } = attributes;
    const rate = learningRate.data[0] ?? 0;
    for (let i = 0; i < gradient.data.length; i++) {
      const p = parameter.data[i] ?? 0;
      const g = (gradient.data[i] ?? 0) + weightDecay * p;
      const v = step.data[0] === 0 ? g : momentum * (velocity.data[i] ?? 0) + (1 - dampening) * g;
      velocity.data[i] = v;
      parameter.data[i] = p - rate * (nesterov ? g + momentum * v : v);
    }
  },
  kernel: ({ inputs: [parameter], attributes }) => [
    launchOf(
      'momentum',
      parameter?.shape ?? [],
      [{ output: 0 }, { output: 1 }, { input: 2 }, { input: 3 }, { input: 4 }],
      attributes,
    ),
  ],
  simd: ({ inputs: [parameter], attributes: { weightDecay, momentum, dampening, nesterov } }) =>
    phasesOf(
      'momentum',
      parameter?.shape ?? [],
      [{ output: 0 }, { output: 1 }, { input: 2 }],
      [{ input: 3 }, { input: 4 }, weightDecay, momentum, dampening, Number(nesterov)],
    ),
  writes: [0, 1],
  stage: ({ attributes: { weightDecay, momentum, dampening, nesterov } }) => ({
    position: 2,
    reads: [
      { input: 3, at: 9 },
      { input: 4, at: 10 },
    ],
    writesAt: [2, 8],
    code: epilogueSgdWgsl,
    expression: 'descendWithMomentum(value, row, column)',
    constants: { WEIGHT_DECAY: weightDecay, MOMENTUM: momentum, DAMPENING: dampening, NESTEROV: Number(nesterov) },
    keepsInput: false,
  }),
  gradient: NO_GRADIENT,
  tolerance: TOLERANCE,
  cases: SHAPES.flatMap((shape) =>
    [1, 5].flatMap((below) =>
      [true, false].map((nesterov) => ({
        inputs: [
          { shape },
          { shape },
          { shape },
          { shape: [], fill: 'positive' as const },
          { shape: [1], dtype: 'u32' as const, fill: { below } },
        ],
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

function launchOf(entryPoint: string, shape: Shape, bindings: readonly Binding[], attributes: SgdAttributes): Launch {
  const quads = ceilDivide(sizeOf(shape), 4);
  const { weightDecay, momentum, dampening, nesterov } = attributes;
  return {
    kernel: { name: `sgd ${entryPoint}`, code: commonWgsl + sgdWgsl, entryPoint },
    bindings,
    uniforms: new Uniforms().u32(quads).f32(weightDecay, momentum, dampening).u32(Number(nesterov)).bytes(),
    workgroups: foldWorkgroups(ceilDivide(quads, 64)),
  };
}

export const sgdOperations = [sgdUpdate, sgdMomentumUpdate];
