import { ShapeError } from '../../errors.js';
import { argmaxWasm } from '../../generated/wasm.js';
import { commonWgsl, confusionWgsl, largestLogitWgsl } from '../../generated/wgsl.js';
import { defineOperation } from '../../graph/define.js';
import { ceilDivide, foldWorkgroups, Uniforms } from '../../graph/launch.js';
import { f32, i32, u32 } from '../../graph/operands.js';
import { largestAt } from './largest.js';

const caseOf = ([N, C]: readonly [number, number]) => ({
  inputs: {
    totals: { shape: [C, C + 1], dtype: 'u32' as const, fill: { below: 100 } },
    logits: { shape: [N, C] },
    target: { shape: [N], dtype: 'i32' as const, fill: { below: C } },
  },
  attributes: {},
});

/**
 * Adds the rows of a batch to a confusion matrix, in place: how many rows of a class (line) were taken for which class
 * (column), the one with the largest logit. Column C counts the rows with NaN, which were taken for none.
 */
export const confusionUpdate = defineOperation()({
  name: 'confusionUpdate',
  inputs: { totals: u32('C', 'P'), logits: f32('N', 'C'), target: i32('N') },
  outputs: { totals: u32('C', 'P') },
  infer({ sizes: { C, P } }) {
    if (C > 0 && P === C + 1) return {};
    throw new ShapeError(
      `confusion matrix: for logits of ${C} classes the totals must be [C, C + 1], found [${C}, ${P}]`,
    );
  },
  reference({ totals, logits, target }, { N, C }) {
    for (let row = 0; row < N; row++) {
      const label = target.at(row);
      if (label < 0 || label >= C) continue;
      const taken = largestAt(Array.from({ length: C }, (_, c) => logits.at(row * C + c)));
      const place = label * (C + 1) + (taken < 0 ? C : taken);
      totals.set(place, totals.at(place) + 1);
    }
  },
  kernel: ({ sizes: { N, C } }) => [
    {
      kernel: { name: 'confusion', code: commonWgsl + largestLogitWgsl + confusionWgsl, entryPoint: 'confusion' },
      bindings: ['totals', 'logits', 'target'],
      uniforms: new Uniforms().u32(N, C).bytes(),
      workgroups: foldWorkgroups(ceilDivide(N, 64)),
    },
  ],
  simd({ sizes: { N, C } }) {
    // One task: two would add to the same number at the same time.
    const kernel = { module: argmaxWasm, entryPoint: 'confusion' };
    return [{ tasks: N === 0 ? [] : [[{ kernel, arguments: ['totals', 'logits', 'target', N, C] }]] }];
  },
  gradient: { none: 'it changes state' },
  tolerance: { absolute: 0, relative: 0 },
  cases: ([[1, 1], [7, 3], [65, 2], [257, 5], [3, 257], [0, 4]] as const).map(caseOf), // prettier-ignore
  cost: () => ({ flop: 0 }),
  benchmarks: { mynetLogits: caseOf([32, 2]), imagenet: caseOf([256, 1000]) },
});
