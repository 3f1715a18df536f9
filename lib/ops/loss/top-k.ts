import { topKWasm } from '../../generated/wasm.js';
import { commonWgsl, topKWgsl } from '../../generated/wgsl.js';
import { at, defineOperation } from '../../graph/define.js';
import { ceilDivide, foldWorkgroups, Uniforms } from '../../graph/launch.js';
import { f32, i32 } from '../../graph/operands.js';
import { rowParts } from '../simd-parts.js';

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
