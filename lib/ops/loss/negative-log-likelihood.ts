import { elementAt } from '../../element-at.js';
import { negativeLogLikelihoodWasm } from '../../generated/wasm.js';
import { commonWgsl, negativeLogLikelihoodWgsl } from '../../generated/wgsl.js';
import { at, defineOperation } from '../../graph/define.js';
import { ceilDivide, foldWorkgroups, Uniforms } from '../../graph/launch.js';
import { apply, applyOne } from '../../graph/node.js';
import { f32, i32, type View } from '../../graph/operands.js';
import { checkOptions } from '../../options.js';
import type { Tensor, TensorLike } from '../../tensor.js';
import { rowParts } from '../simd-parts.js';
import { CLASS_LOSS_RULES, type ClassLossOptions, classRows, reduceRows } from './class-rows.js';

const SHAPES = [
  [1, 1],
  [4, 3],
  [33, 7],
  [257, 2],
  [0, 3],
] as const;

const IMAGENET = [256, 1000] as const;

type LikelihoodAttributes = {
  readonly ignoreIndex: number;
  /** The class weights are there; otherwise they are a placeholder that is not read. */
  readonly weighted: boolean;
};

/** What a row of a class counts; NaN where there is no such class. */
function weightOf(label: number, classes: number, weights: View, { ignoreIndex, weighted }: LikelihoodAttributes) {
  if (label === ignoreIndex) return 0;
  if (label < 0 || label >= classes) return NaN;
  return weighted ? weights.at(label) : 1;
}

const likelihoodGradient = defineOperation<LikelihoodAttributes & { readonly classes: number }>()({
  name: 'negativeLogLikelihoodGradient',
  staysFloat32: true,
  inputs: { target: i32('N'), weights: f32('W'), lossGradient: f32('N') },
  outputs: { gradient: f32('N', 'C') },
  infer: ({ sizes: { N }, attributes: { classes } }) => ({ gradient: [N, classes] }),
  reference({ target, weights, lossGradient, gradient }, { C }, attributes) {
    gradient.data.fill(0);
    target.data.forEach((label, i) => {
      if (label === attributes.ignoreIndex || label < 0 || label >= C) return;
      gradient.set(i * C + label, -weightOf(label, C, weights, attributes) * lossGradient.at(i));
    });
  },
  kernel: ({ sizes: { N, C }, attributes }) => [
    {
      ...launchOf('gradient', N, C, N * C, attributes),
      bindings: ['target', 'weights', 'lossGradient', 'gradient'],
      uniformsAt: 5,
    },
  ],
  simd({ sizes: { N, C }, attributes: { ignoreIndex, weighted } }) {
    const kernel = { module: negativeLogLikelihoodWasm, entryPoint: 'gradient' };
    const tasks = rowParts(N, C).map(({ start, count }) => {
      const inputs = [at('target', 4 * start), 'weights', at('lossGradient', 4 * start)] as const;
      const own = [at('gradient', 4 * start * C), count, C, ignoreIndex, Number(weighted)] as const;
      return [{ kernel, arguments: [...inputs, ...own] }];
    });
    return [{ tasks }];
  },
  gradient: { unwritten: 'second derivatives of the loss are not written' },
  tolerance: { absolute: 0, relative: 1e-7 },
  cases: SHAPES.flatMap((sizes) => [false, true].map((weighted) => gradientCase(sizes, weighted))),
  cost: () => ({ flop: 0 }),
  benchmarks: { imagenet: gradientCase(IMAGENET, false) },
});

function gradientCase([N, classes]: readonly [number, number], weighted: boolean) {
  return {
    inputs: {
      target: { shape: [N], dtype: 'i32' as const, fill: { below: classes } },
      weights: { shape: [weighted ? classes : 1], fill: 'positive' as const },
      lossGradient: { shape: [N] },
    },
    attributes: { classes, weighted, ignoreIndex: weighted ? 1 : -100 },
  };
}

const likelihoodOperation = defineOperation<LikelihoodAttributes>()({
  name: 'negativeLogLikelihood',
  staysFloat32: true,
  inputs: { logProbabilities: f32('N', 'C'), target: i32('N'), weights: f32('W') },
  outputs: { loss: f32('N'), rowWeight: f32('N') },
  reference({ logProbabilities, target, weights, loss, rowWeight }, { C }, attributes) {
    target.data.forEach((label, i) => {
      const weight = weightOf(label, C, weights, attributes);
      const counts = label !== attributes.ignoreIndex && !Number.isNaN(weight);
      loss.set(i, counts ? -weight * logProbabilities.at(i * C + label) : weight);
      rowWeight.set(i, weight);
    });
  },
  kernel: ({ sizes: { N, C }, attributes }) => [
    {
      ...launchOf('forward', N, C, N, attributes),
      bindings: ['logProbabilities', 'target', 'weights', 'loss', 'rowWeight'],
    },
  ],
  simd({ sizes: { N, C }, attributes: { ignoreIndex, weighted } }) {
    const kernel = { module: negativeLogLikelihoodWasm, entryPoint: 'forward' };
    const tasks = rowParts(N, C).map(({ start, count }) => {
      const inputs = [at('logProbabilities', 4 * start * C), at('target', 4 * start), 'weights'] as const;
      const outputs = [at('loss', 4 * start), at('rowWeight', 4 * start)] as const;
      return [{ kernel, arguments: [...inputs, ...outputs, count, C, ignoreIndex, Number(weighted)] }];
    });
    return [{ tasks }];
  },
  // The weights of the rows do not depend on the log-probabilities.
  gradient: ({ inputs: { target, weights }, outputGradients: { loss }, sizes: { C }, attributes }) => ({
    logProbabilities: loss && applyOne(likelihoodGradient, [target, weights, loss], { ...attributes, classes: C }),
  }),
  tolerance: { absolute: 0, relative: 1e-7 },
  cases: SHAPES.flatMap((sizes) => [false, true].map((weighted) => caseOf(sizes, weighted))),
  // One number of each row is read.
  cost: ({ sizes: { N } }) => ({ flop: N, bytes: 16 * N }),
  benchmarks: { imagenet: caseOf(IMAGENET, false) },
});

function caseOf([N, C]: readonly [number, number], weighted: boolean) {
  return {
    inputs: {
      logProbabilities: { shape: [N, C] },
      target: { shape: [N], dtype: 'i32' as const, fill: { below: C } },
      weights: { shape: [weighted ? C : 1], fill: 'positive' as const },
    },
    attributes: { weighted, ignoreIndex: weighted ? 1 : -100 },
  };
}

function launchOf(
  entryPoint: 'forward' | 'gradient',
  N: number,
  C: number,
  elements: number,
  { ignoreIndex, weighted }: LikelihoodAttributes,
) {
  return {
    kernel: { name: `negativeLogLikelihood ${entryPoint}`, code: commonWgsl + negativeLogLikelihoodWgsl, entryPoint },
    constants: { WEIGHTED: Number(weighted) },
    uniforms: new Uniforms().u32(N, C, ignoreIndex).bytes(),
    workgroups: foldWorkgroups(ceilDivide(elements, 64)),
  };
}

/**
 * -weight[target[i]] · logProbabilities[i, target[i]], for log-probabilities [N, C] such as {@link logSoftmax} gives and
 * classes i32 [N], or [N, C, d1, ..] and [N, d1, ..] (PyTorch: `F.nll_loss`). From logits, {@link softmaxCrossEntropy} is the
 * safer and faster one.
 *
 * `mean`, the default, divides by the weights of the rows that count, added up: NaN where all are ignored, as in PyTorch.
 * A class that does not exist gives NaN. Throws ShapeError where the shapes do not fit, OptionError for unknown options.
 */
export function negativeLogLikelihood(
  logProbabilities: TensorLike,
  target: TensorLike,
  options: ClassLossOptions = {},
): Tensor {
  const name = 'negativeLogLikelihood';
  checkOptions(name, options, CLASS_LOSS_RULES);
  const { classWeights, ignoreIndex = -100 } = options;
  const rows = classRows(name, [logProbabilities, target], classWeights, 'classes');
  const attributes = { ignoreIndex, weighted: rows.isWeighted };
  const outputs = apply(likelihoodOperation, [rows.scores, rows.target, rows.weights], attributes);
  return reduceRows(name, rows, [elementAt(outputs, 0), elementAt(outputs, 1)], options);
}

export const likelihoodOperations = [likelihoodOperation, likelihoodGradient];
