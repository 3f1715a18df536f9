import type { Stage, StageUse } from '../../fusion/stage.js';
import { runningAverageWasm } from '../../generated/wasm.js';
import { runningAverageWgsl } from '../../generated/wgsl.js';
import { defineOperation } from '../../graph/define.js';
import { applyOne } from '../../graph/node.js';
import { f32 } from '../../graph/operands.js';
import type { Operation } from '../../graph/operation.js';
import type { Shape } from '../../shape.js';
import type { Tensor } from '../../tensor.js';
import type { Variable } from '../../variable.js';
import { elementwiseHost } from '../pointwise/elementwise.js';

type AverageAttributes = { readonly momentum: number; readonly scale: number };

/** average ← (1 - momentum) · average + momentum · scale · value, in place: a stage of what computes the value. */
const runningAverage: Operation<AverageAttributes> = defineOperation<AverageAttributes>()({
  name: 'runningAverage',
  inputs: { average: f32('...'), value: f32('...') },
  outputs: { average: f32('...') },
  reference({ average, value }, _, { momentum, scale }) {
    for (let i = 0; i < value.size; i++) {
      average.set(i, (1 - momentum) * average.at(i) + momentum * scale * value.at(i));
    }
  },
  ...elementwiseHost(() => runningAverage, 1),
  stage: ({ position, attributes: { momentum, scale } }: StageUse<AverageAttributes>): Stage | undefined =>
    position === 1
      ? {
          wgsl: { sources: [runningAverageWgsl], call: 'runningAverage', on: 'Element' },
          simd: { module: runningAverageWasm, entryPoint: 'runningAverage', settings: [momentum, scale] },
          settings: { momentum, scale: { varies: scale } },
          keepsInput: true,
        }
      : undefined,
  gradient: { none: 'it changes state' },
  tolerance: { absolute: 1e-6, relative: 1e-6 },
  cases: ([[1], [5, 7], [257], [0]] satisfies Shape[]).map((shape) => ({
    inputs: { average: { shape }, value: { shape } },
    attributes: { momentum: 0.1, scale: 1.25 },
  })),
  cost: ({ specs: { value } }) => ({ flop: 3 * (value.shape[0] ?? 1) }),
  benchmarks: {
    channels: {
      inputs: { average: { shape: [2048] }, value: { shape: [2048] } },
      attributes: { momentum: 0.1, scale: 1.25 },
    },
  },
});

/** Records average = (1 - momentum) · average + momentum · scale · value, in place. */
export function moveAverage(
  average: Variable,
  value: Tensor,
  { momentum, scale = 1 }: { readonly momentum: number; readonly scale?: number },
): void {
  average.update(applyOne(runningAverage, [average.value, value], { momentum, scale }));
}

export const runningAverageOperations = [runningAverage];
