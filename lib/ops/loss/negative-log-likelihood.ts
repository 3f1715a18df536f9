import { ShapeError } from '../../errors.js';
import { negativeLogLikelihoodWasm } from '../../generated/wasm.js';
import { commonWgsl, negativeLogLikelihoodWgsl } from '../../generated/wgsl.js';
import { ceilDivide, foldWorkgroups, Uniforms } from '../../graph/launch.js';
import { applyOne } from '../../graph/node.js';
import { defineOperation } from '../../graph/operation.js';
import { formatShape } from '../../shape.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import type { SimdPhase } from '../../graph/simd.js';
import type { NoAttributes } from '../pointwise/binary.js';
import { checkReduction, reduceLosses, type Reduction } from './reduction.js';
import { rowParts } from '../simd-parts.js';

const SHAPES = [
  [1, 1],
  [4, 3],
  [33, 7],
  [257, 2],
  [0, 3],
] as const;

const likelihoodGradient = defineOperation<{ readonly classes: number }>({
  name: 'negativeLogLikelihoodGradient',
  infer: ([target], { classes }) => [{ shape: [target?.shape[0] ?? 0, classes], dtype: 'f32' }],
  reference({ inputs: [target, dLoss], outputs: [output], attributes: { classes } }) {
    if (!target || !dLoss || !output) return;
    output.data.fill(0);
    target.data.forEach((label, i) => {
      if (label >= 0 && label < classes) output.data[i * classes + label] = -(dLoss.data[i] ?? 0);
    });
  },
  kernel({ inputs: [target], attributes: { classes } }) {
    const [N = 0] = target?.shape ?? [];
    return [launchOf('gradient', N, classes, N * classes)];
  },
  simd: ({ inputs: [target], attributes: { classes } }) =>
    phasesOf('gradient', target?.shape[0] ?? 0, classes, [1, 1, classes]),
  gradient: { unwritten: 'second derivatives of the loss are not written' },
  tolerance: { absolute: 0, relative: 0 },
  cases: SHAPES.map(([N, classes]) => ({
    inputs: [{ shape: [N], dtype: 'i32', fill: { below: classes } }, { shape: [N] }],
    attributes: { classes },
  })),
});

const likelihoodOperation = defineOperation<NoAttributes>({
  name: 'negativeLogLikelihood',
  infer([logProbabilities, target]) {
    const [N] = logProbabilities?.shape ?? [];
    if (
      logProbabilities?.shape.length !== 2 ||
      logProbabilities.dtype !== 'f32' ||
      target?.dtype !== 'i32' ||
      target.shape.length !== 1 ||
      target.shape[0] !== N
    ) {
      throw new ShapeError(
        `negativeLogLikelihood: needs log-probabilities f32 [N, C] and classes i32 [N], found ` +
          `${logProbabilities?.dtype ?? ''} ${formatShape(logProbabilities?.shape ?? [])} and ${target?.dtype ?? ''} ${formatShape(target?.shape ?? [])}`,
      );
    }
    return [{ shape: [N ?? 0], dtype: 'f32' }];
  },
  reference({ inputs: [logProbabilities, target], outputs: [loss] }) {
    if (!logProbabilities || !target || !loss) return;
    const [, C = 0] = logProbabilities.shape;
    target.data.forEach((label, i) => {
      loss.data[i] = label >= 0 && label < C ? -(logProbabilities.data[i * C + label] ?? 0) : NaN;
    });
  },
  kernel({ inputs: [logProbabilities] }) {
    const [N = 0, C = 0] = logProbabilities?.shape ?? [];
    return [launchOf('forward', N, C, N)];
  },
  simd({ inputs: [logProbabilities] }) {
    const [N = 0, C = 0] = logProbabilities?.shape ?? [];
    return phasesOf('forward', N, C, [C, 1, 1]);
  },
  gradient: ({ inputs: [logProbabilities, target], outputGradients: [dLoss] }) =>
    target && dLoss
      ? [applyOne(likelihoodGradient, [target, dLoss], { classes: logProbabilities?.shape[1] ?? 0 }), undefined]
      : [],
  tolerance: { absolute: 0, relative: 0 },
  cases: SHAPES.map(([N, C]) => ({
    inputs: [{ shape: [N, C] }, { shape: [N], dtype: 'i32', fill: { below: C } }],
    attributes: {},
  })),
});

/** Tasks over the rows; `elements` says how many of a row the two inputs and the output have. */
function phasesOf(entryPoint: string, N: number, C: number, elements: readonly [number, number, number]): SimdPhase[] {
  const kernel = { module: negativeLogLikelihoodWasm, entryPoint };
  const [first, second, ofOutput] = elements;
  const tasks = rowParts(N, C).map(({ start, count }) => {
    const inputs = [first, second].map((each, input) => ({ input, offset: 4 * start * each }));
    return [{ kernel, arguments: [...inputs, { output: 0, offset: 4 * start * ofOutput }, count, C] }];
  });
  return [{ tasks }];
}

function launchOf(entryPoint: 'forward' | 'gradient', N: number, C: number, elements: number) {
  return {
    kernel: { name: `negativeLogLikelihood ${entryPoint}`, code: commonWgsl + negativeLogLikelihoodWgsl, entryPoint },
    bindings: [{ input: 0 }, { input: 1 }, { output: 0 }],
    uniforms: new Uniforms().u32(N, C).bytes(),
    workgroups: foldWorkgroups(ceilDivide(elements, 64)),
  };
}

/**
 * -logProbabilities[i, target[i]], for log-probabilities [N, C] such as {@link logSoftmax} gives and classes i32 [N]
 * (PyTorch: `F.nll_loss`). Reduced by their mean by default. From logits, {@link softmaxCrossEntropy} is the safer and
 * faster one. A class that does not exist gives NaN. Throws ShapeError where the shapes do not fit.
 */
export function negativeLogLikelihood(
  logProbabilities: TensorLike,
  target: TensorLike,
  options: { readonly reduction?: Reduction } = {},
): Tensor {
  const reduction = checkReduction('negativeLogLikelihood', options.reduction);
  return reduceLosses(applyOne(likelihoodOperation, [asTensor(logProbabilities), asTensor(target)], {}), reduction);
}

export const likelihoodOperations = [likelihoodOperation, likelihoodGradient];
