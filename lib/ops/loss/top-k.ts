import { topKWasm } from '../../generated/wasm.js';
import { commonWgsl, topKWgsl } from '../../generated/wgsl.js';
import { at, defineOperation } from '../../graph/define.js';
import { ceilDivide, foldWorkgroups, Uniforms } from '../../graph/launch.js';
import { applyOne } from '../../graph/node.js';
import { f32, i32 } from '../../graph/operands.js';
import { checkOptions, wholeNumber } from '../../options.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { rowParts } from '../simd-parts.js';
import { hits } from './accuracy.js';

const caseOf = ([N, C, k]: readonly [number, number, number]) => ({
  inputs: { logits: { shape: [N, C] }, target: { shape: [N], dtype: 'i32' as const, fill: { below: C } } },
  attributes: { k },
});

/** 1 where the logit of a row's class is among its k largest, of equal ones the first; else, and in a row with NaN, 0. */
export const topKOperation = defineOperation<{ readonly k: number }>()({
  name: 'topK',
  inputs: { logits: f32('N', 'C'), target: i32('N') },
  outputs: { correct: f32('N') },
  reference({ logits, target, correct }, { N, C }, { k }) {
    for (let row = 0; row < N; row++) {
      const label = target.at(row);
      const values = Array.from({ length: C }, (_, c) => logits.at(row * C + c));
      const own = values[label] ?? NaN;
      const before = values.filter((value, c) => value > own || (value === own && c < label)).length;
      correct.set(row, Number(!Number.isNaN(own) && !values.some(Number.isNaN) && before < k));
    }
  },
  kernel: ({ sizes: { N, C }, attributes: { k } }) => [
    {
      kernel: { name: 'topK', code: commonWgsl + topKWgsl, entryPoint: 'topK' },
      bindings: ['logits', 'target', 'correct'],
      uniforms: new Uniforms().u32(N, C, k).bytes(),
      workgroups: foldWorkgroups(ceilDivide(N, 64)),
    },
  ],
  simd({ sizes: { N, C }, attributes: { k } }) {
    const kernel = { module: topKWasm, entryPoint: 'topK' };
    const tasks = rowParts(N, C).map(({ start, count }) => {
      const tensors = [at('logits', 4 * start * C), at('target', 4 * start), at('correct', 4 * start)];
      return [{ kernel, arguments: [...tensors, count, C, k] }];
    });
    return [{ tasks }];
  },
  gradient: { none: 'it is a step function' },
  tolerance: { absolute: 0, relative: 0 },
  cases: ([[1, 1, 1], [7, 3, 2], [65, 5, 4], [257, 9, 3], [3, 257, 100], [5, 8, 9], [0, 4, 2]] as const).map(caseOf), // prettier-ignore
  cost: () => ({ flop: 0 }),
  benchmarks: { imagenet: caseOf([256, 1000, 5]) },
});

/** Options of {@link correctPredictions}. */
export interface CorrectPredictionsOptions {
  /** How many of the largest logits count as a prediction. Default 1. */
  readonly k?: number;
}

/**
 * 1 for each row of logits [N, C] whose k largest logits have that of its class (target i32 [N]) among them, else 0: f32 [N]
 * (TensorFlow: `in_top_k`, which takes all of those that are equal at the limit; here the first ones come first, as in
 * {@link argmax}). A row with NaN is not correct. Throws ShapeError where the shapes do not fit, OptionError for a k that is
 * no whole number of 1 or more.
 */
export function correctPredictions(
  logits: TensorLike,
  target: TensorLike,
  options: CorrectPredictionsOptions = {},
): Tensor {
  const name = 'correctPredictions';
  checkOptions(name, options, { k: wholeNumber({ min: 1, max: 2 ** 31 - 1 }) });
  const { k = 1 } = options;
  const inputs: [Tensor, Tensor] = [asTensor(name, 'logits', logits), asTensor(name, 'target', target)];
  return k === 1 ? hits(...inputs) : applyOne(topKOperation, inputs, { k });
}
